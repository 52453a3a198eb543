//! ZPOPMIN, ZPOPMAX, ZMPOP.

use slotcore::resp::{Proto, parse_i64};

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::SortedSet;

/// The end that members are taken from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Min,
    Max,
}

type Taken = Vec<(Vec<u8>, f64)>;

pub fn zpopmin(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    pop(call, End::Min)
}

pub fn zpopmax(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    pop(call, End::Max)
}

/// Without a count, or in RESP2, member and score follow each other; else they are pairs.
fn pop(call: &mut Call<'_>, end: End) -> Result<(), ErrorReply> {
    let count = match call.args.len() {
        2 => None,
        3 => Some(
            positive(call.args.at(2), 0)
                .ok_or(ErrorReply::fixed("ERR value is out of range, must be positive"))?,
        ),
        _ => return Err(ErrorReply::SYNTAX),
    };
    let taken = take(call, 0, end, count.unwrap_or(1))?;
    let nested = count.is_some() && call.out.proto == Proto::Resp3;
    call.out.array(if nested { taken.len() } else { taken.len() * 2 });
    for (member, score) in taken {
        if nested {
            call.out.array(2);
        }
        call.out.bulk(&member);
        call.out.double(score);
    }
    Ok(())
}

/// An integer of at least `min`.
fn positive(text: &[u8], min: i64) -> Option<usize> {
    let number = parse_i64(text).filter(|&number| number >= min)?;
    usize::try_from(number).ok()
}

/// Takes up to `count` members out of key number `i`.
fn take(call: &mut Call<'_>, i: usize, end: End, count: usize) -> Result<Taken, ErrorReply> {
    let taken = call.edit(i, |set: &mut SortedSet| {
        let (len, count) = (set.len(), count.min(set.len()));
        let ranks = match end {
            End::Min => 0..count,
            End::Max => len - count..len,
        };
        let mut taken = Taken::with_capacity(count);
        set.visit(ranks.clone(), end == End::Max, &mut |member, score| {
            taken.push((member.to_vec(), score));
        });
        let changed = set.remove_ranks(ranks) > 0;
        (taken, changed)
    })?;
    if !taken.is_empty() {
        let event = match end {
            End::Min => "zpopmin",
            End::Max => "zpopmax",
        };
        call.notify_removal(EventClass::SORTED_SET, event, &call.keys[i]);
    }
    Ok(taken)
}

/// Takes from the first sorted set that is there. Replicas are told which that was.
pub fn zmpop(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (end, count) = parse_keys(call, 1)?;
    for i in 0..call.keys.len() {
        if take_from(call, i, end, count)? {
            return Ok(());
        }
    }
    call.out.nil_array();
    Ok(())
}

/// Takes members out of key number `i`, with a reply that says of which key they are; false, and no reply, if it has none.
pub(super) fn take_from(call: &mut Call<'_>, i: usize, end: End, count: usize) -> Result<bool, ErrorReply> {
    let taken = take(call, i, end, count)?;
    if taken.is_empty() {
        return Ok(false);
    }
    let key = call.keys[i].bytes;
    let told = itoa::Buffer::new().format(taken.len()).to_owned();
    call.effect_instead(&[end.pop_name(), key, told.as_bytes()]);
    call.out.array(2);
    call.out.bulk(key);
    call.out.array(taken.len());
    for (member, score) in taken {
        call.out.array(2);
        call.out.bulk(&member);
        call.out.double(score);
    }
    Ok(true)
}

/// The same for one member, key, member and score one after the other.
pub(super) fn take_one_from(call: &mut Call<'_>, i: usize, end: End) -> Result<bool, ErrorReply> {
    let mut taken = take(call, i, end, 1)?;
    let Some((member, score)) = taken.pop() else {
        return Ok(false);
    };
    let key = call.keys[i].bytes;
    call.effect_instead(&[end.pop_name(), key]);
    call.out.array(3);
    call.out.bulk(key);
    call.out.bulk(&member);
    call.out.double(score);
    Ok(true)
}

impl End {
    fn pop_name(self) -> &'static [u8] {
        match self {
            Self::Min => b"ZPOPMIN",
            Self::Max => b"ZPOPMAX",
        }
    }
}

/// A number of keys in argument `at`, and what is behind them.
pub(super) fn parse_keys(call: &Call<'_>, at: usize) -> Result<(End, usize), ErrorReply> {
    let keys = positive(call.args.at(at), 1);
    let keys = keys.ok_or(ErrorReply::fixed("ERR numkeys should be greater than 0"))?;
    parse(call, keys.saturating_add(at + 1))
}

/// Which end, and how many members.
fn parse(call: &Call<'_>, at: usize) -> Result<(End, usize), ErrorReply> {
    if at >= call.args.len() {
        return Err(ErrorReply::SYNTAX);
    }
    let end = if call.arg_is(at, "min") {
        End::Min
    } else if call.arg_is(at, "max") {
        End::Max
    } else {
        return Err(ErrorReply::SYNTAX);
    };
    match call.args.len() - at {
        1 => Ok((end, 1)),
        3 if call.arg_is(at + 1, "count") => positive(call.args.at(at + 2), 1)
            .map(|count| (end, count))
            .ok_or(ErrorReply::fixed("ERR count should be greater than 0")),
        // A count is looked at before what is behind it.
        4.. if call.arg_is(at + 1, "count") && positive(call.args.at(at + 2), 1).is_none() => {
            Err(ErrorReply::fixed("ERR count should be greater than 0"))
        }
        _ => Err(ErrorReply::SYNTAX),
    }
}

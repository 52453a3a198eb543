//! ZPOPMIN, ZPOPMAX, ZMPOP.

use slotcore::resp::{Proto, parse_i64};

use super::reply::write_member;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{SortedSet, typed};

/// The end that members are taken from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
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
    let keys =
        positive(call.args.at(1), 1).ok_or(ErrorReply::fixed("ERR numkeys should be greater than 0"))?;
    let (end, count) = parse(call, keys.saturating_add(2))?;
    for (i, key) in call.keys.iter().enumerate() {
        let found = call.held.table(key.slot).get(key, call.now);
        if typed::<SortedSet>(found)?.is_none() {
            continue;
        }
        let taken = take(call, i, end, count)?;
        let name: &[u8] = match end {
            End::Min => b"ZPOPMIN",
            End::Max => b"ZPOPMAX",
        };
        call.effect_instead(&[
            name,
            key.bytes,
            itoa::Buffer::new().format(taken.len()).as_bytes(),
        ]);
        call.out.array(2);
        call.out.bulk(key.bytes);
        call.out.array(taken.len());
        for (member, score) in taken {
            if call.out.proto == Proto::Resp2 {
                call.out.array(2);
            }
            write_member(&mut call.out, &member, score, true);
        }
        return Ok(());
    }
    call.out.nil_array();
    Ok(())
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

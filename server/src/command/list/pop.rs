//! LPOP, RPOP, LMPOP.

use slotcore::resp::{ReplyWriter, parse_i64};

use super::{pop_event, side_arg};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{List, Side};

pub fn lpop(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    pop(call, Side::Left)
}

pub fn rpop(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    pop(call, Side::Right)
}

fn pop(call: &mut Call<'_>, side: Side) -> Result<(), ErrorReply> {
    match call.args.len() {
        2 => {
            match pop_one(call, 0, side)? {
                Some(element) => call.out.bulk(&element),
                None => call.out.nil(),
            }
            Ok(())
        }
        3 => pop_several(call, side),
        _ => Err(ErrorReply::wrong_arity(call.spec.full_name)),
    }
}

/// Takes one element out of the list of key number `i`.
pub(super) fn pop_one(call: &mut Call<'_>, i: usize, side: Side) -> Result<Option<Vec<u8>>, ErrorReply> {
    let element = call.edit(i, |list: &mut List| {
        let element = list.pop(side);
        let changed = element.is_some();
        (element, changed)
    })?;
    if element.is_some() {
        call.notify_removal(EventClass::LIST, pop_event(side), &call.keys[i]);
    }
    Ok(element)
}

fn pop_several(call: &mut Call<'_>, side: Side) -> Result<(), ErrorReply> {
    let count = parse_i64(call.args.at(2))
        .and_then(|count| usize::try_from(count).ok())
        .ok_or(ErrorReply::fixed("ERR value is out of range, must be positive"))?;
    let key = &call.keys[0];
    let out = &mut call.out;
    let taken = call
        .held
        .table(key.slot)
        .find(key, call.now)
        .edit(|list: &mut List| {
            if list.is_empty() {
                out.nil_array();
                return (0, false);
            }
            (take(list, side, count, out), count > 0)
        })?;
    if taken > 0 {
        call.notify_removal(EventClass::LIST, pop_event(side), key);
    }
    Ok(())
}

/// Takes up to so many elements out of a list, and writes them; returns how many.
fn take(list: &mut List, side: Side, count: usize, out: &mut ReplyWriter<'_>) -> usize {
    let count = count.min(list.len());
    let last = list.len().saturating_sub(1);
    let (start, first) = match side {
        Side::Left => (0, 0),
        Side::Right => (last, list.len() - count),
    };
    out.array(count);
    for element in list.from(start, side).take(count) {
        out.bulk(element.text(&mut itoa::Buffer::new()));
    }
    list.remove_range(first, count);
    count
}

/// What LMPOP and its kin ask for behind their keys.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub side: Side,
    pub count: usize,
}

impl Wanted {
    /// From the arguments from `at` on: how many keys, the keys, and what is wanted.
    pub fn parse(call: &Call<'_>, at: usize) -> Result<Self, ErrorReply> {
        let positive = |text: &[u8]| {
            parse_i64(text)
                .and_then(|number| usize::try_from(number).ok())
                .filter(|&number| number > 0)
        };
        let keys =
            positive(call.args.at(at)).ok_or(ErrorReply::fixed("ERR numkeys should be greater than 0"))?;
        let where_at = at.saturating_add(keys).saturating_add(1);
        let side = side_arg(call.args.get(where_at).ok_or(ErrorReply::SYNTAX)?)?;
        let mut count = None;
        let mut at = where_at + 1;
        while at < call.args.len() {
            if count.is_some() || !call.arg_is(at, "count") || at + 1 == call.args.len() {
                return Err(ErrorReply::SYNTAX);
            }
            let given = positive(call.args.at(at + 1));
            count = Some(given.ok_or(ErrorReply::fixed("ERR count should be greater than 0"))?);
            at += 2;
        }
        Ok(Self {
            side,
            count: count.unwrap_or(1),
        })
    }
}

/// Takes elements out of the list of key number `i`, and replies with the key and them; false, and no reply, if there is
/// none. Replicas are told of LPOP or RPOP with how many went.
pub(super) fn take_from(call: &mut Call<'_>, i: usize, wanted: Wanted) -> Result<bool, ErrorReply> {
    let key = &call.keys[i];
    let out = &mut call.out;
    let taken = call
        .held
        .table(key.slot)
        .find(key, call.now)
        .edit(|list: &mut List| {
            if list.is_empty() {
                return (0, false);
            }
            out.array(2);
            out.bulk(key.bytes);
            (take(list, wanted.side, wanted.count, out), true)
        })?;
    if taken > 0 {
        let count = itoa::Buffer::new().format(taken).to_owned();
        call.effect_instead(&[pop_name(wanted.side), key.bytes, count.as_bytes()]);
        call.notify_removal(EventClass::LIST, pop_event(wanted.side), key);
    }
    Ok(taken > 0)
}

/// The command that replicas are told of.
pub(super) fn pop_name(side: Side) -> &'static [u8] {
    match side {
        Side::Left => b"LPOP",
        Side::Right => b"RPOP",
    }
}

pub fn lmpop(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let wanted = Wanted::parse(call, 1)?;
    for i in 0..call.keys.len() {
        if take_from(call, i, wanted)? {
            return Ok(());
        }
    }
    call.out.nil_array();
    Ok(())
}

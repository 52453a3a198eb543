//! LSET, LINSERT, LREM, LTRIM.

use super::{place, span};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{List, Side};
use slotcore::resp::parse_i64;

pub fn lset(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (index, element, limits) = (parse_i64(call.args.at(2)), call.args.at(3), call.limits());
    call.edit(0, |list: &mut List| {
        if list.is_empty() {
            return (Err(ErrorReply::NO_SUCH_KEY), false);
        }
        let Some(index) = index else {
            return (Err(ErrorReply::NOT_INTEGER), false);
        };
        match place(index, list.len()) {
            Some(index) => {
                list.set(index, element, &limits);
                (Ok(()), true)
            }
            None => (Err(ErrorReply::fixed("ERR index out of range")), false),
        }
    })??;
    call.notify(EventClass::LIST, "lset", &call.keys[0]);
    call.out.ok();
    Ok(())
}

pub fn linsert(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let behind = if call.arg_is(2, "after") {
        1
    } else if call.arg_is(2, "before") {
        0
    } else {
        return Err(ErrorReply::SYNTAX);
    };
    let (pivot, element, limits) = (call.args.at(3), call.args.at(4), call.limits());
    let number = parse_i64(pivot);
    let reply = call.edit(0, |list: &mut List| {
        if list.is_empty() {
            return (0, false);
        }
        let found = list.iter().position(|item| item.is(pivot, number));
        match found {
            Some(index) => {
                list.insert(index + behind, element, &limits);
                (list.len() as i64, true)
            }
            None => (-1, false),
        }
    })?;
    if reply > 0 {
        call.notify(EventClass::LIST, "linsert", &call.keys[0]);
    }
    call.out.integer(reply);
    Ok(())
}

pub fn lrem(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (count, element) = (call.int_arg(2)?, call.args.at(3));
    let side = if count < 0 { Side::Right } else { Side::Left };
    let most = match count {
        0 => usize::MAX,
        count => usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX),
    };
    let removed = call.edit(0, |list: &mut List| {
        let removed = list.remove_equal(element, most, side);
        (removed, removed > 0)
    })?;
    if removed > 0 {
        call.notify_removal(EventClass::LIST, "lrem", &call.keys[0]);
    }
    call.out.integer(removed as i64);
    Ok(())
}

/// A list that keeps all its elements counts as changed for WATCH, and not for replicas: so it is in stock.
pub fn ltrim(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (start, stop) = (call.int_arg(2)?, call.int_arg(3)?);
    let (before, removed) = call.edit(0, |list: &mut List| {
        let before = list.len();
        let (first, count) = span(start, stop, before);
        list.remove_range(first + count, usize::MAX);
        list.remove_range(0, first);
        ((before, before - list.len()), true)
    })?;
    if removed == 0 {
        call.effects_instead([]);
    }
    if before > 0 {
        call.notify_removal(EventClass::LIST, "ltrim", &call.keys[0]);
    }
    call.out.ok();
    Ok(())
}

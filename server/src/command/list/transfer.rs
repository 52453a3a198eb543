//! LMOVE and RPOPLPUSH.

use super::{pop_event, push_event, side_arg};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{List, Side};

pub fn lmove(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (from, to) = (side_arg(call.args.at(3))?, side_arg(call.args.at(4))?);
    reply(call, from, to)
}

pub fn rpoplpush(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Side::Right, Side::Left)
}

fn reply(call: &mut Call<'_>, from: Side, to: Side) -> Result<(), ErrorReply> {
    if !transfer(call, from, to)? {
        call.out.nil();
    }
    Ok(())
}

/// Moves an element from the list of the first key to that of the second, and replies with it; false, and no reply, if
/// there is none. A destination of another type is refused only if there is one.
pub(super) fn transfer(call: &mut Call<'_>, from: Side, to: Side) -> Result<bool, ErrorReply> {
    let ([source, destination], limits) = ([&call.keys[0], &call.keys[1]], call.limits());
    let place = call.held.table(source.slot).find_quietly(source, call.now);
    if place.collection::<List>()?.is_none() {
        return Ok(false);
    }
    let place = call
        .held
        .table(destination.slot)
        .find_quietly(destination, call.now);
    place.collection::<List>()?;
    // In one step, so that a list of one element does not go in between.
    let is_same = source.bytes == destination.bytes;
    if is_same {
        // It is accessed as the source and as the destination.
        call.held.table(source.slot).get(source, call.now);
    }
    let element = call.edit(0, |list: &mut List| {
        let element = list.pop(from);
        if let (true, Some(element)) = (is_same, &element) {
            list.push(to, element, &limits);
        }
        (element, true)
    })?;
    let Some(element) = element else { return Ok(false) };
    if !is_same {
        call.edit(1, |list: &mut List| (list.push(to, &element, &limits), true))?;
    }
    call.notify(EventClass::LIST, push_event(to), destination);
    call.notify_removal(EventClass::LIST, pop_event(from), source);
    call.out.bulk(&element);
    Ok(true)
}

//! LPUSH, RPUSH, LPUSHX, RPUSHX.

use super::push_event;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{List, Side};

pub fn lpush(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    push(call, Side::Left, false)
}

pub fn rpush(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    push(call, Side::Right, false)
}

pub fn lpushx(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    push(call, Side::Left, true)
}

pub fn rpushx(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    push(call, Side::Right, true)
}

fn push(call: &mut Call<'_>, side: Side, must_exist: bool) -> Result<(), ErrorReply> {
    let (elements, limits) = (call.args.from(2), call.limits());
    let (len, has_pushed) = call.edit(0, |list: &mut List| {
        // A list that exists has elements.
        let pushes = !(must_exist && list.is_empty());
        if pushes {
            for element in elements.iter() {
                list.push(side, element, &limits);
            }
        }
        ((list.len(), pushes), pushes)
    })?;
    if has_pushed {
        call.notify(EventClass::LIST, push_event(side), &call.keys[0]);
    }
    call.out.integer(len as i64);
    Ok(())
}

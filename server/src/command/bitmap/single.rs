//! GETBIT, SETBIT.

use super::{bit, offset_arg};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::string::text;
use crate::events::EventClass;

pub fn getbit(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let offset = offset_arg(call, 2, None)?;
    let key = &call.keys[0];
    let found = call.held.table(key.slot).get(key, call.now);
    let is_found = found.is_some();
    let on = text(found).map(|bytes| bytes.is_some_and(|bytes| bit(bytes, offset)));
    call.looked_up(key, is_found);
    call.out.integer(i64::from(on?));
    Ok(())
}

pub fn setbit(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let offset = offset_arg(call, 2, None)?;
    let on = match call.args.at(3) {
        b"0" => false,
        b"1" => true,
        _ => return Err(ErrorReply::fixed("ERR bit is not an integer or out of range")),
    };
    let key = &call.keys[0];
    let mut place = call.held.table(key.slot).find(key, call.now);
    let before = text(place.entry())?.map_or(0, <[u8]>::len);
    let len = (offset >> 3) + 1;
    let was_on = place.write_string(len, |bytes| {
        let was_on = bit(bytes, offset);
        let mask = 0x80 >> (offset & 7);
        if on {
            bytes[offset >> 3] |= mask;
        } else {
            bytes[offset >> 3] &= !mask;
        }
        (was_on, was_on != on)
    });
    if was_on != on || len > before {
        call.notify(EventClass::STRING, "setbit", key);
    }
    call.out.integer(i64::from(was_on));
    Ok(())
}

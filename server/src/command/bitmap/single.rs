//! GETBIT, SETBIT.

use super::{bit, offset_arg};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::string::text;

pub fn getbit(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let offset = offset_arg(call, 2, None)?;
    let key = &call.keys[0];
    let found = call.held.table(key.slot).get(key, call.now);
    call.node.stats.worker(call.worker).looked_up(found.is_some());
    let bytes = text(found)?.unwrap_or_default();
    call.out.integer(i64::from(bit(bytes, offset)));
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
    text(place.entry())?;
    let was_on = place.write_string((offset >> 3) + 1, |bytes| {
        let was_on = bit(bytes, offset);
        let mask = 0x80 >> (offset & 7);
        if on {
            bytes[offset >> 3] |= mask;
        } else {
            bytes[offset >> 3] &= !mask;
        }
        (was_on, was_on != on)
    });
    call.out.integer(i64::from(was_on));
    Ok(())
}

//! CLIENT PAUSE and CLIENT UNPAUSE.

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::node::unix_ms;
use slotcore::resp::parse_i64;

pub(super) fn pause(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let mut writes_only = false;
    if call.args.len() == 4 {
        writes_only = call.arg_is(3, "write");
        if !writes_only && !call.arg_is(3, "all") {
            return Err(ErrorReply::fixed("ERR CLIENT PAUSE mode must be WRITE or ALL"));
        }
    }
    let timeout_ms = parse_timeout_ms(call.args.at(2))?;
    let now = unix_ms();
    let until = now
        .checked_add(timeout_ms)
        .ok_or(ErrorReply::fixed("ERR timeout is out of range"))?;
    call.node.pause.start(until, writes_only, now);
    call.out.ok();
    Ok(())
}

pub(super) fn unpause(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.node.pause.end();
    call.out.ok();
    Ok(())
}

/// A timeout in milliseconds, as several commands take it.
pub fn parse_timeout_ms(text: &[u8]) -> Result<u64, ErrorReply> {
    let timeout =
        parse_i64(text).ok_or(ErrorReply::fixed("ERR timeout is not an integer or out of range"))?;
    u64::try_from(timeout).map_err(|_| ErrorReply::fixed("ERR timeout is negative"))
}

//! The timeout of a command that waits.

use slotcore::resp::parse_i64;

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::string::extended::Extended;

/// Argument `i` as a timeout in seconds, with a fraction: when it is over, unix time in milliseconds; `None` for 0, never.
pub fn timeout_arg(call: &Call<'_>, i: usize) -> Result<Option<u64>, ErrorReply> {
    let seconds = Extended::parse(call.args.at(i));
    let seconds = seconds.ok_or(ErrorReply::fixed("ERR timeout is not a float or out of range"))?;
    // A number too large for a time has wrapped around in stock, too.
    let ms = seconds.milliseconds().and_then(|ms| u64::try_from(ms).ok());
    let ms = ms.ok_or(ErrorReply::fixed("ERR timeout is negative"))?;
    // The present millisecond has begun already, and does not count.
    Ok((ms > 0).then(|| call.now.saturating_add(ms).saturating_add(1)))
}

/// The same in whole milliseconds.
pub fn timeout_ms_arg(call: &Call<'_>, i: usize) -> Result<Option<u64>, ErrorReply> {
    let ms = parse_i64(call.args.at(i));
    let ms = ms.ok_or(ErrorReply::fixed("ERR timeout is not an integer or out of range"))?;
    let ms = u64::try_from(ms).map_err(|_| ErrorReply::fixed("ERR timeout is negative"))?;
    Ok((ms > 0).then(|| call.now.saturating_add(ms).saturating_add(1)))
}

//! XRANGE, XREVRANGE, XLEN.

use super::id::{range_end, range_start};
use super::reply;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::Stream;

pub fn xlen(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (stream, out) = call.read::<Stream>(0)?;
    out.integer(stream.map_or(0, Stream::len) as i64);
    Ok(())
}

pub fn xrange(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    range(call, false)
}

pub fn xrevrange(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    range(call, true)
}

fn range(call: &mut Call<'_>, backward: bool) -> Result<(), ErrorReply> {
    let (start, end) = if backward { (3, 2) } else { (2, 3) };
    let (from, to) = (range_start(call.args.at(start))?, range_end(call.args.at(end))?);
    let count = count_option(call, 4)?;
    let (stream, out) = call.read::<Stream>(0)?;
    let Some(stream) = stream else {
        out.array(0);
        return Ok(());
    };
    let entries = stream.entries();
    match (count, backward) {
        (Some(0), _) => out.nil_array(),
        (count, false) => reply::entries(out, entries.range(from, to).take(count.unwrap_or(usize::MAX))),
        (count, true) => reply::entries(
            out,
            entries.range_back(from, to).take(count.unwrap_or(usize::MAX)),
        ),
    }
    Ok(())
}

/// COUNT, at `at` or nowhere; said twice, the last one counts.
fn count_option(call: &Call<'_>, mut at: usize) -> Result<Option<usize>, ErrorReply> {
    let mut count = None;
    while at < call.args.len() {
        if !call.arg_is(at, "count") || at + 1 == call.args.len() {
            return Err(ErrorReply::SYNTAX);
        }
        // -1 is what stock takes for no count at all.
        count = match call.int_arg(at + 1)? {
            number @ 0.. => Some(number as usize),
            _ => Some(0),
        };
        at += 2;
    }
    Ok(count)
}

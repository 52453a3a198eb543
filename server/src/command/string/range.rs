//! Pieces of strings: GETRANGE, SUBSTR, SETRANGE, APPEND.

use super::{check_length, text};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::Expire;

pub fn getrange(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (start, end) = (call.int_arg(2)?, call.int_arg(3)?);
    let key = &call.keys[0];
    let found = text(call.held.table(key.slot).get(key, call.now))?;
    call.node.stats.worker(call.worker).looked_up(found.is_some());
    match found {
        Some(value) => call.out.bulk(&value[span(value.len(), start, end)]),
        None => {
            call.notify(EventClass::KEY_MISS, "keymiss", key);
            call.out.bulk(b"");
        }
    }
    Ok(())
}

/// The bytes that an inclusive range means; negative ends count from behind.
fn span(len: usize, start: i64, end: i64) -> std::ops::Range<usize> {
    if start < 0 && end < 0 && start > end {
        return 0..0;
    }
    let len = len as i64;
    let from_behind = |at: i64| if at < 0 { at.saturating_add(len).max(0) } else { at };
    let (start, end) = (from_behind(start), from_behind(end).min(len - 1));
    if start > end {
        0..0
    } else {
        start as usize..end as usize + 1
    }
}

pub fn setrange(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let offset = call.int_arg(2)?;
    let offset = usize::try_from(offset).map_err(|_| ErrorReply::OFFSET_OUT_OF_RANGE)?;
    let value = call.args.at(3);
    let key = &call.keys[0];
    let len = text(call.held.table(key.slot).get(key, call.now))?.map_or(0, <[u8]>::len);
    if value.is_empty() {
        call.out.integer(len as i64);
        return Ok(());
    }
    check_length(call, offset, value.len())?;
    let mut place = call.held.table(key.slot).find_quietly(key, call.now);
    let bytes = place.grow_string(offset + value.len());
    bytes[offset..offset + value.len()].copy_from_slice(value);
    let len = bytes.len();
    call.notify(EventClass::STRING, "setrange", key);
    call.out.integer(len as i64);
    Ok(())
}

pub fn append(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let value = call.args.at(2);
    let key = &call.keys[0];
    let Some(len) = text(call.held.table(key.slot).get(key, call.now))?.map(<[u8]>::len) else {
        call.held
            .table(key.slot)
            .set_string(key, value, Expire::Clear, call.now);
        call.notify(EventClass::STRING, "append", key);
        call.out.integer(value.len() as i64);
        return Ok(());
    };
    check_length(call, len, value.len())?;
    let mut place = call.held.table(key.slot).find_quietly(key, call.now);
    place.grow_string(len + value.len())[len..].copy_from_slice(value);
    call.notify(EventClass::STRING, "append", key);
    call.out.integer((len + value.len()) as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn ranges_are_inclusive_and_clamped() {
        let cases = [
            (5, 0, -1, 0..5),
            (5, 1, 3, 1..4),
            (5, -3, -2, 2..4),
            (5, -100, 2, 0..3),
            (5, 3, 100, 3..5),
            (5, 5, 9, 0..0),
            (5, -1, -3, 0..0),
            (5, 0, -100, 0..1),
            (0, 0, -1, 0..0),
            (5, i64::MIN, i64::MAX, 0..5),
        ];
        for (len, start, end, wanted) in cases {
            assert_eq!(span(len, start, end), wanted, "{start} to {end} of {len}");
        }
    }
}

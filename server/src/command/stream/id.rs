//! IDs as clients write them: `ms`, `ms-seq`, `ms-*`, `-`, `+`, and `(` before the end of a range.

use slotcore::resp::parse_i64;

use crate::command::reply_error::ErrorReply;
use crate::keyspace::StreamId;

/// A longer text is no ID.
const TEXT_MAX: usize = 127;

const INVALID: ErrorReply = ErrorReply::fixed("ERR Invalid stream ID specified as stream command argument");

/// An ID, in which the sequence may be missing.
#[derive(Clone, Copy)]
struct Parsed {
    ms: u64,
    /// `None`: there is none. `Some(None)`: it is `*`.
    seq: Option<Option<u64>>,
}

/// `strict`: neither `-` nor `+`, the first and the last of all.
fn parse(text: &[u8], strict: bool) -> Result<Parsed, ErrorReply> {
    if text.len() > TEXT_MAX {
        return Err(INVALID);
    }
    // A zero ends a text in stock.
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    let text = &text[..end];
    let whole = |id: StreamId| Parsed {
        ms: id.ms,
        seq: Some(Some(id.seq)),
    };
    match text {
        b"-" | b"+" if strict => return Err(INVALID),
        b"-" => return Ok(whole(StreamId::MIN)),
        b"+" => return Ok(whole(StreamId::MAX)),
        _ => {}
    }
    let (ms, seq) = match text.iter().position(|&byte| byte == b'-') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let ms = number(ms).ok_or(INVALID)?;
    let seq = match seq {
        None => None,
        Some(b"*") => Some(None),
        Some(seq) => Some(Some(number(seq).ok_or(INVALID)?)),
    };
    Ok(Parsed { ms, seq })
}

/// A number of 64 bits, with what the C library takes before it: blanks and a sign, by which it is wrapped around.
fn number(text: &[u8]) -> Option<u64> {
    if let Some(number) = parse_i64(text) {
        return u64::try_from(number).ok();
    }
    let blanks = text
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r'))
        .count();
    let text = &text[blanks..];
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let number = digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })?;
    Some(if is_negative {
        number.wrapping_neg()
    } else {
        number
    })
}

/// Without a sequence it is `missing`; `*` is none.
fn complete(parsed: Parsed, missing: u64) -> Result<StreamId, ErrorReply> {
    let seq = match parsed.seq {
        None => missing,
        Some(seq) => seq.ok_or(INVALID)?,
    };
    Ok(StreamId { ms: parsed.ms, seq })
}

/// One ID, the sequence zero if it is missing.
pub(super) fn exact(text: &[u8]) -> Result<StreamId, ErrorReply> {
    complete(parse(text, true)?, 0)
}

/// The same, or `-` or `+`.
pub(super) fn loose(text: &[u8]) -> Result<StreamId, ErrorReply> {
    complete(parse(text, false)?, 0)
}

/// What XADD is given, if that is not `*`: the ID, and whether it says the sequence.
pub(super) fn new_entry(text: &[u8]) -> Result<(StreamId, bool), ErrorReply> {
    let parsed = parse(text, true)?;
    match parsed.seq {
        Some(None) => Ok((
            StreamId {
                ms: parsed.ms,
                seq: 0,
            },
            false,
        )),
        _ => Ok((complete(parsed, 0)?, true)),
    }
}

/// The first ID of a range.
pub(super) fn range_start(text: &[u8]) -> Result<StreamId, ErrorReply> {
    match exclusive(text) {
        Some(text) => exact(text)?
            .next()
            .ok_or(ErrorReply::fixed("ERR invalid start ID for the interval")),
        None => loose(text),
    }
}

/// The last ID of a range.
pub(super) fn range_end(text: &[u8]) -> Result<StreamId, ErrorReply> {
    match exclusive(text) {
        Some(text) => complete(parse(text, true)?, u64::MAX)?
            .previous()
            .ok_or(ErrorReply::fixed("ERR invalid end ID for the interval")),
        None => complete(parse(text, false)?, u64::MAX),
    }
}

fn exclusive(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"(").filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_stock_takes_and_refuses() {
        let id = |ms, seq| Some(StreamId { ms, seq });
        for (text, wanted) in [
            (&b"5"[..], id(5, 0)),
            (b"5-3", id(5, 3)),
            (b" +05- -1", id(5, u64::MAX)),
            (b"18446744073709551615-0", id(u64::MAX, 0)),
            (b"18446744073709551616", None),
            (b"5-\x00", None),
            (b"5-1\x00x", id(5, 1)),
            (b"", None),
            (b"-", None),
            (b"+", None),
            (b"5-", None),
            (b"-5", None),
            (b"5-*", None),
            (b"5--1", None),
            (b"x", None),
            (&[b'0'; 127], id(0, 0)),
            (&[b'0'; 128], None),
        ] {
            assert_eq!(exact(text).ok(), wanted, "{}", text.escape_ascii());
        }
        assert_eq!(range_end(b"5").ok(), id(5, u64::MAX));
        assert_eq!(range_end(b"(5").ok(), id(5, u64::MAX - 1));
        assert_eq!(range_start(b"(5").ok(), id(5, 1));
        assert!(range_start(b"(").is_err() && range_start(b"(-").is_err());
    }
}

//! One step through a reply: a leaf with its bytes, or the header of an aggregate.
//!
//! The tree parser and the scanner both walk on these steps, so what one accepts the other does.

use std::fmt;
use std::ops::Range;

use super::number::parse_i64;
use crate::limits::{MAX_BULK_LEN, MAX_REPLY_DEPTH, MAX_REPLY_ELEMENTS, MAX_REPLY_LINE};

/// What a client is ready to take in one reply. Depth and line length are bounded by [`MAX_REPLY_DEPTH`] and
/// [`MAX_REPLY_LINE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// Longest bulk string, in bytes.
    pub max_bulk_len: usize,
    /// Most elements of one aggregate; a map of n pairs counts as 2n.
    pub max_elements: usize,
}

impl Default for ReplyLimits {
    fn default() -> Self {
        Self {
            max_bulk_len: MAX_BULK_LEN,
            max_elements: MAX_REPLY_ELEMENTS,
        }
    }
}

/// The type of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// `+`
    Simple,
    /// `-` or `!`
    Error,
    /// `:`
    Integer,
    /// `$`
    Bulk,
    /// `_`, `$-1` or `*-1`
    Nil,
    /// `*`
    Array,
    /// `%`
    Map,
    /// `~`
    Set,
    /// `,`
    Double,
    /// `#`
    Boolean,
    /// `(`
    BigNumber,
    /// `=`
    Verbatim,
    /// `>`
    Push,
}

/// Why bytes are no reply. The connection they came from cannot be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyError {
    /// What is wrong.
    pub kind: ReplyErrorKind,
    /// Offset of the element at fault, from the start of the reply.
    pub offset: usize,
}

/// What is wrong with a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyErrorKind {
    /// No type begins with this byte.
    UnknownType(u8),
    /// A streamed string or aggregate of RESP3, whose length is not announced.
    Streamed,
    /// A length that is no number, or negative where that means nothing.
    InvalidLength,
    /// A bulk string or an aggregate longer than [`ReplyLimits`] allow.
    TooLong,
    /// A line longer than [`MAX_REPLY_LINE`].
    LineTooLong,
    /// A carriage return without line feed, or a bulk string that does not end where its length says.
    MissingLineEnd,
    /// Aggregates nested deeper than [`MAX_REPLY_DEPTH`].
    TooDeep,
    /// An integer, double, boolean, big number or null with other text in it.
    InvalidValue,
    /// A verbatim string without a format of three bytes and a colon.
    InvalidVerbatim,
}

impl std::error::Error for ReplyError {}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ReplyErrorKind as Kind;
        match self.kind {
            Kind::UnknownType(byte) => write!(f, "no reply begins with '{}'", byte.escape_ascii()),
            Kind::Streamed => f.write_str("streamed RESP3 types are not supported"),
            Kind::InvalidLength => f.write_str("invalid length"),
            Kind::TooLong => f.write_str("announced length is over the limit"),
            Kind::LineTooLong => write!(f, "line of more than {MAX_REPLY_LINE} bytes"),
            Kind::MissingLineEnd => f.write_str("CRLF is missing"),
            Kind::TooDeep => write!(f, "more than {MAX_REPLY_DEPTH} aggregates in one another"),
            Kind::InvalidValue => f.write_str("the value is not of its type"),
            Kind::InvalidVerbatim => f.write_str("the verbatim string has no format"),
        }?;
        write!(f, " (at byte {} of the reply)", self.offset)
    }
}

/// One step through a reply. Ranges are offsets into the buffer.
#[derive(Debug)]
pub(super) enum Token {
    Leaf {
        kind: ReplyKind,
        /// The first line without its type byte and CRLF; the text of an error, also of one sent as a bulk.
        line: Range<usize>,
        /// The value's bytes: those of a bulk, without the format of a verbatim string, or the line.
        body: Range<usize>,
        next: usize,
    },
    Aggregate {
        kind: ReplyKind,
        line: Range<usize>,
        /// How many values follow; two for each pair of a map.
        elements: usize,
        next: usize,
    },
    /// Pairs that come before a value and say something about it.
    Attribute { elements: usize, next: usize },
}

/// Reads the step at `buf[at..]`; None if it is incomplete. `searched` is the offset up to which its first line is
/// known not to end, and is moved on if it does not end here either.
pub(super) fn next_token(
    buf: &[u8],
    at: usize,
    searched: &mut usize,
    limits: &ReplyLimits,
) -> Result<Option<Token>, ReplyError> {
    let Some(&prefix) = buf.get(at) else {
        return Ok(None);
    };
    let fail = |kind| Err(ReplyError { kind, offset: at });
    if !b"+-:$*_%~,#(=>!|;.".contains(&prefix) {
        return fail(ReplyErrorKind::UnknownType(prefix));
    }
    let end = match find_line_end(buf, at, searched) {
        Ok(Some(end)) => end,
        Ok(None) => return Ok(None),
        Err(kind) => return fail(kind),
    };
    let line = at + 1..end;
    let text = &buf[line.clone()];
    let next = end + 2;
    let leaf = |kind| {
        Ok(Some(Token::Leaf {
            kind,
            line: line.clone(),
            body: line.clone(),
            next,
        }))
    };
    let checked_leaf = |kind, valid| {
        if valid {
            leaf(kind)
        } else {
            fail(ReplyErrorKind::InvalidValue)
        }
    };
    match prefix {
        b'+' => leaf(ReplyKind::Simple),
        b'-' => leaf(ReplyKind::Error),
        b':' => checked_leaf(ReplyKind::Integer, parse_reply_integer(text).is_some()),
        b'_' => checked_leaf(ReplyKind::Nil, text.is_empty()),
        b'#' => checked_leaf(ReplyKind::Boolean, matches!(text, b"t" | b"f")),
        b',' => checked_leaf(ReplyKind::Double, parse_reply_double(text).is_some()),
        b'(' => checked_leaf(ReplyKind::BigNumber, is_big_number(text)),
        b';' | b'.' => fail(ReplyErrorKind::Streamed),
        b'$' | b'*' if text == b"-1" => leaf(ReplyKind::Nil),
        _ if text == b"?" => fail(ReplyErrorKind::Streamed),
        _ => {
            let Some(len) = parse_i64(text).and_then(|len| usize::try_from(len).ok()) else {
                return fail(ReplyErrorKind::InvalidLength);
            };
            let kind = match prefix {
                b'*' => ReplyKind::Array,
                b'~' => ReplyKind::Set,
                b'>' => ReplyKind::Push,
                b'%' | b'|' => ReplyKind::Map,
                _ => return bulk(buf, at, line, len, limits),
            };
            let elements = if kind == ReplyKind::Map {
                len.saturating_mul(2)
            } else {
                len
            };
            if elements > limits.max_elements {
                return fail(ReplyErrorKind::TooLong);
            }
            Ok(Some(match prefix {
                b'|' => Token::Attribute { elements, next },
                _ => Token::Aggregate {
                    kind,
                    line,
                    elements,
                    next,
                },
            }))
        }
    }
}

/// The value at `buf[at..]`, whose first line was read and announces `len` bytes and CRLF.
fn bulk(
    buf: &[u8],
    at: usize,
    line: Range<usize>,
    len: usize,
    limits: &ReplyLimits,
) -> Result<Option<Token>, ReplyError> {
    let fail = |kind| Err(ReplyError { kind, offset: at });
    if len > limits.max_bulk_len {
        return fail(ReplyErrorKind::TooLong);
    }
    let start = line.end + 2;
    let Some(next) = start.checked_add(len).and_then(|end| end.checked_add(2)) else {
        return fail(ReplyErrorKind::TooLong);
    };
    if next > buf.len() {
        return Ok(None);
    }
    let body = start..next - 2;
    if buf[body.end..next] != *b"\r\n" {
        return fail(ReplyErrorKind::MissingLineEnd);
    }
    Ok(Some(match buf[at] {
        b'!' => Token::Leaf {
            kind: ReplyKind::Error,
            line: body.clone(),
            body,
            next,
        },
        b'=' if len < 4 || buf[start + 3] != b':' => return fail(ReplyErrorKind::InvalidVerbatim),
        b'=' => Token::Leaf {
            kind: ReplyKind::Verbatim,
            line,
            body: start + 4..body.end,
            next,
        },
        _ => Token::Leaf {
            kind: ReplyKind::Bulk,
            line,
            body,
            next,
        },
    }))
}

/// Lines up to this length, which numbers and lengths have, are not worth a call of memchr.
const SHORT_LINE: usize = 16;

/// The offset of the CRLF that ends the line at `at`, looking at no byte before `searched`.
fn find_line_end(buf: &[u8], at: usize, searched: &mut usize) -> Result<Option<usize>, ReplyErrorKind> {
    let from = *searched;
    let rest = &buf[from..];
    let short = rest.iter().take(SHORT_LINE).position(|&byte| byte == b'\r');
    let found = match short {
        None if rest.len() > SHORT_LINE => {
            memchr::memchr(b'\r', &rest[SHORT_LINE..]).map(|offset| offset + SHORT_LINE)
        }
        short => short,
    };
    *searched = found.map_or(buf.len(), |offset| from + offset);
    if *searched - at > MAX_REPLY_LINE {
        return Err(ReplyErrorKind::LineTooLong);
    }
    match (found, buf.get(*searched + 1)) {
        (Some(_), Some(b'\n')) => Ok(Some(*searched)),
        (Some(_), Some(_)) => Err(ReplyErrorKind::MissingLineEnd),
        _ => Ok(None),
    }
}

/// The integer of a reply, which unlike those in requests may have a plus sign.
pub(super) fn parse_reply_integer(text: &[u8]) -> Option<i64> {
    match text {
        [b'+', digits @ ..] if digits.first().is_some_and(u8::is_ascii_digit) => parse_i64(digits),
        text => parse_i64(text),
    }
}

pub(super) fn parse_reply_double(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn is_big_number(text: &[u8]) -> bool {
    let digits = match text {
        [b'-' | b'+', digits @ ..] => digits,
        digits => digits,
    };
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

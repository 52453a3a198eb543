//! Requests as a node reads them: arrays of bulk strings, and inline lines.

use std::fmt;

use super::args::ArgRange;
use super::inline::split_words;
use super::number::parse_i64;
use crate::limits::{
    MAX_BULK_LEN, MAX_INLINE_LEN, MAX_MULTIBULK, MAX_REQUEST_BUFFER, MAX_UNAUTH_BULK_LEN,
    MAX_UNAUTH_MULTIBULK,
};

/// What a connection may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Longest bulk string in bytes: `proto-max-bulk-len`.
    pub max_bulk_len: usize,
    /// Whether the client has authenticated, or need not. Before that only short requests are taken:
    /// [`MAX_UNAUTH_MULTIBULK`] arguments of [`MAX_UNAUTH_BULK_LEN`] bytes.
    pub authenticated: bool,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            max_bulk_len: MAX_BULK_LEN,
            authenticated: true,
        }
    }
}

/// How far a call of [`RequestParser::parse`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A whole request was there.
    Complete {
        /// Offset in the buffer behind the request.
        consumed: usize,
    },
    /// More bytes are needed.
    Incomplete {
        /// At least how many. A peer's announcement stands behind this number, so it is a hint for the size of the next
        /// read and nothing to reserve memory by.
        need: usize,
    },
}

/// Why a connection must be closed. Displayed as stock's text, which follows `-ERR Protocol error: `.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolError {
    /// What is wrong.
    pub kind: ProtocolErrorKind,
    /// Offset in the buffer of the line at fault.
    pub offset: usize,
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolErrorKind {
    /// The number of arguments is no number, or too large.
    InvalidMultibulkLength,
    /// Too many arguments for a client that has not authenticated.
    UnauthenticatedMultibulkLength,
    /// A `*` line without end.
    MultibulkLineTooLong,
    /// The length of an argument is no number, negative, or too large.
    InvalidBulkLength,
    /// Too long an argument for a client that has not authenticated.
    UnauthenticatedBulkLength,
    /// A `$` line without end.
    BulkLineTooLong,
    /// Something else where an argument should begin.
    ExpectedBulk(u8),
    /// An inline line without end.
    InlineTooLong,
    /// The quotes of an inline line do not match up.
    UnbalancedQuotes,
    /// The read buffer has outgrown [`MAX_REQUEST_BUFFER`].
    BufferTooLong,
}

impl std::error::Error for ProtocolError {}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ProtocolErrorKind as Kind;
        f.write_str(match self.kind {
            Kind::InvalidMultibulkLength => "invalid multibulk length",
            Kind::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
            Kind::MultibulkLineTooLong => "too big mbulk count string",
            Kind::InvalidBulkLength => "invalid bulk length",
            Kind::UnauthenticatedBulkLength => "unauthenticated bulk length",
            Kind::BulkLineTooLong => "too big bulk count string",
            Kind::ExpectedBulk(got) => return write!(f, "expected '$', got '{}'", char::from(got)),
            Kind::InlineTooLong => "too big inline request",
            Kind::UnbalancedQuotes => "unbalanced quotes in request",
            Kind::BufferTooLong => "too big request",
        })
    }
}

/// Finds requests in a read buffer.
///
/// A parser belongs to one connection. It keeps how far it understood a request that is still incomplete, so that
/// every byte is looked at once however small the pieces are in which they arrive. What it keeps is eight bytes for
/// each argument that has arrived: an announcement alone costs nothing.
///
/// As in stock, the line feed of a `*` or `$` line and the two bytes behind an argument are skipped unseen.
#[derive(Debug, Default)]
pub struct RequestParser {
    /// Where the incomplete request was left, relative to its start.
    left_off: Option<Cursor>,
    /// Its arguments so far, relative to its start.
    partial: Vec<ArgRange>,
}

/// How far a request is understood.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    /// Offset of the first byte that is not understood, where a line begins.
    at: usize,
    /// Offset up to which that line is known not to end.
    searched: usize,
    /// Arguments still to come; zero if the request's first line is not understood.
    missing: usize,
}

/// Partial argument lists up to this length keep their memory for the next one.
const PARTIAL_KEPT: usize = 256;

impl RequestParser {
    /// A parser at the start of a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the last call ended in the middle of a request.
    pub fn is_midway(&self) -> bool {
        self.left_off.is_some()
    }

    /// Parses the request that starts at `buf[pos..]`.
    ///
    /// On [`Progress::Complete`] the ranges of its arguments in `buf` have been appended to `args`; an empty request,
    /// such as a blank line or an array of no arguments, appends none. On [`Progress::Incomplete`] nothing is appended,
    /// and the next call must be about the same request with more bytes behind it, though `pos` may differ: the caller
    /// may have moved the bytes to the front of its buffer. Bytes outside of the request are never touched; those of
    /// an inline request with quotes are unquoted in place once its line is complete, which is what `mut` is for.
    ///
    /// # Errors
    /// What stock would close the connection for. The parser then is at a start again.
    #[inline]
    pub fn parse(
        &mut self,
        buf: &mut [u8],
        pos: usize,
        limits: &RequestLimits,
        args: &mut Vec<ArgRange>,
    ) -> Result<Progress, ProtocolError> {
        let first = args.len();
        if buf.len() > MAX_REQUEST_BUFFER {
            self.forget();
            return Err(ProtocolError {
                kind: ProtocolErrorKind::BufferTooLong,
                offset: pos,
            });
        }
        if self.left_off.is_some() {
            return self.resume(buf, pos, limits, args);
        }
        let mut cursor = Cursor {
            at: pos,
            searched: pos,
            missing: 0,
        };
        match advance(buf, pos, &mut cursor, limits, 0, args) {
            Ok(Progress::Incomplete { need }) => {
                self.leave_off(cursor, pos, args, first);
                Ok(Progress::Incomplete { need })
            }
            Ok(complete) => Ok(complete),
            Err(error) => {
                args.truncate(first);
                Err(error)
            }
        }
    }

    #[cold]
    fn leave_off(&mut self, cursor: Cursor, pos: usize, args: &mut Vec<ArgRange>, first: usize) {
        self.left_off = Some(Cursor {
            at: cursor.at - pos,
            searched: cursor.searched - pos,
            ..cursor
        });
        let base = pos as u32; // below MAX_REQUEST_BUFFER, as every offset into the buffer
        let relative = |range: ArgRange| ArgRange {
            start: range.start - base,
            end: range.end - base,
        };
        self.partial.extend(args.drain(first..).map(relative));
    }

    #[cold]
    fn resume(
        &mut self,
        buf: &mut [u8],
        pos: usize,
        limits: &RequestLimits,
        args: &mut Vec<ArgRange>,
    ) -> Result<Progress, ProtocolError> {
        let Some(Cursor {
            at,
            searched,
            missing,
        }) = self.left_off
        else {
            return Ok(Progress::Incomplete { need: 1 });
        };
        let mut cursor = Cursor {
            at: at + pos,
            searched: searched + pos,
            missing,
        };
        let progress = advance(buf, pos, &mut cursor, limits, pos, &mut self.partial);
        if let Ok(Progress::Incomplete { .. }) = progress {
            self.left_off = Some(Cursor {
                at: cursor.at - pos,
                searched: cursor.searched - pos,
                ..cursor
            });
            return progress;
        }
        if progress.is_ok() {
            let base = pos as u32; // below MAX_REQUEST_BUFFER, as every offset into the buffer
            let absolute = |range: &ArgRange| ArgRange {
                start: range.start + base,
                end: range.end + base,
            };
            args.extend(self.partial.iter().map(absolute));
        }
        self.forget();
        progress
    }

    fn forget(&mut self) {
        self.left_off = None;
        self.partial.clear();
        self.partial.shrink_to(PARTIAL_KEPT);
    }
}

/// Understands as much of the request at `buf[pos..]` as there is, from `cursor` on. Ranges are appended relative to
/// `base`.
#[inline]
fn advance(
    buf: &mut [u8],
    pos: usize,
    cursor: &mut Cursor,
    limits: &RequestLimits,
    base: usize,
    args: &mut Vec<ArgRange>,
) -> Result<Progress, ProtocolError> {
    if cursor.missing == 0 {
        match buf.get(pos) {
            None => return Ok(Progress::Incomplete { need: 1 }),
            Some(b'*') => {}
            Some(_) => return inline_request(buf, pos, cursor, base, args),
        }
        let Some((count, next)) = count_line(buf, cursor, limits)? else {
            return Ok(Progress::Incomplete { need: 1 });
        };
        if count == 0 {
            return Ok(Progress::Complete { consumed: next });
        }
        *cursor = Cursor {
            at: next,
            searched: next,
            missing: count,
        };
    }
    while cursor.missing > 0 {
        let Some((len, start)) = bulk_line(buf, cursor, limits)? else {
            return Ok(Progress::Incomplete { need: 1 });
        };
        let end = start + len;
        let next = end + 2;
        if next > buf.len() {
            return Ok(Progress::Incomplete {
                need: next - buf.len(),
            });
        }
        args.push(ArgRange {
            start: (start - base) as u32,
            end: (end - base) as u32,
        });
        *cursor = Cursor {
            at: next,
            searched: next,
            missing: cursor.missing - 1,
        };
    }
    Ok(Progress::Complete { consumed: cursor.at })
}

/// The number in the `*` line at the cursor and the offset behind it; None if the line is incomplete.
#[inline]
fn count_line(
    buf: &[u8],
    cursor: &mut Cursor,
    limits: &RequestLimits,
) -> Result<Option<(usize, usize)>, ProtocolError> {
    // Up to nine arguments, nearly always.
    if let [_, digit @ b'0'..=b'9', b'\r', _, ..] = buf[cursor.at..] {
        return Ok(Some((usize::from(digit - b'0'), cursor.at + 4)));
    }
    any_count_line(buf, cursor, limits)
}

#[cold]
fn any_count_line(
    buf: &[u8],
    cursor: &mut Cursor,
    limits: &RequestLimits,
) -> Result<Option<(usize, usize)>, ProtocolError> {
    let offset = cursor.at;
    let fail = |kind| Err(ProtocolError { kind, offset });
    let end = match find_line_end(buf, cursor) {
        LineEnd::At(end) => end,
        LineEnd::Missing => return Ok(None),
        LineEnd::TooFar => return fail(ProtocolErrorKind::MultibulkLineTooLong),
    };
    // A negative count is an empty request, as zero is.
    match parse_i64(&buf[cursor.at + 1..end]).map(|count| usize::try_from(count).unwrap_or(0)) {
        Some(count) if count > MAX_UNAUTH_MULTIBULK && count <= MAX_MULTIBULK && !limits.authenticated => {
            fail(ProtocolErrorKind::UnauthenticatedMultibulkLength)
        }
        Some(count) if count <= MAX_MULTIBULK => Ok(Some((count, end + 2))),
        _ => fail(ProtocolErrorKind::InvalidMultibulkLength),
    }
}

/// The number in the `$` line at the cursor and the offset behind it; None if the line is incomplete.
#[inline]
fn bulk_line(
    buf: &[u8],
    cursor: &mut Cursor,
    limits: &RequestLimits,
) -> Result<Option<(usize, usize)>, ProtocolError> {
    let (len, start) = match buf[cursor.at..] {
        [b'$', ones @ b'0'..=b'9', b'\r', _, ..] => (usize::from(ones - b'0'), cursor.at + 4),
        [b'$', tens @ b'1'..=b'9', ones @ b'0'..=b'9', b'\r', _, ..] => (
            usize::from(tens - b'0') * 10 + usize::from(ones - b'0'),
            cursor.at + 5,
        ),
        _ => return any_bulk_line(buf, cursor, limits),
    };
    if len > limits.max_bulk_len {
        return Err(ProtocolError {
            kind: ProtocolErrorKind::InvalidBulkLength,
            offset: cursor.at,
        });
    }
    Ok(Some((len, start)))
}

fn any_bulk_line(
    buf: &[u8],
    cursor: &mut Cursor,
    limits: &RequestLimits,
) -> Result<Option<(usize, usize)>, ProtocolError> {
    let offset = cursor.at;
    let fail = |kind| Err(ProtocolError { kind, offset });
    let end = match find_line_end(buf, cursor) {
        LineEnd::At(end) => end,
        LineEnd::Missing => return Ok(None),
        LineEnd::TooFar => return fail(ProtocolErrorKind::BulkLineTooLong),
    };
    let line = &buf[cursor.at..end];
    if line.first() != Some(&b'$') {
        // An empty line's first byte is the carriage return that ends it.
        return fail(ProtocolErrorKind::ExpectedBulk(buf[cursor.at]));
    }
    // Even an argument that the limit allows must end where a range can point to.
    let longest = limits.max_bulk_len.min(MAX_REQUEST_BUFFER);
    match parse_i64(&line[1..]).and_then(|len| usize::try_from(len).ok()) {
        Some(len) if len > longest => fail(ProtocolErrorKind::InvalidBulkLength),
        Some(len) if len > MAX_UNAUTH_BULK_LEN && !limits.authenticated => {
            fail(ProtocolErrorKind::UnauthenticatedBulkLength)
        }
        Some(len) => Ok(Some((len, end + 2))),
        None => fail(ProtocolErrorKind::InvalidBulkLength),
    }
}

enum LineEnd {
    /// The offset of the carriage return; one more byte follows it.
    At(usize),
    Missing,
    TooFar,
}

/// Finds the end of the line at the cursor, looking at no byte that was looked at before.
fn find_line_end(buf: &[u8], cursor: &mut Cursor) -> LineEnd {
    let found = memchr::memchr(b'\r', &buf[cursor.searched..]).map(|offset| cursor.searched + offset);
    cursor.searched = found.unwrap_or(buf.len());
    if cursor.searched - cursor.at > MAX_INLINE_LEN {
        return LineEnd::TooFar;
    }
    match found {
        Some(end) if end + 1 < buf.len() => LineEnd::At(end),
        _ => LineEnd::Missing,
    }
}

#[cold]
fn inline_request(
    buf: &mut [u8],
    pos: usize,
    cursor: &mut Cursor,
    base: usize,
    args: &mut Vec<ArgRange>,
) -> Result<Progress, ProtocolError> {
    let fail = |kind| Err(ProtocolError { kind, offset: pos });
    let feed = memchr::memchr(b'\n', &buf[cursor.searched..]).map(|offset| cursor.searched + offset);
    cursor.searched = feed.unwrap_or(buf.len());
    if cursor.searched - pos > MAX_INLINE_LEN {
        return fail(ProtocolErrorKind::InlineTooLong);
    }
    let Some(feed) = feed else {
        return Ok(Progress::Incomplete { need: 1 });
    };
    let line = &mut buf[base..feed];
    let len = line.len() - usize::from(line.len() > pos - base && line.ends_with(b"\r"));
    match split_words(line, pos - base, len, args) {
        Ok(()) => Ok(Progress::Complete { consumed: feed + 1 }),
        Err(_) => fail(ProtocolErrorKind::UnbalancedQuotes),
    }
}

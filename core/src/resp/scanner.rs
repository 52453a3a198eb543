//! Finding the end of a reply without building it.

use std::ops::Range;

use super::token::{ReplyError, ReplyErrorKind, ReplyKind, ReplyLimits, Token, next_token};
use crate::limits::MAX_REPLY_DEPTH;

/// What a load generator wants to know of a reply. All bytes are borrowed from the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scanned<'a> {
    /// The reply's type.
    pub kind: ReplyKind,
    /// How many bytes the reply took, attributes before it included.
    pub consumed: usize,
    /// The first line without type byte and CRLF: the text of an error or a status, an integer, the length of a bulk
    /// string or an aggregate. An error sent as a bulk string is given whole.
    pub line: &'a [u8],
    /// The bytes of a bulk or verbatim string; the line of other simple types; empty for aggregates.
    pub body: &'a [u8],
    /// The text of the first error inside an aggregate, as EXEC's reply may have one.
    pub nested_error: Option<&'a [u8]>,
}

impl<'a> Scanned<'a> {
    /// A reply that is one line.
    #[inline]
    fn line(kind: ReplyKind, line: &'a [u8]) -> Self {
        Self {
            kind,
            consumed: line.len() + 3,
            line,
            body: line,
            nested_error: None,
        }
    }
}

/// Finds where replies end, one after the other. A reply that arrives in pieces is not looked at from its start again.
///
/// A scanner belongs to one connection. It takes what [`parse_reply`](super::parse_reply) takes and refuses what that
/// refuses.
#[derive(Debug, Default)]
pub struct ReplyScanner {
    limits: ReplyLimits,
    walk: Walk,
}

/// How far an incomplete reply is understood.
#[derive(Debug)]
struct Walk {
    /// Offset of the next step.
    at: usize,
    /// Offset up to which the line at `at` is known not to end; zero at the start of a reply only.
    searched: usize,
    /// How many aggregates are open.
    depth: usize,
    /// Values still to come: of the reply itself, which is one, then of each open aggregate.
    missing: [usize; MAX_REPLY_DEPTH + 1],
    /// The outermost value once it was met.
    outermost: Option<Outermost>,
    nested_error: Option<Range<usize>>,
}

#[derive(Clone, Debug)]
struct Outermost {
    kind: ReplyKind,
    line: Range<usize>,
    body: Range<usize>,
}

impl Default for Walk {
    fn default() -> Self {
        let mut missing = [0; MAX_REPLY_DEPTH + 1];
        missing[0] = 1;
        Self {
            at: 0,
            searched: 0,
            depth: 0,
            missing,
            outermost: None,
            nested_error: None,
        }
    }
}

impl ReplyScanner {
    /// A scanner with the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// A scanner with other limits.
    pub fn with_limits(limits: ReplyLimits) -> Self {
        Self {
            limits,
            walk: Walk::default(),
        }
    }

    /// Finds the end of the reply at the start of `buf`; None if it is incomplete. Then the next call must be about
    /// the same reply with more bytes behind it.
    ///
    /// # Errors
    /// When `buf` does not start with a reply, or with one over the limits. The scanner then is at a start again.
    #[inline]
    pub fn scan<'a>(&mut self, buf: &'a [u8]) -> Result<Option<Scanned<'a>>, ReplyError> {
        if self.walk.searched == 0
            && let Some(scanned) = scan_usual(buf, &self.limits)
        {
            return Ok(Some(scanned));
        }
        self.scan_any(buf)
    }

    fn scan_any<'a>(&mut self, buf: &'a [u8]) -> Result<Option<Scanned<'a>>, ReplyError> {
        let walk = &mut self.walk;
        let ended = walk.walk_on(buf, &self.limits);
        if ended == Ok(false) {
            return Ok(None);
        }
        let (consumed, nested_error) = (walk.at, walk.nested_error.take());
        let outermost = walk.outermost.take();
        walk.start_over();
        ended?;
        Ok(outermost.map(|Outermost { kind, line, body }| Scanned {
            kind,
            consumed,
            line: &buf[line],
            body: &buf[body],
            nested_error: nested_error.map(|range| &buf[range]),
        }))
    }
}

/// The replies that a load is made of: short numbers, bulk strings with such a length, nil and OK. None also when it is
/// another one, or faulty.
#[inline]
fn scan_usual<'a>(buf: &'a [u8], limits: &ReplyLimits) -> Option<Scanned<'a>> {
    match *buf {
        [b'$', b'0'..=b'9', ..] => {
            let (len, start) = short_number_line(buf)?;
            let end = start + len;
            let body = buf.get(start..end)?;
            if buf.get(end..end + 2)? != b"\r\n" || len > limits.max_bulk_len {
                return None;
            }
            let line = &buf[1..start - 2];
            Some(Scanned {
                kind: ReplyKind::Bulk,
                consumed: end + 2,
                line,
                body,
                nested_error: None,
            })
        }
        [b':', b'0'..=b'9', ..] => {
            let (_, next) = short_number_line(buf)?;
            Some(Scanned::line(ReplyKind::Integer, &buf[1..next - 2]))
        }
        [b'$', b'-', b'1', b'\r', b'\n', ..] => Some(Scanned::line(ReplyKind::Nil, &buf[1..3])),
        [b'+', b'O', b'K', b'\r', b'\n', ..] => Some(Scanned::line(ReplyKind::Simple, &buf[1..3])),
        _ => None,
    }
}

/// Numbers up to this many digits are read on the short way.
const SHORT_DIGITS: usize = 9;

/// The number of the line at the start of `buf`, behind its type byte, and the offset behind the line. None if it has
/// a sign, a leading zero or more than [`SHORT_DIGITS`] digits, or if the line is incomplete or faulty.
#[inline]
fn short_number_line(buf: &[u8]) -> Option<(usize, usize)> {
    let mut number = 0;
    for at in 1..SHORT_DIGITS + 2 {
        match *buf.get(at)? {
            digit @ b'0'..=b'9' => number = number * 10 + usize::from(digit - b'0'),
            b'\r' => {
                let canonical = at == 2 || (at > 2 && buf[1] != b'0');
                return if canonical && *buf.get(at + 1)? == b'\n' {
                    Some((number, at + 2))
                } else {
                    None
                };
            }
            _ => return None,
        }
    }
    None
}

impl Walk {
    fn start_over(&mut self) {
        (self.at, self.searched, self.depth) = (0, 0, 0);
        self.missing[0] = 1;
    }

    /// Walks on to the end of the reply; false if it is not there.
    fn walk_on(&mut self, buf: &[u8], limits: &ReplyLimits) -> Result<bool, ReplyError> {
        while self.missing[0] > 0 || self.depth > 0 {
            if self.missing[self.depth] == 0 {
                self.depth -= 1;
                continue;
            }
            if self.depth > 0
                && let Some(element) = scan_usual(&buf[self.at..], limits)
            {
                self.missing[self.depth] -= 1;
                self.at += element.consumed;
                self.searched = self.at;
                continue;
            }
            let Some(token) = next_token(buf, self.at, &mut self.searched, limits)? else {
                return Ok(false);
            };
            self.step(token)?;
            self.searched = self.at;
        }
        Ok(true)
    }

    fn step(&mut self, token: Token) -> Result<(), ReplyError> {
        let (elements, next) = match token {
            Token::Leaf {
                kind,
                line,
                body,
                next,
            } => {
                self.missing[self.depth] -= 1;
                if self.depth == 0 {
                    self.outermost = Some(Outermost { kind, line, body });
                } else if kind == ReplyKind::Error && self.nested_error.is_none() {
                    self.nested_error = Some(body);
                }
                self.at = next;
                return Ok(());
            }
            Token::Aggregate {
                kind,
                line,
                elements,
                next,
            } => {
                self.missing[self.depth] -= 1;
                if self.depth == 0 {
                    self.outermost = Some(Outermost {
                        kind,
                        line,
                        body: 0..0,
                    });
                }
                (elements, next)
            }
            // Its pairs are no part of what is around it: the value that it belongs to is still to come.
            Token::Attribute { elements, next } => (elements, next),
        };
        if self.depth == MAX_REPLY_DEPTH {
            return Err(ReplyError {
                kind: ReplyErrorKind::TooDeep,
                offset: self.at,
            });
        }
        self.depth += 1;
        self.missing[self.depth] = elements;
        self.at = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn scan(resp: &[u8]) -> Scanned<'_> {
        ReplyScanner::new().scan(resp).unwrap().unwrap()
    }

    #[test]
    fn what_is_told() {
        let bulk = scan(b"$3\r\nabc\r\n+more");
        assert_eq!(
            (bulk.kind, bulk.consumed, bulk.line, bulk.body),
            (ReplyKind::Bulk, 9, &b"3"[..], &b"abc"[..])
        );
        let long = [&b"$123\r\n"[..], &[b'x'; 123], b"\r\n"].concat();
        assert_eq!(
            (scan(&long).consumed, scan(&long).line, scan(&long).body.len()),
            (131, &b"123"[..], 123)
        );
        let error = scan(b"-MOVED 1 a:1\r\n");
        assert_eq!(
            (error.kind, error.consumed, error.line),
            (ReplyKind::Error, 14, &b"MOVED 1 a:1"[..])
        );
        assert_eq!(scan(b"!5\r\nERR a\r\n").line, b"ERR a");
        assert_eq!(
            (scan(b":12\r\n").kind, scan(b":12\r\n").line),
            (ReplyKind::Integer, &b"12"[..])
        );
        assert_eq!(
            (scan(b"$-1\r\n").kind, scan(b"_\r\n").kind),
            (ReplyKind::Nil, ReplyKind::Nil)
        );
        assert_eq!(scan(b"=5\r\ntxt:a\r\n").body, b"a");
        let exec = scan(b"*3\r\n+OK\r\n-ERR first\r\n*1\r\n-ERR second\r\n:9\r\n");
        assert_eq!(
            (exec.kind, exec.consumed, exec.line),
            (ReplyKind::Array, 38, &b"3"[..])
        );
        assert_eq!(exec.nested_error, Some(&b"ERR first"[..]));
        let attributed = scan(b"|1\r\n+ttl\r\n*1\r\n:1\r\n$1\r\nx\r\n");
        assert_eq!(
            (attributed.kind, attributed.body, attributed.consumed),
            (ReplyKind::Bulk, &b"x"[..], 25)
        );
        assert_eq!(scan(b"*0\r\n").consumed, 4);
        assert_eq!(scan(b"%1\r\n*0\r\n*0\r\n").consumed, 12);
    }

    #[test]
    fn starts_over_after_each_reply() {
        let mut scanner = ReplyScanner::new();
        assert_eq!(scanner.scan(b"*2\r\n:1\r\n"), Ok(None));
        assert_eq!(scanner.scan(b"*2\r\n:1\r\n:2\r\n").unwrap().unwrap().consumed, 12);
        assert!(scanner.scan(b"*1\r\n?").is_err());
        assert_eq!(scanner.scan(b"+OK\r\n").unwrap().unwrap().line, b"OK");
    }
}

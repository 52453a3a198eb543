//! Replies as a tree.

use super::token::{ReplyError, ReplyErrorKind, ReplyKind, ReplyLimits, Token, next_token};
use super::token::{parse_reply_double, parse_reply_integer};
use crate::limits::MAX_REPLY_DEPTH;

/// One reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A status, such as `OK`.
    Simple(Vec<u8>),
    /// An error, its class first.
    Error(Vec<u8>),
    /// An integer.
    Integer(i64),
    /// A string of bytes.
    Bulk(Vec<u8>),
    /// No value: the null of RESP3, the null bulk string and the null array of RESP2.
    Nil,
    /// Values in order.
    Array(Vec<Reply>),
    /// Keys with their values, in the order they were sent.
    Map(Vec<(Reply, Reply)>),
    /// Values without order.
    Set(Vec<Reply>),
    /// A floating point number.
    Double(f64),
    /// A truth value.
    Boolean(bool),
    /// An integer of any size, in decimal.
    BigNumber(Vec<u8>),
    /// Text for people, without the format that it was sent with.
    Verbatim(Vec<u8>),
    /// A message that answers no request.
    Push(Vec<Reply>),
}

impl Reply {
    /// The bytes of a string of any kind; none for errors.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Reply::Simple(bytes) | Reply::Bulk(bytes) | Reply::Verbatim(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text of a string of any kind, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()?).ok()
    }

    /// The integer.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Reply::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements of an array, a set or a push message.
    pub fn as_array(&self) -> Option<&[Reply]> {
        match self {
            Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => Some(elements),
            _ => None,
        }
    }

    /// The pairs of a map, or of an array of keys and values in turn, which is a map in RESP2.
    pub fn pairs(&self) -> Option<Vec<(&Reply, &Reply)>> {
        match self {
            Reply::Map(pairs) => Some(pairs.iter().map(|(key, value)| (key, value)).collect()),
            Reply::Array(elements) if elements.len().is_multiple_of(2) => Some(
                elements
                    .chunks_exact(2)
                    .map(|pair| (&pair[0], &pair[1]))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The text of an error.
    pub fn as_error(&self) -> Option<&[u8]> {
        match self {
            Reply::Error(text) => Some(text),
            _ => None,
        }
    }
}

/// Parses the reply at the start of `buf`: the reply and how many bytes it took, or None if it is incomplete.
/// Attributes are checked and dropped.
///
/// An incomplete reply is parsed from its start again by the next call. Where replies may be large, wait for
/// [`ReplyScanner`](super::ReplyScanner) to find the end first.
///
/// # Errors
/// When `buf` does not start with a reply, or with one over the limits.
pub fn parse_reply(buf: &[u8], limits: &ReplyLimits) -> Result<Option<(Reply, usize)>, ReplyError> {
    parse_value(buf, 0, 0, limits)
}

/// Elements that room is made for before they have arrived; an announcement alone must not cost more.
const TRUSTED_ELEMENTS: usize = 64;

/// The value at `buf[at..]` and the offset behind it. `depth` aggregates are around it.
fn parse_value(
    buf: &[u8],
    mut at: usize,
    depth: usize,
    limits: &ReplyLimits,
) -> Result<Option<(Reply, usize)>, ReplyError> {
    loop {
        let Some(token) = next_token(buf, at, &mut { at }, limits)? else {
            return Ok(None);
        };
        let (kind, elements, next) = match token {
            Token::Leaf { kind, body, next, .. } => return Ok(Some((leaf(kind, &buf[body]), next))),
            Token::Attribute { elements, next } => (None, elements, next),
            Token::Aggregate {
                kind, elements, next, ..
            } => (Some(kind), elements, next),
        };
        if depth == MAX_REPLY_DEPTH {
            return Err(ReplyError {
                kind: ReplyErrorKind::TooDeep,
                offset: at,
            });
        }
        let mut values = Vec::with_capacity(elements.min(TRUSTED_ELEMENTS));
        at = next;
        for _ in 0..elements {
            let Some((value, next)) = parse_value(buf, at, depth + 1, limits)? else {
                return Ok(None);
            };
            values.push(value);
            at = next;
        }
        if let Some(kind) = kind {
            return Ok(Some((aggregate(kind, values), at)));
        }
    }
}

fn leaf(kind: ReplyKind, body: &[u8]) -> Reply {
    match kind {
        ReplyKind::Simple => Reply::Simple(body.to_vec()),
        ReplyKind::Error => Reply::Error(body.to_vec()),
        // The step has checked that both parse.
        ReplyKind::Integer => Reply::Integer(parse_reply_integer(body).unwrap_or_default()),
        ReplyKind::Double => Reply::Double(parse_reply_double(body).unwrap_or_default()),
        ReplyKind::Boolean => Reply::Boolean(body == b"t"),
        ReplyKind::BigNumber => Reply::BigNumber(body.to_vec()),
        ReplyKind::Verbatim => Reply::Verbatim(body.to_vec()),
        ReplyKind::Bulk => Reply::Bulk(body.to_vec()),
        ReplyKind::Nil | ReplyKind::Array | ReplyKind::Map | ReplyKind::Set | ReplyKind::Push => Reply::Nil,
    }
}

fn aggregate(kind: ReplyKind, values: Vec<Reply>) -> Reply {
    match kind {
        ReplyKind::Map => {
            let mut values = values.into_iter();
            let pairs = std::iter::from_fn(|| Some((values.next()?, values.next()?)));
            Reply::Map(pairs.collect())
        }
        ReplyKind::Set => Reply::Set(values),
        ReplyKind::Push => Reply::Push(values),
        _ => Reply::Array(values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(resp: &str, expected: Reply) {
        let limits = ReplyLimits::default();
        let mut buf = resp.as_bytes().to_vec();
        buf.extend_from_slice(b"+next\r\n");
        assert_eq!(
            parse_reply(&buf, &limits),
            Ok(Some((expected, resp.len()))),
            "{resp:?}"
        );
        for len in 0..resp.len() {
            assert_eq!(parse_reply(&buf[..len], &limits), Ok(None), "{:?}", &resp[..len]);
        }
    }

    #[track_caller]
    fn refuse(resp: &str, kind: ReplyErrorKind, offset: usize) {
        let limits = ReplyLimits {
            max_bulk_len: 100,
            max_elements: 100,
        };
        assert_eq!(
            parse_reply(resp.as_bytes(), &limits),
            Err(ReplyError { kind, offset }),
            "{resp:?}"
        );
    }

    fn bulk(text: &str) -> Reply {
        Reply::Bulk(text.as_bytes().to_vec())
    }

    #[test]
    fn every_type() {
        check("+OK\r\n", Reply::Simple(b"OK".to_vec()));
        check("+\r\n", Reply::Simple(Vec::new()));
        check("-ERR no\r\n", Reply::Error(b"ERR no".to_vec()));
        check("!6\r\nERR\r\na\r\n", Reply::Error(b"ERR\r\na".to_vec()));
        check(":-12\r\n", Reply::Integer(-12));
        check(":+12\r\n", Reply::Integer(12));
        check("$0\r\n\r\n", bulk(""));
        check("$6\r\na\r\nb\r\n\r\n", bulk("a\r\nb\r\n"));
        check("$-1\r\n", Reply::Nil);
        check("*-1\r\n", Reply::Nil);
        check("_\r\n", Reply::Nil);
        check("*0\r\n", Reply::Array(Vec::new()));
        check(
            "*2\r\n:1\r\n*1\r\n$1\r\nx\r\n",
            Reply::Array(vec![Reply::Integer(1), Reply::Array(vec![bulk("x")])]),
        );
        check("%2\r\n+a\r\n:1\r\n+b\r\n_\r\n", {
            let key = |name: &str| Reply::Simple(name.as_bytes().to_vec());
            Reply::Map(vec![(key("a"), Reply::Integer(1)), (key("b"), Reply::Nil)])
        });
        check("~1\r\n#t\r\n", Reply::Set(vec![Reply::Boolean(true)]));
        check(
            ">2\r\n+a\r\n#f\r\n",
            Reply::Push(vec![Reply::Simple(b"a".to_vec()), Reply::Boolean(false)]),
        );
        check(",3.5\r\n", Reply::Double(3.5));
        check(",1e+20\r\n", Reply::Double(1e20));
        check(",-inf\r\n", Reply::Double(f64::NEG_INFINITY));
        check(
            "(-123456789012345678901234567890\r\n",
            Reply::BigNumber(b"-123456789012345678901234567890".to_vec()),
        );
        check("=7\r\ntxt:a\r\n\r\n", Reply::Verbatim(b"a\r\n".to_vec()));
        check("=4\r\nmkd:\r\n", Reply::Verbatim(Vec::new()));
        check("|1\r\n+ttl\r\n:3\r\n$1\r\nx\r\n", bulk("x"));
        check(
            "*2\r\n|1\r\n+a\r\n*1\r\n_\r\n:1\r\n|0\r\n:2\r\n",
            Reply::Array(vec![Reply::Integer(1), Reply::Integer(2)]),
        );
        let nan = parse_reply(b",nan\r\n", &ReplyLimits::default());
        assert!(matches!(nan, Ok(Some((Reply::Double(value), 6))) if value.is_nan()));
    }

    #[test]
    fn refused() {
        use ReplyErrorKind as Kind;
        refuse("x", Kind::UnknownType(b'x'), 0);
        refuse("*1\r\n\r\n", Kind::UnknownType(b'\r'), 4);
        for streamed in [
            "$?\r\n", "*?\r\n", "%?\r\n", "~?\r\n", ">?\r\n", ";4\r\n", ".\r\n",
        ] {
            refuse(streamed, Kind::Streamed, 0);
        }
        for length in [
            "$-2\r\n", "*-2\r\n", "%-1\r\n", "=-1\r\n", "!-1\r\n", "$\r\n", "$01\r\n", "*x\r\n", "|-1\r\n",
        ] {
            refuse(length, Kind::InvalidLength, 0);
        }
        for long in [
            "$101\r\n",
            "*101\r\n",
            "%51\r\n",
            "%9223372036854775807\r\n",
            "$9223372036854775807\r\n",
        ] {
            refuse(long, Kind::TooLong, 0);
        }
        refuse("*1\r\n$1\r\nxyz", Kind::MissingLineEnd, 4);
        refuse("+OK\rX", Kind::MissingLineEnd, 0);
        for value in [
            ":\r\n", ":1x\r\n", ":+-1\r\n", "_x\r\n", "#\r\n", "#x\r\n", ",\r\n", ",x\r\n", "(\r\n",
            "(1a\r\n",
        ] {
            refuse(value, Kind::InvalidValue, 0);
        }
        refuse("=3\r\ntxt\r\n", Kind::InvalidVerbatim, 0);
        refuse("=5\r\ntxtab\r\n", Kind::InvalidVerbatim, 0);
        refuse(
            &format!("+{}", "x".repeat(crate::limits::MAX_REPLY_LINE)),
            Kind::LineTooLong,
            0,
        );
        check(&format!("{}:1\r\n", "*1\r\n".repeat(MAX_REPLY_DEPTH)), {
            (0..MAX_REPLY_DEPTH).fold(Reply::Integer(1), |inner, _| Reply::Array(vec![inner]))
        });
        refuse(
            &"*1\r\n".repeat(MAX_REPLY_DEPTH + 1),
            Kind::TooDeep,
            4 * MAX_REPLY_DEPTH,
        );
        refuse(
            &"|1\r\n".repeat(MAX_REPLY_DEPTH + 1),
            Kind::TooDeep,
            4 * MAX_REPLY_DEPTH,
        );
    }

    /// An announcement without elements behind it must not be paid for in memory.
    #[test]
    fn announcements_are_free() {
        let nested = "*2000000000\r\n".repeat(MAX_REPLY_DEPTH);
        assert_eq!(parse_reply(nested.as_bytes(), &ReplyLimits::default()), Ok(None));
    }

    #[test]
    fn views() {
        let flat = Reply::Array(vec![bulk("a"), Reply::Integer(1)]);
        let map = Reply::Map(vec![(bulk("a"), Reply::Integer(1))]);
        assert_eq!(flat.pairs(), map.pairs());
        assert_eq!(Reply::Array(vec![Reply::Nil]).pairs(), None);
        assert_eq!((bulk("x").as_str(), Reply::Nil.as_bytes()), (Some("x"), None));
        assert_eq!(
            (flat.as_array().map(<[Reply]>::len), map.as_array()),
            (Some(2), None)
        );
        assert_eq!(Reply::Error(b"ERR".to_vec()).as_error(), Some(&b"ERR"[..]));
        assert_eq!(Reply::Integer(3).as_integer(), Some(3));
    }
}

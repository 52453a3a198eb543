//! What a reply is counted as: hits and misses, what a limiter allowed, whether a lock was free.

use std::fmt;

use serde::{Serialize, Serializer};
use slotcore::resp::ReplyKind;

/// The counter whose replies are keys that are not there.
pub const MISS: &str = "miss";

/// A condition on a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Any reply that no other condition has taken.
    Any,
    Nil,
    /// An array, map, set or string with nothing in it.
    Empty,
    /// An integer, or a string that is one, compared with a number.
    Integer(Comparison, i64),
}

/// How an integer is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Condition {
    /// Reads `nil`, `empty`, `any`, `= 1`, `<= 100`, ...
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text {
            "any" => return Some(Self::Any),
            "nil" => return Some(Self::Nil),
            "empty" => return Some(Self::Empty),
            _ => {}
        }
        let signs = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("=", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let found = signs
            .into_iter()
            .find_map(|(sign, comparison)| Some((comparison, text.strip_prefix(sign)?)));
        let (comparison, number) = found?;
        Some(Self::Integer(comparison, number.trim().parse().ok()?))
    }

    /// Whether a reply of this kind and first line meets it.
    #[inline]
    pub fn is_met(self, kind: ReplyKind, line: &[u8], body: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Nil => kind == ReplyKind::Nil,
            // The first line of an aggregate or a bulk string is its length.
            Self::Empty => {
                let has_length = matches!(
                    kind,
                    ReplyKind::Bulk | ReplyKind::Array | ReplyKind::Map | ReplyKind::Set
                );
                has_length && line == b"0"
            }
            Self::Integer(comparison, wanted) => {
                let text = match kind {
                    ReplyKind::Integer => line,
                    ReplyKind::Bulk => body,
                    _ => return false,
                };
                let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
                number.is_some_and(|number: i64| match comparison {
                    Comparison::Equal => number == wanted,
                    Comparison::Less => number < wanted,
                    Comparison::AtMost => number <= wanted,
                    Comparison::Greater => number > wanted,
                    Comparison::AtLeast => number >= wanted,
                })
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Nil => f.write_str("nil"),
            Self::Empty => f.write_str("empty"),
            Self::Integer(comparison, number) => {
                let sign = match comparison {
                    Comparison::Equal => "=",
                    Comparison::Less => "<",
                    Comparison::AtMost => "<=",
                    Comparison::Greater => ">",
                    Comparison::AtLeast => ">=",
                };
                write!(f, "{sign} {number}")
            }
        }
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_as_they_are_written() {
        for text in ["any", "nil", "empty", "= 1", "<= 100", ">= -3", "< 0", "> 7"] {
            assert_eq!(Condition::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Condition::parse("<=5"), Condition::parse(" <=  5 "));
        for bad in ["", "one", "=", "= x", "!= 1", "=> 1"] {
            assert_eq!(Condition::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn replies_meet_what_they_are() {
        let met = |text: &str, kind, line: &[u8], body: &[u8]| {
            Condition::parse(text).unwrap().is_met(kind, line, body)
        };
        assert!(met("nil", ReplyKind::Nil, b"-1", b""));
        assert!(!met("empty", ReplyKind::Nil, b"0", b""));
        assert!(met("empty", ReplyKind::Array, b"0", b"") && met("empty", ReplyKind::Bulk, b"0", b""));
        assert!(!met("empty", ReplyKind::Integer, b"0", b"0"));
        assert!(met("<= 5", ReplyKind::Integer, b"5", b"5") && !met("> 5", ReplyKind::Integer, b"5", b"5"));
        assert!(met("= 12", ReplyKind::Bulk, b"2", b"12") && !met("= 2", ReplyKind::Bulk, b"2", b"12"));
        assert!(!met("= 1", ReplyKind::Array, b"1", b"") && met("any", ReplyKind::Array, b"1", b""));
    }
}

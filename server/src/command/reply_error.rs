//! What a client is told when its command is refused: a type of its own, so that a client's mistake is never
//! confused with a failure of the node.

use std::borrow::Cow;
use std::fmt;

use crate::keyspace::WrongType;

/// The text of an error reply, without the leading `-` and without CRLF. Its first word is the error code.
#[derive(Clone, PartialEq, Eq)]
pub struct ErrorReply(Cow<'static, [u8]>);

impl ErrorReply {
    pub const SYNTAX: Self = Self::fixed("ERR syntax error");
    pub const NOT_INTEGER: Self = Self::fixed("ERR value is not an integer or out of range");
    pub const NOT_FLOAT: Self = Self::fixed("ERR value is not a valid float");
    pub const OUT_OF_RANGE: Self = Self::fixed("ERR value is out of range");
    pub const OFFSET_OUT_OF_RANGE: Self = Self::fixed("ERR offset is out of range");
    pub const OVERFLOW: Self = Self::fixed("ERR increment or decrement would overflow");
    pub const NO_SUCH_KEY: Self = Self::fixed("ERR no such key");
    pub const BUSY_KEY: Self = Self::fixed("BUSYKEY Target key name already exists.");
    pub const WRONG_TYPE: Self =
        Self::fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
    pub const NO_AUTH: Self = Self::fixed("NOAUTH Authentication required.");
    pub const OOM: Self = Self::fixed("OOM command not allowed when used memory > 'maxmemory'.");
    pub const NO_REPLICAS: Self = Self::fixed("NOREPLICAS Not enough good replicas to write.");
    pub const READ_ONLY: Self = Self::fixed("READONLY You can't write against a read only replica.");
    pub const MASTER_DOWN: Self =
        Self::fixed("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");
    pub const LOADING: Self = Self::fixed("LOADING Redis is loading the dataset in memory");
    pub const STRING_TOO_LONG: Self =
        Self::fixed("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    pub const EXEC_ABORT: Self = Self::fixed("EXECABORT Transaction discarded because of previous errors.");

    /// An error whose text is known at compile time.
    pub const fn fixed(text: &'static str) -> Self {
        Self(Cow::Borrowed(text.as_bytes()))
    }

    /// An error with a computed text, code word included (`ERR ...`).
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        })
    }

    /// An error that quotes bytes of the client, which need not be UTF-8.
    pub fn from_bytes(text: Vec<u8>) -> Self {
        Self(Cow::Owned(text))
    }

    /// `ERR wrong number of arguments for 'name' command`.
    pub fn wrong_arity(full_name: &str) -> Self {
        Self::new(format!("ERR wrong number of arguments for '{full_name}' command"))
    }

    /// The whole text, code word first.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The code word, by which errors are counted (`ERR`, `WRONGTYPE`, `MOVED`...).
    pub fn code(&self) -> &[u8] {
        let end = self.0.iter().position(|&b| b == b' ').unwrap_or(self.0.len());
        &self.0[..end]
    }
}

impl From<WrongType> for ErrorReply {
    fn from(_: WrongType) -> Self {
        Self::WRONG_TYPE
    }
}

impl fmt::Debug for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorReply({:?})", String::from_utf8_lossy(&self.0))
    }
}

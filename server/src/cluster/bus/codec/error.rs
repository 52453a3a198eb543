//! Why bytes are no message.

/// What is wrong with a message, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset} of a message of the cluster bus")]
pub struct CodecError {
    /// The first byte of the part that is wrong, from the message's beginning.
    pub offset: usize,
    /// What is wrong with it.
    pub reason: Malformed,
}

impl CodecError {
    pub(super) fn new(offset: usize, reason: Malformed) -> Self {
        Self { offset, reason }
    }
}

/// What can be wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It does not begin with `RCmb`.
    #[error("no signature")]
    Signature,
    /// No message is so long, or the parts of this one are not.
    #[error("a wrong length")]
    Length,
    /// A node's name is not 40 digits.
    #[error("a name that is none")]
    Name,
    /// An address is not printable.
    #[error("an address that is none")]
    Address,
}

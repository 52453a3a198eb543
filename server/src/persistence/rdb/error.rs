//! Why an RDB cannot be loaded.

use std::io;

/// What is wrong, and at which byte.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RdbError {
    /// It ends too early.
    #[error("the RDB ends at byte {offset}, in the middle of something")]
    Truncated {
        /// Bytes read.
        offset: u64,
    },
    /// It cannot be read.
    #[error("the RDB cannot be read at byte {offset}: {error}")]
    Io {
        /// Bytes read.
        offset: u64,
        /// What the system said.
        error: io::Error,
    },
    /// It does not begin as an RDB does.
    #[error("Wrong signature trying to load DB: this is no RDB")]
    Signature,
    /// It is of a version that 7.0 does not read either.
    #[error("Can't handle RDB format version {0}: versions 1 to 10 can be read")]
    Version(u32),
    /// Its bytes are not what they were when it was written.
    #[error("Wrong RDB checksum: expected {expected:016x}, got {found:016x}")]
    Checksum {
        /// What it says of itself.
        expected: u64,
        /// What its bytes add up to.
        found: u64,
    },
    /// A part of it means nothing.
    #[error("the RDB is damaged at byte {offset}: {what}")]
    Damaged {
        /// Where.
        offset: u64,
        /// What is there.
        what: String,
    },
    /// It holds something that this version of the node does not.
    #[error("the RDB holds {what} at byte {offset}, which this version of slotmark-server cannot hold")]
    Unsupported {
        /// Where.
        offset: u64,
        /// What it is: the type and the key, or the kind of data.
        what: String,
    },
}

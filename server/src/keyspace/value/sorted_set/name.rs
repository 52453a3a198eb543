//! The member that an element of the order stands for.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::super::key::hash_key;

/// Bytes of a member that an element holds itself.
pub const SHORT_MAX: usize = 14;
/// Bytes of a longer one that an element holds, which settle most comparisons.
const PREFIX: usize = 7;

/// A member in 16 bytes: itself if it is short, else its hash, by which the table of members knows its text.
#[derive(Clone, Debug)]
pub enum Name {
    Short {
        len: u8,
        bytes: [u8; SHORT_MAX],
    },
    Long {
        prefix: [u8; PREFIX],
        hash: u64,
    },
    /// A long member whose hash is that of another one as well.
    Whole(Arc<Vec<u8>>),
}

impl Name {
    pub fn new(member: &[u8]) -> Self {
        if member.len() <= SHORT_MAX {
            let mut bytes = [0; SHORT_MAX];
            bytes[..member.len()].copy_from_slice(member);
            return Self::Short {
                len: member.len() as u8,
                bytes,
            };
        }
        let mut prefix = [0; PREFIX];
        prefix.copy_from_slice(&member[..PREFIX]);
        Self::Long {
            prefix,
            hash: hash_key(member),
        }
    }

    /// The same for a member that shares its hash.
    pub fn whole(member: &[u8]) -> Self {
        Self::Whole(Arc::new(member.to_vec()))
    }

    /// The member; `resolve` finds one that is long by its hash.
    pub fn text<'a>(&'a self, resolve: impl FnOnce(u64) -> &'a [u8]) -> &'a [u8] {
        match self {
            Self::Short { len, bytes } => &bytes[..usize::from(*len)],
            Self::Long { hash, .. } => resolve(*hash),
            Self::Whole(member) => member,
        }
    }

    /// How the member compares with another one.
    pub fn compare<'a>(&'a self, other: &[u8], resolve: impl FnOnce(u64) -> &'a [u8]) -> Ordering {
        if let Self::Long { prefix, .. } = self {
            let by_prefix = prefix[..].cmp(&other[..other.len().min(PREFIX)]);
            if by_prefix.is_ne() {
                return by_prefix;
            }
        }
        self.text(resolve).cmp(other)
    }
}

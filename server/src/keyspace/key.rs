//! A key as a request carries it, with what the node computes from its bytes once: slot and hash.

use std::sync::LazyLock;

use rapidhash::v3::{RapidSecrets, rapidhash_v3_inline};
use slotcore::{Slot, slot_of};

/// Drawn anew by every process, so that nobody can prepare keys that collide.
static SECRETS: LazyLock<RapidSecrets> = LazyLock::new(|| RapidSecrets::seed(rand::random()));

/// The hash of a key's bytes. It differs from process to process.
#[inline]
pub fn hash_key(bytes: &[u8]) -> u64 {
    rapidhash_v3_inline::<true, false, false>(bytes, &SECRETS)
}

/// A borrowed key with its slot and hash.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    pub bytes: &'a [u8],
    /// [`hash_key`] of the whole key, hash tag or not.
    pub hash: u64,
    pub slot: Slot,
}

impl<'a> Key<'a> {
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            hash: hash_key(bytes),
            slot: slot_of(bytes),
        }
    }
}

//! The operations of one client, one after the other.

use std::sync::Arc;

use rand::rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use slotcore::Slot;

use crate::keys::KeyId;
use crate::workload::Workload;

/// One operation: all that its bytes are computed from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Op {
    /// The first key; of a split operation, the seed of all of them.
    pub(crate) key: KeyId,
    /// Where its value starts in the pool.
    pub(crate) value: u32,
    pub(crate) value_len: u32,
    pub(crate) command: u16,
    pub(crate) slot: Slot,
}

impl Op {
    /// Index into [`Workload::commands`].
    #[inline]
    pub fn command(&self) -> usize {
        usize::from(self.command)
    }

    /// The slot of its keys. A split operation has one slot for each part instead: see [`Workload::split`].
    #[inline]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Length of its value, or of each of its values, in bytes.
    #[inline]
    pub fn value_len(&self) -> usize {
        self.value_len as usize
    }

    /// Its first key; means nothing for a split operation.
    #[inline]
    pub fn key(&self) -> KeyId {
        self.key
    }
}

/// An endless stream of operations, the same for the same seed and client.
#[derive(Debug, Clone)]
pub struct OpStream {
    workload: Arc<Workload>,
    rng: Xoshiro256PlusPlus,
}

impl OpStream {
    pub(crate) fn new(workload: Arc<Workload>, seed: u64) -> Self {
        Self {
            workload,
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }

    /// Draws the next operation.
    #[inline]
    pub fn next_op(&mut self) -> Op {
        self.workload.draw(&mut self.rng)
    }
}

/// The finaliser of SplitMix64: numbers that differ in one bit come out unrelated.
pub(crate) fn mix(mut n: u64) -> u64 {
    n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

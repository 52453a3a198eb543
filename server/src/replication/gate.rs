//! The one byte that every write looks at while it holds its slot's lock: is its effect recorded, and may it run at all?
//!
//! Whoever closes the gate and then passes once through every slot's lock knows that no write runs any more: one that
//! had the lock earlier has ended, and one that gets it later sees the gate closed.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

const RECORD: u8 = 1;
const PAUSED: u8 = 2;
const REPLICA: u8 = 4;

/// The gate. `Relaxed` is enough: the slots' locks order it.
#[derive(Debug, Default)]
pub struct Gate(AtomicU8);

impl Gate {
    /// Is there anything to mind? No on a primary that nobody has ever followed.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.0.load(Relaxed) == 0
    }

    /// Are effects of clients' writes recorded?
    #[inline]
    pub fn records(&self) -> bool {
        self.0.load(Relaxed) & RECORD != 0
    }

    /// Is the node a replica, or about to become one?
    #[inline]
    pub fn is_replica(&self) -> bool {
        self.0.load(Relaxed) & REPLICA != 0
    }

    /// Does a manual failover hold all writes back?
    #[inline]
    pub fn is_paused(&self) -> bool {
        self.0.load(Relaxed) & PAUSED != 0
    }

    /// Effects are recorded from now on, or no more.
    pub fn set_records(&self, on: bool) {
        self.set(RECORD, on);
    }

    /// The node becomes a replica, or is one no more.
    pub fn set_replica(&self, on: bool) {
        self.set(REPLICA, on);
    }

    /// A manual failover holds writes back, or no more.
    pub fn set_paused(&self, on: bool) {
        self.set(PAUSED, on);
    }

    fn set(&self, bit: u8, on: bool) {
        if on {
            self.0.fetch_or(bit, Relaxed);
        } else {
            self.0.fetch_and(!bit, Relaxed);
        }
    }
}

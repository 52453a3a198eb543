//! Active expiry: removing keys whose time is over although nobody asks for them.
//!
//! Each slot knows a lower bound of when its next key expires, so a slot with nothing due costs nothing. A slot that is
//! due is passed over bucket by bucket; only entries marked as expiring are looked at. Large slots are done in pieces,
//! so that no lock is held for long.

use super::buckets::{Buckets, Position};
use super::slots::Mode;
use super::table::SlotTable;

/// Buckets of one piece: about 500 entries.
const PIECE_BUCKETS: u32 = 64;
/// A pass waits for as many milliseconds as this times the keys that expire, so that it finds more than one...
const GRACE_MS_PER_KEY: u64 = 4;
/// ...but never longer than this.
const GRACE_MAX_MS: u64 = 1000;

const NEVER: u64 = u64::MAX;

/// How far the passes over one slot are.
#[repr(C)]
pub(super) struct Sweeper {
    /// No entry expires earlier than this, unless a pass is under way: then it holds for the entries already passed.
    next_expiry: u64,
    /// Where the pass that is under way continues; 0 = none is.
    bucket: u32,
}

impl Sweeper {
    pub const fn new() -> Self {
        Self {
            next_expiry: NEVER,
            bucket: 0,
        }
    }

    /// Some entry will expire at `expiry`.
    #[inline]
    pub fn expects(&mut self, expiry: u64) {
        self.next_expiry = self.next_expiry.min(expiry);
    }

    /// Entries may have moved from the part not yet passed to the part that was: it takes another pass to be sure.
    #[inline]
    pub fn entries_moved(&mut self) {
        if self.bucket != 0 {
            self.next_expiry = 0;
        }
    }

    /// The buckets are others now.
    pub fn restart(&mut self) {
        self.entries_moved();
        self.bucket = 0;
    }

    /// When the next piece of work is due with `expiring` such keys in the slot: unix time in milliseconds.
    pub fn due(&self, expiring: u32) -> u64 {
        if self.bucket != 0 {
            return 0;
        }
        self.next_expiry
            .saturating_add((u64::from(expiring) * GRACE_MS_PER_KEY).min(GRACE_MAX_MS))
    }
}

/// What one piece of work has done.
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Swept {
    pub removed: usize,
    /// Entries that are left with time to live, and the sum of that time.
    pub kept: u64,
    pub kept_ttl_ms: u64,
    /// Whether the pass has more pieces.
    pub more: bool,
}

impl SlotTable {
    /// Does one piece of a pass over this slot, if it is due.
    pub(super) fn sweep(&mut self, now: u64) -> Swept {
        let mut swept = Swept::default();
        if self.mode() == Mode::Following || self.sweeper().due(self.expiring() as u32) > now {
            return swept;
        }
        if self.sweeper().bucket == 0 {
            self.sweeper_mut().next_expiry = NEVER;
        }
        // Removals of this piece itself bring later entries forward, never back, so they count as no disturbance.
        let first = std::mem::take(&mut self.sweeper_mut().bucket);
        let last = self.buckets().count().min(first + PIECE_BUCKETS);
        let count = self.buckets().count();
        for bucket in first..last {
            self.sweep_bucket(bucket, now, &mut swept);
            if self.buckets().count() != count {
                // It shrank: the bound is unknown again, and the next piece begins anew.
                self.sweeper_mut().next_expiry = 0;
                swept.more = true;
                return swept;
            }
        }
        swept.more = last < count;
        self.sweeper_mut().bucket = if swept.more { last } else { 0 };
        swept
    }

    fn sweep_bucket(&mut self, bucket: u32, now: u64, swept: &mut Swept) {
        self.buckets().prefetch_bucket(bucket + 1, true);
        let mut lane = 0;
        while let Some(position) = self.next_volatile(bucket, lane) {
            let Some(expiry) = self.buckets().entry(position).expiry() else {
                unreachable!("a word is marked exactly if its entry expires");
            };
            if expiry < now {
                swept.removed += 1;
                let count = self.buckets().count();
                self.expire_at(position);
                if self.buckets().count() != count {
                    return;
                }
                // Another entry may have taken this lane: look at it again.
                continue;
            }
            swept.kept += 1;
            swept.kept_ttl_ms += expiry - now;
            self.sweeper_mut().expects(expiry);
            lane = Buckets::lane_after(position);
        }
    }

    fn next_volatile(&self, bucket: u32, lane: u32) -> Option<Position> {
        self.buckets().next_in_bucket(bucket, lane, true)
    }
}

//! SCAN: a cursor is a position in hash space.
//!
//! ```text
//! cursor = | first 38 bits of the hash | slot: 14 bits |        < 2^52, so that any client can hold it in a double
//! ```
//!
//! A step returns all entries with their home in the next buckets, whole buckets at a time, and the position where the
//! first bucket not returned begins. Since homes grow with the hash for any number of buckets, everything below that
//! position has been returned, also if the table is resized before the next step. So an element that is present
//! throughout is returned at least once; one may be returned again after a resize.

use slotcore::{SLOT_COUNT, Slot};

use super::buckets::HOME_BITS;
use super::entry::Entry;
use super::table::SlotTable;

const SLOT_BITS: u32 = SLOT_COUNT.ilog2();
const PREFIX_BITS: u32 = HOME_BITS;
const PREFIX_SHIFT: u32 = 64 - PREFIX_BITS;

/// Where a scan continues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ScanCursor {
    pub slot: Slot,
    /// Entries whose hash is below this have been returned.
    pub hash: u64,
}

impl ScanCursor {
    pub fn decode(cursor: u64) -> Self {
        Self {
            slot: (cursor & ((1 << SLOT_BITS) - 1)) as Slot,
            hash: (cursor >> SLOT_BITS & ((1 << PREFIX_BITS) - 1)) << PREFIX_SHIFT,
        }
    }

    pub fn encode(self) -> u64 {
        self.hash >> PREFIX_SHIFT << SLOT_BITS | u64::from(self.slot)
    }
}

impl SlotTable {
    /// Visits whole home buckets from the hash `from` on until at least `count` entries were seen. Returns how many
    /// were, and where to continue, None at the end of the slot. Expired entries count but are not shown.
    pub(super) fn scan(
        &self,
        from: u64,
        count: usize,
        now: u64,
        visit: &mut dyn FnMut(Entry<'_>),
    ) -> (usize, Option<u64>) {
        let buckets = self.buckets();
        if self.is_empty() {
            return (0, None);
        }
        let mut seen = 0;
        let mut bucket = buckets.home(from);
        loop {
            buckets.prefetch_bucket(bucket + 1, false);
            buckets.entries_at_home(bucket, &mut |entry| {
                seen += 1;
                if !entry.is_expired(now) {
                    visit(entry);
                }
            });
            bucket += 1;
            if bucket == buckets.count() {
                return (seen, None);
            }
            if seen >= count {
                return (seen, Some(buckets.first_hash_of(bucket)));
            }
        }
    }
}

//! What may be known of a table without the lock of its slot.

use super::{ADDRESS_BITS, ADDRESS_MASK, BUCKET_BYTES, Buckets, home};
use crate::keyspace::prefetch::prefetch_line;

impl Buckets {
    /// Address and number of the buckets in one word for readers without the lock, who may use it as a hint only.
    /// Zero for a table without buckets, or with more than the word can say.
    pub fn hint(&self) -> u64 {
        if self.count == 0 || u64::from(self.count) >> (64 - ADDRESS_BITS) != 0 {
            return 0;
        }
        (self.lines.as_ptr().expose_provenance() as u64 >> 3) & ADDRESS_MASK
            | u64::from(self.count) << ADDRESS_BITS
    }

    /// Bytes of the buckets, given a [`Buckets::hint`].
    pub fn footprint_by_hint(hint: u64) -> usize {
        (hint >> ADDRESS_BITS) as usize * BUCKET_BYTES
    }

    /// Brings the home bucket of `hash` close, given a [`Buckets::hint`] that may be outdated.
    #[inline]
    pub fn prefetch_by_hint(hint: u64, hash: u64) {
        let count = (hint >> ADDRESS_BITS) as u32;
        if count == 0 {
            return;
        }
        let address = ((hint & ADDRESS_MASK) << 3) as usize + home(hash, count) as usize * BUCKET_BYTES;
        prefetch_line(std::ptr::without_provenance(address));
    }
}

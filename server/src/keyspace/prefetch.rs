//! Cache hints: ask for a line now that will be read a little later.

/// Bytes of a cache line, of nearly all processors.
pub const LINE_BYTES: usize = 64;

/// Asks the processor to bring the cache line of `address` close. It is a hint: any address is allowed, also one that
/// is not mapped, since nothing is read as far as the program can tell.
#[inline(always)]
pub fn prefetch_line(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of the x86_64 baseline, and the instruction neither faults nor reads memory that the
        // program could observe, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

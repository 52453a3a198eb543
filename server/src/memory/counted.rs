//! The allocator, and the count of what it has handed out.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

use mimalloc::MiMalloc;

use crate::keyspace::block_size;

/// Bytes that a thread may have allocated, or freed, without the sum of all threads saying so.
pub(super) const STEP: isize = 4096;

/// The sum, on cache lines of its own.
#[repr(align(128))]
struct Sum(AtomicIsize);

static SUM: Sum = Sum(AtomicIsize::new(0));

thread_local! {
    /// What this thread has not added to the sum. It has no destructor, so it can be used until the thread's very end.
    static OWN: Cell<isize> = const { Cell::new(0) };
}

#[inline]
fn count(change: isize) {
    OWN.with(|own| {
        let sum = own.get() + change;
        if sum.unsigned_abs() < STEP.unsigned_abs() {
            own.set(sum);
        } else {
            own.set(0);
            SUM.0.fetch_add(sum, Relaxed);
        }
    });
}

/// The bytes of a block; no block is larger than `isize::MAX`.
#[inline]
fn bytes(size: usize) -> isize {
    block_size(size) as isize
}

/// Bytes in use, as allocated: exact for what this thread has done, and less than a step off for any other.
#[inline]
pub fn used() -> u64 {
    let used = SUM.0.load(Relaxed) + OWN.with(Cell::get);
    u64::try_from(used).unwrap_or(0)
}

/// mimalloc, counted: it has small size classes eight bytes apart, and frees that are cheap from any thread, which is
/// what small entries need.
pub struct Counted;

// SAFETY: every call is passed on as it is; counting allocates nothing.
unsafe impl GlobalAlloc for Counted {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the promises of this very method.
        let at = unsafe { MiMalloc.alloc(layout) };
        if !at.is_null() {
            count(bytes(layout.size()));
        }
        at
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the promises of this very method.
        let at = unsafe { MiMalloc.alloc_zeroed(layout) };
        if !at.is_null() {
            count(bytes(layout.size()));
        }
        at
    }

    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the promises of this very method.
        unsafe { MiMalloc.dealloc(at, layout) };
        count(-bytes(layout.size()));
    }

    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the promises of this very method.
        let moved = unsafe { MiMalloc.realloc(at, layout, size) };
        if !moved.is_null() {
            count(bytes(size) - bytes(layout.size()));
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_allocates_and_frees_is_counted() {
        // Other tests run beside this one, so only its own large blocks can be told apart.
        const LARGE: usize = 1 << 28;
        let before = used();
        let block = Vec::<u8>::with_capacity(LARGE);
        let held = used();
        assert!(held > before + LARGE as u64 / 2, "{before} {held}");
        drop(block);
        assert!(used() < held - LARGE as u64 / 2);
    }

    #[test]
    fn a_block_that_grows_or_is_freed_elsewhere_is_counted_once() {
        const LARGE: usize = 1 << 29;
        let before = used();
        let mut block = Vec::<u8>::with_capacity(16);
        block.reserve_exact(LARGE);
        let held = used();
        assert!(held > before + LARGE as u64 / 2, "{before} {held}");
        std::thread::spawn(move || drop(block))
            .join()
            .expect("the thread only drops");
        assert!(used() < held - LARGE as u64 / 2);
    }
}

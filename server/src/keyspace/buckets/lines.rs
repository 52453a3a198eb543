//! The memory of a table's lines.

use std::ptr::NonNull;

use super::{BUCKET_BYTES, Line};

fn lines_layout(count: u32) -> std::alloc::Layout {
    // Alignment 1 for the same reason as for entries; multiples of a cache line come aligned to one from mimalloc.
    std::alloc::Layout::from_size_align(count as usize * BUCKET_BYTES, 1)
        .expect("2^32 buckets are far below isize::MAX bytes")
}

/// Zeroed lines, so many.
pub(super) fn allocate(count: u32) -> NonNull<Line> {
    if count == 0 {
        return NonNull::dangling();
    }
    let layout = lines_layout(count);
    // SAFETY: the size is not zero.
    let lines = unsafe { std::alloc::alloc_zeroed(layout) };
    let Some(lines) = NonNull::new(lines.cast::<Line>()) else {
        std::alloc::handle_alloc_error(layout)
    };
    assert!(
        lines.is_aligned(),
        "allocators align blocks of 8 bytes and more to 8"
    );
    lines
}

/// Frees lines from [`allocate`], not the entries they point to.
pub(super) fn release(lines: NonNull<Line>, count: u32) {
    if count != 0 {
        // SAFETY: allocate used this very layout, and both callers are done with the lines.
        unsafe { std::alloc::dealloc(lines.as_ptr().cast(), lines_layout(count)) };
    }
}

//! The sizes that the allocator really hands out.
//!
//! Entries and bucket arrays are always requested in these sizes. So a value can grow or shrink within its class
//! without a new allocation, and the bytes that the accounting reports are the bytes that are held.

/// Blocks above this size are counted in whole pages.
const PAGED_ABOVE: usize = 64 * 1024;
const PAGE: usize = 4096;

/// The size of the block in which `size` bytes are stored: multiples of 8 up to 64, then four classes for each
/// doubling, then whole pages. These are mimalloc's classes.
#[inline]
pub const fn round_up(size: usize) -> usize {
    if size <= 64 {
        if size == 0 { 8 } else { (size + 7) & !7 }
    } else if size <= PAGED_ABOVE {
        let step = 1 << ((size - 1).ilog2() - 2);
        (size + step - 1) & !(step - 1)
    } else {
        (size + PAGE - 1) & !(PAGE - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::round_up;

    #[test]
    fn classes_are_those_of_the_allocator() {
        let expected = [
            (0, 8),
            (1, 8),
            (40, 40),
            (41, 48),
            (64, 64),
            (65, 80),
            (80, 80),
            (81, 96),
            (113, 128),
            (129, 160),
            (200, 224),
            (250, 256),
            (312, 320),
            (1048, 1280),
            (65_536, 65_536),
            (65_537, 69_632),
        ];
        for (size, class) in expected {
            assert_eq!(round_up(size), class, "size {size}");
        }
    }

    #[test]
    fn rounding_is_monotone_idempotent_and_never_wastes_a_quarter() {
        let mut last = 0;
        for size in 1..200_000 {
            let class = round_up(size);
            assert!(class >= size && class >= last);
            assert_eq!(round_up(class), class);
            assert!(class < size + size / 4 + 8, "{size} -> {class}");
            last = class;
        }
    }
}

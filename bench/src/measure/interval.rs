//! Slices of the measured time, all of the same length and with the same bounds in every thread.

use hdrhistogram::Histogram;

/// What one thread has recorded in one slice.
#[derive(Debug)]
pub struct Slice {
    pub latency: Histogram<u64>,
    /// Response times, in an open loop.
    pub response: Option<Histogram<u64>>,
    pub errors: u64,
}

/// Where the slices begin and end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Start of the measured time, on the clock of the run.
    pub start_ns: u64,
    pub length_ns: u64,
}

impl Grid {
    /// Number of the slice that this moment lies in; what is before the start lies in the first.
    pub fn slice_of(&self, now_ns: u64) -> usize {
        (now_ns.saturating_sub(self.start_ns) / self.length_ns) as usize
    }

    /// When slice number `slice` ends.
    pub fn end_of(&self, slice: usize) -> u64 {
        self.start_ns + (slice as u64 + 1) * self.length_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_touch_and_do_not_overlap() {
        let grid = Grid {
            start_ns: 50,
            length_ns: 100,
        };
        assert_eq!(
            [0, 50, 149, 150, 249].map(|now| grid.slice_of(now)),
            [0, 0, 0, 1, 1]
        );
        for now in 50..1000 {
            let slice = grid.slice_of(now);
            assert!(now < grid.end_of(slice) && (slice == 0 || now >= grid.end_of(slice - 1)));
        }
    }
}

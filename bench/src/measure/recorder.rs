//! What one generator thread counts.
//!
//! An operation is one record: in the histogram of its command and node, of the running slice of time. When the slice
//! ends, these histograms are added to its own and to those of the whole round, and start again from zero. So the sum
//! over slices equals the total by construction.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use slotcore::{SLOT_COUNT, Slot};

use super::interval::{Grid, Slice};

/// Significant digits of a latency.
const DIGITS: u8 = 3;
/// What a histogram has room for at first, in nanoseconds; it grows when a latency is longer.
const INITIAL_MAX_NS: u64 = 1_000_000_000;
/// An operation that is written so much after it was due is late.
pub const LATE_NS: u64 = 1_000_000;

/// Counts of one thread while it runs.
#[derive(Debug)]
pub struct Recorder {
    commands: usize,
    grid: Grid,
    /// The running slice, and when it ends.
    slice: usize,
    slice_end_ns: u64,
    /// The last slice there will be, when that is known beforehand: later replies count in it.
    last_slice: usize,
    /// Of the running slice, by node and then command.
    current: Vec<Histogram<u64>>,
    /// The same for response times; empty in a closed loop, which has none.
    current_response: Vec<Histogram<u64>>,
    open: bool,
    current_errors: u64,
    done: Recorded,
}

/// Counts of one thread when it has ended.
#[derive(Debug)]
pub struct Recorded {
    /// How many commands there are.
    pub commands: usize,
    /// By node (as the thread numbers them) and then command: node times commands plus command.
    pub latency: Vec<Histogram<u64>>,
    /// In an open loop the response times, in the same order; empty in a closed one.
    pub response: Vec<Histogram<u64>>,
    /// How long after they were due operations were taken up by the generator, all of them.
    pub delay: Histogram<u64>,
    /// Operations that were written more than [`LATE_NS`] after they were due.
    pub late: u64,
    /// Operations by slot; of an operation in several parts, each part.
    pub slots: Vec<u64>,
    pub slices: Vec<Slice>,
    pub errors: BTreeMap<&'static str, u64>,
    /// Replies that were nil: asked for keys that are not there.
    pub misses: u64,
    /// Replies of each command by counter; a command without counters has none.
    pub replies: Vec<Vec<u64>>,
    /// Reads that are followed by a write if they miss.
    pub cache: CacheCount,
}

/// Reads of a cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheCount {
    pub reads: u64,
    pub misses: u64,
}

impl Recorder {
    /// A recorder for this many commands, for time measured from `start_ns` in slices of `length_ns`. Nothing will be
    /// recorded in a slice after the one in which `end_ns` lies.
    pub fn new(commands: usize, start_ns: u64, length_ns: u64, end_ns: Option<u64>) -> Self {
        let grid = Grid {
            start_ns,
            length_ns: length_ns.max(1),
        };
        let last_slice = end_ns.map_or(usize::MAX, |end| grid.slice_of(end.max(start_ns + 1) - 1));
        Self {
            commands,
            grid,
            slice: 0,
            slice_end_ns: if last_slice == 0 { u64::MAX } else { grid.end_of(0) },
            last_slice,
            current: Vec::new(),
            current_response: Vec::new(),
            open: false,
            current_errors: 0,
            done: Recorded {
                commands,
                latency: Vec::new(),
                response: Vec::new(),
                delay: empty_histogram(),
                late: 0,
                slots: vec![0; SLOT_COUNT],
                slices: Vec::new(),
                errors: BTreeMap::new(),
                misses: 0,
                replies: vec![Vec::new(); commands],
                cache: CacheCount::default(),
            },
        }
    }

    /// Keeps response times as well.
    pub fn open_loop(mut self) -> Self {
        self.open = true;
        self.done.delay = roomy_histogram();
        self
    }

    /// Makes room for nodes up to this many.
    pub fn set_nodes(&mut self, nodes: usize) {
        let wanted = nodes * self.commands;
        while self.current.len() < wanted {
            self.current.push(roomy_histogram());
            self.done.latency.push(empty_histogram());
            if self.open {
                self.current_response.push(roomy_histogram());
                self.done.response.push(empty_histogram());
            }
        }
    }

    /// Moves on to the slice of this moment. To be called before what happens at `now_ns` is recorded.
    #[inline]
    pub fn advance(&mut self, now_ns: u64) {
        if now_ns >= self.slice_end_ns {
            self.advance_slowly(now_ns);
        }
    }

    #[cold]
    fn advance_slowly(&mut self, now_ns: u64) {
        let target = self.grid.slice_of(now_ns).min(self.last_slice);
        while self.slice < target {
            self.close_slice();
            self.slice += 1;
        }
        self.slice_end_ns = if self.slice == self.last_slice {
            u64::MAX
        } else {
            self.grid.end_of(self.slice)
        };
    }

    /// Ends the measured time: later replies, to operations sent before, count in the slice that ends with it.
    pub fn end_at(&mut self, end_ns: u64) {
        self.advance(end_ns.saturating_sub(1));
        self.last_slice = self.slice;
        self.slice_end_ns = u64::MAX;
    }

    fn close_slice(&mut self) {
        let latency = drain(&mut self.current, &mut self.done.latency);
        let response = drain(&mut self.current_response, &mut self.done.response);
        self.done.slices.push(Slice {
            latency,
            response: self.open.then_some(response),
            errors: std::mem::take(&mut self.current_errors),
        });
    }

    /// Records a successful operation.
    #[inline]
    pub fn record(&mut self, command: usize, node: usize, latency_ns: u64) {
        if let Some(histogram) = self.current.get_mut(node * self.commands + command) {
            // The histogram grows: no latency is too long for it.
            let recorded = histogram.record(latency_ns.max(1));
            debug_assert!(recorded.is_ok());
        }
    }

    /// Records the response time of a successful operation of an open loop, beside its service time.
    #[inline]
    pub fn record_response(&mut self, command: usize, node: usize, service_ns: u64, response_ns: u64) {
        if let Some(histogram) = self.current_response.get_mut(node * self.commands + command) {
            let recorded = histogram.record(response_ns.max(1));
            debug_assert!(recorded.is_ok());
        }
        self.done.late += u64::from(response_ns.saturating_sub(service_ns) > LATE_NS);
    }

    /// Notes how late the generator itself was with an operation that was due.
    #[inline]
    pub fn record_delay(&mut self, delay_ns: u64) {
        let recorded = self.done.delay.record(delay_ns.max(1));
        debug_assert!(recorded.is_ok());
    }

    /// Counts an operation, or a part of one, in its slot.
    #[inline]
    pub fn count_slot(&mut self, slot: Slot) {
        if let Some(count) = self.done.slots.get_mut(usize::from(slot)) {
            *count += 1;
        }
    }

    /// Counts a nil.
    #[inline]
    pub fn count_miss(&mut self) {
        self.done.misses += 1;
    }

    /// Counts a successful operation of this command under the counter that its reply is for.
    #[inline]
    pub fn count_reply(&mut self, command: usize, counter: usize) {
        if let Some(counts) = self.done.replies.get_mut(command) {
            if counts.len() <= counter {
                counts.resize(counter + 1, 0);
            }
            counts[counter] += 1;
        }
    }

    /// Counts a read of a cache.
    #[inline]
    pub fn count_cached(&mut self, missed: bool) {
        self.done.cache.reads += 1;
        self.done.cache.misses += u64::from(missed);
    }

    /// Counts an operation that failed.
    pub fn count_error(&mut self, class: &'static str) {
        self.current_errors += 1;
        *self.done.errors.entry(class).or_default() += 1;
    }

    /// Ends the recording.
    pub fn finish(mut self, now_ns: u64) -> Recorded {
        self.advance(now_ns);
        self.close_slice();
        self.done
    }
}

/// Adds the histograms of a slice to the totals, empties them, and returns their sum.
fn drain(current: &mut [Histogram<u64>], totals: &mut [Histogram<u64>]) -> Histogram<u64> {
    let mut sum = empty_histogram();
    for (current, total) in current.iter_mut().zip(totals) {
        if current.is_empty() {
            continue;
        }
        // Both grow as needed, so adding cannot fail.
        let added = sum.add(&*current).and_then(|()| total.add(&*current));
        debug_assert!(added.is_ok());
        current.reset();
    }
    sum
}

/// A histogram of nanoseconds with [`DIGITS`] digits that grows as needed.
pub(crate) fn empty_histogram() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("hdrhistogram takes 0 to 5 digits")
}

/// One that does not need to grow for usual latencies, so that the hot path never allocates.
fn roomy_histogram() -> Histogram<u64> {
    let mut histogram =
        Histogram::new_with_bounds(1, INITIAL_MAX_NS, DIGITS).expect("hdrhistogram takes bounds from 1 up");
    histogram.auto(true);
    histogram
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn slices_add_up_to_the_total() {
        let mut recorder = Recorder::new(2, 10 * MS, 100 * MS, None);
        recorder.set_nodes(1);
        for op in 0..1000u64 {
            let now = 10 * MS + op * MS;
            if op == 500 {
                recorder.set_nodes(3);
            }
            recorder.advance(now);
            let node = if op < 500 { 0 } else { op as usize % 3 };
            recorder.record(op as usize % 2, node, op * 1000);
            recorder.count_slot((op % 7) as Slot);
            if op % 10 == 0 {
                recorder.count_error("TRYAGAIN");
            }
        }
        let recorded = recorder.finish(10 * MS + 999 * MS);
        assert_eq!(recorded.slices.len(), 10);
        for slice in &recorded.slices {
            assert_eq!((slice.latency.len(), slice.errors), (100, 10));
        }
        assert_eq!(recorded.latency.len(), 6);
        assert_eq!(recorded.latency.iter().map(Histogram::len).sum::<u64>(), 1000);
        assert_eq!(recorded.slots.iter().sum::<u64>(), 1000);
        assert_eq!(recorded.errors["TRYAGAIN"], 100);
    }

    #[test]
    fn empty_slices_are_kept() {
        let mut recorder = Recorder::new(1, 0, 10, None);
        recorder.set_nodes(1);
        recorder.record(0, 0, 5);
        recorder.advance(35);
        recorder.record(0, 0, 5);
        let counts: Vec<u64> = recorder
            .finish(35)
            .slices
            .iter()
            .map(|slice| slice.latency.len())
            .collect();
        assert_eq!(counts, [1, 0, 0, 1]);
    }

    #[test]
    fn what_comes_after_the_end_counts_in_the_last_slice() {
        let mut recorder = Recorder::new(1, 0, 10, Some(20));
        recorder.set_nodes(1);
        for now in [0, 15, 19, 20, 500] {
            recorder.advance(now);
            recorder.record(0, 0, 5);
        }
        let counts: Vec<u64> = recorder
            .finish(1000)
            .slices
            .iter()
            .map(|slice| slice.latency.len())
            .collect();
        assert_eq!(counts, [1, 4]);
    }

    #[test]
    fn an_early_end_makes_the_running_slice_the_last() {
        let mut recorder = Recorder::new(1, 0, 10, Some(1000));
        recorder.set_nodes(1);
        recorder.record(0, 0, 5);
        recorder.end_at(20);
        recorder.advance(35);
        recorder.record(0, 0, 5);
        let counts: Vec<u64> = recorder
            .finish(50)
            .slices
            .iter()
            .map(|slice| slice.latency.len())
            .collect();
        assert_eq!(counts, [1, 1]);
    }

    #[test]
    fn no_latency_is_clamped() {
        let mut recorder = Recorder::new(1, 0, 10, None);
        recorder.set_nodes(1);
        let hour = 3_600_000_000_000;
        recorder.record(0, 0, hour);
        let recorded = recorder.finish(1);
        assert!(recorded.latency[0].max().abs_diff(hour) < hour / 1000);
        assert!(recorded.slices[0].latency.max().abs_diff(hour) < hour / 1000);
    }
}

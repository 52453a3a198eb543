//! What happened on each shard, millisecond by millisecond: for runs in which something is done to the cluster.
//!
//! A shard is the set of slots that had one owner when the round began; it stays the same shard when another node takes
//! over. Counts are kept by the millisecond of the reply, so that the last success before an outage and the first one
//! after it can be told to the millisecond, whichever thread saw them.

use hdrhistogram::Histogram;
use slotcore::{SLOT_COUNT, Slot};

use super::interval::Grid;
use super::recorder::empty_histogram;

/// Length of a bin.
pub const BIN_NS: u64 = 1_000_000;
/// Bins kept: of a longer round all that follows counts in the last one. This is a bit over four hours.
const MOST_BINS: usize = 15_000_000;

/// Which shard each slot belongs to.
#[derive(Debug, Clone)]
pub struct ShardMap {
    of_slot: Vec<u16>,
    shards: usize,
}

/// No shard: the slot had no owner.
const NONE: u16 = u16::MAX;

impl ShardMap {
    /// `of_slot` names the shard of each slot.
    pub fn new(of_slot: impl Iterator<Item = Option<u16>>) -> Self {
        let of_slot: Vec<u16> = of_slot
            .map(|shard| shard.unwrap_or(NONE))
            .chain(std::iter::repeat(NONE))
            .take(SLOT_COUNT)
            .collect();
        let shards = of_slot
            .iter()
            .filter(|&&shard| shard != NONE)
            .max()
            .map_or(0, |&last| usize::from(last) + 1);
        Self { of_slot, shards }
    }

    pub fn shards(&self) -> usize {
        self.shards
    }

    pub fn shard(&self, slot: Slot) -> Option<usize> {
        self.of_slot
            .get(usize::from(slot))
            .filter(|&&shard| shard != NONE)
            .map(|&shard| usize::from(shard))
    }
}

/// Replies by millisecond.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    pub ok: Vec<u32>,
    pub failed: Vec<u32>,
}

impl Trace {
    fn count(&mut self, bin: usize, ok: bool) {
        let bins = if ok { &mut self.ok } else { &mut self.failed };
        if bins.len() <= bin {
            bins.resize(bin + 1, 0);
        }
        bins[bin] += 1;
    }

    /// Adds another thread's counts.
    pub fn add(&mut self, other: &Self) {
        for (own, more) in [(&mut self.ok, &other.ok), (&mut self.failed, &other.failed)] {
            if own.len() < more.len() {
                own.resize(more.len(), 0);
            }
            own.iter_mut().zip(more).for_each(|(own, more)| *own += more);
        }
    }
}

/// One shard in one thread, or in all of them.
#[derive(Debug, Clone, Default)]
pub struct ShardTrace {
    pub reads: Trace,
    pub writes: Trace,
    /// Response times by slice of the measured time.
    pub slices: Vec<Histogram<u64>>,
}

impl ShardTrace {
    /// Adds another thread's.
    pub fn add(&mut self, other: &Self) {
        self.reads.add(&other.reads);
        self.writes.add(&other.writes);
        while self.slices.len() < other.slices.len() {
            self.slices.push(empty_histogram());
        }
        for (own, more) in self.slices.iter_mut().zip(&other.slices) {
            // The sum grows as needed, so adding cannot fail.
            let added = own.add(more);
            debug_assert!(added.is_ok());
        }
    }
}

/// The shards as one thread sees them.
#[derive(Debug)]
pub struct ShardTraces {
    map: ShardMap,
    grid: Grid,
    shards: Vec<ShardTrace>,
}

impl ShardTraces {
    /// Traces from `start_ns` on, with response times by slices of `slice_ns`.
    pub fn new(map: ShardMap, start_ns: u64, slice_ns: u64) -> Self {
        Self {
            shards: vec![ShardTrace::default(); map.shards()],
            map,
            grid: Grid {
                start_ns,
                length_ns: slice_ns.max(1),
            },
        }
    }

    fn at(&mut self, slot: Slot, write: bool, now_ns: u64, ok: bool) -> Option<&mut ShardTrace> {
        let shard = self.map.shard(slot)?;
        let bin = (now_ns.saturating_sub(self.grid.start_ns) / BIN_NS) as usize;
        let trace = &mut self.shards[shard];
        let kind = if write {
            &mut trace.writes
        } else {
            &mut trace.reads
        };
        kind.count(bin.min(MOST_BINS), ok);
        Some(trace)
    }

    /// A success whose latency was `latency_ns`.
    pub fn succeeded(&mut self, slot: Slot, write: bool, now_ns: u64, latency_ns: u64) {
        let slice = self.grid.slice_of(now_ns);
        let Some(trace) = self.at(slot, write, now_ns, true) else {
            return;
        };
        while trace.slices.len() <= slice {
            trace.slices.push(empty_histogram());
        }
        // The histogram grows: no latency is too long for it.
        let recorded = trace.slices[slice].record(latency_ns.max(1));
        debug_assert!(recorded.is_ok());
    }

    pub fn failed(&mut self, slot: Slot, write: bool, now_ns: u64) {
        self.at(slot, write, now_ns, false);
    }

    pub fn finish(self) -> Vec<ShardTrace> {
        self.shards
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_shards() -> ShardMap {
        ShardMap::new((0..SLOT_COUNT).map(|slot| match slot {
            0..100 => Some(0),
            100..200 => Some(1),
            _ => None,
        }))
    }

    #[test]
    fn replies_count_in_the_millisecond_of_their_shard() {
        let mut traces = ShardTraces::new(two_shards(), 1_000_000, 100 * BIN_NS);
        traces.succeeded(5, false, 1_500_000, 70);
        traces.succeeded(5, false, 1_999_999, 70);
        traces.succeeded(150, true, 251_000_000, 70);
        traces.failed(150, true, 2_000_000);
        traces.succeeded(300, true, 2_000_000, 70);
        let shards = traces.finish();
        assert_eq!(shards[0].reads.ok, [2]);
        assert_eq!(shards[1].writes.failed, [0, 1]);
        assert_eq!(shards[1].writes.ok.len(), 251);
        assert_eq!(
            shards[1].slices.iter().map(Histogram::len).collect::<Vec<_>>(),
            [0, 0, 1]
        );
        assert!(shards[0].writes.ok.is_empty());
    }

    #[test]
    fn threads_add_up() {
        let mut all = ShardTrace::default();
        for thread in 0..3u64 {
            let mut traces = ShardTraces::new(two_shards(), 0, BIN_NS);
            for op in 0..10 {
                traces.succeeded(1, true, op * BIN_NS * (thread + 1), 1000);
                traces.failed(1, false, op * BIN_NS);
            }
            all.add(&traces.finish()[0]);
        }
        assert_eq!(all.writes.ok.iter().sum::<u32>(), 30);
        assert_eq!(all.reads.failed, [3; 10]);
        assert_eq!(all.slices.iter().map(Histogram::len).sum::<u64>(), 30);
    }
}

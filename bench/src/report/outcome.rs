//! What one round of load measured on one engine, before any arithmetic.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::load::{DeliveryOutcome, HoldsOutcome, StalenessOutcome, WriteLog};
use crate::measure::{CacheCount, ShardTrace};

/// One round: raw counts and histograms (latency in nanoseconds).
///
/// A latency runs from when the operation was written in a closed loop, and from when it was due in an open one, which
/// has the service time beside it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Wall time of the whole round, warm-up included.
    pub elapsed: Duration,
    /// Wall time over which the operations below were counted.
    pub measured: Duration,
    pub commands: Vec<CommandOutcome>,
    pub nodes: Vec<NodeOutcome>,
    /// Operations by slot, 16384 of them.
    pub slots: Vec<u64>,
    pub intervals: Vec<Interval>,
    /// Of an open loop.
    pub open: Option<OpenLoopOutcome>,
    /// In the order of their slots; only of a round in which they were traced.
    pub shards: Vec<ShardOutcome>,
    /// What ran beside the load.
    pub beside: Option<BesideOutcome>,
    /// Every write, by thread; of an audited round.
    pub writes: Vec<WriteLog>,
    /// Of a round whose reads went to replicas.
    pub staleness: Option<StalenessOutcome>,
    /// Of a round whose clients held keys as their own.
    pub holds: Option<HoldsOutcome>,
    /// Of a round whose sends were received beside it.
    pub delivery: Option<DeliveryOutcome>,
    /// Failed operations by class ("TRYAGAIN", "timeout", ...).
    pub errors: BTreeMap<String, u64>,
    pub moved: u64,
    pub ask: u64,
    pub retries: u64,
    /// Calls of scripts that a server did not know, and was then sent in full.
    pub unknown_scripts: u64,
    pub reconnects: u64,
    /// Operations answered with nil: their key was not there.
    pub misses: u64,
    /// Reads of a cache, of a workload that fills it when they miss.
    pub cache: Option<CacheCount>,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// User and system time of the generator's threads over `measured`.
    pub client_cpu: Duration,
    /// How much faster (above 0) or slower the clock of the latencies went than the system's, in parts per million.
    pub clock_drift_ppm: f64,
    pub ended: Ended,
}

/// What became of a schedule. Every operation in it has succeeded, failed, or was missed.
#[derive(Debug, Clone)]
pub struct OpenLoopOutcome {
    /// Operations that were due.
    pub scheduled: u64,
    /// Those of them that were never sent.
    pub missed: u64,
    /// Successful ones that were written more than a millisecond after they were due.
    pub late: u64,
    /// How long after they were due the generator took operations up.
    pub delay: Histogram<u64>,
}

/// The slots that one node owned when the round began, whoever owned them later.
#[derive(Debug, Clone)]
pub struct ShardOutcome {
    /// That node.
    pub addr: String,
    pub slots: u16,
    pub trace: ShardTrace,
}

/// What ran beside the load in one round, from a moment on.
#[derive(Debug, Clone, Default)]
pub struct BesideOutcome {
    /// That moment, since the beginning of the measured time.
    pub from: Duration,
    /// The load by groups of slots: the shards, and behind them a neighbour's slot, which is in no shard then.
    pub groups: Vec<ShardOutcome>,
    /// The slot that is a group of its own, and the place of the shard that it is taken from.
    pub own_slot: Option<(u16, usize)>,
    pub storm: Option<StormOutcome>,
    pub neighbor: Option<NeighborOutcome>,
}

/// Connections of a storm: `due` = `answered` + failed + `missed`.
#[derive(Debug, Clone)]
pub struct StormOutcome {
    /// How long it lasted.
    pub length: Duration,
    pub due: u64,
    pub connected: u64,
    pub answered: u64,
    /// Never begun, because too many were open.
    pub missed: u64,
    /// By class, before an answer.
    pub failed: BTreeMap<String, u64>,
    /// Most that were open at once.
    pub most_open: u64,
    /// From the call to the connection, and to the answer.
    pub connect: Histogram<u64>,
    pub answer: Histogram<u64>,
}

/// Commands of a neighbour.
#[derive(Debug, Clone)]
pub struct NeighborOutcome {
    /// How long it went on.
    pub length: Duration,
    pub commands: u64,
    /// Bytes of the answers.
    pub bytes: u64,
    pub failed: BTreeMap<String, u64>,
    pub latency: Histogram<u64>,
}

impl StormOutcome {
    /// Adds another round's.
    pub fn add(&mut self, other: &Self) {
        self.length += other.length;
        self.due += other.due;
        self.connected += other.connected;
        self.answered += other.answered;
        self.missed += other.missed;
        self.most_open = self.most_open.max(other.most_open);
        add_counts(&mut self.failed, &other.failed);
        add_histogram(&mut self.connect, &other.connect);
        add_histogram(&mut self.answer, &other.answer);
    }
}

impl NeighborOutcome {
    /// Adds another client's, or another round's.
    pub fn add(&mut self, other: &Self) {
        self.length += other.length;
        self.commands += other.commands;
        self.bytes += other.bytes;
        add_counts(&mut self.failed, &other.failed);
        add_histogram(&mut self.latency, &other.latency);
    }
}

fn add_counts(sum: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (class, count) in more {
        *sum.entry(class.clone()).or_default() += count;
    }
}

fn add_histogram(sum: &mut Histogram<u64>, more: &Histogram<u64>) {
    // The sum grows as needed, so adding cannot fail.
    let added = sum.add(more);
    debug_assert!(added.is_ok());
}

/// Successful operations of one command.
#[derive(Debug, Clone)]
pub struct CommandOutcome {
    pub name: String,
    pub ops: u64,
    pub latency: Histogram<u64>,
    /// From when they were written, in an open loop.
    pub service: Option<Histogram<u64>>,
    /// What their replies were, by the counters of the workload: they add up to `ops`, or there are none.
    pub replies: BTreeMap<String, u64>,
    /// The same by number, until they are given their names.
    pub(crate) reply_counts: Vec<u64>,
}

/// Successful operations answered by one node.
#[derive(Debug, Clone)]
pub struct NodeOutcome {
    pub addr: String,
    pub id: Option<String>,
    pub ops: u64,
    pub latency: Histogram<u64>,
    pub service: Option<Histogram<u64>>,
}

/// One slice of the measured time.
#[derive(Debug, Clone)]
pub struct Interval {
    /// Since the beginning of the measured time of the round.
    pub start: Duration,
    pub length: Duration,
    pub ops: u64,
    pub errors: u64,
    pub latency: Histogram<u64>,
    pub service: Option<Histogram<u64>>,
}

/// How a round ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Completed,
    Interrupted,
    /// The target went away and did not come back; the text says how.
    TargetLost(String),
}

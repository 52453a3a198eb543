//! What a round of load is to do, and how another thread looks on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use workloads::Workload;

use crate::report::outcome::Ended;

/// Where a node listens; the host is a name or an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    pub host: String,
    pub port: u16,
}

impl HostPort {
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How to log in.
#[derive(Clone, PartialEq, Eq)]
pub struct Auth {
    /// `None` is the user `default`.
    pub user: Option<String>,
    pub password: String,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth {{ user: {:?} }}", self.user)
    }
}

/// How to reach the target: shared by load and preload.
#[derive(Debug, Clone)]
pub struct Target {
    /// Nodes to ask for the slot map, in order. A server that is no cluster is a single seed.
    pub seeds: Vec<HostPort>,
    pub auth: Option<Auth>,
    /// Speak RESP3.
    pub resp3: bool,
}

/// When the measured part ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// After so many operations, divided over the clients as evenly as can be, the same way every time.
    Requests(u64),
    /// After so much time; operations that are under way then are waited for, and count.
    Duration(Duration),
}

/// One round of load.
#[derive(Debug, Clone)]
pub struct Plan {
    pub workload: Arc<Workload>,
    pub target: Target,
    /// Each client has one connection to each primary.
    pub clients: u32,
    /// Generator threads; never more than clients.
    pub threads: u32,
    /// Operations each client has outstanding, over all its connections.
    pub pipeline: u32,
    pub until: Until,
    /// Operations of the first while are sent, but not recorded.
    pub warmup: Duration,
    /// Number of the first client, so that a later round draws other streams.
    pub client_base: u32,
    /// Length of a slice of the measured time.
    pub interval: Duration,
    /// Keep what happened on each shard by the millisecond, and never take the target for lost.
    pub trace_shards: bool,
    /// Keep a record of every write, of a round with this number.
    pub audit: Option<u32>,
    /// Follow every write by WAIT for so many replicas.
    pub wait: Option<u32>,
    /// Processors for the generator threads, in turn; none given, none pinned.
    pub pin: Vec<usize>,
}

/// Storing every key once.
#[derive(Debug, Clone)]
pub struct PreloadPlan {
    pub workload: Arc<Workload>,
    pub target: Target,
    pub threads: u32,
}

/// What a preload did.
#[derive(Debug, Clone)]
pub struct PreloadOutcome {
    /// Keys that the target has acknowledged.
    pub stored: u64,
    /// Keys that it has not, by class of error.
    pub errors: BTreeMap<String, u64>,
    pub elapsed: Duration,
    pub ended: Ended,
}

/// What the generator is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Connecting,
    WarmingUp,
    Measuring,
    /// Nothing new is sent; replies are waited for.
    Draining,
    Done,
}

/// A round as seen from another thread: counters for a progress bar, and the way to stop it.
#[derive(Debug, Default)]
pub struct Watch {
    stop: AtomicBool,
    phase: AtomicU8,
    /// Recorded operations so far; up to some milliseconds late.
    ops: AtomicU64,
    errors: AtomicU64,
    /// When the measured time began.
    measured_since: OnceLock<Instant>,
}

impl Watch {
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the round to end; what was measured until then is returned.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub fn ops(&self) -> u64 {
        self.ops.load(Ordering::Relaxed)
    }

    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Connecting,
            1 => Phase::WarmingUp,
            2 => Phase::Measuring,
            3 => Phase::Draining,
            _ => Phase::Done,
        }
    }

    /// When the measured time began; `None` before that.
    pub fn measured_since(&self) -> Option<Instant> {
        self.measured_since.get().copied()
    }

    /// The first generator thread that begins to measure says since when.
    pub(crate) fn begin_measuring(&self, since: Instant) {
        // The other threads say the same.
        let _ = self.measured_since.set(since);
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, ops: u64, errors: u64) {
        if ops > 0 {
            self.ops.fetch_add(ops, Ordering::Relaxed);
        }
        if errors > 0 {
            self.errors.fetch_add(errors, Ordering::Relaxed);
        }
    }
}

/// Raises a flag when it goes, also when that is because of a panic: another thread waits for it.
pub(crate) struct RaiseOnDrop<'a>(pub &'a AtomicBool);

impl Drop for RaiseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

//! Faults under load, and what is said of writes and replicas: what was done, and what clients saw of it.

use serde::{Deserialize, Serialize};

use super::{HistogramText, LatencyUs};

/// One fault, and what the cluster made of it. Times are seconds since the start of the round's measured time; one that
/// is absent was not seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultSeen {
    /// As the workload file spells it: "kill", "stop", ...
    pub kind: String,
    /// Whose primary it was done to; 0 owns the lowest slots.
    pub shard: u32,
    /// That primary.
    pub addr: String,
    pub at_s: f64,
    /// When the node was resumed, healed or started again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_s: Option<f64>,
    /// When a node first suspected it (PFAIL).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suspected_s: Option<f64>,
    /// When a node first held it for failed (FAIL).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed_s: Option<f64>,
    /// When a node first said that another one owns its slots.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub promoted_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub promoted_addr: Option<String>,
    /// How it was done, where that is not as asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
    /// Why it was not done, or not undone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
}

/// One fault in one round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultRun {
    pub round: u32,
    #[serde(flatten)]
    pub seen: FaultSeen,
    /// What clients saw of the shard from the fault on; none if there was no success after it, or none before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reads: Option<Outage>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub writes: Option<Outage>,
}

/// The longest time without a success after a fault, as clients saw it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// The last success before, in seconds of the round's measured time.
    pub from_s: f64,
    /// The first success after; none if there was none until the end of the round.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until_s: Option<f64>,
}

impl Outage {
    /// How long it was.
    pub fn seconds(&self) -> Option<f64> {
        Some(self.until_s? - self.from_s)
    }
}

/// One shard in one round: the slots that one node owned when it began, whoever owned them later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardRun {
    pub round: u32,
    pub shard: u32,
    /// Its primary when the round began.
    pub addr: String,
    pub slots: u32,
    /// Successful and failed operations.
    pub ops: u64,
    pub errors: u64,
    /// Successful operations a second before the first fault, and from it until all shards were served again.
    pub ops_per_sec_before: f64,
    pub ops_per_sec_through: f64,
    /// 99th percentile of latency in the same two times, to the nearest interval.
    pub p99_us_before: f64,
    pub p99_us_through: f64,
    /// Length of a bin of the two lists that follow.
    pub bin_s: f64,
    /// Successful operations by the time of their reply; their sum is `ops`.
    pub ok: Vec<u64>,
    /// Failed operations likewise; their sum is `errors`.
    pub failed: Vec<u64>,
}

/// What became of the writes of one round. `acknowledged` = `kept` + `lost` + `unknown`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRun {
    pub round: u32,
    /// Keys that were written.
    pub keys: u64,
    pub writes: u64,
    pub acknowledged: u64,
    /// Acknowledged, and what the key holds in the end is this write or a later one.
    pub kept: u64,
    /// Acknowledged, and what the key holds in the end is older.
    pub lost: u64,
    /// Acknowledged, and the key could not be read.
    pub unknown: u64,
    pub unacknowledged: u64,
    /// Not acknowledged, and yet what a key holds in the end.
    pub applied_unacknowledged: u64,
    /// Keys with lost writes that hold something older, and those that are gone.
    pub stale_keys: u64,
    pub missing_keys: u64,
    /// Keys that could not be read.
    pub unread_keys: u64,
}

/// A key with acknowledged writes that are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostKey {
    pub round: u32,
    pub key: String,
    pub slot: u16,
    /// "nothing", "an older write", "an older value".
    pub found: String,
    /// Acknowledged writes that are lost.
    pub lost: u64,
    /// When the last of them was acknowledged, on the clock of the round.
    pub last_acknowledged_ns: u64,
}

/// Reads from replicas, compared with what had been acknowledged before they were sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicaReads {
    /// Reads that replicas have answered.
    pub reads: u64,
    /// Those of them that returned something older than what had been acknowledged.
    pub stale: u64,
    /// Reads that a primary has answered, for want of a replica.
    pub from_primary: u64,
    /// Of the stale ones: the time from the first acknowledgement that they miss to the read.
    pub lag_us: LatencyUs,
    /// The histogram behind it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lag_histogram: Option<HistogramText>,
}

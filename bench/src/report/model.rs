//! The result model. Serialised with serde it is run.json, described by docs/run.schema.json; every other file,
//! picture and table is drawn from it, so that `loadgen report DIR` can draw them again.
//!
//! Units are last in names: `_us` microseconds, `_s` seconds, `_ns` nanoseconds, `_bytes` bytes; a `share` is 0 to 1.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::delivery::DeliveryRun;
use super::histogram::HistogramText;
use super::holds::HoldsRun;

mod cache;
mod comparison;
mod faults;
mod merged;

pub use cache::CacheRun;
pub use comparison::{Comparison, IntervalMethod, Metric, MetricComparison, RatioInterval, Verdict};
pub use faults::{AuditRun, FaultRun, FaultSeen, LostKey, Outage, ReplicaReads, ShardRun};
pub use merged::{GeneratorRun, MergedFrom};

/// The value of [`Report::schema`]; the number grows when a reader of an older one would go wrong.
pub const SCHEMA: &str = "slotmark-run/1";

/// One invocation: everything that was measured, on which machine, with which settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// When the run began, RFC 3339 in UTC.
    pub started_utc: String,
    /// The command line, passwords left out.
    pub command_line: Vec<String>,
    pub workload: WorkloadInfo,
    pub settings: Settings,
    pub environment: Environment,
    /// One entry for each engine, and for each step of a sweep: engine by engine, steps in order. In a comparison
    /// the engine under test comes first and the one it is compared with second.
    pub engines: Vec<EngineRun>,
    /// Filled by `--compare`: one for each step (one in all without a sweep).
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
    #[serde(default)]
    pub warnings: Vec<Warning>,
    pub ended: RunEnd,
    /// What `loadgen find-max` found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub find_max: Option<super::found::FindMax>,
    /// Filled by `loadgen merge`; none in a run as it was measured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub merged: Option<MergedFrom>,
}

/// What was asked of the engines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkloadInfo {
    pub name: String,
    /// The question the workload was written to answer.
    #[serde(default)]
    pub question: String,
    /// What its author expects to see.
    #[serde(default)]
    pub expectation: String,
    pub seed: u64,
    /// Hash of the operation stream, hexadecimal: equal hashes mean the same operations.
    pub stream_hash: String,
    /// Keys written before the measurement.
    #[serde(default)]
    pub preloaded_keys: u64,
    /// The specification as it ran, overrides applied.
    #[serde(default)]
    pub spec: serde_json::Value,
}

/// How the load was offered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub clients: u32,
    pub threads: u32,
    /// Operations a client keeps outstanding.
    pub pipeline: u32,
    /// Rounds on each engine.
    pub rounds: u32,
    /// Length of one round, when bounded by time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration_s: Option<f64>,
    /// Operations of one round, when bounded by count.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub requests: Option<u64>,
    pub warmup_s: f64,
    /// "closed", "constant" or "poisson".
    #[serde(default = "closed")]
    pub arrivals: String,
    /// Operations a second that were asked for, at the start of an open loop.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rate: Option<f64>,
    /// RESP version spoken, 2 or 3.
    pub protocol: u8,
    /// Primaries of the cluster; 1 in standalone mode.
    pub nodes: u32,
    pub replicas: u32,
    pub cluster: bool,
    /// True when the engines were started for this run, false for an existing target.
    pub launched: bool,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn closed() -> String {
    "closed".to_owned()
}

/// The machine the generator ran on, and the generator itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Model name of the processor.
    pub cpu: String,
    /// Cores that may be used.
    pub cores: u32,
    pub memory_bytes: u64,
    /// Operating system's name and version.
    pub os: String,
    pub kernel: String,
    /// "kvm", "docker", ...; none on bare metal or when unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub virtualization: Option<String>,
    pub loadgen_version: String,
    /// Commit the generator was built from; "unknown" outside a repository.
    pub commit: String,
    /// "release", "debug", ...
    pub build_profile: String,
    #[serde(default)]
    pub noise: Noise,
}

/// What else the machine was doing; absent figures could not be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// One-minute load average just before the first round.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub load_average_before: Option<f64>,
    /// Share of all cores' time that the hypervisor took away during the rounds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub steal_share: Option<f64>,
    /// Share of all cores' time used by processes other than the generator and the engines during the rounds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub other_cpu_share: Option<f64>,
}

/// What the driver knows of an engine before it measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// "slotmark", "redis", "valkey", or the file name of the program given by path.
    pub engine: String,
    /// Version as the engine reports it.
    pub version: String,
    /// The step of a sweep this is, if the workload is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<Step>,
}

impl EngineInfo {
    /// "redis 7.0.15", with the step if there is one: "redis 7.0.15, pipeline 16".
    pub fn label(&self) -> String {
        match &self.step {
            Some(step) => format!("{}, {step}", self.name()),
            None => self.name(),
        }
    }

    /// "redis 7.0.15", whatever the step.
    pub fn name(&self) -> String {
        format!("{} {}", self.engine, self.version).trim_end().to_owned()
    }

    /// A name for files: "redis", "redis-pipeline-16"; only letters, digits, dots, dashes and underscores.
    pub fn file_stem(&self) -> String {
        let name = match &self.step {
            Some(step) => format!("{}-{}-{}", self.engine, step.parameter, step.value),
            None => self.engine.clone(),
        };
        name.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "._-".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect()
    }
}

/// One point of a sweep, e.g. pipeline depth 16.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub parameter: String,
    pub value: u64,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.parameter, self.value)
    }
}

/// What the driver knows of one round besides its outcome.
#[derive(Debug, Clone, Default)]
pub struct RoundContext {
    /// When the measured time of the round began, in ms since the Unix epoch.
    pub started_unix_ms: u64,
    /// Server processes over the measured time; empty when the target's processes cannot be seen.
    pub servers: Vec<ServerUse>,
    /// Faults that were done to the target in it.
    pub faults: Vec<FaultSeen>,
    /// What became of its writes, if that was asked for.
    pub audit: Option<AuditRun>,
    /// Keys that the target has evicted from the start of the round, warm-up included, to its end.
    pub evicted_keys: Option<u64>,
}

/// One server process over one round.
#[derive(Debug, Clone, Default)]
pub struct ServerUse {
    /// "host:port", as in the outcome's nodes.
    pub addr: String,
    /// User and system time it used over the measured time.
    pub cpu: Duration,
    /// Resident memory at the end of the round.
    pub rss_bytes: u64,
}

/// All that was measured on one engine (at one step of a sweep), all rounds merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineRun {
    #[serde(flatten)]
    pub info: EngineInfo,
    /// Successful operations; a redirected one counts once, a failed one not at all.
    pub ops: u64,
    /// Measured wall time, all rounds together.
    pub seconds: f64,
    pub ops_per_sec: f64,
    /// Failed operations by class.
    pub errors: BTreeMap<String, u64>,
    pub redirects: Redirects,
    pub retries: u64,
    pub reconnects: u64,
    /// Operations answered with nil: their key was not there.
    #[serde(default)]
    pub misses: u64,
    /// How a cache has answered, of a workload that fills it when a read misses.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cache: Option<CacheRun>,
    /// How much the clock of the latencies was off against the system's, in parts per million; of the worst round.
    #[serde(default)]
    pub clock_drift_ppm: f64,
    /// Bytes read from and written to the engine.
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// From the write of an operation in a closed loop; from when it was due in an open one (response time).
    pub latency_us: LatencyUs,
    /// The histogram behind the latency; absent in runs of older versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub histogram: Option<HistogramText>,
    /// Latency by percentile, enough points to draw it.
    pub latency_curve: Vec<CurvePoint>,
    /// From the write, in an open loop (service time).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service_us: Option<LatencyUs>,
    /// The histogram behind the service time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service_histogram: Option<HistogramText>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub service_curve: Vec<CurvePoint>,
    /// What became of the schedule of an open loop.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub open_loop: Option<OpenLoopRun>,
    /// Longest latency the histograms hold; a longer one is recorded as this. None if they grow as needed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub latency_limit_us: Option<f64>,
    pub commands: Vec<CommandRun>,
    pub nodes: Vec<NodeRun>,
    /// What was done to the target on purpose, and what it made of it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub faults: Vec<FaultRun>,
    /// In a run with faults: what clients saw of each shard.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub shards: Vec<ShardRun>,
    /// What ran beside the load, and the load before it and with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beside: Option<super::beside::BesideRun>,
    /// How far replicas lagged, when they were read from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replica_reads: Option<ReplicaReads>,
    /// Keys that clients held as their own, and whether two ever held one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub holds: Option<HoldsRun>,
    /// What became of what was sent to receivers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivery: Option<DeliveryRun>,
    /// Calls of scripts that were answered with NOSCRIPT and sent again in full.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub unknown_scripts: u64,
    /// What became of the writes, round by round, with `--audit`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub audits: Vec<AuditRun>,
    /// Operations by slot, slots without any left out, ascending.
    pub slots: Vec<SlotOps>,
    pub intervals: Vec<IntervalRun>,
    pub rounds: Vec<RoundRun>,
    pub server: ServerFigures,
    pub client: ClientFigures,
}

/// The schedule of an open loop: `scheduled` = successful + failed + `missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenLoopRun {
    /// Operations that were due.
    pub scheduled: u64,
    pub scheduled_per_sec: f64,
    /// Operations that were due and never sent.
    pub missed: u64,
    /// Successful operations that were written more than a millisecond after they were due.
    pub late: u64,
    /// How long after they were due the generator took operations up: its own part of the latency.
    pub delay_us: LatencyUs,
    /// The histogram behind the delay.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delay_histogram: Option<HistogramText>,
}

/// Redirects followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirects {
    pub moved: u64,
    pub ask: u64,
}

/// Latency of successful operations in microseconds; all zero when there were none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencyUs {
    pub min: f64,
    pub mean: f64,
    pub stddev: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub p999: f64,
    pub p9999: f64,
    pub max: f64,
}

/// `percentile` percent of the operations took `us` microseconds or less.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    pub percentile: f64,
    pub us: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandRun {
    pub name: String,
    pub ops: u64,
    pub ops_per_sec: f64,
    pub latency_us: LatencyUs,
    /// The histogram behind the latency; absent in runs of older versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub histogram: Option<HistogramText>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service_us: Option<LatencyUs>,
    /// The histogram behind the service time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service_histogram: Option<HistogramText>,
    /// What the replies were, by the workload's counters: they add up to `ops`, or there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub replies: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRun {
    pub addr: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    pub ops: u64,
    pub ops_per_sec: f64,
    pub latency_us: LatencyUs,
    /// The histogram behind the latency; absent in runs of older versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub histogram: Option<HistogramText>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service_us: Option<LatencyUs>,
    /// The histogram behind the service time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service_histogram: Option<HistogramText>,
    /// CPU time of the node's process per operation it answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpu_ns_per_op: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rss_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotOps {
    pub slot: u16,
    pub ops: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntervalRun {
    /// Which round, from 0.
    pub round: u32,
    /// Since the beginning of the round's measured time.
    pub start_s: f64,
    pub length_s: f64,
    pub ops: u64,
    pub ops_per_sec: f64,
    pub errors: u64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    pub max_us: f64,
    /// Of the service time, in an open loop.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service_p99_us: Option<f64>,
}

/// The figures of one round, which the comparison pairs up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundRun {
    pub started_unix_ms: u64,
    pub seconds: f64,
    pub ops: u64,
    pub ops_per_sec: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// The histogram behind the latency; absent in runs of older versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub histogram: Option<HistogramText>,
    pub client_cpu_ns_per_op: f64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub server_cpu_ns_per_op: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub server_rss_bytes: Option<u64>,
    /// Of a workload that fills a cache.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cache: Option<CacheRun>,
}

/// All server processes together; absent when they cannot be seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerFigures {
    pub cpu_ns_per_op: Option<f64>,
    pub cpu_s: Option<f64>,
    /// Resident memory at the end of the last round.
    pub rss_bytes: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientFigures {
    pub cpu_ns_per_op: f64,
    pub cpu_s: f64,
}

/// Why a figure is suspect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable short name, e.g. "generator-saturated".
    pub code: String,
    /// Label of the engine concerned; none when it is the whole run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub engine: Option<String>,
    /// One or two sentences: what was seen and what it does to the figures.
    pub text: String,
}

/// How the run ended; anything but `completed` means that the figures are partial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunEnd {
    Completed,
    Interrupted,
    TargetLost { reason: String },
}

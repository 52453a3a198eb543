//! The result model. Serialised with serde it is run.json, described by docs/run.schema.json; every other file,
//! picture and table is drawn from it, so that `loadgen report DIR` can draw them again.
//!
//! Units are last in names: `_us` microseconds, `_s` seconds, `_ns` nanoseconds, `_bytes` bytes; a `share` is 0 to 1.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::histogram::HistogramText;

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
    /// Filled by `loadgen merge`; none in a run as it was measured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub merged: Option<MergedFrom>,
}

/// What a merged report was added up from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergedFrom {
    /// Share of the measured time in which all of them put on load.
    pub overlap_share: f64,
    pub generators: Vec<GeneratorRun>,
}

/// One of the runs that were added up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GeneratorRun {
    pub started_utc: String,
    /// When the measured time of its first round began, in ms since the Unix epoch.
    pub started_unix_ms: u64,
    pub command_line: Vec<String>,
    pub seed: u64,
    pub stream_hash: String,
    pub clients: u32,
    pub threads: u32,
    /// Model name of the processor of its machine, and the cores it might use.
    pub cpu: String,
    pub cores: u32,
    /// Successful operations, of all steps.
    pub ops: u64,
    /// Measured wall time, of all steps.
    pub seconds: f64,
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
}

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
    /// How far replicas lagged, when they were read from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replica_reads: Option<ReplicaReads>,
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
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lag_histogram: Option<HistogramText>,
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

/// One engine against another at one step, over paired rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<Step>,
    /// Label of the engine under test.
    pub engine: String,
    /// Label of the engine it is compared with.
    pub baseline: String,
    pub metrics: Vec<MetricComparison>,
}

/// One figure of both engines; `ratio` is engine / baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricComparison {
    pub metric: Metric,
    pub engine_value: f64,
    pub baseline_value: f64,
    /// Geometric mean of the ratios of the paired rounds.
    pub ratio: f64,
    /// Confidence interval of the ratio; none with fewer than two pairs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interval: Option<RatioInterval>,
    /// Paired rounds the ratio rests on.
    pub pairs: u32,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RatioInterval {
    pub low: f64,
    pub high: f64,
    /// E.g. 0.95.
    pub confidence: f64,
    pub method: IntervalMethod,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Percentiles of means of resampled log-ratios.
    Bootstrap,
    /// Student's t on the log-ratios: with under five pairs there is nothing to resample.
    StudentT,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Operations a second.
    Throughput,
    /// Percentiles of latency, µs. An interleaved comparison has only the 99th.
    P50,
    P90,
    P95,
    P99,
    P999,
    /// Longest latency, µs.
    Max,
    /// Mean latency, µs.
    Mean,
    /// Server CPU time per operation, ns.
    ServerCpu,
    /// Resident memory of all servers, bytes.
    Memory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The engine under test is better than the baseline.
    Better,
    Worse,
    /// The interval contains 1.
    NoDifferenceFound,
    /// Too few rounds for an interval.
    Undecided,
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

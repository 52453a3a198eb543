//! Two engines of one run against each other.

use serde::{Deserialize, Serialize};

use super::Step;

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
    /// Reads of a cache that found their key, 0 to 1; of workloads that fill one.
    HitRate,
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

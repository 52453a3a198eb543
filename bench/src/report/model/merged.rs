//! Where a report of `loadgen merge` comes from.

use serde::{Deserialize, Serialize};

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

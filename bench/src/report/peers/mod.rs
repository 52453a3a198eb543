//! Several engines under the same loads: the model (peers.json), and the tables of it.

use std::fmt;

use serde::Serialize;

use super::model::{EngineRun, Environment, Metric, RatioInterval};
use super::units;
use crate::stats::compare::paired;

mod csv;
mod markdown;

pub use csv::write_csv;
pub use markdown::markdown;

/// The value of [`PeersReport::schema`].
pub const SCHEMA: &str = "slotmark-peers/1";

/// One run of `loadgen bench-peers`.
#[derive(Clone, Debug, Serialize)]
pub struct PeersReport {
    pub schema: &'static str,
    /// RFC 3339 in UTC.
    pub started_utc: String,
    pub command_line: Vec<String>,
    pub environment: Environment,
    pub clients: u32,
    /// Rounds of each load on each engine, in turns.
    pub rounds: u32,
    pub round_s: f64,
    pub warmup_s: f64,
    /// With their versions; the first is compared with each of the others.
    pub engines: Vec<String>,
    pub data: Vec<DataRun>,
    /// A signal ended it before all was measured.
    pub interrupted: bool,
}

/// Keys that share a hash tag, where they do: as many as one MGET reads.
pub const TAGGED_KEYS: u32 = 10;

/// What an engine holds while it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Data {
    pub keys: u64,
    pub value_bytes: u32,
    /// Ten keys share a hash tag each.
    pub tagged: bool,
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = units::count(self.keys);
        write!(f, "{keys} keys, values of {} bytes", self.value_bytes)?;
        match self.tagged {
            true => write!(f, ", {TAGGED_KEYS} keys a hash tag"),
            false => Ok(()),
        }
    }
}

/// All loads over one set of data.
#[derive(Clone, Debug, Serialize)]
pub struct DataRun {
    #[serde(flatten)]
    pub data: Data,
    pub memory: Vec<MemoryUse>,
    pub cells: Vec<Cell>,
}

/// What the data takes in one engine: its figure with the data less that without, over the number of keys.
#[derive(Clone, Debug, Serialize)]
pub struct MemoryUse {
    pub engine: String,
    /// By INFO's used_memory, key and value included.
    pub used_bytes_a_key: Option<f64>,
    /// By the resident memory of the process.
    pub rss_bytes_a_key: Option<f64>,
}

/// One load on all engines.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    pub mix: String,
    pub pipeline: u32,
    pub runs: Vec<CellRun>,
}

/// One load on one engine.
#[derive(Clone, Debug, Serialize)]
pub struct CellRun {
    pub engine: String,
    pub ops: u64,
    pub ops_per_sec: f64,
    /// Operations for each second of the server's processor time.
    pub ops_per_cpu_sec: Option<f64>,
    pub p50_us: f64,
    pub p99_us: f64,
    /// How far the first engine is ahead in operations per second of processor time; 1 for itself.
    pub first_is_ahead: Option<f64>,
    pub interval: Option<RatioInterval>,
    /// `ops_per_cpu_sec` of each round.
    pub rounds: Vec<Option<f64>>,
}

impl CellRun {
    pub fn new(engine: String, run: &EngineRun, first: &EngineRun, seed: u64) -> Self {
        let per_cpu_second = |ns: Option<f64>| ns.filter(|ns| *ns > 0.0).map(|ns| 1e9 / ns);
        // More time an operation is less work in a second: the first is ahead by what the other takes longer.
        let ahead = paired(Metric::ServerCpu, run, first, seed);
        Self {
            engine,
            ops: run.ops,
            ops_per_sec: run.ops_per_sec,
            ops_per_cpu_sec: per_cpu_second(run.server.cpu_ns_per_op),
            p50_us: run.latency_us.p50,
            p99_us: run.latency_us.p99,
            first_is_ahead: ahead.map(|ahead| ahead.ratio),
            interval: ahead.and_then(|ahead| ahead.interval),
            rounds: run
                .rounds
                .iter()
                .map(|round| per_cpu_second(round.server_cpu_ns_per_op))
                .collect(),
        }
    }
}

//! Several generators before one server: the model (generators.json), and the tables of it.

use std::fmt;

use serde::Serialize;

use super::model::{Environment, RatioInterval};
use super::units;
use crate::stats::bootstrap::paired_ratio;

mod csv;
mod markdown;

pub use csv::write_csv;
pub use markdown::markdown;

/// The value of [`GeneratorsReport::schema`].
pub const SCHEMA: &str = "slotmark-generators/1";

/// One run of `loadgen bench-generators`.
#[derive(Clone, Debug, Serialize)]
pub struct GeneratorsReport {
    pub schema: &'static str,
    /// RFC 3339 in UTC.
    pub started_utc: String,
    pub command_line: Vec<String>,
    pub environment: Environment,
    /// The server that all of them load, with its version.
    pub server: String,
    pub keys: u64,
    pub value_bytes: u32,
    pub clients: u32,
    /// Rounds of each load by each generator, in turns.
    pub rounds: u32,
    /// How long the operations of a round that count take, about.
    pub round_s: f64,
    /// With their versions; the first is compared with each of the others.
    pub generators: Vec<String>,
    pub cells: Vec<Cell>,
    /// A signal ended it before all was measured.
    pub interrupted: bool,
}

/// One load by all generators.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    pub server_mode: Mode,
    /// GET or SET.
    pub load: String,
    pub pipeline: u32,
    pub runs: Vec<CellRun>,
}

/// How the server runs. As a cluster it has one node; redis-benchmark, which refuses such a cluster, takes it for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Cluster,
    Standalone,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cluster => "cluster",
            Self::Standalone => "standalone",
        })
    }
}

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "cluster" => Ok(Self::Cluster),
            "standalone" => Ok(Self::Standalone),
            _ => Err(format!("'{text}' is no mode: choose cluster or standalone")),
        }
    }
}

/// What one round says: the difference between a long run and a short one, so that what a generator does once, at its
/// start and its end, is in neither figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Round {
    /// Operations that the long run had more, by the server's count.
    pub ops: u64,
    /// Processor time that they took the generator, user and system, seconds.
    pub cpu_s: f64,
    /// Time that they took, seconds.
    pub time_s: f64,
}

impl Round {
    pub fn ops_per_cpu_sec(&self) -> f64 {
        self.ops as f64 / self.cpu_s
    }

    pub fn ops_per_sec(&self) -> f64 {
        self.ops as f64 / self.time_s
    }
}

/// One load by one generator.
#[derive(Clone, Debug, Serialize)]
pub struct CellRun {
    pub generator: String,
    /// Operations for each second of the generator's own processor time, over all rounds.
    pub ops_per_cpu_sec: f64,
    pub ops_per_sec: f64,
    /// How far the first generator is ahead in operations per second of its processor time; 1 for itself.
    pub ahead_by_cpu: Option<Ahead>,
    /// The same in operations per second.
    pub ahead_by_time: Option<Ahead>,
    pub rounds: Vec<Round>,
}

/// A ratio of the first generator to this one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ahead {
    pub ratio: f64,
    /// None of a single round.
    pub interval: Option<RatioInterval>,
}

impl fmt::Display for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&units::ratio(self.ratio))?;
        match self.interval {
            Some(interval) => write!(f, ", {:.2} - {:.2}", interval.low, interval.high),
            None => Ok(()),
        }
    }
}

impl CellRun {
    pub fn new(generator: String, rounds: &[Round], first: &[Round], seed: u64) -> Self {
        let ops: u64 = rounds.iter().map(|round| round.ops).sum();
        let sum = |of: fn(&Round) -> f64| rounds.iter().map(of).sum::<f64>();
        Self {
            generator,
            ops_per_cpu_sec: ops as f64 / sum(|round| round.cpu_s),
            ops_per_sec: ops as f64 / sum(|round| round.time_s),
            ahead_by_cpu: ahead(first, rounds, Round::ops_per_cpu_sec, seed),
            ahead_by_time: ahead(first, rounds, Round::ops_per_sec, seed),
            rounds: rounds.to_vec(),
        }
    }
}

fn ahead(first: &[Round], other: &[Round], figure: fn(&Round) -> f64, seed: u64) -> Option<Ahead> {
    let pairs: Vec<(f64, f64)> = first
        .iter()
        .zip(other)
        .map(|(a, b)| (figure(a), figure(b)))
        .collect();
    let estimate = paired_ratio(&pairs, seed)?;
    Some(Ahead {
        ratio: estimate.ratio,
        interval: estimate.interval,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(ops: u64, cpu_s: f64) -> Round {
        Round {
            ops,
            cpu_s,
            time_s: 1.0,
        }
    }

    #[test]
    fn the_first_is_ahead_by_what_the_other_takes_longer() {
        let first = [round(1_000, 0.5), round(3_000, 1.5)];
        let other = [round(500, 0.5), round(1_500, 1.5)];
        let run = CellRun::new("other".to_owned(), &other, &first, 1);
        assert!((run.ops_per_cpu_sec - 1_000.0).abs() < 1e-9);
        assert!((run.ops_per_sec - 1_000.0).abs() < 1e-9);
        let cpu = run.ahead_by_cpu.unwrap();
        assert!((cpu.ratio - 2.0).abs() < 1e-9 && cpu.interval.is_some());
        assert!((run.ahead_by_time.unwrap().ratio - 2.0).abs() < 1e-9);
        let itself = CellRun::new("first".to_owned(), &first, &first, 1);
        assert_eq!(itself.ahead_by_cpu.map(|ahead| ahead.ratio), Some(1.0));
    }

    #[test]
    fn modes_have_names() {
        for mode in [Mode::Cluster, Mode::Standalone] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        assert!("sentinel".parse::<Mode>().is_err());
    }
}

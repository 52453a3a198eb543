//! What `loadgen find-max` found: the part of the model that only a search of rates has.

use serde::{Deserialize, Serialize};

use super::model::{EngineRun, Report};

/// A search for the highest rate that holds all objectives. The figures of each rate that was tried are an engine's
/// entry of their own, with the rate as its step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindMax {
    /// As they were given: "p99<1ms".
    pub objectives: Vec<String>,
    /// How close the answers were to be, as a share.
    pub resolution: f64,
    /// In the order of the engines.
    pub engines: Vec<FoundRate>,
    /// First engine's answer / second's, if both have a confirmed one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ratio: Option<f64>,
}

/// One engine's answer; rates in operations a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundRate {
    /// "redis 7.0.15".
    pub engine: String,
    /// What a closed loop of the same clients got through.
    pub ceiling: f64,
    /// The highest rate that held; none if no rate did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<u64>,
    /// 0.9 of the answer held and 1.2 of it failed, in trials after the search.
    pub confirmed: bool,
    /// In the order in which they were made.
    pub trials: Vec<Trial>,
}

/// A rate for a few seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Operations a second that were asked for.
    pub rate: u64,
    pub purpose: Purpose,
    /// The part of the rate that was kept up with.
    pub reached_share: f64,
    /// Response times.
    pub p50_us: f64,
    pub p99_us: f64,
    /// What each objective bounds: µs, or a share of operations.
    pub values: Vec<f64>,
    pub holds: bool,
    /// "holds", or what did not: "p99 1.32 ms".
    pub verdict: String,
}

/// Why a rate was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Bracket,
    Bisect,
    ConfirmBelow,
    ConfirmAbove,
}

impl FoundRate {
    /// The lowest rate above the answer that failed last.
    pub fn lowest_failed(&self) -> Option<u64> {
        let above = self.answer.unwrap_or(0);
        let failed = self
            .trials
            .iter()
            .filter(|trial| !trial.holds && trial.rate > above);
        failed.map(|trial| trial.rate).min()
    }
}

impl FindMax {
    /// Whether these are the figures of an answer.
    pub fn is_answer(&self, run: &EngineRun) -> bool {
        self.engines.iter().any(|found| {
            found.engine == run.info.name() && found.answer.is_some() && found.answer == rate_of(run)
        })
    }
}

/// The rate that was tried for this entry.
pub fn rate_of(run: &EngineRun) -> Option<u64> {
    run.info.step.as_ref().map(|step| step.value)
}

/// The figures of one engine at one rate.
pub fn run_at<'a>(report: &'a Report, engine: &str, rate: u64) -> Option<&'a EngineRun> {
    report
        .engines
        .iter()
        .find(|run| run.info.name() == engine && rate_of(run) == Some(rate))
}

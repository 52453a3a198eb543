//! Adding up finished runs of several generators that loaded one target at the same time.
//!
//! ```text
//!   run.json ... ──► source ──► refuse ──► engine (round by round, span for time) ──► Report, EngineLogs
//!   .hlog ...    ──► hlog::read ─────────► logs (tag by tag, span for time) ────────► lines of one log
//! ```
//! Counts are sums. Percentiles are read from added histograms. Rates are over the time from the first generator's
//! start to the last one's end, so a merged rate is never above what was carried; how much of that time all of them
//! were at work is said beside it.

mod course;
mod effects;
mod engine;
mod logs;
mod refuse;
mod report;
mod source;
mod span;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub use logs::{MergedLog, NamedLog, logs};
pub use refuse::difference;
pub use report::{Merged, carried, reports};
pub use source::Source;

use crate::report::histogram::HistogramError;

/// Overlap below which a merged rate says little.
pub const LITTLE_OVERLAP_SHARE: f64 = 0.9;

/// Why runs cannot be added up.
#[derive(Debug, Error)]
pub enum MergeError {
    #[error("give at least two files to add up")]
    TooFew,
    #[error("{first} and {second} are the same run: its operations would count twice")]
    SameRun { first: String, second: String },
    #[error(
        "{file} was written by an older version, without its histograms: add up the .hlog files beside it instead"
    )]
    NoHistograms { file: String },
    #[error("{file} loaded a cluster of its own, which no other generator can have loaded: use --target")]
    OwnTarget { file: String },
    #[error("{first} and {second} differ in {what}: {left} and {right}")]
    Differ {
        what: String,
        first: String,
        left: String,
        second: String,
        right: String,
    },
    #[error("{file}: {place}: the histogram cannot be read: {error}")]
    Histogram {
        file: String,
        place: String,
        error: HistogramError,
    },
    #[error("{file} does not say when its rounds began, so it cannot be laid beside others")]
    NoTimes { file: String },
}

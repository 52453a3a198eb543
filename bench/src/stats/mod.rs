//! What may be concluded from the figures.
//!
//! `bootstrap` puts an interval around the ratio of paired rounds, `compare` applies it to the figures worth comparing,
//! and `warn` names what makes a figure suspect. `unpaired` and `runs` do the same for two finished runs, `gate` says
//! whether conditions of `--fail-if` hold, and `baseline` names the run that a gate compares with. All of it works on the result model alone, so that a saved run can be
//! judged again.

pub mod baseline;
pub mod bootstrap;
pub mod compare;
pub mod gate;
pub mod runs;
pub mod student;
pub mod unpaired;
pub mod warn;

pub use compare::compare;
pub use warn::warnings;

use crate::report::model::Report;

/// Fills a report's comparisons (if it holds two engines over the same steps) and its warnings, replacing what was
/// there. The workload's seed also seeds the resampling, so that the same run always yields the same interval.
pub fn conclude(report: &mut Report) {
    report.comparisons = compare::all(report);
    report.warnings = warnings(report);
}

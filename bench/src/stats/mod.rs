//! What may be concluded from the figures.
//!
//! `bootstrap` puts an interval around the ratio of paired rounds, `compare` applies it to the figures worth comparing,
//! and `warn` names what makes a figure suspect. `unpaired` and `runs` do the same for two finished runs, `gate` says
//! whether conditions of `--fail-if` hold, and `baseline` names the run that a gate compares with. `slo` reads objectives
//! such as `p99<1ms`, and `found` doubts the answer of a search for them. All of it works on the result model alone, so that a saved run can be
//! judged again.

pub mod baseline;
pub mod bootstrap;
pub mod compare;
pub mod found;
pub mod gate;
pub mod runs;
pub mod slo;
pub mod student;
pub mod unpaired;
pub mod warn;

pub use compare::compare;
pub use warn::warnings;

use crate::report::model::Report;

/// Fills a report's comparisons (if it holds two engines over the same steps) and its warnings, replacing what was
/// there. The workload's seed also seeds the resampling, so that the same run always yields the same interval.
pub fn conclude(report: &mut Report) {
    // The trials of a search differ in rate between engines: its answers are what is compared.
    report.comparisons = match report.find_max {
        None => compare::all(report),
        Some(_) => Vec::new(),
    };
    report.warnings = warnings(report);
}

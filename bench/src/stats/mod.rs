//! What may be concluded from the figures.
//!
//! `bootstrap` puts an interval around the ratio of paired rounds, `compare` applies it to the figures worth comparing,
//! `slo` reads objectives such as `p99<1ms`, `found` doubts the answer of a search for them, and `warn` names what makes a figure suspect. All of it works on the result model alone, so that a saved run can be
//! judged again.

pub mod bootstrap;
pub mod compare;
pub mod found;
pub mod slo;
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

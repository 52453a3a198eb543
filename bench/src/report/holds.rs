//! Keys that clients held as their own: locks.

use serde::{Deserialize, Serialize};

use super::histogram::HistogramText;
use super::model::LatencyUs;
use super::outcome::Outcome;
use crate::load::HoldsOutcome;

/// What was held in the measured time, all rounds together: `taken` = `released` + `unreleased`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldsRun {
    pub taken: u64,
    /// Those whose release was answered.
    pub released: u64,
    /// Those whose release failed, or was never answered.
    pub unreleased: u64,
    /// Released later than the time to live allowed.
    pub outlived: u64,
    /// Holds, warm-up included, that began while another client certainly held the key.
    pub overlaps: u64,
    /// From the answer to the answer to the release.
    pub held_us: LatencyUs,
    /// The histogram behind that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub histogram: Option<HistogramText>,
}

/// All rounds together; none if nothing was held.
pub(super) fn holds(outcomes: &[Outcome]) -> Option<HoldsRun> {
    let mut rounds = outcomes.iter().filter_map(|outcome| outcome.holds.as_ref());
    let mut sum: HoldsOutcome = rounds.next()?.clone();
    rounds.for_each(|round| sum.add(round));
    Some(HoldsRun {
        taken: sum.taken,
        released: sum.released,
        unreleased: sum.unreleased,
        outlived: sum.outlived,
        overlaps: sum.overlaps,
        held_us: LatencyUs::from_ns(&sum.held),
        histogram: Some(HistogramText::encode(&sum.held)),
    })
}

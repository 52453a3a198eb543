//! What several generators have sent to receivers, and what their clients have held.
//!
//! Each has judged its own: that two clients of different generators held one key cannot be seen any more.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::MergeError;
use super::engine::{Part, optional_histograms};
use crate::measure::empty_histogram;
use crate::report::delivery::DeliveryRun;
use crate::report::histogram::HistogramText;
use crate::report::holds::HoldsRun;
use crate::report::model::LatencyUs;

/// The holds of all of them; none if nobody held anything.
pub(super) fn holds(parts: &[Part<'_>]) -> Result<Option<HoldsRun>, MergeError> {
    let all: Vec<&HoldsRun> = parts.iter().filter_map(|part| part.run.holds.as_ref()).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let held = optional_histograms(parts, "the holds", |run| run.holds.as_ref()?.histogram.as_ref())?;
    let held: Histogram<u64> = held.unwrap_or_else(empty_histogram);
    let sum = |figure: fn(&HoldsRun) -> u64| all.iter().map(|run| figure(run)).sum();
    Ok(Some(HoldsRun {
        taken: sum(|run| run.taken),
        released: sum(|run| run.released),
        unreleased: sum(|run| run.unreleased),
        outlived: sum(|run| run.outlived),
        overlaps: sum(|run| run.overlaps),
        held_us: LatencyUs::from_ns(&held),
        histogram: Some(HistogramText::encode(&held)),
    }))
}

/// The deliveries of all of them; none if nothing was received.
pub(super) fn delivery(parts: &[Part<'_>]) -> Result<Option<DeliveryRun>, MergeError> {
    let all: Vec<&DeliveryRun> = parts
        .iter()
        .filter_map(|part| part.run.delivery.as_ref())
        .collect();
    let Some(first) = all.first() else {
        return Ok(None);
    };
    let latency = optional_histograms(parts, "the deliveries", |run| {
        run.delivery.as_ref()?.histogram.as_ref()
    })?;
    let latency: Histogram<u64> = latency.unwrap_or_else(empty_histogram);
    let sum = |figure: fn(&DeliveryRun) -> u64| all.iter().map(|run| figure(run)).sum();
    let mut failed = BTreeMap::new();
    for (class, count) in all.iter().flat_map(|run| &run.failed) {
        *failed.entry(class.clone()).or_default() += count;
    }
    Ok(Some(DeliveryRun {
        takes: first.takes,
        receivers: sum(|run| run.receivers),
        sent: sum(|run| run.sent),
        expected: sum(|run| run.expected),
        delivered: sum(|run| run.delivered),
        left_over: sum(|run| run.left_over),
        lost: sum(|run| run.lost),
        repeated: sum(|run| run.repeated),
        unacknowledged: sum(|run| run.unacknowledged),
        foreign: sum(|run| run.foreign),
        failed,
        latency_us: LatencyUs::from_ns(&latency),
        histogram: Some(HistogramText::encode(&latency)),
    }))
}

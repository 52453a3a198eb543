//! What became of what the load sent to receivers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::histogram::HistogramText;
use super::model::LatencyUs;
use super::outcome::Outcome;
use crate::load::DeliveryOutcome;

/// Sends of the measured time, all rounds together: `expected` = `delivered` + `left_over` + `lost`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryRun {
    /// Whether an item goes to one receiver; else a message goes to all of its channel.
    pub takes: bool,
    /// Connections that receive.
    pub receivers: u64,
    /// Sends that were acknowledged.
    pub sent: u64,
    /// Copies of them that should arrive.
    pub expected: u64,
    /// Copies that did, each counted once.
    pub delivered: u64,
    /// Items that were in their list when all was over.
    pub left_over: u64,
    pub lost: u64,
    /// Copies that came again, or to a second receiver.
    pub repeated: u64,
    /// Copies that came of sends that were never acknowledged.
    pub unacknowledged: u64,
    /// Values that are of no send of the round.
    pub foreign: u64,
    /// Receivers' connections that broke, by class.
    pub failed: BTreeMap<String, u64>,
    /// From when a send was handed to its connection until it was read.
    pub latency_us: LatencyUs,
    /// The histogram behind the latency.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub histogram: Option<HistogramText>,
}

impl DeliveryRun {
    /// Whether the promise of a queue is broken: each item to exactly one receiver.
    pub fn is_violated(&self) -> bool {
        self.takes && self.lost + self.repeated > 0
    }
}

/// All rounds together; none if nothing was received.
pub(super) fn delivery(outcomes: &[Outcome]) -> Option<DeliveryRun> {
    let mut rounds = outcomes.iter().filter_map(|outcome| outcome.delivery.as_ref());
    let mut sum: DeliveryOutcome = rounds.next()?.clone();
    rounds.for_each(|round| sum.add(round));
    Some(DeliveryRun {
        takes: sum.takes,
        receivers: sum.receivers,
        sent: sum.sent,
        expected: sum.expected,
        delivered: sum.delivered,
        left_over: sum.left_over,
        lost: sum.lost,
        repeated: sum.repeated,
        unacknowledged: sum.unacknowledged,
        foreign: sum.foreign,
        failed: sum.failed,
        latency_us: LatencyUs::from_ns(&sum.latency),
        histogram: Some(HistogramText::encode(&sum.latency)),
    })
}

//! A run with receivers, locks and counters.

use std::collections::BTreeMap;

use super::{FAST, histogram, outcomes, report};
use crate::load::{DeliveryOutcome, HoldsOutcome};
use crate::report::model::{EngineInfo, EngineRun, Report};

/// Sends that were received beside the load, and locks that were held.
pub fn received() -> Report {
    let mut outcome = outcomes(FAST, 1, 8, 8).remove(0);
    let mut times = histogram();
    times.record_n(350_000, 990).expect("the histogram grows");
    times.record_n(2_000_000, 5).expect("the histogram grows");
    for command in &mut outcome.commands {
        let miss = command.ops / 50;
        command.replies = BTreeMap::from([("hit".to_owned(), command.ops - miss), ("miss".to_owned(), miss)]);
    }
    outcome.unknown_scripts = 12;
    outcome.holds = Some(HoldsOutcome {
        taken: 996,
        released: 995,
        unreleased: 1,
        outlived: 0,
        overlaps: 0,
        held: times.clone(),
    });
    outcome.delivery = Some(DeliveryOutcome {
        takes: true,
        receivers: 64,
        sent: 1000,
        expected: 1000,
        delivered: 995,
        left_over: 5,
        lost: 0,
        repeated: 0,
        unacknowledged: 1,
        foreign: 0,
        failed: BTreeMap::from([("CLOSED".to_owned(), 2)]),
        latency: times,
    });
    let info = EngineInfo {
        engine: "slotmark".to_owned(),
        version: "0.1.0".to_owned(),
        step: None,
    };
    report("queue", vec![EngineRun::from_outcomes(info, &[outcome], &[])])
}

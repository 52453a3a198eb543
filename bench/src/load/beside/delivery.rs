//! What became of what was sent to receivers: each item exactly once to one of them, or each message to every one.

use std::collections::{BTreeMap, HashMap};

use hdrhistogram::Histogram;

use super::super::writes::{Write, WriteId, WriteLog};
use super::receivers::{Item, Received};
use crate::measure::empty_histogram;

/// Sends of the measured time, and where they are: `expected` = `delivered` + `left_over` + `lost`.
#[derive(Debug, Clone)]
pub struct DeliveryOutcome {
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
    /// Values that are of no send of this round.
    pub foreign: u64,
    /// Receivers' connections that broke, by class.
    pub failed: BTreeMap<String, u64>,
    /// From when a send was handed to its connection until it was read, of those that were delivered.
    pub latency: Histogram<u64>,
}

impl DeliveryOutcome {
    /// Adds another round's.
    pub fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.expected += other.expected;
        self.delivered += other.delivered;
        self.left_over += other.left_over;
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.unacknowledged += other.unacknowledged;
        self.foreign += other.foreign;
        for (class, count) in &other.failed {
            *self.failed.entry(class.clone()).or_default() += count;
        }
        // The sum grows as needed, so adding cannot fail.
        let added = self.latency.add(&other.latency);
        debug_assert!(added.is_ok());
    }
}

/// Compares what was sent with what was received. `copies` is how many receivers each message should reach.
pub(in crate::load) fn judge(
    received: Received,
    takes: bool,
    copies: u64,
    logs: &[WriteLog],
) -> DeliveryOutcome {
    let log_of: HashMap<u32, &WriteLog> = logs.iter().map(|log| (log.number, log)).collect();
    let counts = |write: &&Write| write.measured && write.is_acknowledged();
    let sent = logs.iter().flat_map(|log| &log.writes).filter(counts).count() as u64;
    let mut outcome = DeliveryOutcome {
        takes,
        receivers: received.items.len() as u64,
        sent,
        expected: sent * copies,
        delivered: 0,
        left_over: 0,
        lost: 0,
        repeated: 0,
        unacknowledged: 0,
        foreign: received.foreign,
        failed: received.failed,
        latency: empty_histogram(),
    };
    // Where one receiver takes an item from all others, a copy at any of them is a second one.
    let groups: Vec<Vec<Item>> = match takes {
        true => vec![received.items.into_iter().flatten().collect()],
        false => received.items,
    };
    // What lies in a list has been received by nobody, at no time.
    let left_over = received.left_over.into_iter().map(|id| (id, None));
    let mut left_over = Some(left_over);
    for group in groups {
        let items = group.into_iter().map(|(id, at_ns)| (id, Some(at_ns)));
        let mut copies: Vec<(WriteId, Option<u64>)> =
            items.chain(left_over.take().into_iter().flatten()).collect();
        // Of equal ones those without a time come first; what was received has been delivered, though.
        copies.sort_by_key(|&(id, at_ns)| (id, at_ns.is_none(), at_ns));
        let mut last = None;
        for (id, at_ns) in copies {
            let write = log_of
                .get(&id.log)
                .and_then(|log| log.writes.get(id.place as usize));
            let Some(write) = write else {
                outcome.foreign += 1;
                continue;
            };
            if !write.measured {
                continue;
            }
            if last.replace(id) == Some(id) {
                outcome.repeated += 1;
            } else if !write.is_acknowledged() {
                outcome.unacknowledged += 1;
            } else if let Some(at_ns) = at_ns {
                outcome.delivered += 1;
                // The histogram grows: nothing is too long for it.
                let recorded = outcome.latency.record(at_ns.saturating_sub(write.sent_ns).max(1));
                debug_assert!(recorded.is_ok());
            } else {
                outcome.left_over += 1;
            }
        }
    }
    outcome.lost = outcome
        .expected
        .saturating_sub(outcome.delivered + outcome.left_over);
    outcome
}

#[cfg(test)]
mod tests {
    use workloads::keys::KeyId;

    use super::*;

    /// A log of five sends at 100, 200, ...: the last but one was never acknowledged, the last was of the warm-up.
    fn log() -> WriteLog {
        let mut log = WriteLog::new(7);
        for place in 0..5u32 {
            let ticket = log.open(KeyId(1), place != 4);
            log.sent(ticket, 100 * u64::from(place + 1));
            if place != 3 {
                log.acknowledged(ticket, 1000);
            }
        }
        log
    }

    fn id(place: u32) -> WriteId {
        WriteId { log: 7, place }
    }

    fn judged(takes: bool, items: &[&[u32]], left_over: &[u32]) -> DeliveryOutcome {
        let items = items
            .iter()
            .map(|places| places.iter().map(|&place| (id(place), 900)).collect());
        let received = Received {
            items: items.collect(),
            left_over: left_over.iter().map(|&place| id(place)).collect(),
            ..Received::default()
        };
        let copies = if takes { 1 } else { received.items.len() as u64 };
        let outcome = judge(received, takes, copies, &[log()]);
        assert_eq!(
            outcome.expected,
            outcome.delivered + outcome.left_over + outcome.lost,
            "{outcome:?}"
        );
        assert_eq!(outcome.latency.len(), outcome.delivered);
        outcome
    }

    #[test]
    fn every_item_is_somewhere_once() {
        let got = judged(true, &[&[0, 4], &[1]], &[2]);
        assert_eq!((got.sent, got.delivered, got.left_over, got.lost), (3, 2, 1, 0));
        assert_eq!((got.repeated, got.unacknowledged, got.latency.max()), (0, 0, 800));
    }

    #[test]
    fn what_is_missing_or_comes_twice_is_seen() {
        assert_eq!(judged(true, &[&[0], &[]], &[2]).lost, 1);
        assert_eq!(judged(true, &[&[0, 1], &[1, 2]], &[]).repeated, 1);
        // Popped, and still there.
        let got = judged(true, &[&[0, 1, 2]], &[1]);
        assert_eq!((got.delivered, got.left_over, got.repeated), (3, 0, 1));
        assert_eq!(judged(true, &[&[0, 1, 2, 3]], &[]).unacknowledged, 1);
    }

    #[test]
    fn a_message_goes_to_all_and_to_each_once() {
        let got = judged(false, &[&[0, 1, 2], &[0, 1, 2]], &[]);
        assert_eq!(
            (got.expected, got.delivered, got.lost, got.repeated),
            (6, 6, 0, 0)
        );
        let got = judged(false, &[&[0, 1, 1], &[0, 1, 2]], &[]);
        assert_eq!((got.delivered, got.lost, got.repeated), (5, 1, 1));
    }

    #[test]
    fn values_of_others_are_foreign() {
        let received = Received {
            items: vec![vec![(WriteId { log: 9, place: 0 }, 5), (id(77), 5)]],
            ..Received::default()
        };
        assert_eq!(judge(received, true, 1, &[log()]).foreign, 2);
    }
}

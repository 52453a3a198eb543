//! How far a replica's answers lag behind what has been acknowledged.
//!
//! A read is stale when what it returned is certainly older than a write of the same key that had been acknowledged
//! before the read was sent. The lag is the time from that acknowledgement (the first of them that is missing) to the
//! read: so long the replica has been behind for this key, at least.

use std::collections::HashMap;

use hdrhistogram::Histogram;
use workloads::keys::KeyId;

use super::writes::{WriteId, WriteLog};
use crate::measure::empty_histogram;

/// Acknowledged writes of one thread, by key, and the reads that were compared with them.
#[derive(Debug)]
pub(super) struct Staleness {
    /// Tickets in the order of their acknowledgement.
    acknowledged: HashMap<KeyId, Vec<u32>>,
    seen: StalenessOutcome,
}

/// What the reads of a round came to.
#[derive(Debug, Clone)]
pub struct StalenessOutcome {
    /// Reads that replicas have answered.
    pub reads: u64,
    /// Reads that a primary has answered, for want of a replica: they are compared with nothing.
    pub from_primary: u64,
    /// Reads that returned something older than what had been acknowledged.
    pub stale: u64,
    /// By how much, in nanoseconds, of the stale ones.
    pub lag: Histogram<u64>,
}

impl StalenessOutcome {
    pub(super) fn new() -> Self {
        Self {
            reads: 0,
            from_primary: 0,
            stale: 0,
            lag: empty_histogram(),
        }
    }

    /// Adds another thread's, or round's.
    pub fn add(&mut self, other: &Self) {
        self.reads += other.reads;
        self.from_primary += other.from_primary;
        self.stale += other.stale;
        // The sum grows as needed, so adding cannot fail.
        let added = self.lag.add(&other.lag);
        debug_assert!(added.is_ok());
    }
}

impl Staleness {
    pub fn new() -> Self {
        Self {
            acknowledged: HashMap::new(),
            seen: StalenessOutcome::new(),
        }
    }

    pub fn acknowledged(&mut self, key: KeyId, ticket: u32) {
        self.acknowledged.entry(key).or_default().push(ticket);
    }

    pub fn answered_by_primary(&mut self) {
        self.seen.from_primary += 1;
    }

    /// A replica has answered a read that was sent at `sent_ns`.
    pub fn answered(&mut self, key: KeyId, value: &[u8], sent_ns: u64, log: &WriteLog) {
        self.seen.reads += 1;
        let Some(tickets) = self.acknowledged.get(&key) else {
            return;
        };
        // A value that is of no write of this round was there before all of them.
        let held = WriteId::of(value).filter(|id| id.log == log.number);
        let since_ns = match held.and_then(|id| log.writes.get(id.place as usize)) {
            Some(held) if !held.is_acknowledged() => return,
            Some(held) => held.acknowledged_ns,
            None => 0,
        };
        let mut first_missing_ns = None;
        for &ticket in tickets.iter().rev() {
            let write = &log.writes[ticket as usize];
            if write.acknowledged_ns <= since_ns {
                break;
            }
            if write.acknowledged_ns < sent_ns && write.sent_ns > since_ns {
                first_missing_ns = Some(write.acknowledged_ns);
            }
        }
        if let Some(missing_ns) = first_missing_ns {
            self.seen.stale += 1;
            // The histogram grows: no lag is too long for it.
            let recorded = self.seen.lag.record((sent_ns - missing_ns).max(1));
            debug_assert!(recorded.is_ok());
        }
    }

    pub fn finish(self) -> StalenessOutcome {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: KeyId = KeyId(1);

    fn log(writes: &[(u64, u64)]) -> (WriteLog, Staleness) {
        let mut log = WriteLog::new(9);
        let mut staleness = Staleness::new();
        for &(sent_ns, acknowledged_ns) in writes {
            let ticket = log.open(KEY, true);
            log.sent(ticket, sent_ns);
            log.acknowledged(ticket, acknowledged_ns);
            staleness.acknowledged(KEY, ticket);
        }
        (log, staleness)
    }

    fn value(place: u32) -> [u8; 16] {
        WriteId { log: 9, place }.stamp()
    }

    #[test]
    fn the_lag_runs_from_the_first_acknowledgement_that_is_missing() {
        let (log, mut staleness) = log(&[(10, 20), (30, 40), (50, 60)]);
        staleness.answered(KEY, &value(0), 100, &log);
        let seen = staleness.finish();
        assert_eq!((seen.reads, seen.stale, seen.lag.max()), (1, 1, 60));
    }

    #[test]
    fn what_was_acknowledged_after_the_read_was_sent_may_be_missing() {
        let (log, mut staleness) = log(&[(10, 20), (30, 40)]);
        staleness.answered(KEY, &value(0), 35, &log);
        staleness.answered(KEY, &value(1), 100, &log);
        assert_eq!(staleness.finish().stale, 0);
    }

    #[test]
    fn overlapping_writes_may_come_in_either_order() {
        let (log, mut staleness) = log(&[(10, 40), (20, 45)]);
        staleness.answered(KEY, &value(0), 100, &log);
        staleness.answered(KEY, &value(1), 100, &log);
        assert_eq!(staleness.finish().stale, 0);
    }

    #[test]
    fn a_value_from_before_the_round_is_older_than_every_write() {
        let (log, mut staleness) = log(&[(10, 20)]);
        staleness.answered(KEY, b"what the preload has stored", 90, &log);
        staleness.answered(KEY, b"", 15, &log);
        staleness.answered(KeyId(2), b"", 90, &log);
        let seen = staleness.finish();
        assert_eq!((seen.reads, seen.stale, seen.lag.max()), (3, 1, 70));
    }
}

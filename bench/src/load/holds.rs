//! Who held which key from when to when: the audit of locks.
//!
//! A client certainly holds its key from the moment when it reads that it has got it until it hands the release to a
//! connection, or until the time to live is over, counted from when it asked: the server cannot have let go before. Two
//! such times that overlap on one key are two holders at one time, whatever the network did.

use std::collections::HashMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use workloads::keys::KeyId;

use crate::measure::empty_histogram;

/// Not handed to a connection, or not answered.
const NEVER: u64 = u64::MAX;

/// A key that a client has got.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub key: KeyId,
    /// When the client asked, and when it read that it has it.
    pub sent_ns: u64,
    pub answered_ns: u64,
    /// The time to live.
    pub most: Duration,
    pub measured: bool,
}

#[derive(Debug, Clone, Copy)]
struct Hold {
    taken: Taken,
    /// When its release was handed to a connection, and when that was answered.
    release_sent_ns: u64,
    released_ns: u64,
}

impl Hold {
    /// Until when the client certainly holds the key.
    fn end_ns(&self) -> u64 {
        let expires_ns = self
            .taken
            .sent_ns
            .saturating_add(self.taken.most.as_nanos() as u64);
        self.release_sent_ns.min(expires_ns)
    }
}

/// Of one thread.
#[derive(Debug, Default)]
pub(super) struct Holds(Vec<Hold>);

impl Holds {
    /// Notes that a client has got a key; the ticket is for its release.
    pub fn taken(&mut self, taken: Taken) -> u32 {
        let ticket = self.0.len() as u32;
        self.0.push(Hold {
            taken,
            release_sent_ns: NEVER,
            released_ns: NEVER,
        });
        ticket
    }

    /// The release is handed to a connection; the first time counts.
    pub fn releasing(&mut self, ticket: u32, now_ns: u64) {
        if let Some(hold) = self.0.get_mut(ticket as usize) {
            hold.release_sent_ns = hold.release_sent_ns.min(now_ns);
        }
    }

    pub fn released(&mut self, ticket: u32, now_ns: u64) {
        if let Some(hold) = self.0.get_mut(ticket as usize) {
            hold.released_ns = now_ns;
        }
    }
}

/// What the holds of a round came to.
#[derive(Debug, Clone)]
pub struct HoldsOutcome {
    /// Keys that were got in the measured time: `taken` = `released` + `unreleased`.
    pub taken: u64,
    /// Those whose release was answered.
    pub released: u64,
    /// Those whose release failed, or was never answered.
    pub unreleased: u64,
    /// Released later than their time to live allowed, counted from when they were asked for.
    pub outlived: u64,
    /// Holds, warm-up included, that began while another client certainly held the key.
    pub overlaps: u64,
    /// From the answer to the answer to the release, of those that were released.
    pub held: Histogram<u64>,
}

impl HoldsOutcome {
    pub(super) fn new() -> Self {
        Self {
            taken: 0,
            released: 0,
            unreleased: 0,
            outlived: 0,
            overlaps: 0,
            held: empty_histogram(),
        }
    }

    /// Adds another round's.
    pub fn add(&mut self, other: &Self) {
        self.taken += other.taken;
        self.released += other.released;
        self.unreleased += other.unreleased;
        self.outlived += other.outlived;
        self.overlaps += other.overlaps;
        // The sum grows as needed, so adding cannot fail.
        let added = self.held.add(&other.held);
        debug_assert!(added.is_ok());
    }
}

/// Judges the holds of all threads.
pub(super) fn judge(threads: &[Holds]) -> HoldsOutcome {
    let mut outcome = HoldsOutcome::new();
    let mut by_key: HashMap<KeyId, Vec<&Hold>> = HashMap::new();
    for hold in threads.iter().flat_map(|holds| &holds.0) {
        by_key.entry(hold.taken.key).or_default().push(hold);
        if !hold.taken.measured {
            continue;
        }
        outcome.taken += 1;
        if hold.released_ns == NEVER {
            outcome.unreleased += 1;
            continue;
        }
        outcome.released += 1;
        outcome.outlived += u64::from(hold.end_ns() < hold.release_sent_ns);
        let held_ns = hold.released_ns.saturating_sub(hold.taken.answered_ns);
        // The histogram grows: nothing is too long for it.
        let recorded = outcome.held.record(held_ns.max(1));
        debug_assert!(recorded.is_ok());
    }
    outcome.overlaps = by_key.into_values().map(overlaps).sum();
    outcome
}

/// Holds of one key that began before one that began earlier had certainly ended.
fn overlaps(mut holds: Vec<&Hold>) -> u64 {
    // One whose time was over when its client read of it held nothing.
    holds.retain(|hold| hold.end_ns() > hold.taken.answered_ns);
    holds.sort_by_key(|hold| hold.taken.answered_ns);
    let mut held_until_ns = 0;
    let mut overlaps = 0;
    for hold in holds {
        overlaps += u64::from(hold.taken.answered_ns < held_until_ns);
        held_until_ns = held_until_ns.max(hold.end_ns());
    }
    overlaps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds of keys: (key, asked, answered, release handed over, release answered), with a time to live of 1000.
    fn judged(holds: &[(u64, u64, u64, u64, u64)]) -> HoldsOutcome {
        let mut threads = [Holds::default(), Holds::default()];
        for (at, &(key, sent_ns, answered_ns, releasing_ns, released_ns)) in holds.iter().enumerate() {
            let thread = &mut threads[at % 2];
            let ticket = thread.taken(Taken {
                key: KeyId(key),
                sent_ns,
                answered_ns,
                most: Duration::from_nanos(1000),
                measured: true,
            });
            if releasing_ns != NEVER {
                thread.releasing(ticket, releasing_ns);
            }
            if released_ns != NEVER {
                thread.released(ticket, released_ns);
            }
        }
        judge(&threads)
    }

    #[test]
    fn one_after_the_other_is_no_overlap() {
        // The second is answered before the first has read the answer to its release.
        let got = judged(&[(1, 0, 10, 20, 50), (1, 5, 30, 40, 60), (2, 0, 15, 25, 70)]);
        assert_eq!(
            (got.taken, got.released, got.unreleased, got.overlaps),
            (3, 3, 0, 0)
        );
        assert_eq!((got.held.len(), got.held.max()), (3, 55));
    }

    #[test]
    fn two_holders_at_one_time_are_seen() {
        let got = judged(&[(1, 0, 10, 100, 110), (1, 5, 30, 40, 60), (1, 6, 35, 36, 70)]);
        assert_eq!(got.overlaps, 2);
        assert_eq!(
            judged(&[(1, 0, 10, NEVER, NEVER), (1, 500, 600, 700, 800)]).overlaps,
            1
        );
    }

    #[test]
    fn a_time_to_live_ends_a_hold_and_is_counted_from_the_asking() {
        let got = judged(&[(1, 0, 10, NEVER, NEVER), (1, 900, 1001, 1010, 1020)]);
        assert_eq!((got.overlaps, got.unreleased), (0, 1));
        let got = judged(&[(1, 0, 10, 5000, 5001), (1, 900, 1001, 1010, 1020)]);
        assert_eq!((got.overlaps, got.outlived), (0, 1));
        // What is read of after its end held nothing.
        assert_eq!(
            judged(&[(1, 0, 2000, 2500, 2600), (1, 0, 2100, 2200, 2300)]).overlaps,
            0
        );
    }
}

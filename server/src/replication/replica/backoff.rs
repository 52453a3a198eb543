//! How long to wait before the next attempt.

use std::time::Duration;

use super::fault::Fault;

/// The first pause after a failure: a primary of a cluster that has just been started is there in a moment.
const FIRST: Duration = Duration::from_millis(50);

/// The longest pause, as stock's only one.
const LONGEST: Duration = Duration::from_secs(1);

/// The first and the longest pause after a full synchronisation that failed here: each costs the primary a whole RDB.
const COSTLY_FIRST: Duration = Duration::from_secs(1);
const COSTLY_LONGEST: Duration = Duration::from_secs(30);

/// Counts failures in a row. A link that works ends the row.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
    costly_failures: u32,
}

impl Backoff {
    /// The pause after this failure. A link that had worked is tried again at once.
    pub fn pause(&mut self, fault: &Fault, had_worked: bool) -> Duration {
        if fault.is_costly() {
            self.costly_failures += 1;
            return doubled(COSTLY_FIRST, self.costly_failures - 1).min(COSTLY_LONGEST);
        }
        if had_worked {
            *self = Self::default();
            return Duration::ZERO;
        }
        self.failures += 1;
        doubled(FIRST, self.failures - 1).min(LONGEST)
    }

    /// Another primary, or a link that works.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1 << times.min(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_a_link_that_worked_starts_anew() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..8)
            .map(|_| backoff.pause(&Fault::Refused, false).as_millis())
            .collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000, 1000]);
        assert_eq!(backoff.pause(&Fault::Closed, true), Duration::ZERO);
        assert_eq!(backoff.pause(&Fault::Refused, false), FIRST);
        let costly = || Fault::Load("a list".into());
        let pauses: Vec<u64> = (0..7)
            .map(|_| backoff.pause(&costly(), false).as_secs())
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
    }
}

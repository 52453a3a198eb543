//! The 24 bits in which an entry remembers its accesses, in one of two ways: with an LFU policy how often it is
//! accessed, else when it was last.
//!
//! ```text
//! last access   24 bits: seconds, the low bits of unix time
//! frequency     16 bits: minutes, the low bits of unix time, of the last decay | 8 bits: a logarithmic counter
//! ```
//!
//! The counter is Morris's: it grows with a probability that falls as it rises, so that 8 bits count millions, and it
//! is lowered by one for every so many minutes that pass. Which way is in force is a setting of the process, since a slot
//! has no room to say it; whoever changes it leaves the bits of the other way in the entries, as stock does, until they
//! are accessed.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::header::CLOCK_MASK;

/// The counter of a new entry: were it 0, a new entry would be the first to go.
const INITIAL: u8 = 5;

/// How accesses are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessRule {
    /// When the last one was.
    Recency,
    /// How many there are.
    Frequency {
        /// `lfu-log-factor`, at most `i32::MAX`.
        log_factor: u32,
        /// `lfu-decay-time`, at most `i32::MAX`: minutes in which the counter falls by one; 0: it never does.
        decay_minutes: u32,
    },
}

const FREQUENCY: u64 = 1 << 63;
const PARAMETER: u64 = (1 << 31) - 1;

/// The rule in one word, read at every access: a cache line of its own, so that it stays with all threads.
#[repr(align(128))]
struct Current(AtomicU64);

/// Zero is [`AccessRule::Recency`].
static CURRENT: Current = Current(AtomicU64::new(0));

/// Sets how accesses are remembered from now on.
pub fn set_access_rule(rule: AccessRule) {
    CURRENT.0.store(rule.encode(), Relaxed);
}

/// How accesses are remembered.
#[inline]
pub fn access_rule() -> AccessRule {
    AccessRule::decode(CURRENT.0.load(Relaxed))
}

impl AccessRule {
    fn encode(self) -> u64 {
        match self {
            Self::Recency => 0,
            Self::Frequency {
                log_factor,
                decay_minutes,
            } => {
                let parameter = |value| u64::from(value) & PARAMETER;
                FREQUENCY | parameter(log_factor) << 31 | parameter(decay_minutes)
            }
        }
    }

    #[inline]
    fn decode(word: u64) -> Self {
        if word & FREQUENCY == 0 {
            return Self::Recency;
        }
        Self::Frequency {
            log_factor: (word >> 31 & PARAMETER) as u32,
            decay_minutes: (word & PARAMETER) as u32,
        }
    }

    /// The bits of an entry that is new at `now`, unix time in milliseconds.
    #[inline]
    pub fn fresh(self, now: u64) -> u32 {
        match self {
            Self::Recency => seconds(now),
            Self::Frequency { .. } => counted(now, INITIAL),
        }
    }

    /// The bits after an access at `now`.
    #[inline]
    pub fn accessed(self, clock: u32, now: u64) -> u32 {
        match self {
            Self::Recency => seconds(now),
            Self::Frequency {
                log_factor,
                decay_minutes,
            } => {
                let counter = decayed(clock, now, decay_minutes);
                counted(now, grown(counter, log_factor, chance()))
            }
        }
    }

    /// The bits of an entry whose value is replaced: its accesses stay counted, and this was one of its time.
    #[inline]
    pub fn replaced(self, clock: u32, now: u64) -> u32 {
        match self {
            Self::Recency => seconds(now),
            Self::Frequency { .. } => clock,
        }
    }

    /// The counter after its decay.
    pub fn frequency(self, clock: u32, now: u64) -> u8 {
        match self {
            Self::Recency => decayed(clock, now, 0),
            Self::Frequency { decay_minutes, .. } => decayed(clock, now, decay_minutes),
        }
    }

    /// The bits of an entry of which somebody else tells when, or how often, it was accessed. What the rule does not ask
    /// for means nothing.
    pub fn told(self, idle_s: Option<u64>, frequency: Option<u8>, now: u64) -> u32 {
        match self {
            Self::Recency => seconds(now.saturating_sub(idle_s.unwrap_or(0).saturating_mul(1000))),
            Self::Frequency { .. } => frequency.map_or(self.fresh(now), |frequency| counted(now, frequency)),
        }
    }
}

/// Seconds since the access that the bits tell of, which were written by [`AccessRule::Recency`].
pub fn idle_s(clock: u32, now: u64) -> u64 {
    u64::from(seconds(now).wrapping_sub(clock) & CLOCK_MASK)
}

/// The low 24 bits of the second.
#[inline]
fn seconds(now: u64) -> u32 {
    (now / 1000) as u32 & CLOCK_MASK
}

/// The low 16 bits of the minute.
fn minutes(now: u64) -> u16 {
    (now / 60_000) as u16
}

fn counted(now: u64, counter: u8) -> u32 {
    u32::from(minutes(now)) << 8 | u32::from(counter)
}

fn decayed(clock: u32, now: u64, decay_minutes: u32) -> u8 {
    let (since, counter) = ((clock >> 8) as u16, clock as u8);
    if decay_minutes == 0 {
        return counter;
    }
    // A minute that lies ahead is one before the 16 bits began anew; as in stock that turn has 65535 minutes.
    let passed = match minutes(now).checked_sub(since) {
        Some(passed) => passed,
        None => u16::MAX - since + minutes(now),
    };
    let periods = u32::from(passed) / decay_minutes;
    counter.saturating_sub(u8::try_from(periods).unwrap_or(u8::MAX))
}

/// The counter after one more access; `chance` is even between 0 and 1.
fn grown(counter: u8, log_factor: u32, chance: f64) -> u8 {
    if counter == u8::MAX {
        return counter;
    }
    let above = f64::from(counter.saturating_sub(INITIAL));
    let probability = 1.0 / (above * f64::from(log_factor) + 1.0);
    counter + u8::from(chance < probability)
}

/// An even number from 0 to 1, of a generator of the thread's own (SplitMix64).
fn chance() -> f64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(rand::random());
    }
    let state = STATE.with(|state| {
        let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        state.set(next);
        next
    });
    let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ mixed >> 31) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: u64 = 60_000;

    proptest! {
        #[test]
        fn a_rule_is_read_as_it_was_set(log_factor in 0..=i32::MAX as u32, decay_minutes in 0..=i32::MAX as u32) {
            let rule = AccessRule::Frequency { log_factor, decay_minutes };
            prop_assert_eq!(AccessRule::decode(rule.encode()), rule);
        }

        #[test]
        fn the_counter_grows_by_the_published_formula(counter: u8, log_factor in 0u32..1000, chance in 0.0..1.0) {
            let above = f64::from(counter) - 5.0;
            let p = 1.0 / (above.max(0.0) * f64::from(log_factor) + 1.0);
            let expected = if counter < 255 && chance < p { counter + 1 } else { counter };
            prop_assert_eq!(grown(counter, log_factor, chance), expected);
        }

        #[test]
        fn the_counter_falls_by_one_a_period(
            counter: u8, start in 0u64..65_536, passed in 0u64..65_535, decay_minutes in 1u32..100,
        ) {
            let clock = counted(start * MINUTE, counter);
            let later = (start + passed) * MINUTE;
            // The turn of the 16 bits takes one minute less than it has values.
            let turned = u64::from(start + passed > 65_535);
            let periods = (passed - turned.min(passed)) / u64::from(decay_minutes);
            let expected = u64::from(counter).saturating_sub(periods) as u8;
            prop_assert_eq!(decayed(clock, later, decay_minutes), expected);
            prop_assert_eq!(decayed(clock, later, 0), counter);
        }

        #[test]
        fn idle_time_survives_the_turn_of_the_clock(now in (1u64 << 25)..(1 << 40), idle in 0u64..(1 << 24)) {
            let clock = AccessRule::Recency.told(Some(idle), None, now * 1000);
            prop_assert_eq!(idle_s(clock, now * 1000), idle);
        }
    }

    #[test]
    fn a_hundred_thousand_accesses_count_as_the_documentation_of_redis_says() {
        // Its table for factor 10: 100 hits give 10, 1000 give 18, 100,000 give 142.
        let rule = AccessRule::Frequency {
            log_factor: 10,
            decay_minutes: 1,
        };
        // One counter is a matter of chance; the mean of many is not.
        const COUNTERS: u32 = 64;
        let mut clocks = vec![rule.fresh(0); COUNTERS as usize];
        let mut means = Vec::new();
        for hit in 1..=100_000 {
            for clock in &mut clocks {
                *clock = rule.accessed(*clock, 0);
            }
            if [100, 1000, 100_000].contains(&hit) {
                let sum: u32 = clocks
                    .iter()
                    .map(|&clock| u32::from(rule.frequency(clock, 0)))
                    .sum();
                means.push(sum / COUNTERS);
            }
        }
        assert!((9..=11).contains(&means[0]), "{means:?}");
        assert!((17..=20).contains(&means[1]), "{means:?}");
        assert!((140..=150).contains(&means[2]), "{means:?}");
    }
}

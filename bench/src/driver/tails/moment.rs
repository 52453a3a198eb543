//! Where a round of load is, for the threads beside it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::load::{Phase, Watch};

const POLL: Duration = Duration::from_millis(1);

#[derive(Clone, Copy)]
pub struct Moment<'a> {
    pub watch: &'a Watch,
    /// The round is over, however it ended.
    pub over: &'a AtomicBool,
}

impl Moment<'_> {
    /// Waits until so much of the measured time is over. False if the round has ended before.
    pub fn wait_for(&self, from: Duration) -> bool {
        while !self.over.load(Ordering::Acquire) {
            let pause = match (self.watch.phase(), self.since()) {
                (Phase::Draining | Phase::Done, _) => return false,
                (Phase::Measuring, Some(since)) => {
                    let left = from.saturating_sub(since.elapsed());
                    if left.is_zero() {
                        return true;
                    }
                    left
                }
                _ => POLL,
            };
            thread::sleep(pause.min(Duration::from_millis(20)));
        }
        false
    }

    /// Whether nothing new is due.
    pub fn is_past(&self) -> bool {
        self.over.load(Ordering::Acquire) || self.watch.phase() != Phase::Measuring
    }

    fn since(&self) -> Option<Instant> {
        self.watch.measured_since()
    }
}

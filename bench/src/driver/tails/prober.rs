//! A connection of its own that asks every millisecond: the longest time without an answer is how long anybody who
//! came at the wrong moment had nothing.

use std::thread;
use std::time::{Duration, Instant};

use super::moment::Moment;
use crate::driver::admin::{Admin, AdminError};

/// From one question to the next, when the answer is not late.
const EVERY: Duration = Duration::from_millis(1);

/// Asks while the measured time lasts; returns the longest time between two answers that followed each other.
pub fn longest_gap(admin: &mut Admin, moment: Moment<'_>) -> Result<Duration, AdminError> {
    let mut longest = Duration::ZERO;
    if !moment.wait_for(Duration::ZERO) {
        return Ok(longest);
    }
    admin.call(&["PING"])?;
    let mut answered = Instant::now();
    let mut due = answered;
    while !moment.is_past() {
        due += EVERY;
        match due.checked_duration_since(Instant::now()) {
            Some(left) => thread::sleep(left),
            // What was due during a gap is one gap, and not many.
            None => due = Instant::now(),
        }
        admin.call(&["PING"])?;
        let now = Instant::now();
        longest = longest.max(now - answered);
        answered = now;
    }
    Ok(longest)
}

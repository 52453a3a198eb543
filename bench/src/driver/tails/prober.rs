//! A connection of its own that asks every millisecond: its longest wait is how long anybody who came at the wrong
//! moment had no answer.

use std::thread;
use std::time::{Duration, Instant};

use super::moment::Moment;
use crate::driver::admin::{Admin, AdminError};

/// From one question to the next, when the answer is not late.
const EVERY: Duration = Duration::from_millis(1);
/// The thread of the load has the same core, and need not be waited for.
const NICE: i32 = -15;

/// The longest wait for an answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gap {
    pub length: Duration,
    /// From the beginning of the measured time to that of the gap.
    pub at: Duration,
}

/// Asks while the measured time lasts. A wait begins when the question is sent, so it may be up to a millisecond shorter
/// than the gap; that this thread may itself be late is in none.
pub fn longest_gap(admin: &mut Admin, moment: Moment<'_>) -> Result<Gap, AdminError> {
    // Elsewhere it would be the priority of the whole process. Where it is not permitted the figures are only noisier.
    if cfg!(target_os = "linux") {
        let _ = rustix::process::setpriority_process(None, NICE);
    }
    let mut longest = Gap::default();
    if !moment.wait_for(Duration::ZERO) {
        return Ok(longest);
    }
    let began = Instant::now();
    let mut due = began;
    while !moment.is_past() {
        let asked = Instant::now();
        admin.call(&["PING"])?;
        let length = asked.elapsed();
        if length > longest.length {
            longest = Gap {
                length,
                at: asked - began,
            };
        }
        due += EVERY;
        match due.checked_duration_since(Instant::now()) {
            Some(left) => thread::sleep(left),
            // What was due during a gap is one gap, and not many.
            None => due = Instant::now(),
        }
    }
    Ok(longest)
}

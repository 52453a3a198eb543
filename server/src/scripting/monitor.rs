//! The script that has run for too long: who may be told of it, and how it is stopped.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use parking_lot::Mutex;

/// What is known of a script that has passed busy-reply-threshold.
struct Slow {
    id: u64,
    is_function: bool,
    has_written: bool,
    kill: &'static AtomicBool,
}

/// All scripts that run for too long. Several can: each worker runs its own.
#[derive(Default)]
pub struct Monitor {
    count: AtomicU32,
    slow: Mutex<Vec<Slow>>,
}

/// What SCRIPT KILL has found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kill {
    Told,
    NotBusy,
    /// It has written, and only the end of the process would stop it.
    Unkillable,
    /// A function, when a script was meant, or the other way around.
    OtherKind,
}

impl Monitor {
    /// Does a script run for too long? One load.
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.count.load(Relaxed) > 0
    }

    /// A script has passed the threshold. `kill` is raised to stop it.
    pub fn enter(&self, id: u64, is_function: bool, has_written: bool, kill: &'static AtomicBool) {
        let mut slow = self.slow.lock();
        slow.push(Slow {
            id,
            is_function,
            has_written,
            kill,
        });
        self.count.store(slow.len() as u32, Relaxed);
    }

    /// A slow script writes for the first time.
    pub fn has_written(&self, id: u64) {
        if let Some(one) = self.slow.lock().iter_mut().find(|one| one.id == id) {
            one.has_written = true;
        }
    }

    /// It has ended.
    pub fn leave(&self, id: u64) {
        let mut slow = self.slow.lock();
        slow.retain(|one| one.id != id);
        self.count.store(slow.len() as u32, Relaxed);
    }

    /// Stops every slow script that has not written.
    pub fn kill(&self, function: bool) -> Kill {
        let slow = self.slow.lock();
        let mut outcome = Kill::NotBusy;
        for one in slow.iter() {
            if one.is_function != function {
                outcome = if outcome == Kill::NotBusy {
                    Kill::OtherKind
                } else {
                    outcome
                };
            } else if one.has_written {
                outcome = if outcome == Kill::Told {
                    outcome
                } else {
                    Kill::Unkillable
                };
            } else {
                one.kill.store(true, Relaxed);
                outcome = Kill::Told;
            }
        }
        outcome
    }
}

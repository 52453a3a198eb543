//! The script that has run for too long: who may be told of it, and how it is stopped.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use parking_lot::Mutex;

/// What is known of a script that has passed busy-reply-threshold.
#[derive(Clone)]
pub struct Slow {
    pub id: u64,
    pub is_function: bool,
    pub has_written: bool,
    /// The command that runs it, with its arguments.
    pub command: Vec<Box<[u8]>>,
    pub started: Instant,
    /// Raised to stop it.
    pub kill: &'static AtomicBool,
}

/// All scripts that run for too long. Several can: each worker runs its own.
#[derive(Default)]
pub struct Monitor {
    count: AtomicU32,
    /// Times at which there was none and then one.
    episodes: AtomicU64,
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

    /// Which time this is that scripts are slow.
    pub fn episode(&self) -> u64 {
        self.episodes.load(Relaxed)
    }

    /// A script has passed the threshold.
    pub fn enter(&self, one: Slow) {
        let mut slow = self.slow.lock();
        if slow.is_empty() {
            self.episodes.fetch_add(1, Relaxed);
        }
        slow.push(one);
        self.count.store(slow.len() as u32, Relaxed);
    }

    /// The function that has run for longest, if only functions are slow.
    pub fn slow_function(&self) -> Option<Slow> {
        self.slow.lock().iter().find(|one| one.is_function).cloned()
    }

    /// Is what is slow a function?
    pub fn is_function(&self) -> bool {
        self.slow.lock().first().is_some_and(|one| one.is_function)
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

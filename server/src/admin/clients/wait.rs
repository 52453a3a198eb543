//! A connection that waits in a blocking command, and who ends that.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use slotcore::Slot;

use super::shared::ClientShared;

/// Why a connection that waits in a blocking command need not wait any longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unblock {
    /// As if its time were over: CLIENT UNBLOCK.
    Timeout,
    /// With an error: CLIENT UNBLOCK ... ERROR.
    Error,
    /// This node is no primary any more.
    RoleChanged,
    /// The key that it waits for is elsewhere, or nowhere: this error says so.
    Redirected(String),
    /// It has what it waited for.
    Served {
        reply: Vec<u8>,
        /// The end of the replication stream behind what it did, in bytes.
        write_offset: u64,
    },
}

/// Where a connection waits for a key.
#[derive(Clone, Copy, Debug)]
pub struct WaitPlace {
    pub slot: Slot,
    /// Its command may write.
    pub writes: bool,
    /// It has said READONLY.
    pub readonly: bool,
}

/// A wait in a blocking command, and how it ended.
#[derive(Debug, Default)]
pub(super) struct Wait {
    /// The number of the wait; 0: there is none.
    ticket: u64,
    place: Option<WaitPlace>,
    /// Its time is limited.
    is_timed: bool,
    ending: Option<Unblock>,
}

/// Numbers of waits: a later one is larger, on whatever connection.
static TICKETS: AtomicU64 = AtomicU64::new(1);

impl ClientShared {
    /// Its own command waits from here on, for a key if there is a place. Returns the number of the wait.
    pub fn begin_wait(&self, place: Option<WaitPlace>, is_timed: bool) -> u64 {
        let mut wait = self.wait.lock();
        let ticket = TICKETS.fetch_add(1, Relaxed);
        *wait = Wait {
            ticket,
            place,
            is_timed,
            ending: None,
        };
        self.waits.store(true, Relaxed);
        ticket
    }

    /// Ends the wait of this number if `serve` has an ending for it, during which nobody else can. True if the wait is
    /// over, by this or before.
    pub fn end_wait(&self, ticket: u64, serve: impl FnOnce() -> Option<Unblock>) -> bool {
        let mut wait = self.wait.lock();
        if wait.ticket != ticket {
            return true;
        }
        let Some(ending) = serve() else { return false };
        self.end_with(&mut wait, Some(ending));
        drop(wait);
        self.wake();
        true
    }

    /// Ends its wait in a blocking command; false if it does not wait.
    pub fn unblock(&self, why: Unblock) -> bool {
        let mut wait = self.wait.lock();
        let waits = wait.ticket != 0;
        if waits {
            self.end_with(&mut wait, Some(why));
            drop(wait);
            self.wake();
        }
        waits
    }

    /// How its wait ended, once; `None` if it goes on.
    pub fn take_ending(&self) -> Option<Unblock> {
        self.wait.lock().ending.take()
    }

    /// It waits no more. How the wait ended, if it had before.
    pub fn finish_wait(&self) -> Option<Unblock> {
        let mut wait = self.wait.lock();
        if wait.ticket != 0 {
            self.end_with(&mut wait, None);
        }
        wait.ending.take()
    }

    /// Does it wait for a limited time?
    pub fn waits_with_timeout(&self) -> bool {
        self.waits.load(Relaxed) && self.wait.lock().is_timed
    }

    /// Where it waits for a key, if it does.
    pub fn waits_at(&self) -> Option<WaitPlace> {
        self.waits.load(Relaxed).then(|| self.wait.lock().place).flatten()
    }

    fn end_with(&self, wait: &mut Wait, ending: Option<Unblock>) {
        *wait = Wait {
            ending,
            ..Wait::default()
        };
        self.waits.store(false, Relaxed);
    }
}

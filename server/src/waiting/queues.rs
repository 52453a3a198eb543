//! Who waits for the keys of one slot, and which of these keys have changed.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::waiter::Waiter;

/// The queues of a slot. Everything here happens under its lock.
#[derive(Default)]
pub struct Queues {
    keys: HashMap<Box<[u8]>, Queue>,
    /// Keys that have changed and were not looked at yet, each once, with their place in the order of all slots.
    ready: Vec<(u64, Box<[u8]>)>,
}

#[derive(Default)]
struct Queue {
    /// By ticket: in the order in which they came.
    waiters: BTreeMap<u64, Arc<Waiter>>,
    /// Those that want to know that the key is gone.
    when_gone: usize,
    is_ready: bool,
}

impl Queues {
    /// Does nobody wait, and is nothing left to be looked at?
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.ready.is_empty()
    }

    /// Puts a waiter at the end of a key's queue; without effect if it is there.
    pub fn add(&mut self, key: &[u8], waiter: Arc<Waiter>) {
        let queue = match self.keys.get_mut(key) {
            Some(queue) => queue,
            None => self.keys.entry(key.into()).or_default(),
        };
        let when_gone = usize::from(waiter.when_gone());
        if queue.waiters.insert(waiter.ticket(), waiter).is_none() {
            queue.when_gone += when_gone;
        }
    }

    /// Takes a waiter out of a key's queue, if it is there.
    pub fn remove(&mut self, key: &[u8], ticket: u64) {
        let Some(queue) = self.keys.get_mut(key) else {
            return;
        };
        if let Some(waiter) = queue.waiters.remove(&ticket) {
            queue.when_gone -= usize::from(waiter.when_gone());
        }
        if queue.waiters.is_empty() {
            self.keys.remove(key);
        }
    }

    /// The first waiter of a key behind this ticket.
    pub fn after(&self, key: &[u8], ticket: u64) -> Option<Arc<Waiter>> {
        let waiters = &self.keys.get(key)?.waiters;
        let (_, waiter) = waiters.range((Excluded(ticket), Unbounded)).next()?;
        Some(waiter.clone())
    }

    /// Does anybody want to know that the key is gone?
    pub fn any_when_gone(&self, key: &[u8]) -> bool {
        self.keys.get(key).is_some_and(|queue| queue.when_gone > 0)
    }

    /// Takes note that a key has changed. True if somebody waits for it.
    pub fn changed(&mut self, key: &[u8]) -> bool {
        /// Transactions make keys of several slots ready: who waits for them is served in the order of the changes.
        static ORDER: AtomicU64 = AtomicU64::new(0);
        let Some(queue) = self.keys.get_mut(key) else {
            return false;
        };
        if !queue.is_ready {
            queue.is_ready = true;
            self.ready.push((ORDER.fetch_add(1, Relaxed), key.into()));
        }
        true
    }

    /// The same for all keys that `changed` says it of.
    pub fn changed_where(&mut self, changed: impl Fn(&[u8]) -> bool) -> bool {
        let keys: Vec<Box<[u8]>> = self.keys.keys().filter(|key| changed(key)).cloned().collect();
        keys.iter().filter(|key| self.changed(key)).count() > 0
    }

    /// The place in the order of the key that has been ready for longest.
    pub fn first_ready(&self) -> Option<u64> {
        self.ready.first().map(|(order, _)| *order)
    }

    /// Takes that key: it is looked at now, and ready again when it changes again.
    pub fn take_ready(&mut self) -> Option<Box<[u8]>> {
        if self.ready.is_empty() {
            return None;
        }
        let (_, key) = self.ready.remove(0);
        if let Some(queue) = self.keys.get_mut(&key) {
            queue.is_ready = false;
        }
        Some(key)
    }
}

//! The few things that most slots never have: watched keys, clients that wait, large values waiting to be freed, what a
//! snapshot needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::buckets::Buckets;
use super::cut::Kept;
use super::entry::OwnedEntry;
use super::observe::Observed;
use crate::waiting::Queues;

/// Memory that is given up under a slot's lock and freed after it is released.
#[expect(dead_code, reason = "held to be dropped")]
pub enum Garbage {
    Entry(OwnedEntry),
    Value(Vec<u8>),
}

/// The former contents of a slot, freed when this is dropped: wherever there is time for it.
pub struct Contents(#[expect(dead_code, reason = "held to be dropped")] pub(super) Buckets);

/// Boxed, so that a slot without any of this pays one pointer.
#[derive(Default)]
pub(super) struct Extras {
    watchers: Vec<Watcher>,
    pub garbage: Vec<Garbage>,
    /// Keys removed by expiry that the stream of effects has not been told of.
    pub expired_keys: Vec<Box<[u8]>>,
    /// Who waits for a change of a key.
    pub waiting: Queues,
    /// What a snapshot has yet to fetch.
    pub kept: Kept,
    /// What others want to hear.
    pub observed: Observed,
}

struct Watcher {
    key: Box<[u8]>,
    touched: Arc<AtomicBool>,
}

impl Extras {
    pub fn is_empty(&self) -> bool {
        self.watchers.is_empty()
            && self.garbage.is_empty()
            && self.expired_keys.is_empty()
            && self.waiting.is_empty()
            && self.kept.is_empty()
            && self.observed.is_empty()
    }

    pub fn watch(&mut self, key: &[u8], touched: Arc<AtomicBool>) {
        if !self
            .watchers
            .iter()
            .any(|watcher| Arc::ptr_eq(&watcher.touched, &touched) && *watcher.key == *key)
        {
            self.watchers.push(Watcher {
                key: key.into(),
                touched,
            });
        }
    }

    pub fn unwatch(&mut self, touched: &Arc<AtomicBool>) {
        self.watchers
            .retain(|watcher| !Arc::ptr_eq(&watcher.touched, touched));
    }

    /// Tells everyone who watches `key` that it has changed.
    pub fn touch(&mut self, key: &[u8]) {
        for watcher in self.watchers.iter().filter(|watcher| *watcher.key == *key) {
            watcher.touched.store(true, Ordering::Release);
        }
    }

    /// The same for a change that concerns all of a slot. True if somebody waits for one of its keys.
    pub fn touch_where(&mut self, changed: impl Fn(&[u8]) -> bool) -> bool {
        for watcher in self.watchers.iter().filter(|watcher| changed(&watcher.key)) {
            watcher.touched.store(true, Ordering::Release);
        }
        self.waiting.changed_where(changed)
    }
}

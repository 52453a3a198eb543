//! Who hears of a slot's changes: transactions that watch a key, commands that wait for one, and observers of events and of
//! changed keys.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{EVENTS, READY, REPORTS, SlotTable, UNPUBLISHED};
use crate::keyspace::Change;
use crate::keyspace::buckets::Position;
use crate::keyspace::key::Key;
use crate::keyspace::observe::{KeyEvent, Observed};
use crate::keyspace::watch::Extras;
use crate::waiting::Waiter;

impl SlotTable {
    pub(in crate::keyspace) fn touch_watched(&mut self) {
        if let Some(extras) = &mut self.extras {
            let buckets = &self.buckets;
            if extras.touch_where(|bytes| buckets.find(&Key::new(bytes)).is_some()) {
                self.news |= READY;
            }
        }
    }

    /// Has `touched` set to true as soon as `key` changes, expires or is removed.
    pub fn watch(&mut self, key: &Key<'_>, touched: Arc<AtomicBool>) {
        self.extras_mut().watch(key.bytes, touched);
    }

    /// Ends every watch of `touched` in this slot.
    pub fn unwatch(&mut self, touched: &Arc<AtomicBool>) {
        if let Some(extras) = &mut self.extras {
            extras.unwatch(touched);
            self.drop_empty_extras();
        }
    }

    /// Has `waiter` served when `key` changes: see [`crate::waiting`].
    pub fn wait_for(&mut self, key: &Key<'_>, waiter: Arc<Waiter>) {
        self.extras_mut().waiting.add(key.bytes, waiter);
    }

    /// Ends a wait for `key`.
    pub fn stop_waiting(&mut self, key: &Key<'_>, ticket: u64) {
        if let Some(extras) = &mut self.extras {
            extras.waiting.remove(key.bytes, ticket);
            self.drop_empty_extras();
        }
    }

    /// Who waits for `key` next behind this ticket.
    pub fn waiter_after(&self, key: &Key<'_>, ticket: u64) -> Option<Arc<Waiter>> {
        self.extras.as_ref()?.waiting.after(key.bytes, ticket)
    }

    /// Does anybody want to know that `key` is gone?
    pub fn any_waits_when_gone(&self, key: &Key<'_>) -> bool {
        let extras = self.extras.as_ref();
        extras.is_some_and(|extras| extras.waiting.any_when_gone(key.bytes))
    }

    /// Has a key changed that somebody waits for?
    #[inline]
    pub(in crate::keyspace) fn is_ready(&self) -> bool {
        self.news & READY != 0
    }

    /// The place of the first such key in the order of all slots.
    pub(in crate::keyspace) fn first_ready(&self) -> Option<u64> {
        if !self.is_ready() {
            return None;
        }
        self.extras.as_ref()?.waiting.first_ready()
    }

    /// Takes that key, to look who is to be served.
    pub(in crate::keyspace) fn take_ready(&mut self) -> Option<Box<[u8]>> {
        let waiting = &mut self.extras.as_mut()?.waiting;
        let key = waiting.take_ready();
        if waiting.first_ready().is_none() {
            self.news &= !READY;
        }
        self.drop_empty_extras();
        key
    }

    /// What others want to hear of this slot: events that no command names; every key that changes.
    pub fn set_observed(&mut self, events: bool, reports: bool) {
        self.news &= !(EVENTS | REPORTS);
        self.news |= if events { EVENTS } else { 0 } | if reports { REPORTS } else { 0 };
    }

    #[cold]
    pub(in crate::keyspace) fn note(&mut self, event: KeyEvent, key: &[u8]) {
        self.extras_mut().observed.events.push((event, key.into()));
        self.news |= UNPUBLISHED;
    }

    #[inline]
    pub(in crate::keyspace) fn has_extras(&self) -> bool {
        self.extras.is_some()
    }

    /// What is kept for others, if anything is.
    pub(in crate::keyspace) fn observed(&mut self) -> Option<&mut Observed> {
        self.extras.as_mut().map(|extras| &mut extras.observed)
    }

    /// The same, in any case.
    pub(in crate::keyspace) fn observed_or_new(&mut self) -> &mut Observed {
        &mut self.extras_mut().observed
    }

    /// Must every change be reported?
    pub(in crate::keyspace) fn reports(&self) -> bool {
        self.news & REPORTS != 0
    }

    /// All of this is to be reported, if anybody wants to hear of it.
    pub(in crate::keyspace) fn report(&mut self, keys: &[Box<[u8]>]) {
        let everything = self.reports();
        let observed = self.observed_or_new();
        keys.iter().for_each(|key| {
            observed.changed(key, everything, true);
        });
        self.news |= UNPUBLISHED;
    }

    #[cold]
    pub(in crate::keyspace) fn tell_changed_at(&mut self, position: Position, change: Change) {
        let key = self.buckets.entry(position).key();
        let extras = self.extras.get_or_insert_default();
        if matches!(change, Change::Ready | Change::Told) && extras.waiting.changed(key) {
            self.news |= READY;
        }
        if matches!(change, Change::Watched | Change::Told) {
            tell_watchers(extras, &mut self.news, key, false);
        }
    }

    #[inline]
    pub(in crate::keyspace) fn mark_changed(&mut self, key: &[u8], by_itself: bool) {
        if self.extras.is_some() || self.reports() {
            self.tell_changed(key, by_itself);
        }
    }

    #[cold]
    fn tell_changed(&mut self, key: &[u8], by_itself: bool) {
        tell(
            self.extras.get_or_insert_default(),
            &mut self.news,
            key,
            by_itself,
        );
    }
}

/// Tells everyone who is told of single keys that this one has changed.
fn tell(extras: &mut Extras, news: &mut u8, key: &[u8], by_itself: bool) {
    if extras.waiting.changed(key) {
        *news |= READY;
    }
    tell_watchers(extras, news, key, by_itself);
}

/// The same for all but those who wait.
fn tell_watchers(extras: &mut Extras, news: &mut u8, key: &[u8], by_itself: bool) {
    extras.touch(key);
    if extras.observed.changed(key, *news & REPORTS != 0, by_itself) {
        *news |= UNPUBLISHED;
    }
}

//! Looking a key up: with and without marking it as accessed, and what becomes of one whose time is over.

use super::{REVEALS, SlotTable};
use crate::keyspace::buckets::Position;
use crate::keyspace::entry::{Entry, access_rule};
use crate::keyspace::key::Key;
use crate::keyspace::place::Place;
use crate::keyspace::slots::Mode;

impl SlotTable {
    /// Looks a key up for reading or changing. Marks it as accessed.
    #[inline]
    pub fn find<'t, 'k>(&'t mut self, key: &'k Key<'k>, now: u64) -> Place<'t, 'k> {
        let at = self.position(key, now);
        if let Some(position) = at {
            self.touch(position, now);
        }
        Place::new(self, key, at, now)
    }

    /// Marks an entry as accessed.
    #[inline]
    fn touch(&mut self, position: Position, now: u64) {
        let rule = access_rule();
        self.buckets
            .update_clock(position, |clock| rule.accessed(clock, now));
    }

    /// Looks a key up without marking it as accessed.
    #[inline]
    pub fn find_quietly<'t, 'k>(&'t mut self, key: &'k Key<'k>, now: u64) -> Place<'t, 'k> {
        let at = self.position(key, now);
        Place::new(self, key, at, now)
    }

    /// The entry of `key`, marked as accessed.
    #[inline]
    pub fn get(&mut self, key: &Key<'_>, now: u64) -> Option<Entry<'_>> {
        let position = self.position(key, now)?;
        self.touch(position, now);
        Some(self.buckets.entry(position))
    }

    /// The entry of `key`, its access clock untouched.
    #[inline]
    pub fn peek(&mut self, key: &Key<'_>, now: u64) -> Option<Entry<'_>> {
        let position = self.position(key, now)?;
        Some(self.buckets.entry(position))
    }

    /// The entry of `key`, of which nothing is changed: one that has expired is absent and stays.
    pub fn look(&self, key: &Key<'_>, now: u64) -> Option<Entry<'_>> {
        let entry = self.buckets.entry(self.buckets.find(key)?);
        let is_hidden = entry.is_expired(now) && self.news & REVEALS == 0;
        (!is_hidden).then_some(entry)
    }

    /// The position of a key that has not expired; one that has is removed.
    #[inline]
    fn position(&mut self, key: &Key<'_>, now: u64) -> Option<Position> {
        let position = self.buckets.find(key)?;
        if self.buckets.entry(position).is_expired(now) {
            return self.keep_or_expire(position);
        }
        Some(position)
    }

    /// What the rest of the world sees of an entry whose time is over: in [`Mode::Following`] it stays.
    #[cold]
    fn keep_or_expire(&mut self, position: Position) -> Option<Position> {
        if self.mode == Mode::Following {
            return (self.news & REVEALS != 0).then_some(position);
        }
        self.expire_at(position);
        None
    }
}

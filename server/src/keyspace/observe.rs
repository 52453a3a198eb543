//! What the rest of the node wants to hear of keys: events that no command names, and keys whose copies at clients are
//! stale. Nothing of it costs anything while nobody wants to hear.
//!
//! A slot that is observed keeps what has happened in its extras until it is asked for, or its lock is released.

use std::collections::HashMap;

use super::guard::Held;
use super::key::Key;
use super::slots::Keyspace;
use super::table::SlotTable;

/// What happens to a key without a command that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEvent {
    /// There was no such key.
    New,
    /// Its time was over.
    Expired,
    /// Others needed its memory.
    Evicted,
}

/// A key that has changed or gone, and that clients may have a copy of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The key.
    pub key: Box<[u8]>,
    /// The numbers of the connections that have read it since it changed last.
    pub readers: Vec<u64>,
    /// No client has done that: its time was over, or its slot has left.
    pub by_itself: bool,
}

/// Is told of keys, under the locks of their slots.
pub trait Observer: Send + Sync {
    /// Something has happened to a key.
    fn event(&self, event: KeyEvent, key: &[u8]);
    /// These keys have changed, and no command has asked which.
    fn stale(&self, stale: Vec<Stale>);
    /// All keys have gone. `forgotten` keys were tracked, for so many readers in all.
    fn flushed(&self, forgotten: Forgotten);
}

/// Tracked keys that nobody will hear of one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Keys.
    pub keys: usize,
    /// Readers, summed over the keys.
    pub items: usize,
}

impl Forgotten {
    /// Both.
    pub fn plus(self, other: Self) -> Self {
        Self {
            keys: self.keys + other.keys,
            items: self.items + other.items,
        }
    }
}

/// What is kept of an observed slot.
#[derive(Default)]
pub(super) struct Observed {
    pub events: Vec<(KeyEvent, Box<[u8]>)>,
    pub stale: Vec<Stale>,
    /// Keys that clients have read, and who.
    tracked: HashMap<Box<[u8]>, Vec<u64>>,
}

impl Observed {
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.stale.is_empty() && self.tracked.is_empty()
    }

    /// A key has changed. Returns whether anybody wants to hear of it.
    pub fn changed(&mut self, key: &[u8], everything: bool, by_itself: bool) -> bool {
        let tracked = self.tracked.remove_entry(key);
        let wanted = everything || tracked.is_some();
        if wanted {
            let (key, readers) = tracked.unwrap_or_else(|| (key.into(), Vec::new()));
            self.stale.push(Stale {
                key,
                readers,
                by_itself,
            });
        }
        wanted
    }

    /// A connection has read a key.
    pub fn track(&mut self, key: &[u8], reader: u64) -> Forgotten {
        if let Some(readers) = self.tracked.get_mut(key) {
            let is_new = !readers.contains(&reader);
            if is_new {
                readers.push(reader);
            }
            return Forgotten {
                keys: 0,
                items: usize::from(is_new),
            };
        }
        self.tracked.insert(key.into(), vec![reader]);
        Forgotten { keys: 1, items: 1 }
    }

    /// Takes any tracked key out.
    pub fn evict(&mut self) -> Option<Stale> {
        let key = self.tracked.keys().next()?.clone();
        let readers = self.tracked.remove(&key)?;
        Some(Stale {
            key,
            readers,
            by_itself: true,
        })
    }

    pub fn forget(&mut self) -> Forgotten {
        let forgotten = Forgotten {
            keys: self.tracked.len(),
            items: self.tracked.values().map(Vec::len).sum(),
        };
        self.tracked = HashMap::new();
        forgotten
    }

    pub fn tracked_keys(&self) -> Vec<Box<[u8]>> {
        self.tracked.keys().cloned().collect()
    }
}

impl SlotTable {
    /// What has happened and nobody was told of.
    fn take_events(&mut self) -> Vec<(KeyEvent, Box<[u8]>)> {
        let observed = self.observed();
        observed.map_or_else(Vec::new, |observed| std::mem::take(&mut observed.events))
    }

    /// Keys that have changed and nobody was told of.
    fn take_stale(&mut self) -> Vec<Stale> {
        let observed = self.observed();
        observed.map_or_else(Vec::new, |observed| std::mem::take(&mut observed.stale))
    }

    /// A connection has read this key: it wants to hear when the key changes. Returns what that adds.
    pub fn track(&mut self, key: &Key<'_>, reader: u64) -> Forgotten {
        self.observed_or_new().track(key.bytes, reader)
    }

    /// Takes out some key that is tracked.
    pub fn evict_tracked(&mut self) -> Option<Stale> {
        let stale = self.observed()?.evict();
        self.drop_empty_extras();
        stale
    }

    /// Forgets what is tracked. Returns how much that was.
    pub fn forget_tracked(&mut self) -> Forgotten {
        let forgotten = self.observed().map(Observed::forget);
        self.drop_empty_extras();
        forgotten.unwrap_or_default()
    }

    /// All keys are about to leave with the slot.
    pub(super) fn report_all(&mut self) {
        let mut keys = self
            .observed()
            .map(|kept| kept.tracked_keys())
            .unwrap_or_default();
        if self.reports() {
            keys.extend(self.entries().map(|entry| entry.key().into()));
        }
        if !keys.is_empty() {
            self.report(&keys);
        }
    }
}

impl Keyspace {
    /// Says who is told of keys. Once only.
    pub fn observe(&self, observer: Box<dyn Observer>) {
        // A second one is a mistake of the caller's, and the first one stays.
        let _ = self.observer.set(observer);
    }

    /// Tells of what was kept, before a lock is released.
    #[cold]
    pub(super) fn tell_observed(&self, table: &mut SlotTable) {
        self.tell_events(table);
        let stale = table.take_stale();
        if let Some(observer) = self.observer.get()
            && !stale.is_empty()
        {
            observer.stale(stale);
        }
    }

    fn tell_events(&self, table: &mut SlotTable) {
        let events = table.take_events();
        if let Some(observer) = self.observer.get() {
            events.iter().for_each(|(event, key)| observer.event(*event, key));
        }
    }

    /// All keys have gone, or given way to others.
    pub(super) fn tell_flushed(&self, forgotten: Forgotten) {
        if let Some(observer) = self.observer.get() {
            observer.flushed(forgotten);
        }
    }
}

impl Held<'_> {
    /// Tells of the events of a slot that is held, since another event is about to follow them.
    pub fn tell_events(&mut self, keyspace: &Keyspace, slot: slotcore::Slot) {
        keyspace.tell_events(self.table(slot));
    }

    /// The stale keys of all slots that are held.
    pub fn take_stale(&mut self) -> Vec<Stale> {
        match self {
            Self::None => Vec::new(),
            Self::One(guard) => guard.take_stale(),
            Self::Many(guards, _) => guards.iter_mut().flat_map(|guard| guard.take_stale()).collect(),
        }
    }
}

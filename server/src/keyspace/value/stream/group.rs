//! Consumer groups: who was given which entries, and has not acknowledged them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::id::StreamId;
use super::id_map::IdMap;
use crate::keyspace::size_class;

/// Bytes of a consumer beside its name, about.
const CONSUMER_BYTES: usize = 128;

/// A group. Every pending entry belongs to one of its consumers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// The last entry that was delivered.
    pub last_id: StreamId,
    /// Entries ever added to the stream up to that one; -1: not known.
    pub entries_read: i64,
    pending: IdMap<Pending>,
    consumers: BTreeMap<Arc<[u8]>, Consumer>,
    /// Bytes of their names.
    name_bytes: usize,
}

/// An entry that was delivered and is not acknowledged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pending {
    /// When it was delivered last, unix time in milliseconds.
    pub time: i64,
    /// How often.
    pub count: u64,
    /// To whom.
    pub consumer: Arc<[u8]>,
}

/// One who reads for the group.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Consumer {
    /// When it was heard last, unix time in milliseconds.
    pub seen: i64,
    pending: IdMap<()>,
}

impl Consumer {
    /// Its entries that are pending.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Their IDs from this one on.
    pub fn pending_from(&self, id: StreamId) -> impl Iterator<Item = StreamId> {
        self.pending.from(id).map(|(id, ())| id)
    }
}

impl Group {
    /// What [`Self::entries_read`] is if it is not known.
    pub const UNKNOWN: i64 = -1;

    pub fn new(last_id: StreamId, entries_read: i64) -> Self {
        Self {
            last_id,
            entries_read,
            pending: IdMap::default(),
            consumers: BTreeMap::new(),
            name_bytes: 0,
        }
    }

    /// All pending entries.
    pub fn pending(&self) -> &IdMap<Pending> {
        &self.pending
    }

    /// Consumers, by name.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = (&Arc<[u8]>, &Consumer)> {
        self.consumers.iter()
    }

    pub fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.consumers.get(name)
    }

    /// Adds a consumer; false if there is one of this name.
    pub fn add_consumer(&mut self, name: &[u8], seen: i64) -> bool {
        match self.consumers.entry(name.into()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert(Consumer {
                    seen,
                    pending: IdMap::default(),
                });
                self.name_bytes += size_class::round_up(name.len() + 2 * size_of::<usize>());
                true
            }
        }
    }

    /// Takes note that a consumer was heard, which is added if it is not there: then true.
    pub fn hear(&mut self, name: &[u8], now: i64) -> bool {
        match self.consumers.get_mut(name) {
            Some(consumer) => {
                consumer.seen = now;
                false
            }
            None => self.add_consumer(name, now),
        }
    }

    /// Removes a consumer, with what is pending for it: so many entries; `None` if it is not there.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let consumer = self.consumers.remove(name)?;
        self.name_bytes -= size_class::round_up(name.len() + 2 * size_of::<usize>());
        for (id, ()) in consumer.pending.iter() {
            self.pending.remove(id);
        }
        Some(consumer.pending.len())
    }

    /// An entry is pending for a consumer now, whoever had it before. False if there is no such consumer.
    pub fn assign(&mut self, id: StreamId, name: &[u8], time: i64, count: u64) -> bool {
        let Some((name, _)) = self.consumers.get_key_value(name) else {
            return false;
        };
        let consumer = name.clone();
        let pending = Pending {
            time,
            count,
            consumer: consumer.clone(),
        };
        if let Some(before) = self.pending.insert(id, pending) {
            if before.consumer == consumer {
                return true;
            }
            if let Some(other) = self.consumers.get_mut(&before.consumer) {
                other.pending.remove(id);
            }
        }
        if let Some(own) = self.consumers.get_mut(&consumer) {
            own.pending.insert(id, ());
        }
        true
    }

    /// An entry that is pending was delivered to its consumer once more.
    pub fn deliver_again(&mut self, id: StreamId, now: i64) {
        if let Some(pending) = self.pending.get_mut(id) {
            pending.time = now;
            pending.count = pending.count.wrapping_add(1);
        }
    }

    /// An entry is pending no more; false if it was not.
    pub fn settle(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(id) else {
            return false;
        };
        if let Some(consumer) = self.consumers.get_mut(&pending.consumer) {
            consumer.pending.remove(id);
        }
        true
    }

    /// Bytes allocated, about: both maps of what is pending hold the same number of entries.
    pub fn footprint(&self) -> usize {
        let of_consumers = self.pending.len() * size_of::<(StreamId, ())>();
        size_class::round_up(size_of::<Self>())
            + self.pending.footprint()
            + of_consumers
            + self.consumers.len() * CONSUMER_BYTES
            + self.name_bytes
    }

    pub fn free_effort(&self) -> usize {
        1 + 2 * self.pending.free_effort() + self.consumers.len()
    }
}

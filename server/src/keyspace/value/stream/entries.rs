//! The entries of a stream, and what is known of those that it once had.

use std::sync::Arc;

use super::super::limits::Limits;
use super::group::Group;
use super::id::StreamId;
use super::id_map::IdMap;
use super::pack::{Entry, Pack};

/// Bytes of a node beside those of its listpack, about.
const NODE_BYTES: usize = 48;

/// The ID that an entry is to have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewId {
    /// The next one at this time, unix time in milliseconds: `*`.
    Auto { now: u64 },
    /// The next one of this millisecond: `ms-*`.
    Within { ms: u64 },
    /// This one.
    Exact(StreamId),
}

/// Why an entry cannot be added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AppendError {
    /// Its ID is not greater than the last one.
    NotGreater,
    /// There is no greater ID than the last one.
    Exhausted,
    /// It is larger than a node may be.
    TooLarge,
}

/// Which entries go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// All but the last so many.
    Last(u64),
    /// Those before this ID.
    From(StreamId),
}

/// Entries in nodes of some hundred, by the ID of the first entry of each.
#[derive(Clone, Default, Debug)]
pub struct Entries {
    nodes: IdMap<Arc<Pack>>,
    /// Bytes of the nodes.
    bytes: usize,
    pub(super) len: u64,
    /// The greatest ID that there ever was.
    pub last_id: StreamId,
    /// That of the first entry; zero if there is none.
    pub(super) first_id: StreamId,
    /// The greatest of those deleted one by one.
    pub max_deleted_id: StreamId,
    /// Entries ever added.
    pub added: u64,
}

impl Entries {
    /// The largest node, and the largest entry, in bytes.
    const NODE_MAX: usize = 1 << 30;

    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ID of the first entry; zero if there is none.
    pub fn first_id(&self) -> StreamId {
        self.first_id
    }

    /// The ID of the last entry; zero if there is none.
    pub fn last_entry_id(&self) -> StreamId {
        let last = self.range_back(StreamId::MIN, StreamId::MAX).next();
        last.map_or(StreamId::MIN, |entry| entry.id)
    }

    /// Nodes with their IDs, for whoever writes them as they are.
    pub fn nodes(&self) -> impl Iterator<Item = (StreamId, &Pack)> {
        self.nodes.iter().map(|(id, pack)| (id, &**pack))
    }

    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn footprint(&self) -> usize {
        self.nodes.footprint() + self.bytes
    }

    pub(super) fn free_effort(&self) -> usize {
        self.nodes.len()
    }

    /// Appends an entry of names and values in turns, and returns its ID.
    pub fn append<'a>(
        &mut self,
        wanted: NewId,
        content: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
        limits: &Limits,
    ) -> Result<StreamId, AppendError> {
        if self.last_id == StreamId::MAX {
            return Err(AppendError::Exhausted);
        }
        let id = self.new_id(wanted)?;
        let size: usize = content.clone().map(<[u8]>::len).sum();
        if size > Self::NODE_MAX {
            return Err(AppendError::TooLarge);
        }
        let last = self.nodes.last().filter(|(_, pack)| {
            let bytes = limits.stream_node_bytes;
            let most = if bytes == 0 {
                Self::NODE_MAX
            } else {
                bytes.min(Self::NODE_MAX)
            };
            let entries = limits.stream_node_entries;
            pack.listpack().as_bytes().len() + size < most && (entries == 0 || pack.entries() < entries)
        });
        let node = match last {
            Some((node, _)) => node,
            None => {
                self.add_node(id, Pack::new(content.clone()));
                id
            }
        };
        self.change(node, |pack| pack.push(node, id, content));
        self.len += 1;
        self.added = self.added.wrapping_add(1);
        self.last_id = id;
        if self.len == 1 {
            self.first_id = id;
        }
        Ok(id)
    }

    fn new_id(&self, wanted: NewId) -> Result<StreamId, AppendError> {
        let last = self.last_id;
        let id = match wanted {
            NewId::Auto { now } if now > last.ms => StreamId { ms: now, seq: 0 },
            NewId::Auto { .. } => last.next().ok_or(AppendError::Exhausted)?,
            NewId::Within { ms } if ms == last.ms => StreamId {
                ms,
                // Stock says of this one that it is too large.
                seq: last.seq.checked_add(1).ok_or(AppendError::TooLarge)?,
            },
            NewId::Within { ms } => StreamId { ms, seq: 0 },
            NewId::Exact(id) => id,
        };
        (id > last).then_some(id).ok_or(AppendError::NotGreater)
    }

    /// Entries from one ID to another, both included, the first one first.
    pub fn range(&self, from: StreamId, to: StreamId) -> impl Iterator<Item = Entry<'_>> {
        let first = self.nodes.up_to(from).next().map_or(from, |(node, _)| node);
        // An entry may have a smaller ID than its node, once XSETID has gone back behind deleted ones.
        self.nodes
            .from(first)
            .flat_map(|(node, pack)| pack.forward(node))
            .filter(move |entry| !entry.is_deleted() && entry.id >= from)
            .take_while(move |entry| entry.id <= to)
    }

    /// The same, the last one first.
    pub fn range_back(&self, from: StreamId, to: StreamId) -> impl Iterator<Item = Entry<'_>> {
        self.nodes
            .up_to(to)
            .flat_map(|(node, pack)| pack.backward(node))
            .filter(move |entry| !entry.is_deleted() && entry.id <= to)
            .take_while(move |entry| entry.id >= from)
    }

    /// The entry of this ID.
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.range(id, id).next()
    }

    /// The ID of the first entry of the first node, deleted or not, as stock tells its replicas of what XADD and XTRIM with
    /// MINID have left; the greatest ID if there is none.
    pub fn first_kept_id(&self) -> StreamId {
        let first = self.nodes.first();
        let first = first.and_then(|(node, pack)| pack.forward(node).next());
        first.map_or(StreamId::MAX, |entry| entry.id)
    }

    /// Deletes an entry; false if it is not there.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let found = self.nodes.up_to(id).next().or_else(|| self.nodes.first());
        let Some((node, pack)) = found else {
            return false;
        };
        let is_last = pack.live() == 1;
        if self.get(id).is_none() {
            return false;
        }
        if is_last {
            self.remove_node(node);
        } else {
            self.change(node, |pack| pack.delete(node, id));
        }
        self.len -= 1;
        self.max_deleted_id = self.max_deleted_id.max(id);
        if self.len == 0 || id == self.first_id {
            self.find_first();
        }
        true
    }

    /// Deletes the oldest entries, and returns how many. `approximate`: whole nodes only. `limit`: not more than so many;
    /// 0: any number.
    pub fn trim(&mut self, keep: Keep, approximate: bool, limit: u64) -> u64 {
        let mut deleted = 0;
        while let Some((node, pack)) = self.nodes.first() {
            if let Keep::Last(count) = keep
                && self.len <= count
            {
                break;
            }
            let live = pack.live();
            if limit > 0 && deleted + live > limit {
                break;
            }
            let goes_whole = match keep {
                Keep::Last(count) => self.len - live >= count,
                Keep::From(id) => pack.backward(node).next().is_none_or(|last| last.id < id),
            };
            if goes_whole {
                self.remove_node(node);
                self.len -= live;
                deleted += live;
                continue;
            }
            if !approximate {
                let len = self.len;
                let count = self.change(node, |pack| {
                    pack.delete_while(node, |id, gone| match keep {
                        Keep::Last(count) => len - gone > count,
                        Keep::From(least) => id < least,
                    })
                });
                self.len -= count;
                deleted += count;
            }
            break;
        }
        if deleted > 0 {
            self.find_first();
        }
        deleted
    }

    /// Are entries deleted, one by one, from this ID on?
    fn has_gaps_from(&self, id: StreamId) -> bool {
        let max_deleted = self.max_deleted_id;
        !self.is_empty() && max_deleted != StreamId::MIN && self.first_id <= max_deleted && id <= max_deleted
    }

    /// How many entries were ever added up to this ID; `None` if that cannot be told.
    fn added_up_to(&self, id: StreamId) -> Option<i64> {
        let added = self.added as i64;
        if added == 0 || id == self.last_id || self.is_empty() && id <= self.last_id {
            return Some(added);
        }
        if self.max_deleted_id == StreamId::MIN || self.max_deleted_id < self.first_id {
            let before = added.wrapping_sub(self.len as i64);
            if id < self.first_id {
                return Some(before);
            } else if id == self.first_id {
                return Some(before.wrapping_add(1));
            }
        }
        None
    }

    /// Entries that a group has not read yet; `None` if that cannot be told.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        if self.added == 0 {
            return Some(0);
        }
        let read = if group.entries_read != Group::UNKNOWN && !self.has_gaps_from(group.last_id) {
            Some(group.entries_read)
        } else {
            self.added_up_to(group.last_id)
        };
        read.map(|read| (self.added as i64).wrapping_sub(read))
    }

    /// A group is given this entry: it is the last that was delivered, if it is newer than that.
    pub fn advance(&self, group: &mut Group, id: StreamId) {
        if id <= group.last_id {
            return;
        }
        if group.entries_read != Group::UNKNOWN && !self.has_gaps_from(id) {
            group.entries_read = group.entries_read.wrapping_add(1);
        } else if self.added > 0 {
            group.entries_read = self.added_up_to(id).unwrap_or(Group::UNKNOWN);
        }
        group.last_id = id;
    }

    /// What a group of the time before 7.0, which did not count, has read up to this ID.
    pub(super) fn estimated_read(&self, id: StreamId) -> i64 {
        self.added_up_to(id).unwrap_or(Group::UNKNOWN)
    }

    /// Takes a node that an RDB holds; false if it does not come behind those that are here.
    pub(super) fn adopt(&mut self, node: StreamId, pack: Pack) -> bool {
        let mut live = pack.forward(node).filter(|entry| !entry.is_deleted());
        let least = live.next().map_or(node, |first| first.id.min(node));
        drop(live);
        let comes_behind = self.nodes.last().is_none_or(|(before, _)| before < node)
            && (self.is_empty() || self.last_entry_id() < least);
        if comes_behind {
            self.len += pack.live();
            self.add_node(node, pack);
        }
        comes_behind
    }

    pub(super) fn find_first(&mut self) {
        let first = self.range(StreamId::MIN, StreamId::MAX).next();
        self.first_id = first.map_or(StreamId::MIN, |entry| entry.id);
    }

    fn change<R>(&mut self, node: StreamId, change: impl FnOnce(&mut Pack) -> R) -> R {
        let pack = self.nodes.get_mut(node).expect("the caller has just found it");
        let pack = Arc::make_mut(pack);
        let before = pack.footprint();
        let result = change(pack);
        self.bytes = self.bytes - before + pack.footprint();
        result
    }

    fn add_node(&mut self, node: StreamId, pack: Pack) {
        self.bytes += NODE_BYTES + pack.footprint();
        self.nodes.insert(node, Arc::new(pack));
    }

    fn remove_node(&mut self, node: StreamId) {
        if let Some(pack) = self.nodes.remove(node) {
            self.bytes -= NODE_BYTES + pack.footprint();
        }
    }
}

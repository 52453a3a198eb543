//! Streams: entries that are added at the end, and groups of consumers that read them.
//!
//! ```text
//! Stream ─► Entries   node (listpack of entries) by the ID of its first entry, in an IdMap
//!           Groups    by name: what is pending by ID, in an IdMap; consumers by name, what is pending for each in another
//! ```
//!
//! [`pack`] knows the layout of a node, which is redis-server's; [`id_map`] finds it in time that grows with the logarithm of
//! how many there are. A copy for a snapshot shares nodes, chunks of the maps, and groups until they are written to.
//!
//! Other collections are no values when they are empty. A stream without entries is one: what is none is the stream that a
//! command starts from if there is no key, until it [`Stream::begin`]s one.

mod entries;
mod group;
mod id;
mod id_map;
mod pack;
mod radix;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::size_class;
pub use entries::{AppendError, Entries, Keep, NewId};
pub use group::{Consumer, Group, Pending};
pub use id::StreamId;
pub use pack::{Entry as StreamEntry, Pack};

/// Bytes of a group's place in the map beside its name, about.
const GROUP_BYTES: usize = 64;

/// A stream, or none yet.
#[derive(Clone, Default, Debug)]
pub struct Stream {
    /// Boxed, so that other collections do not pay for its size.
    body: Box<Body>,
}

#[derive(Clone, Default, Debug)]
struct Body {
    exists: bool,
    entries: Entries,
    groups: BTreeMap<Box<[u8]>, Arc<Group>>,
    /// Bytes of the groups.
    group_bytes: usize,
}

/// What an RDB says of a stream beside its nodes and groups.
#[derive(Clone, Copy, Debug)]
pub struct StreamTotals {
    pub len: u64,
    pub last_id: StreamId,
    /// What servers before 7.0 did not know: the greatest deleted ID, and how many entries were ever added.
    pub since_7: Option<(StreamId, u64)>,
}

impl Stream {
    pub fn encoding(&self) -> &'static str {
        "stream"
    }

    /// Is it none?
    pub fn is_absent(&self) -> bool {
        !self.body.exists
    }

    /// From now on it is a stream, if it was none.
    pub fn begin(&mut self) {
        self.body.exists = true;
    }

    /// Entries. Without any it is a stream all the same: see [`Self::is_absent`].
    #[expect(clippy::len_without_is_empty, reason = "what is empty is no value, elsewhere")]
    pub fn len(&self) -> usize {
        self.body.entries.len() as usize
    }

    pub fn entries(&self) -> &Entries {
        &self.body.entries
    }

    pub fn entries_mut(&mut self) -> &mut Entries {
        &mut self.body.entries
    }

    /// Groups, by name.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.body.groups.iter().map(|(name, group)| (&**name, &**group))
    }

    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.body.groups.get(name).map(|group| &**group)
    }

    /// Lets `change` change a group, with the entries at hand; `None` if there is no such group.
    pub fn with_group<R>(
        &mut self,
        name: &[u8],
        change: impl FnOnce(&Entries, &mut Group) -> R,
    ) -> Option<R> {
        let body = &mut *self.body;
        let group = Arc::make_mut(body.groups.get_mut(name)?);
        let before = group.footprint();
        let result = change(&body.entries, group);
        body.group_bytes = body.group_bytes - before + group.footprint();
        Some(result)
    }

    /// Adds a group; false if there is one of this name.
    pub fn add_group(&mut self, name: &[u8], group: Group) -> bool {
        let body = &mut *self.body;
        if body.groups.contains_key(name) {
            return false;
        }
        body.group_bytes += group_bytes(name, &group);
        body.groups.insert(name.into(), Arc::new(group));
        true
    }

    /// Removes a group; false if there is none of this name.
    pub fn remove_group(&mut self, name: &[u8]) -> bool {
        let body = &mut *self.body;
        let Some(group) = body.groups.remove(name) else {
            return false;
        };
        body.group_bytes -= group_bytes(name, &group);
        true
    }

    /// Nodes of the radix tree that redis-server would have.
    pub fn radix_nodes(&self) -> usize {
        radix::nodes(self.body.entries.nodes().map(|(id, _)| id))
    }

    /// Takes the next node that an RDB holds; false if it does not come behind those before it.
    pub fn adopt(&mut self, node: StreamId, pack: Pack) -> bool {
        self.begin();
        self.body.entries.adopt(node, pack)
    }

    /// Takes what an RDB says of all its nodes; false if it is not so.
    pub fn complete(&mut self, totals: StreamTotals) -> bool {
        self.begin();
        let entries = &mut self.body.entries;
        if totals.len != entries.len() || totals.last_id < entries.last_entry_id() {
            return false;
        }
        entries.last_id = totals.last_id;
        (entries.max_deleted_id, entries.added) = totals.since_7.unwrap_or((StreamId::MIN, totals.len));
        entries.find_first();
        true
    }

    /// What a group of the time before 7.0 has read up to this ID.
    pub fn estimated_read(&self, id: StreamId) -> i64 {
        self.body.entries.estimated_read(id)
    }

    /// Bytes allocated.
    pub fn footprint(&self) -> usize {
        size_of::<Body>() + self.body.entries.footprint() + self.body.group_bytes
    }

    pub fn free_effort(&self) -> usize {
        let of_groups: usize = self.body.groups.values().map(|group| group.free_effort()).sum();
        self.body.entries.free_effort() + of_groups
    }
}

fn group_bytes(name: &[u8], group: &Group) -> usize {
    size_class::round_up(name.len()) + GROUP_BYTES + group.footprint()
}

/// Equal streams have the same entries, wherever their nodes end, and the same groups.
impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.entries(), other.entries());
        let totals = |entries: &Entries| {
            (
                entries.len(),
                entries.last_id,
                entries.max_deleted_id,
                entries.added,
            )
        };
        let texts = |entries: &Entries| {
            let all = entries.range(StreamId::MIN, StreamId::MAX);
            let of_entry = |entry: StreamEntry<'_>| {
                let text = |item: super::Item<'_>| item.text(&mut itoa::Buffer::new()).to_vec();
                let pairs = entry.pairs().map(|(name, value)| (text(name), text(value)));
                (entry.id, pairs.collect::<Vec<_>>())
            };
            all.map(of_entry).collect::<Vec<_>>()
        };
        self.is_absent() == other.is_absent()
            && totals(ours) == totals(theirs)
            && self.body.groups == other.body.groups
            && texts(ours) == texts(theirs)
    }
}

impl Eq for Stream {}

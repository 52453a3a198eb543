//! One node of a stream: entries in a listpack, in redis-server's layout.
//!
//! ```text
//! live entries | deleted ones | n | n field names | 0 |      the names of the first entry, which others may share
//! flags | ms | seq | n values | elements before it           an entry with the same names
//! flags | ms | seq | n | n × (name, value) | elements        one with others
//! ```
//!
//! `ms` and `seq` are relative to the node's ID, that of its first entry. A deleted entry stays where it is, marked.

use super::super::listpack::{Item, Listpack};
use super::id::StreamId;

/// Flags of an entry.
const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// A node. Offsets are those of its listpack, and change when it does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pack {
    list: Listpack,
}

/// An entry of a node, deleted ones included.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub id: StreamId,
    pack: &'a Pack,
    /// Offset of the flags.
    at: usize,
    /// Offset of the first value, or of the first name if the entry has its own.
    content: Option<usize>,
    fields: usize,
    flags: i64,
    /// Offset of the count of elements at its end.
    end: usize,
}

/// What stands at the beginning of a node.
struct Head {
    live: i64,
    deleted: i64,
    fields: usize,
    /// Offset of the first name, or of the zero behind the names.
    names: usize,
}

impl Pack {
    /// A node whose first entry has these fields. The entry itself is [`Self::push`]ed.
    pub fn new<'a>(content: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut pack = Self {
            list: Listpack::default(),
        };
        let names: Vec<&[u8]> = content.step_by(2).collect();
        pack.push_number(0);
        pack.push_number(0);
        pack.push_number(names.len() as i64);
        names.iter().for_each(|name| pack.list.push(name));
        pack.push_number(0);
        pack
    }

    /// Takes a listpack that an RDB holds, for the node of this ID; `None` if it is no node. Entries that are not deleted
    /// have greater IDs than those before them.
    pub fn from_listpack(list: Listpack, node: StreamId) -> Option<Self> {
        let pack = Self { list };
        let (mut live, mut deleted) = (0, 0);
        let head = pack.checked_head()?;
        let mut next = pack.skip(head.names, head.fields + 1)?;
        let mut least = Some(StreamId::MIN);
        while let Some(at) = next {
            let entry = pack.checked_entry(at, node, &head)?;
            if entry.is_deleted() {
                deleted += 1;
            } else {
                live += 1;
                if entry.id < least? {
                    return None;
                }
                least = entry.id.next();
            }
            next = pack.list.next(entry.end);
        }
        (live + deleted > 0 && live == head.live && deleted == head.deleted).then_some(pack)
    }

    pub fn listpack(&self) -> &Listpack {
        &self.list
    }

    pub fn footprint(&self) -> usize {
        self.list.footprint()
    }

    /// Entries that are not deleted.
    pub fn live(&self) -> u64 {
        self.head().live as u64
    }

    /// All entries.
    pub fn entries(&self) -> u64 {
        let head = self.head();
        (head.live + head.deleted) as u64
    }

    /// Appends an entry: names and values in turns.
    pub fn push<'a>(
        &mut self,
        node: StreamId,
        id: StreamId,
        content: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
    ) {
        let fields = content.len() / 2;
        let is_same = self.has_names(content.clone().step_by(2), fields);
        let live = self.head().live;
        self.set_number(0, live + 1);
        self.push_number(if is_same { SAME_FIELDS } else { 0 });
        self.push_number(id.ms.wrapping_sub(node.ms) as i64);
        self.push_number(id.seq.wrapping_sub(node.seq) as i64);
        if is_same {
            content.skip(1).step_by(2).for_each(|value| self.list.push(value));
            self.push_number(fields as i64 + 3);
        } else {
            self.push_number(fields as i64);
            content.for_each(|text| self.list.push(text));
            self.push_number(2 * fields as i64 + 4);
        }
    }

    /// Marks entries as deleted, from the first on, as long as `goes` says so of an ID and of how many were marked before it;
    /// returns how many.
    pub fn delete_while(&mut self, node: StreamId, goes: impl Fn(StreamId, u64) -> bool) -> u64 {
        let mut next = self.first_entry();
        let mut count = 0_u64;
        while let Some(at) = next {
            let entry = self.entry(at, node);
            let (id, flags) = (entry.id, entry.flags);
            if !goes(id, count) {
                break;
            }
            if flags & DELETED == 0 {
                self.replace_number(at, flags | DELETED);
                count += 1;
            }
            next = self.list.next(self.entry(at, node).end);
        }
        self.moved_to_deleted(count as i64);
        count
    }

    /// Marks one entry as deleted; false if it is not there.
    pub fn delete(&mut self, node: StreamId, id: StreamId) -> bool {
        let Some((at, flags)) = self
            .forward(node)
            .find(|entry| entry.id == id && !entry.is_deleted())
            .map(|entry| (entry.at, entry.flags))
        else {
            return false;
        };
        self.replace_number(at, flags | DELETED);
        self.moved_to_deleted(1);
        true
    }

    /// Entries, deleted ones included, the first one first.
    pub fn forward(&self, node: StreamId) -> impl Iterator<Item = Entry<'_>> {
        let mut next = self.first_entry();
        std::iter::from_fn(move || {
            let entry = self.entry(next?, node);
            next = self.list.next(entry.end);
            Some(entry)
        })
    }

    /// The same, the last one first.
    pub fn backward(&self, node: StreamId) -> impl Iterator<Item = Entry<'_>> {
        let mut left = self.entries();
        let mut end = self.list.last();
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let last = end?;
            let elements = self.number(last);
            let at = (0..elements).try_fold(last, |at, _| self.list.previous(at))?;
            end = self.list.previous(at);
            Some(self.entry(at, node))
        })
    }

    fn head(&self) -> Head {
        self.checked_head().expect("a node was checked when it was read")
    }

    fn checked_head(&self) -> Option<Head> {
        let live_at = self.list.first()?;
        let deleted_at = self.list.next(live_at)?;
        let fields_at = self.list.next(deleted_at)?;
        let [live, deleted, fields] = [live_at, deleted_at, fields_at].map(|at| self.checked_number(at));
        let head = Head {
            live: live?,
            deleted: deleted?,
            fields: usize::try_from(fields?).ok()?,
            names: self.list.next(fields_at)?,
        };
        (head.live >= 0 && head.deleted >= 0).then_some(head)
    }

    fn first_entry(&self) -> Option<usize> {
        let head = self.head();
        self.skip(head.names, head.fields + 1).flatten()
    }

    /// The offset so many elements behind `at`; `Some(None)`: just behind the last one. The element at the end of the names
    /// is checked to be a zero by nobody: so it is in stock.
    fn skip(&self, at: usize, count: usize) -> Option<Option<usize>> {
        let mut next = Some(at);
        for _ in 0..count {
            next = self.list.next(next?);
        }
        Some(next)
    }

    fn entry(&self, at: usize, node: StreamId) -> Entry<'_> {
        self.checked_entry(at, node, &self.head())
            .expect("a node was checked when it was read")
    }

    /// The entry at `at`, with all of its elements there.
    fn checked_entry(&self, at: usize, node: StreamId, head: &Head) -> Option<Entry<'_>> {
        let flags = self.checked_number(at)?;
        let ms_at = self.list.next(at)?;
        let seq_at = self.list.next(ms_at)?;
        let id = StreamId {
            ms: node.ms.wrapping_add(self.checked_number(ms_at)? as u64),
            seq: node.seq.wrapping_add(self.checked_number(seq_at)? as u64),
        };
        let behind = self.list.next(seq_at)?;
        let (content, fields, elements) = if flags & SAME_FIELDS != 0 {
            (behind, head.fields, head.fields)
        } else {
            let fields = usize::try_from(self.checked_number(behind)?).ok()?;
            (self.list.next(behind)?, fields, fields.checked_mul(2)?)
        };
        let end = self.skip(content, elements)??;
        let own = if flags & SAME_FIELDS != 0 { 3 } else { 4 };
        if self.checked_number(end)? != (elements + own) as i64 {
            return None;
        }
        Some(Entry {
            id,
            pack: self,
            at,
            content: (elements > 0).then_some(content),
            fields,
            flags,
            end,
        })
    }

    fn has_names<'a>(&self, names: impl Iterator<Item = &'a [u8]>, count: usize) -> bool {
        let head = self.head();
        let mut buffer = itoa::Buffer::new();
        let own = self.list.forward(Some(head.names)).take(head.fields);
        count == head.fields
            && own
                .zip(names)
                .all(|((_, own), name)| own.text(&mut buffer) == name)
    }

    fn moved_to_deleted(&mut self, count: i64) {
        if count > 0 {
            let head = self.head();
            self.set_number(0, head.live - count);
            self.set_number(1, head.deleted + count);
        }
    }

    fn number(&self, at: usize) -> i64 {
        self.checked_number(at)
            .expect("a node was checked when it was read")
    }

    fn checked_number(&self, at: usize) -> Option<i64> {
        match self.list.get(at) {
            Item::Int(number) => Some(number),
            Item::Text(_) => None,
        }
    }

    fn push_number(&mut self, number: i64) {
        self.list.push(itoa::Buffer::new().format(number).as_bytes());
    }

    /// Sets number `index` of those at the beginning.
    fn set_number(&mut self, index: usize, number: i64) {
        let first = self.list.first();
        let at = (0..index).fold(first, |at, _| self.list.next(at?));
        self.replace_number(at.expect("a node begins with three numbers"), number);
    }

    fn replace_number(&mut self, at: usize, number: i64) {
        self.list
            .replace(at, itoa::Buffer::new().format(number).as_bytes());
    }
}

impl<'a> Entry<'a> {
    pub fn is_deleted(&self) -> bool {
        self.flags & DELETED != 0
    }

    /// Fields.
    pub fn field_count(&self) -> usize {
        self.fields
    }

    /// Names and values, in the order in which they were given.
    pub fn pairs(&self) -> impl Iterator<Item = (Item<'a>, Item<'a>)> {
        let list = &self.pack.list;
        let is_same = self.flags & SAME_FIELDS != 0;
        let mut name_at = if is_same {
            Some(self.pack.head().names)
        } else {
            self.content
        };
        let mut value_at = self.content;
        (0..self.fields).map_while(move |_| {
            let name = name_at?;
            if is_same {
                let value = value_at?;
                (name_at, value_at) = (list.next(name), list.next(value));
                Some((list.get(name), list.get(value)))
            } else {
                let value = list.next(name)?;
                name_at = list.next(value);
                Some((list.get(name), list.get(value)))
            }
        })
    }
}

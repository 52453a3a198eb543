//! What belongs to IDs, in their order: a row of chunks, each shared with snapshots until it is written to.
//!
//! ```text
//! | chunk: up to 128 × (ID, value) | chunk | ... |        searched by halves, for the chunk and then within it
//! ```
//!
//! Most of what comes has the greatest ID, and fills chunks to the brim; what comes in between splits one. A copy takes a
//! pointer a chunk.

use std::collections::VecDeque;
use std::sync::Arc;

use super::id::StreamId;
use crate::keyspace::size_class;

/// Elements of a chunk.
const CHUNK: usize = 128;

type Chunk<V> = Arc<Vec<(StreamId, V)>>;

#[derive(Clone, Debug)]
pub struct IdMap<V> {
    /// None is empty.
    chunks: VecDeque<Chunk<V>>,
    len: usize,
}

impl<V> Default for IdMap<V> {
    fn default() -> Self {
        Self {
            chunks: VecDeque::new(),
            len: 0,
        }
    }
}

impl<V: Clone> IdMap<V> {
    /// Elements.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes allocated, about: chunks are taken for full, unless there is one only.
    pub fn footprint(&self) -> usize {
        let element = size_of::<(StreamId, V)>();
        let row = size_class::round_up(self.chunks.capacity() * size_of::<Chunk<V>>());
        let per_chunk = match self.chunks.len() {
            0 => return row,
            1 => self.len * element,
            _ => CHUNK * element,
        };
        let own = size_of::<Vec<(StreamId, V)>>() + 2 * size_of::<usize>();
        row + self.chunks.len() * (size_class::round_up(per_chunk) + size_class::round_up(own))
    }

    /// Allocations.
    pub fn free_effort(&self) -> usize {
        self.chunks.len()
    }

    /// In which chunk `id` is or would be, and where in it.
    fn place(&self, id: StreamId) -> (usize, Result<usize, usize>) {
        let behind = self.chunks.partition_point(|chunk| chunk[0].0 <= id);
        match behind.checked_sub(1) {
            Some(at) => (at, self.chunks[at].binary_search_by_key(&id, |(own, _)| *own)),
            None => (0, Err(0)),
        }
    }

    pub fn get(&self, id: StreamId) -> Option<&V> {
        let (at, inner) = self.place(id);
        Some(&self.chunks.get(at)?[inner.ok()?].1)
    }

    /// For writing: a copy of its chunk, if a snapshot still needs that.
    pub fn get_mut(&mut self, id: StreamId) -> Option<&mut V> {
        let (at, inner) = self.place(id);
        let inner = inner.ok()?;
        Some(&mut own(self.chunks.get_mut(at)?)[inner].1)
    }

    /// Puts a value to an ID, and returns what was there.
    pub fn insert(&mut self, id: StreamId, value: V) -> Option<V> {
        let (at, inner) = self.place(id);
        let inner = match inner {
            Ok(inner) => return Some(std::mem::replace(&mut own(&mut self.chunks[at])[inner].1, value)),
            Err(inner) => inner,
        };
        self.len += 1;
        let is_last = at + 1 == self.chunks.len();
        let Some(chunk) = self.chunks.get_mut(at) else {
            self.chunks.push_back(Arc::new(vec![(id, value)]));
            return None;
        };
        if chunk.len() < CHUNK {
            own(chunk).insert(inner, (id, value));
        } else if inner == CHUNK && is_last {
            let mut last = Vec::with_capacity(CHUNK);
            last.push((id, value));
            self.chunks.push_back(Arc::new(last));
        } else {
            let chunk = own(chunk);
            let mut rest = Vec::with_capacity(CHUNK);
            rest.extend(chunk.drain(CHUNK / 2..));
            match inner.checked_sub(CHUNK / 2) {
                Some(inner) => rest.insert(inner, (id, value)),
                None => chunk.insert(inner, (id, value)),
            }
            self.chunks.insert(at + 1, Arc::new(rest));
        }
        None
    }

    /// Removes an ID, and returns what belonged to it.
    pub fn remove(&mut self, id: StreamId) -> Option<V> {
        let (at, inner) = self.place(id);
        let inner = inner.ok()?;
        let chunk = own(self.chunks.get_mut(at)?);
        let (_, value) = chunk.remove(inner);
        let left = chunk.len();
        self.len -= 1;
        if left == 0 {
            self.chunks.remove(at);
        } else if let Some(other) = self.chunks.get(at + 1)
            && left + other.len() <= CHUNK / 2
            && let Some(other) = self.chunks.remove(at + 1)
        {
            own(&mut self.chunks[at]).extend(other.iter().cloned());
        }
        if self.chunks.capacity() > 4 * self.chunks.len() + 4 {
            self.chunks.shrink_to(2 * self.chunks.len());
        }
        Some(value)
    }

    pub fn first(&self) -> Option<(StreamId, &V)> {
        self.iter().next()
    }

    pub fn last(&self) -> Option<(StreamId, &V)> {
        self.up_to(StreamId::MAX).next()
    }

    /// All, the smallest ID first.
    pub fn iter(&self) -> impl Iterator<Item = (StreamId, &V)> {
        self.from(StreamId::MIN)
    }

    /// Those with this ID and greater ones, the smallest first.
    pub fn from(&self, id: StreamId) -> impl Iterator<Item = (StreamId, &V)> {
        let (at, inner) = self.place(id);
        let first = inner.unwrap_or_else(|inner| inner);
        let chunks = self.chunks.range(at.min(self.chunks.len())..);
        let elements = chunks.enumerate().flat_map(move |(number, chunk)| {
            let skipped = if number == 0 { first } else { 0 };
            chunk[skipped..].iter()
        });
        elements.map(|(id, value)| (*id, value))
    }

    /// Those with this ID and smaller ones, the greatest first.
    pub fn up_to(&self, id: StreamId) -> impl Iterator<Item = (StreamId, &V)> {
        let (at, inner) = self.place(id);
        let end = inner.map_or_else(|inner| inner, |inner| inner + 1);
        let chunks = self.chunks.range(..(at + 1).min(self.chunks.len()));
        let elements = chunks.rev().enumerate().flat_map(move |(number, chunk)| {
            let kept = if number == 0 { end } else { chunk.len() };
            chunk[..kept].iter().rev()
        });
        elements.map(|(id, value)| (*id, value))
    }
}

/// Equal maps hold the same, however it is cut into chunks.
impl<V: Clone + PartialEq> PartialEq for IdMap<V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<V: Clone + Eq> Eq for IdMap<V> {}

fn own<V: Clone>(chunk: &mut Chunk<V>) -> &mut Vec<(StreamId, V)> {
    Arc::make_mut(chunk)
}

//! The table of a large collection: strings by string (fields of a hash), or strings alone (members of a set).
//!
//! ```text
//! directory: 2^depth numbers ─► segments, each with the entries whose hashes begin with its bits
//!   00 ─► 0                       segment 0: hashes 0...   (depth 1)
//!   01 ─► 0                       segment 1: hashes 10...  (depth 2)
//!   10 ─► 1                       segment 2: hashes 11...  (depth 2)
//!   11 ─► 2
//! ```
//!
//! A segment is a [`Buckets`] of at most [`SEGMENT_MAX`] entries. One that is full is split by the next bit of the hash,
//! two halves that have become sparse are merged: no insertion moves more than one segment, whatever the size of the
//! table (the directory, four bytes a segment, doubles now and then). Segments are shared between copies of a table until
//! one of them changes it, so that a copy for a snapshot costs a pointer a segment.
//!
//! Segments cover ranges of hashes, as buckets do within them, so a cursor is a position in hash space here too: see
//! `scan` beside the slot tables.

use std::sync::Arc;

use super::super::buckets::Buckets;
use super::super::entry::{Content, Draft, Encoding, Entry, OwnedEntry};
use super::super::key::{Key, hash_key};
use super::super::size_class;

/// A segment with so many entries is split.
const SEGMENT_MAX: usize = 512;
/// Two halves that have so few together are merged.
const MERGE_MAX: usize = 128;
/// Segments are not split further: a bucket's first hash must be one that a cursor can name.
const DEPTH_MAX: u32 = 30;
/// Bits of a hash that a cursor lacks: it is below 2^52, so that any client can hold it in a double.
const CURSOR_SHIFT: u32 = 12;

/// The table. A copy shares what neither changes.
#[derive(Clone, Default)]
pub struct Segments {
    /// Which segment has the hashes that begin with these `depth` bits.
    directory: Vec<u32>,
    depth: u32,
    /// Segments of this very depth.
    deepest: usize,
    segments: Vec<Arc<Segment>>,
    len: usize,
    /// Bytes of entries and buckets.
    bytes: usize,
}

#[derive(Clone)]
struct Segment {
    buckets: Buckets,
    /// The bits that its hashes begin with, in front.
    prefix: u64,
    /// How many.
    depth: u32,
}

impl Segment {
    fn new(prefix: u64, depth: u32) -> Self {
        Self {
            buckets: Buckets::new(),
            prefix,
            depth,
        }
    }

    /// The hash by which an entry lies in its segment: the bits that the segment does not say already.
    fn local(&self, hash: u64) -> u64 {
        hash << self.depth
    }

    fn insert(&mut self, hash: u64, entry: OwnedEntry) {
        if !self.buckets.has_room() {
            self.buckets.resize(self.buckets.grown_count());
        }
        self.buckets.insert(self.local(hash), entry);
    }

    fn footprint(&self) -> usize {
        let entries: usize = self.buckets.entries().map(Entry::footprint).sum();
        size_of::<Self>() + self.buckets.footprint() + entries
    }
}

fn key(bytes: &[u8], hash: u64) -> Key<'_> {
    // Slots are of no concern within a value.
    Key { bytes, hash, slot: 0 }
}

fn draft<'a>(name: &'a [u8], value: &'a [u8]) -> Draft<'a> {
    Draft {
        key: name,
        content: Content::Bytes(value),
        expiry: None,
        encoding: Encoding::Auto,
        clock: 0,
        mark: false,
    }
}

impl Segments {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes allocated.
    pub fn footprint(&self) -> usize {
        let directory = size_class::round_up(self.directory.capacity() * size_of::<u32>());
        let segments = size_class::round_up(self.segments.capacity() * size_of::<usize>());
        size_of::<Self>() + directory + segments + self.bytes
    }

    /// The value of a name.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let hash = hash_key(name);
        let segment = self.segment_of(hash)?;
        let position = segment.buckets.find(&key(name, segment.local(hash)))?;
        segment.buckets.entry(position).string()
    }

    /// A name of at least so many bytes whose [`hash_key`] is `hash`.
    pub fn name_of(&self, hash: u64, min_len: usize) -> Option<&[u8]> {
        let segment = self.segment_of(hash)?;
        let position = segment.buckets.find_by(segment.local(hash), |entry| {
            entry.key().len() >= min_len && hash_key(entry.key()) == hash
        })?;
        Some(segment.buckets.entry(position).key())
    }

    pub fn contains(&self, name: &[u8]) -> bool {
        self.get(name).is_some()
    }

    /// Gives a name a value; true if the name is new.
    pub fn insert(&mut self, name: &[u8], value: &[u8]) -> bool {
        let hash = hash_key(name);
        if self.segments.is_empty() {
            self.begin();
        }
        let at = self.index_of(hash);
        let segment = &self.segments[at];
        let Some(position) = segment.buckets.find(&key(name, segment.local(hash))) else {
            self.add(hash, OwnedEntry::new(draft(name, value)));
            return true;
        };
        let segment = Arc::make_mut(&mut self.segments[at]);
        // A copy of the buckets has its entries at the same positions.
        let change = segment.buckets.update(position, |entry| {
            let before = entry.view().footprint();
            drop(entry.replace(draft(name, value)));
            entry.view().footprint() as isize - before as isize
        });
        self.bytes = self.bytes.wrapping_add_signed(change);
        false
    }

    /// Removes a name; false if it is not there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let hash = hash_key(name);
        let Some(segment) = self.segment_of(hash) else {
            return false;
        };
        let Some(position) = segment.buckets.find(&key(name, segment.local(hash))) else {
            return false;
        };
        let at = self.index_of(hash);
        let segment = Arc::make_mut(&mut self.segments[at]);
        let before = segment.buckets.footprint();
        let entry = segment.buckets.remove(position);
        if let Some(count) = segment.buckets.shrunk_count() {
            segment.buckets.resize(count);
        }
        let freed = before - segment.buckets.footprint() + entry.view().footprint();
        let sparse = segment.buckets.len() <= MERGE_MAX / 2;
        drop(entry);
        self.bytes -= freed;
        self.len -= 1;
        if sparse {
            self.merge(at);
        }
        true
    }

    /// Names with their values, in the order of hashes as far as segments go.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.segments
            .iter()
            .flat_map(|segment| segment.buckets.entries())
            .map(pair)
    }

    /// Visits about `count` pairs from `cursor` on, and returns the cursor of the next step, 0 at the end. What is in
    /// the table during all steps is visited at least once. Any cursor is valid.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(&[u8], &[u8])) -> u64 {
        let mut from = cursor << CURSOR_SHIFT;
        let mut seen = 0;
        while let Some(segment) = self.segment_of(from) {
            let buckets = &segment.buckets;
            if !buckets.is_empty() {
                for bucket in buckets.home(segment.local(from))..buckets.count() {
                    if seen >= count {
                        let next = segment.prefix | buckets.first_hash_of(bucket) >> segment.depth;
                        return next >> CURSOR_SHIFT;
                    }
                    buckets.entries_at_home(bucket, &mut |entry| {
                        let (name, value) = pair(entry);
                        visit(name, value);
                        seen += 1;
                    });
                }
            }
            let Some(next) = end_of(segment) else { return 0 };
            from = next;
            if seen >= count {
                return from >> CURSOR_SHIFT;
            }
        }
        0
    }

    /// A random pair, each as likely as any other; `None` if there is none.
    pub fn random(&self) -> Option<(&[u8], &[u8])> {
        if self.is_empty() {
            return None;
        }
        let most = match &self.segments[..] {
            [only] => only.buckets.len(),
            _ => SEGMENT_MAX,
        };
        loop {
            // A place in a segment that may be taken or not: all places are equally likely.
            let segment = &self.segments[rand::random_range(0..self.segments.len())];
            let place = rand::random_range(0..most);
            if place < segment.buckets.len() {
                return segment.buckets.entries().nth(place).map(pair);
            }
        }
    }

    fn begin(&mut self) {
        let segment = Segment::new(0, 0);
        self.bytes = segment.footprint();
        *self = Self {
            directory: vec![0],
            depth: 0,
            deepest: 1,
            segments: vec![Arc::new(segment)],
            len: 0,
            bytes: self.bytes,
        };
    }

    fn index_of(&self, hash: u64) -> usize {
        self.directory[top_bits(hash, self.depth)] as usize
    }

    fn segment_of(&self, hash: u64) -> Option<&Segment> {
        let at = *self.directory.get(top_bits(hash, self.depth))?;
        Some(&self.segments[at as usize])
    }

    fn add(&mut self, hash: u64, entry: OwnedEntry) {
        let mut at = self.index_of(hash);
        while self.segments[at].buckets.len() >= SEGMENT_MAX && self.segments[at].depth < DEPTH_MAX {
            self.split(at);
            at = self.index_of(hash);
        }
        let segment = Arc::make_mut(&mut self.segments[at]);
        let before = segment.buckets.footprint();
        let size = entry.view().footprint();
        segment.insert(hash, entry);
        self.bytes += segment.buckets.footprint() - before + size;
        self.len += 1;
    }

    /// Makes two segments of one.
    fn split(&mut self, at: usize) {
        let old = Arc::make_mut(&mut self.segments[at]);
        let before = old.footprint();
        let depth = old.depth + 1;
        let bit = 1 << (64 - depth);
        let mut low = Segment::new(old.prefix, depth);
        let mut high = Segment::new(old.prefix | bit, depth);
        std::mem::replace(&mut old.buckets, Buckets::new()).drain(&mut |entry| {
            let hash = hash_key(entry.view().key());
            let half = if hash & bit == 0 { &mut low } else { &mut high };
            half.insert(hash, entry);
        });
        self.bytes = self.bytes - before + low.footprint() + high.footprint();
        if depth > self.depth {
            self.directory = self.directory.iter().flat_map(|&number| [number; 2]).collect();
            (self.depth, self.deepest) = (depth, 0);
        }
        if depth == self.depth {
            self.deepest += 2;
        }
        self.segments[at] = Arc::new(low);
        self.segments.push(Arc::new(high));
        self.point_to(self.segments.len() - 1);
    }

    /// Makes one segment of a sparse one and its other half, if that has not been split further and is sparse, too.
    fn merge(&mut self, mut at: usize) {
        loop {
            let segment = &self.segments[at];
            let depth = segment.depth;
            if depth == 0 {
                return;
            }
            let other = self.index_of(segment.prefix ^ 1 << (64 - depth));
            let half = &self.segments[other];
            if half.depth != depth || half.buckets.len() + segment.buckets.len() > MERGE_MAX {
                return;
            }
            let prefix = segment.prefix & half.prefix;
            let before = segment.footprint() + half.footprint();
            let mut whole = Segment::new(prefix, depth - 1);
            for index in [at, other] {
                let half = Arc::make_mut(&mut self.segments[index]);
                std::mem::replace(&mut half.buckets, Buckets::new())
                    .drain(&mut |entry| whole.insert(hash_key(entry.view().key()), entry));
            }
            self.bytes = self.bytes - before + whole.footprint();
            if depth == self.depth {
                self.deepest -= 2;
            }
            self.segments[at] = Arc::new(whole);
            self.point_to(at);
            self.segments.swap_remove(other);
            if other < self.segments.len() {
                self.point_to(other);
            }
            if self.deepest == 0 {
                self.halve_directory();
            }
            at = self.index_of(prefix);
        }
    }

    /// Has the directory name a segment for all its hashes.
    fn point_to(&mut self, at: usize) {
        let segment = &self.segments[at];
        let first = top_bits(segment.prefix, self.depth);
        let count = 1 << (self.depth - segment.depth);
        self.directory[first..first + count].fill(at as u32);
    }

    fn halve_directory(&mut self) {
        self.depth -= 1;
        self.directory = self.directory.iter().copied().step_by(2).collect();
        let is_deepest = |segment: &&Arc<Segment>| segment.depth == self.depth;
        self.deepest = self.segments.iter().filter(is_deepest).count();
        self.segments.shrink_to(self.segments.len() * 2);
        if self.deepest == 0 {
            self.halve_directory();
        }
    }
}

fn top_bits(hash: u64, depth: u32) -> usize {
    hash.checked_shr(64 - depth).unwrap_or(0) as usize
}

/// The first hash behind a segment; `None` if it is the last.
fn end_of(segment: &Segment) -> Option<u64> {
    segment.prefix.checked_add(1_u64.checked_shl(64 - segment.depth)?)
}

fn pair(entry: Entry<'_>) -> (&[u8], &[u8]) {
    (entry.key(), entry.string().unwrap_or_default())
}

impl std::fmt::Debug for Segments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segments")
            .field("len", &self.len)
            .field("segments", &self.segments.len())
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

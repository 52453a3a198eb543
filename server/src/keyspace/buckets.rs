//! The hash table of one slot: open addressing over buckets of one cache line.
//!
//! ```text
//! bucket = 8 words of 8 bytes, filled from the left
//! word   = | tag: 18 bits | volatile: 1 bit | entry address / 8: 45 bits |      0 = free
//! ```
//!
//! An entry lies in its home bucket, or, if that was full, in the first later bucket with room (the last is followed
//! by the first). So a lookup reads one line and almost always stops there: it goes on only past a full bucket. A
//! removal from a full bucket pulls back an entry that had to pass it, which keeps this true without tombstones.
//!
//! Homes grow with the hash, for any number of buckets: this is what lets a SCAN cursor be a position in hash space
//! that survives growing and shrinking. Up to [`TAG_HOMES_MAX`] buckets the home follows from the tag alone, so that
//! resizing moves words and touches no entry. Larger tables, which only a slot far above its share has, use the whole
//! hash for the home and other bits of it for the tag.

mod hint;
mod lines;

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::entry::{Entry, OwnedEntry};
use super::key::{Key, hash_key};
use super::prefetch::{LINE_BYTES, prefetch_line};
use super::size_class;
use super::value::lazy_free::give_way;
use lines::{allocate, release};

/// Words in a bucket.
pub(super) const LANES: usize = 8;
/// Entries for each bucket before the table grows: seven eighths full.
const ENTRIES_PER_BUCKET: usize = 7;
const BUCKET_BYTES: usize = LANES * size_of::<u64>();

const ADDRESS_BITS: u32 = 45;
const ADDRESS_MASK: u64 = (1 << ADDRESS_BITS) - 1;
const VOLATILE: u64 = 1 << ADDRESS_BITS;
const TAG_SHIFT: u32 = ADDRESS_BITS + 1;
const TAG_BITS: u32 = 64 - TAG_SHIFT;

/// Up to this many buckets the tag, being the top bits of the hash, says the home.
const TAG_HOMES_MAX: u32 = 1024;

/// The top bits of the hash that say the home in larger tables: as many as a SCAN cursor can name, so that a bucket
/// begins where a cursor can point.
pub(super) const HOME_BITS: u32 = 38;

type Line = [u64; LANES];

/// Where an entry lies, valid until the next insertion, removal or resize.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    bucket: u32,
    lane: u32,
}

/// The table. Every word that is not zero owns the entry it points to.
pub(super) struct Buckets {
    lines: NonNull<Line>,
    count: u32,
    len: u32,
}

// SAFETY: the table owns its lines and entries alone, and entries are Send.
unsafe impl Send for Buckets {}
// SAFETY: a shared reference only reads, and entries are Sync.
unsafe impl Sync for Buckets {}

impl Buckets {
    /// A table without buckets: the first insertion must be preceded by [`Buckets::resize`].
    pub const fn new() -> Self {
        Self {
            lines: NonNull::dangling(),
            count: 0,
            len: 0,
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether one more entry fits without growing.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.len() < self.count as usize * ENTRIES_PER_BUCKET
    }

    /// Bytes held by the buckets themselves.
    pub fn footprint(&self) -> usize {
        self.count as usize * BUCKET_BYTES
    }

    /// The next larger number of buckets: the sizes between which the allocator wastes nothing.
    pub fn grown_count(&self) -> u32 {
        let bytes = size_class::round_up(self.footprint() + BUCKET_BYTES);
        let bytes = if self.count >= TAG_HOMES_MAX {
            bytes.max(self.footprint() / 2 * 3)
        } else {
            bytes
        };
        u32::try_from(bytes.div_ceil(BUCKET_BYTES)).expect("2^32 buckets of one slot do not fit into memory")
    }

    /// The number of buckets to shrink to, if the table is so sparse that it pays.
    #[inline]
    pub fn shrunk_count(&self) -> Option<u32> {
        if self.count <= 1 || self.len() * 4 > self.count as usize * ENTRIES_PER_BUCKET {
            return None;
        }
        let wanted = (self.len() * 3 / 2).div_ceil(ENTRIES_PER_BUCKET).max(1);
        Some((size_class::round_up(wanted * BUCKET_BYTES) / BUCKET_BYTES) as u32)
    }

    /// Brings the entries that `hash` may belong to close.
    #[inline]
    pub fn prefetch_entries(&self, hash: u64) {
        if self.count == 0 {
            return;
        }
        let line = self.line(home(hash, self.count));
        let mut hits = matching_lanes(line, tag(hash, self.count));
        while hits != 0 {
            let entry = word_address(line[hits.trailing_zeros() as usize]).as_ptr();
            prefetch_line(entry);
            // Key and value of most are longer than what is left of the first line.
            prefetch_line(entry.wrapping_add(LINE_BYTES));
            hits &= hits - 1;
        }
    }

    #[inline]
    pub fn find(&self, key: &Key<'_>) -> Option<Position> {
        self.find_by(key.hash, |entry| entry.key() == key.bytes)
    }

    /// The first entry with a hash like this one that `is_it` accepts.
    #[inline]
    pub fn find_by(&self, hash: u64, is_it: impl Fn(Entry<'_>) -> bool) -> Option<Position> {
        if self.count == 0 {
            return None;
        }
        let tag = tag(hash, self.count);
        let mut bucket = home(hash, self.count);
        loop {
            let line = self.line(bucket);
            let mut hits = matching_lanes(line, tag);
            while hits != 0 {
                let lane = hits.trailing_zeros();
                let position = Position { bucket, lane };
                if is_it(self.entry(position)) {
                    return Some(position);
                }
                hits &= hits - 1;
            }
            if line[LANES - 1] == 0 {
                return None;
            }
            bucket = self.after(bucket);
        }
    }

    /// # Panics
    /// If there is no entry at `position`: it was kept across a change of the table.
    #[inline]
    pub fn entry(&self, position: Position) -> Entry<'_> {
        let word = self.line(position.bucket)[position.lane as usize];
        // SAFETY: a word that is not zero (word_address checks) owns a live entry, which changes only through &mut.
        unsafe { Entry::from_raw(word_address(word)) }
    }

    /// Lets `change` set the bits that tell of accesses of the entry at `position`; writes nothing if they stay the same.
    #[inline]
    pub fn update_clock(&mut self, position: Position, change: impl FnOnce(u32) -> u32) {
        let word = self.line(position.bucket)[position.lane as usize];
        // SAFETY: the word owns the entry, and nobody holds a view of it while self is borrowed mutably.
        unsafe { OwnedEntry::update_clock_at(word_address(word), change) };
    }

    /// Sets the mark of the entry at `position`.
    pub fn set_mark(&mut self, position: Position, mark: bool) {
        let word = self.line(position.bucket)[position.lane as usize];
        // SAFETY: the word owns the entry, and nobody holds a view of it while self is borrowed mutably.
        unsafe { OwnedEntry::set_mark_at(word_address(word), mark) };
    }

    /// Lets `change` work on the entry at `position` as its owner, key unchanged.
    #[inline]
    pub fn update<R>(&mut self, position: Position, change: impl FnOnce(&mut OwnedEntry) -> R) -> R {
        let word = &mut self.line_mut(position.bucket)[position.lane as usize];
        // SAFETY: the word owns the entry; ManuallyDrop keeps the temporary second owner from dropping it, and the
        // word is not read before it is written below. A panic in `change` (it could only be an absurd capacity)
        // would come before the entry has moved.
        let mut entry = ManuallyDrop::new(unsafe { OwnedEntry::from_raw(word_address(*word)) });
        let result = change(&mut entry);
        *word = word_of(*word >> TAG_SHIFT, &entry);
        result
    }

    /// The bytes of the string at `position`, for writing.
    pub fn string_mut(&mut self, position: Position) -> &mut [u8] {
        let word = self.line(position.bucket)[position.lane as usize];
        // SAFETY: the word owns the entry, and self is borrowed mutably for as long as the slice lives.
        unsafe { OwnedEntry::string_mut_at(word_address(word)) }
    }

    /// Inserts an entry whose key is not in the table.
    ///
    /// # Panics
    /// If there is no room: the caller asks [`Buckets::has_room`] first.
    pub fn insert(&mut self, hash: u64, entry: OwnedEntry) -> Position {
        assert!(self.has_room(), "the caller makes room before it inserts");
        let word = word_of(tag(hash, self.count), &entry);
        let _owned_by_the_word = entry.into_raw();
        self.len += 1;
        self.place(home(hash, self.count), word)
    }

    /// Takes the entry at `position` out. Positions of other entries may change.
    pub fn remove(&mut self, position: Position) -> OwnedEntry {
        let word = self.cut(position);
        self.len -= 1;
        // SAFETY: the word owned the entry and is gone.
        unsafe { OwnedEntry::from_raw(word_address(word)) }
    }

    /// Rebuilds the table with `count` buckets, enough for its entries.
    pub fn resize(&mut self, count: u32) {
        assert!(
            self.len() <= count as usize * ENTRIES_PER_BUCKET,
            "a table is never shrunk below its entries"
        );
        let old = std::mem::replace(
            self,
            Self {
                lines: allocate(count),
                count,
                len: self.len,
            },
        );
        let old = ManuallyDrop::new(old);
        let keep_tags = old.count <= TAG_HOMES_MAX && count <= TAG_HOMES_MAX;
        for bucket in 0..old.count {
            if !keep_tags {
                old.prefetch_words(bucket + 1, |_| true);
            }
            for &word in old.line(bucket).iter().take_while(|&&word| word != 0) {
                if keep_tags {
                    self.place(home_of_tag(word >> TAG_SHIFT, count), word);
                } else {
                    // SAFETY: the word owns a live entry; here it is only read.
                    let hash = hash_key(unsafe { Entry::from_raw(word_address(word)) }.key());
                    let word = word & ((1 << TAG_SHIFT) - 1) | tag(hash, count) << TAG_SHIFT;
                    self.place(home(hash, count), word);
                }
            }
        }
        release(old.lines, old.count);
    }

    /// Takes all entries out, one by one.
    pub fn drain(mut self, visit: &mut dyn FnMut(OwnedEntry)) {
        for bucket in 0..self.count {
            self.prefetch_words(bucket + 1, |_| true);
            for word in std::mem::take(self.line_mut(bucket)) {
                if word != 0 {
                    // SAFETY: the word owned the entry and is gone.
                    visit(unsafe { OwnedEntry::from_raw(word_address(word)) });
                }
            }
        }
    }

    /// Brings entries of `bucket` close, all of them or those that expire.
    pub fn prefetch_bucket(&self, bucket: u32, only_volatile: bool) {
        self.prefetch_words(bucket, |word| !only_volatile || word & VOLATILE != 0);
    }

    /// The position in `bucket` of the entry in `lane` or a later one, if any; only those that expire if so wanted.
    pub fn next_in_bucket(&self, bucket: u32, lane: u32, only_volatile: bool) -> Option<Position> {
        let line = self.line(bucket);
        (lane..LANES as u32)
            .find(|&lane| {
                let word = line[lane as usize];
                word != 0 && (!only_volatile || word & VOLATILE != 0)
            })
            .map(|lane| Position { bucket, lane })
    }

    /// The position of this lane, if there is an entry, and one that expires if so wanted.
    pub fn at(&self, bucket: u32, lane: u32, only_volatile: bool) -> Option<Position> {
        let word = self.line(bucket)[lane as usize];
        (word != 0 && (!only_volatile || word & VOLATILE != 0)).then_some(Position { bucket, lane })
    }

    /// The position after `position` in the same bucket.
    pub fn lane_after(position: Position) -> u32 {
        position.lane + 1
    }

    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.count).flat_map(|bucket| self.entries_in(bucket))
    }

    /// The entries whose home is `bucket`, wherever they lie.
    pub fn entries_at_home(&self, bucket: u32, visit: &mut dyn FnMut(Entry<'_>)) {
        let mut at = bucket;
        for _ in 0..self.count {
            let line = self.line(at);
            for &word in line.iter().take_while(|&&word| word != 0) {
                if self.home_of(word) == bucket {
                    // SAFETY: a word that is not zero owns a live entry, which changes only through &mut.
                    visit(unsafe { Entry::from_raw(word_address(word)) });
                }
            }
            if line[LANES - 1] == 0 {
                return;
            }
            at = self.after(at);
        }
    }

    /// Where the entries whose home is `bucket` lie.
    pub fn positions_at_home(&self, bucket: u32, into: &mut Vec<Position>) {
        into.clear();
        let mut at = bucket;
        for _ in 0..self.count {
            let line = self.line(at);
            let here = line.iter().take_while(|&&word| word != 0).enumerate();
            into.extend(
                here.filter(|&(_, &word)| self.home_of(word) == bucket)
                    .map(|(lane, _)| Position {
                        bucket: at,
                        lane: lane as u32,
                    }),
            );
            if line[LANES - 1] == 0 {
                return;
            }
            at = self.after(at);
        }
    }

    /// The entries that lie in `bucket`, wherever their home is.
    pub fn entries_in(&self, bucket: u32) -> impl Iterator<Item = Entry<'_>> {
        self.prefetch_words(bucket + 1, |_| true);
        // SAFETY: a word that is not zero owns a live entry, which changes only through &mut.
        self.line(bucket)
            .iter()
            .take_while(|&&word| word != 0)
            .map(|&word| unsafe { Entry::from_raw(word_address(word)) })
    }

    /// The home bucket of a hash in this table.
    pub fn home(&self, hash: u64) -> u32 {
        home(hash, self.count)
    }

    /// The smallest hash whose home is `bucket`.
    pub fn first_hash_of(&self, bucket: u32) -> u64 {
        if self.count <= TAG_HOMES_MAX {
            (u64::from(bucket) << TAG_BITS).div_ceil(u64::from(self.count)) << TAG_SHIFT
        } else {
            let first = (u128::from(bucket) << HOME_BITS).div_ceil(u128::from(self.count));
            (first as u64) << (64 - HOME_BITS)
        }
    }

    #[inline]
    fn line(&self, bucket: u32) -> &Line {
        assert!(bucket < self.count);
        // SAFETY: `lines` holds `count` initialised lines, and they change only through &mut.
        unsafe { self.lines.add(bucket as usize).as_ref() }
    }

    #[inline]
    fn line_mut(&mut self, bucket: u32) -> &mut Line {
        assert!(bucket < self.count);
        // SAFETY: `lines` holds `count` initialised lines, borrowed here as mutably as self.
        unsafe { self.lines.add(bucket as usize).as_mut() }
    }

    #[inline]
    fn after(&self, bucket: u32) -> u32 {
        if bucket + 1 == self.count { 0 } else { bucket + 1 }
    }

    fn home_of(&self, word: u64) -> u32 {
        if self.count <= TAG_HOMES_MAX {
            return home_of_tag(word >> TAG_SHIFT, self.count);
        }
        // SAFETY: the word owns a live entry; here it is only read.
        home(
            hash_key(unsafe { Entry::from_raw(word_address(word)) }.key()),
            self.count,
        )
    }

    fn prefetch_words(&self, bucket: u32, wanted: impl Fn(u64) -> bool) {
        if bucket < self.count {
            for &word in self
                .line(bucket)
                .iter()
                .filter(|&&word| word != 0 && wanted(word))
            {
                prefetch_line(word_address(word).as_ptr());
            }
        }
    }

    /// Puts a word into the first bucket with room from `bucket` on.
    #[inline]
    fn place(&mut self, mut bucket: u32, word: u64) -> Position {
        loop {
            let line = self.line_mut(bucket);
            if line[LANES - 1] == 0 {
                let lane = line
                    .iter()
                    .position(|&word| word == 0)
                    .expect("the last word of this bucket is free");
                line[lane] = word;
                return Position {
                    bucket,
                    lane: lane as u32,
                };
            }
            bucket = self.after(bucket);
        }
    }

    /// Takes a word out and mends what depended on its bucket being full.
    fn cut(&mut self, position: Position) -> u64 {
        let Position {
            bucket: mut hole,
            lane,
        } = position;
        let (word, was_full) = cut_lane(self.line_mut(hole), lane as usize);
        if !was_full || self.count == 1 {
            return word;
        }
        // An entry that lies behind `hole` but has its home at or before it is found only past full buckets, and
        // `hole` is full no more: pull it back, then mend the bucket it came from in the same way.
        let mut from = self.after(hole);
        loop {
            let line = self.line(from);
            let past_hole = self.distance(hole, from);
            let pulled = line
                .iter()
                .take_while(|&&word| word != 0)
                .position(|&word| self.distance(self.home_of(word), from) >= past_hole);
            let full = line[LANES - 1] != 0;
            if let Some(lane) = pulled {
                let (moved, _) = cut_lane(self.line_mut(from), lane);
                self.line_mut(hole)[LANES - 1] = moved;
                hole = from;
            }
            if !full {
                return word;
            }
            from = self.after(from);
        }
    }

    /// Steps from bucket `a` on to bucket `b`.
    fn distance(&self, a: u32, b: u32) -> u32 {
        if b >= a { b - a } else { b + self.count - a }
    }
}

/// Entries keep their positions.
impl Clone for Buckets {
    fn clone(&self) -> Self {
        let mut copy = Self {
            lines: allocate(self.count),
            count: self.count,
            len: self.len,
        };
        for bucket in 0..self.count {
            self.prefetch_words(bucket + 1, |_| true);
            for (lane, &word) in self
                .line(bucket)
                .iter()
                .enumerate()
                .filter(|&(_, &word)| word != 0)
            {
                // SAFETY: the word owns a live entry; here it is only read.
                let entry = unsafe { Entry::from_raw(word_address(word)) }.to_owned_entry();
                copy.line_mut(bucket)[lane] = word_of(word >> TAG_SHIFT, &entry);
                let _owned_by_the_word = entry.into_raw();
            }
        }
        copy
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        for bucket in 0..self.count {
            self.prefetch_words(bucket + 1, |_| true);
            for &word in self.line(bucket).iter().take_while(|&&word| word != 0) {
                // SAFETY: the word owns the entry, and nobody reads the word after this.
                drop(unsafe { OwnedEntry::from_raw(word_address(word)) });
            }
        }
        release(self.lines, self.count);
        give_way();
    }
}

/// The tag of a hash in a table of `count` buckets.
#[inline]
fn tag(hash: u64, count: u32) -> u64 {
    if count <= TAG_HOMES_MAX {
        hash >> TAG_SHIFT
    } else {
        hash & ((1 << TAG_BITS) - 1)
    }
}

/// The home of a hash in a table of `count` buckets: a scaled hash, so it never falls while the hash grows.
#[inline]
fn home(hash: u64, count: u32) -> u32 {
    if count <= TAG_HOMES_MAX {
        home_of_tag(hash >> TAG_SHIFT, count)
    } else {
        ((u128::from(hash >> (64 - HOME_BITS)) * u128::from(count)) >> HOME_BITS) as u32
    }
}

#[inline]
fn home_of_tag(tag: u64, count: u32) -> u32 {
    ((tag * u64::from(count)) >> TAG_BITS) as u32
}

/// One bit for each lane whose entry has this tag.
#[inline]
fn matching_lanes(line: &Line, tag: u64) -> u32 {
    let mut hits = 0;
    for (lane, &word) in line.iter().enumerate() {
        hits |= u32::from((word >> TAG_SHIFT == tag) & (word != 0)) << lane;
    }
    hits
}

/// Takes the word in `lane` out; the last word of the bucket fills its place. Also says whether the bucket was full.
fn cut_lane(line: &mut Line, lane: usize) -> (u64, bool) {
    let full = line[LANES - 1] != 0;
    let word = line[lane];
    let last = line
        .iter()
        .rposition(|&word| word != 0)
        .expect("the lane to cut is taken");
    line[lane] = line[last];
    line[last] = 0;
    (word, full)
}

#[inline]
fn word_of(tag: u64, entry: &OwnedEntry) -> u64 {
    let view = entry.view();
    let address = view.address().as_ptr().expose_provenance() as u64;
    assert!(
        address & 7 == 0 && address >> (ADDRESS_BITS + 3) == 0,
        "user addresses have 48 bits, blocks align to 8"
    );
    tag << TAG_SHIFT | if view.expiry().is_some() { VOLATILE } else { 0 } | address >> 3
}

/// # Panics
/// If the word is zero, that is, no entry.
#[inline]
fn word_address(word: u64) -> NonNull<u8> {
    let address = ((word & ADDRESS_MASK) << 3) as usize;
    NonNull::new(std::ptr::with_exposed_provenance_mut(address)).expect("a position names an entry")
}

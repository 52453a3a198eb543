//! The state of one moment, read slot by slot while commands go on: what a snapshot is made of, without a fork.
//!
//! ```text
//!  all slots locked ─► armed: the mark of new entries flips, so every entry that is here lacks it ─► unlocked
//!
//!  the walk, slot after slot in pieces            commands meanwhile
//!    an entry without the mark: copy, mark          change or remove one without the mark: copy it to the slot's
//!    fetch what the slot has kept                     `Kept`, mark it, then go on
//!    all buckets passed: disarm the slot            insert: born with the mark
//!                                                   empty the slot: hand its buckets over to `Kept`
//! ```
//!
//! The walk passes over homes in the order of hashes, as SCAN does, so a table that is resized in between needs no
//! second pass. Copies of strings are plain bytes, and a collection is shared until it is written, whoever changes it
//! meanwhile changing a copy: encoding and compression happen under no lock.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use slotcore::{SLOT_COUNT, Slot};

use super::buckets::{Buckets, Position};
use super::entry::{Entry, ValueRef, access_rule, idle_s};
use super::slots::Keyspace;
use super::table::SlotTable;
use super::value::Collection;

/// One piece under a slot's lock ends with the bucket that fills this many bytes...
const PIECE_BYTES: usize = 256 * 1024;
/// ...or with this many buckets, about 450 entries.
const PIECE_BUCKETS: u32 = 64;

/// Copies are kept in blocks of at most this many bytes, longer entries in blocks of their own.
const BLOCK_BYTES_MAX: usize = 256 * 1024;
const BLOCK_BYTES_MIN: usize = 256;

/// Bytes before the key of a copy: whether it expires (1), when (8), what is known of
/// accesses (4), length of the key (4) and of the value (8).
const RECORD_HEADER: usize = 1 + 8 + 4 + 4 + 8;

/// Copies of entries.
#[derive(Default)]
pub struct Records {
    blocks: Vec<Vec<u8>>,
    collections: Vec<Shared>,
    bytes: usize,
}

/// A collection that the snapshot shares with its slot.
struct Shared {
    key: Box<[u8]>,
    expiry: Option<u64>,
    clock: u32,
    value: Arc<Collection>,
}

/// A copy of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    pub key: &'a [u8],
    pub value: ValueRef<'a>,
    /// Unix time in milliseconds.
    pub expiry: Option<u64>,
    /// What is known of its accesses.
    pub clock: u32,
}

impl Record<'_> {
    /// Seconds since the last access, if the policy is none of LFU.
    pub fn idle_s(&self, now: u64) -> u64 {
        idle_s(self.clock, now)
    }

    /// How often it is accessed, if an LFU policy is in force.
    pub fn frequency(&self, now: u64) -> u8 {
        access_rule().frequency(self.clock, now)
    }
}

impl Records {
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.collections.is_empty()
    }

    /// Bytes of all copies. A collection counts as what it holds, though it is shared.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The copies: strings in the order in which they were made, then collections.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        let collections = self.collections.iter().map(|shared| Record {
            key: &shared.key,
            value: ValueRef::Collection(&shared.value),
            expiry: shared.expiry,
            clock: shared.clock,
        });
        let strings = self.blocks.iter().flat_map(|block| {
            let mut rest = &block[..];
            std::iter::from_fn(move || {
                let (record, behind) = parse(rest)?;
                rest = behind;
                Some(record)
            })
        });
        strings.chain(collections)
    }

    pub(super) fn push(&mut self, entry: Entry<'_>) {
        let (key, expiry) = (entry.key(), entry.expiry());
        if let Some(value) = entry.share_collection() {
            self.bytes += entry.footprint();
            self.collections.push(Shared {
                key: key.into(),
                expiry,
                clock: entry.clock(),
                value,
            });
            return;
        }
        let value = entry.string().unwrap_or_default();
        let len = RECORD_HEADER + key.len() + value.len();
        let room = |block: &Vec<u8>| block.capacity() - block.len();
        if self.blocks.last().is_none_or(|block| room(block) < len) {
            let last = self.blocks.last().map_or(0, Vec::capacity);
            let capacity = (last * 2).clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX).max(len);
            self.blocks.push(Vec::with_capacity(capacity));
        }
        let block = self
            .blocks
            .last_mut()
            .expect("one was just made, if there was none");
        block.push(u8::from(expiry.is_some()));
        block.extend_from_slice(&expiry.unwrap_or_default().to_le_bytes());
        block.extend_from_slice(&entry.clock().to_le_bytes());
        block.extend_from_slice(&(key.len() as u32).to_le_bytes());
        block.extend_from_slice(&(value.len() as u64).to_le_bytes());
        block.extend_from_slice(key);
        block.extend_from_slice(value);
        self.bytes += len;
    }

    fn append(&mut self, mut other: Self) {
        self.blocks.append(&mut other.blocks);
        self.collections.append(&mut other.collections);
        self.bytes += other.bytes;
    }

    /// Forgets the copies; one block is kept for the next.
    fn clear(&mut self) {
        self.blocks.truncate(1);
        self.blocks.retain(|block| block.capacity() <= BLOCK_BYTES_MAX);
        self.blocks.iter_mut().for_each(Vec::clear);
        self.collections.clear();
        self.bytes = 0;
    }
}

/// The first copy of a block, and what follows it.
fn parse(block: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (&expires, rest) = block.split_first()?;
    let (expiry, rest) = rest.split_first_chunk()?;
    let (clock, rest) = rest.split_first_chunk()?;
    let (key_len, rest) = rest.split_first_chunk()?;
    let (value_len, rest) = rest.split_first_chunk()?;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key_len) as usize)?;
    let (value, rest) = rest.split_at_checked(u64::from_le_bytes(*value_len) as usize)?;
    let record = Record {
        key,
        value: ValueRef::Str(value),
        expiry: (expires != 0).then_some(u64::from_le_bytes(*expiry)),
        clock: u32::from_le_bytes(*clock),
    };
    Some((record, rest))
}

/// What commands have put aside for the snapshot in one slot.
#[derive(Default)]
pub(super) struct Kept {
    pub records: Records,
    contents: Option<Handed>,
}

/// The buckets of a slot that was emptied before the snapshot had seen it.
struct Handed {
    buckets: Buckets,
    /// The mark of entries that it has seen all the same.
    mark: bool,
    /// Buckets before this one have been read.
    next: u32,
}

impl Kept {
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.contents.is_none()
    }

    /// Whoever empties an armed slot disarms it, so this happens once at most.
    pub fn keep_contents(&mut self, buckets: Buckets, mark: bool) {
        debug_assert!(
            self.contents.is_none(),
            "a slot is disarmed when it hands its buckets over"
        );
        self.contents = Some(Handed {
            buckets,
            mark,
            next: 0,
        });
    }
}

impl Handed {
    /// Copies about a piece of what the snapshot has not seen; true when all is read.
    fn read(&mut self, into: &mut Records) -> bool {
        while self.next < self.buckets.count() {
            let unseen = self
                .buckets
                .entries_in(self.next)
                .filter(|entry| entry.mark() != self.mark);
            unseen.for_each(|entry| into.push(entry));
            self.next += 1;
            if into.bytes() >= PIECE_BYTES {
                return false;
            }
        }
        true
    }
}

/// A cut through the keyspace: what it held at one moment, to be read with [`Cut::next`]. One can be open at a time. If
/// it is dropped before its end, the walk is finished then, so that the next cut can begin.
pub struct Cut<'a> {
    keyspace: &'a Keyspace,
    slot: usize,
    /// Entries of the slot whose hash is below this have been seen.
    hash: u64,
    handed: Option<Handed>,
    homed: Vec<Position>,
    keys: usize,
    expiring: usize,
}

impl Keyspace {
    /// Cuts through the state of this moment. `at_cut` runs while every slot is locked, so it must lock none. `None` if
    /// another cut is open.
    pub fn cut<T>(&self, at_cut: impl FnOnce() -> T) -> Option<(Cut<'_>, T)> {
        if self.cutting.swap(true, Ordering::AcqRel) {
            return None;
        }
        let mut cut = Cut {
            keyspace: self,
            slot: 0,
            hash: 0,
            handed: None,
            homed: Vec::new(),
            keys: 0,
            expiring: 0,
        };
        let pass = self.crossing.read();
        let mut held = self.lock_all();
        held.iter_mut().for_each(|table| table.arm());
        cut.keys = held.iter().map(|table| table.len()).sum();
        cut.expiring = held.iter().map(|table| table.expiring()).sum();
        let result = at_cut();
        drop(held);
        drop(pass);
        Some((cut, result))
    }
}

impl Cut<'_> {
    /// Keys in it.
    pub fn keys(&self) -> usize {
        self.keys
    }

    /// Keys in it that expire.
    pub fn expiring(&self) -> usize {
        self.expiring
    }

    /// Reads on: `records` gets the next copies in place of those it had, at times none. False when all are read.
    pub fn next(&mut self, records: &mut Records) -> bool {
        records.clear();
        self.step(Some(records))
    }

    /// One piece. Without `records` it only marks what it passes.
    fn step(&mut self, mut records: Option<&mut Records>) -> bool {
        if self.slot == SLOT_COUNT {
            return false;
        }
        if let (Some(handed), Some(records)) = (&mut self.handed, records.as_deref_mut())
            && !handed.read(records)
        {
            return true;
        }
        self.handed = None;
        let mut table = self.keyspace.lock(self.slot as Slot);
        let Kept {
            records: kept,
            contents,
        } = table.take_kept();
        let copied = records.as_deref_mut();
        let next = table.walk(self.hash, &mut self.homed, copied);
        drop(table);
        if let Some(records) = records {
            records.append(kept);
        }
        self.handed = contents;
        match next {
            Some(hash) => self.hash = hash,
            // What a slot hands over is read before the walk leaves it.
            None if self.handed.is_some() => {}
            None => (self.slot, self.hash) = (self.slot + 1, 0),
        }
        true
    }
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        while self.step(None) {}
        self.keyspace.cutting.store(false, Ordering::Release);
    }
}

impl SlotTable {
    /// Copies and marks entries without the mark from the hash `from` on, a piece of them. Returns where to go on; None
    /// at the end, and the slot is disarmed.
    fn walk(
        &mut self,
        from: u64,
        homed: &mut Vec<Position>,
        mut records: Option<&mut Records>,
    ) -> Option<u64> {
        if !self.is_armed() {
            return None;
        }
        let mark = self.mark();
        let count = self.buckets().count();
        if count > 0 {
            let first = self.buckets().home(from);
            let mut copied = 0;
            for bucket in first..count {
                if bucket - first == PIECE_BUCKETS || copied >= PIECE_BYTES {
                    return Some(self.buckets().first_hash_of(bucket));
                }
                self.buckets().prefetch_bucket(bucket + 1, false);
                self.buckets().positions_at_home(bucket, homed);
                for &position in homed.iter() {
                    let entry = self.buckets().entry(position);
                    if entry.mark() == mark {
                        continue;
                    }
                    copied += entry.footprint();
                    if let Some(records) = records.as_deref_mut() {
                        records.push(entry);
                    }
                    self.set_mark(position);
                }
            }
        }
        self.disarm();
        None
    }
}

//! Choosing keys that may give way to others, and removing them. Which of those that were drawn has to go is for the
//! policy to say: see `eviction` beside the keyspace.
//!
//! A key is drawn in two steps, a slot in proportion to its keys and a key of that slot. No lock is held in between, and
//! never two.

use slotcore::{SLOT_COUNT, Slot};

use super::buckets::{LANES, Position};
use super::entry::Entry;
use super::guard::SlotGuard;
use super::key::Key;
use super::slots::{Departure, Keyspace, Mode};
use super::table::SlotTable;

/// Draws in vain after which a slot is searched instead: so few of its places are taken, or its keys that expire so rare.
const DRAWS_MAX: u32 = 24;
/// Slots are weighed anew after so many draws...
const DRAWS_PER_WEIGHING: u64 = 4096;
/// ...or fewer when there are few keys, since then each that comes or goes changes much.
const DRAWS_PER_KEY: u64 = 2;

/// How many keys the slots had when it was last looked, for drawing one in proportion.
#[derive(Debug, Default)]
pub struct SlotWeights {
    /// Keys of this slot and all before it. Empty if nothing was weighed.
    sums: Vec<u64>,
    only_volatile: bool,
    draws_left: u64,
}

impl SlotWeights {
    /// A random slot, each as likely as it has keys, or keys that expire. None if there are no such keys.
    pub fn draw(&mut self, keyspace: &Keyspace, only_volatile: bool, random: u64) -> Option<Slot> {
        if self.draws_left == 0 || self.only_volatile != only_volatile {
            self.weigh(keyspace, only_volatile);
        }
        let total = *self.sums.last()?;
        if total == 0 {
            self.draws_left = 0;
            return None;
        }
        self.draws_left -= 1;
        let chosen = ((u128::from(random) * u128::from(total)) >> 64) as u64;
        Some(self.sums.partition_point(|&sum| sum <= chosen) as Slot)
    }

    /// What was weighed is no more the case.
    pub fn forget(&mut self) {
        self.draws_left = 0;
    }

    fn weigh(&mut self, keyspace: &Keyspace, only_volatile: bool) {
        self.sums.clear();
        self.sums.reserve_exact(SLOT_COUNT);
        let mut sum = 0;
        for slot in 0..SLOT_COUNT as Slot {
            sum += keyspace.weight(slot, only_volatile) as u64;
            self.sums.push(sum);
        }
        self.only_volatile = only_volatile;
        self.draws_left = (sum / DRAWS_PER_KEY).clamp(1, DRAWS_PER_WEIGHING);
    }
}

/// A key that was drawn, with the slot's lock.
pub struct Drawn<'a> {
    guard: SlotGuard<'a>,
    at: Position,
}

impl Drawn<'_> {
    /// The key and what it holds.
    pub fn entry(&self) -> Entry<'_> {
        self.guard.buckets().entry(self.at)
    }

    /// Removes it, and returns how many bytes it held.
    pub fn evict(mut self, keyspace: &Keyspace) -> usize {
        // Expired keys that the stream lacks come first, as they went first.
        keyspace.tell_expired(&mut self.guard);
        let entry = self.guard.evict_at(self.at);
        if self.guard.mode() == Mode::Recording {
            keyspace.tell_gone(entry.view().key(), Departure::Evicted);
        }
        let bytes = entry.view().footprint();
        self.guard.discard(entry);
        bytes
    }
}

impl Keyspace {
    /// Draws a key of a slot, or one that expires. None if it has no such key.
    pub fn draw(&self, slot: Slot, only_volatile: bool, random: u64) -> Option<Drawn<'_>> {
        let guard = self.lock(slot);
        let at = guard.draw(only_volatile, random)?;
        Some(Drawn { guard, at })
    }

    /// Looks for a key that was drawn before.
    pub fn redraw(&self, key: &Key<'_>) -> Option<Drawn<'_>> {
        let guard = self.lock(key.slot);
        let at = guard.buckets().find(key)?;
        Some(Drawn { guard, at })
    }

    /// Keys of a slot, or those that expire.
    fn weight(&self, slot: Slot, only_volatile: bool) -> usize {
        if !only_volatile {
            self.slot_len(slot)
        } else if self.never_expires(slot) {
            0
        } else {
            self.lock(slot).expiring()
        }
    }
}

impl SlotTable {
    /// A random entry, or one that expires; each is as likely as any other, unless they are rare.
    fn draw(&self, only_volatile: bool, mut random: u64) -> Option<Position> {
        let wanted = if only_volatile { self.expiring() } else { self.len() };
        let buckets = self.buckets();
        if wanted == 0 || buckets.count() == 0 {
            return None;
        }
        for _ in 0..DRAWS_MAX {
            // SplitMix64's step and a part of its mixing: the lane and the bucket are of different bits.
            random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (random ^ random >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let bucket = ((mixed >> 32) * u64::from(buckets.count()) >> 32) as u32;
            let lane = mixed as u32 % LANES as u32;
            if let Some(at) = buckets.at(bucket, lane, only_volatile) {
                return Some(at);
            }
        }
        let first = ((random >> 32) * u64::from(buckets.count()) >> 32) as u32;
        (first..buckets.count())
            .chain(0..first)
            .find_map(|bucket| buckets.next_in_bucket(bucket, 0, only_volatile))
    }
}

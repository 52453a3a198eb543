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
use super::walk::weighted;

/// Draws in vain after which a slot is searched instead: so few of its places are taken, or its keys that expire so rare.
const DRAWS_MAX: u32 = 24;
/// Slots are weighed anew after so many draws...
const DRAWS_PER_WEIGHING: u64 = 4096;
/// ...or fewer when there are few keys, since then each that comes or goes changes much.
const DRAWS_PER_KEY: u64 = 2;

/// Slots that are weighed together.
const BLOCK_SLOTS: usize = 256;
const BLOCKS: usize = SLOT_COUNT / BLOCK_SLOTS;

/// What is known of [`BLOCK_SLOTS`] slots.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    /// Keys of this block and all before it.
    sum: u64,
    /// Keys of the slot that has most of the block.
    most: u64,
    /// And of the one that comes next: no other has more.
    second: u64,
    /// The slot that has most.
    largest: Slot,
}

/// How many keys the slots had when it was last looked, for drawing one in proportion. A block of slots is drawn by its
/// sum. Within a block the largest slot is drawn by its share, and else any slot is taken or passed over in proportion to
/// its keys: this takes a few looks where keys are spread evenly, and where one slot has most of them.
#[derive(Debug)]
pub struct SlotWeights {
    blocks: [Block; BLOCKS],
    only_volatile: bool,
    draws_left: u64,
}

impl Default for SlotWeights {
    fn default() -> Self {
        Self {
            blocks: [Block::default(); BLOCKS],
            only_volatile: false,
            draws_left: 0,
        }
    }
}

impl SlotWeights {
    /// A random slot, each as likely as it has keys, or keys that expire. None if there are no such keys.
    pub fn draw(
        &mut self,
        keyspace: &Keyspace,
        only_volatile: bool,
        mut random: impl FnMut() -> u64,
    ) -> Option<Slot> {
        if self.draws_left == 0 || self.only_volatile != only_volatile {
            self.weigh(keyspace, only_volatile);
        }
        let total = self.blocks[BLOCKS - 1].sum;
        if total == 0 {
            self.draws_left = 0;
            return None;
        }
        self.draws_left -= 1;
        let chosen = below(random(), total);
        let number = self.blocks.partition_point(|block| block.sum <= chosen);
        let block = self.blocks[number];
        let before = if number == 0 {
            0
        } else {
            self.blocks[number - 1].sum
        };
        let slot = |random| (number * BLOCK_SLOTS + below(random, BLOCK_SLOTS as u64) as usize) as Slot;
        if chosen - before < block.most {
            return Some(block.largest);
        }
        for _ in 0..DRAWS_MAX {
            let slot = slot(random());
            if slot != block.largest
                && below(random(), block.second) < keyspace.weight(slot, only_volatile) as u64
            {
                return Some(slot);
            }
        }
        // Few slots have keys: all of them are looked at.
        let first = (number * BLOCK_SLOTS) as Slot;
        let weights = (first..first + BLOCK_SLOTS as Slot).map(|slot| match slot {
            slot if slot == block.largest => 0,
            slot => keyspace.weight(slot, only_volatile) as u64,
        });
        let found = weighted(weights, random()).map(|index| first + index as Slot);
        found.or(Some(block.largest))
    }

    /// What was weighed is no more the case.
    pub fn forget(&mut self) {
        self.draws_left = 0;
    }

    fn weigh(&mut self, keyspace: &Keyspace, only_volatile: bool) {
        let mut sum = 0;
        for (number, block) in self.blocks.iter_mut().enumerate() {
            *block = Block::default();
            for slot in number * BLOCK_SLOTS..(number + 1) * BLOCK_SLOTS {
                let keys = keyspace.weight(slot as Slot, only_volatile) as u64;
                sum += keys;
                if keys > block.most {
                    (block.second, block.most, block.largest) = (block.most, keys, slot as Slot);
                } else {
                    block.second = block.second.max(keys);
                }
            }
            block.sum = sum;
        }
        self.only_volatile = only_volatile;
        self.draws_left = (sum / DRAWS_PER_KEY).clamp(1, DRAWS_PER_WEIGHING);
    }
}

/// An even number below `bound`; 0 if that is 0.
fn below(random: u64, bound: u64) -> u64 {
    ((u128::from(random) * u128::from(bound)) >> 64) as u64
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
        let wanted = if only_volatile {
            self.expiring()
        } else {
            self.len()
        };
        let buckets = self.buckets();
        if wanted == 0 || buckets.count() == 0 {
            return None;
        }
        for _ in 0..DRAWS_MAX {
            // SplitMix64's step and a part of its mixing: the lane and the bucket are of different bits.
            random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (random ^ random >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let bucket = below(mixed, u64::from(buckets.count())) as u32;
            let lane = mixed as u32 % LANES as u32;
            if let Some(at) = buckets.at(bucket, lane, only_volatile) {
                return Some(at);
            }
        }
        let first = below(random, u64::from(buckets.count())) as u32;
        (first..buckets.count())
            .chain(0..first)
            .find_map(|bucket| buckets.next_in_bucket(bucket, 0, only_volatile))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::Expire;

    fn keyspace(keys: impl Iterator<Item = String>) -> Keyspace {
        let keyspace = Keyspace::new();
        for (number, name) in keys.enumerate() {
            let key = Key::new(name.as_bytes());
            let expire = if number % 2 == 0 {
                Expire::Clear
            } else {
                Expire::At(u64::MAX / 2)
            };
            keyspace.lock(key.slot).set_string(&key, b"value", expire, 1000);
        }
        keyspace
    }

    /// A key's chance is its slot's times its own in the slot; all are near the mean.
    fn assert_even(keyspace: &Keyspace, keys: usize, only_volatile: bool) {
        const DRAWS_PER_KEY: usize = 60;
        let mut weights = SlotWeights::default();
        let mut drawn = std::collections::HashMap::<Vec<u8>, usize>::new();
        for _ in 0..keys * DRAWS_PER_KEY {
            let slot = weights.draw(keyspace, only_volatile, rand::random).unwrap();
            if let Some(found) = keyspace.draw(slot, only_volatile, rand::random()) {
                assert!(!only_volatile || found.entry().expiry().is_some());
                *drawn.entry(found.entry().key().to_vec()).or_default() += 1;
            }
        }
        assert_eq!(drawn.len(), keys);
        let total: usize = drawn.values().sum();
        let mean = total as f64 / keys as f64;
        assert!(total > keys * DRAWS_PER_KEY * 9 / 10, "{total} draws found a key");
        // Six standard deviations: of a thousand keys none is beyond.
        let slack = 6.0 * mean.sqrt();
        for (key, count) in drawn {
            let off = (count as f64 - mean).abs();
            assert!(
                off < slack,
                "{}: {count}, and {mean:.0} on average",
                key.escape_ascii()
            );
        }
    }

    #[test]
    fn keys_are_drawn_evenly_wherever_they_lie() {
        let spread = keyspace((0..2000).map(|i| format!("key:{i}")));
        assert_even(&spread, 2000, false);
        assert_even(&spread, 1000, true);
        let one_slot = keyspace((0..1000).map(|i| format!("{{tag}}:{i}")));
        assert_even(&one_slot, 1000, false);
        assert_even(&one_slot, 500, true);
        let mixed = keyspace((0..1000).map(|i| {
            if i < 500 {
                format!("{{tag}}:{i}")
            } else {
                format!("key:{i}")
            }
        }));
        assert_even(&mixed, 1000, false);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let empty = Keyspace::new();
        assert_eq!(SlotWeights::default().draw(&empty, false, rand::random), None);
        let persistent = keyspace(std::iter::once("key".to_owned()));
        assert_eq!(SlotWeights::default().draw(&persistent, true, rand::random), None);
        assert!(
            SlotWeights::default()
                .draw(&persistent, false, rand::random)
                .is_some()
        );
    }
}

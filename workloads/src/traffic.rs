//! Which key comes next: the distribution of a workload, bound to its keys.

use rand::rand_core::Rng;
use slotcore::Slot;

use crate::dist::{Dist, Zipf, below};
use crate::keys::{KeyFormat, KeyId};
use crate::spec::{self, Keyspace};

/// Draws keys.
#[derive(Debug)]
pub(crate) struct Traffic {
    /// Over keys, or over hash tags where keys share them.
    units: Dist,
    per_tag: u64,
    hot: Option<Hot>,
}

#[derive(Debug)]
struct Hot {
    /// Draws below this go to the hot slot.
    threshold: u64,
    slot: Slot,
    keys: u64,
}

impl Traffic {
    pub(crate) fn new(keyspace: &Keyspace, traffic: &spec::Traffic) -> Self {
        let per_tag = u64::from(keyspace.keys_per_tag.unwrap_or(1));
        let n = keyspace.keys / per_tag;
        let (units, hot) = match *traffic {
            spec::Traffic::Uniform => (Dist::Uniform { n }, None),
            spec::Traffic::Zipf { theta } => (Dist::Zipf(Zipf::new(n, theta)), None),
            spec::Traffic::Hotslot { share, slot, keys } => {
                // 2^64 as a float; the cast saturates, so that a share of 1 is all but one draw in 2^64.
                let threshold = (share * 18_446_744_073_709_551_616.0) as u64;
                (
                    Dist::Uniform { n },
                    Some(Hot {
                        threshold,
                        slot,
                        keys,
                    }),
                )
            }
        };
        Self { units, per_tag, hot }
    }

    /// Draws the first key of an operation, and its slot.
    #[inline]
    pub(crate) fn draw(&self, format: &KeyFormat, rng: &mut impl Rng) -> (KeyId, Slot) {
        let Some(hot) = &self.hot else {
            let key = self.cold_key(rng);
            return (key, format.slot(key));
        };
        if rng.next_u64() < hot.threshold {
            return (KeyId::hot(below(rng.next_u64(), hot.keys)), hot.slot);
        }
        // One draw in 16384 falls into the hot slot; drawing again leaves the other slots as they were to each other.
        // The bound is for a keyspace all of whose keys lie there, which cannot be with the thousand keys asked for.
        for _ in 0..10_000 {
            let key = self.cold_key(rng);
            let slot = format.slot(key);
            if slot != hot.slot {
                return (key, slot);
            }
        }
        (KeyId::hot(0), hot.slot)
    }

    #[inline]
    fn cold_key(&self, rng: &mut impl Rng) -> KeyId {
        let unit = self.units.sample(rng);
        match self.per_tag {
            1 => KeyId(unit),
            per_tag => KeyId(unit * per_tag + below(rng.next_u64(), per_tag)),
        }
    }

    /// Key number `i` of an operation that starts at `first`: the next ones under the same hash tag, in a circle.
    #[inline]
    pub(crate) fn sibling(&self, first: KeyId, i: u64) -> KeyId {
        match &self.hot {
            Some(hot) if first.is_hot() => KeyId::hot((first.number() + i) % hot.keys),
            _ => {
                let member = first.0 % self.per_tag;
                KeyId(first.0 - member + (member + i) % self.per_tag)
            }
        }
    }

    /// How many keys the hot slot has of its own.
    pub(crate) fn hot_keys(&self) -> u64 {
        self.hot.as_ref().map_or(0, |hot| hot.keys)
    }

    pub(crate) fn hot_slot(&self) -> Option<Slot> {
        self.hot.as_ref().map(|hot| hot.slot)
    }
}

//! The one source of chance of a run: everything that a seed decides comes from here.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use slotcore::topology::NodeId;

pub struct Chance(Xoshiro256PlusPlus);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Below `limit`; 0 when that is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// From `from` on, below `to`.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from)
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub fn index(&mut self, count: usize) -> usize {
        self.below(count as u64) as usize
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let at = self.index(choices.len());
        choices.get(at).copied()
    }

    pub fn id(&mut self) -> NodeId {
        let mut bytes = [0; 20];
        self.0.fill_bytes(&mut bytes);
        NodeId::from_random(bytes)
    }
}

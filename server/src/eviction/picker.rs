//! Finding the key that goes next.

use super::policy::Order;
use super::pool::Pool;
use crate::keyspace::{Drawn, Keyspace, SlotWeights};

/// Draws in a row that may find a slot without a key before slots are weighed anew.
const MISSES_MAX: u32 = 8;
/// Rounds of draws after which it is left to a later call to find something: others are removing what is drawn here.
const ROUNDS_MAX: u32 = 32;

/// Chooses keys, for one thread.
#[derive(Debug, Default)]
pub(super) struct Picker {
    weights: SlotWeights,
    pool: Pool,
    /// What the candidates of the pool were chosen for.
    chosen_for: Option<(bool, Order)>,
}

impl Picker {
    /// Removes the key whose turn it is, and returns how many bytes it held. None if there is no key that may go.
    pub fn evict(
        &mut self,
        keyspace: &Keyspace,
        only_volatile: bool,
        order: Order,
        samples: u32,
        now: u64,
    ) -> Option<usize> {
        if order == Order::Random {
            return Some(self.draw(keyspace, only_volatile)?.evict(keyspace));
        }
        if self.chosen_for != Some((only_volatile, order)) {
            self.pool.clear();
            self.chosen_for = Some((only_volatile, order));
        }
        for _ in 0..ROUNDS_MAX {
            self.fill(keyspace, only_volatile, order, samples, now)?;
            loop {
                let tried = self.pool.take_best(|key, score| {
                    let drawn = keyspace.redraw(key)?;
                    let entry = drawn.entry();
                    // It may have been accessed since it was drawn, or have got another time to live.
                    let still =
                        (!only_volatile || entry.expiry().is_some()) && order.score(entry, now) >= score;
                    still.then(|| drawn.evict(keyspace))
                });
                match tried {
                    Some(Some(bytes)) => return Some(bytes),
                    Some(None) => {}
                    None => break,
                }
            }
        }
        None
    }

    /// Offers as many keys to the pool as are to be looked at. None if there is none.
    fn fill(
        &mut self,
        keyspace: &Keyspace,
        only_volatile: bool,
        order: Order,
        samples: u32,
        now: u64,
    ) -> Option<()> {
        for _ in 0..samples {
            let drawn = self.draw(keyspace, only_volatile)?;
            let entry = drawn.entry();
            let score = order.score(entry, now);
            if self.pool.takes(score) {
                self.pool.offer(entry.key(), score);
            }
        }
        Some(())
    }

    fn draw<'k>(&mut self, keyspace: &'k Keyspace, only_volatile: bool) -> Option<Drawn<'k>> {
        let mut misses = 0;
        loop {
            let slot = self.weights.draw(keyspace, only_volatile, rand::random)?;
            if let Some(drawn) = keyspace.draw(slot, only_volatile, rand::random()) {
                return Some(drawn);
            }
            misses += 1;
            if misses % MISSES_MAX == 0 {
                self.weights.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::{Expire, Key};

    const NOW: u64 = 1_700_000_000_000;

    fn keyspace(keys: usize, expiry: impl Fn(usize) -> Option<u64>) -> Keyspace {
        let keyspace = Keyspace::new();
        for i in 0..keys {
            let name = format!("key:{i}");
            let key = Key::new(name.as_bytes());
            let expire = expiry(i).map_or(Expire::Clear, Expire::At);
            keyspace.lock(key.slot).set_string(&key, b"value", expire, NOW);
        }
        keyspace
    }

    fn is_there(keyspace: &Keyspace, i: usize) -> bool {
        let name = format!("key:{i}");
        let key = Key::new(name.as_bytes());
        keyspace.lock(key.slot).peek(&key, NOW).is_some()
    }

    #[test]
    fn everything_goes_and_then_nothing() {
        for order in [Order::Lru, Order::Lfu, Order::Random] {
            let keyspace = keyspace(500, |_| None);
            let before = keyspace.footprint();
            let mut picker = Picker::default();
            let mut freed = 0;
            for left in (0..500).rev() {
                freed += picker.evict(&keyspace, false, order, 5, NOW).unwrap();
                assert_eq!(keyspace.key_count(), left);
            }
            assert_eq!(picker.evict(&keyspace, false, order, 5, NOW), None);
            assert!(freed > 0 && freed <= before - keyspace.base_footprint());
        }
    }

    #[test]
    fn keys_that_do_not_expire_are_never_touched() {
        for order in [Order::Lru, Order::Lfu, Order::Random, Order::Ttl] {
            let keyspace = keyspace(1000, |i| (i % 10 == 0).then_some(NOW + 1000 + i as u64));
            let mut picker = Picker::default();
            for _ in 0..100 {
                assert!(picker.evict(&keyspace, true, order, 5, NOW).is_some());
            }
            assert_eq!(picker.evict(&keyspace, true, order, 5, NOW), None);
            assert!(
                (0..1000).all(|i| is_there(&keyspace, i) == (i % 10 != 0)),
                "{order:?}"
            );
        }
    }

    #[test]
    fn those_that_expire_next_go_first() {
        // With as many draws as keys it is nearly the exact order; half of the keys leave no doubt.
        let keyspace = keyspace(1000, |i| Some(NOW + 1000 * (1 + i as u64)));
        let mut picker = Picker::default();
        for _ in 0..500 {
            picker.evict(&keyspace, true, Order::Ttl, 64, NOW).unwrap();
        }
        let early = (0..400).filter(|&i| is_there(&keyspace, i)).count();
        let late = (600..1000).filter(|&i| !is_there(&keyspace, i)).count();
        assert!(early <= 20 && late <= 20, "{early} {late}");
    }

    #[test]
    fn a_key_that_was_used_again_is_spared() {
        let keyspace = keyspace(200, |_| None);
        let mut picker = Picker::default();
        // The pool is full of keys that have been idle for a while...
        let later = NOW + 100_000;
        picker.evict(&keyspace, false, Order::Lru, 200, later).unwrap();
        // ...and all but ten are used.
        for i in 10..200 {
            let name = format!("key:{i}");
            let key = Key::new(name.as_bytes());
            keyspace.lock(key.slot).get(&key, later);
        }
        let idle = (0..10).filter(|&i| is_there(&keyspace, i)).count();
        for _ in 0..idle {
            picker.evict(&keyspace, false, Order::Lru, 1000, later).unwrap();
        }
        assert!((0..10).filter(|&i| is_there(&keyspace, i)).count() <= 1);
    }
}

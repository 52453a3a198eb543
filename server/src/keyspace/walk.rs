//! Walking many slots: under the locks that a call holds already, as in a transaction, or else locking one slot after
//! the other.

use slotcore::Slot;

use super::entry::Entry;
use super::guard::{Held, SlotGuard};
use super::scan::ScanCursor;
use super::slots::Keyspace;
use super::table::SlotTable;

impl<'a> Held<'a> {
    /// Keys of the whole keyspace, what this call has just changed included.
    pub fn key_count(&self, keyspace: &Keyspace) -> usize {
        let pending: i64 = self.guards().iter().map(|guard| guard.unpublished_keys()).sum();
        keyspace.key_count().saturating_add_signed(pending as isize)
    }

    /// Visits the table of every slot that may have keys.
    pub fn for_each_table(&mut self, keyspace: &Keyspace, visit: &mut dyn FnMut(&mut SlotTable)) {
        if self.guards().is_empty() {
            keyspace
                .slots_with_keys(0)
                .for_each(|slot| visit(&mut keyspace.lock(slot)));
        } else {
            self.guards_mut().iter_mut().for_each(|guard| visit(guard));
        }
    }

    /// Visits every key; expired ones are passed over.
    pub fn for_each(&mut self, keyspace: &Keyspace, now: u64, visit: &mut dyn FnMut(Entry<'_>)) {
        self.for_each_table(keyspace, &mut |table| {
            table
                .entries()
                .filter(|entry| !entry.is_expired(now))
                .for_each(&mut *visit);
        });
    }

    /// One step of a SCAN: visits about `count` entries and returns the cursor of the next step, 0 when all are done.
    /// Any `cursor` is valid.
    pub fn scan(
        &mut self,
        keyspace: &Keyspace,
        cursor: u64,
        count: usize,
        now: u64,
        visit: &mut dyn FnMut(Entry<'_>),
    ) -> u64 {
        let start = ScanCursor::decode(cursor);
        let mut left = count.max(1);
        let mut step = |slot: Slot, table: &SlotTable| {
            if left == 0 {
                return Some(ScanCursor { slot, hash: 0 });
            }
            let from = if slot == start.slot { start.hash } else { 0 };
            let (seen, next) = table.scan(from, left, now, visit);
            left = left.saturating_sub(seen);
            next.map(|hash| ScanCursor { slot, hash })
        };
        let next = if self.guards().is_empty() {
            keyspace
                .slots_with_keys(start.slot)
                .find_map(|slot| step(slot, &keyspace.lock(slot)))
        } else {
            self.guards()
                .iter()
                .filter(|guard| guard.slot() >= start.slot && !guard.is_empty())
                .find_map(|guard| step(guard.slot(), guard))
        };
        next.map_or(0, ScanCursor::encode)
    }

    /// Visits a random entry, each as likely as any other if they are spread evenly within their slot. It may be an
    /// expired one. Visits none if there is none.
    pub fn random(&mut self, keyspace: &Keyspace, random: u64, visit: &mut dyn FnMut(Entry<'_>)) {
        let low = random.rotate_left(32);
        if self.guards().is_empty() {
            if let Some(slot) = keyspace.random_slot(random)
                && let Some(entry) = keyspace.lock(slot).random(low)
            {
                visit(entry);
            }
            return;
        }
        let lens = self.guards().iter().map(|guard| guard.len() as u64);
        if let Some(index) = weighted(lens, random)
            && let Some(entry) = self.guards()[index].random(low)
        {
            visit(entry);
        }
    }

    fn guards(&self) -> &[SlotGuard<'a>] {
        match self {
            Self::None => &[],
            Self::One(guard) => std::slice::from_ref(guard),
            Self::Many(guards, _) => guards,
        }
    }

    pub(super) fn guards_mut(&mut self) -> &mut [SlotGuard<'a>] {
        match self {
            Self::None => &mut [],
            Self::One(guard) => std::slice::from_mut(guard),
            Self::Many(guards, _) => guards,
        }
    }
}

/// Chooses an index with the probability of its share in the sum of `weights`.
pub(super) fn weighted(weights: impl Iterator<Item = u64> + Clone, random: u64) -> Option<usize> {
    let total: u64 = weights.clone().sum();
    let mut chosen = ((u128::from(random) * u128::from(total)) >> 64) as u64;
    weights.into_iter().position(|weight| {
        let found = chosen < weight;
        chosen = chosen.saturating_sub(weight);
        found
    })
}

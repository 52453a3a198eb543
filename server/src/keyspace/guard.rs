//! The lock of a slot, and the locks that one call holds.

use std::ops::{Deref, DerefMut};

use parking_lot::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};
use slotcore::{SLOT_COUNT, Slot};

use super::entry::Entry;
use super::key::Key;
use super::slots::Keyspace;
use super::table::SlotTable;
use super::watch::Garbage;

/// A locked slot. When it is released the keyspace's sums are brought up to date, and large garbage is freed last.
pub struct SlotGuard<'a> {
    keyspace: &'a Keyspace,
    slot: Slot,
    // Dropped in this order: the lock first, then the garbage.
    table: MutexGuard<'a, SlotTable>,
    garbage: Vec<Garbage>,
}

impl<'a> SlotGuard<'a> {
    #[inline]
    pub(super) fn new(keyspace: &'a Keyspace, slot: Slot, table: MutexGuard<'a, SlotTable>) -> Self {
        Self {
            keyspace,
            slot,
            table,
            garbage: Vec::new(),
        }
    }

    pub fn slot(&self) -> Slot {
        self.slot
    }
}

impl Deref for SlotGuard<'_> {
    type Target = SlotTable;

    #[inline]
    fn deref(&self) -> &SlotTable {
        &self.table
    }
}

impl DerefMut for SlotGuard<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut SlotTable {
        &mut self.table
    }
}

impl Drop for SlotGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.table.is_unpublished() {
            self.keyspace.tell_expired(&mut self.table);
            if self.table.has_extras() {
                self.keyspace.tell_observed(&mut self.table);
            }
            self.keyspace.publish(self.slot, &mut self.table);
            if self.table.is_ready() {
                self.keyspace.leave_ready(self.slot);
            }
            self.garbage = self.table.take_garbage();
        }
    }
}

/// How a call that holds several slots may wait for more of them.
///
/// Whoever has locked one slot alone never waits for another. Whoever wants several passes `Keyspace::crossing` first,
/// which is what a pass is: shared by all that take their locks in ascending order, or exclusive for one that does not
/// know beforehand what it will need, and takes them in any order. So nobody waits in a circle.
#[derive(Default)]
pub enum Pass<'a> {
    /// More slots only if nobody else holds them.
    #[default]
    None,
    /// The locks that were asked for, in ascending order; more only if nobody else holds them.
    Shared(RwLockReadGuard<'a, ()>),
    /// Any slot at any time.
    Exclusive(RwLockWriteGuard<'a, ()>),
}

/// The slots that one call holds, for as long as it runs.
#[derive(Default)]
pub enum Held<'a> {
    #[default]
    None,
    One(SlotGuard<'a>),
    /// In ascending order of slots. The pass is given up behind them.
    Many(Vec<SlotGuard<'a>>, Pass<'a>),
}

impl<'a> Held<'a> {
    /// Locks `slots`, which are sorted and unique: everyone takes locks in ascending order, so nobody waits in a circle.
    pub fn acquire(keyspace: &'a Keyspace, slots: &[Slot]) -> Self {
        debug_assert!(
            slots.is_sorted_by(|a, b| a < b),
            "sorted and unique, or two calls could wait for each other"
        );
        match slots {
            [] => Self::None,
            [slot] => Self::One(keyspace.lock(*slot)),
            slots => {
                let pass = Pass::Shared(keyspace.crossing.read());
                Self::Many(slots.iter().map(|&slot| keyspace.lock(slot)).collect(), pass)
            }
        }
    }

    /// Nothing yet, and then whatever [`Held::grow`] is asked for. Nobody else holds several slots meanwhile.
    pub fn growing(keyspace: &'a Keyspace) -> Self {
        Self::Many(Vec::new(), Pass::Exclusive(keyspace.crossing.write()))
    }

    /// Locks a slot in addition to those that are held; false if another holds it, and waiting could be for ever.
    pub fn grow(&mut self, keyspace: &'a Keyspace, slot: Slot) -> bool {
        if matches!(self, Self::None) {
            *self = Self::growing(keyspace);
        }
        let at = match self.guards_mut().binary_search_by_key(&slot, SlotGuard::slot) {
            Ok(_) => return true,
            Err(at) => at,
        };
        let guard = if matches!(self, Self::Many(_, Pass::Exclusive(_))) {
            Some(keyspace.lock(slot))
        } else {
            keyspace.try_lock(slot)
        };
        let is_free = guard.is_some();
        if let Some(guard) = guard {
            self.insert(at, guard);
        }
        is_free
    }

    /// [`Held::grow`] to every slot.
    pub fn grow_to_all(&mut self, keyspace: &'a Keyspace) -> bool {
        if matches!(self, Self::None) {
            *self = Self::growing(keyspace);
        }
        let (held, pass) = std::mem::take(self).take_apart();
        let mut held = held.into_iter().peekable();
        let is_exclusive = matches!(pass, Pass::Exclusive(_));
        let mut guards = Vec::with_capacity(SLOT_COUNT);
        let mut is_free = true;
        for slot in 0..SLOT_COUNT as Slot {
            let guard = match held.next_if(|guard| guard.slot == slot) {
                Some(guard) => Some(guard),
                None if is_exclusive => Some(keyspace.lock(slot)),
                None => keyspace.try_lock(slot),
            };
            is_free &= guard.is_some();
            guards.extend(guard);
        }
        *self = Self::Many(guards, pass);
        is_free
    }

    /// Is the slot's lock held?
    pub fn holds(&mut self, slot: Slot) -> bool {
        let guards = self.guards_mut();
        guards.binary_search_by_key(&slot, SlotGuard::slot).is_ok()
    }

    fn take_apart(self) -> (Vec<SlotGuard<'a>>, Pass<'a>) {
        match self {
            Self::None => (Vec::new(), Pass::None),
            Self::One(guard) => (vec![guard], Pass::None),
            Self::Many(guards, pass) => (guards, pass),
        }
    }

    fn insert(&mut self, at: usize, guard: SlotGuard<'a>) {
        let (mut guards, pass) = std::mem::take(self).take_apart();
        guards.insert(at, guard);
        *self = Self::Many(guards, pass);
    }

    /// Locks one slot.
    #[inline]
    pub fn one(keyspace: &'a Keyspace, slot: Slot) -> Self {
        Self::One(keyspace.lock(slot))
    }

    /// Locks the slots of these keys.
    pub fn of_keys(keyspace: &'a Keyspace, keys: &[Key<'_>]) -> Self {
        if keys.iter().all(|key| key.slot == keys[0].slot) {
            return keys
                .first()
                .map_or(Self::None, |key| Self::one(keyspace, key.slot));
        }
        let mut slots: Vec<Slot> = keys.iter().map(|key| key.slot).collect();
        slots.sort_unstable();
        slots.dedup();
        Self::acquire(keyspace, &slots)
    }

    /// Locks every slot.
    pub fn acquire_all(keyspace: &'a Keyspace) -> Self {
        let pass = Pass::Shared(keyspace.crossing.read());
        Self::Many(keyspace.lock_all(), pass)
    }

    /// Lets `visit` work on one slot: under the lock that is held for it, or else under its lock taken for the moment.
    /// A call either holds what it needs before it starts, or comes here with nothing held.
    pub fn visit<R>(
        &mut self,
        keyspace: &Keyspace,
        slot: Slot,
        visit: impl FnOnce(&mut SlotTable) -> R,
    ) -> R {
        match self {
            Self::None => visit(&mut keyspace.lock(slot)),
            held => visit(held.table(slot)),
        }
    }

    /// Has a key changed that somebody waits for?
    #[inline]
    pub fn is_ready(&self) -> bool {
        match self {
            Self::None => false,
            Self::One(guard) => guard.is_ready(),
            Self::Many(guards, _) => guards.iter().any(|guard| guard.is_ready()),
        }
    }

    /// Takes the first such key of all that is held, with its slot.
    pub fn take_ready(&mut self) -> Option<(Slot, Box<[u8]>)> {
        let guards = self.guards_mut();
        let ready = guards
            .iter()
            .enumerate()
            .filter_map(|(at, guard)| Some((guard.first_ready()?, at)));
        let (_, at) = ready.min()?;
        let key = guards[at].take_ready()?;
        Some((guards[at].slot, key))
    }

    /// Takes the locks of more slots. If another holds one, those that are held may be released in between: who holds
    /// slots without a pass does not wait.
    pub fn include(&mut self, keyspace: &'a Keyspace, slots: impl Iterator<Item = Slot>) {
        for slot in slots {
            if self.grow(keyspace, slot) {
                continue;
            }
            let (guards, pass) = std::mem::take(self).take_apart();
            let mut wanted: Vec<Slot> = guards.iter().map(SlotGuard::slot).collect();
            drop(guards);
            drop(pass);
            let at = wanted.partition_point(|&held| held < slot);
            wanted.insert(at, slot);
            *self = Self::acquire(keyspace, &wanted);
        }
    }

    /// Whether anything but expiry has changed what is held since the last call.
    pub fn take_changed(&mut self) -> bool {
        match self {
            Self::None => false,
            Self::One(guard) => guard.take_changed(),
            Self::Many(guards, _) => guards
                .iter_mut()
                .fold(false, |changed, guard| guard.take_changed() | changed),
        }
    }

    /// Tells of the keys that expiry has removed from what is held, instead of when the locks are released.
    pub fn flush_expired(&mut self, keyspace: &Keyspace) {
        match self {
            Self::None => {}
            Self::One(guard) => keyspace.tell_expired(guard),
            Self::Many(guards, _) => guards.iter_mut().for_each(|guard| keyspace.tell_expired(guard)),
        }
    }

    /// Until the locks are released, shows the expired keys that [`super::Mode::Following`] keeps: for commands of the
    /// primary, which has not expired them yet.
    pub fn reveal_expired(&mut self) {
        match self {
            Self::None => {}
            Self::One(guard) => guard.reveal_expired(),
            Self::Many(guards, _) => guards.iter_mut().for_each(|guard| guard.reveal_expired()),
        }
    }

    /// The entry of a key whose slot is held, while others are looked at, too. Nothing is changed by it: neither the
    /// access clock, nor is an expired key removed.
    ///
    /// # Panics
    /// If the slot is not held.
    pub fn look(&self, key: &Key<'_>, now: u64) -> Option<Entry<'_>> {
        let guards = match self {
            Self::None => &[],
            Self::One(guard) => std::slice::from_ref(guard),
            Self::Many(guards, _) => &guards[..],
        };
        let at = guards.binary_search_by_key(&key.slot, SlotGuard::slot);
        guards[at.expect("a call looks only at keys that the command table names")].look(key, now)
    }

    /// The table of a slot that is held.
    ///
    /// # Panics
    /// If the slot is not held: a command asked for a key that the command table does not name.
    #[inline]
    pub fn table(&mut self, slot: Slot) -> &mut SlotTable {
        let held = match self {
            Self::None => None,
            Self::One(guard) => (guard.slot() == slot).then_some(guard),
            Self::Many(guards, _) => guards
                .binary_search_by_key(&slot, SlotGuard::slot)
                .ok()
                .map(|index| &mut guards[index]),
        };
        held.expect("a call touches only slots of the keys that the command table names")
    }
}

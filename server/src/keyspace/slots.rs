//! The keyspace: every slot with its lock, and the sums over them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard, RwLock};
use slotcore::{SLOT_COUNT, Slot};

use super::buckets::Buckets;
use super::guard::SlotGuard;
use super::observe::{Forgotten, Observer};
use super::prefetch::prefetch_line;
use super::table::SlotTable;
use super::walk::weighted;

/// Slots whose sums are kept together.
const GROUP_SLOTS: usize = 256;
const GROUPS: usize = SLOT_COUNT / GROUP_SLOTS;

/// A slot and what may be known of it without its lock. Two cache lines: the first is all that a read touches. They
/// are aligned to both, since processors fetch lines in pairs.
#[repr(C, align(128))]
pub(super) struct Cell {
    /// See [`Buckets::hint`].
    buckets_hint: AtomicU64,
    table: Mutex<SlotTable>,
    keys: AtomicU32,
    /// When active expiry has to look here: unix time in seconds.
    sweep_due_s: AtomicU32,
}

const _: () = assert!(size_of::<Cell>() == 128);

/// Sums over [`GROUP_SLOTS`] slots. They are this many so that threads rarely write to the same.
#[derive(Default)]
#[repr(align(128))]
struct Group {
    keys: AtomicI64,
    expiring: AtomicI64,
    bytes: AtomicI64,
    expired: AtomicU64,
}

/// What becomes of keys whose time is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// They are removed by whoever meets them.
    #[default]
    Alone,
    /// They are removed, and the sink of [`Keyspace::on_gone`] is told.
    Recording,
    /// They are absent for readers and stay in memory: the primary's DEL removes them. The primary's own commands see
    /// them, after [`super::Held::reveal_expired`].
    Following,
}

/// Why a key went without a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// Its time was over, or its slot has left.
    Expired,
    /// Others needed its memory.
    Evicted,
}

/// Is told each key that goes without a command.
type GoneSink = Box<dyn Fn(&[u8], Departure) + Send + Sync>;

/// All keys of the node.
pub struct Keyspace {
    gone_sink: OnceLock<GoneSink>,
    pub(super) observer: OnceLock<Box<dyn Observer>>,
    /// Who holds locks of several slots passes here first: see [`super::Held`].
    pub(super) crossing: RwLock<()>,
    mode: AtomicU8,
    cells: Box<[Cell]>,
    groups: Box<[Group]>,
    avg_ttl_ms: AtomicU64,
    /// A snapshot is being taken.
    pub(super) cutting: AtomicBool,
    /// Slots that were released while somebody waited for a key that has gone: it expired.
    left_ready: Mutex<Vec<Slot>>,
}

/// What one call of [`Keyspace::expire_cycle`] has done.
#[derive(Clone, Copy, Default, Debug)]
pub struct ExpireReport {
    /// Keys removed.
    pub removed: usize,
    /// Whether the budget ended the call before it had seen every slot.
    pub out_of_time: bool,
}

impl Default for Keyspace {
    fn default() -> Self {
        Self::new()
    }
}

impl Keyspace {
    pub fn new() -> Self {
        let cell = |_| Cell {
            buckets_hint: AtomicU64::new(0),
            table: Mutex::new(SlotTable::new()),
            keys: AtomicU32::new(0),
            sweep_due_s: AtomicU32::new(u32::MAX),
        };
        Self {
            gone_sink: OnceLock::new(),
            observer: OnceLock::new(),
            crossing: RwLock::new(()),
            mode: AtomicU8::new(0),
            cells: (0..SLOT_COUNT).map(cell).collect(),
            groups: (0..GROUPS).map(|_| Group::default()).collect(),
            avg_ttl_ms: AtomicU64::new(0),
            cutting: AtomicBool::new(false),
            left_ready: Mutex::new(Vec::new()),
        }
    }

    /// A slot is released, and who waits for one of its keys has not been served.
    #[cold]
    pub(super) fn leave_ready(&self, slot: Slot) {
        let mut left = self.left_ready.lock();
        if !left.contains(&slot) {
            left.push(slot);
        }
    }

    /// Takes the slots in which somebody is left to be served: see [`crate::waiting::serve_left`].
    pub fn take_left_ready(&self) -> Vec<Slot> {
        std::mem::take(&mut *self.left_ready.lock())
    }

    /// Sets the mode of every slot. They are all locked for this moment, so that no call sees both.
    pub fn set_mode(&self, mode: Mode) {
        let _pass = self.crossing.read();
        let mut held = self.lock_all();
        held.iter_mut().for_each(|table| table.set_mode(mode));
        self.mode.store(mode as u8, Ordering::Relaxed);
    }

    /// The mode.
    pub fn mode(&self) -> Mode {
        match self.mode.load(Ordering::Relaxed) {
            0 => Mode::Alone,
            1 => Mode::Recording,
            _ => Mode::Following,
        }
    }

    /// Says who is told, in [`Mode::Recording`], of each key that goes without a command: by expiry, because its
    /// slot has gone to another node, or to make room. It is called under the lock of the key's slot. Once only.
    pub fn on_gone(&self, sink: GoneSink) {
        // A second sink is a mistake of the caller's, and the first one stays.
        let _ = self.gone_sink.set(sink);
    }

    /// Tells of a key that has gone without a command.
    pub(super) fn tell_gone(&self, key: &[u8], why: Departure) {
        if let Some(sink) = self.gone_sink.get() {
            sink(key, why);
        }
    }

    /// Tells of the keys that expiry has removed from a slot.
    #[inline]
    pub(super) fn tell_expired(&self, table: &mut SlotTable) {
        let keys = table.take_expired_keys();
        keys.iter()
            .for_each(|key| self.tell_gone(key, Departure::Expired));
    }

    /// Removes all keys of a slot, and says how many there were. In [`Mode::Recording`] the sink of
    /// [`Keyspace::on_gone`] is told of each. What they held is freed after the lock is released.
    pub fn drop_slot(&self, slot: Slot) -> usize {
        let mut table = self.lock(slot);
        let removed = table.len();
        if table.mode() == Mode::Recording {
            // Expired keys that the stream lacks come first, as they went first.
            self.tell_expired(&mut table);
            table
                .entries()
                .for_each(|entry| self.tell_gone(entry.key(), Departure::Expired));
        }
        table.report_all();
        let contents = table.clear();
        // The sink has been told: no command is to be recorded for it.
        table.take_changed();
        drop(table);
        drop(contents);
        removed
    }

    /// Empties all slots at once: nobody sees some of them empty and others not.
    pub fn clear(&self) {
        let _pass = self.crossing.read();
        let mut held = self.lock_all();
        let contents: Vec<_> = held.iter_mut().map(|table| table.clear()).collect();
        held.iter_mut().for_each(|table| {
            table.take_changed();
        });
        self.forget_tracked(&mut held);
        drop(held);
        drop(contents);
    }

    /// Puts the entries of `other`, a data set loaded apart, in the place of those here, all slots at once. The old
    /// ones are freed when nobody waits for a lock any more.
    pub fn replace_contents(&self, mut other: Keyspace) {
        let _pass = self.crossing.read();
        let mut held = self.lock_all();
        let contents: Vec<_> = held
            .iter_mut()
            .zip(&mut other.cells)
            .map(|(table, cell)| table.fill_with(cell.table.get_mut().take_filling()))
            .collect();
        self.forget_tracked(&mut held);
        drop(held);
        drop(contents);
    }

    /// Sets what others want to hear of every slot: events that no command names; every key that changes.
    pub fn set_observed(&self, events: bool, reports: bool) {
        for slot in 0..SLOT_COUNT as Slot {
            self.lock(slot).set_observed(events, reports);
        }
    }

    fn forget_tracked(&self, held: &mut [SlotGuard<'_>]) {
        let forgotten = held.iter_mut().map(|table| table.forget_tracked());
        self.tell_flushed(forgotten.fold(Forgotten::default(), Forgotten::plus));
    }

    /// FLUSHALL has emptied all slots, and these keys were tracked.
    pub fn flushed(&self, forgotten: Forgotten) {
        self.tell_flushed(forgotten);
    }

    /// Every slot, in ascending order. The caller has passed `crossing`.
    pub(super) fn lock_all(&self) -> Vec<SlotGuard<'_>> {
        (0..SLOT_COUNT as Slot).map(|slot| self.lock(slot)).collect()
    }

    /// Waits for the slot's lock.
    #[inline]
    pub fn lock(&self, slot: Slot) -> SlotGuard<'_> {
        SlotGuard::new(self, slot, self.cell(slot).table.lock())
    }

    /// The slot's lock, if nobody holds it.
    #[inline]
    pub fn try_lock(&self, slot: Slot) -> Option<SlotGuard<'_>> {
        self.cell(slot)
            .table
            .try_lock()
            .map(|table| SlotGuard::new(self, slot, table))
    }

    /// First hint, as soon as the slot of a key is known: its lock and the address of its buckets.
    #[inline]
    pub fn prefetch_slot(&self, slot: Slot) {
        prefetch_line(std::ptr::from_ref(self.cell(slot)).cast());
    }

    /// Second hint, when the first has had time to arrive: the bucket of the key.
    #[inline]
    pub fn prefetch_bucket(&self, slot: Slot, hash: u64) {
        Buckets::prefetch_by_hint(self.cell(slot).buckets_hint.load(Ordering::Relaxed), hash);
    }

    /// Third hint: the entry. The bucket must be read for this, so it takes the slot's lock for a moment, and does
    /// nothing if another holds it.
    #[inline]
    pub fn prefetch_entry(&self, slot: Slot, hash: u64) {
        if let Some(table) = self.cell(slot).table.try_lock() {
            table.buckets().prefetch_entries(hash);
        }
    }

    /// Keys of all slots, expired ones that nobody has met included.
    pub fn key_count(&self) -> usize {
        self.sum(|group| &group.keys)
    }

    /// Keys with an expiry.
    pub fn expiring_count(&self) -> usize {
        self.sum(|group| &group.expiring)
    }

    /// Bytes held: entries and buckets as allocated, and [`Keyspace::base_footprint`].
    pub fn footprint(&self) -> usize {
        self.base_footprint() + self.sum(|group| &group.bytes)
    }

    /// Bytes of the slots' hash tables, without their entries, as far as can be told without locks.
    pub fn table_bytes(&self) -> usize {
        let hints = self
            .cells
            .iter()
            .map(|cell| cell.buckets_hint.load(Ordering::Relaxed));
        hints.map(Buckets::footprint_by_hint).sum()
    }

    /// Bytes that an empty keyspace holds.
    pub fn base_footprint(&self) -> usize {
        size_of_val(&*self.cells) + size_of_val(&*self.groups)
    }

    /// Keys removed because they had expired, since the start.
    pub fn expired_count(&self) -> u64 {
        self.groups
            .iter()
            .map(|group| group.expired.load(Ordering::Relaxed))
            .sum()
    }

    /// An estimate of the mean time to live of keys that expire, in milliseconds.
    pub fn avg_ttl_ms(&self) -> u64 {
        if self.expiring_count() == 0 {
            0
        } else {
            self.avg_ttl_ms.load(Ordering::Relaxed)
        }
    }

    /// Keys of one slot, without its lock.
    #[inline]
    pub fn slot_len(&self, slot: Slot) -> usize {
        self.cell(slot).keys.load(Ordering::Relaxed) as usize
    }

    /// Has the slot no key that expires? As far as can be told without its lock.
    pub(super) fn never_expires(&self, slot: Slot) -> bool {
        self.cell(slot).sweep_due_s.load(Ordering::Relaxed) == u32::MAX
    }

    /// A random slot, each as likely as it has keys.
    pub(super) fn random_slot(&self, random: u64) -> Option<Slot> {
        let held = |group: &Group| group.keys.load(Ordering::Relaxed).max(0) as u64;
        let first = (weighted(self.groups.iter().map(held), random)? * GROUP_SLOTS) as Slot;
        let slots = first..first + GROUP_SLOTS as Slot;
        let low = random.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        weighted(slots.map(|slot| self.slot_len(slot) as u64), low).map(|index| first + index as Slot)
    }

    /// Removes keys that have expired at `now` (unix time in milliseconds), for at most about `budget`. Continues
    /// where `cursor` says, which it moves on.
    pub fn expire_cycle(&self, now: u64, budget: Duration, cursor: &mut Slot) -> ExpireReport {
        let mut report = ExpireReport::default();
        if self.expiring_count() == 0 || self.mode() == Mode::Following {
            return report;
        }
        let started = Instant::now();
        let now_s = u32::try_from(now / 1000).unwrap_or(u32::MAX - 1);
        let mut ttl = (0, 0);
        let mut slots_left = SLOT_COUNT;
        while slots_left > 0 && !report.out_of_time {
            let slot = *cursor % SLOT_COUNT as Slot;
            let mut more = false;
            if self.cell(slot).sweep_due_s.load(Ordering::Relaxed) <= now_s {
                let swept = self.lock(slot).sweep(now);
                report.removed += swept.removed;
                ttl = (ttl.0 + swept.kept, ttl.1 + swept.kept_ttl_ms);
                report.out_of_time = started.elapsed() >= budget;
                more = swept.more;
            }
            if !more {
                *cursor = (slot + 1) % SLOT_COUNT as Slot;
                slots_left -= 1;
            }
        }
        if let Some(average) = ttl.1.checked_div(ttl.0) {
            self.avg_ttl_ms.store(average, Ordering::Relaxed);
        }
        report
    }

    /// Slots from `first` on that have keys, as far as can be told without their locks.
    pub(super) fn slots_with_keys(&self, first: Slot) -> impl Iterator<Item = Slot> {
        (first..SLOT_COUNT as Slot).filter(|&slot| self.slot_len(slot) != 0)
    }

    #[inline]
    fn cell(&self, slot: Slot) -> &Cell {
        &self.cells[slot as usize]
    }

    fn sum(&self, of: impl Fn(&Group) -> &AtomicI64) -> usize {
        let sum: i64 = self
            .groups
            .iter()
            .map(|group| of(group).load(Ordering::Relaxed))
            .sum();
        // Read one after the other while others write, the parts can be a little off from each other.
        usize::try_from(sum).unwrap_or(0)
    }

    /// Adds to the sums what a slot has changed, and renews its hints. The caller holds the slot's lock.
    #[cold]
    pub(super) fn publish(&self, slot: Slot, table: &mut MutexGuard<'_, SlotTable>) {
        let cell = self.cell(slot);
        cell.buckets_hint.store(table.buckets().hint(), Ordering::Relaxed);
        cell.keys.store(table.len() as u32, Ordering::Relaxed);
        let due_s = table.sweeper().due(table.expiring() as u32) / 1000;
        // The largest number says that nothing expires; what does so in centuries is due just before.
        let last = if table.expiring() == 0 {
            u32::MAX
        } else {
            u32::MAX - 1
        };
        cell.sweep_due_s
            .store(u32::try_from(due_s).unwrap_or(last).min(last), Ordering::Relaxed);

        let delta = table.publish();
        let group = &self.groups[slot as usize / GROUP_SLOTS];
        for (sum, change) in [
            (&group.keys, delta.keys),
            (&group.expiring, delta.expiring),
            (&group.bytes, delta.bytes),
        ] {
            if change != 0 {
                sum.fetch_add(change, Ordering::Relaxed);
            }
        }
        if delta.expired != 0 {
            group.expired.fetch_add(delta.expired, Ordering::Relaxed);
        }
    }
}

//! One slot: its entries, its statistics and who watches it. Everything here happens under the slot's lock.

use super::buckets::{Buckets, Position};
use super::cut::Kept;
use super::entry::{Content, Draft, Encoding, Entry, OwnedEntry, access_rule};
use super::expiry::Sweeper;
use super::key::Key;
use super::observe::KeyEvent;
use super::place::{Change, Expire};
use super::slots::Mode;
use super::watch::{Contents, Extras, Garbage};

mod listeners;
mod lookup;
mod stats;

pub use stats::SlotStats;

/// Values from this size on are freed after the slot's lock is released.
const LARGE_GARBAGE_BYTES: usize = 32 * 1024;

/// Something that the keyspace sums up has changed.
const UNPUBLISHED: u8 = 1;
/// Something other than expiry has changed the contents; see [`SlotTable::take_changed`].
const CHANGED: u8 = 2;
/// Whoever holds the lock sees expired keys that [`Mode::Following`] keeps; see [`SlotTable::reveal_expired`].
const REVEALS: u8 = 4;
/// A snapshot has yet to see entries here that lack the mark; see `cut`.
const ARMED: u8 = 8;
/// The mark that new entries bear, and those that the snapshot has seen.
const MARK: u8 = 16;
/// Somebody wants to hear of events that no command names.
const EVENTS: u8 = 32;
/// Somebody wants to hear of every key that changes.
const REPORTS: u8 = 64;
/// A key has changed that somebody waits for; see [`SlotTable::take_ready`].
const READY: u8 = 128;

/// The contents of one slot. Times are unix time in milliseconds; an entry whose expiry has passed is treated as
/// absent and removed by whoever meets it.
// The order of the fields matters: what every command touches comes first and shares a cache line with the lock, what
// only writes touch fills the second line. See `Cell` in the parent's slots.rs.
#[repr(C)]
pub struct SlotTable {
    buckets: Buckets,
    net_in: u64,
    net_out: u64,
    cpu_ns: u64,
    ops_low: u32,
    /// [`UNPUBLISHED`], [`CHANGED`], [`REVEALS`], [`ARMED`], [`MARK`], [`EVENTS`], [`REPORTS`], [`READY`].
    news: u8,
    mode: Mode,
    /// Carries of `ops_low`.
    ops_high: u16,

    /// Entries that expire.
    expiring: u32,
    /// Entries removed because they expired, since last published.
    expired: u32,
    /// Bytes of the entries, as allocated.
    entry_bytes: usize,
    sweeper: Sweeper,
    published_keys: u32,
    published_expiring: u32,
    published_bytes: usize,
    extras: Option<Box<Extras>>,
}

/// The entries of a slot and the books about them, without a slot.
pub(super) struct Filling {
    buckets: Buckets,
    expiring: u32,
    entry_bytes: usize,
    sweeper: Sweeper,
    mark: bool,
}

impl Filling {
    fn new() -> Self {
        Self {
            buckets: Buckets::new(),
            expiring: 0,
            entry_bytes: 0,
            sweeper: Sweeper::new(),
            mark: false,
        }
    }
}

/// Changes of a slot that the keyspace's sums lack.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct Delta {
    pub keys: i64,
    pub expiring: i64,
    pub bytes: i64,
    pub expired: u64,
}

impl SlotTable {
    pub(super) fn new() -> Self {
        Self {
            buckets: Buckets::new(),
            net_in: 0,
            net_out: 0,
            cpu_ns: 0,
            ops_low: 0,
            news: 0,
            mode: Mode::Alone,
            ops_high: 0,
            expiring: 0,
            entry_bytes: 0,
            sweeper: Sweeper::new(),
            expired: 0,
            published_keys: 0,
            published_expiring: 0,
            published_bytes: 0,
            extras: None,
        }
    }

    /// Keys held, those included that have expired but were not met yet.
    #[inline]
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keys with an expiry.
    pub fn expiring(&self) -> usize {
        self.expiring as usize
    }

    /// Bytes held: entries and buckets as allocated.
    pub fn footprint(&self) -> usize {
        self.entry_bytes + self.buckets.footprint()
    }

    /// Sets `key` to a string, whatever it was before.
    pub fn set_string(&mut self, key: &Key<'_>, value: &[u8], expire: Expire, now: u64) {
        self.find_quietly(key, now).set_string(value, expire);
    }

    /// Removes `key` and hands its entry over.
    pub fn remove(&mut self, key: &Key<'_>, now: u64) -> Option<OwnedEntry> {
        self.find_quietly(key, now).remove()
    }

    /// Sets or clears the expiry of `key`; false if there is no such key.
    pub fn set_expiry(&mut self, key: &Key<'_>, expiry: Option<u64>, now: u64) -> bool {
        self.find_quietly(key, now).set_expiry(expiry)
    }

    /// Inserts what `entry` holds (value, expiry, encoding) under another key, in place of what was there.
    pub fn insert_moved(&mut self, key: &Key<'_>, entry: OwnedEntry, now: u64) {
        self.find_quietly(key, now).put_moved(entry);
    }

    /// Gives memory up: at once if it is small, else after the lock is released.
    pub fn discard(&mut self, entry: OwnedEntry) {
        if entry.view().footprint() >= LARGE_GARBAGE_BYTES {
            self.throw_away(Garbage::Entry(entry));
        }
    }

    pub(super) fn discard_value(&mut self, value: Vec<u8>) {
        if value.capacity() >= LARGE_GARBAGE_BYTES {
            self.throw_away(Garbage::Value(value));
        }
    }

    fn throw_away(&mut self, garbage: Garbage) {
        self.extras_mut().garbage.push(garbage);
        // The guard looks for garbage only when there is something to publish.
        self.news |= UNPUBLISHED;
    }

    /// Empties the slot. What it held is freed when the result is dropped.
    pub fn clear(&mut self) -> Contents {
        if !self.is_empty() {
            self.news |= CHANGED;
        }
        self.fill_with(Filling::new())
    }

    /// Puts the entries of another slot in the place of those here, which are freed when the result is dropped.
    /// Watchers of a key that was here or is here now are told.
    pub(super) fn fill_with(&mut self, filling: Filling) -> Contents {
        self.touch_watched();
        self.expiring = filling.expiring;
        self.entry_bytes = filling.entry_bytes;
        self.sweeper = filling.sweeper;
        let mut old = std::mem::replace(&mut self.buckets, filling.buckets);
        if self.is_armed() {
            let unseen = std::mem::replace(&mut old, Buckets::new());
            let mark = self.mark();
            self.extras_mut().kept.keep_contents(unseen, mark);
        }
        self.news = self.news & !(ARMED | MARK) | UNPUBLISHED | if filling.mark { MARK } else { 0 };
        self.touch_watched();
        Contents(old)
    }

    /// Takes the entries out, with the books about them.
    pub(super) fn take_filling(&mut self) -> Filling {
        self.news |= UNPUBLISHED;
        Filling {
            buckets: std::mem::replace(&mut self.buckets, Buckets::new()),
            expiring: std::mem::take(&mut self.expiring),
            entry_bytes: std::mem::take(&mut self.entry_bytes),
            sweeper: std::mem::replace(&mut self.sweeper, Sweeper::new()),
            mark: self.mark(),
        }
    }

    /// Inserts a key of a data set that is being loaded, also one that has expired. `idle_s`: seconds since its last
    /// access; `frequency`: how often it was accessed. False, and nothing changed, if the key is there already.
    pub fn load(
        &mut self,
        key: &Key<'_>,
        value: Content<'_>,
        expiry: Option<u64>,
        idle_s: Option<u64>,
        frequency: Option<u8>,
        now: u64,
    ) -> bool {
        if self.buckets.find(key).is_some() {
            return false;
        }
        self.insert(
            key,
            Draft {
                key: key.bytes,
                content: value,
                expiry,
                encoding: Encoding::Auto,
                clock: access_rule().told(idle_s, frequency, now),
                mark: self.mark(),
            },
        );
        true
    }

    /// All entries of the slot, also expired ones.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.buckets.entries()
    }

    /// A random entry: `random` is the chance. It may be an expired one.
    pub fn random(&self, random: u64) -> Option<Entry<'_>> {
        if self.is_empty() {
            return None;
        }
        let (high, low) = ((random >> 32) as u32, random as u32);
        let mut bucket = self.buckets.home(u64::from(high) << 32);
        loop {
            let held = (0..)
                .map_while(|lane| self.buckets.next_in_bucket(bucket, lane, false))
                .count();
            if held > 0 {
                let lane = ((u64::from(low) * held as u64) >> 32) as u32;
                return self
                    .buckets
                    .next_in_bucket(bucket, lane, false)
                    .map(|at| self.buckets.entry(at));
            }
            bucket = if bucket + 1 == self.buckets.count() {
                0
            } else {
                bucket + 1
            };
        }
    }

    /// Whether anything but expiry has changed the contents since the last call.
    #[inline]
    pub(super) fn take_changed(&mut self) -> bool {
        let changed = self.news & CHANGED != 0;
        self.news &= !CHANGED;
        changed
    }

    /// The keys that expiry has removed in [`Mode::Recording`] and nobody was told of.
    #[inline]
    pub(super) fn take_expired_keys(&mut self) -> Vec<Box<[u8]>> {
        match &mut self.extras {
            None => Vec::new(),
            Some(extras) => std::mem::take(&mut extras.expired_keys),
        }
    }

    /// A change that nobody asked about counts as told: it was made before the mode that wants to know.
    pub(super) fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        self.news &= !CHANGED;
    }

    /// A snapshot begins: what is here now is to be seen by it, what comes later is not.
    pub(super) fn arm(&mut self) {
        debug_assert!(!self.is_armed(), "one snapshot at a time");
        if !self.is_empty() {
            self.news = (self.news ^ MARK) | ARMED;
        }
    }

    /// The snapshot has seen all that was here.
    pub(super) fn disarm(&mut self) {
        self.news &= !ARMED;
    }

    #[inline]
    pub(super) fn is_armed(&self) -> bool {
        self.news & ARMED != 0
    }

    /// The mark of entries that a snapshot need not see.
    #[inline]
    pub(super) fn mark(&self) -> bool {
        self.news & MARK != 0
    }

    pub(super) fn set_clock(&mut self, position: Position, clock: u32) {
        self.buckets.update_clock(position, |_| clock);
    }

    pub(super) fn set_mark(&mut self, position: Position) {
        let mark = self.mark();
        self.buckets.set_mark(position, mark);
    }

    /// What the snapshot has to fetch.
    pub(super) fn take_kept(&mut self) -> Kept {
        let Some(extras) = &mut self.extras else {
            return Kept::default();
        };
        let kept = std::mem::take(&mut extras.kept);
        self.drop_empty_extras();
        kept
    }

    /// Before an entry changes or goes: a snapshot that has not seen it gets a copy.
    #[inline]
    fn preserve(&mut self, position: Position) {
        if self.is_armed() {
            self.preserve_unseen(position);
        }
    }

    #[cold]
    fn preserve_unseen(&mut self, position: Position) {
        let entry = self.buckets.entry(position);
        if entry.mark() != self.mark() {
            self.extras.get_or_insert_default().kept.records.push(entry);
            self.set_mark(position);
        }
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    /// Until the lock is released, expired keys that [`Mode::Following`] keeps are seen like any others: so do the
    /// primary's commands, which come from a time when the keys were alive.
    pub(super) fn reveal_expired(&mut self) {
        // What there is to publish is looked at when the lock is released, and this is taken back there.
        self.news |= REVEALS | UNPUBLISHED;
    }

    /// Removes an entry because its time is over.
    #[cold]
    pub(super) fn expire_at(&mut self, position: Position) {
        let entry = self.take_at(position, true);
        self.expired += 1;
        if self.news & EVENTS != 0 {
            self.note(KeyEvent::Expired, entry.view().key());
        }
        if self.mode == Mode::Recording {
            self.extras_mut().expired_keys.push(entry.view().key().into());
        }
        self.discard(entry);
    }

    /// Removes an entry because others need its memory. Returns it.
    pub(super) fn evict_at(&mut self, position: Position) -> OwnedEntry {
        let entry = self.take_at(position, true);
        if self.news & EVENTS != 0 {
            self.note(KeyEvent::Evicted, entry.view().key());
        }
        entry
    }

    pub(super) fn remove_at(&mut self, position: Position) -> OwnedEntry {
        self.news |= CHANGED;
        self.take_at(position, false)
    }

    fn take_at(&mut self, position: Position, by_itself: bool) -> OwnedEntry {
        self.preserve(position);
        let entry = self.buckets.remove(position);
        self.entry_bytes -= entry.view().footprint();
        self.expiring -= u32::from(entry.view().expiry().is_some());
        self.sweeper.entries_moved();
        self.news |= UNPUBLISHED;
        self.mark_changed(entry.view().key(), by_itself);
        if let Some(count) = self.buckets.shrunk_count() {
            self.resize(count);
        }
        entry
    }

    pub(super) fn insert(&mut self, key: &Key<'_>, draft: Draft<'_>) -> Position {
        // An expired key that is hidden, and not removed, gives way.
        if self.mode == Mode::Following
            && let Some(hidden) = self.buckets.find(key)
        {
            let entry = self.remove_at(hidden);
            self.discard(entry);
        }
        if !self.buckets.has_room() {
            self.resize(self.buckets.grown_count());
        }
        if let Some(expiry) = draft.expiry {
            self.expiring += 1;
            self.sweeper.expects(expiry);
        }
        let entry = OwnedEntry::new(draft);
        self.entry_bytes += entry.view().footprint();
        self.news |= UNPUBLISHED | CHANGED;
        self.mark_changed(key.bytes, false);
        if self.news & EVENTS != 0 {
            self.note(KeyEvent::New, key.bytes);
        }
        self.buckets.insert(key.hash, entry)
    }

    /// Changes the entry at `position` and keeps the books.
    #[inline]
    pub(super) fn change_at<R>(
        &mut self,
        position: Position,
        change: impl FnOnce(&mut OwnedEntry) -> R,
    ) -> R {
        self.change_as_at(position, |entry| (change(entry), Change::Told))
    }

    /// The same for a change that says who is to be told.
    #[inline]
    pub(super) fn change_as_at<R>(
        &mut self,
        position: Position,
        change: impl FnOnce(&mut OwnedEntry) -> (R, Change),
    ) -> R {
        self.preserve(position);
        let (before, after, result) = self.buckets.update(position, |entry| {
            let before = (entry.view().footprint(), entry.view().expiry());
            let result = change(entry);
            (before, (entry.view().footprint(), entry.view().expiry()), result)
        });
        if before != after {
            self.entry_bytes = self.entry_bytes - before.0 + after.0;
            self.expiring = self.expiring - u32::from(before.1.is_some()) + u32::from(after.1.is_some());
            if let Some(expiry) = after.1 {
                self.sweeper.expects(expiry);
            }
            self.news |= UNPUBLISHED;
        }
        let (result, change) = result;
        if change != Change::Nothing {
            self.news |= CHANGED;
            if change != Change::Recorded && (self.extras.is_some() || self.reports()) {
                self.tell_changed_at(position, change);
            }
        }
        result
    }

    /// The bytes of the string at `position`, for writing.
    pub(super) fn string_mut_at(&mut self, position: Position) -> &mut [u8] {
        self.buckets.string_mut(position)
    }

    fn resize(&mut self, count: u32) {
        self.buckets.resize(count);
        self.sweeper.restart();
    }

    #[inline]
    pub(super) fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    pub(super) fn sweeper(&self) -> &Sweeper {
        &self.sweeper
    }

    pub(super) fn sweeper_mut(&mut self) -> &mut Sweeper {
        self.news |= UNPUBLISHED;
        &mut self.sweeper
    }

    fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    pub(super) fn drop_empty_extras(&mut self) {
        if self.extras.as_ref().is_some_and(|extras| extras.is_empty()) {
            self.extras = None;
        }
    }

    /// Whether [`SlotTable::publish`] would say anything.
    #[inline]
    pub(super) fn is_unpublished(&self) -> bool {
        self.news & UNPUBLISHED != 0
    }

    /// Keys that the keyspace's sums lack, or have too many.
    pub(super) fn unpublished_keys(&self) -> i64 {
        self.len() as i64 - i64::from(self.published_keys)
    }

    /// What has changed since the last call.
    pub(super) fn publish(&mut self) -> Delta {
        let (keys, bytes) = (self.buckets.len() as u32, self.footprint());
        let delta = Delta {
            keys: i64::from(keys) - i64::from(self.published_keys),
            expiring: i64::from(self.expiring) - i64::from(self.published_expiring),
            bytes: bytes as i64 - self.published_bytes as i64,
            expired: u64::from(self.expired),
        };
        (self.published_keys, self.published_expiring, self.published_bytes) = (keys, self.expiring, bytes);
        self.expired = 0;
        self.news &= !(UNPUBLISHED | REVEALS);
        delta
    }

    /// Takes what is to be freed after the lock is released.
    #[inline]
    pub(super) fn take_garbage(&mut self) -> Vec<Garbage> {
        let Some(extras) = &mut self.extras else {
            return Vec::new();
        };
        let garbage = std::mem::take(&mut extras.garbage);
        self.drop_empty_extras();
        garbage
    }
}

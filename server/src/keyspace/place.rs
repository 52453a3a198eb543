//! A key looked up once: read it, change it, remove it without searching again.

use super::buckets::Position;
use super::entry::{Content, Draft, Encoding, Entry, OwnedEntry, access_clock};
use super::key::Key;
use super::table::SlotTable;

/// What setting a value does to the key's expiry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expire {
    /// The key will not expire.
    Clear,
    /// It expires when the old value would have.
    Keep,
    /// Unix time in milliseconds.
    At(u64),
}

/// The place of a key in its slot, whether it is there or not.
pub struct Place<'t, 'k> {
    table: &'t mut SlotTable,
    key: &'k Key<'k>,
    at: Option<Position>,
    now: u64,
}

impl<'t, 'k> Place<'t, 'k> {
    #[inline]
    pub(super) fn new(table: &'t mut SlotTable, key: &'k Key<'k>, at: Option<Position>, now: u64) -> Self {
        Self { table, key, at, now }
    }

    #[inline]
    pub fn exists(&self) -> bool {
        self.at.is_some()
    }

    #[inline]
    pub fn entry(&self) -> Option<Entry<'_>> {
        self.at.map(|position| self.table.buckets().entry(position))
    }

    /// Sets the key to a string, whatever it was before.
    #[inline]
    pub fn set_string(&mut self, value: &[u8], expire: Expire) {
        self.put(Content::Bytes(value), expire, Encoding::Auto);
    }

    /// The same for computed text that stock does not store as an integer.
    pub fn set_text(&mut self, value: &[u8], expire: Expire) {
        self.put(Content::Bytes(value), expire, Encoding::Text);
    }

    /// The same for a value that is already in memory of its own.
    pub fn set_owned(&mut self, value: Vec<u8>, expire: Expire) {
        self.put(Content::Owned(value), expire, Encoding::Auto);
    }

    /// Sets the key to what another entry holds: value, expiry and encoding.
    pub fn put_moved(&mut self, mut entry: OwnedEntry) {
        let (expiry, encoding) = (entry.view().expiry(), entry.view().encoding_hint());
        let expire = expiry.map_or(Expire::Clear, Expire::At);
        self.put(Content::Owned(entry.take_value()), expire, encoding);
    }

    /// Makes the string at least `len` bytes long, new bytes zero, and returns all of it for writing. A key that is
    /// absent becomes a string of `len` zeros.
    pub fn grow_string(&mut self, len: usize) -> &mut [u8] {
        let position = match self.at {
            Some(position) => position,
            None => {
                self.put(Content::Bytes(&[]), Expire::Clear, Encoding::Raw);
                self.at.expect("put has just inserted it")
            }
        };
        self.table.change_at(position, |entry| {
            entry.grow_string(len);
        });
        self.table.string_mut_at(position)
    }

    /// Removes the key and hands its entry over; see [`SlotTable::discard`].
    pub fn remove(&mut self) -> Option<OwnedEntry> {
        let position = self.at.take()?;
        Some(self.table.remove_at(position))
    }

    /// Makes the key look as if it had not been accessed for so many seconds.
    pub fn set_idle(&mut self, seconds: u64) {
        if let Some(position) = self.at {
            let accessed = self.now.saturating_sub(seconds.saturating_mul(1000));
            self.table.set_clock(position, access_clock(accessed));
        }
    }

    /// Sets or clears the expiry, unix time in milliseconds; false if the key does not exist.
    pub fn set_expiry(&mut self, expiry: Option<u64>) -> bool {
        let Some(position) = self.at else { return false };
        if expiry.is_none() && self.entry().is_none_or(|entry| entry.expiry().is_none()) {
            // It did not expire: nothing changes, and nobody is told that something did.
            return true;
        }
        self.table.change_at(position, |entry| entry.set_expiry(expiry));
        true
    }

    fn put(&mut self, content: Content<'_>, expire: Expire, encoding: Encoding) {
        let expiry = match expire {
            Expire::Clear => None,
            Expire::Keep => self.entry().and_then(Entry::expiry),
            Expire::At(expiry) => Some(expiry),
        };
        let draft = Draft {
            key: self.key.bytes,
            content,
            expiry,
            encoding,
            clock: access_clock(self.now),
            mark: self.table.mark(),
        };
        match self.at {
            Some(position) => {
                if let Some(old_value) = self.table.change_at(position, |entry| entry.replace(draft)) {
                    self.table.discard_value(old_value);
                }
            }
            None => self.at = Some(self.table.insert(self.key, draft)),
        }
    }
}

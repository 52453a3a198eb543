//! A key looked up once: read it, change it, remove it without searching again.

use super::buckets::Position;
use std::sync::Arc;

use super::entry::{Content, Draft, Encoding, Entry, OwnedEntry, access_rule};
use super::key::Key;
use super::table::SlotTable;
use super::value::CollectionType;

/// The key holds a value of another type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrongType;

/// Who is told of a change of a collection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nobody: nothing has changed.
    Nothing,
    /// Replicas.
    Recorded,
    /// Replicas, and who waits for the key.
    Ready,
    /// Replicas, and who watches or has read the key.
    Watched,
    /// All of these.
    Told,
}

impl Change {
    /// This, if anything has changed.
    pub fn when(self, changed: bool) -> Self {
        if changed { self } else { Self::Nothing }
    }
}

impl From<bool> for Change {
    fn from(changed: bool) -> Self {
        Self::Told.when(changed)
    }
}

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

    /// The same for computed bytes, which are `raw` whatever their length.
    pub fn set_raw(&mut self, value: Vec<u8>, expire: Expire) {
        self.put(Content::Owned(value), expire, Encoding::Raw);
    }

    /// The same for any value.
    pub fn set_content(&mut self, value: Content<'_>, expire: Expire) {
        self.put(value, expire, Encoding::Auto);
    }

    /// Sets the key to a collection, whatever it was before. An empty one removes it.
    pub fn set_collection(&mut self, value: impl CollectionType, expire: Expire) {
        if value.is_empty() {
            if let Some(entry) = self.remove() {
                self.table.discard(entry);
            }
        } else {
            let value = Arc::new(value.into_collection());
            self.put(Content::Collection(value), expire, Encoding::Auto);
        }
    }

    /// The collection of the key, if it has one.
    ///
    /// # Errors
    /// The key holds something else.
    #[inline]
    pub fn collection<T: CollectionType>(&self) -> Result<Option<&T>, WrongType> {
        typed(self.entry())
    }

    /// Lets `edit` change the collection of the key, an empty one if there is none, and say whether it did. A key whose
    /// collection is empty afterwards is not there.
    ///
    /// # Errors
    /// The key holds something else.
    #[inline]
    pub fn edit<T: CollectionType, R>(
        &mut self,
        edit: impl FnOnce(&mut T) -> (R, bool),
    ) -> Result<R, WrongType> {
        self.edit_as(|collection| {
            let (result, changed) = edit(collection);
            (result, changed.into())
        })
    }

    /// The same for an edit that says who is to be told.
    ///
    /// # Errors
    /// The key holds something else.
    pub fn edit_as<T: CollectionType, R>(
        &mut self,
        edit: impl FnOnce(&mut T) -> (R, Change),
    ) -> Result<R, WrongType> {
        let Some(position) = self.at else {
            let mut new = T::default();
            let (result, _) = edit(&mut new);
            if !new.is_empty() {
                self.set_collection(new, Expire::Clear);
            }
            return Ok(result);
        };
        let (result, is_empty) = self.table.change_as_at(position, |entry| {
            let is_of_type = entry.view().collection().and_then(T::of).is_some();
            let collection = if is_of_type {
                entry.collection_mut().and_then(T::of_mut)
            } else {
                None
            };
            match collection {
                None => ((Err(WrongType), false), Change::Nothing),
                Some(collection) => {
                    let (result, changed) = edit(collection);
                    ((Ok(result), collection.is_empty()), changed)
                }
            }
        });
        if is_empty && let Some(entry) = self.remove() {
            self.table.discard(entry);
        }
        result
    }

    /// Sets the key to what another entry holds: value, expiry and encoding, and how often it was accessed.
    pub fn put_moved(&mut self, mut entry: OwnedEntry) {
        let clock = access_rule().replaced(entry.view().clock(), self.now);
        let (expiry, encoding) = (entry.view().expiry(), entry.view().encoding_hint());
        let expire = expiry.map_or(Expire::Clear, Expire::At);
        self.put(entry.take_content(), expire, encoding);
        if let Some(position) = self.at {
            self.table.set_clock(position, clock);
        }
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

    /// Lets `write` change the string in place, made at least `len` bytes long, and say whether it did. A string that has
    /// grown has changed.
    pub fn write_string<R>(&mut self, len: usize, write: impl FnOnce(&mut [u8]) -> (R, bool)) -> R {
        let Some(position) = self.at else {
            let (result, _) = write(self.grow_string(len));
            return result;
        };
        self.table.change_as_at(position, |entry| {
            let before = entry.view().string().map_or(0, <[u8]>::len);
            entry.grow_string(len);
            let (result, changed) = write(entry.string_mut());
            (result, (changed || len > before).into())
        })
    }

    /// Removes the key and hands its entry over; see [`SlotTable::discard`].
    pub fn remove(&mut self) -> Option<OwnedEntry> {
        let position = self.at.take()?;
        Some(self.table.remove_at(position))
    }

    /// Sets what is remembered of the key's accesses: that it was not accessed for so many seconds, or how often it was.
    pub fn set_accesses(&mut self, idle_s: Option<u64>, frequency: Option<u8>) {
        if let Some(position) = self.at {
            let clock = access_rule().told(idle_s, frequency, self.now);
            self.table.set_clock(position, clock);
        }
    }

    /// Sets or clears the expiry, unix time in milliseconds; false if the key does not exist.
    pub fn set_expiry(&mut self, expiry: Option<u64>) -> bool {
        let Some(position) = self.at else { return false };
        if expiry.is_none() && self.entry().is_none_or(|entry| entry.expiry().is_none()) {
            // It did not expire: nothing changes, and nobody is told that something did.
            return true;
        }
        // What waits for an element has none for that.
        self.table
            .change_as_at(position, |entry| (entry.set_expiry(expiry), Change::Watched));
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
            clock: match self.entry() {
                None => access_rule().fresh(self.now),
                Some(old) => access_rule().replaced(old.clock(), self.now),
            },
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

/// The collection of an entry, if there is one.
///
/// # Errors
/// It holds something else.
#[inline]
pub fn typed<T: CollectionType>(entry: Option<Entry<'_>>) -> Result<Option<&T>, WrongType> {
    match entry {
        None => Ok(None),
        Some(entry) => entry.collection().and_then(T::of).map(Some).ok_or(WrongType),
    }
}

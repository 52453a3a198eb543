//! Reading an entry.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;

use super::super::size_class;
use super::super::value::Collection;
use super::clock::{self, access_rule};
use super::header::{Encoding, Header, Kind};
use super::layout::{Content, Draft, Large};
use super::owned::OwnedEntry;

/// The value of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueRef<'a> {
    Str(&'a [u8]),
    Collection(&'a Collection),
}

/// The longest string that stock embeds into its object, in bytes.
const EMBSTR_MAX: usize = 44;

/// A live entry, borrowed from the table that owns it.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    at: NonNull<u8>,
    borrow: PhantomData<&'a [u8]>,
}

impl<'a> Entry<'a> {
    /// # Safety
    /// `at` points to an entry written by `Draft::write` that stays alive and unchanged for `'a`.
    #[inline]
    pub(in super::super) unsafe fn from_raw(at: NonNull<u8>) -> Self {
        Self {
            at,
            borrow: PhantomData,
        }
    }

    #[inline]
    pub(super) fn header(self) -> Header {
        // SAFETY: an entry begins with its header.
        Header(unsafe { self.at.cast::<u64>().read_unaligned() })
    }

    /// When the key expires, unix time in milliseconds.
    #[inline]
    pub fn expiry(self) -> Option<u64> {
        if !self.header().has_expiry() {
            return None;
        }
        // SAFETY: the flag says that eight bytes of expiry follow the header.
        Some(unsafe { self.at.add(Header::SIZE).cast::<u64>().read_unaligned() })
    }

    /// Whether the key has expired at `now`, unix time in milliseconds: stock keeps a key through its last
    /// millisecond.
    #[inline]
    pub fn is_expired(self, now: u64) -> bool {
        self.expiry().is_some_and(|expiry| expiry < now)
    }

    /// Offset and length of the key.
    #[inline]
    pub(super) fn key_span(self) -> (usize, usize) {
        let header = self.header();
        let offset = header.fixed_len();
        if !header.long_key() {
            return (offset, header.key_len());
        }
        // SAFETY: the flag says that four bytes of length precede the key.
        let len = unsafe { self.at.add(offset).cast::<u32>().read_unaligned() };
        (offset + 4, len as usize)
    }

    #[inline]
    pub fn key(self) -> &'a [u8] {
        let (offset, len) = self.key_span();
        // SAFETY: the span lies in the entry, which lives and does not change for 'a.
        unsafe { std::slice::from_raw_parts(self.at.as_ptr().add(offset), len) }
    }

    /// The parts of a large value, None if the value is inline.
    pub(super) fn large(self) -> Option<Large> {
        if self.header().kind() != Kind::Large {
            return None;
        }
        let (offset, len) = self.key_span();
        // SAFETY: the kind says that a Large follows the key.
        Some(unsafe {
            self.at
                .as_ptr()
                .add(offset + len)
                .cast::<Large>()
                .read_unaligned()
        })
    }

    /// Where the collection lies, as [`Arc::into_raw`] gave it; None if the value is a string.
    #[inline]
    pub(super) fn collection_at(self) -> Option<*const Collection> {
        if self.header().kind() != Kind::Collection {
            return None;
        }
        let (offset, len) = self.key_span();
        // SAFETY: the kind says that a pointer follows the key.
        Some(unsafe {
            self.at
                .as_ptr()
                .add(offset + len)
                .cast::<*const Collection>()
                .read_unaligned()
        })
    }

    /// The collection; None if the value is a string.
    #[inline]
    pub fn collection(self) -> Option<&'a Collection> {
        // SAFETY: the entry owns a share of the collection, lives for 'a, and changes only through &mut.
        self.collection_at().map(|at| unsafe { &*at })
    }

    /// A share of the collection: whoever changes the entry from now on changes a copy.
    pub(in super::super) fn share_collection(self) -> Option<Arc<Collection>> {
        let at = self.collection_at()?;
        // SAFETY: the entry owns a share that came from Arc::into_raw; the new share is one more.
        Some(unsafe {
            Arc::increment_strong_count(at);
            Arc::from_raw(at)
        })
    }

    #[inline]
    pub fn value(self) -> ValueRef<'a> {
        if let Some(collection) = self.collection() {
            return ValueRef::Collection(collection);
        }
        let header = self.header();
        let (data, len) = match self.large() {
            Some(large) => (large.data.cast_const(), large.len),
            None => {
                let (offset, len) = self.key_span();
                // SAFETY: the value follows the key in the same allocation.
                (
                    unsafe { self.at.as_ptr().add(offset + len) }.cast_const(),
                    header.val_len(),
                )
            }
        };
        // SAFETY: both forms describe initialised bytes that live and do not change for 'a.
        ValueRef::Str(unsafe { std::slice::from_raw_parts(data, len) })
    }

    /// The bytes of a string; None for any other type of value.
    #[inline]
    pub fn string(self) -> Option<&'a [u8]> {
        match self.value() {
            ValueRef::Str(bytes) => Some(bytes),
            ValueRef::Collection(_) => None,
        }
    }

    /// The name of the value's type, as TYPE answers.
    pub fn type_name(self) -> &'static str {
        match self.value() {
            ValueRef::Str(_) => "string",
            ValueRef::Collection(collection) => collection.type_name(),
        }
    }

    /// The name of the value's encoding, as OBJECT ENCODING answers.
    pub fn encoding(self) -> &'static str {
        let bytes = match self.value() {
            ValueRef::Str(bytes) => bytes,
            ValueRef::Collection(collection) => return collection.encoding(),
        };
        match self.header().encoding() {
            Encoding::Raw => "raw",
            Encoding::Auto if reads_as_integer(bytes) => "int",
            Encoding::Auto | Encoding::Text if bytes.len() <= EMBSTR_MAX => "embstr",
            Encoding::Auto | Encoding::Text => "raw",
        }
    }

    pub(in super::super) fn encoding_hint(self) -> Encoding {
        self.header().encoding()
    }

    /// A copy that is in no table. It shares a collection until one of the two changes it.
    pub fn to_owned_entry(self) -> OwnedEntry {
        let content = match (self.share_collection(), self.string()) {
            (Some(collection), _) => Content::Collection(collection),
            (None, value) => Content::Bytes(value.unwrap_or_default()),
        };
        OwnedEntry::new(Draft {
            key: self.key(),
            content,
            expiry: self.expiry(),
            encoding: self.encoding_hint(),
            clock: self.clock(),
            mark: self.mark(),
        })
    }

    /// What tells a snapshot which entries it has seen: see `cut` beside the tables.
    #[inline]
    pub(in super::super) fn mark(self) -> bool {
        self.header().mark()
    }

    /// The bits that tell of accesses, 24 of them: see `clock`.
    pub fn clock(self) -> u32 {
        self.header().clock()
    }

    /// Seconds since the last access.
    pub fn idle_s(self, now: u64) -> u64 {
        clock::idle_s(self.clock(), now)
    }

    /// How often it is accessed, on the scale of LFU policies, if one is in force.
    pub fn frequency(self, now: u64) -> u8 {
        access_rule().frequency(self.clock(), now)
    }

    /// Bytes allocated for this entry, its large value or collection included.
    pub fn footprint(self) -> usize {
        self.block_size()
            + match self.header().kind() {
                Kind::Inline => 0,
                Kind::Large => self
                    .large()
                    .map_or(0, |large| size_class::round_up(large.capacity)),
                Kind::Collection => self.collection().map_or(0, Collection::footprint),
            }
    }

    /// Bytes of the entry's own block.
    #[inline]
    pub(super) fn block_size(self) -> usize {
        let (offset, len) = self.key_span();
        size_class::round_up(offset + len + self.header().val_len())
    }

    /// Where the entry lies, for the word that points to it.
    #[inline]
    pub(in super::super) fn address(self) -> NonNull<u8> {
        self.at
    }
}

/// Whether stock would store `bytes` as an integer: the shortest decimal form of an i64.
fn reads_as_integer(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    if digits[0] == b'0' {
        return bytes == b"0";
    }
    std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<i64>().is_ok())
}

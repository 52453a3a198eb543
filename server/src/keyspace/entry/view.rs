//! Reading an entry.

use std::marker::PhantomData;
use std::ptr::NonNull;

use super::super::size_class;
use super::header::{CLOCK_MASK, Encoding, Header, Kind};
use super::layout::{Content, Draft, Large};
use super::owned::OwnedEntry;

/// The value of an entry. More kinds come with the collection types, hence non-exhaustive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    Str(&'a [u8]),
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

    #[inline]
    pub fn value(self) -> ValueRef<'a> {
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
        let ValueRef::Str(bytes) = self.value();
        Some(bytes)
    }

    /// The name of the value's type, as TYPE answers.
    pub fn type_name(self) -> &'static str {
        match self.value() {
            ValueRef::Str(_) => "string",
        }
    }

    /// The name of the value's encoding, as OBJECT ENCODING answers.
    pub fn encoding(self) -> &'static str {
        let ValueRef::Str(bytes) = self.value();
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

    /// A copy that is in no table.
    pub fn to_owned_entry(self) -> OwnedEntry {
        let ValueRef::Str(value) = self.value();
        OwnedEntry::new(Draft {
            key: self.key(),
            content: Content::Bytes(value),
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

    /// The access clock: 24 bits, seconds.
    pub fn clock(self) -> u32 {
        self.header().clock()
    }

    /// Seconds since the last access.
    pub fn idle_s(self, now: u64) -> u64 {
        u64::from(access_clock(now).wrapping_sub(self.clock()) & CLOCK_MASK)
    }

    /// Bytes allocated for this entry, its large value included.
    pub fn footprint(self) -> usize {
        self.block_size()
            + self
                .large()
                .map_or(0, |large| size_class::round_up(large.capacity))
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

/// The access clock at `now`, unix time in milliseconds: seconds, 24 bits.
#[inline]
pub(in super::super) fn access_clock(now: u64) -> u32 {
    (now / 1000) as u32 & CLOCK_MASK
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

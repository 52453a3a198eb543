//! The first eight bytes of an entry.

/// What an entry holds. Three bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A string whose bytes follow the key.
    Inline = 0,
    /// A string in an allocation of its own.
    Large = 1,
    /// A pointer to a collection.
    Collection = 2,
}

/// How a string came to be, as far as OBJECT ENCODING tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Encoding {
    /// Set as a whole: `int` if it reads as one, else `embstr` or `raw` by length.
    Auto = 0,
    /// Grown or written in part: always `raw`.
    Raw = 1,
    /// Computed text: `embstr` or `raw` by length, never `int`.
    Text = 2,
}

const KIND_MASK: u64 = 0b111;
const HAS_EXPIRY: u64 = 1 << 3;
const LONG_KEY: u64 = 1 << 4;
const ENCODING_SHIFT: u32 = 5;
const ENCODING_MASK: u64 = 0b11 << ENCODING_SHIFT;
const MARK: u64 = 1 << 7;
const CLOCK_SHIFT: u32 = 8;
pub(super) const CLOCK_MASK: u32 = 0xff_ffff;
const KEY_LEN_SHIFT: u32 = 32;
const VAL_LEN_SHIFT: u32 = 48;

/// The decoded word.
#[derive(Clone, Copy)]
pub(super) struct Header(pub(super) u64);

impl Header {
    pub const SIZE: usize = 8;

    /// `key_len` as stored: 0 if the key is long and its length follows.
    pub fn new(
        kind: Kind,
        has_expiry: bool,
        long_key: bool,
        encoding: Encoding,
        key_len: u16,
        val_len: u16,
    ) -> Self {
        Self(
            kind as u64
                | if has_expiry { HAS_EXPIRY } else { 0 }
                | if long_key { LONG_KEY } else { 0 }
                | (encoding as u64) << ENCODING_SHIFT
                | u64::from(key_len) << KEY_LEN_SHIFT
                | u64::from(val_len) << VAL_LEN_SHIFT,
        )
    }

    #[inline]
    pub fn kind(self) -> Kind {
        match self.0 & KIND_MASK {
            0 => Kind::Inline,
            1 => Kind::Large,
            _ => Kind::Collection,
        }
    }

    #[inline]
    pub fn has_expiry(self) -> bool {
        self.0 & HAS_EXPIRY != 0
    }

    pub fn with_expiry(self, has_expiry: bool) -> Self {
        Self(self.0 & !HAS_EXPIRY | if has_expiry { HAS_EXPIRY } else { 0 })
    }

    #[inline]
    pub fn long_key(self) -> bool {
        self.0 & LONG_KEY != 0
    }

    pub fn encoding(self) -> Encoding {
        match (self.0 & ENCODING_MASK) >> ENCODING_SHIFT {
            0 => Encoding::Auto,
            1 => Encoding::Raw,
            _ => Encoding::Text,
        }
    }

    pub fn with_encoding(self, encoding: Encoding) -> Self {
        Self(self.0 & !ENCODING_MASK | (encoding as u64) << ENCODING_SHIFT)
    }

    #[inline]
    pub fn mark(self) -> bool {
        self.0 & MARK != 0
    }

    #[inline]
    pub fn with_mark(self, mark: bool) -> Self {
        Self(self.0 & !MARK | if mark { MARK } else { 0 })
    }

    #[inline]
    pub fn clock(self) -> u32 {
        (self.0 >> CLOCK_SHIFT) as u32 & CLOCK_MASK
    }

    #[inline]
    pub fn with_clock(self, clock: u32) -> Self {
        Self(self.0 & !(u64::from(CLOCK_MASK) << CLOCK_SHIFT) | u64::from(clock & CLOCK_MASK) << CLOCK_SHIFT)
    }

    #[inline]
    pub fn key_len(self) -> usize {
        (self.0 >> KEY_LEN_SHIFT) as usize & 0xffff
    }

    #[inline]
    pub fn val_len(self) -> usize {
        (self.0 >> VAL_LEN_SHIFT) as usize
    }

    pub fn with_val_len(self, len: u16) -> Self {
        Self(self.0 & !(0xffff << VAL_LEN_SHIFT) | u64::from(len) << VAL_LEN_SHIFT)
    }

    /// Where the key begins, or its long length before it.
    #[inline]
    pub fn fixed_len(self) -> usize {
        Self::SIZE + if self.has_expiry() { 8 } else { 0 }
    }
}

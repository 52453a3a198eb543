//! Key number n as bytes of a fixed length.
//!
//! | keys | text at 16 bytes | hashed |
//! |---|---|---|
//! | plain | `key:000000001234` | all of it |
//! | with `keys_per_tag = 10` | `{00000000123}:04` (tag 123, member 4) | the digits of the tag |
//! | with `spread = "even"` | `key:00001234o850` (the last four choose the slot) | all of it |
//! | of a hot slot | `{tag}:0000000042` | a tag that lies in the slot |
//!
//! The length is the same for all keys of a workload, so that frames can be laid out once and no key is dearer than
//! another; unless the workload asks for lengths by a distribution, which letters behind the text above make up.

use slotcore::slot::crc16;
use slotcore::{SLOT_COUNT, Slot};

use super::digits;
use super::even::{self, NEUTRAL, SUFFIX_SIZE};
use super::tags::{MAX_TAG_SIZE, tag_of_slot};
use crate::dist::unit;
use crate::sizes::KeySizes;
use crate::spec::{Keyspace, MAX_KEY_SIZE, Spread, Traffic};
use crate::stream::mix;

/// What makes a key longer.
const PADDING: u8 = b'x';
/// Tells the draw of a key's length from other uses of its number.
const LENGTHS: u64 = 0x6c65_6e67_7468;

/// A key by number: the keys of the keyspace from 0, and those of a hot slot in a range of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u64);

const HOT: u64 = 1 << 63;

impl KeyId {
    /// Key number `n` of the hot slot.
    pub fn hot(n: u64) -> Self {
        Self(n | HOT)
    }

    pub fn is_hot(self) -> bool {
        self.0 & HOT != 0
    }

    /// The number within its range.
    pub fn number(self) -> u64 {
        self.0 & !HOT
    }
}

/// How the keys of one workload are spelled.
#[derive(Debug)]
pub struct KeyFormat {
    size: usize,
    per_tag: Option<u64>,
    /// Where the digits of a key, or of its tag, lie.
    digits_at: usize,
    digits_end: usize,
    /// Where the digits of the member lie; empty for plain keys.
    member_at: usize,
    /// The characters behind the digits choose the slot.
    even: bool,
    template: Vec<u8>,
    checksum: DigitChecksum,
    hot: Option<Hot>,
    /// Lengths beyond `size`, which letters behind the key make up.
    sizes: Option<KeySizes>,
}

/// The checksum of a text in which only some digits change, without writing the text.
///
/// A CRC that starts at zero is linear: the checksum of two texts of the same length, one laid over the other by
/// exclusive or, is that of one laid over that of the other. So each pair of digits contributes from its place what a
/// table says, and the rest of the text is a constant.
#[derive(Debug)]
struct DigitChecksum {
    /// Of the text with zeros for digits.
    base: u16,
    /// What each pair of digits changes, the last pair first.
    pairs: Vec<[u16; 100]>,
}

impl DigitChecksum {
    /// `text` has its digits, all zero, at `digits`.
    fn new(text: &[u8], digits: std::ops::Range<usize>) -> Self {
        let pairs = (0..digits.len().div_ceil(2)).map(|pair| {
            let mut changes = [0; 100];
            for (n, change) in (0u64..).zip(&mut changes) {
                let mut overlay = vec![0; text.len()];
                let written = &mut overlay[digits.start..digits.end - 2 * pair];
                digits::write(n, written);
                written.iter_mut().for_each(|digit| *digit ^= b'0');
                *change = crc16(&overlay);
            }
            changes
        });
        Self {
            base: crc16(text),
            pairs: pairs.collect(),
        }
    }

    /// The slot of the text with the digits of `n`.
    #[inline]
    fn slot(&self, mut n: u64) -> Slot {
        let mut checksum = self.base;
        for changes in &self.pairs {
            checksum ^= changes[(n % 100) as usize];
            n /= 100;
        }
        checksum % SLOT_COUNT as u16
    }
}

#[derive(Debug)]
struct Hot {
    slot: Slot,
    digits_at: usize,
    template: Vec<u8>,
}

/// More digits than a u64 has say nothing.
const MAX_DIGITS: usize = 20;

impl KeyFormat {
    /// The shortest `key_size` that can spell all keys of a workload.
    pub fn smallest_size(keyspace: &Keyspace, traffic: &Traffic) -> u32 {
        let suffix = match keyspace.spread {
            Spread::Hash => 0,
            Spread::Even => SUFFIX_SIZE,
        };
        let cold = match keyspace.keys_per_tag {
            None => digits::width(keyspace.keys - 1),
            Some(per_tag) => {
                let per_tag = u64::from(per_tag.max(1));
                3 + digits::width((keyspace.keys / per_tag).max(1) - 1) + digits::width(per_tag - 1)
            }
        };
        let hot = match traffic {
            Traffic::Hotslot { keys, .. } => 3 + MAX_TAG_SIZE + digits::width(keys.max(&1) - 1),
            _ => 0,
        };
        (cold + suffix).max(hot) as u32
    }

    pub(crate) fn new(keyspace: &Keyspace, traffic: &Traffic) -> Self {
        let size = keyspace.key_size as usize;
        let mut template = vec![b'0'; size];
        let even = keyspace.spread == Spread::Even;
        let suffix = if even { SUFFIX_SIZE } else { 0 };
        let (start, hashed_end, member_at) = match keyspace.keys_per_tag {
            None => {
                let prefix = "key:".len().min(size - suffix - digits::width(keyspace.keys - 1));
                template[..prefix].copy_from_slice(&b"key:"[..prefix]);
                (prefix, size, size)
            }
            Some(per_tag) => {
                let member_at = size - digits::width(u64::from(per_tag) - 1);
                template[0] = b'{';
                template[member_at - 2..member_at].copy_from_slice(b"}:");
                (1, member_at - 2, member_at)
            }
        };
        let hot = match *traffic {
            Traffic::Hotslot { slot, .. } => Some(Hot::new(slot, size)),
            _ => None,
        };
        let digits_end = hashed_end - suffix;
        template[digits_end..hashed_end].copy_from_slice(&NEUTRAL[..suffix]);
        let digits_at = start.max(digits_end.saturating_sub(MAX_DIGITS));
        // Of a key with a hash tag the tag alone is hashed: what is between its braces.
        let hashed = if keyspace.keys_per_tag.is_some() {
            start..hashed_end
        } else {
            0..size
        };
        let digits = digits_at - hashed.start..digits_end - hashed.start;
        let checksum = DigitChecksum::new(&template[hashed], digits);
        Self {
            size,
            per_tag: keyspace.keys_per_tag.map(u64::from),
            digits_at,
            digits_end,
            member_at,
            even,
            template,
            checksum,
            hot,
            sizes: keyspace.key_sizes,
        }
    }

    /// Length of every key in bytes, or of the shortest.
    #[inline]
    pub fn size(&self) -> usize {
        self.size
    }

    /// What all keys of the keyspace have in common: their text with zeros for digits.
    pub(crate) fn template(&self) -> &[u8] {
        &self.template
    }

    /// Writes a key over the template, or over another key of the keyspace.
    #[inline]
    pub(crate) fn write(&self, key: KeyId, out: &mut [u8]) {
        match &self.hot {
            Some(hot) if key.is_hot() => {
                out.copy_from_slice(&hot.template);
                digits::write(key.number(), &mut out[hot.digits_at..]);
            }
            _ => {
                let unit = self.unit(key);
                digits::write(unit, &mut out[self.digits_at..self.digits_end]);
                if self.even {
                    let change = even::slot_of_unit(unit) ^ self.checksum.slot(unit);
                    out[self.digits_end..self.digits_end + SUFFIX_SIZE]
                        .copy_from_slice(&even::suffix(change));
                }
                if let Some(per_tag) = self.per_tag {
                    digits::write(key.0 % per_tag, &mut out[self.member_at..]);
                }
            }
        }
    }

    /// What the digits that are hashed say: the number of the key, or of its tag.
    #[inline]
    fn unit(&self, key: KeyId) -> u64 {
        match self.per_tag {
            None => key.0,
            Some(per_tag) => key.0 / per_tag,
        }
    }

    /// The key as bytes of its own.
    pub fn bytes(&self, key: KeyId) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size);
        self.append(key, &mut out);
        out
    }

    /// Appends the key, which may be longer than [`KeyFormat::size`].
    pub(crate) fn append(&self, key: KeyId, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.template);
        self.write(key, &mut out[start..]);
        if self.sizes.is_some() {
            out.resize(start + self.length(key), PADDING);
        }
    }

    /// Whether all keys have the same length.
    pub(crate) fn is_fixed(&self) -> bool {
        self.sizes.is_none()
    }

    /// Whether the key has a hash tag of its own.
    pub(crate) fn has_tag(&self, key: KeyId) -> bool {
        self.per_tag.is_some() || key.is_hot()
    }

    /// The length of a key, which its number decides.
    fn length(&self, key: KeyId) -> usize {
        let longer = self
            .sizes
            .map(|sizes| sizes.at(unit(mix(key.0 ^ LENGTHS))) as usize);
        longer.unwrap_or(self.size).max(self.size)
    }

    /// The slot that the key lies in.
    #[inline]
    pub fn slot(&self, key: KeyId) -> Slot {
        if self.sizes.is_some() && !self.has_tag(key) {
            return self.slot_of_long(key);
        }
        match &self.hot {
            Some(hot) if key.is_hot() => hot.slot,
            _ if self.even => even::slot_of_unit(self.unit(key)),
            _ => self.checksum.slot(self.unit(key)),
        }
    }

    /// The slot of a key that is hashed with the letters behind it.
    fn slot_of_long(&self, key: KeyId) -> Slot {
        let mut text = [PADDING; MAX_KEY_SIZE as usize];
        text[..self.size].copy_from_slice(&self.template);
        self.write(key, &mut text[..self.size]);
        crc16(&text[..self.length(key)]) % SLOT_COUNT as u16
    }
}

impl Hot {
    fn new(slot: Slot, size: usize) -> Self {
        let tag = tag_of_slot(slot);
        let mut template = vec![b'0'; size];
        template[0] = b'{';
        template[1..=tag.len()].copy_from_slice(tag);
        template[tag.len() + 1..tag.len() + 3].copy_from_slice(b"}:");
        let digits_at = (tag.len() + 3).max(size.saturating_sub(MAX_DIGITS));
        Self {
            slot,
            digits_at,
            template,
        }
    }
}

#[cfg(test)]
mod tests {
    use slotcore::slot_of;

    use super::*;

    fn text(format: &KeyFormat, key: KeyId) -> String {
        String::from_utf8(format.bytes(key)).unwrap()
    }

    fn keyspace(keys: u64, key_size: u32, keys_per_tag: Option<u32>) -> Keyspace {
        Keyspace {
            keys,
            key_size,
            key_sizes: None,
            keys_per_tag,
            spread: Spread::Hash,
            stored: true,
        }
    }

    #[test]
    fn longer_keys_begin_as_the_others_and_lie_where_they_are_hashed() {
        let sizes = KeySizes {
            location: 30.0,
            scale: 8.0,
            shape: 0.1,
            min: 12,
            max: 90,
        };
        for per_tag in [None, Some(5)] {
            let same = keyspace(1000, 12, per_tag);
            let spec = Keyspace {
                key_sizes: Some(sizes),
                ..same.clone()
            };
            let (same, format) = (
                KeyFormat::new(&same, &Traffic::Uniform),
                KeyFormat::new(&spec, &Traffic::Uniform),
            );
            let mut lengths = std::collections::BTreeSet::new();
            for key in (0..1000).map(KeyId) {
                let bytes = format.bytes(key);
                assert!(bytes.starts_with(&same.bytes(key)) && bytes.len() <= 90);
                assert_eq!(format.slot(key), slotcore::slot_of(&bytes));
                lengths.insert(bytes.len());
            }
            assert!(lengths.len() > 20, "{lengths:?}");
        }
    }

    #[test]
    fn slots_are_those_of_the_text() {
        let mut checked = 0;
        for (keys, size, per_tag) in [
            (10, 1, None),
            (1_000_000, 16, None),
            (1000, 4, None),
            (7000, 33, None),
            (70_000, 17, Some(7)),
            (100, 1000, Some(10)),
        ] {
            for spread in [Spread::Hash, Spread::Even] {
                let keyspace = Keyspace {
                    spread,
                    key_size: size + if spread == Spread::Even { 4 } else { 0 },
                    ..keyspace(keys, size, per_tag)
                };
                let format = KeyFormat::new(&keyspace, &Traffic::Uniform);
                for n in (0..keys).step_by(keys as usize / 10).chain([keys - 1]) {
                    let bytes = format.bytes(KeyId(n));
                    assert_eq!(format.slot(KeyId(n)), slot_of(&bytes), "key {n} of {keyspace:?}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 100);
    }

    #[test]
    fn plain_keys() {
        let format = KeyFormat::new(&keyspace(1_000_000, 16, None), &Traffic::Uniform);
        assert_eq!(text(&format, KeyId(1234)), "key:000000001234");
        assert_eq!(format.slot(KeyId(1234)), slot_of(b"key:000000001234"));
        let long = KeyFormat::new(&keyspace(1_000_000, 40, None), &Traffic::Uniform);
        assert_eq!(text(&long, KeyId(7)), format!("key:{:036}", 7));
        let short = KeyFormat::new(&keyspace(1000, 4, None), &Traffic::Uniform);
        assert_eq!(text(&short, KeyId(999)), "k999");
        let bare = KeyFormat::new(&keyspace(10, 1, None), &Traffic::Uniform);
        assert_eq!(text(&bare, KeyId(9)), "9");
    }

    #[test]
    fn even_keys_end_in_what_chooses_their_slot() {
        let keyspace = Keyspace {
            spread: Spread::Even,
            ..keyspace(1_000_000, 16, None)
        };
        let format = KeyFormat::new(&keyspace, &Traffic::Uniform);
        assert_eq!(text(&format, KeyId(1234)), "key:00001234o850");
    }

    #[test]
    fn even_keys_fill_the_slots_alike_and_differ() {
        for per_tag in [None, Some(5)] {
            let units = 3 * SLOT_COUNT as u64;
            let keys = units * u64::from(per_tag.unwrap_or(1));
            let keyspace = Keyspace {
                spread: Spread::Even,
                ..keyspace(keys, 16, per_tag)
            };
            let format = KeyFormat::new(&keyspace, &Traffic::Uniform);
            let mut counts = vec![0; SLOT_COUNT];
            let mut texts = std::collections::HashSet::new();
            for n in 0..keys {
                let bytes = format.bytes(KeyId(n));
                counts[usize::from(slot_of(&bytes))] += 1;
                texts.insert(bytes);
            }
            assert!(counts.iter().all(|&count| count == keys / SLOT_COUNT as u64));
            assert_eq!(texts.len() as u64, keys);
        }
    }

    #[test]
    fn keys_of_one_tag_share_a_slot() {
        let format = KeyFormat::new(&keyspace(1_000_000, 16, Some(10)), &Traffic::Uniform);
        assert_eq!(text(&format, KeyId(1234)), "{000000000123}:4");
        for member in 1..10 {
            assert_eq!(format.slot(KeyId(1230)), format.slot(KeyId(1230 + member)));
        }
        assert_eq!(format.slot(KeyId(1230)), slot_of(b"000000000123"));
    }

    #[test]
    fn hot_keys_lie_in_their_slot_and_are_as_long_as_the_rest() {
        for slot in [0, 1, 7777, 16383] {
            let traffic = Traffic::Hotslot {
                share: 0.5,
                slot,
                keys: 1000,
            };
            let format = KeyFormat::new(&keyspace(1_000_000, 16, None), &traffic);
            for n in [0, 1, 999] {
                let bytes = format.bytes(KeyId::hot(n));
                assert_eq!(slot_of(&bytes), slot);
                assert_eq!(format.slot(KeyId::hot(n)), slot);
            }
            assert_ne!(format.bytes(KeyId::hot(1)), format.bytes(KeyId::hot(2)));
            assert_eq!(text(&format, KeyId(3)), "key:000000000003");
        }
    }

    #[test]
    fn smallest_sizes_are_enough_and_needed() {
        let traffic = Traffic::Hotslot {
            share: 0.5,
            slot: 5,
            keys: 1000,
        };
        for (keys, per_tag) in [(1_000_000, None), (1000, Some(10)), (1_000_000, Some(1000))] {
            for traffic in [&Traffic::Uniform, &traffic] {
                let size = KeyFormat::smallest_size(&keyspace(keys, 1, per_tag), traffic);
                let format = KeyFormat::new(&keyspace(keys, size, per_tag), traffic);
                assert_ne!(text(&format, KeyId(keys - 1)), text(&format, KeyId(0)));
                let all: std::collections::HashSet<_> =
                    (0..keys.min(2000)).map(|n| format.bytes(KeyId(n))).collect();
                assert_eq!(all.len() as u64, keys.min(2000));
            }
        }
    }
}

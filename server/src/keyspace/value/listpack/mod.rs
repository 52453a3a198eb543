//! A list of strings and integers in one block of bytes, in redis-server's layout:
//!
//! ```text
//! | total bytes: 4 | elements: 2 (0xffff: unknown) | element ... | 0xff |      little endian
//! element = | encoding and length: 1 to 5 | data | length of both before it: 1 to 5, readable backwards |
//! ```
//!
//! [`codec`] knows the element; this file the list.

mod codec;

use super::super::size_class;
pub use codec::Item;
use codec::{Encoded, decode, entry_end, entry_start};

const HEADER: usize = 6;
const END: u8 = 0xff;
/// The count of a list with more elements than it can say.
const UNKNOWN: u16 = u16::MAX;

/// The list. An offset names an element until the list changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listpack {
    bytes: Vec<u8>,
}

impl Default for Listpack {
    fn default() -> Self {
        Self {
            bytes: vec![7, 0, 0, 0, 0, 0, END],
        }
    }
}

impl Listpack {
    /// Takes bytes that an RDB holds; `None` if they are no listpack.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let total = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
        let count = u16::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
        if total != bytes.len() || total < HEADER + 1 || bytes[total - 1] != END {
            return None;
        }
        let (mut at, mut found) = (HEADER, 0_usize);
        while at < total - 1 {
            at = entry_end(&bytes[..total - 1], at)?;
            found += 1;
        }
        (count == UNKNOWN || usize::from(count) == found).then_some(Self { bytes })
    }

    /// The layout, as an RDB holds it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Elements. They are counted if the list cannot say.
    pub fn len(&self) -> usize {
        match u16::from_le_bytes([self.bytes[4], self.bytes[5]]) {
            UNKNOWN => self.iter().count(),
            count => usize::from(count),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes[HEADER] == END
    }

    /// Bytes allocated.
    pub fn footprint(&self) -> usize {
        size_class::round_up(self.bytes.capacity())
    }

    /// Offset of the first element.
    pub fn first(&self) -> Option<usize> {
        (!self.is_empty()).then_some(HEADER)
    }

    /// Offset of the last element.
    pub fn last(&self) -> Option<usize> {
        (!self.is_empty()).then(|| entry_start(&self.bytes, self.end()))
    }

    /// Offset of the element after the one at `at`.
    pub fn next(&self, at: usize) -> Option<usize> {
        let next = self.after(at);
        (next < self.end()).then_some(next)
    }

    /// Offset of the element before the one at `at`.
    pub fn previous(&self, at: usize) -> Option<usize> {
        (at > HEADER).then(|| entry_start(&self.bytes, at))
    }

    /// Offset of element number `index`, counted from whichever end is closer.
    pub fn seek(&self, index: usize) -> Option<usize> {
        let len = self.len();
        if index >= len {
            None
        } else if index <= len / 2 {
            (0..index).try_fold(self.first()?, |at, _| self.next(at))
        } else {
            (index + 1..len).try_fold(self.last()?, |at, _| self.previous(at))
        }
    }

    /// The element at `at`.
    pub fn get(&self, at: usize) -> Item<'_> {
        decode(&self.bytes, at).0
    }

    /// Elements with their offsets.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Item<'_>)> {
        self.forward(Some(HEADER))
    }

    /// The same from the one at `from` on; none if that is `None`.
    pub fn forward(&self, from: Option<usize>) -> impl Iterator<Item = (usize, Item<'_>)> {
        let mut at = from.unwrap_or(self.end());
        std::iter::from_fn(move || {
            (at < self.end()).then(|| {
                let (item, next) = decode(&self.bytes, at);
                (std::mem::replace(&mut at, next), item)
            })
        })
    }

    /// The same from the one at `from` to the first.
    pub fn backward(&self, from: Option<usize>) -> impl Iterator<Item = (usize, Item<'_>)> {
        std::iter::successors(from, |&at| self.previous(at)).map(|at| (at, self.get(at)))
    }

    /// Whether an offset where an element began before a removal there is that of an element now.
    pub fn is_element(&self, at: usize) -> bool {
        at < self.end()
    }

    /// Elements two by two: offset of the first, and both.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, Item<'_>, Item<'_>)> {
        let mut items = self.iter();
        std::iter::from_fn(move || {
            let (at, first) = items.next()?;
            let (_, second) = items.next()?;
            Some((at, first, second))
        })
    }

    /// Appends an element.
    pub fn push(&mut self, text: &[u8]) {
        self.insert(self.end(), text);
    }

    /// Inserts an element before the one at `at`, or at the end.
    pub fn insert(&mut self, at: usize, text: &[u8]) {
        let encoded = Encoded::new(text);
        self.splice(at, at, &encoded, text);
        self.count(1);
    }

    /// Puts another element in the place of the one at `at`.
    pub fn replace(&mut self, at: usize, text: &[u8]) {
        let encoded = Encoded::new(text);
        self.splice(at, self.after(at), &encoded, text);
    }

    /// Removes so many elements from `at` on.
    pub fn remove(&mut self, at: usize, count: usize) {
        let end = (0..count).fold(at, |at, _| self.after(at));
        self.bytes.drain(at..end);
        self.count(-(count as i64));
        self.write_total();
        if self.bytes.capacity() > 2 * self.bytes.len() {
            self.bytes.shrink_to(size_class::round_up(self.bytes.len()));
        }
    }

    /// Moves so many elements, all from the one at `at` on, to a list of their own.
    pub fn split_off(&mut self, at: usize, count: usize) -> Self {
        let mut rest = Self::default();
        rest.adopt(&self.bytes[at..self.end()], count);
        self.remove(at, count);
        rest
    }

    /// Appends the elements of another list.
    pub fn append(&mut self, other: &Self) {
        self.adopt(&other.bytes[HEADER..other.end()], other.len());
    }

    /// Appends elements as they are encoded.
    fn adopt(&mut self, encoded: &[u8], count: usize) {
        let wanted = self.bytes.len() + encoded.len();
        if wanted > self.bytes.capacity() {
            self.bytes
                .reserve_exact(size_class::round_up(wanted) - self.bytes.len());
        }
        self.bytes.pop();
        self.bytes.extend_from_slice(encoded);
        self.bytes.push(END);
        self.count(count as i64);
        self.write_total();
    }

    /// Whether the list stays within what its header can say when so many bytes of text are added.
    pub fn has_room_for(&self, bytes: usize) -> bool {
        /// The limit of redis-server, in bytes.
        const MAX: usize = 1 << 30;
        self.bytes.len() + bytes <= MAX
    }

    fn end(&self) -> usize {
        self.bytes.len() - 1
    }

    fn after(&self, at: usize) -> usize {
        decode(&self.bytes, at).1
    }

    fn splice(&mut self, from: usize, to: usize, encoded: &Encoded, text: &[u8]) {
        let (old, new) = (to - from, encoded.len());
        let behind = self.bytes.len() - to;
        if new > old {
            let wanted = self.bytes.len() + new - old;
            if wanted > self.bytes.capacity() {
                let capacity = size_class::round_up(wanted + wanted / 8);
                self.bytes.reserve_exact(capacity - self.bytes.len());
            }
            self.bytes.resize(wanted, 0);
        }
        self.bytes.copy_within(to..to + behind, from + new);
        self.bytes.truncate(from + new + behind);
        encoded.write(text, &mut self.bytes[from..from + new]);
        self.write_total();
    }

    fn count(&mut self, change: i64) {
        let known = u16::from_le_bytes([self.bytes[4], self.bytes[5]]);
        if known == UNKNOWN && change > 0 {
            // Stock leaves it at that, and a long list that grows would be counted again and again.
            return;
        }
        let count = if known == UNKNOWN {
            self.iter().count() as i64
        } else {
            i64::from(known) + change
        };
        let count = u16::try_from(count).unwrap_or(UNKNOWN);
        self.bytes[4..HEADER].copy_from_slice(&count.to_le_bytes());
    }

    fn write_total(&mut self) {
        let total = u32::try_from(self.bytes.len()).expect("callers ask has_room_for first");
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
    }
}

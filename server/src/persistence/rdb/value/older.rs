//! Forms of the time before 7.0, which are read and never written: ziplists, where listpacks are now, and zipmaps.
//!
//! ```text
//! ziplist = | bytes: 4 | offset of the last entry: 4 | entries: 2 (0xffff: unknown) | entry ... | 0xff |    little endian
//! entry   = | length of the one before: 1, or 0xfe and 4 | encoding and length: 1, 2 or 5 | text, or an integer |
//! zipmap  = | pairs: 1 (0xfe: unknown) | (length, name, length, unused: 1, value, unused bytes) ... | 0xff |
//! length  = | 1, or 0xfe and 4 |
//! ```
//!
//! All of it is checked, also what nobody needs to read it.

use super::super::error::RdbError;
use super::super::source::Source;
use super::kind;
use crate::keyspace::{Collection, Hash, Limits, List, Listpack, Side, SortedSet};

const HEADER: usize = 4 + 4 + 2;
const END: u8 = 0xff;
/// A length of more than one byte follows.
const LONG: u8 = 0xfe;
/// The count of a ziplist with more entries than it can say.
const UNKNOWN: usize = u16::MAX as usize;

pub(super) fn read(source: &mut Source<'_>, kind: u8, limits: &Limits) -> Result<Collection, RdbError> {
    if kind == kind::LIST_QUICKLIST {
        let mut list = List::default();
        for _ in 0..source.length()? {
            let pack = read_ziplist(source)?;
            if !pack.is_empty() {
                list.push_pack(pack, limits);
            }
        }
        return Ok(Collection::List(list));
    }
    if kind == kind::HASH_ZIPMAP {
        return Ok(Collection::Hash(read_zipmap(source, limits)?));
    }
    let pack = read_ziplist(source)?;
    let collection = match kind {
        kind::LIST_ZIPLIST => {
            let mut list = List::default();
            for (_, item) in pack.iter() {
                list.push(Side::Right, item.text(&mut itoa::Buffer::new()), limits);
            }
            Some(Collection::List(list))
        }
        kind::ZSET_ZIPLIST => SortedSet::from_listpack(pack, limits).map(Collection::SortedSet),
        _ => Hash::from_listpack(pack, limits).map(Collection::Hash),
    };
    collection.ok_or_else(|| source.damaged("the pairs of a ziplist"))
}

fn read_ziplist(source: &mut Source<'_>) -> Result<Listpack, RdbError> {
    let mut bytes = Vec::new();
    source.string(&mut bytes)?;
    ziplist(&bytes).ok_or_else(|| source.damaged("a ziplist"))
}

/// The entries of a ziplist; `None` if it is none.
fn ziplist(bytes: &[u8]) -> Option<Listpack> {
    let (header, _) = bytes.split_first_chunk::<HEADER>()?;
    let total = u32::from_le_bytes(*header.first_chunk()?) as usize;
    let last = u32::from_le_bytes(*header[4..].first_chunk()?) as usize;
    let count = usize::from(u16::from_le_bytes([header[8], header[9]]));
    let entries = bytes.get(..bytes.len() - 1)?;
    if total != bytes.len() || bytes.len() <= HEADER || *bytes.last()? != END {
        return None;
    }
    let mut pack = Listpack::default();
    let (mut at, mut before, mut found, mut last_at) = (HEADER, 0, 0, HEADER);
    while at < entries.len() {
        let (length_before, rest) = length(&entries[at..])?;
        let (size, mut text) = entry(rest)?;
        let whole = entries.len() - at - rest.len() + size;
        if length_before != before || !pack.has_room_for(text.len()) {
            return None;
        }
        pack.push(text.bytes());
        (last_at, before) = (at, whole);
        at += whole;
        found += 1;
    }
    (last == last_at && (count == UNKNOWN || count == found)).then_some(pack)
}

/// What an entry holds.
enum Value<'a> {
    Text(&'a [u8]),
    Int(itoa::Buffer, i64),
}

impl Value<'_> {
    fn bytes(&mut self) -> &[u8] {
        match self {
            Self::Text(text) => text,
            Self::Int(buffer, number) => buffer.format(*number).as_bytes(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Int(..) => 20,
        }
    }
}

/// An entry from its encoding on: its bytes, and what it holds.
fn entry(bytes: &[u8]) -> Option<(usize, Value<'_>)> {
    let first = *bytes.first()?;
    let text = |head: usize, len: usize| {
        let end = head.checked_add(len)?;
        Some((end, Value::Text(bytes.get(head..end)?)))
    };
    let integer = |len: usize| {
        let mut wide = [0; 8];
        wide[..len].copy_from_slice(bytes.get(1..=len)?);
        let shift = 64 - 8 * len as u32;
        let number = i64::from_le_bytes(wide) << shift >> shift;
        Some((1 + len, Value::Int(itoa::Buffer::new(), number)))
    };
    match first {
        0..0x40 => text(1, usize::from(first)),
        0x40..0x80 => text(2, usize::from(first & 0x3f) << 8 | usize::from(*bytes.get(1)?)),
        0x80..0xc0 => text(5, u32::from_be_bytes(*bytes.get(1..)?.first_chunk()?) as usize),
        0xc0 => integer(2),
        0xd0 => integer(4),
        0xe0 => integer(8),
        0xf0 => integer(3),
        0xfe => integer(1),
        0xf1..=0xfd => {
            let number = i64::from(first & 0x0f) - 1;
            Some((1, Value::Int(itoa::Buffer::new(), number)))
        }
        _ => None,
    }
}

/// A length, and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes.split_first()? {
        (&END, _) => None,
        (&LONG, rest) => {
            let (len, rest) = rest.split_first_chunk()?;
            Some((u32::from_le_bytes(*len) as usize, rest))
        }
        (len, rest) => Some((usize::from(*len), rest)),
    }
}

fn read_zipmap(source: &mut Source<'_>, limits: &Limits) -> Result<Hash, RdbError> {
    let mut bytes = Vec::new();
    source.string(&mut bytes)?;
    zipmap(&bytes, limits).ok_or_else(|| source.damaged("a zipmap"))
}

fn zipmap(bytes: &[u8], limits: &Limits) -> Option<Hash> {
    let (&count, rest) = bytes.split_first()?;
    let (&END, mut rest) = rest.split_last()? else {
        return None;
    };
    let (mut hash, mut found) = (Hash::default(), 0_usize);
    while !rest.is_empty() {
        let (len, behind) = length(rest)?;
        let (name, behind) = behind.split_at_checked(len)?;
        let (len, behind) = length(behind)?;
        let (unused, behind) = behind.split_first()?;
        let (value, behind) = behind.split_at_checked(len)?;
        rest = behind.get(usize::from(*unused)..)?;
        found += 1;
        if !hash.set(name, value, limits) {
            return None;
        }
    }
    (count >= LONG || usize::from(count) == found).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_ziplist_is_read() {
        // "2", "5", "hello", -1000, as the format's description has them.
        let bytes = b"\x1a\0\0\0\x15\0\0\0\x04\0\0\xf3\x02\xf6\x02\x05hello\x07\xc0\x18\xfc\xff";
        let mut whole = bytes.to_vec();
        whole[0] = whole.len() as u8;
        let pack = ziplist(&whole).expect("it is sound");
        let texts: Vec<Vec<u8>> = pack
            .iter()
            .map(|(_, item)| item.text(&mut itoa::Buffer::new()).to_vec())
            .collect();
        assert_eq!(texts, [&b"2"[..], b"5", b"hello", b"-1000"]);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x80;
            let _ = ziplist(&changed);
            assert!(ziplist(&whole[..at]).is_none());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(mut bytes in prop::collection::vec(prop_oneof![0u8..6, any::<u8>()], 0..80)) {
            let _ = zipmap(&bytes, &Limits::default());
            bytes.push(END);
            let _ = zipmap(&bytes, &Limits::default());
            let total = (bytes.len() + 4) as u32;
            let whole = [&total.to_le_bytes()[..], &bytes].concat();
            let _ = ziplist(&whole);
        }
    }
}

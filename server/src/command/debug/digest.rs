//! DEBUG DIGEST and DIGEST-VALUE: fingerprints of data that are equal on any server of the family with equal data.

use sha1::{Digest as _, Sha1};
use slotcore::resp::format_double;

use crate::keyspace::{Collection, Entry, StreamId, ValueRef};

/// A fingerprint.
pub type Digest = [u8; 20];

/// Marks a key that expires.
const EXPIRES: &[u8] = b"!!expire!!";
/// The number of the type "string".
const STRING: u32 = 0;
/// The number of the type "list".
const LIST: u32 = 1;
/// The number of the type "set".
const SET: u32 = 2;
/// The number of the type "sorted set".
const SORTED_SET: u32 = 3;
/// The number of the type "hash".
const HASH: u32 = 4;
/// The number of the type "stream".
const STREAM: u32 = 6;

/// Folds bytes in so that their order does not matter.
pub fn add(digest: &mut Digest, bytes: &[u8]) {
    digest
        .iter_mut()
        .zip(Sha1::digest(bytes))
        .for_each(|(sum, byte)| *sum ^= byte);
}

/// Folds bytes in so that their order matters.
pub fn mix(digest: &mut Digest, bytes: &[u8]) {
    add(digest, bytes);
    *digest = Sha1::digest(*digest).into();
}

/// The fingerprint of a value on top of what `digest` holds.
pub fn mix_value(digest: &mut Digest, entry: Entry<'_>) {
    match entry.value() {
        ValueRef::Str(text) => {
            mix(digest, &STRING.to_be_bytes());
            mix(digest, text);
        }
        ValueRef::Collection(collection) => mix_collection(digest, collection),
    }
    if entry.expiry().is_some() {
        add(digest, EXPIRES);
    }
}

fn mix_collection(digest: &mut Digest, collection: &Collection) {
    match collection {
        Collection::Hash(hash) => {
            mix(digest, &HASH.to_be_bytes());
            hash.for_each(&mut |field, value| {
                let mut pair = Digest::default();
                mix(&mut pair, field);
                mix(&mut pair, value);
                add(digest, &pair);
            });
        }
        Collection::Set(set) => {
            mix(digest, &SET.to_be_bytes());
            set.iter()
                .for_each(|member| add(digest, member.text(&mut itoa::Buffer::new())));
        }
        Collection::List(list) => {
            mix(digest, &LIST.to_be_bytes());
            list.iter()
                .for_each(|element| mix(digest, element.text(&mut itoa::Buffer::new())));
        }
        Collection::SortedSet(set) => {
            mix(digest, &SORTED_SET.to_be_bytes());
            set.for_each(&mut |member, score| {
                let mut pair = Digest::default();
                mix(&mut pair, member);
                mix(&mut pair, format_double(score).as_bytes());
                add(digest, &pair);
            });
        }
        // Its groups are none of it.
        Collection::Stream(stream) => {
            mix(digest, &STREAM.to_be_bytes());
            for entry in stream.entries().range(StreamId::MIN, StreamId::MAX) {
                mix(digest, format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
                for (name, value) in entry.pairs() {
                    mix(digest, name.text(&mut itoa::Buffer::new()));
                    mix(digest, value.text(&mut itoa::Buffer::new()));
                }
            }
        }
    }
}

/// As text.
pub fn hex(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_stocks_fingerprint() {
        let mut digest = Digest::default();
        mix(&mut digest, &STRING.to_be_bytes());
        mix(&mut digest, &[b'x'; 300]);
        assert_eq!(hex(&digest), "5b5ddd94ac991d9d6c62716e23b8d3143abbae7d");
    }
}

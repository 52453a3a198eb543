//! DEBUG DIGEST and DIGEST-VALUE: fingerprints of data that are equal on any server of the family with equal data.

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
        .zip(sha1(bytes))
        .for_each(|(sum, byte)| *sum ^= byte);
}

/// Folds bytes in so that their order matters.
pub fn mix(digest: &mut Digest, bytes: &[u8]) {
    add(digest, bytes);
    *digest = sha1(digest);
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

/// SHA-1, FIPS 180-4 section 6.1.
fn sha1(bytes: &[u8]) -> Digest {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut blocks = bytes.chunks_exact(64);
    for block in &mut blocks {
        compress(&mut state, block);
    }
    // The rest, a one bit, zeros, and the length in bits fill one block or two.
    let mut last = blocks.remainder().to_vec();
    last.push(0x80);
    while last.len() % 64 != 56 {
        last.push(0);
    }
    last.extend_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    last.chunks_exact(64)
        .for_each(|block| compress(&mut state, block));
    let mut digest = Digest::default();
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

fn compress(state: &mut [u32; 5], block: &[u8]) {
    let mut words = [0u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for t in 16..80 {
        words[t] = (words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16]).rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (t, word) in words.into_iter().enumerate() {
        let (mixed, constant) = match t / 20 {
            0 => ((b & c) | (!b & d), 0x5a82_7999),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next = a
            .rotate_left(5)
            .wrapping_add(mixed)
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    for (sum, value) in state.iter_mut().zip([a, b, c, d, e]) {
        *sum = sum.wrapping_add(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha1_of_known_texts() {
        for (text, digest) in [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            ),
        ] {
            assert_eq!(hex(&sha1(text.as_bytes())), digest);
        }
        assert_eq!(
            hex(&sha1(&[b'a'; 1_000_000])),
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f"
        );
    }

    #[test]
    fn a_value_has_stocks_fingerprint() {
        let mut digest = Digest::default();
        mix(&mut digest, &STRING.to_be_bytes());
        mix(&mut digest, &[b'x'; 300]);
        assert_eq!(hex(&digest), "5b5ddd94ac991d9d6c62716e23b8d3143abbae7d");
    }
}

//! For each slot the shortest text that hashes to it.
//!
//! A key that must lie in a given slot carries such a text as its hash tag: `{tag}...`. The table is computed on first
//! use, in about the time of a hundred thousand hashes, rather than stored.

use std::sync::OnceLock;

use slotcore::{SLOT_COUNT, Slot, slot_of};

/// No slot needs a longer tag.
pub const MAX_TAG_SIZE: usize = 4;

const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

type Tag = [u8; MAX_TAG_SIZE];

/// The first of the shortest tags, in the order of digits and then letters, that lies in `slot`.
///
/// # Panics
/// If `slot` is not below [`SLOT_COUNT`].
pub fn tag_of_slot(slot: Slot) -> &'static [u8] {
    static TAGS: OnceLock<Box<[Tag]>> = OnceLock::new();
    let tag = &TAGS.get_or_init(compute)[usize::from(slot)];
    let len = tag.iter().position(|&byte| byte == 0).unwrap_or(MAX_TAG_SIZE);
    &tag[..len]
}

fn compute() -> Box<[Tag]> {
    let mut tags = vec![Tag::default(); SLOT_COUNT].into_boxed_slice();
    let mut missing = SLOT_COUNT;
    for len in 1..=MAX_TAG_SIZE {
        for number in 0..ALPHABET.len().pow(len as u32) {
            let tag = spell(number, len);
            let place = &mut tags[usize::from(slot_of(&tag[..len]))];
            if place[0] == 0 {
                *place = tag;
                missing -= 1;
                if missing == 0 {
                    return tags;
                }
            }
        }
    }
    unreachable!("texts of {MAX_TAG_SIZE} characters reach every slot")
}

fn spell(mut number: usize, len: usize) -> Tag {
    let mut tag = Tag::default();
    for byte in tag[..len].iter_mut().rev() {
        *byte = ALPHABET[number % ALPHABET.len()];
        number /= ALPHABET.len();
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_a_tag_that_lies_in_it() {
        for slot in 0..SLOT_COUNT as Slot {
            let tag = tag_of_slot(slot);
            assert!(!tag.is_empty());
            let key = [b"{", tag, b"}:0001"].concat();
            assert_eq!(slot_of(&key), slot);
        }
    }

    #[test]
    fn no_shorter_tag_would_do() {
        for &byte in ALPHABET {
            assert_eq!(tag_of_slot(slot_of(&[byte])).len(), 1);
        }
        assert_eq!(tag_of_slot(slot_of(b"zz")).len().max(2), 2);
    }
}

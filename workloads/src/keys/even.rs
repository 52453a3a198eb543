//! Keys that lie in a slot of our choice, so that every slot gets as many as any other.
//!
//! Keys that are merely numbered fall into the slots as dice do: of a million, a slot has 61, give or take 8. Uniform
//! traffic over them is uniform over keys and not over slots. A key may instead end in four characters chosen so that
//! all of it, hashed whole, lies in the wanted slot. Which four that are is one look-up: a CRC is linear, so what a
//! change of the last characters does to the slot does not depend on what stands before them.

use std::sync::OnceLock;

use slotcore::slot::crc16;
use slotcore::{SLOT_COUNT, Slot};

/// How many characters it takes.
pub(super) const SUFFIX_SIZE: usize = 4;

/// The suffix in the template of a key: the one that changes nothing.
pub(super) const NEUTRAL: [u8; SUFFIX_SIZE] = [b'0'; SUFFIX_SIZE];

const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The slot of unit number `n` (a key, or a hash tag). Any 16384 units in a row have a slot each, and units that follow
/// each other lie far apart: the factor is odd, and near 2^14 times the golden ratio.
#[inline]
pub(super) fn slot_of_unit(n: u64) -> Slot {
    (n.wrapping_mul(26_509) % SLOT_COUNT as u64) as Slot
}

/// The characters that change a slot by exclusive or with `change` when they stand for [`NEUTRAL`].
#[inline]
pub(super) fn suffix(change: Slot) -> [u8; SUFFIX_SIZE] {
    static SUFFIXES: OnceLock<Box<[[u8; SUFFIX_SIZE]]>> = OnceLock::new();
    SUFFIXES.get_or_init(compute)[usize::from(change) % SLOT_COUNT]
}

fn compute() -> Box<[[u8; SUFFIX_SIZE]]> {
    let mut suffixes = vec![[0; SUFFIX_SIZE]; SLOT_COUNT].into_boxed_slice();
    let mut missing = SLOT_COUNT;
    for number in 0..ALPHABET.len().pow(SUFFIX_SIZE as u32) {
        let mut left = number;
        let text: [u8; SUFFIX_SIZE] = std::array::from_fn(|_| {
            let letter = ALPHABET[left % ALPHABET.len()];
            left /= ALPHABET.len();
            letter
        });
        let overlay: [u8; SUFFIX_SIZE] = std::array::from_fn(|at| text[at] ^ NEUTRAL[at]);
        let place = &mut suffixes[usize::from(crc16(&overlay)) % SLOT_COUNT];
        if place[0] == 0 {
            *place = text;
            missing -= 1;
            if missing == 0 {
                return suffixes;
            }
        }
    }
    unreachable!("four letters and digits make every change of a slot")
}

#[cfg(test)]
mod tests {
    use slotcore::slot_of;

    use super::*;

    #[test]
    fn a_suffix_makes_any_change_to_any_text() {
        for text in ["", "key:000000000123", "x"] {
            let neutral = slot_of(&[text.as_bytes(), &NEUTRAL].concat());
            for change in 0..SLOT_COUNT as Slot {
                let key = [text.as_bytes(), &suffix(change)].concat();
                assert_eq!(slot_of(&key), neutral ^ change);
            }
        }
        assert_eq!(suffix(0), NEUTRAL);
    }

    #[test]
    fn units_in_a_row_have_a_slot_each_and_keep_apart() {
        for start in [0, 1_000_000] {
            let slots: std::collections::HashSet<Slot> =
                (start..start + SLOT_COUNT as u64).map(slot_of_unit).collect();
            assert_eq!(slots.len(), SLOT_COUNT);
        }
        // The first hundred units leave no third of the slots, a node of three, with much more or less than its share.
        let first = (0..100)
            .filter(|&n| slot_of_unit(n) < SLOT_COUNT as Slot / 3)
            .count();
        assert!((32..=35).contains(&first), "{first}");
    }
}

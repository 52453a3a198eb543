//! Checksum and hash tag are those of the reference and of the specification's text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotcore::slot::{crc16, hash_tag, slot_of};

fn hash_tag_by_the_book(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|&byte| byte == b'{') else {
        return key;
    };
    match key[open + 1..].iter().position(|&byte| byte == b'}') {
        Some(len) if len > 0 => &key[open + 1..][..len],
        _ => key,
    }
}

fuzz_target!(|key: &[u8]| {
    let reference = crc16::State::<crc16::XMODEM>::calculate;
    assert_eq!(crc16(key), reference(key));
    assert_eq!(hash_tag(key), hash_tag_by_the_book(key));
    assert_eq!(slot_of(key), reference(hash_tag_by_the_book(key)) % 16384);
});

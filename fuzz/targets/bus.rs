//! Messages of the cluster bus: what is read from one is, written again, read as the same; no part of one is another.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotmark_server::cluster::bus::codec::{HEADER_LEN, decode, encode, frame_len};

/// Where the bytes of a header lie that are not slots, which are any.
const SLOTS: std::ops::Range<usize> = 80..2128;

/// A frame whose header lacks nothing but what `input` puts in: the bytes around the slots come first, then the body.
fn framed(input: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; HEADER_LEN];
    frame[40..80].copy_from_slice(&[b'a'; 40]);
    let places = (0..HEADER_LEN).filter(|place| !SLOTS.contains(place));
    for (place, byte) in places.zip(input) {
        frame[place] ^= byte;
    }
    frame.extend_from_slice(input.get(HEADER_LEN - SLOTS.len()..).unwrap_or_default());
    frame[..4].copy_from_slice(b"RCmb");
    frame[8..10].copy_from_slice(&[0, 1]);
    with_len(frame)
}

fn with_len(mut frame: Vec<u8>) -> Vec<u8> {
    let len = frame.len() as u32;
    frame[4..8].copy_from_slice(&len.to_be_bytes());
    frame
}

fn check(frame: &[u8]) {
    let Ok(Some(message)) = decode(frame) else { return };
    assert_eq!(frame_len(frame), Ok(Some(frame.len())));
    let mut written = Vec::new();
    encode(&message, &mut written);
    assert_eq!(decode(&written).as_ref(), Ok(&Some(message)));
    for shorter in [HEADER_LEN, frame.len() - 1] {
        if shorter >= 8 && shorter < frame.len() {
            assert!(decode(&frame[..shorter]).is_err());
            assert!(decode(&with_len(frame[..shorter].to_vec())).is_err());
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let _ = frame_len(input);
    check(input);
    check(&framed(input));
});

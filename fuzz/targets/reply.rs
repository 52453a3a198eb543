//! The scanner, whole or piecewise, and the tree parser agree on every reply and every error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotcore::resp::{ReplyError, ReplyLimits, ReplyScanner, parse_reply};

const LIMITS: ReplyLimits = ReplyLimits {
    max_bulk_len: 1 << 20,
    max_elements: 1 << 20,
};

/// The end of each reply, and the error that the last one was.
type Outcome = (Vec<usize>, Option<ReplyError>);

fn parse_all(stream: &[u8]) -> Outcome {
    let (mut at, mut ends) = (0, Vec::new());
    loop {
        match parse_reply(&stream[at..], &LIMITS) {
            Ok(Some((_, consumed))) => at += consumed,
            Ok(None) => return (ends, None),
            Err(error) => return (ends, Some(error)),
        }
        ends.push(at);
    }
}

fn scan_all(stream: &[u8], piece: usize) -> Outcome {
    let mut scanner = ReplyScanner::with_limits(LIMITS);
    let (mut at, mut arrived, mut ends) = (0, 0, Vec::new());
    while arrived < stream.len() {
        arrived = arrived.saturating_add(piece).min(stream.len());
        loop {
            match scanner.scan(&stream[at..arrived]) {
                Ok(Some(scanned)) => at += scanned.consumed,
                Ok(None) => break,
                Err(error) => return (ends, Some(error)),
            }
            ends.push(at);
        }
    }
    (ends, None)
}

fuzz_target!(|input: &[u8]| {
    let [choice, stream @ ..] = input else { return };
    let tree = parse_all(stream);
    assert_eq!(scan_all(stream, usize::MAX), tree);
    assert_eq!(scan_all(stream, 1 + usize::from(*choice) % 40), tree);
});

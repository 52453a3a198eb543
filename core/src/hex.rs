//! Bytes as hexadecimal digits, as ids, hashes and digests are written.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Two lowercase digits for each byte. `N` is twice as many as there are bytes; fewer show only the first of them.
pub fn encode<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut digits = [b'0'; N];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [byte >> 4, byte & 15].map(|nibble| DIGITS[usize::from(nibble)]);
    }
    digits
}

/// Whether all of them are such digits.
pub fn is_hex(digits: &[u8]) -> bool {
    digits.iter().all(|digit| DIGITS.contains(digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_spelled_and_known_again() {
        assert_eq!(encode(&[0x00, 0x9a, 0xf7]), *b"009af7");
        assert!(is_hex(b"0123456789abcdef") && !is_hex(b"0A") && !is_hex(b"g"));
    }
}

//! The names of scripts.

use sha1::{Digest, Sha1};
use slotcore::hex;

/// The SHA-1 of `text` as forty lowercase hexadecimal digits.
pub fn sha1_hex(text: &[u8]) -> [u8; 40] {
    hex::encode(&Sha1::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_one_that_stock_gives() {
        assert_eq!(
            sha1_hex(b"return 1"),
            *b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db"
        );
        assert_eq!(sha1_hex(b""), *b"da39a3ee5e6b4b0d3255bfef95601890afd80709");
    }
}

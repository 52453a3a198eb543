//! Passwords are kept as the SHA-256 of what the client says, in hexadecimal digits.

use sha2::{Digest, Sha256};
use slotcore::hex;

use super::rule::RuleError;

/// The hash of a password: 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash([u8; 64]);

impl Hash {
    /// Of a password.
    pub fn of(password: &[u8]) -> Self {
        Self(hex::encode(&Sha256::digest(password)))
    }

    /// As it is written in rules.
    pub fn parse(text: &[u8]) -> Result<Self, RuleError> {
        let digits: [u8; 64] = text.try_into().map_err(|_| RuleError::BadHash)?;
        match hex::is_hex(&digits) {
            true => Ok(Self(digits)),
            false => Err(RuleError::BadHash),
        }
    }

    /// As it is shown.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether both are of the same password; takes the same time wherever they differ.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_what_redis_server_writes() {
        let foo = b"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
        assert_eq!(Hash::of(b"foo").as_bytes(), foo);
        assert!(Hash::parse(foo).unwrap().is_same(&Hash::of(b"foo")));
        assert!(!Hash::of(b"fop").is_same(&Hash::of(b"foo")));
        assert_eq!(Hash::parse(&foo.to_ascii_uppercase()), Err(RuleError::BadHash));
        assert_eq!(Hash::parse(&foo[1..]), Err(RuleError::BadHash));
    }
}

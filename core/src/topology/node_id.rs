//! The name of a node: 40 lowercase hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use crate::hex;

/// A node's name, 40 lowercase hexadecimal digits, drawn at random when the node first starts and kept in nodes.conf.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; NodeId::LEN]);

/// The text is not 40 lowercase hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a node id is 40 lowercase hexadecimal digits")]
pub struct BadNodeId;

impl NodeId {
    /// Digits in an id.
    pub const LEN: usize = 40;

    /// The id whose digits spell these bytes; the caller draws them at random.
    pub fn from_random(bytes: [u8; 20]) -> Self {
        Self(hex::encode(&bytes))
    }

    /// Reads an id as it came from the wire or from a file.
    pub fn parse(text: &[u8]) -> Result<Self, BadNodeId> {
        let digits: [u8; Self::LEN] = text.try_into().map_err(|_| BadNodeId)?;
        if hex::is_hex(&digits) {
            Ok(Self(digits))
        } else {
            Err(BadNodeId)
        }
    }

    /// The 40 digits.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The 40 digits as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an id holds ASCII digits only, every constructor checks it")
    }
}

impl FromStr for NodeId {
    type Err = BadNodeId;

    fn from_str(text: &str) -> Result<Self, BadNodeId> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_forty_lowercase_digits_and_nothing_else() {
        let text = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(text.parse::<NodeId>().unwrap().to_string(), text);
        for bad in [
            "",
            "0123",
            &text[1..],
            &text.to_uppercase(),
            &format!("{text}0"),
            &text.replace('f', "g"),
        ] {
            assert_eq!(bad.parse::<NodeId>(), Err(BadNodeId), "{bad:?}");
        }
    }

    #[test]
    fn spells_random_bytes() {
        let mut bytes = [0; 20];
        bytes[0] = 0xa5;
        bytes[19] = 0x0f;
        let id = NodeId::from_random(bytes);
        assert!(id.as_str().starts_with("a500") && id.as_str().ends_with("000f"));
        assert_eq!(NodeId::parse(id.as_bytes()), Ok(id));
    }
}

//! Lengths and strings of an RDB.

use super::error::RdbError;
use super::source::Source;
use crate::persistence::lzf;

/// Longest string, in bytes: what one entry may hold.
const MAX_STRING: u64 = u32::MAX as u64;

/// A length, or one of the special encodings of a string that stand in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Bytes(u64),
    Special(u8),
}

const INT8: u8 = 0;
const INT16: u8 = 1;
const INT32: u8 = 2;
const LZF: u8 = 3;

impl Source<'_> {
    fn any_length(&mut self) -> Result<Length, RdbError> {
        let first = self.byte()?;
        let low = first & 0x3f;
        Ok(match first >> 6 {
            0 => Length::Bytes(u64::from(low)),
            1 => Length::Bytes(u64::from(low) << 8 | u64::from(self.byte()?)),
            3 => Length::Special(low),
            _ => match first {
                0x80 => Length::Bytes(u64::from(u32::from_be_bytes(self.array()?))),
                0x81 => Length::Bytes(u64::from_be_bytes(self.array()?)),
                _ => return Err(self.damaged(format!("length byte {first:#04x}"))),
            },
        })
    }

    /// A plain length.
    pub fn length(&mut self) -> Result<u64, RdbError> {
        match self.any_length()? {
            Length::Bytes(length) => Ok(length),
            Length::Special(_) => Err(self.damaged("an encoding where a length should be")),
        }
    }

    /// A string in any encoding, in place of what `into` held.
    pub fn string(&mut self, into: &mut Vec<u8>) -> Result<(), RdbError> {
        into.clear();
        let number = match self.any_length()? {
            Length::Bytes(len) => {
                let len = self.bounded(len)?;
                return self.take(len, into);
            }
            Length::Special(INT8) => i64::from(i8::from_le_bytes(self.array()?)),
            Length::Special(INT16) => i64::from(i16::from_le_bytes(self.array()?)),
            Length::Special(INT32) => i64::from(i32::from_le_bytes(self.array()?)),
            Length::Special(LZF) => {
                let compressed_len = self.length()?;
                let compressed_len = self.bounded(compressed_len)?;
                let len = self.length()?;
                let len = self.bounded(len)?;
                let mut compressed = Vec::new();
                self.take(compressed_len, &mut compressed)?;
                *into = lzf::decompress(&compressed, len as usize)
                    .ok_or_else(|| self.damaged("a compressed string"))?;
                return Ok(());
            }
            Length::Special(other) => return Err(self.damaged(format!("string encoding {other}"))),
        };
        into.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        Ok(())
    }

    fn bounded(&self, len: u64) -> Result<u64, RdbError> {
        if len > MAX_STRING {
            return Err(self.damaged(format!("a string of {len} bytes")));
        }
        Ok(len)
    }

    /// What stands before the present offset means nothing.
    pub fn damaged(&self, what: impl Into<String>) -> RdbError {
        RdbError::Damaged {
            offset: self.offset(),
            what: what.into(),
        }
    }

    /// What stands before the present offset cannot be held.
    pub fn unsupported(&self, what: impl Into<String>) -> RdbError {
        RdbError::Unsupported {
            offset: self.offset(),
            what: what.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(bytes: &[u8]) -> Result<Vec<u8>, RdbError> {
        let mut reader = bytes;
        let mut text = b"old".to_vec();
        Source::new(&mut reader).string(&mut text).map(|()| text)
    }

    #[test]
    fn every_encoding_of_a_string() {
        assert_eq!(string(b"\x03abc").unwrap(), b"abc");
        assert_eq!(
            string(&[&[0x41, 0x00][..], &[b'x'; 256]].concat()).unwrap(),
            [b'x'; 256]
        );
        assert_eq!(string(b"\x80\0\0\0\x02hi").unwrap(), b"hi");
        assert_eq!(string(b"\x81\0\0\0\0\0\0\0\x02hi").unwrap(), b"hi");
        assert_eq!(string(b"\xc0\xff").unwrap(), b"-1");
        assert_eq!(string(b"\xc1\x00\x80").unwrap(), b"-32768");
        assert_eq!(string(b"\xc2\xff\xff\xff\x7f").unwrap(), b"2147483647");
        assert_eq!(string(b"\xc3\x05\x08\x01ab\x80\x01").unwrap(), b"abababab");
    }

    #[test]
    fn lies_cost_nothing() {
        assert!(matches!(
            string(b"\x80\xff\xff\xff\xffx"),
            Err(RdbError::Truncated { offset: 6 })
        ));
        assert!(matches!(
            string(b"\x81\xff\xff\xff\xff\xff\xff\xff\xffx"),
            Err(RdbError::Damaged { .. })
        ));
        assert!(matches!(
            string(b"\xc3\x01\x80\xff\xff\xff\xffx"),
            Err(RdbError::Damaged { .. })
        ));
        for damaged in [&b"\x82"[..], b"\xc4", b"\xc3\xc0"] {
            assert!(
                matches!(string(damaged), Err(RdbError::Damaged { .. })),
                "{damaged:?}"
            );
        }
    }
}

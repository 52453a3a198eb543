//! Lengths and strings as redis-server 7.0.15 writes them, byte for byte.

use slotcore::resp::parse_i64;

use super::value;
use crate::keyspace::ValueRef;
use crate::persistence::lzf::Compressor;

/// Strings up to this length are looked at: they may be numbers.
const NUMBER_LEN_MAX: usize = 11;
/// Strings from this length on are compressed if that makes them shorter by [`GAIN_MIN`] bytes.
const COMPRESSED_FROM: usize = 21;
const GAIN_MIN: usize = 4;

const INT8: u8 = 0xc0;
const INT16: u8 = 0xc1;
const INT32: u8 = 0xc2;
const LZF: u8 = 0xc3;

/// Writes into a buffer that its owner empties now and then.
#[derive(Default)]
pub struct Encoder {
    pub out: Vec<u8>,
    compress: bool,
    /// Made when the first string is long enough.
    compressor: Option<Compressor>,
    compressed: Vec<u8>,
}

impl Encoder {
    /// `compress`: what `rdbcompression` says.
    pub fn new(compress: bool) -> Self {
        Self {
            compress,
            ..Self::default()
        }
    }

    pub fn set_compress(&mut self, compress: bool) {
        self.compress = compress;
    }

    /// A length, in as few bytes as it takes.
    pub fn length(&mut self, len: u64) {
        match len {
            0..0x40 => self.out.push(len as u8),
            0x40..0x4000 => self.out.extend_from_slice(&(0x4000 | len as u16).to_be_bytes()),
            0x4000..=0xffff_ffff => {
                self.out.push(0x80);
                self.out.extend_from_slice(&(len as u32).to_be_bytes());
            }
            _ => {
                self.out.push(0x81);
                self.out.extend_from_slice(&len.to_be_bytes());
            }
        }
    }

    /// A string: as a number if it is the text of one that has 32 bits, compressed if that pays, or as it is.
    pub fn string(&mut self, bytes: &[u8]) {
        if bytes.len() <= NUMBER_LEN_MAX && self.number(bytes) {
            return;
        }
        if self.compress && bytes.len() >= COMPRESSED_FROM && self.compressed(bytes) {
            return;
        }
        self.length(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// The number of a value's type, as it stands before the key.
    pub fn kind(value: ValueRef<'_>) -> u8 {
        match value {
            ValueRef::Str(_) => value::kind::STRING,
            ValueRef::Collection(collection) => value::kind_of(collection),
        }
    }

    /// A value, without its type.
    pub fn value(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Str(bytes) => self.string(bytes),
            ValueRef::Collection(collection) => value::write(self, collection),
        }
    }

    fn number(&mut self, bytes: &[u8]) -> bool {
        let Some(number) = parse_i64(bytes) else {
            return false;
        };
        if let Ok(number) = i8::try_from(number) {
            self.out.push(INT8);
            self.out.extend_from_slice(&number.to_le_bytes());
        } else if let Ok(number) = i16::try_from(number) {
            self.out.push(INT16);
            self.out.extend_from_slice(&number.to_le_bytes());
        } else if let Ok(number) = i32::try_from(number) {
            self.out.push(INT32);
            self.out.extend_from_slice(&number.to_le_bytes());
        } else {
            return false;
        }
        true
    }

    fn compressed(&mut self, bytes: &[u8]) -> bool {
        let compressor = self.compressor.get_or_insert_default();
        self.compressed.clear();
        if !compressor.compress(bytes, bytes.len() - GAIN_MIN, &mut self.compressed) {
            return false;
        }
        let compressed = std::mem::take(&mut self.compressed);
        self.out.push(LZF);
        self.length(compressed.len() as u64);
        self.length(bytes.len() as u64);
        self.out.extend_from_slice(&compressed);
        self.compressed = compressed;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = Encoder::new(true);
        encoder.string(bytes);
        encoder.out
    }

    #[test]
    fn strings_take_the_form_that_stock_gives_them() {
        assert_eq!(encoded(b""), b"\x00");
        assert_eq!(encoded(b"abc"), b"\x03abc");
        assert_eq!(encoded(b"-128"), b"\xc0\x80");
        assert_eq!(encoded(b"128"), b"\xc1\x80\x00");
        assert_eq!(encoded(b"-32769"), b"\xc2\xff\x7f\xff\xff");
        assert_eq!(encoded(b"2147483648"), b"\x0a2147483648");
        assert_eq!(encoded(b"-2147483648"), b"\xc2\x00\x00\x00\x80");
        for text in ["01", "+1", "-0", " 1", "1 "] {
            assert_eq!(encoded(text.as_bytes())[1..], *text.as_bytes());
        }
        assert_eq!(encoded(&[b'x'; 20])[..2], *b"\x14x");
        assert_eq!(encoded(&[b'x'; 100]), b"\xc3\x09\x40\x64\x01xx\xe0\x57\x00\x01xx");
        let noise: Vec<u8> = (0..=255).collect();
        assert_eq!(encoded(&noise)[..2], *b"\x41\x00");
        let mut plain = Encoder::new(false);
        plain.string(&[b'x'; 100]);
        assert_eq!(plain.out[..2], *b"\x40\x64");
    }

    #[test]
    fn lengths_take_as_few_bytes_as_they_need() {
        for (len, bytes) in [
            (63, &b"\x3f"[..]),
            (64, b"\x40\x40"),
            (16383, b"\x7f\xff"),
            (16384, b"\x80\x00\x00\x40\x00"),
            (0xffff_ffff, b"\x80\xff\xff\xff\xff"),
            (0x1_0000_0000, b"\x81\x00\x00\x00\x01\x00\x00\x00\x00"),
        ] {
            let mut encoder = Encoder::default();
            encoder.length(len);
            assert_eq!(encoder.out, bytes);
        }
    }
}

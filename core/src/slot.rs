//! The slot of a key: CRC16 over the key, or over its hash tag, modulo 16384.
//!
//! The rules are those of the Redis Cluster specification, "Key distribution model" and "Hash tags". The checksum is
//! CRC-16/XMODEM: polynomial 0x1021, initial value 0, most significant bit first, nothing reflected or inverted.

/// A hash slot, below [`SLOT_COUNT`].
pub type Slot = u16;

/// How many slots a cluster has.
pub const SLOT_COUNT: usize = 16384;

const POLYNOMIAL: u16 = 0x1021;

/// How many bytes one round of the checksum takes in.
const STRIDE: usize = 8;

/// `TABLES[k][b]` is the checksum of the byte `b` followed by `k` zero bytes.
///
/// A CRC is linear, so the checksum of eight bytes is the exclusive or of what each byte contributes from its place;
/// the eight lookups do not wait for each other, as those of the bytewise method do.
static TABLES: [[u16; 256]; STRIDE] = build_tables();

const fn build_tables() -> [[u16; 256]; STRIDE] {
    let mut tables = [[0u16; 256]; STRIDE];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 != 0 {
                (crc << 1) ^ POLYNOMIAL
            } else {
                crc << 1
            };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut zeros = 1;
    while zeros < STRIDE {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[zeros - 1][byte];
            tables[zeros][byte] = (before << 8) ^ tables[0][(before >> 8) as usize];
            byte += 1;
        }
        zeros += 1;
    }
    tables
}

/// CRC-16/XMODEM of `bytes`.
#[inline]
pub fn crc16(bytes: &[u8]) -> u16 {
    let t = &TABLES;
    let mut crc = 0u16;
    let (eights, rest) = bytes.as_chunks::<STRIDE>();
    for b in eights {
        crc = t[7][usize::from(b[0] ^ (crc >> 8) as u8)]
            ^ t[6][usize::from(b[1] ^ crc as u8)]
            ^ t[5][usize::from(b[2])]
            ^ t[4][usize::from(b[3])]
            ^ t[3][usize::from(b[4])]
            ^ t[2][usize::from(b[5])]
            ^ t[1][usize::from(b[6])]
            ^ t[0][usize::from(b[7])];
    }
    let (fours, rest) = rest.as_chunks::<4>();
    for b in fours {
        crc = t[3][usize::from(b[0] ^ (crc >> 8) as u8)]
            ^ t[2][usize::from(b[1] ^ crc as u8)]
            ^ t[1][usize::from(b[2])]
            ^ t[0][usize::from(b[3])];
    }
    for &b in rest {
        crc = (crc << 8) ^ t[0][usize::from(b ^ (crc >> 8) as u8)];
    }
    crc
}

/// The bytes of `key` that decide its slot.
///
/// These are the bytes between the first `{` and the first `}` after it, if there is such a pair and something between
/// them; otherwise the whole key. So `{a}b` hashes `a`, while `{}a`, `a{b` and `}{` hash themselves.
#[inline]
pub fn hash_tag(key: &[u8]) -> &[u8] {
    if has_open_brace(key) { tag_or_key(key) } else { key }
}

/// Most keys have no tag, so this looks at eight bytes at a time and the exact rule lives out of line.
#[inline]
fn has_open_brace(key: &[u8]) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = LOW << 7;
    const BRACES: u64 = LOW * b'{' as u64;
    let (eights, rest) = key.as_chunks::<8>();
    // A byte of `word` is zero where the key has a brace; the subtraction then borrows into that byte's top bit. A
    // borrow can also mark the byte above a true match, never one without a match below it, so the sum is exact.
    let mut found = 0;
    for eight in eights {
        let word = u64::from_le_bytes(*eight) ^ BRACES;
        found |= word.wrapping_sub(LOW) & !word & HIGH;
    }
    found != 0 || rest.contains(&b'{')
}

#[cold]
fn tag_or_key(key: &[u8]) -> &[u8] {
    let Some(open) = memchr::memchr(b'{', key) else {
        return key;
    };
    let after = &key[open + 1..];
    match memchr::memchr(b'}', after) {
        Some(len) if len > 0 => &after[..len],
        _ => key,
    }
}

/// The slot of `key`.
#[inline]
pub fn slot_of(key: &[u8]) -> Slot {
    crc16(hash_tag(key)) % SLOT_COUNT as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    /// The check value of CRC-16/XMODEM and slots that redis-server 7.0.15 answered to CLUSTER KEYSLOT.
    #[test]
    fn known_values() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        for (key, slot) in [
            (&b""[..], 0),
            (b"123456789", 12739),
            (b"foo", 12182),
            (b"{user1000}.following", 3443),
            (b"foo{}{bar}", 8363),
            (b"foo{{bar}}zap", 4015),
            (b"foo{bar}{zap}", 5061),
            (b"{}", 15257),
            (b"a{", 14311),
            (b"}{", 12793),
        ] {
            assert_eq!(slot_of(key), slot, "{:?}", String::from_utf8_lossy(key));
        }
    }

    #[test]
    fn hash_tags() {
        for (key, hashed) in [
            (&b""[..], &b""[..]),
            (b"{", b"{"),
            (b"}", b"}"),
            (b"{}", b"{}"),
            (b"{a}", b"a"),
            (b"x{a}y", b"a"),
            (b"{a}{b}", b"a"),
            (b"{}{b}", b"{}{b}"),
            (b"}{a}", b"a"),
            (b"}{", b"}{"),
            (b"{{a}}", b"{a"),
            (b"{a", b"{a"),
            (b"a}", b"a}"),
            (b"a}b{c", b"a}b{c"),
            (b"{\0}", b"\0"),
            (b"12345678{tag}90", b"tag"),
            (b"1234567{tag}890abcdefgh", b"tag"),
            (b"||||||||zzzzzzzz", b"||||||||zzzzzzzz"),
        ] {
            assert_eq!(hash_tag(key), hashed, "{:?}", String::from_utf8_lossy(key));
        }
    }

    /// The specification's rule word for word, one byte after the other.
    fn hash_tag_by_the_book(key: &[u8]) -> &[u8] {
        let Some(open) = key.iter().position(|&b| b == b'{') else {
            return key;
        };
        let Some(close) = key[open + 1..].iter().position(|&b| b == b'}') else {
            return key;
        };
        if close == 0 {
            key
        } else {
            &key[open + 1..open + 1 + close]
        }
    }

    proptest! {
        #[test]
        fn crc_is_the_reference_crc(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(crc16(&bytes), crc16::State::<crc16::XMODEM>::calculate(&bytes));
        }

        #[test]
        fn tag_is_by_the_book(key in proptest::collection::vec(
            proptest::sample::select(b"{}az|z\x00\x7f\xff\xfb".to_vec()), 0..40)) {
            prop_assert_eq!(hash_tag(&key), hash_tag_by_the_book(&key));
        }
    }
}

//! DUMP payloads: one value as bytes that any server of the family restores.
//!
//! ```text
//! | type: 1 | value as in an RDB | RDB version: 2, little endian | CRC-64 of all before: 8, little endian |
//! ```

use std::cell::RefCell;

use super::crc64::crc64;
use super::rdb::encode::Encoder;
use super::rdb::{RdbError, Source, VERSION, op, read_value, type_name};
use crate::keyspace::{Content, Limits, ValueRef};

/// Version and checksum.
const FOOTER: usize = 2 + 8;
/// Room in a thread's encoder that is kept for the next payload, in bytes.
const KEPT_ROOM: usize = 64 * 1024;

/// Why a payload cannot be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// It is of a newer version, or is not what it was when it was made.
    #[error("DUMP payload version or checksum are wrong")]
    Footer,
    /// It is what it was, and means nothing.
    #[error("Bad data format")]
    Damaged,
    /// It holds a value of a type that this version of the node does not.
    #[error("Bad data format: it holds {0}, which this version of slotmark-server cannot hold")]
    Unsupported(&'static str),
}

thread_local! {
    // The compressor's table is too large to be made anew for every value.
    static ENCODER: RefCell<Encoder> = RefCell::new(Encoder::new(true));
}

/// The payload of a value. `compress`: what `rdbcompression` says.
pub fn encode(value: ValueRef<'_>, compress: bool) -> Vec<u8> {
    sign(compress, |encoder| {
        encoder.out.push(Encoder::kind(value));
        encoder.value(value);
    })
}

/// The value in a payload. Bytes between the value and the footer are passed over, as stock does.
///
/// # Errors
/// See [`DumpError`].
pub fn decode(payload: &[u8], limits: &Limits) -> Result<Content<'static>, DumpError> {
    let mut body = signed(payload)?;
    let len = body.len();
    let mut source = Source::with_chunk(&mut body, len);
    let damaged = |_: RdbError| DumpError::Damaged;
    let kind = source.byte().map_err(damaged)?;
    read_value(&mut source, kind, limits)
        .map_err(damaged)?
        .ok_or_else(|| type_name(kind).map_or(DumpError::Damaged, DumpError::Unsupported))
}

/// The payload of FUNCTION DUMP: the codes of libraries, each as an RDB has it.
pub fn encode_functions<'a>(codes: impl Iterator<Item = &'a [u8]>, compress: bool) -> Vec<u8> {
    sign(compress, |encoder| {
        for code in codes {
            encoder.out.push(op::FUNCTION2);
            encoder.string(code);
        }
    })
}

/// The codes of libraries in such a payload.
///
/// # Errors
/// [`DumpError::Unsupported`] if it holds something else.
pub fn decode_functions(payload: &[u8]) -> Result<Vec<Vec<u8>>, DumpError> {
    let mut body = signed(payload)?;
    let len = body.len();
    let mut source = Source::with_chunk(&mut body, len);
    let mut codes = Vec::new();
    while source.offset() < len as u64 {
        if source.byte().map_err(|_| DumpError::Damaged)? != op::FUNCTION2 {
            return Err(DumpError::Unsupported("no function"));
        }
        let mut code = Vec::new();
        source.string(&mut code).map_err(|_| DumpError::Damaged)?;
        codes.push(code);
    }
    Ok(codes)
}

/// What `write` writes, with version and checksum behind it.
fn sign(compress: bool, write: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    ENCODER.with_borrow_mut(|encoder| {
        encoder.set_compress(compress);
        encoder.out.clear();
        write(encoder);
        encoder.out.extend_from_slice(&(VERSION as u16).to_le_bytes());
        let sum = crc64(0, &encoder.out);
        encoder.out.extend_from_slice(&sum.to_le_bytes());
        let payload = encoder.out.clone();
        encoder.out.clear();
        encoder.out.shrink_to(KEPT_ROOM);
        payload
    })
}

/// What is signed, without version and checksum.
fn signed(payload: &[u8]) -> Result<&[u8], DumpError> {
    let (signed, sum) = payload.split_last_chunk().ok_or(DumpError::Footer)?;
    let (body, version) = signed.split_last_chunk().ok_or(DumpError::Footer)?;
    debug_assert_eq!(body.len() + FOOTER, payload.len());
    if u32::from(u16::from_le_bytes(*version)) > VERSION || u64::from_le_bytes(*sum) != crc64(0, signed) {
        return Err(DumpError::Footer);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::{Collection, Group, NewId, Stream, StreamId};
    use proptest::prelude::*;

    fn decode(payload: &[u8]) -> Result<Vec<u8>, DumpError> {
        match super::decode(payload, &Limits::default())? {
            Content::Owned(text) => Ok(text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn payloads_of_stock() {
        // Read from redis-server 7.0.15.
        let payload = b"\x00\x05hello\x0a\x00\x1d\x62\xa2\x34\x8c\x8d\x9d\x0c";
        let made = encode(ValueRef::Str(b"hello"), true);
        assert_eq!(made[..9], payload[..9]);
        assert_eq!(decode(&made).unwrap(), b"hello");
    }

    fn signed(version: u16, body: &[u8]) -> Vec<u8> {
        let mut payload = body.to_vec();
        payload.extend_from_slice(&version.to_le_bytes());
        let sum = crc64(0, &payload);
        payload.extend_from_slice(&sum.to_le_bytes());
        payload
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        assert_eq!(decode(&signed(10, b"\x00\x01a")).unwrap(), b"a");
        assert_eq!(decode(&signed(1, b"\x00\x01a and more")).unwrap(), b"a");
        assert_eq!(decode(&signed(11, b"\x00\x01a")), Err(DumpError::Footer));
        assert_eq!(decode(b""), Err(DumpError::Footer));
        assert_eq!(decode(&signed(10, b"")), Err(DumpError::Damaged));
        assert_eq!(decode(&signed(10, b"\x00\x05a")), Err(DumpError::Damaged));
        assert_eq!(decode(&signed(10, b"\xc8")), Err(DumpError::Damaged));
        assert_eq!(
            decode(&signed(10, b"\x06\x00")),
            Err(DumpError::Unsupported("a value of a module"))
        );
        let mut changed = signed(10, b"\x00\x01a");
        changed[2] = b'b';
        assert_eq!(decode(&changed), Err(DumpError::Footer));
    }

    /// A stream with three nodes, a deleted entry, two groups and what is pending.
    fn stream() -> Vec<u8> {
        let mut stream = Stream::default();
        stream.begin();
        let limits = Limits {
            stream_node_entries: 2,
            ..Limits::default()
        };
        for ms in 1..=5 {
            let content = [&b"name"[..], b"value", b"n", b"-7"];
            let added = stream
                .entries_mut()
                .append(NewId::Within { ms }, content.into_iter(), &limits);
            assert!(added.is_ok());
        }
        assert!(stream.entries_mut().delete(StreamId { ms: 2, seq: 0 }));
        for name in [&b"g"[..], b"h"] {
            assert!(stream.add_group(name, Group::new(StreamId { ms: 3, seq: 0 }, 3)));
            stream.with_group(name, |_, group| {
                group.hear(b"alice", 1_800_000_000_000);
                group.hear(b"bob", 1_800_000_000_000);
                group.assign(StreamId { ms: 1, seq: 0 }, b"alice", 1_800_000_000_000, 1);
                group.assign(StreamId { ms: 3, seq: 0 }, b"bob", 1_800_000_000_000, 70_000);
            });
        }
        let collection = Collection::Stream(stream);
        let payload = encode(ValueRef::Collection(&collection), false);
        let again = super::decode(&payload, &limits).expect("it is sound");
        assert_eq!(again, Content::Collection(std::sync::Arc::new(collection)));
        payload
    }

    #[test]
    fn a_damaged_stream_is_refused_or_is_another_stream() {
        let payload = stream();
        let body = &payload[..payload.len() - FOOTER];
        let mut refused = 0;
        for at in 1..body.len() {
            for change in [1, 2, 0x40, 0x80, 0xff] {
                let mut changed = body.to_vec();
                changed[at] ^= change;
                match super::decode(&signed(10, &changed), &Limits::default()) {
                    Ok(Content::Collection(collection)) => {
                        let again = encode(ValueRef::Collection(&collection), true);
                        let again = super::decode(&again, &Limits::default());
                        assert_eq!(again, Ok(Content::Collection(collection)), "byte {at}");
                    }
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => {
                        assert_eq!(error, DumpError::Damaged);
                        refused += 1;
                    }
                }
            }
            assert_eq!(
                super::decode(&signed(10, &body[..at]), &Limits::default()),
                Err(DumpError::Damaged)
            );
        }
        assert!(refused > body.len(), "{refused} of {} bytes", body.len());
    }

    proptest! {
        #[test]
        fn there_and_back(value in prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..400), compress: bool) {
            let payload = encode(ValueRef::Str(&value), compress);
            prop_assert_eq!(decode(&payload).unwrap(), value);
        }

        #[test]
        fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = super::decode(&body, &Limits::default());
            let _ = super::decode(&signed(10, &body), &Limits::default());
        }
    }
}

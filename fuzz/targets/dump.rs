//! DUMP payloads: what is read from one is, written again, read as the same, whatever form it is kept in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotmark_server::keyspace::{Collection, Content, Limits, NodeLimit, StreamId, ValueRef};
use slotmark_server::persistence::crc64::crc64;
use slotmark_server::persistence::dump::{decode, encode};

/// Everything is kept in its large form, and nothing.
const LIMITS: [Limits; 2] = [
    Limits {
        hash_max_entries: 0,
        hash_max_value: 0,
        set_max_intset_entries: 0,
        list_node: NodeLimit::new(1),
        zset_max_entries: 0,
        zset_max_value: 0,
        stream_node_bytes: 1,
        stream_node_entries: 1,
    },
    Limits {
        hash_max_entries: usize::MAX,
        hash_max_value: usize::MAX,
        set_max_intset_entries: usize::MAX,
        list_node: NodeLimit::new(-5),
        zset_max_entries: usize::MAX,
        zset_max_value: usize::MAX,
        stream_node_bytes: 0,
        stream_node_entries: 0,
    },
];

/// A payload of these bytes, with the footer that makes it one.
fn signed(body: &[u8]) -> Vec<u8> {
    let mut payload = body.to_vec();
    payload.extend_from_slice(&10_u16.to_le_bytes());
    let sum = crc64(0, &payload);
    payload.extend_from_slice(&sum.to_le_bytes());
    payload
}

fn value<'a>(content: &'a Content<'_>) -> ValueRef<'a> {
    match content {
        Content::Bytes(text) => ValueRef::Str(text),
        Content::Owned(text) => ValueRef::Str(text),
        Content::Collection(collection) => ValueRef::Collection(collection),
    }
}

fuzz_target!(|input: &[u8]| {
    let _ = decode(input, &LIMITS[0]);
    let payload = signed(input);
    for limits in &LIMITS {
        let Ok(content) = decode(&payload, limits) else { return };
        if let Content::Collection(collection) = &content {
            assert!(!collection.is_empty());
            if let Collection::Set(set) = &**collection {
                assert_eq!(set.iter().count(), set.len());
            }
            if let Collection::List(list) = &**collection {
                assert_eq!(list.iter().count(), list.len());
            }
            if let Collection::Stream(stream) = &**collection {
                let entries = stream.entries().range(StreamId::MIN, StreamId::MAX);
                assert_eq!(entries.count(), stream.len());
                let entries = stream.entries().range_back(StreamId::MIN, StreamId::MAX);
                assert_eq!(entries.count(), stream.len());
            }
        }
        for compress in [true, false] {
            let again = encode(value(&content), compress);
            for limits in &LIMITS {
                assert_eq!(decode(&again, limits).as_ref(), Ok(&content));
            }
        }
    }
});

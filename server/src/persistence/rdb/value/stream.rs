//! Streams: nodes as they are, then what is known of all entries, then groups with what is pending.

use super::super::encode::Encoder;
use super::super::error::RdbError;
use super::super::source::Source;
use super::kind;
use crate::keyspace::{Group, Listpack, Pack, Stream, StreamId, StreamTotals};

pub(super) fn write(encoder: &mut Encoder, stream: &Stream) {
    let entries = stream.entries();
    encoder.length(entries.node_count() as u64);
    for (id, pack) in entries.nodes() {
        encoder.string(&id.to_bytes());
        encoder.string(pack.listpack().as_bytes());
    }
    encoder.length(entries.len());
    write_id(encoder, entries.last_id);
    write_id(encoder, entries.first_id());
    write_id(encoder, entries.max_deleted_id);
    encoder.length(entries.added);
    encoder.length(stream.groups().len() as u64);
    for (name, group) in stream.groups() {
        encoder.string(name);
        write_group(encoder, group);
    }
}

fn write_group(encoder: &mut Encoder, group: &Group) {
    write_id(encoder, group.last_id);
    encoder.length(group.entries_read as u64);
    encoder.length(group.pending().len() as u64);
    for (id, pending) in group.pending().iter() {
        encoder.out.extend_from_slice(&id.to_bytes());
        encoder.out.extend_from_slice(&pending.time.to_le_bytes());
        encoder.length(pending.count);
    }
    encoder.length(group.consumers().len() as u64);
    for (name, consumer) in group.consumers() {
        encoder.string(name);
        encoder.out.extend_from_slice(&consumer.seen.to_le_bytes());
        encoder.length(consumer.pending() as u64);
        for id in consumer.pending_from(StreamId::MIN) {
            encoder.out.extend_from_slice(&id.to_bytes());
        }
    }
}

fn write_id(encoder: &mut Encoder, id: StreamId) {
    encoder.length(id.ms);
    encoder.length(id.seq);
}

pub(super) fn read(source: &mut Source<'_>, kind: u8) -> Result<Stream, RdbError> {
    let is_newer = kind == kind::STREAM_LISTPACKS_2;
    let mut stream = Stream::default();
    for _ in 0..source.length()? {
        let (mut id, mut bytes) = (Vec::new(), Vec::new());
        source.string(&mut id)?;
        let id: Result<[u8; 16], _> = id.try_into();
        let id = StreamId::from_bytes(id.map_err(|_| source.damaged("the ID of a node of a stream"))?);
        source.string(&mut bytes)?;
        bytes.shrink_to_fit();
        let pack = Listpack::from_bytes(bytes).and_then(|list| Pack::from_listpack(list, id));
        let pack = pack.ok_or_else(|| source.damaged("a node of a stream"))?;
        if !stream.adopt(id, pack) {
            return Err(source.damaged("a node of a stream that is not in order"));
        }
    }
    let len = source.length()?;
    let last_id = read_id(source)?;
    let since_7 = if is_newer {
        // That of the first entry is known from the entries.
        read_id(source)?;
        Some((read_id(source)?, source.length()?))
    } else {
        None
    };
    let totals = StreamTotals {
        len,
        last_id,
        since_7,
    };
    if !stream.complete(totals) {
        return Err(source.damaged("a stream that has other entries than it says"));
    }
    for _ in 0..source.length()? {
        read_group(source, &mut stream, is_newer)?;
    }
    Ok(stream)
}

fn read_group(source: &mut Source<'_>, stream: &mut Stream, is_newer: bool) -> Result<(), RdbError> {
    let mut name = Vec::new();
    source.string(&mut name)?;
    let last_id = read_id(source)?;
    let entries_read = if is_newer {
        source.length()? as i64
    } else {
        stream.estimated_read(last_id)
    };
    let mut group = Group::new(last_id, entries_read);
    let mut pending: Vec<(StreamId, i64, u64)> = Vec::new();
    for _ in 0..source.length()? {
        let id = StreamId::from_bytes(source.array()?);
        let time = i64::from_le_bytes(source.array()?);
        pending.push((id, time, source.length()?));
    }
    // It comes in order, and is searched for each consumer.
    if !pending.is_sorted_by(|(a, ..), (b, ..)| a < b) {
        return Err(source.damaged("pending entries of a group that are not in order"));
    }
    for _ in 0..source.length()? {
        let mut consumer = Vec::new();
        source.string(&mut consumer)?;
        let seen = i64::from_le_bytes(source.array()?);
        if !group.add_consumer(&consumer, seen) {
            return Err(source.damaged("a consumer for the second time"));
        }
        for _ in 0..source.length()? {
            let id = StreamId::from_bytes(source.array()?);
            let found = pending.binary_search_by_key(&id, |(id, ..)| *id);
            let at = found.map_err(|_| source.damaged("an entry that is pending for a consumer only"))?;
            if group.pending().get(id).is_some() {
                return Err(source.damaged("an entry that is pending for two consumers"));
            }
            group.assign(id, &consumer, pending[at].1, pending[at].2);
        }
    }
    if group.pending().len() != pending.len() {
        return Err(source.damaged("an entry that is pending for no consumer"));
    }
    if !stream.add_group(&name, group) {
        return Err(source.damaged("a group for the second time"));
    }
    Ok(())
}

fn read_id(source: &mut Source<'_>) -> Result<StreamId, RdbError> {
    Ok(StreamId {
        ms: source.length()?,
        seq: source.length()?,
    })
}

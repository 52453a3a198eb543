//! XINFO.

use slotcore::resp::{ReplyWriter, parse_i64};

use super::{no_group_of_key, reply};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{Entries, Group, Stream, StreamId};

/// Entries, and pending ones of each group and consumer, that FULL shows if it is not said.
const COUNT_DEFAULT: usize = 10;

pub fn stream(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let count = full_option(call);
    let (stream, out) = call.read::<Stream>(0)?;
    let stream = stream.ok_or(ErrorReply::NO_SUCH_KEY)?;
    match count? {
        None => short(stream, out),
        Some(count) => full(stream, count, out),
    }
    Ok(())
}

/// FULL and its count; `None`: without it.
fn full_option(call: &Call<'_>) -> Result<Option<usize>, ErrorReply> {
    let bad = || super::bad_arguments("XINFO", call.args.at(1));
    match call.args.len() {
        3 => Ok(None),
        4 if call.arg_is(3, "full") => Ok(Some(COUNT_DEFAULT)),
        6 if call.arg_is(3, "full") && call.arg_is(4, "count") => {
            let count = parse_i64(call.args.at(5)).ok_or(ErrorReply::NOT_INTEGER)?;
            Ok(Some(match usize::try_from(count) {
                Ok(0) => usize::MAX,
                Ok(count) => count,
                Err(_) => COUNT_DEFAULT,
            }))
        }
        _ => Err(bad()),
    }
}

fn short(stream: &Stream, out: &mut ReplyWriter<'_>) {
    let entries = stream.entries();
    out.map(10);
    common(stream, out);
    out.bulk(b"groups");
    out.integer(stream.groups().len() as i64);
    out.bulk(b"first-entry");
    match entries.range(StreamId::MIN, StreamId::MAX).next() {
        Some(entry) => reply::entry(out, &entry),
        None => out.nil(),
    }
    out.bulk(b"last-entry");
    match entries.range_back(StreamId::MIN, StreamId::MAX).next() {
        Some(entry) => reply::entry(out, &entry),
        None => out.nil(),
    }
}

/// What both forms begin with: seven pairs.
fn common(stream: &Stream, out: &mut ReplyWriter<'_>) {
    let entries = stream.entries();
    for (name, value) in [
        ("length", entries.len() as i64),
        ("radix-tree-keys", entries.node_count() as i64),
        ("radix-tree-nodes", stream.radix_nodes() as i64),
    ] {
        out.bulk(name.as_bytes());
        out.integer(value);
    }
    out.bulk(b"last-generated-id");
    reply::id(out, entries.last_id);
    out.bulk(b"max-deleted-entry-id");
    reply::id(out, entries.max_deleted_id);
    out.bulk(b"entries-added");
    out.integer(entries.added as i64);
    out.bulk(b"recorded-first-entry-id");
    reply::id(out, entries.first_id());
}

fn full(stream: &Stream, count: usize, out: &mut ReplyWriter<'_>) {
    let entries = stream.entries();
    out.map(9);
    common(stream, out);
    out.bulk(b"entries");
    reply::entries(out, entries.range(StreamId::MIN, StreamId::MAX).take(count));
    out.bulk(b"groups");
    out.array(stream.groups().len());
    for (name, group) in stream.groups() {
        out.map(7);
        out.bulk(b"name");
        out.bulk(name);
        progress(entries, group, out);
        out.bulk(b"pel-count");
        out.integer(group.pending().len() as i64);
        out.bulk(b"pending");
        out.array(group.pending().len().min(count));
        for (id, pending) in group.pending().iter().take(count) {
            out.array(4);
            reply::id(out, id);
            out.bulk(&pending.consumer);
            out.integer(pending.time);
            out.integer(pending.count as i64);
        }
        out.bulk(b"consumers");
        consumers_in_full(group, count, out);
    }
}

fn consumers_in_full(group: &Group, count: usize, out: &mut ReplyWriter<'_>) {
    out.array(group.consumers().len());
    for (name, consumer) in group.consumers() {
        out.map(4);
        out.bulk(b"name");
        out.bulk(name);
        out.bulk(b"seen-time");
        out.integer(consumer.seen);
        out.bulk(b"pel-count");
        out.integer(consumer.pending() as i64);
        out.bulk(b"pending");
        out.array(consumer.pending().min(count));
        for id in consumer.pending_from(StreamId::MIN).take(count) {
            let pending = group.pending().get(id);
            let (time, count) = pending.map_or((0, 0), |pending| (pending.time, pending.count));
            out.array(3);
            reply::id(out, id);
            out.integer(time);
            out.integer(count as i64);
        }
    }
}

/// What a group has read: three pairs.
fn progress(entries: &Entries, group: &Group, out: &mut ReplyWriter<'_>) {
    out.bulk(b"last-delivered-id");
    reply::id(out, group.last_id);
    out.bulk(b"entries-read");
    if group.entries_read == Group::UNKNOWN {
        out.nil();
    } else {
        out.integer(group.entries_read);
    }
    out.bulk(b"lag");
    match entries.lag(group) {
        Some(lag) => out.integer(lag),
        None => out.nil(),
    }
}

pub fn groups(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (stream, out) = call.read::<Stream>(0)?;
    let stream = stream.ok_or(ErrorReply::NO_SUCH_KEY)?;
    out.array(stream.groups().len());
    for (name, group) in stream.groups() {
        out.map(6);
        out.bulk(b"name");
        out.bulk(name);
        out.bulk(b"consumers");
        out.integer(group.consumers().len() as i64);
        out.bulk(b"pending");
        out.integer(group.pending().len() as i64);
        progress(stream.entries(), group, out);
    }
    Ok(())
}

pub fn consumers(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (key, name, now) = (call.keys[0].bytes, call.args.at(3), call.now as i64);
    let (stream, out) = call.read::<Stream>(0)?;
    let stream = stream.ok_or(ErrorReply::NO_SUCH_KEY)?;
    let group = stream.group(name).ok_or_else(|| no_group_of_key(key, name))?;
    out.array(group.consumers().len());
    for (name, consumer) in group.consumers() {
        out.map(3);
        out.bulk(b"name");
        out.bulk(name);
        out.bulk(b"pending");
        out.integer(consumer.pending() as i64);
        out.bulk(b"idle");
        out.integer(now.saturating_sub(consumer.seen).max(0));
    }
    Ok(())
}

//! How entries are written.

use slotcore::resp::ReplyWriter;

use crate::keyspace::{StreamEntry, StreamId};

pub(super) fn id(out: &mut ReplyWriter<'_>, id: StreamId) {
    out.bulk_display(id);
}

/// The ID, and names with values.
pub(super) fn entry(out: &mut ReplyWriter<'_>, entry: &StreamEntry<'_>) {
    let mut buffer = itoa::Buffer::new();
    out.array(2);
    id(out, entry.id);
    out.array(2 * entry.field_count());
    for (name, value) in entry.pairs() {
        out.bulk(name.text(&mut buffer));
        out.bulk(value.text(&mut buffer));
    }
}

/// An array of entries.
pub(super) fn entries<'e>(out: &mut ReplyWriter<'_>, entries: impl Iterator<Item = StreamEntry<'e>>) {
    counted(out, |out| {
        let mut count = 0;
        for found in entries {
            entry(out, &found);
            count += 1;
        }
        count
    });
}

/// An array of as many elements as `write` says it has written.
pub(super) fn counted(out: &mut ReplyWriter<'_>, write: impl FnOnce(&mut ReplyWriter<'_>) -> usize) {
    headed(out, write, |out, count| out.array(count));
}

/// Elements behind a header that says how many there are; returns how many.
pub(super) fn headed(
    out: &mut ReplyWriter<'_>,
    write: impl FnOnce(&mut ReplyWriter<'_>) -> usize,
    header: impl FnOnce(&mut ReplyWriter<'_>, usize),
) -> usize {
    let start = out.out.len();
    let count = write(out);
    let end = out.out.len();
    header(out, count);
    let len = out.out.len() - end;
    out.out[start..].rotate_right(len);
    count
}

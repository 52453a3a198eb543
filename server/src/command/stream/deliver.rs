//! Giving entries to a consumer of a group.

use slotcore::resp::ReplyWriter;

use super::effects::Effects;
use super::reply;
use crate::keyspace::{Entries, Group, StreamId};

/// Who reads, and how.
pub(super) struct Reader<'a> {
    pub key: &'a [u8],
    pub group: &'a [u8],
    pub consumer: &'a [u8],
    /// What is given counts as acknowledged.
    pub no_ack: bool,
    /// Unix time in milliseconds.
    pub now: i64,
}

impl Reader<'_> {
    /// Gives new entries, the oldest first, up to so many, and writes them. The consumer is there.
    pub fn new_entries(
        &self,
        entries: &Entries,
        group: &mut Group,
        count: usize,
        effects: &mut Effects,
        out: &mut ReplyWriter<'_>,
    ) {
        let from = group.last_id.next().unwrap_or(StreamId::MIN);
        let mut has_advanced = false;
        reply::counted(out, |out| {
            let mut written = 0;
            for entry in entries.range(from, StreamId::MAX).take(count) {
                has_advanced |= entry.id > group.last_id;
                entries.advance(group, entry.id);
                reply::entry(out, &entry);
                if !self.no_ack {
                    group.assign(entry.id, self.consumer, self.now, 1);
                    let text = entry.id.to_string();
                    effects.claimed(self.key, self.group, group, text.as_bytes(), entry.id);
                }
                written += 1;
            }
            written
        });
        // Else XCLAIM says which entry was the last.
        if has_advanced && self.no_ack {
            effects.advanced(self.key, self.group, group);
        }
    }

    /// Gives once more what is pending for the consumer behind `after`, up to so many, and writes it. What the stream has no
    /// more is written as null.
    pub fn history(
        &self,
        entries: &Entries,
        group: &mut Group,
        after: StreamId,
        count: usize,
        out: &mut ReplyWriter<'_>,
    ) {
        let from = after.next().unwrap_or(StreamId::MIN);
        let consumer = group.consumer(self.consumer);
        let ids: Vec<StreamId> = consumer
            .map(|consumer| consumer.pending_from(from).take(count).collect())
            .unwrap_or_default();
        out.array(ids.len());
        for id in ids {
            match entries.get(id) {
                Some(entry) => {
                    reply::entry(out, &entry);
                    group.deliver_again(id, self.now);
                }
                None => {
                    out.array(2);
                    reply::id(out, id);
                    out.nil_array();
                }
            }
        }
    }
}

//! What replicas are told of groups: not what was read, but what became of the group by it.

use slotcore::resp::encode_command;

use crate::command::call::Call;
use crate::keyspace::{Group, StreamId};
use crate::replication::effect::Effect;

/// The commands that say what one command did.
pub(super) struct Effects {
    /// `None`: nobody is told.
    bytes: Option<Vec<u8>>,
    count: u32,
}

impl Effects {
    pub fn new(call: &Call<'_>) -> Self {
        Self {
            bytes: call.is_recorded().then(Vec::new),
            count: 0,
        }
    }

    /// This is what replicas are told in place of the request.
    pub fn instead(self, call: &mut Call<'_>) {
        if let Some(bytes) = self.bytes {
            call.effect = Effect::Several(bytes, self.count);
        }
    }

    /// An entry is pending as the group has it, or is to be forgotten, since the stream has it no more. `id` as a text.
    pub fn claimed(&mut self, key: &[u8], name: &[u8], group: &Group, id: &[u8], known: StreamId) {
        let Some(pending) = group.pending().get(known) else {
            return;
        };
        let Some(bytes) = &mut self.bytes else { return };
        let (mut time, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
        encode_command(
            bytes,
            &[
                b"XCLAIM",
                key,
                name,
                &pending.consumer,
                b"0",
                id,
                b"TIME",
                time.format(pending.time).as_bytes(),
                b"RETRYCOUNT",
                count.format(pending.count as i64).as_bytes(),
                b"FORCE",
                b"JUSTID",
                b"LASTID",
                group.last_id.to_string().as_bytes(),
            ],
        );
        self.count += 1;
    }

    /// The group was given entries up to its last one.
    pub fn advanced(&mut self, key: &[u8], name: &[u8], group: &Group) {
        let Some(bytes) = &mut self.bytes else { return };
        let last_id = group.last_id.to_string();
        let mut read = itoa::Buffer::new();
        let read = read.format(group.entries_read).as_bytes();
        let id = last_id.as_bytes();
        encode_command(bytes, &[b"XGROUP", b"SETID", key, name, id, b"ENTRIESREAD", read]);
        self.count += 1;
    }

    /// The group has a new consumer, for which nothing is pending yet.
    pub fn created(&mut self, key: &[u8], name: &[u8], consumer: &[u8]) {
        let Some(bytes) = &mut self.bytes else { return };
        encode_command(bytes, &[b"XGROUP", b"CREATECONSUMER", key, name, consumer]);
        self.count += 1;
    }
}

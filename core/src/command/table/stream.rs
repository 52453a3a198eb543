//! Streams and their consumer groups.

use crate::command::keys::{after, key};
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("xack", -4)
        .since("5.0.0")
        .flags("write fast")
        .acl("stream")
        .keys(&[key(1, "RW update")])
        .syntax("key@0 group id...")
        .complexity("O(1) an entry")
        .summary("Tells a consumer group that entries were processed"),
    command("xadd", -5)
        .since("5.0.0")
        .flags("write denyoom fast")
        .acl("stream")
        .keys(&[key(1, "RW update")])
        .syntax(
            "key@0 [NOMKSTREAM] [trim: (strategy: MAXLEN | MINID) [operator: equal='=' | \
             approximately='~'] threshold [LIMIT count:int]] (id_or_auto: auto_id='*' | id) \
             (field_value: field value)...",
        )
        .complexity("O(1), O(N) when N entries are trimmed")
        .summary("Appends an entry to a stream, and can trim it")
        .tips(&["nondeterministic_output"]),
    command("xautoclaim", -6)
        .since("6.2.0")
        .flags("write fast")
        .acl("stream")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 group consumer min-idle-time start [COUNT count:int] [JUSTID]")
        .complexity("O(1) for a small COUNT")
        .summary("Hands entries that waited too long to another consumer, some at a time")
        .tips(&["nondeterministic_output"]),
    command("xclaim", -6)
        .since("5.0.0")
        .flags("write fast")
        .acl("stream")
        .keys(&[key(1, "RW update")])
        .syntax(
            "key@0 group consumer min-idle-time id... [IDLE ms:int] [TIME \
             unix-time-milliseconds:time] [RETRYCOUNT count:int] [FORCE] [JUSTID] [LASTID id]",
        )
        .complexity("O(log(N)), N pending entries of the group")
        .summary("Hands some entries that waited too long to another consumer")
        .tips(&["nondeterministic_output"]),
    command("xdel", -3)
        .since("5.0.0")
        .flags("write fast")
        .acl("stream")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 id...")
        .complexity("O(1) an entry")
        .summary("Deletes entries by their ids"),
    command("xgroup", -2)
        .since("5.0.0")
        .summary("Consumer groups and their consumers"),
    command("xgroup|create", -5)
        .since("5.0.0")
        .flags("write denyoom")
        .acl("stream")
        .keys(&[key(2, "RW insert")])
        .syntax("key@0 groupname (id: id | new_id='$') [MKSTREAM] [ENTRIESREAD entries_read:int]")
        .complexity("O(1)")
        .summary("Adds a consumer group to a stream"),
    command("xgroup|createconsumer", 5)
        .since("6.2.0")
        .flags("write denyoom")
        .acl("stream")
        .keys(&[key(2, "RW insert")])
        .syntax("key@0 groupname consumername")
        .complexity("O(1)")
        .summary("Adds a consumer to a group"),
    command("xgroup|delconsumer", 5)
        .since("5.0.0")
        .flags("write")
        .acl("stream")
        .keys(&[key(2, "RW delete")])
        .syntax("key@0 groupname consumername")
        .complexity("O(1)")
        .summary("Deletes a consumer with its pending entries"),
    command("xgroup|destroy", 4)
        .since("5.0.0")
        .flags("write")
        .acl("stream")
        .keys(&[key(2, "RW delete")])
        .syntax("key@0 groupname")
        .complexity("O(N), N pending entries")
        .summary("Deletes a consumer group"),
    command("xgroup|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .acl("stream")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("xgroup|setid", -5)
        .since("5.0.0")
        .flags("write")
        .acl("stream")
        .keys(&[key(2, "RW update")])
        .syntax("key@0 groupname (id: id | new_id='$') [ENTRIESREAD entries_read:int]")
        .complexity("O(1)")
        .summary("Sets which entry a group delivered last"),
    command("xinfo", -2)
        .since("5.0.0")
        .summary("Streams, groups and consumers described"),
    command("xinfo|consumers", 4)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(2, "RO access")])
        .syntax("key@0 groupname")
        .complexity("O(N), N consumers")
        .summary("Describes the consumers of a group")
        .tips(&["nondeterministic_output"]),
    command("xinfo|groups", 3)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(2, "RO access")])
        .syntax("key@0")
        .complexity("O(N), N groups")
        .summary("Describes the groups of a stream"),
    command("xinfo|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .acl("stream")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("xinfo|stream", -3)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(2, "RO access")])
        .syntax("key@0 [FULL (full: [COUNT count:int])]")
        .complexity("O(1)")
        .summary("Describes a stream"),
    command("xlen", 2)
        .since("5.0.0")
        .flags("readonly fast")
        .acl("stream")
        .keys(&[key(1, "RO")])
        .syntax("key@0")
        .complexity("O(1)")
        .summary("Counts the entries of a stream"),
    command("xpending", -3)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 group [filters: [IDLE min-idle-time:int] start end count:int [consumer]]")
        .complexity("O(N), N entries returned")
        .summary("Shows the entries that a group delivered and nobody acknowledged")
        .tips(&["nondeterministic_output"]),
    command("xrange", -4)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 start end [COUNT count:int]")
        .complexity("O(N), N entries returned")
        .summary("Gives the entries between two ids"),
    command("xread", -4)
        .since("5.0.0")
        .flags("readonly blocking")
        .acl("stream")
        .keys(&[after("STREAMS", 1, -1, 2, "RO access")])
        .syntax("[COUNT count:int] [BLOCK milliseconds:int] STREAMS (streams: key@0... id...)")
        .complexity("O(N) a stream, N entries returned")
        .summary("Gives the newer entries of streams, waiting for some if wanted"),
    command("xreadgroup", -7)
        .since("5.0.0")
        .flags("write blocking")
        .acl("stream")
        .keys(&[after("STREAMS", 4, -1, 2, "RO access")])
        .syntax(
            "GROUP (group_consumer: group consumer) [COUNT count:int] [BLOCK milliseconds:int] \
             [NOACK] STREAMS (streams: key@0... id...)",
        )
        .complexity("O(N) a stream, N entries returned")
        .summary("Gives a consumer its entries of streams, waiting for some if wanted"),
    command("xrevrange", -4)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 end start [COUNT count:int]")
        .complexity("O(N), N entries returned")
        .summary("Gives the entries between two ids, newest first"),
    command("xsetid", -3)
        .since("5.0.0")
        .flags("write denyoom fast")
        .acl("stream")
        .keys(&[key(1, "RW update")])
        .syntax("key@0 last-id [ENTRIESADDED entries_added:int] [MAXDELETEDID max_deleted_entry_id]")
        .complexity("O(1)")
        .summary("Sets the newest id of a stream, for replication"),
    command("xtrim", -4)
        .since("5.0.0")
        .flags("write")
        .acl("stream")
        .keys(&[key(1, "RW delete")])
        .syntax(
            "key@0 (trim: (strategy: MAXLEN | MINID) [operator: equal='=' | approximately='~'] \
             threshold [LIMIT count:int])",
        )
        .complexity("O(N), N entries deleted")
        .summary("Deletes the oldest entries of a stream")
        .tips(&["nondeterministic_output"]),
];

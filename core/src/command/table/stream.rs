//! Streams and their consumer groups.

use crate::command::keys::{after, key};
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("xack", -4)
        .since("5.0.0")
        .flags("write fast")
        .acl("stream")
        .keys(&[key(1, "RW update")])
        .syntax("key@0 group id..."),
    command("xadd", -5)
        .since("5.0.0")
        .flags("write denyoom fast")
        .acl("stream")
        .keys(&[key(1, "RW update")])
        .syntax("key@0 [NOMKSTREAM] [trim: (strategy: MAXLEN | MINID) [operator: equal='=' | approximately='~'] threshold [LIMIT count:int]] (id_or_auto: auto_id='*' | id) (field_value: field value)...")
        .tips(&["nondeterministic_output"]),
    command("xautoclaim", -6)
        .since("6.2.0")
        .flags("write fast")
        .acl("stream")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 group consumer min-idle-time start [COUNT count:int] [JUSTID]")
        .tips(&["nondeterministic_output"]),
    command("xclaim", -6)
        .since("5.0.0")
        .flags("write fast")
        .acl("stream")
        .keys(&[key(1, "RW update")])
        .syntax("key@0 group consumer min-idle-time id... [IDLE ms:int] [TIME unix-time-milliseconds:time] [RETRYCOUNT count:int] [FORCE] [JUSTID] [LASTID id]")
        .tips(&["nondeterministic_output"]),
    command("xdel", -3)
        .since("5.0.0")
        .flags("write fast")
        .acl("stream")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 id..."),
    command("xgroup", -2)
        .since("5.0.0"),
    command("xgroup|create", -5)
        .since("5.0.0")
        .flags("write denyoom")
        .acl("stream")
        .keys(&[key(2, "RW insert")])
        .syntax("key@0 groupname (id: id | new_id='$') [MKSTREAM] [ENTRIESREAD entries_read:int]"),
    command("xgroup|createconsumer", 5)
        .since("6.2.0")
        .flags("write denyoom")
        .acl("stream")
        .keys(&[key(2, "RW insert")])
        .syntax("key@0 groupname consumername"),
    command("xgroup|delconsumer", 5)
        .since("5.0.0")
        .flags("write")
        .acl("stream")
        .keys(&[key(2, "RW delete")])
        .syntax("key@0 groupname consumername"),
    command("xgroup|destroy", 4)
        .since("5.0.0")
        .flags("write")
        .acl("stream")
        .keys(&[key(2, "RW delete")])
        .syntax("key@0 groupname"),
    command("xgroup|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .acl("stream"),
    command("xgroup|setid", -5)
        .since("5.0.0")
        .flags("write")
        .acl("stream")
        .keys(&[key(2, "RW update")])
        .syntax("key@0 groupname (id: id | new_id='$') [ENTRIESREAD entries_read:int]"),
    command("xinfo", -2)
        .since("5.0.0"),
    command("xinfo|consumers", 4)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(2, "RO access")])
        .syntax("key@0 groupname")
        .tips(&["nondeterministic_output"]),
    command("xinfo|groups", 3)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(2, "RO access")])
        .syntax("key@0"),
    command("xinfo|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .acl("stream"),
    command("xinfo|stream", -3)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(2, "RO access")])
        .syntax("key@0 [FULL (full: [COUNT count:int])]"),
    command("xlen", 2)
        .since("5.0.0")
        .flags("readonly fast")
        .acl("stream")
        .keys(&[key(1, "RO")])
        .syntax("key@0"),
    command("xpending", -3)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 group [filters: [IDLE min-idle-time:int] start end count:int [consumer]]")
        .tips(&["nondeterministic_output"]),
    command("xrange", -4)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 start end [COUNT count:int]"),
    command("xread", -4)
        .since("5.0.0")
        .flags("readonly blocking")
        .acl("stream")
        .keys(&[after("STREAMS", 1, -1, 2, "RO access")])
        .syntax("[COUNT count:int] [BLOCK milliseconds:int] STREAMS (streams: key@0... id...)"),
    command("xreadgroup", -7)
        .since("5.0.0")
        .flags("write blocking")
        .acl("stream")
        .keys(&[after("STREAMS", 4, -1, 2, "RO access")])
        .syntax("GROUP (group_consumer: group consumer) [COUNT count:int] [BLOCK milliseconds:int] [NOACK] STREAMS (streams: key@0... id...)"),
    command("xrevrange", -4)
        .since("5.0.0")
        .flags("readonly")
        .acl("stream")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 end start [COUNT count:int]"),
    command("xsetid", -3)
        .since("5.0.0")
        .flags("write denyoom fast")
        .acl("stream")
        .keys(&[key(1, "RW update")])
        .syntax("key@0 last-id [ENTRIESADDED entries_added:int] [MAXDELETEDID max_deleted_entry_id]"),
    command("xtrim", -4)
        .since("5.0.0")
        .flags("write")
        .acl("stream")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 (trim: (strategy: MAXLEN | MINID) [operator: equal='=' | approximately='~'] threshold [LIMIT count:int])")
        .tips(&["nondeterministic_output"]),
];

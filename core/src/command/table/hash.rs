//! Hashes.

use crate::command::keys::key;
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("hdel", -3)
        .since("2.0.0")
        .flags("write fast")
        .acl("hash")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 field..."),
    command("hexists", 3)
        .since("2.0.0")
        .flags("readonly fast")
        .acl("hash")
        .keys(&[key(1, "RO")])
        .syntax("key@0 field"),
    command("hget", 3)
        .since("2.0.0")
        .flags("readonly fast")
        .acl("hash")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 field"),
    command("hgetall", 2)
        .since("2.0.0")
        .flags("readonly")
        .acl("hash")
        .keys(&[key(1, "RO access")])
        .syntax("key@0")
        .tips(&["nondeterministic_output_order"]),
    command("hincrby", 4)
        .since("2.0.0")
        .flags("write denyoom fast")
        .acl("hash")
        .keys(&[key(1, "RW access update")])
        .syntax("key@0 field increment:int"),
    command("hincrbyfloat", 4)
        .since("2.6.0")
        .flags("write denyoom fast")
        .acl("hash")
        .keys(&[key(1, "RW access update")])
        .syntax("key@0 field increment:double"),
    command("hkeys", 2)
        .since("2.0.0")
        .flags("readonly")
        .acl("hash")
        .keys(&[key(1, "RO access")])
        .syntax("key@0")
        .tips(&["nondeterministic_output_order"]),
    command("hlen", 2)
        .since("2.0.0")
        .flags("readonly fast")
        .acl("hash")
        .keys(&[key(1, "RO")])
        .syntax("key@0"),
    command("hmget", -3)
        .since("2.0.0")
        .flags("readonly fast")
        .acl("hash")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 field..."),
    command("hmset", -4)
        .since("2.0.0")
        .flags("write denyoom fast")
        .acl("hash")
        .keys(&[key(1, "RW update")])
        .syntax("key@0 (field_value: field value)...")
        .deprecated("4.0.0", "HSET"),
    command("hrandfield", -2)
        .since("6.2.0")
        .flags("readonly")
        .acl("hash")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 [options: count:int [WITHVALUES]]")
        .tips(&["nondeterministic_output"]),
    command("hscan", -3)
        .since("2.8.0")
        .flags("readonly")
        .acl("hash")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 cursor:int [MATCH pattern:pattern] [COUNT count:int]")
        .tips(&["nondeterministic_output"]),
    command("hset", -4)
        .since("2.0.0")
        .flags("write denyoom fast")
        .acl("hash")
        .keys(&[key(1, "RW update")])
        .syntax("key@0 (field_value: field value)..."),
    command("hsetnx", 4)
        .since("2.0.0")
        .flags("write denyoom fast")
        .acl("hash")
        .keys(&[key(1, "RW insert")])
        .syntax("key@0 field value"),
    command("hstrlen", 3)
        .since("3.2.0")
        .flags("readonly fast")
        .acl("hash")
        .keys(&[key(1, "RO")])
        .syntax("key@0 field"),
    command("hvals", 2)
        .since("2.0.0")
        .flags("readonly")
        .acl("hash")
        .keys(&[key(1, "RO access")])
        .syntax("key@0")
        .tips(&["nondeterministic_output_order"]),
];

//! Strings.

use crate::command::keys::{key, range};
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("append", 3)
        .since("2.0.0")
        .flags("write denyoom fast")
        .acl("string")
        .keys(&[key(1, "RW insert")])
        .syntax("key@0 value"),
    command("decr", 2)
        .since("1.0.0")
        .flags("write denyoom fast")
        .acl("string")
        .keys(&[key(1, "RW access update")])
        .syntax("key@0"),
    command("decrby", 3)
        .since("1.0.0")
        .flags("write denyoom fast")
        .acl("string")
        .keys(&[key(1, "RW access update")])
        .syntax("key@0 decrement:int"),
    command("get", 2)
        .since("1.0.0")
        .flags("readonly fast")
        .acl("string")
        .keys(&[key(1, "RO access")])
        .syntax("key@0"),
    command("getdel", 2)
        .since("6.2.0")
        .flags("write fast")
        .acl("string")
        .keys(&[key(1, "RW access delete")])
        .syntax("key@0"),
    command("getex", -2)
        .since("6.2.0")
        .flags("write fast")
        .acl("string")
        .keys(&[key(1, "RW access update")])
        .syntax("key@0 [expiration: EX seconds:int | PX milliseconds:int | EXAT unix-time-seconds:time | PXAT unix-time-milliseconds:time | PERSIST]"),
    command("getrange", 4)
        .since("2.4.0")
        .flags("readonly")
        .acl("string")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 start:int end:int"),
    command("getset", 3)
        .since("1.0.0")
        .flags("write denyoom fast")
        .acl("string")
        .keys(&[key(1, "RW access update")])
        .syntax("key@0 value")
        .deprecated("6.2.0", "SET ... GET"),
    command("incr", 2)
        .since("1.0.0")
        .flags("write denyoom fast")
        .acl("string")
        .keys(&[key(1, "RW access update")])
        .syntax("key@0"),
    command("incrby", 3)
        .since("1.0.0")
        .flags("write denyoom fast")
        .acl("string")
        .keys(&[key(1, "RW access update")])
        .syntax("key@0 increment:int"),
    command("incrbyfloat", 3)
        .since("2.6.0")
        .flags("write denyoom fast")
        .acl("string")
        .keys(&[key(1, "RW access update")])
        .syntax("key@0 increment:double"),
    command("lcs", -3)
        .since("7.0.0")
        .flags("readonly")
        .acl("string")
        .keys(&[range(1, 1, 1, "RO access")])
        .syntax("key1@0 key2@0 [LEN] [IDX] [MINMATCHLEN len:int] [WITHMATCHLEN]"),
    command("mget", -2)
        .since("1.0.0")
        .flags("readonly fast")
        .acl("string")
        .keys(&[range(1, -1, 1, "RO access")])
        .syntax("key@0...")
        .tips(&["request_policy:multi_shard"]),
    command("mset", -3)
        .since("1.0.1")
        .flags("write denyoom")
        .acl("string")
        .keys(&[range(1, -1, 2, "OW update")])
        .syntax("(key_value: key@0 value)...")
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    command("msetnx", -3)
        .since("1.0.1")
        .flags("write denyoom")
        .acl("string")
        .keys(&[range(1, -1, 2, "OW insert")])
        .syntax("(key_value: key@0 value)...")
        .tips(&["request_policy:multi_shard", "response_policy:agg_min"]),
    command("psetex", 4)
        .since("2.6.0")
        .flags("write denyoom")
        .acl("string")
        .keys(&[key(1, "OW update")])
        .syntax("key@0 milliseconds:int value"),
    command("set", -3)
        .since("1.0.0")
        .flags("write denyoom")
        .acl("string")
        .keys(&[key(1, "RW access update variable_flags")])
        .syntax("key@0 value [condition: NX | XX] [GET] [expiration: EX seconds:int | PX milliseconds:int | EXAT unix-time-seconds:time | PXAT unix-time-milliseconds:time | KEEPTTL]"),
    command("setex", 4)
        .since("2.0.0")
        .flags("write denyoom")
        .acl("string")
        .keys(&[key(1, "OW update")])
        .syntax("key@0 seconds:int value"),
    command("setnx", 3)
        .since("1.0.0")
        .flags("write denyoom fast")
        .acl("string")
        .keys(&[key(1, "OW insert")])
        .syntax("key@0 value"),
    command("setrange", 4)
        .since("2.2.0")
        .flags("write denyoom")
        .acl("string")
        .keys(&[key(1, "RW update")])
        .syntax("key@0 offset:int value"),
    command("strlen", 2)
        .since("2.2.0")
        .flags("readonly fast")
        .acl("string")
        .keys(&[key(1, "RO")])
        .syntax("key@0"),
    command("substr", 4)
        .since("1.0.0")
        .flags("readonly")
        .acl("string")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 start:int end:int")
        .deprecated("2.0.0", "GETRANGE"),
];

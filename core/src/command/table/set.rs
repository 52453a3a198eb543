//! Sets.

use crate::command::keys::{counted, key, range};
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("sadd", -3)
        .since("1.0.0")
        .flags("write denyoom fast")
        .acl("set")
        .keys(&[key(1, "RW insert")])
        .syntax("key@0 member..."),
    command("scard", 2)
        .since("1.0.0")
        .flags("readonly fast")
        .acl("set")
        .keys(&[key(1, "RO")])
        .syntax("key@0"),
    command("sdiff", -2)
        .since("1.0.0")
        .flags("readonly")
        .acl("set")
        .keys(&[range(1, -1, 1, "RO access")])
        .syntax("key@0...")
        .tips(&["nondeterministic_output_order"]),
    command("sdiffstore", -3)
        .since("1.0.0")
        .flags("write denyoom")
        .acl("set")
        .keys(&[key(1, "OW update"), range(2, -1, 1, "RO access")])
        .syntax("destination@0 key@1..."),
    command("sinter", -2)
        .since("1.0.0")
        .flags("readonly")
        .acl("set")
        .keys(&[range(1, -1, 1, "RO access")])
        .syntax("key@0...")
        .tips(&["nondeterministic_output_order"]),
    command("sintercard", -3)
        .since("7.0.0")
        .flags("readonly")
        .acl("set")
        .keys(&[counted(1, "RO access")])
        .syntax("numkeys:int key@0... [LIMIT limit:int]"),
    command("sinterstore", -3)
        .since("1.0.0")
        .flags("write denyoom")
        .acl("set")
        .keys(&[key(1, "RW update"), range(2, -1, 1, "RO access")])
        .syntax("destination@0 key@1..."),
    command("sismember", 3)
        .since("1.0.0")
        .flags("readonly fast")
        .acl("set")
        .keys(&[key(1, "RO")])
        .syntax("key@0 member"),
    command("smembers", 2)
        .since("1.0.0")
        .flags("readonly")
        .acl("set")
        .keys(&[key(1, "RO access")])
        .syntax("key@0")
        .tips(&["nondeterministic_output_order"]),
    command("smismember", -3)
        .since("6.2.0")
        .flags("readonly fast")
        .acl("set")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 member..."),
    command("smove", 4)
        .since("1.0.0")
        .flags("write fast")
        .acl("set")
        .keys(&[key(1, "RW access delete"), key(2, "RW insert")])
        .syntax("source@0 destination@1 member"),
    command("spop", -2)
        .since("1.0.0")
        .flags("write fast")
        .acl("set")
        .keys(&[key(1, "RW access delete")])
        .syntax("key@0 [count:int]")
        .tips(&["nondeterministic_output"]),
    command("srandmember", -2)
        .since("1.0.0")
        .flags("readonly")
        .acl("set")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 [count:int]")
        .tips(&["nondeterministic_output"]),
    command("srem", -3)
        .since("1.0.0")
        .flags("write fast")
        .acl("set")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 member..."),
    command("sscan", -3)
        .since("2.8.0")
        .flags("readonly")
        .acl("set")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 cursor:int [MATCH pattern:pattern] [COUNT count:int]")
        .tips(&["nondeterministic_output"]),
    command("sunion", -2)
        .since("1.0.0")
        .flags("readonly")
        .acl("set")
        .keys(&[range(1, -1, 1, "RO access")])
        .syntax("key@0...")
        .tips(&["nondeterministic_output_order"]),
    command("sunionstore", -3)
        .since("1.0.0")
        .flags("write denyoom")
        .acl("set")
        .keys(&[key(1, "OW update"), range(2, -1, 1, "RO access")])
        .syntax("destination@0 key@1..."),
];

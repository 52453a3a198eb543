//! Lists.

use crate::command::keys::{counted, key, range};
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("blmove", 6)
        .since("6.2.0")
        .flags("write denyoom noscript blocking")
        .acl("list")
        .keys(&[key(1, "RW access delete"), key(2, "RW insert")])
        .syntax("source@0 destination@1 (wherefrom: LEFT | RIGHT) (whereto: LEFT | RIGHT) timeout:double"),
    command("blmpop", -5)
        .since("7.0.0")
        .flags("write blocking")
        .acl("list")
        .keys(&[counted(2, "RW access delete")])
        .syntax("timeout:double numkeys:int key@0... (where: LEFT | RIGHT) [COUNT count:int]"),
    command("blpop", -3)
        .since("2.0.0")
        .flags("write noscript blocking")
        .acl("list")
        .keys(&[range(1, -2, 1, "RW access delete")])
        .syntax("key@0... timeout:double"),
    command("brpop", -3)
        .since("2.0.0")
        .flags("write noscript blocking")
        .acl("list")
        .keys(&[range(1, -2, 1, "RW access delete")])
        .syntax("key@0... timeout:double"),
    command("brpoplpush", 4)
        .since("2.2.0")
        .flags("write denyoom noscript blocking")
        .acl("list")
        .keys(&[key(1, "RW access delete"), key(2, "RW insert")])
        .syntax("source@0 destination@1 timeout:double")
        .deprecated("6.2.0", "BLMOVE ... RIGHT LEFT"),
    command("lindex", 3)
        .since("1.0.0")
        .flags("readonly")
        .acl("list")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 index:int"),
    command("linsert", 5)
        .since("2.2.0")
        .flags("write denyoom")
        .acl("list")
        .keys(&[key(1, "RW insert")])
        .syntax("key@0 (where: BEFORE | AFTER) pivot element"),
    command("llen", 2)
        .since("1.0.0")
        .flags("readonly fast")
        .acl("list")
        .keys(&[key(1, "RO")])
        .syntax("key@0"),
    command("lmove", 5)
        .since("6.2.0")
        .flags("write denyoom")
        .acl("list")
        .keys(&[key(1, "RW access delete"), key(2, "RW insert")])
        .syntax("source@0 destination@1 (wherefrom: LEFT | RIGHT) (whereto: LEFT | RIGHT)"),
    command("lmpop", -4)
        .since("7.0.0")
        .flags("write")
        .acl("list")
        .keys(&[counted(1, "RW access delete")])
        .syntax("numkeys:int key@0... (where: LEFT | RIGHT) [COUNT count:int]"),
    command("lpop", -2)
        .since("1.0.0")
        .flags("write fast")
        .acl("list")
        .keys(&[key(1, "RW access delete")])
        .syntax("key@0 [count:int]"),
    command("lpos", -3)
        .since("6.0.6")
        .flags("readonly")
        .acl("list")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 element [RANK rank:int] [COUNT num-matches:int] [MAXLEN len:int]"),
    command("lpush", -3)
        .since("1.0.0")
        .flags("write denyoom fast")
        .acl("list")
        .keys(&[key(1, "RW insert")])
        .syntax("key@0 element..."),
    command("lpushx", -3)
        .since("2.2.0")
        .flags("write denyoom fast")
        .acl("list")
        .keys(&[key(1, "RW insert")])
        .syntax("key@0 element..."),
    command("lrange", 4)
        .since("1.0.0")
        .flags("readonly")
        .acl("list")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 start:int stop:int"),
    command("lrem", 4)
        .since("1.0.0")
        .flags("write")
        .acl("list")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 count:int element"),
    command("lset", 4)
        .since("1.0.0")
        .flags("write denyoom")
        .acl("list")
        .keys(&[key(1, "RW update")])
        .syntax("key@0 index:int element"),
    command("ltrim", 4)
        .since("1.0.0")
        .flags("write")
        .acl("list")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 start:int stop:int"),
    command("rpop", -2)
        .since("1.0.0")
        .flags("write fast")
        .acl("list")
        .keys(&[key(1, "RW access delete")])
        .syntax("key@0 [count:int]"),
    command("rpoplpush", 3)
        .since("1.2.0")
        .flags("write denyoom")
        .acl("list")
        .keys(&[key(1, "RW access delete"), key(2, "RW insert")])
        .syntax("source@0 destination@1")
        .deprecated("6.2.0", "LMOVE ... RIGHT LEFT"),
    command("rpush", -3)
        .since("1.0.0")
        .flags("write denyoom fast")
        .acl("list")
        .keys(&[key(1, "RW insert")])
        .syntax("key@0 element..."),
    command("rpushx", -3)
        .since("2.2.0")
        .flags("write denyoom fast")
        .acl("list")
        .keys(&[key(1, "RW insert")])
        .syntax("key@0 element..."),
];

//! The connection and its client.

use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("auth", -2)
        .since("1.0.0")
        .flags("noscript loading stale fast no_auth allow_busy")
        .acl("connection")
        .syntax("[username] password"),
    command("client", -2)
        .since("2.4.0"),
    command("client|caching", 3)
        .since("6.0.0")
        .flags("noscript loading stale")
        .acl("connection")
        .syntax("(mode: YES | NO)"),
    command("client|getname", 2)
        .since("2.6.9")
        .flags("noscript loading stale")
        .acl("connection"),
    command("client|getredir", 2)
        .since("6.0.0")
        .flags("noscript loading stale")
        .acl("connection"),
    command("client|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .acl("connection"),
    command("client|id", 2)
        .since("5.0.0")
        .flags("noscript loading stale")
        .acl("connection"),
    command("client|info", 2)
        .since("6.2.0")
        .flags("noscript loading stale")
        .acl("connection")
        .tips(&["nondeterministic_output"]),
    command("client|kill", -3)
        .since("2.4.0")
        .flags("admin noscript loading stale")
        .acl("connection")
        .syntax("(filter: ip:port | (new-format: [ID client-id:int] | [TYPE (normal_master_slave_pubsub: NORMAL | MASTER | SLAVE | REPLICA | PUBSUB)] | [USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME yes/no])...)"),
    command("client|list", -2)
        .since("2.4.0")
        .flags("admin noscript loading stale")
        .acl("connection")
        .syntax("[TYPE (normal_master_replica_pubsub: NORMAL | MASTER | REPLICA | PUBSUB)] [ID (id: client-id:int...)]")
        .tips(&["nondeterministic_output"]),
    command("client|no-evict", 3)
        .since("7.0.0")
        .flags("admin noscript loading stale")
        .acl("connection")
        .syntax("(enabled: ON | OFF)"),
    command("client|pause", -3)
        .since("2.9.50")
        .flags("admin noscript loading stale")
        .acl("connection")
        .syntax("timeout:int [mode: WRITE | ALL]"),
    command("client|reply", 3)
        .since("3.2.0")
        .flags("noscript loading stale")
        .acl("connection")
        .syntax("(on_off_skip: ON | OFF | SKIP)"),
    command("client|setinfo", 4)
        .since("7.2.0")
        .flags("noscript loading stale")
        .acl("connection")
        .syntax("(attr: LIB-NAME libname | LIB-VER libver)")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("client|setname", 3)
        .since("2.6.9")
        .flags("noscript loading stale")
        .acl("connection")
        .syntax("connection-name"),
    command("client|tracking", -3)
        .since("6.0.0")
        .flags("noscript loading stale")
        .acl("connection")
        .syntax("(status: ON | OFF) [REDIRECT client-id:int] [PREFIX prefix]... [BCAST] [OPTIN] [OPTOUT] [NOLOOP]"),
    command("client|trackinginfo", 2)
        .since("6.2.0")
        .flags("noscript loading stale")
        .acl("connection"),
    command("client|unblock", -3)
        .since("5.0.0")
        .flags("admin noscript loading stale")
        .acl("connection")
        .syntax("client-id:int [timeout_error: TIMEOUT | ERROR]"),
    command("client|unpause", 2)
        .since("6.2.0")
        .flags("admin noscript loading stale")
        .acl("connection"),
    command("echo", 2)
        .since("1.0.0")
        .flags("loading stale fast")
        .acl("connection")
        .syntax("message"),
    command("hello", -1)
        .since("6.0.0")
        .flags("noscript loading stale fast no_auth allow_busy")
        .acl("connection")
        .syntax("[arguments: protover:int [AUTH (username_password: username password)] [SETNAME clientname]]"),
    command("ping", -1)
        .since("1.0.0")
        .flags("fast")
        .acl("connection")
        .syntax("[message]")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("quit", -1)
        .since("1.0.0")
        .flags("noscript loading stale fast no_auth allow_busy")
        .acl("connection"),
    command("reset", 1)
        .since("6.2.0")
        .flags("noscript loading stale fast no_auth allow_busy")
        .acl("connection"),
    command("select", 2)
        .since("1.0.0")
        .flags("loading stale fast")
        .acl("connection")
        .syntax("index:int"),
];

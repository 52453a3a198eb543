//! The connection and its client.

use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("auth", -2)
        .since("1.0.0")
        .flags("noscript loading stale fast no_auth allow_busy")
        .acl("connection")
        .syntax("[username] password")
        .complexity("O(N), N passwords of the user")
        .summary("Proves who the client is"),
    command("client", -2)
        .since("2.4.0")
        .summary("This connection and the others"),
    command("client|caching", 3)
        .since("6.0.0")
        .flags("noscript loading stale")
        .acl("connection")
        .syntax("(mode: YES | NO)")
        .complexity("O(1)")
        .summary("Says whether the keys of the next command are to be tracked"),
    command("client|getname", 2)
        .since("2.6.9")
        .flags("noscript loading stale")
        .acl("connection")
        .complexity("O(1)")
        .summary("Tells the name of this connection"),
    command("client|getredir", 2)
        .since("6.0.0")
        .flags("noscript loading stale")
        .acl("connection")
        .complexity("O(1)")
        .summary("Tells which client gets the invalidations of this one"),
    command("client|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .acl("connection")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("client|id", 2)
        .since("5.0.0")
        .flags("noscript loading stale")
        .acl("connection")
        .complexity("O(1)")
        .summary("Tells the number of this connection"),
    command("client|info", 2)
        .since("6.2.0")
        .flags("noscript loading stale")
        .acl("connection")
        .complexity("O(1)")
        .summary("Describes this connection")
        .tips(&["nondeterministic_output"]),
    command("client|kill", -3)
        .since("2.4.0")
        .flags("admin noscript loading stale")
        .acl("connection")
        .syntax(
            "(filter: ip:port | (new-format: [ID client-id:int] | [TYPE (normal_master_slave_pubsub: \
             NORMAL | MASTER | SLAVE | REPLICA | PUBSUB)] | [USER username] | [ADDR ip:port] | \
             [LADDR ip:port] | [SKIPME yes/no])...)",
        )
        .complexity("O(N), N connections")
        .summary("Closes connections that match"),
    command("client|list", -2)
        .since("2.4.0")
        .flags("admin noscript loading stale")
        .acl("connection")
        .syntax(
            "[TYPE (normal_master_replica_pubsub: NORMAL | MASTER | REPLICA | PUBSUB)] [ID (id: \
             client-id:int...)]",
        )
        .complexity("O(N), N connections")
        .summary("Describes all connections")
        .tips(&["nondeterministic_output"]),
    command("client|no-evict", 3)
        .since("7.0.0")
        .flags("admin noscript loading stale")
        .acl("connection")
        .syntax("(enabled: ON | OFF)")
        .complexity("O(1)")
        .summary("Protects this connection from being closed to save memory"),
    command("client|pause", -3)
        .since("2.9.50")
        .flags("admin noscript loading stale")
        .acl("connection")
        .syntax("timeout:int [mode: WRITE | ALL]")
        .complexity("O(1)")
        .summary("Holds back commands of clients for a while"),
    command("client|reply", 3)
        .since("3.2.0")
        .flags("noscript loading stale")
        .acl("connection")
        .syntax("(on_off_skip: ON | OFF | SKIP)")
        .complexity("O(1)")
        .summary("Switches replies to this connection on or off, or skips one"),
    command("client|setinfo", 4)
        .since("7.2.0")
        .flags("noscript loading stale")
        .acl("connection")
        .syntax("(attr: LIB-NAME libname | LIB-VER libver)")
        .complexity("O(1)")
        .summary("Records which client library this connection uses, and its version")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("client|setname", 3)
        .since("2.6.9")
        .flags("noscript loading stale")
        .acl("connection")
        .syntax("connection-name")
        .complexity("O(1)")
        .summary("Names this connection"),
    command("client|tracking", -3)
        .since("6.0.0")
        .flags("noscript loading stale")
        .acl("connection")
        .syntax(
            "(status: ON | OFF) [REDIRECT client-id:int] [PREFIX prefix]... [BCAST] [OPTIN] [OPTOUT] \
             [NOLOOP]",
        )
        .complexity("O(1)")
        .summary("Switches invalidation messages for keys read on or off"),
    command("client|trackinginfo", 2)
        .since("6.2.0")
        .flags("noscript loading stale")
        .acl("connection")
        .complexity("O(1)")
        .summary("Tells how keys are tracked for this connection"),
    command("client|unblock", -3)
        .since("5.0.0")
        .flags("admin noscript loading stale")
        .acl("connection")
        .syntax("client-id:int [timeout_error: TIMEOUT | ERROR]")
        .complexity("O(log(N)), N connections")
        .summary("Wakes another client from a blocking command"),
    command("client|unpause", 2)
        .since("6.2.0")
        .flags("admin noscript loading stale")
        .acl("connection")
        .complexity("O(N), N paused clients")
        .summary("Ends a pause of clients early"),
    command("echo", 2)
        .since("1.0.0")
        .flags("loading stale fast")
        .acl("connection")
        .syntax("message")
        .complexity("O(1)")
        .summary("Sends back what it gets"),
    command("hello", -1)
        .since("6.0.0")
        .flags("noscript loading stale fast no_auth allow_busy")
        .acl("connection")
        .syntax(
            "[arguments: protover:int [AUTH (username_password: username password)] [SETNAME \
             clientname]]",
        )
        .complexity("O(1)")
        .summary("Agrees on the protocol version, and can log in"),
    command("ping", -1)
        .since("1.0.0")
        .flags("fast")
        .acl("connection")
        .syntax("[message]")
        .complexity("O(1)")
        .summary("Answers, so that the client knows the server is there")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("quit", -1)
        .since("1.0.0")
        .flags("noscript loading stale fast no_auth allow_busy")
        .acl("connection")
        .complexity("O(1)")
        .summary("Says goodbye; the server closes the connection"),
    command("reset", 1)
        .since("6.2.0")
        .flags("noscript loading stale fast no_auth allow_busy")
        .acl("connection")
        .complexity("O(1)")
        .summary("Makes the connection as good as new"),
    command("select", 2)
        .since("1.0.0")
        .flags("loading stale fast")
        .acl("connection")
        .syntax("index:int")
        .complexity("O(1)")
        .summary("Switches this connection to another numbered database"),
];

//! The server: configuration, persistence, replication, monitoring.

use crate::command::keys::key;
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("acl", -2).since("6.0.0"),
    command("acl|cat", -2)
        .since("6.0.0")
        .flags("noscript loading stale")
        .syntax("[categoryname]"),
    command("acl|deluser", -3)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .syntax("username..."),
    command("acl|dryrun", -4)
        .since("7.0.0")
        .flags("admin noscript loading stale")
        .syntax("username command [arg...]"),
    command("acl|genpass", -2)
        .since("6.0.0")
        .flags("noscript loading stale")
        .syntax("[bits:int]"),
    command("acl|getuser", 3)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .syntax("username"),
    command("acl|help", 2).since("6.0.0").flags("loading stale"),
    command("acl|list", 2)
        .since("6.0.0")
        .flags("admin noscript loading stale"),
    command("acl|load", 2)
        .since("6.0.0")
        .flags("admin noscript loading stale"),
    command("acl|log", -2)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .syntax("[operation: count:int | RESET]"),
    command("acl|save", 2)
        .since("6.0.0")
        .flags("admin noscript loading stale"),
    command("acl|setuser", -3)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .syntax("username [rule...]"),
    command("acl|users", 2)
        .since("6.0.0")
        .flags("admin noscript loading stale"),
    command("acl|whoami", 2)
        .since("6.0.0")
        .flags("noscript loading stale"),
    command("bgrewriteaof", 1)
        .since("1.0.0")
        .flags("admin noscript no_async_loading"),
    command("bgsave", -1)
        .since("1.0.0")
        .flags("admin noscript no_async_loading")
        .syntax("[SCHEDULE]"),
    command("command", -1)
        .since("2.8.13")
        .flags("loading stale")
        .acl("connection")
        .tips(&["nondeterministic_output_order"]),
    command("command|count", 2)
        .since("2.8.13")
        .flags("loading stale")
        .acl("connection"),
    command("command|docs", -2)
        .since("7.0.0")
        .flags("loading stale")
        .acl("connection")
        .syntax("[command-name...]")
        .tips(&["nondeterministic_output_order"]),
    command("command|getkeys", -4)
        .since("2.8.13")
        .flags("loading stale")
        .acl("connection"),
    command("command|getkeysandflags", -4)
        .since("7.0.0")
        .flags("loading stale")
        .acl("connection"),
    command("command|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .acl("connection"),
    command("command|info", -2)
        .since("2.8.13")
        .flags("loading stale")
        .acl("connection")
        .syntax("[command-name...]")
        .tips(&["nondeterministic_output_order"]),
    command("command|list", -2)
        .since("7.0.0")
        .flags("loading stale")
        .acl("connection")
        .syntax("[FILTERBY (filterby: MODULE module-name | ACLCAT category | PATTERN pattern:pattern)]")
        .tips(&["nondeterministic_output_order"]),
    command("config", -2).since("2.0.0"),
    command("config|get", -3)
        .since("2.0.0")
        .flags("admin noscript loading stale")
        .syntax("(parameter: parameter)..."),
    command("config|help", 2).since("5.0.0").flags("loading stale"),
    command("config|resetstat", 2)
        .since("2.0.0")
        .flags("admin noscript loading stale"),
    command("config|rewrite", 2)
        .since("2.8.0")
        .flags("admin noscript loading stale"),
    command("config|set", -4)
        .since("2.0.0")
        .flags("admin noscript loading stale")
        .syntax("(parameter_value: parameter value)...")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("dbsize", 1)
        .since("1.0.0")
        .flags("readonly fast")
        .acl("keyspace")
        .tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    command("debug", -2)
        .since("1.0.0")
        .flags("admin noscript loading stale")
        .internal(),
    command("failover", -1)
        .since("6.2.0")
        .flags("admin noscript stale")
        .syntax("[TO (target: host port:int [FORCE])] [ABORT] [TIMEOUT milliseconds:int]"),
    command("flushall", -1)
        .since("1.0.0")
        .flags("write")
        .acl("keyspace dangerous")
        .syntax("[async: ASYNC | SYNC]")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("flushdb", -1)
        .since("1.0.0")
        .flags("write")
        .acl("keyspace dangerous")
        .syntax("[async: ASYNC | SYNC]")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("info", -1)
        .since("1.0.0")
        .flags("loading stale")
        .acl("dangerous")
        .syntax("[section...]")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ]),
    command("lastsave", 1)
        .since("1.0.0")
        .flags("loading stale fast")
        .acl("admin dangerous")
        .tips(&["nondeterministic_output"]),
    command("latency", -2).since("2.8.13"),
    command("latency|doctor", 2)
        .since("2.8.13")
        .flags("admin noscript loading stale")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ]),
    command("latency|graph", 3)
        .since("2.8.13")
        .flags("admin noscript loading stale")
        .syntax("event")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ]),
    command("latency|help", 2).since("2.8.13").flags("loading stale"),
    command("latency|histogram", -2)
        .since("7.0.0")
        .flags("admin noscript loading stale")
        .syntax("[command...]")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ]),
    command("latency|history", 3)
        .since("2.8.13")
        .flags("admin noscript loading stale")
        .syntax("event")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ]),
    command("latency|latest", 2)
        .since("2.8.13")
        .flags("admin noscript loading stale")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ]),
    command("latency|reset", -2)
        .since("2.8.13")
        .flags("admin noscript loading stale")
        .syntax("[event...]")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("lolwut", -1)
        .since("5.0.0")
        .flags("readonly fast")
        .syntax("[VERSION version:int]"),
    command("memory", -2).since("4.0.0"),
    command("memory|doctor", 2).since("4.0.0").tips(&[
        "nondeterministic_output",
        "request_policy:all_shards",
        "response_policy:special",
    ]),
    command("memory|help", 2).since("4.0.0").flags("loading stale"),
    command("memory|malloc-stats", 2).since("4.0.0").tips(&[
        "nondeterministic_output",
        "request_policy:all_shards",
        "response_policy:special",
    ]),
    command("memory|purge", 2)
        .since("4.0.0")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("memory|stats", 2).since("4.0.0").tips(&[
        "nondeterministic_output",
        "request_policy:all_shards",
        "response_policy:special",
    ]),
    command("memory|usage", -3)
        .since("4.0.0")
        .flags("readonly")
        .keys(&[key(2, "RO")])
        .syntax("key@0 [SAMPLES count:int]"),
    command("module", -2).since("4.0.0"),
    command("module|help", 2).since("5.0.0").flags("loading stale"),
    command("module|list", 2)
        .since("4.0.0")
        .flags("admin noscript")
        .tips(&["nondeterministic_output_order"]),
    command("module|load", -3)
        .since("4.0.0")
        .flags("admin noscript no_async_loading")
        .syntax("path [arg...]"),
    command("module|loadex", -3)
        .since("7.0.0")
        .flags("admin noscript no_async_loading")
        .syntax("path [CONFIG (configs: name value)]... [ARGS (args: arg)...]"),
    command("module|unload", 3)
        .since("4.0.0")
        .flags("admin noscript no_async_loading")
        .syntax("name"),
    command("monitor", 1)
        .since("1.0.0")
        .flags("admin noscript loading stale"),
    command("psync", -3)
        .since("2.8.0")
        .flags("admin noscript no_multi no_async_loading")
        .syntax("replicationid offset:int"),
    command("replconf", -1)
        .since("3.0.0")
        .flags("admin noscript loading stale allow_busy")
        .internal(),
    command("replicaof", 3)
        .since("5.0.0")
        .flags("admin noscript stale no_async_loading")
        .syntax("(args: (host-port: host port:int) | (no-one: NO ONE))"),
    command("restore-asking", -4)
        .since("3.0.0")
        .flags("write denyoom asking")
        .acl("keyspace dangerous")
        .keys(&[key(1, "OW update")])
        .syntax(
            "key@0 ttl:int serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:int] [FREQ frequency:int]",
        )
        .internal(),
    command("role", 1)
        .since("2.8.12")
        .flags("noscript loading stale fast")
        .acl("admin dangerous"),
    command("save", 1)
        .since("1.0.0")
        .flags("admin noscript no_multi no_async_loading"),
    command("shutdown", -1)
        .since("1.0.0")
        .flags("admin noscript loading stale no_multi allow_busy")
        .syntax("[nosave_save: NOSAVE | SAVE] [NOW] [FORCE] [ABORT]"),
    command("slaveof", 3)
        .since("1.0.0")
        .flags("admin noscript stale no_async_loading")
        .syntax("(args: (host-port: host port:int) | (no-one: NO ONE))")
        .deprecated("5.0.0", "REPLICAOF"),
    command("slowlog", -2).since("2.2.12"),
    command("slowlog|get", -2)
        .since("2.2.12")
        .flags("admin loading stale")
        .syntax("[count:int]")
        .tips(&["request_policy:all_nodes", "nondeterministic_output"]),
    command("slowlog|help", 2).since("6.2.0").flags("loading stale"),
    command("slowlog|len", 2)
        .since("2.2.12")
        .flags("admin loading stale")
        .tips(&[
            "request_policy:all_nodes",
            "response_policy:agg_sum",
            "nondeterministic_output",
        ]),
    command("slowlog|reset", 2)
        .since("2.2.12")
        .flags("admin loading stale")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("swapdb", 3)
        .since("4.0.0")
        .flags("write fast")
        .acl("keyspace dangerous")
        .syntax("index1:int index2:int"),
    command("sync", 1)
        .since("1.0.0")
        .flags("admin noscript no_multi no_async_loading"),
    command("time", 1)
        .since("2.6.0")
        .flags("loading stale fast")
        .tips(&["nondeterministic_output"]),
];

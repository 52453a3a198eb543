//! The cluster as seen by a node, and its slots.

use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("asking", 1)
        .since("3.0.0")
        .flags("fast")
        .acl("connection"),
    command("cluster", -2)
        .since("3.0.0"),
    command("cluster|addslots", -3)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("slot:int..."),
    command("cluster|addslotsrange", -4)
        .since("7.0.0")
        .flags("admin stale no_async_loading")
        .syntax("(start-slot_end-slot: start-slot:int end-slot:int)..."),
    command("cluster|bumpepoch", 2)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .tips(&["nondeterministic_output"]),
    command("cluster|count-failure-reports", 3)
        .since("3.0.0")
        .flags("admin stale")
        .syntax("node-id")
        .tips(&["nondeterministic_output"]),
    command("cluster|countkeysinslot", 3)
        .since("3.0.0")
        .flags("stale")
        .syntax("slot:int"),
    command("cluster|delslots", -3)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("slot:int..."),
    command("cluster|delslotsrange", -4)
        .since("7.0.0")
        .flags("admin stale no_async_loading")
        .syntax("(start-slot_end-slot: start-slot:int end-slot:int)..."),
    command("cluster|failover", -2)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("[options: FORCE | TAKEOVER]"),
    command("cluster|flushslots", 2)
        .since("3.0.0")
        .flags("admin stale no_async_loading"),
    command("cluster|forget", 3)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("node-id"),
    command("cluster|getkeysinslot", 4)
        .since("3.0.0")
        .flags("stale")
        .syntax("slot:int count:int")
        .tips(&["nondeterministic_output"]),
    command("cluster|help", 2)
        .since("5.0.0")
        .flags("loading stale"),
    command("cluster|info", 2)
        .since("3.0.0")
        .flags("stale")
        .tips(&["nondeterministic_output"]),
    command("cluster|keyslot", 3)
        .since("3.0.0")
        .flags("stale")
        .syntax("key"),
    command("cluster|links", 2)
        .since("7.0.0")
        .flags("stale")
        .tips(&["nondeterministic_output"]),
    command("cluster|meet", -4)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("ip port:int [cluster_bus_port:int]"),
    command("cluster|myid", 2)
        .since("3.0.0")
        .flags("stale"),
    command("cluster|nodes", 2)
        .since("3.0.0")
        .flags("stale")
        .tips(&["nondeterministic_output"]),
    command("cluster|replicas", 3)
        .since("5.0.0")
        .flags("admin stale")
        .syntax("node-id")
        .tips(&["nondeterministic_output"]),
    command("cluster|replicate", 3)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("node-id"),
    command("cluster|reset", -2)
        .since("3.0.0")
        .flags("admin noscript stale")
        .syntax("[hard_soft: HARD | SOFT]"),
    command("cluster|saveconfig", 2)
        .since("3.0.0")
        .flags("admin stale no_async_loading"),
    command("cluster|set-config-epoch", 3)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("config-epoch:int"),
    command("cluster|setslot", -4)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("slot:int (subcommand: IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE)"),
    command("cluster|shards", 2)
        .since("7.0.0")
        .flags("stale")
        .tips(&["nondeterministic_output"]),
    command("cluster|slaves", 3)
        .since("3.0.0")
        .flags("admin stale")
        .syntax("node-id")
        .tips(&["nondeterministic_output"])
        .deprecated("5.0.0", "CLUSTER REPLICAS"),
    command("cluster|slot-stats", -4)
        .since("8.0.0")
        .flags("loading stale")
        .syntax("(filter: SLOTSRANGE (slotsrange: start-slot:int end-slot:int) | ORDERBY (orderby: (metric: KEY-COUNT | CPU-USEC | NETWORK-BYTES-IN | NETWORK-BYTES-OUT) [LIMIT limit:int] [order: ASC | DESC]))")
        .tips(&["nondeterministic_output", "request_policy:all_shards"]),
    command("cluster|slots", 2)
        .since("3.0.0")
        .flags("stale")
        .tips(&["nondeterministic_output"])
        .deprecated("7.0.0", "CLUSTER SHARDS"),
    command("readonly", 1)
        .since("3.0.0")
        .flags("loading stale fast")
        .acl("connection"),
    command("readwrite", 1)
        .since("3.0.0")
        .flags("loading stale fast")
        .acl("connection"),
];

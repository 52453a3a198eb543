//! The cluster as seen by a node, and its slots.

use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("asking", 1)
        .since("3.0.0")
        .flags("fast")
        .acl("connection")
        .complexity("O(1)")
        .summary("Lets the next command reach a slot that is still being imported"),
    command("cluster", -2)
        .since("3.0.0")
        .summary("The cluster, its slots, and this node's part in it"),
    command("cluster|addslots", -3)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("slot:int...")
        .complexity("O(N), N slots")
        .summary("Makes this node the owner of unassigned slots"),
    command("cluster|addslotsrange", -4)
        .since("7.0.0")
        .flags("admin stale no_async_loading")
        .syntax("(start-slot_end-slot: start-slot:int end-slot:int)...")
        .complexity("O(N), N slots in the ranges")
        .summary("Makes this node the owner of unassigned ranges of slots"),
    command("cluster|bumpepoch", 2)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .complexity("O(1)")
        .summary("Gives this node a newer config epoch than all others")
        .tips(&["nondeterministic_output"]),
    command("cluster|count-failure-reports", 3)
        .since("3.0.0")
        .flags("admin stale")
        .syntax("node-id")
        .complexity("O(N), N reports")
        .summary("Counts the nodes that say a node has failed")
        .tips(&["nondeterministic_output"]),
    command("cluster|countkeysinslot", 3)
        .since("3.0.0")
        .flags("stale")
        .syntax("slot:int")
        .complexity("O(1)")
        .summary("Counts the keys that this node holds in a slot"),
    command("cluster|delslots", -3)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("slot:int...")
        .complexity("O(N), N slots")
        .summary("Makes this node forget who owns some slots"),
    command("cluster|delslotsrange", -4)
        .since("7.0.0")
        .flags("admin stale no_async_loading")
        .syntax("(start-slot_end-slot: start-slot:int end-slot:int)...")
        .complexity("O(N), N slots in the ranges")
        .summary("Makes this node forget who owns some ranges of slots"),
    command("cluster|failover", -2)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("[options: FORCE | TAKEOVER]")
        .complexity("O(1)")
        .summary("Makes this replica take over from its master"),
    command("cluster|flushslots", 2)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .complexity("O(1)")
        .summary("Drops all slots of this node, which must be empty"),
    command("cluster|forget", 3)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("node-id")
        .complexity("O(1)")
        .summary("Drops a node from those that this one knows"),
    command("cluster|getkeysinslot", 4)
        .since("3.0.0")
        .flags("stale")
        .syntax("slot:int count:int")
        .complexity("O(N), N keys asked for")
        .summary("Names some keys that this node holds in a slot")
        .tips(&["nondeterministic_output"]),
    command("cluster|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("cluster|info", 2)
        .since("3.0.0")
        .flags("stale")
        .complexity("O(1)")
        .summary("Shows how the cluster is doing, as this node sees it")
        .tips(&["nondeterministic_output"]),
    command("cluster|keyslot", 3)
        .since("3.0.0")
        .flags("stale")
        .syntax("key")
        .complexity("O(N), N bytes that are hashed")
        .summary("Computes the slot of a key"),
    command("cluster|links", 2)
        .since("7.0.0")
        .flags("stale")
        .complexity("O(N), N nodes")
        .summary("Shows the bus connections of this node")
        .tips(&["nondeterministic_output"]),
    command("cluster|meet", -4)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("ip port:int [cluster_bus_port:int]")
        .complexity("O(1)")
        .summary("Introduces another node to this one"),
    command("cluster|myid", 2)
        .since("3.0.0")
        .flags("stale")
        .complexity("O(1)")
        .summary("Tells the id of this node"),
    command("cluster|nodes", 2)
        .since("3.0.0")
        .flags("stale")
        .complexity("O(N), N nodes")
        .summary("Shows all nodes and their slots, a line each")
        .tips(&["nondeterministic_output"]),
    command("cluster|replicas", 3)
        .since("5.0.0")
        .flags("admin stale")
        .syntax("node-id")
        .complexity("O(N), N replicas")
        .summary("Shows the replicas of a master")
        .tips(&["nondeterministic_output"]),
    command("cluster|replicate", 3)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("node-id")
        .complexity("O(1)")
        .summary("Makes this node a replica of a master"),
    command("cluster|reset", -2)
        .since("3.0.0")
        .flags("admin noscript stale")
        .syntax("[hard_soft: HARD | SOFT]")
        .complexity("O(N), N nodes known; may also empty the node")
        .summary("Makes this node forget the cluster"),
    command("cluster|saveconfig", 2)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .complexity("O(1)")
        .summary("Writes the node's view of the cluster to its file"),
    command("cluster|set-config-epoch", 3)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("config-epoch:int")
        .complexity("O(1)")
        .summary("Sets the config epoch of a node that has none yet"),
    command("cluster|setslot", -4)
        .since("3.0.0")
        .flags("admin stale no_async_loading")
        .syntax("slot:int (subcommand: IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE)")
        .complexity("O(1)")
        .summary("Begins, ends or cancels the move of a slot, or sets its owner"),
    command("cluster|shards", 2)
        .since("7.0.0")
        .flags("stale")
        .complexity("O(N), N nodes")
        .summary("Shows each shard with its slots and nodes")
        .tips(&["nondeterministic_output"]),
    command("cluster|slaves", 3)
        .since("3.0.0")
        .flags("admin stale")
        .syntax("node-id")
        .complexity("O(N), N replicas")
        .summary("Shows the replicas of a master, by the older name")
        .tips(&["nondeterministic_output"])
        .deprecated("5.0.0", "CLUSTER REPLICAS"),
    command("cluster|slot-stats", -4)
        .since("8.0.0")
        .flags("loading stale")
        .syntax(
            "(filter: SLOTSRANGE (slotsrange: start-slot:int end-slot:int) | ORDERBY (orderby: \
             (metric: KEY-COUNT | CPU-USEC | NETWORK-BYTES-IN | NETWORK-BYTES-OUT) [LIMIT limit:int] \
             [order: ASC | DESC]))",
        )
        .complexity("O(N), N slots; O(N*log(N)) if ordered")
        .summary("Shows what each slot holds and what its traffic cost")
        .tips(&["nondeterministic_output", "request_policy:all_shards"]),
    command("cluster|slots", 2)
        .since("3.0.0")
        .flags("stale")
        .complexity("O(N), N nodes")
        .summary("Shows which nodes serve each range of slots")
        .tips(&["nondeterministic_output"])
        .deprecated("7.0.0", "CLUSTER SHARDS"),
    command("readonly", 1)
        .since("3.0.0")
        .flags("loading stale fast")
        .acl("connection")
        .complexity("O(1)")
        .summary("Lets this connection read from a replica"),
    command("readwrite", 1)
        .since("3.0.0")
        .flags("loading stale fast")
        .acl("connection")
        .complexity("O(1)")
        .summary("Sends this connection's reads to masters again"),
];

//! The server: configuration, persistence, replication, monitoring.

use crate::command::keys::key;
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("acl", -2)
        .since("6.0.0")
        .summary("Users and what each of them may do"),
    command("acl|cat", -2)
        .since("6.0.0")
        .flags("noscript loading stale")
        .syntax("[categoryname]")
        .complexity("O(1)")
        .summary("Names the command categories, or the commands of one"),
    command("acl|deluser", -3)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .syntax("username...")
        .complexity("O(1) a user")
        .summary("Deletes users and closes their connections"),
    command("acl|dryrun", -4)
        .since("7.0.0")
        .flags("admin noscript loading stale")
        .syntax("username command [arg...]")
        .complexity("O(1)")
        .summary("Tells if a user could run a command, which is not run"),
    command("acl|genpass", -2)
        .since("6.0.0")
        .flags("noscript loading stale")
        .syntax("[bits:int]")
        .complexity("O(1)")
        .summary("Makes up a password that nobody can guess"),
    command("acl|getuser", 3)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .syntax("username")
        .complexity("O(N), N rules of that user")
        .summary("Shows the rules of one user"),
    command("acl|help", 2)
        .since("6.0.0")
        .flags("loading stale")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("acl|list", 2)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .complexity("O(N), N users")
        .summary("Shows all users as lines of an ACL file"),
    command("acl|load", 2)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .complexity("O(N), N users")
        .summary("Reads the ACL file again"),
    command("acl|log", -2)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .syntax("[operation: count:int | RESET]")
        .complexity("O(N), N entries shown")
        .summary("Shows what was recently refused, or forgets it"),
    command("acl|save", 2)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .complexity("O(N), N users")
        .summary("Writes all users to the ACL file"),
    command("acl|setuser", -3)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .syntax("username [rule...]")
        .complexity("O(N), N rules")
        .summary("Creates a user or changes its rules"),
    command("acl|users", 2)
        .since("6.0.0")
        .flags("admin noscript loading stale")
        .complexity("O(N), N users")
        .summary("Names all users"),
    command("acl|whoami", 2)
        .since("6.0.0")
        .flags("noscript loading stale")
        .complexity("O(1)")
        .summary("Names the user of this connection"),
    command("bgrewriteaof", 1)
        .since("1.0.0")
        .flags("admin noscript no_async_loading")
        .complexity("O(1)")
        .summary("Compacts the append-only file in the background"),
    command("bgsave", -1)
        .since("1.0.0")
        .flags("admin noscript no_async_loading")
        .syntax("[SCHEDULE]")
        .complexity("O(1)")
        .summary("Writes a snapshot in the background"),
    command("command", -1)
        .since("2.8.13")
        .flags("loading stale")
        .acl("connection")
        .complexity("O(N), N commands")
        .summary("Describes all commands for client libraries")
        .tips(&["nondeterministic_output_order"]),
    command("command|count", 2)
        .since("2.8.13")
        .flags("loading stale")
        .acl("connection")
        .complexity("O(1)")
        .summary("Counts the commands"),
    command("command|docs", -2)
        .since("7.0.0")
        .flags("loading stale")
        .acl("connection")
        .syntax("[command-name...]")
        .complexity("O(N), N commands")
        .summary("Describes commands for people: what they do, and their arguments")
        .tips(&["nondeterministic_output_order"]),
    command("command|getkeys", -4)
        .since("2.8.13")
        .flags("loading stale")
        .acl("connection")
        .complexity("O(N), N arguments")
        .summary("Picks the keys out of a command"),
    command("command|getkeysandflags", -4)
        .since("7.0.0")
        .flags("loading stale")
        .acl("connection")
        .complexity("O(N), N arguments")
        .summary("Picks the keys out of a command, with what it does to each"),
    command("command|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .acl("connection")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("command|info", -2)
        .since("2.8.13")
        .flags("loading stale")
        .acl("connection")
        .syntax("[command-name...]")
        .complexity("O(N), N commands")
        .summary("Describes some commands for client libraries")
        .tips(&["nondeterministic_output_order"]),
    command("command|list", -2)
        .since("7.0.0")
        .flags("loading stale")
        .acl("connection")
        .syntax("[FILTERBY (filterby: MODULE module-name | ACLCAT category | PATTERN pattern:pattern)]")
        .complexity("O(N), N commands")
        .summary("Names commands, all or those that match")
        .tips(&["nondeterministic_output_order"]),
    command("config", -2)
        .since("2.0.0")
        .summary("The configuration of the running server"),
    command("config|get", -3)
        .since("2.0.0")
        .flags("admin noscript loading stale")
        .syntax("(parameter: parameter)...")
        .complexity("O(N), N parameters")
        .summary("Shows the parameters whose names match"),
    command("config|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("config|resetstat", 2)
        .since("2.0.0")
        .flags("admin noscript loading stale")
        .complexity("O(1)")
        .summary("Sets the counters of INFO to zero"),
    command("config|rewrite", 2)
        .since("2.8.0")
        .flags("admin noscript loading stale")
        .complexity("O(1)")
        .summary("Writes the configuration in force to its file"),
    command("config|set", -4)
        .since("2.0.0")
        .flags("admin noscript loading stale")
        .syntax("(parameter_value: parameter value)...")
        .complexity("O(N), N parameters")
        .summary("Changes parameters, all of them or none")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("dbsize", 1)
        .since("1.0.0")
        .flags("readonly fast")
        .acl("keyspace")
        .complexity("O(1)")
        .summary("Counts the keys")
        .tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    command("debug", -2)
        .since("1.0.0")
        .flags("admin noscript loading stale")
        .summary("Tools for developers and tests")
        .internal(),
    command("failover", -1)
        .since("6.2.0")
        .flags("admin noscript stale")
        .syntax("[TO (target: host port:int [FORCE])] [ABORT] [TIMEOUT milliseconds:int]")
        .complexity("O(1)")
        .summary("Hands the role of this master to one of its replicas"),
    command("flushall", -1)
        .since("1.0.0")
        .flags("write")
        .acl("keyspace dangerous")
        .syntax("[async: ASYNC | SYNC]")
        .complexity("O(N), N keys in all databases")
        .summary("Deletes everything")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("flushdb", -1)
        .since("1.0.0")
        .flags("write")
        .acl("keyspace dangerous")
        .syntax("[async: ASYNC | SYNC]")
        .complexity("O(N), N keys in it")
        .summary("Deletes everything in this database")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("info", -1)
        .since("1.0.0")
        .flags("loading stale")
        .acl("dangerous")
        .syntax("[section...]")
        .complexity("O(1)")
        .summary("Shows what the server is and how it is doing")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ]),
    command("lastsave", 1)
        .since("1.0.0")
        .flags("loading stale fast")
        .acl("admin dangerous")
        .complexity("O(1)")
        .summary("Tells when the data was last saved")
        .tips(&["nondeterministic_output"]),
    command("latency", -2)
        .since("2.8.13")
        .summary("Events that took too long"),
    command("latency|doctor", 2)
        .since("2.8.13")
        .flags("admin noscript loading stale")
        .complexity("O(1)")
        .summary("Explains the latency that was seen and what to do about it")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ]),
    command("latency|graph", 3)
        .since("2.8.13")
        .flags("admin noscript loading stale")
        .syntax("event")
        .complexity("O(1)")
        .summary("Draws the history of an event")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ]),
    command("latency|help", 2)
        .since("2.8.13")
        .flags("loading stale")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("latency|histogram", -2)
        .since("7.0.0")
        .flags("admin noscript loading stale")
        .syntax("[command...]")
        .complexity("O(N), N commands")
        .summary("Shows how the times of commands are distributed")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ]),
    command("latency|history", 3)
        .since("2.8.13")
        .flags("admin noscript loading stale")
        .syntax("event")
        .complexity("O(1)")
        .summary("Gives the recorded times of an event")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ]),
    command("latency|latest", 2)
        .since("2.8.13")
        .flags("admin noscript loading stale")
        .complexity("O(1)")
        .summary("Gives the newest and the worst time of each event")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_nodes",
            "response_policy:special",
        ]),
    command("latency|reset", -2)
        .since("2.8.13")
        .flags("admin noscript loading stale")
        .syntax("[event...]")
        .complexity("O(1)")
        .summary("Forgets the recorded times of events")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("lolwut", -1)
        .since("5.0.0")
        .flags("readonly fast")
        .syntax("[VERSION version:int]")
        .summary("Draws something"),
    command("memory", -2).since("4.0.0").summary("How memory is used"),
    command("memory|doctor", 2)
        .since("4.0.0")
        .complexity("O(1)")
        .summary("Explains what is odd about the use of memory")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ]),
    command("memory|help", 2)
        .since("4.0.0")
        .flags("loading stale")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("memory|malloc-stats", 2)
        .since("4.0.0")
        .summary("Shows the statistics of the allocator")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ]),
    command("memory|purge", 2)
        .since("4.0.0")
        .summary("Makes the allocator give free memory back")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("memory|stats", 2)
        .since("4.0.0")
        .complexity("O(1)")
        .summary("Shows what memory is used for")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ]),
    command("memory|usage", -3)
        .since("4.0.0")
        .flags("readonly")
        .keys(&[key(2, "RO")])
        .syntax("key@0 [SAMPLES count:int]")
        .complexity("O(N), N elements sampled")
        .summary("Estimates how many bytes a key takes"),
    command("module", -2)
        .since("4.0.0")
        .summary("Modules that add commands"),
    command("module|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("module|list", 2)
        .since("4.0.0")
        .flags("admin noscript")
        .complexity("O(N), N modules")
        .summary("Names the modules that are loaded")
        .tips(&["nondeterministic_output_order"]),
    command("module|load", -3)
        .since("4.0.0")
        .flags("admin noscript no_async_loading")
        .syntax("path [arg...]")
        .complexity("O(1)")
        .summary("Loads a module from a file"),
    command("module|loadex", -3)
        .since("7.0.0")
        .flags("admin noscript no_async_loading")
        .syntax("path [CONFIG (configs: name value)]... [ARGS (args: arg)...]")
        .complexity("O(1)")
        .summary("Loads a module from a file, with parameters for it"),
    command("module|unload", 3)
        .since("4.0.0")
        .flags("admin noscript no_async_loading")
        .syntax("name")
        .complexity("O(1)")
        .summary("Removes a module"),
    command("monitor", 1)
        .since("1.0.0")
        .flags("admin noscript loading stale")
        .summary("Shows every command that the server gets"),
    command("psync", -3)
        .since("2.8.0")
        .flags("admin noscript no_multi no_async_loading")
        .syntax("replicationid offset:int")
        .summary("Begins or resumes replication, called by a replica"),
    command("replconf", -1)
        .since("3.0.0")
        .flags("admin noscript loading stale allow_busy")
        .complexity("O(1)")
        .summary("Settles the details of replication, called by a replica")
        .internal(),
    command("replicaof", 3)
        .since("5.0.0")
        .flags("admin noscript stale no_async_loading")
        .syntax("(args: (host-port: host port:int) | (no-one: NO ONE))")
        .complexity("O(1)")
        .summary("Makes this server follow a master, or none"),
    command("restore-asking", -4)
        .since("3.0.0")
        .flags("write denyoom asking")
        .acl("keyspace dangerous")
        .keys(&[key(1, "OW update")])
        .syntax(
            "key@0 ttl:int serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:int] [FREQ \
             frequency:int]",
        )
        .complexity("O(N), N bytes of the value")
        .summary("Creates a key in a slot that is being imported")
        .internal(),
    command("role", 1)
        .since("2.8.12")
        .flags("noscript loading stale fast")
        .acl("admin dangerous")
        .complexity("O(1)")
        .summary("Tells if this is a master or a replica, and of whom"),
    command("save", 1)
        .since("1.0.0")
        .flags("admin noscript no_multi no_async_loading")
        .complexity("O(N), N keys in all databases")
        .summary("Writes a snapshot while everybody waits"),
    command("shutdown", -1)
        .since("1.0.0")
        .flags("admin noscript loading stale no_multi allow_busy")
        .syntax("[nosave_save: NOSAVE | SAVE] [NOW] [FORCE] [ABORT]")
        .complexity("O(N) when it saves N keys, else O(1)")
        .summary("Ends the server, saving the data first if so configured"),
    command("slaveof", 3)
        .since("1.0.0")
        .flags("admin noscript stale no_async_loading")
        .syntax("(args: (host-port: host port:int) | (no-one: NO ONE))")
        .complexity("O(1)")
        .summary("Makes this server follow a master, or none, by the older name")
        .deprecated("5.0.0", "REPLICAOF"),
    command("slowlog", -2)
        .since("2.2.12")
        .summary("The commands that took longest"),
    command("slowlog|get", -2)
        .since("2.2.12")
        .flags("admin loading stale")
        .syntax("[count:int]")
        .complexity("O(N), N entries shown")
        .summary("Shows the newest entries")
        .tips(&["request_policy:all_nodes", "nondeterministic_output"]),
    command("slowlog|help", 2)
        .since("6.2.0")
        .flags("loading stale")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("slowlog|len", 2)
        .since("2.2.12")
        .flags("admin loading stale")
        .complexity("O(1)")
        .summary("Counts the entries")
        .tips(&[
            "request_policy:all_nodes",
            "response_policy:agg_sum",
            "nondeterministic_output",
        ]),
    command("slowlog|reset", 2)
        .since("2.2.12")
        .flags("admin loading stale")
        .complexity("O(N), N entries")
        .summary("Forgets all entries")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("swapdb", 3)
        .since("4.0.0")
        .flags("write fast")
        .acl("keyspace dangerous")
        .syntax("index1:int index2:int")
        .complexity("O(N), N clients that watch or wait in either")
        .summary("Exchanges two numbered databases"),
    command("sync", 1)
        .since("1.0.0")
        .flags("admin noscript no_multi no_async_loading")
        .summary("Begins replication the old way, called by a replica"),
    command("time", 1)
        .since("2.6.0")
        .flags("loading stale fast")
        .complexity("O(1)")
        .summary("Tells the time of the server, in seconds and microseconds")
        .tips(&["nondeterministic_output"]),
];

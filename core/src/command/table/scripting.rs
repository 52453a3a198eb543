//! Lua scripts and functions.

use crate::command::keys::counted;
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("eval", -3)
        .since("2.6.0")
        .flags("noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RW access update")])
        .syntax("script numkeys:int [key@0...] [arg...]")
        .summary("Runs a Lua script"),
    command("eval_ro", -3)
        .since("7.0.0")
        .flags("readonly noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RO access")])
        .syntax("script numkeys:int [key@0...] [arg...]")
        .summary("Runs a Lua script that must not write"),
    command("evalsha", -3)
        .since("2.6.0")
        .flags("noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RW access update")])
        .syntax("sha1 numkeys:int [key@0...] [arg...]")
        .summary("Runs a cached Lua script by its hash"),
    command("evalsha_ro", -3)
        .since("7.0.0")
        .flags("readonly noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RO access")])
        .syntax("sha1 numkeys:int [key@0...] [arg...]")
        .summary("Runs a cached Lua script by its hash; it must not write"),
    command("fcall", -3)
        .since("7.0.0")
        .flags("noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RW access update")])
        .syntax("function numkeys:int [key@0...] [arg...]")
        .summary("Calls a function of a library"),
    command("fcall_ro", -3)
        .since("7.0.0")
        .flags("readonly noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RO access")])
        .syntax("function numkeys:int [key@0...] [arg...]")
        .summary("Calls a function that must not write"),
    command("function", -2)
        .since("7.0.0")
        .summary("Libraries of functions"),
    command("function|delete", 3)
        .since("7.0.0")
        .flags("write noscript")
        .acl("scripting")
        .syntax("library-name")
        .complexity("O(1)")
        .summary("Deletes a library with its functions")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("function|dump", 2)
        .since("7.0.0")
        .flags("noscript")
        .acl("scripting")
        .complexity("O(N), N functions")
        .summary("Gives all libraries as bytes that FUNCTION RESTORE understands"),
    command("function|flush", -2)
        .since("7.0.0")
        .flags("write noscript")
        .acl("scripting")
        .syntax("[async: ASYNC | SYNC]")
        .complexity("O(N), N functions")
        .summary("Deletes all libraries")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("function|help", 2)
        .since("7.0.0")
        .flags("loading stale")
        .acl("scripting")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("function|kill", 2)
        .since("7.0.0")
        .flags("noscript allow_busy")
        .acl("scripting")
        .complexity("O(1)")
        .summary("Stops the function that is running")
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    command("function|list", -2)
        .since("7.0.0")
        .flags("noscript")
        .acl("scripting")
        .syntax("[LIBRARYNAME library-name-pattern] [WITHCODE]")
        .complexity("O(N), N functions")
        .summary("Describes the libraries")
        .tips(&["nondeterministic_output_order"]),
    command("function|load", -3)
        .since("7.0.0")
        .flags("write denyoom noscript")
        .acl("scripting")
        .syntax("[REPLACE] function-code")
        .complexity("O(1), its compilation aside")
        .summary("Loads a library from its source")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("function|restore", -3)
        .since("7.0.0")
        .flags("write denyoom noscript")
        .acl("scripting")
        .syntax("serialized-value [policy: FLUSH | APPEND | REPLACE]")
        .complexity("O(N), N functions")
        .summary("Loads libraries from the bytes of FUNCTION DUMP")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("function|stats", 2)
        .since("7.0.0")
        .flags("noscript allow_busy")
        .acl("scripting")
        .complexity("O(1)")
        .summary("Describes the function that is running and the engines")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ]),
    command("script", -2)
        .since("2.6.0")
        .summary("The cache of Lua scripts"),
    command("script|debug", 3)
        .since("3.2.0")
        .flags("noscript")
        .acl("scripting")
        .syntax("(mode: YES | SYNC | NO)")
        .complexity("O(1)")
        .summary("Switches the script debugger for this connection"),
    command("script|exists", -3)
        .since("2.6.0")
        .flags("noscript")
        .acl("scripting")
        .syntax("sha1...")
        .complexity("O(N), N hashes")
        .summary("Tells which scripts are cached")
        .tips(&["request_policy:all_shards", "response_policy:agg_logical_and"]),
    command("script|flush", -2)
        .since("2.6.0")
        .flags("noscript")
        .acl("scripting")
        .syntax("[async: ASYNC | SYNC]")
        .complexity("O(N), N scripts")
        .summary("Empties the cache")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("script|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .acl("scripting")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("script|kill", 2)
        .since("2.6.0")
        .flags("noscript allow_busy")
        .acl("scripting")
        .complexity("O(1)")
        .summary("Stops the script that is running, if it has not written yet")
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    command("script|load", 3)
        .since("2.6.0")
        .flags("noscript stale")
        .acl("scripting")
        .syntax("script")
        .complexity("O(N), N bytes of the script")
        .summary("Caches a script without running it")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
];

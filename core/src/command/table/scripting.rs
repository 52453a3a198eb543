//! Lua scripts and functions.

use crate::command::keys::counted;
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("eval", -3)
        .since("2.6.0")
        .flags("noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RW access update")])
        .syntax("script numkeys:int [key@0...] [arg...]"),
    command("eval_ro", -3)
        .since("7.0.0")
        .flags("readonly noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RO access")])
        .syntax("script numkeys:int [key@0...] [arg...]"),
    command("evalsha", -3)
        .since("2.6.0")
        .flags("noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RW access update")])
        .syntax("sha1 numkeys:int [key@0...] [arg...]"),
    command("evalsha_ro", -3)
        .since("7.0.0")
        .flags("readonly noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RO access")])
        .syntax("sha1 numkeys:int [key@0...] [arg...]"),
    command("fcall", -3)
        .since("7.0.0")
        .flags("noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RW access update")])
        .syntax("function numkeys:int [key@0...] [arg...]"),
    command("fcall_ro", -3)
        .since("7.0.0")
        .flags("readonly noscript stale skip_monitor no_mandatory_keys")
        .acl("scripting")
        .keys(&[counted(2, "RO access")])
        .syntax("function numkeys:int [key@0...] [arg...]"),
    command("function", -2).since("7.0.0"),
    command("function|delete", 3)
        .since("7.0.0")
        .flags("write noscript")
        .acl("scripting")
        .syntax("library-name")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("function|dump", 2)
        .since("7.0.0")
        .flags("noscript")
        .acl("scripting"),
    command("function|flush", -2)
        .since("7.0.0")
        .flags("write noscript")
        .acl("scripting")
        .syntax("[async: ASYNC | SYNC]")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("function|help", 2)
        .since("7.0.0")
        .flags("loading stale")
        .acl("scripting"),
    command("function|kill", 2)
        .since("7.0.0")
        .flags("noscript allow_busy")
        .acl("scripting")
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    command("function|list", -2)
        .since("7.0.0")
        .flags("noscript")
        .acl("scripting")
        .syntax("[LIBRARYNAME library-name-pattern] [WITHCODE]")
        .tips(&["nondeterministic_output_order"]),
    command("function|load", -3)
        .since("7.0.0")
        .flags("write denyoom noscript")
        .acl("scripting")
        .syntax("[REPLACE] function-code")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("function|restore", -3)
        .since("7.0.0")
        .flags("write denyoom noscript")
        .acl("scripting")
        .syntax("serialized-value [policy: FLUSH | APPEND | REPLACE]")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    command("function|stats", 2)
        .since("7.0.0")
        .flags("noscript allow_busy")
        .acl("scripting")
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ]),
    command("script", -2).since("2.6.0"),
    command("script|debug", 3)
        .since("3.2.0")
        .flags("noscript")
        .acl("scripting")
        .syntax("(mode: YES | SYNC | NO)"),
    command("script|exists", -3)
        .since("2.6.0")
        .flags("noscript")
        .acl("scripting")
        .syntax("sha1...")
        .tips(&["request_policy:all_shards", "response_policy:agg_logical_and"]),
    command("script|flush", -2)
        .since("2.6.0")
        .flags("noscript")
        .acl("scripting")
        .syntax("[async: ASYNC | SYNC]")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    command("script|help", 2)
        .since("5.0.0")
        .flags("loading stale")
        .acl("scripting"),
    command("script|kill", 2)
        .since("2.6.0")
        .flags("noscript allow_busy")
        .acl("scripting")
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    command("script|load", 3)
        .since("2.6.0")
        .flags("noscript stale")
        .acl("scripting")
        .syntax("script")
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
];

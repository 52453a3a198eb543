//! Transactions.

use crate::command::keys::range;
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("discard", 1)
        .since("2.0.0")
        .flags("noscript loading stale fast allow_busy")
        .acl("transaction")
        .complexity("O(N), N commands")
        .summary("Drops the queued commands of a transaction"),
    command("exec", 1)
        .since("1.2.0")
        .flags("noscript loading stale skip_slowlog")
        .acl("transaction")
        .summary("Runs the queued commands of a transaction"),
    command("multi", 1)
        .since("1.2.0")
        .flags("noscript loading stale fast allow_busy")
        .acl("transaction")
        .complexity("O(1)")
        .summary("Begins a transaction: commands are queued from here on"),
    command("unwatch", 1)
        .since("2.2.0")
        .flags("noscript loading stale fast allow_busy")
        .acl("transaction")
        .complexity("O(1)")
        .summary("Stops watching all keys"),
    command("watch", -2)
        .since("2.2.0")
        .flags("noscript loading stale fast allow_busy")
        .acl("transaction")
        .keys(&[range(1, -1, 1, "RO")])
        .syntax("key@0...")
        .complexity("O(1) a key")
        .summary("Makes the next EXEC fail if one of the keys changes before it"),
];

//! Transactions.

use crate::command::keys::range;
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("discard", 1)
        .since("2.0.0")
        .flags("noscript loading stale fast allow_busy")
        .acl("transaction"),
    command("exec", 1)
        .since("1.2.0")
        .flags("noscript loading stale skip_slowlog")
        .acl("transaction"),
    command("multi", 1)
        .since("1.2.0")
        .flags("noscript loading stale fast allow_busy")
        .acl("transaction"),
    command("unwatch", 1)
        .since("2.2.0")
        .flags("noscript loading stale fast allow_busy")
        .acl("transaction"),
    command("watch", -2)
        .since("2.2.0")
        .flags("noscript loading stale fast allow_busy")
        .acl("transaction")
        .keys(&[range(1, -1, 1, "RO")])
        .syntax("key@0..."),
];

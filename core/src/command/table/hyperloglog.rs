//! Cardinality estimates.

use crate::command::keys::{key, range};
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("pfadd", -2)
        .since("2.8.9")
        .flags("write denyoom fast")
        .acl("hyperloglog")
        .keys(&[key(1, "RW insert")])
        .syntax("key@0 [element...]")
        .complexity("O(1) an element")
        .summary("Counts elements into an estimate, creating it if missing"),
    command("pfcount", -2)
        .since("2.8.9")
        .flags("readonly")
        .acl("hyperloglog")
        .keys(&[range(1, -1, 1, "RW access")])
        .syntax("key@0...")
        .complexity("O(1) one key, O(N) N keys")
        .summary("Estimates how many different elements were added"),
    command("pfdebug", 3)
        .since("2.8.9")
        .flags("write denyoom admin")
        .acl("hyperloglog")
        .keys(&[key(2, "RW access")])
        .syntax("subcommand key@0")
        .summary("Looks into an estimate")
        .internal(),
    command("pfmerge", -2)
        .since("2.8.9")
        .flags("write denyoom")
        .acl("hyperloglog")
        .keys(&[key(1, "RW access insert"), range(2, -1, 1, "RO access")])
        .syntax("destkey@0 sourcekey@1...")
        .complexity("O(N), N estimates")
        .summary("Merges estimates into one"),
    command("pfselftest", 1)
        .since("2.8.9")
        .flags("admin")
        .acl("hyperloglog")
        .summary("Tests the estimator itself")
        .internal(),
];

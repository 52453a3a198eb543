//! Streams: adding and reading entries, groups of consumers, and waiting for what is to come.
//!
//! `read` and `block` answer XREAD and XREADGROUP, at once and later; `deliver` gives entries to a group; `pending`, `claim` and
//! `auto_claim` (which share `claiming`) are about what is not acknowledged; `effects` is what replicas are told of groups.

mod add;
mod auto_claim;
mod block;
mod change;
mod claim;
mod claiming;
mod deliver;
mod effects;
mod group;
mod id;
mod info;
mod pending;
mod range;
mod read;
mod reply;
mod trim;

use super::call::{Binding, Locks};
use super::help::help;
use super::reply_error::ErrorReply;

pub const HANDLERS: &[Binding] = &[
    ("xack", pending::xack, Locks::Keys),
    ("xadd", add::xadd, Locks::Keys),
    ("xautoclaim", auto_claim::xautoclaim, Locks::Keys),
    ("xclaim", claim::xclaim, Locks::Keys),
    ("xdel", change::xdel, Locks::Keys),
    ("xgroup|create", group::create, Locks::Keys),
    ("xgroup|createconsumer", group::create_consumer, Locks::Keys),
    ("xgroup|delconsumer", group::delete_consumer, Locks::Keys),
    ("xgroup|destroy", group::destroy, Locks::Keys),
    ("xgroup|help", help, Locks::None),
    ("xgroup|setid", group::set_id, Locks::Keys),
    ("xinfo|consumers", info::consumers, Locks::Keys),
    ("xinfo|groups", info::groups, Locks::Keys),
    ("xinfo|help", help, Locks::None),
    ("xinfo|stream", info::stream, Locks::Keys),
    ("xlen", range::xlen, Locks::Keys),
    ("xpending", pending::xpending, Locks::Keys),
    ("xrange", range::xrange, Locks::Keys),
    ("xread", read::xread, Locks::Keys),
    ("xreadgroup", read::xreadgroup, Locks::Keys),
    ("xrevrange", range::xrevrange, Locks::Keys),
    ("xsetid", change::xsetid, Locks::Keys),
    ("xtrim", trim::xtrim, Locks::Keys),
];

/// There is no such key, or no such group.
fn no_group(key: &[u8], group: &[u8]) -> ErrorReply {
    let parts: [&[u8]; 5] = [
        b"NOGROUP No such key '",
        key,
        b"' or consumer group '",
        group,
        b"'",
    ];
    ErrorReply::from_bytes(parts.concat())
}

/// There is no such group.
fn no_group_of_key(key: &[u8], group: &[u8]) -> ErrorReply {
    let parts: [&[u8]; 5] = [
        b"NOGROUP No such consumer group '",
        group,
        b"' for key name '",
        key,
        b"'",
    ];
    ErrorReply::from_bytes(parts.concat())
}

/// A subcommand is given what it does not know, or too much of what it does.
fn bad_arguments(container: &str, subcommand: &[u8]) -> ErrorReply {
    // No more of it than stock quotes.
    let shown = &subcommand[..subcommand.len().min(128)];
    let parts: [&[u8]; 5] = [
        b"ERR unknown subcommand or wrong number of arguments for '",
        shown,
        b"'. Try ",
        container.as_bytes(),
        b" HELP.",
    ];
    ErrorReply::from_bytes(parts.concat())
}

//! FLUSHALL, FLUSHDB, DBSIZE.

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{Forgotten, lazy_free};

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("flushall", flush, Locks::All),
    ("flushdb", flush, Locks::All),
    ("dbsize", dbsize, Locks::None),
];

/// More keys than this are freed apart, unless the client says SYNC: their worker would stand still meanwhile.
const FREED_HERE: usize = 1000;

/// Empties every slot. What they held is freed apart if it is much, and else when the last slot is empty.
fn flush(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let freed_here = match call.args.len() {
        1 => FREED_HERE,
        2 if call.arg_is(1, "async") => 0,
        2 if call.arg_is(1, "sync") => usize::MAX,
        _ => return Err(ErrorReply::SYNTAX),
    };
    call.effect_always();
    let mut emptied = Vec::new();
    let (mut keys, mut bytes) = (0, 0);
    let keyspace = &call.node.keyspace;
    let mut forgotten = Forgotten::default();
    call.held.for_each_table(keyspace, &mut |table| {
        if !table.is_empty() {
            keys += table.len();
            bytes += table.footprint();
            emptied.push(table.clear());
        }
        forgotten = forgotten.plus(table.forget_tracked());
    });
    if call.node.tracking.is_active() {
        // They hear of it behind the reply.
        let before = call.session.flushed.take().unwrap_or_default();
        call.session.flushed = Some(before.plus(forgotten));
    } else {
        keyspace.flushed(forgotten);
    }
    if keys > freed_here {
        lazy_free::release_contents(emptied, keys, bytes);
    }
    call.out.ok();
    Ok(())
}

fn dbsize(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let count = call.held.key_count(&call.node.keyspace);
    call.out.integer(count as i64);
    Ok(())
}

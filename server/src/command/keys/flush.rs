//! FLUSHALL, FLUSHDB, DBSIZE.

use std::thread;

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::keyspace::Forgotten;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("flushall", flush, Locks::All),
    ("flushdb", flush, Locks::All),
    ("dbsize", dbsize, Locks::None),
];

/// Empties every slot at one moment. What they held is freed under no lock: by a thread of its own for ASYNC, else here.
fn flush(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let background = match call.args.len() {
        1 => false,
        2 if call.arg_is(1, "async") => true,
        2 if call.arg_is(1, "sync") => false,
        _ => return Err(ErrorReply::SYNTAX),
    };
    call.effect_always();
    let mut emptied = Vec::new();
    let keyspace = &call.node.keyspace;
    let mut forgotten = Forgotten::default();
    call.held.for_each_table(keyspace, &mut |table| {
        if !table.is_empty() {
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
    if background {
        // Without a thread the closure, and with it the contents, are dropped here: slower, and right.
        let _ = thread::Builder::new()
            .name("free".into())
            .spawn(move || drop(emptied));
    }
    call.out.ok();
    Ok(())
}

fn dbsize(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let count = call.held.key_count(&call.node.keyspace);
    call.out.integer(count as i64);
    Ok(())
}

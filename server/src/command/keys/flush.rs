//! FLUSHALL, FLUSHDB, DBSIZE.

use std::thread;

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;

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
    call.held.for_each_table(keyspace, &mut |table| {
        if !table.is_empty() {
            emptied.push(table.clear());
        }
    });
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

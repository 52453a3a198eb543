//! MEMORY: what keys take, where memory is, what is odd about it.

mod doctor;
mod stats;

use crate::command::call::{Binding, Call, Locks};
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;
use crate::memory;

/// What this folder implements.
pub const HANDLERS: &[Binding] = &[
    ("memory|usage", usage, Locks::Keys),
    ("memory|stats", stats::stats, Locks::None),
    ("memory|doctor", doctor::doctor, Locks::None),
    ("memory|purge", purge, Locks::None),
    ("memory|malloc-stats", malloc_stats, Locks::None),
    ("memory|help", help, Locks::None),
];

/// Nothing is estimated, so the number of samples changes nothing: collections know what they hold.
fn usage(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    match call.args.len() {
        3 => {}
        5 if call.arg_is(3, "samples") => {
            if call.int_arg(4)? < 0 {
                return Err(ErrorReply::SYNTAX);
            }
        }
        _ => return Err(ErrorReply::SYNTAX),
    }
    let (keys, now) = (call.keys, call.now);
    let bytes = call.table(0).peek(&keys[0], now).map(|entry| entry.footprint());
    match bytes {
        Some(bytes) => call.out.integer(bytes as i64),
        None => call.out.nil(),
    }
    Ok(())
}

fn purge(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    memory::purge();
    call.out.ok();
    Ok(())
}

fn malloc_stats(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.out.verbatim(memory::report().as_bytes());
    Ok(())
}

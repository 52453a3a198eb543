//! OBJECT.

use crate::command::call::{Binding, Call, Locks};
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::Entry;
use slotcore::resp::parse_i64;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("object|encoding", encoding, Locks::Keys),
    ("object|refcount", refcount, Locks::Keys),
    ("object|idletime", idletime, Locks::Keys),
    ("object|freq", freq, Locks::Keys),
    ("object|help", help, Locks::None),
];

/// Stock keeps one object for each of the integers below this and shares it between keys.
const SHARED_INTEGERS: i64 = 10_000;
/// The reference count that stock tells of a shared object.
const SHARED_REFCOUNT: i64 = i32::MAX as i64;

fn encoding(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let name = look(call, |entry| entry.encoding());
    match name {
        Some(name) => call.out.bulk(name.as_bytes()),
        None => call.out.nil(),
    }
    Ok(())
}

fn refcount(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let shared = look(call, |entry| {
        entry.encoding() == "int"
            && entry
                .string()
                .and_then(parse_i64)
                .is_some_and(|number| (0..SHARED_INTEGERS).contains(&number))
    });
    match shared {
        Some(shared) => call.out.integer(if shared { SHARED_REFCOUNT } else { 1 }),
        None => call.out.nil(),
    }
    Ok(())
}

fn idletime(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let now = call.now;
    let Some(seconds) = look(call, |entry| entry.idle_s(now)) else {
        call.out.nil();
        return Ok(());
    };
    if call.node.config.load().eviction.policy.is_lfu() {
        return Err(ErrorReply::fixed(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
             policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    call.out.integer(seconds as i64);
    Ok(())
}

fn freq(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let now = call.now;
    let Some(frequency) = look(call, |entry| entry.frequency(now)) else {
        call.out.nil();
        return Ok(());
    };
    if !call.node.config.load().eviction.policy.is_lfu() {
        return Err(ErrorReply::fixed(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    call.out.integer(i64::from(frequency));
    Ok(())
}

/// Reads the entry without marking it as accessed.
fn look<R>(call: &mut Call<'_>, read: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
    let (key, now) = (&call.keys[0], call.now);
    let result = call.table(0).peek(key, now).map(read);
    // Stock makes no event of a miss here.
    call.node.stats.worker(call.worker).looked_up(result.is_some());
    result
}

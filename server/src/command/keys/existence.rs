//! DEL, UNLINK, EXISTS, TOUCH, TYPE.

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::Entry;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("del", del, Locks::Keys),
    // Large values are freed after the locks are released in any case.
    ("unlink", del, Locks::Keys),
    ("exists", exists, Locks::Keys),
    ("touch", touch, Locks::Keys),
    ("type", type_of, Locks::Keys),
];

fn del(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (keys, now) = (call.keys, call.now);
    let mut removed = 0;
    for (index, key) in keys.iter().enumerate() {
        let table = call.table(index);
        if let Some(entry) = table.remove(key, now) {
            table.discard(entry);
            call.notify(EventClass::GENERIC, "del", key);
            removed += 1;
        }
    }
    call.out.integer(removed);
    Ok(())
}

fn exists(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (keys, now) = (call.keys, call.now);
    let mut count = 0;
    for (index, key) in keys.iter().enumerate() {
        let found = call.table(index).peek(key, now).is_some();
        call.looked_up(key, found);
        count += i64::from(found);
    }
    call.out.integer(count);
    Ok(())
}

fn touch(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (keys, now) = (call.keys, call.now);
    let mut count = 0;
    for (index, key) in keys.iter().enumerate() {
        let found = call.table(index).get(key, now).is_some();
        call.looked_up(key, found);
        count += i64::from(found);
    }
    call.out.integer(count);
    Ok(())
}

fn type_of(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (key, now) = (&call.keys[0], call.now);
    let name = call.table(0).peek(key, now).map(Entry::type_name);
    call.looked_up(key, name.is_some());
    call.out.simple(name.unwrap_or("none"));
    Ok(())
}

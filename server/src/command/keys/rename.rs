//! RENAME, RENAMENX, COPY.

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Entry, OwnedEntry};

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("rename", rename, Locks::Keys),
    ("renamenx", renamenx, Locks::Keys),
    ("copy", copy, Locks::Keys),
];

fn rename(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    move_key(call, true)?;
    call.out.ok();
    Ok(())
}

fn renamenx(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let moved = move_key(call, false)?;
    call.out.integer(i64::from(moved));
    Ok(())
}

/// Gives the first key the name of the second; false if it may not replace what has that name.
fn move_key(call: &mut Call<'_>, replace: bool) -> Result<bool, ErrorReply> {
    let (from, to, now) = (&call.keys[0], &call.keys[1], call.now);
    if call.table(0).get(from, now).is_none() {
        return Err(ErrorReply::NO_SUCH_KEY);
    }
    if from.bytes == to.bytes {
        return Ok(false);
    }
    if !replace && call.table(1).get(to, now).is_some() {
        return Ok(false);
    }
    let Some(entry) = call.table(0).remove(from, now) else {
        return Err(ErrorReply::NO_SUCH_KEY);
    };
    put_anew(call, entry);
    call.notify(EventClass::GENERIC, "rename_from", from);
    call.notify(EventClass::GENERIC, "rename_to", to);
    Ok(true)
}

/// Makes the second key a new one, whatever had its name.
fn put_anew(call: &mut Call<'_>, entry: OwnedEntry) {
    let (to, now) = (&call.keys[1], call.now);
    let table = call.table(1);
    if let Some(old) = table.remove(to, now) {
        table.discard(old);
    }
    table.insert_moved(to, entry, now);
}

fn copy(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let replace = parse_copy(call)?;
    let (from, to, now) = (&call.keys[0], &call.keys[1], call.now);
    if from.bytes == to.bytes {
        return Err(ErrorReply::fixed(
            "ERR source and destination objects are the same",
        ));
    }
    let copied = call.table(0).get(from, now).map(Entry::to_owned_entry);
    call.looked_up(from, copied.is_some());
    // Only if there is something to copy is it looked whether the name is free: an expired key that is met goes.
    let done = match copied {
        Some(entry) if replace || call.table(1).get(to, now).is_none() => {
            put_anew(call, entry);
            // What was accessed is the other key.
            call.table(1).find_quietly(to, now).set_accesses(None, None);
            call.notify(EventClass::GENERIC, "copy_to", to);
            true
        }
        _ => false,
    };
    call.out.integer(i64::from(done));
    Ok(())
}

/// Whether COPY may replace. There is no database but number 0 to copy to.
fn parse_copy(call: &Call<'_>) -> Result<bool, ErrorReply> {
    let mut replace = false;
    let mut index = 3;
    while index < call.args.len() {
        if call.arg_is(index, "replace") {
            replace = true;
        } else if call.arg_is(index, "db") && index + 1 < call.args.len() {
            index += 1;
            let database = i32::try_from(call.int_arg(index)?).map_err(|_| {
                ErrorReply::fixed("ERR value is out of range, value must between -2147483648 and 2147483647")
            })?;
            if database != 0 {
                return Err(no_such_database(call, database));
            }
        } else {
            return Err(ErrorReply::SYNTAX);
        }
        index += 1;
    }
    Ok(replace)
}

fn no_such_database(call: &Call<'_>, database: i32) -> ErrorReply {
    let exists = u32::try_from(database).is_ok_and(|number| number < call.node.config.load().databases);
    match (exists, call.node.cluster.is_some()) {
        (false, _) => ErrorReply::fixed("ERR DB index is out of range"),
        (true, true) => ErrorReply::fixed("ERR Copying to another database is not allowed in cluster mode"),
        (true, false) => {
            ErrorReply::fixed("ERR DB index is out of range: slotmark-server has database 0 only")
        }
    }
}

//! XDEL, XSETID.

use super::id;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Change, Stream, StreamId};

/// Who waits for entries is not told that there are fewer.
pub fn xdel(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    // Stock looks at the key first.
    let key = &call.keys[0];
    let exists = call
        .held
        .table(key.slot)
        .find(key, call.now)
        .collection::<Stream>()?
        .is_some();
    if !exists {
        call.out.integer(0);
        return Ok(());
    }
    let ids: Result<Vec<StreamId>, _> = call.args.from(2).iter().map(id::exact).collect();
    let ids = ids?;
    let deleted = call.edit_as(0, |stream: &mut Stream| {
        let entries = stream.entries_mut();
        let deleted = ids.iter().filter(|id| entries.delete(**id)).count();
        (deleted, Change::Watched.when(deleted > 0))
    })?;
    if deleted > 0 {
        call.notify(EventClass::STREAM, "xdel", key);
    }
    call.out.integer(deleted as i64);
    Ok(())
}

/// Nobody who watches the key is told, nor is who waits for it: so it is in stock.
pub fn xsetid(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let last_id = id::exact(call.args.at(2))?;
    let (mut added, mut max_deleted) = (None, StreamId::MIN);
    let mut at = 3;
    while at < call.args.len() {
        let has_value = at + 1 < call.args.len();
        if call.arg_is(at, "entriesadded") && has_value {
            let count = u64::try_from(call.int_arg(at + 1)?);
            added = Some(count.map_err(|_| ErrorReply::fixed("ERR entries_added must be positive"))?);
        } else if call.arg_is(at, "maxdeletedid") && has_value {
            max_deleted = id::exact(call.args.at(at + 1))?;
            if last_id < max_deleted {
                return Err(ErrorReply::fixed(
                    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                ));
            }
        } else {
            return Err(ErrorReply::SYNTAX);
        }
        at += 2;
    }
    call.edit_as(0, |stream: &mut Stream| {
        match set_id(stream, last_id, added, max_deleted) {
            Ok(()) => (Ok(()), Change::Recorded),
            Err(error) => (Err(error), Change::Nothing),
        }
    })??;
    call.notify(EventClass::STREAM, "xsetid", &call.keys[0]);
    call.out.ok();
    Ok(())
}

fn set_id(
    stream: &mut Stream,
    last_id: StreamId,
    added: Option<u64>,
    max_deleted: StreamId,
) -> Result<(), ErrorReply> {
    if stream.is_absent() {
        return Err(ErrorReply::NO_SUCH_KEY);
    }
    let entries = stream.entries_mut();
    if !entries.is_empty() && last_id < entries.last_entry_id() {
        return Err(ErrorReply::fixed(
            "ERR The ID specified in XSETID is smaller than the target stream top item",
        ));
    }
    if !entries.is_empty() && added.is_some_and(|added| added < entries.len()) {
        return Err(ErrorReply::fixed(
            "ERR The entries_added specified in XSETID is smaller than the target stream length",
        ));
    }
    entries.last_id = last_id;
    entries.added = added.unwrap_or(entries.added);
    if max_deleted != StreamId::MIN {
        entries.max_deleted_id = max_deleted;
    }
    Ok(())
}

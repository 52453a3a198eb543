//! GET, MGET, STRLEN.

use super::text;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;

pub fn get(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let key = &call.keys[0];
    let found = text(call.held.table(key.slot).get(key, call.now))?;
    call.node.stats.worker(call.worker).looked_up(found.is_some());
    match found {
        Some(value) => call.out.bulk(value),
        None => {
            call.notify(EventClass::KEY_MISS, "keymiss", key);
            call.out.nil();
        }
    }
    Ok(())
}

pub fn mget(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let stats = call.node.stats.worker(call.worker);
    call.out.array(call.keys.len());
    for key in call.keys {
        // A key that holds something else than a string is not an error here.
        let found = call
            .held
            .table(key.slot)
            .get(key, call.now)
            .and_then(|entry| entry.string());
        stats.looked_up(found.is_some());
        match found {
            Some(value) => call.out.bulk(value),
            None => {
                if call.node.events.wants(EventClass::KEY_MISS)
                    && call.held.table(key.slot).peek(key, call.now).is_none()
                {
                    call.notify(EventClass::KEY_MISS, "keymiss", key);
                }
                call.out.nil();
            }
        }
    }
    Ok(())
}

pub fn strlen(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let key = &call.keys[0];
    let found = text(call.held.table(key.slot).get(key, call.now))?.map(<[u8]>::len);
    call.looked_up(key, found.is_some());
    call.out.integer(found.unwrap_or(0) as i64);
    Ok(())
}

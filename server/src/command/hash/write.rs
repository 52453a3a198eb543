//! HSET, HMSET, HSETNX, HDEL.

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::Hash;

/// Sets all pairs; how many fields are new.
fn store_pairs(call: &mut Call<'_>) -> Result<i64, ErrorReply> {
    if !call.args.len().is_multiple_of(2) {
        return Err(ErrorReply::wrong_arity(call.spec.full_name));
    }
    let (pairs, limits) = (call.args.from(2), call.limits());
    let added = call.edit(0, |hash: &mut Hash| {
        let mut added = 0;
        for at in (0..pairs.len()).step_by(2) {
            added += i64::from(hash.set(pairs.at(at), pairs.at(at + 1), &limits));
        }
        (added, true)
    })?;
    call.notify(EventClass::HASH, "hset", &call.keys[0]);
    Ok(added)
}

pub fn hset(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let added = store_pairs(call)?;
    call.out.integer(added);
    Ok(())
}

pub fn hmset(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    store_pairs(call)?;
    call.out.ok();
    Ok(())
}

pub fn hsetnx(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (field, value, limits) = (call.args.at(2), call.args.at(3), call.limits());
    let stored = call.edit(0, |hash: &mut Hash| {
        let absent = !hash.contains(field);
        if absent {
            hash.set(field, value, &limits);
        }
        (absent, absent)
    })?;
    if stored {
        call.notify(EventClass::HASH, "hset", &call.keys[0]);
    }
    call.out.integer(i64::from(stored));
    Ok(())
}

pub fn hdel(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let fields = call.args.from(2);
    let removed = call.edit(0, |hash: &mut Hash| {
        let removed = fields.iter().filter(|field| hash.remove(field)).count();
        (removed, removed > 0)
    })?;
    if removed > 0 {
        call.notify_removal(EventClass::HASH, "hdel", &call.keys[0]);
    }
    call.out.integer(removed as i64);
    Ok(())
}

//! SET and its relatives.

use super::options::{Lifetime, Of, Options, Unit, expiry};
use super::text;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Entry, Expire};

pub fn set(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let options = if call.args.len() == 3 {
        Options::default()
    } else {
        Options::parse(call.args.from(3), Of::Set)?
    };
    store(call, call.args.at(2), options)?;
    Ok(())
}

pub fn setex(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    store_for(call, Unit::Seconds)
}

pub fn psetex(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    store_for(call, Unit::Milliseconds)
}

fn store_for(call: &mut Call<'_>, unit: Unit) -> Result<(), ErrorReply> {
    let lifetime = Lifetime::Time {
        text: call.args.at(2),
        unit,
        relative: true,
    };
    store(
        call,
        call.args.at(3),
        Options {
            lifetime,
            ..Options::default()
        },
    )
}

fn store(call: &mut Call<'_>, value: &[u8], options: Options<'_>) -> Result<(), ErrorReply> {
    let expire = match options.lifetime {
        Lifetime::Unsaid | Lifetime::Persist => Expire::Clear,
        Lifetime::Keep => Expire::Keep,
        Lifetime::Time { text, unit, relative } => {
            Expire::At(expiry(text, unit, relative, call.now, call.spec.full_name)?)
        }
    };
    let key = &call.keys[0];
    if options.old {
        reply_old(call)?;
    }
    let mut place = call.held.table(key.slot).find(key, call.now);
    if (options.absent && place.exists()) || (options.present && !place.exists()) {
        if !options.old {
            call.out.nil();
        }
        return Ok(());
    }
    place.set_string(value, expire);
    call.notify(EventClass::STRING, "set", key);
    if let Expire::At(_) = expire {
        call.notify(EventClass::GENERIC, "expire", key);
    }
    if !options.old {
        call.out.ok();
    }
    tell_replicas(call, value, options, expire);
    Ok(())
}

/// Replies with the value, as GET does.
fn reply_old(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let key = &call.keys[0];
    let found = text(call.held.table(key.slot).get(key, call.now))?;
    call.node.stats.worker(call.worker).looked_up(found.is_some());
    match found {
        Some(old) => call.out.bulk(old),
        None => {
            call.notify(EventClass::KEY_MISS, "keymiss", key);
            call.out.nil();
        }
    }
    Ok(())
}

/// Replicas are told times as instants, and nothing of GET, whose reply they do not give.
fn tell_replicas(call: &mut Call<'_>, value: &[u8], options: Options<'_>, expire: Expire) {
    if !call.is_recorded() {
        return;
    }
    if let Expire::At(until) = expire {
        let key = call.keys[0].bytes;
        let mut digits = itoa::Buffer::new();
        call.effect_instead(&[b"SET", key, value, b"PXAT", digits.format(until).as_bytes()]);
    } else if options.old {
        let is_get = |(i, arg): &(usize, &[u8])| *i >= 3 && arg.eq_ignore_ascii_case(b"get");
        let kept: Vec<&[u8]> = call
            .args
            .iter()
            .enumerate()
            .filter(|arg| !is_get(arg))
            .map(|(_, arg)| arg)
            .collect();
        call.effect_instead(&kept);
    }
}

pub fn setnx(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let key = &call.keys[0];
    let mut place = call.held.table(key.slot).find(key, call.now);
    let stored = !place.exists();
    if stored {
        place.set_string(call.args.at(2), Expire::Clear);
        call.notify(EventClass::STRING, "set", key);
    }
    call.out.integer(i64::from(stored));
    Ok(())
}

pub fn mset(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    store_pairs(call)?;
    call.out.ok();
    Ok(())
}

pub fn msetnx(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    check_pairs(call)?;
    let (keys, now) = (call.keys, call.now);
    let free = keys
        .iter()
        .all(|key| call.held.table(key.slot).get(key, now).is_none());
    if free {
        store_pairs(call)?;
    }
    call.out.integer(i64::from(free));
    Ok(())
}

fn check_pairs(call: &Call<'_>) -> Result<(), ErrorReply> {
    if call.args.len().is_multiple_of(2) {
        return Err(ErrorReply::wrong_arity(call.spec.full_name));
    }
    Ok(())
}

fn store_pairs(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    check_pairs(call)?;
    for (i, key) in call.keys.iter().enumerate() {
        call.held
            .table(key.slot)
            .find(key, call.now)
            .set_string(call.args.at(2 * i + 2), Expire::Clear);
        call.notify(EventClass::STRING, "set", key);
    }
    Ok(())
}

pub fn getset(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply_old(call)?;
    let key = &call.keys[0];
    // Two accesses, as in stock: the old value was read, and a new one is written.
    let mut place = call.held.table(key.slot).find(key, call.now);
    place.set_string(call.args.at(2), Expire::Clear);
    call.notify(EventClass::STRING, "set", key);
    call.effect_instead(&[b"SET", key.bytes, call.args.at(2)]);
    Ok(())
}

pub fn getdel(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply_old(call)?;
    let key = &call.keys[0];
    let table = call.held.table(key.slot);
    if let Some(entry) = table.remove(key, call.now) {
        table.discard(entry);
        call.notify(EventClass::GENERIC, "del", key);
        call.effect_instead(&[b"DEL", key.bytes]);
    }
    Ok(())
}

pub fn getex(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let options = Options::parse(call.args.from(2), Of::GetEx)?;
    let key = &call.keys[0];
    let table = call.held.table(key.slot);
    let mut place = table.find(key, call.now);
    let found = text(place.entry())?;
    call.node.stats.worker(call.worker).looked_up(found.is_some());
    let Some(value) = found else {
        call.notify(EventClass::KEY_MISS, "keymiss", key);
        call.out.nil();
        return Ok(());
    };
    let expires = place.entry().and_then(Entry::expiry).is_some();
    // A key that is absent is answered before the time is looked at: stock's order.
    let until = match options.lifetime {
        Lifetime::Time { text, unit, relative } => Some(expiry(text, unit, relative, call.now, "getex")?),
        _ => None,
    };
    call.out.bulk(value);
    match until {
        Some(until) if until <= call.now => {
            if let Some(entry) = place.remove() {
                table.discard(entry);
            }
            call.notify(EventClass::GENERIC, "del", key);
            call.effect_removed(key.bytes);
        }
        Some(until) => {
            place.set_expiry(Some(until));
            call.notify(EventClass::GENERIC, "expire", key);
            let mut digits = itoa::Buffer::new();
            call.effect_instead(&[b"PEXPIREAT", key.bytes, digits.format(until).as_bytes()]);
        }
        None if options.lifetime == Lifetime::Persist && expires => {
            place.set_expiry(None);
            call.notify(EventClass::GENERIC, "persist", key);
            call.effect_instead(&[b"PERSIST", key.bytes]);
        }
        None => {}
    }
    Ok(())
}

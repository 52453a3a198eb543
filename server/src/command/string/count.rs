//! INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT.

use slotcore::resp::parse_i64;

use super::extended::Extended;
use super::text;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::Expire;

pub fn incr(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    add(call, 1)
}

pub fn decr(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    add(call, -1)
}

pub fn incrby(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let by = call.int_arg(2)?;
    add(call, by)
}

pub fn decrby(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let by = call.int_arg(2)?;
    add(
        call,
        by.checked_neg()
            .ok_or(ErrorReply::fixed("ERR decrement would overflow"))?,
    )
}

fn add(call: &mut Call<'_>, by: i64) -> Result<(), ErrorReply> {
    let key = &call.keys[0];
    let mut place = call.held.table(key.slot).find(key, call.now);
    let before = match text(place.entry())? {
        Some(value) => parse_i64(value).ok_or(ErrorReply::NOT_INTEGER)?,
        None => 0,
    };
    let after = before.checked_add(by).ok_or(ErrorReply::OVERFLOW)?;
    place.set_string(itoa::Buffer::new().format(after).as_bytes(), Expire::Keep);
    call.notify(EventClass::STRING, "incrby", key);
    call.out.integer(after);
    Ok(())
}

pub fn incrbyfloat(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let key = &call.keys[0];
    let mut place = call.held.table(key.slot).find(key, call.now);
    let before = match text(place.entry())? {
        Some(value) => Extended::parse(value).ok_or(ErrorReply::NOT_FLOAT)?,
        None => Extended::ZERO,
    };
    let by = Extended::parse(call.args.at(2)).ok_or(ErrorReply::NOT_FLOAT)?;
    let after = before
        .add(by)
        .ok_or(ErrorReply::fixed("ERR increment would produce NaN or Infinity"))?
        .to_string();
    place.set_text(after.as_bytes(), Expire::Keep);
    call.effect_instead(&[b"SET", key.bytes, after.as_bytes(), b"KEEPTTL"]);
    call.notify(EventClass::STRING, "incrbyfloat", key);
    call.out.bulk(after.as_bytes());
    Ok(())
}

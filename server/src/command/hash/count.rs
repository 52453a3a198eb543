//! HINCRBY, HINCRBYFLOAT.

use slotcore::resp::parse_i64;

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::string::extended::Extended;
use crate::events::EventClass;
use crate::keyspace::{Hash, Item};

pub fn hincrby(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let by = call.int_arg(3)?;
    let (field, limits) = (call.args.at(2), call.limits());
    let sum = call.edit(0, |hash: &mut Hash| {
        let sum = add(hash.get(field), by);
        if let Ok(sum) = sum {
            hash.set(field, itoa::Buffer::new().format(sum).as_bytes(), &limits);
        }
        let stored = sum.is_ok();
        (sum, stored)
    })??;
    call.notify(EventClass::HASH, "hincrby", &call.keys[0]);
    call.out.integer(sum);
    Ok(())
}

fn add(before: Option<Item<'_>>, by: i64) -> Result<i64, ErrorReply> {
    let before = match before {
        None => 0,
        Some(Item::Int(number)) => number,
        Some(Item::Text(text)) => {
            parse_i64(text).ok_or(ErrorReply::fixed("ERR hash value is not an integer"))?
        }
    };
    before.checked_add(by).ok_or(ErrorReply::OVERFLOW)
}

/// Replicas are told the sum: their floating point might differ.
pub fn hincrbyfloat(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let by = Extended::parse(call.args.at(3)).ok_or(ErrorReply::NOT_FLOAT)?;
    if by.is_infinite() {
        return Err(ErrorReply::fixed("ERR value is NaN or Infinity"));
    }
    let (key, field, limits) = (call.keys[0].bytes, call.args.at(2), call.limits());
    let sum = call.edit(0, |hash: &mut Hash| {
        let sum = add_float(hash.get(field), by);
        if let Ok(sum) = &sum {
            hash.set(field, sum.as_bytes(), &limits);
        }
        let stored = sum.is_ok();
        (sum, stored)
    })??;
    call.effect_instead(&[b"HSET", key, field, sum.as_bytes()]);
    call.notify(EventClass::HASH, "hincrbyfloat", &call.keys[0]);
    call.out.bulk(sum.as_bytes());
    Ok(())
}

fn add_float(before: Option<Item<'_>>, by: Extended) -> Result<String, ErrorReply> {
    let before = match before {
        None => Extended::ZERO,
        Some(item) => Extended::parse(item.text(&mut itoa::Buffer::new()))
            .ok_or(ErrorReply::fixed("ERR hash value is not a float"))?,
    };
    let sum = before
        .add(by)
        .ok_or(ErrorReply::fixed("ERR increment would produce NaN or Infinity"))?;
    Ok(sum.to_string())
}

//! EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT.

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::Entry;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("expire", expire, Locks::Keys),
    ("pexpire", pexpire, Locks::Keys),
    ("expireat", expireat, Locks::Keys),
    ("pexpireat", pexpireat, Locks::Keys),
];

const MILLIS: i64 = 1;
const SECONDS: i64 = 1000;

fn expire(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    set_expiry(call, SECONDS, call.now)
}

fn pexpire(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    set_expiry(call, MILLIS, call.now)
}

fn expireat(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    set_expiry(call, SECONDS, 0)
}

fn pexpireat(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    set_expiry(call, MILLIS, 0)
}

/// `unit` in milliseconds, `base` in unix milliseconds.
fn set_expiry(call: &mut Call<'_>, unit: i64, base: u64) -> Result<(), ErrorReply> {
    let condition = Condition::parse(call)?;
    let given = call.int_arg(2)?;
    let expiry = given
        .checked_mul(unit)
        .and_then(|millis| millis.checked_add(i64::try_from(base).unwrap_or(i64::MAX)))
        .ok_or_else(|| {
            ErrorReply::new(format!(
                "ERR invalid expire time in '{}' command",
                call.spec.full_name
            ))
        })?;
    let (key, now) = (&call.keys[0], call.now);
    // Before 1970 is as good as 1970: long ago.
    let until = u64::try_from(expiry).unwrap_or(0);
    let over = call.is_over(until);
    let table = call.table(0);
    let mut place = table.find(key, now);
    let done = match place.entry().map(Entry::expiry) {
        None => false,
        Some(current) => condition.allows(current, expiry),
    };
    if done {
        if !over {
            place.set_expiry(Some(until));
            call.notify(EventClass::GENERIC, "expire", key);
            tell_replicas(call, until);
        } else {
            // It is over already: the key goes at once.
            if let Some(entry) = place.remove() {
                table.discard(entry);
            }
            call.notify(EventClass::GENERIC, "del", key);
            call.effect_removed(key.bytes);
        }
    }
    call.out.integer(i64::from(done));
    Ok(())
}

/// Replicas are told the instant; conditions stay as they came.
fn tell_replicas(call: &mut Call<'_>, expiry: u64) {
    if call.spec.name == "pexpireat" || !call.is_recorded() {
        return;
    }
    let mut digits = itoa::Buffer::new();
    let mut args: Vec<&[u8]> = call.args.iter().collect();
    args[0] = b"PEXPIREAT";
    args[2] = digits.format(expiry).as_bytes();
    call.effect_instead(&args);
}

/// When an expiry is set: NX, XX, GT, LT, and the combinations of XX with the latter two.
#[derive(Clone, Copy, Default)]
struct Condition {
    if_none: bool,
    if_some: bool,
    if_later: bool,
    if_earlier: bool,
}

impl Condition {
    fn parse(call: &Call<'_>) -> Result<Self, ErrorReply> {
        let mut condition = Self::default();
        for index in 3..call.args.len() {
            let is = |word| call.arg_is(index, word);
            if is("nx") {
                condition.if_none = true;
            } else if is("xx") {
                condition.if_some = true;
            } else if is("gt") {
                condition.if_later = true;
            } else if is("lt") {
                condition.if_earlier = true;
            } else {
                let text = [b"ERR Unsupported option ", call.args.at(index)].concat();
                return Err(ErrorReply::from_bytes(text));
            }
        }
        if condition.if_none && (condition.if_some || condition.if_later || condition.if_earlier) {
            return Err(ErrorReply::fixed(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if condition.if_later && condition.if_earlier {
            return Err(ErrorReply::fixed(
                "ERR GT and LT options at the same time are not compatible",
            ));
        }
        Ok(condition)
    }

    /// A key that does not expire counts as one that expires at the end of time.
    fn allows(self, current: Option<u64>, new: i64) -> bool {
        let current = current.map(|expiry| i64::try_from(expiry).unwrap_or(i64::MAX));
        !(self.if_none && current.is_some()
            || self.if_some && current.is_none()
            || self.if_later && current.is_none_or(|current| new <= current)
            || self.if_earlier && current.is_some_and(|current| new >= current))
    }
}

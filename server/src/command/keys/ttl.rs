//! TTL, PTTL, EXPIRETIME, PEXPIRETIME, PERSIST.

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::Entry;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("ttl", ttl, Locks::Keys),
    ("pttl", pttl, Locks::Keys),
    ("expiretime", expiretime, Locks::Keys),
    ("pexpiretime", pexpiretime, Locks::Keys),
    ("persist", persist, Locks::Keys),
];

/// There is no such key.
const NO_KEY: i64 = -2;
/// The key does not expire.
const NO_EXPIRY: i64 = -1;

fn ttl(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let now = call.now;
    reply_time(call, |expiry| to_seconds(expiry.saturating_sub(now)))
}

fn pttl(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let now = call.now;
    reply_time(call, |expiry| expiry.saturating_sub(now))
}

fn expiretime(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply_time(call, to_seconds)
}

fn pexpiretime(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply_time(call, |expiry| expiry)
}

/// Rounds to the nearest second.
fn to_seconds(millis: u64) -> u64 {
    millis.saturating_add(500) / 1000
}

fn reply_time(call: &mut Call<'_>, time: impl Fn(u64) -> u64) -> Result<(), ErrorReply> {
    let (key, now) = (&call.keys[0], call.now);
    let expiry = call.table(0).peek(key, now).map(Entry::expiry);
    call.looked_up(key, expiry.is_some());
    call.out.integer(match expiry {
        None => NO_KEY,
        Some(None) => NO_EXPIRY,
        Some(Some(expiry)) => i64::try_from(time(expiry)).unwrap_or(i64::MAX),
    });
    Ok(())
}

fn persist(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (key, now) = (&call.keys[0], call.now);
    let mut place = call.table(0).find(key, now);
    let expires = place.entry().is_some_and(|entry| entry.expiry().is_some());
    if expires {
        place.set_expiry(None);
        call.notify(EventClass::GENERIC, "persist", key);
    }
    call.out.integer(i64::from(expires));
    Ok(())
}

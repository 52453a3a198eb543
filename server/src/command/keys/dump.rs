//! DUMP, RESTORE, RESTORE-ASKING.

use slotcore::resp::parse_i64;

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Entry, Expire};
use crate::persistence::dump;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("dump", dump, Locks::Keys),
    ("restore", restore, Locks::Keys),
    ("restore-asking", restore, Locks::Keys),
];

fn dump(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let compress = call.node.config.load().rdb_compression;
    let (key, now) = (&call.keys[0], call.now);
    let payload = call
        .table(0)
        .get(key, now)
        .map(|entry| dump::encode(Entry::value(entry), compress));
    call.looked_up(key, payload.is_some());
    match payload {
        Some(payload) => call.out.bulk(&payload),
        None => call.out.nil(),
    }
    Ok(())
}

/// What RESTORE was asked to do beside restoring.
#[derive(Default)]
struct Options {
    replace: bool,
    /// The time to live is a unix time.
    absolute: bool,
    /// Seconds since the last access.
    idle_s: Option<u64>,
    /// How often it was accessed, on the scale of LFU policies.
    frequency: Option<u8>,
}

impl Options {
    fn parse(call: &Call<'_>) -> Result<Self, ErrorReply> {
        let mut options = Self::default();
        let mut index = 4;
        while index < call.args.len() {
            let has_value = index + 1 < call.args.len();
            if call.arg_is(index, "replace") {
                options.replace = true;
            } else if call.arg_is(index, "absttl") {
                options.absolute = true;
            } else if call.arg_is(index, "idletime") && has_value && options.frequency.is_none() {
                index += 1;
                let idle = u64::try_from(call.int_arg(index)?);
                options.idle_s =
                    Some(idle.map_err(|_| ErrorReply::fixed("ERR Invalid IDLETIME value, must be >= 0"))?);
            } else if call.arg_is(index, "freq") && has_value && options.idle_s.is_none() {
                index += 1;
                let frequency = u8::try_from(call.int_arg(index)?);
                options.frequency = Some(
                    frequency
                        .map_err(|_| ErrorReply::fixed("ERR Invalid FREQ value, must be >= 0 and <= 255"))?,
                );
            } else {
                return Err(ErrorReply::SYNTAX);
            }
            index += 1;
        }
        Ok(options)
    }
}

/// Replicas are told until when the key lives, as they get the command later.
fn tell_instant(call: &mut Call<'_>, expiry: u64) {
    let mut digits = itoa::Buffer::new();
    let mut args: Vec<&[u8]> = call.args.iter().collect();
    args[2] = digits.format(expiry).as_bytes();
    args.push(b"ABSTTL");
    call.effect_instead(&args);
}

/// The checks come in stock's order.
fn restore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let options = Options::parse(call)?;
    let (key, now) = (&call.keys[0], call.now);
    if !options.replace && call.table(0).find(key, now).exists() {
        return Err(ErrorReply::BUSY_KEY);
    }
    let ttl = parse_i64(call.args.at(2)).ok_or(ErrorReply::NOT_INTEGER)?;
    let ttl = u64::try_from(ttl).map_err(|_| ErrorReply::fixed("ERR Invalid TTL value, must be >= 0"))?;
    let value = dump::decode(call.args.at(3), &call.node.config.load().limits)
        .map_err(|error| ErrorReply::new(format!("ERR {error}")))?;

    let expiry = match ttl {
        0 => None,
        _ if options.absolute => Some(ttl),
        _ => Some(now.saturating_add(ttl)),
    };
    // The primary decides what has expired.
    let is_over = !call.session.is_primary_link && expiry.is_some_and(|expiry| expiry <= now);
    let table = call.held.table(key.slot);
    // What was there gives way as it is, also if its time is over: replicas are told of the new value alone.
    let mut replaced = false;
    if options.replace
        && let Some(old) = table.remove(key, 0)
    {
        table.discard(old);
        replaced = true;
    }
    if is_over {
        if replaced {
            call.notify(EventClass::GENERIC, "del", key);
        }
        call.effect_instead(&[b"DEL", key.bytes]);
    } else {
        let mut place = table.find(key, now);
        place.set_content(value, expiry.map_or(Expire::Clear, Expire::At));
        place.set_accesses(options.idle_s, options.frequency);
        if let Some(expiry) = expiry
            && !options.absolute
        {
            tell_instant(call, expiry);
        }
    }
    if !is_over {
        call.notify(EventClass::GENERIC, "restore", key);
    }
    call.out.ok();
    Ok(())
}

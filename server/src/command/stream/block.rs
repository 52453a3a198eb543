//! XREAD and XREADGROUP that wait: each entry that is added serves all who read, and one consumer of a group.

use super::deliver::Reader;
use super::effects::Effects;
use super::read::{Options, header, name};
use super::{id, reply};
use crate::command::call::Call;
use crate::command::kept::Kept;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Change, Stream, StreamId};
use crate::waiting::{Plan, wait_or_nothing};

/// Entries that are given to one who has waited, if it has not said how many: the ID that it reads behind may be far back.
const COUNT_DEFAULT: usize = 1000;

/// There is nothing to read: waits, if the command says so, or replies that there is nothing. `after`: for each key, the ID
/// behind which it reads.
pub(super) fn wait(call: &mut Call<'_>, options: &Options<'_>, after: &[StreamId]) {
    let Some(until_ms) = options.until_ms else {
        call.out.nil_array();
        return;
    };
    let plan = Plan {
        serve,
        keys: options.streams,
        type_name: "stream",
        // A group goes with its key, and does not come back with it.
        when_gone: options.group.is_some(),
        until_ms,
        nothing: |out| out.nil_array(),
    };
    // `$` is the last entry of now, not that of later.
    let ids: Vec<String> = after.iter().map(StreamId::to_string).collect();
    let mut args: Vec<&[u8]> = call.args.iter().collect();
    let ids_at = options.keys_at + options.streams;
    for (arg, id) in args[ids_at..].iter_mut().zip(&ids) {
        if *arg == b"$" {
            *arg = id.as_bytes();
        }
    }
    let request = Kept::of(call.spec, args.into_iter());
    wait_or_nothing(call, plan, request);
}

/// Key number `i` has changed, or is gone.
fn serve(call: &mut Call<'_>, i: usize) -> Result<bool, ErrorReply> {
    let options = Options::parse(call)?;
    match options.group {
        Some((group, consumer)) => serve_group(call, i, &options, group, consumer),
        None => serve_reader(call, i, &options),
    }
}

fn most(options: &Options<'_>) -> usize {
    if options.count == 0 {
        COUNT_DEFAULT
    } else {
        options.count
    }
}

fn serve_reader(call: &mut Call<'_>, i: usize, options: &Options<'_>) -> Result<bool, ErrorReply> {
    let after = id::exact(options.id_text(call.args, i))?;
    let key = &call.keys[i];
    let out = &mut call.out;
    let place = call.held.table(key.slot).find(key, call.now);
    let Ok(Some(stream)) = place.collection::<Stream>() else {
        return Ok(false);
    };
    let entries = stream.entries();
    if entries.last_id <= after {
        return Ok(false);
    }
    header(out, 1);
    name(out, key.bytes);
    let from = after.next().unwrap_or(StreamId::MAX);
    reply::entries(out, entries.range(from, StreamId::MAX).take(most(options)));
    Ok(true)
}

fn serve_group(
    call: &mut Call<'_>,
    i: usize,
    options: &Options<'_>,
    group: &[u8],
    consumer: &[u8],
) -> Result<bool, ErrorReply> {
    let key = &call.keys[i];
    let reader = Reader {
        key: key.bytes,
        group,
        consumer,
        no_ack: options.no_ack,
        now: call.now as i64,
    };
    let mut effects = Effects::new(call);
    let out = &mut call.out;
    let mut place = call.held.table(key.slot).find(key, call.now);
    let gone = ErrorReply::fixed("UNBLOCKED the stream key no longer exists");
    let Ok(Some(stream)) = place.collection::<Stream>() else {
        return Err(gone);
    };
    match stream.group(group) {
        None => {
            return Err(ErrorReply::fixed(
                "NOGROUP the consumer group this client was blocked on no longer exists",
            ));
        }
        Some(group) if stream.entries().last_id <= group.last_id => return Ok(false),
        Some(_) => {}
    }
    let is_new = place.edit_as(|stream: &mut Stream| {
        let is_new = stream.with_group(group, |entries, group| {
            let is_new = group.hear(consumer, reader.now);
            if is_new && reader.no_ack {
                effects.created(reader.key, reader.group, consumer);
            }
            header(out, 1);
            name(out, reader.key);
            reader.new_entries(entries, group, most(options), &mut effects, out);
            is_new
        });
        (is_new == Some(true), Change::Recorded)
    })?;
    effects.instead(call);
    if is_new {
        call.notify(EventClass::STREAM, "xgroup-createconsumer", key);
    }
    Ok(true)
}

//! XREAD, XREADGROUP: what is there, at once, or waiting.

use slotcore::resp::{Args, Proto, ReplyWriter};

use super::block;
use super::deliver::Reader;
use super::effects::Effects;
use super::{id, reply};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Change, Stream, StreamId};
use crate::scripting;
use crate::waiting::timeout_ms_arg;

/// What stands before the keys, and where they are.
pub(super) struct Options<'a> {
    /// The argument of BLOCK: when to stop waiting; the outer `None`: not to wait.
    pub until_ms: Option<Option<u64>>,
    /// Entries of a stream; 0: any number.
    pub count: usize,
    /// Name of the group and of the consumer.
    pub group: Option<(&'a [u8], &'a [u8])>,
    pub no_ack: bool,
    /// Where the first key is.
    pub keys_at: usize,
    pub streams: usize,
}

impl<'a> Options<'a> {
    pub fn parse(call: &Call<'a>) -> Result<Self, ErrorReply> {
        let is_group = call.spec.name == "xreadgroup";
        let args: Args<'a> = call.args;
        let mut options = Self {
            until_ms: None,
            count: 0,
            group: None,
            no_ack: false,
            keys_at: 0,
            streams: 0,
        };
        let mut at = 1;
        while at < args.len() {
            let left = args.len() - at - 1;
            if call.arg_is(at, "block") && left > 0 {
                if scripting::run::is_running() {
                    let end = b" command is not allowed with BLOCK option from scripts";
                    return Err(ErrorReply::from_bytes([b"ERR ", args.at(0), end].concat()));
                }
                at += 1;
                options.until_ms = Some(timeout_ms_arg(call, at)?);
            } else if call.arg_is(at, "count") && left > 0 {
                at += 1;
                options.count = usize::try_from(call.int_arg(at)?).unwrap_or(0);
            } else if call.arg_is(at, "streams") && left > 0 {
                if !left.is_multiple_of(2) {
                    return Err(ErrorReply::fixed(
                        "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
                    ));
                }
                (options.keys_at, options.streams) = (at + 1, left / 2);
                break;
            } else if call.arg_is(at, "group") && left >= 2 {
                if !is_group {
                    return Err(ErrorReply::fixed(
                        "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
                    ));
                }
                options.group = Some((args.at(at + 1), args.at(at + 2)));
                at += 2;
            } else if call.arg_is(at, "noack") {
                if !is_group {
                    return Err(ErrorReply::fixed(
                        "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
                    ));
                }
                options.no_ack = true;
            } else {
                return Err(ErrorReply::SYNTAX);
            }
            at += 1;
        }
        if options.keys_at == 0 {
            return Err(ErrorReply::SYNTAX);
        }
        if is_group && options.group.is_none() {
            return Err(ErrorReply::fixed("ERR Missing GROUP option for XREADGROUP"));
        }
        // The locks that are held are those of the keys that the command table finds: where it does not read the options as
        // they are read here, nothing may be touched.
        let named = (0..options.streams).map(|i| args.at(options.keys_at + i));
        if !named.eq(call.keys.iter().map(|key| key.bytes)) {
            return Err(ErrorReply::SYNTAX);
        }
        Ok(options)
    }

    /// The text of the ID that goes with key number `i`.
    pub fn id_text(&self, args: Args<'a>, i: usize) -> &'a [u8] {
        args.at(self.keys_at + self.streams + i)
    }

    /// The most entries of a stream.
    fn most(&self) -> usize {
        if self.count == 0 { usize::MAX } else { self.count }
    }
}

pub fn xread(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let options = Options::parse(call)?;
    let mut after = Vec::with_capacity(options.streams);
    for i in 0..options.streams {
        let text = options.id_text(call.args, i);
        let (stream, _) = call.read::<Stream>(i)?;
        after.push(match text {
            b"$" => stream.map_or(StreamId::MIN, |stream| stream.entries().last_id),
            b">" => {
                return Err(ErrorReply::fixed(
                    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
                ));
            }
            text => id::exact(text)?,
        });
    }
    // Each is looked up twice, as in stock, whose counters and events say so.
    for i in 0..options.streams {
        call.read::<Stream>(i)?;
    }
    let (keys, now) = (call.keys, call.now);
    let held = &mut *call.held;
    let write = |out: &mut ReplyWriter<'_>| {
        let mut served = 0;
        for (key, &after) in keys.iter().zip(&after) {
            let place = held.table(key.slot).find(key, now);
            let Ok(Some(stream)) = place.collection::<Stream>() else {
                continue;
            };
            let entries = stream.entries();
            if let Some(from) = after.next()
                && entries.last_entry_id() >= from
            {
                name(out, key.bytes);
                reply::entries(out, entries.range(from, StreamId::MAX).take(options.most()));
                served += 1;
            }
        }
        served
    };
    let served = reply::headed(&mut call.out, write, header);
    if served == 0 {
        block::wait(call, &options, &after);
    }
    Ok(())
}

pub fn xreadgroup(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let options = Options::parse(call)?;
    let (group, consumer) = options.group.expect("XREADGROUP without GROUP is refused");
    let mut after = Vec::with_capacity(options.streams);
    for i in 0..options.streams {
        let (text, key) = (options.id_text(call.args, i), call.keys[i].bytes);
        let (stream, _) = call.read::<Stream>(i)?;
        if stream.is_none_or(|stream| stream.group(group).is_none()) {
            let parts: [&[u8]; 5] = [
                b"NOGROUP No such key '",
                key,
                b"' or consumer group '",
                group,
                b"' in XREADGROUP with GROUP option",
            ];
            return Err(ErrorReply::from_bytes(parts.concat()));
        }
        after.push(match text {
            b"$" => {
                return Err(ErrorReply::fixed(
                    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this \
                     consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return \
                     an empty result set.",
                ));
            }
            // The greatest ID stands for new entries in stock, too.
            b">" => StreamId::MAX,
            text => id::exact(text)?,
        });
    }
    let mut effects = Effects::new(call);
    let (start, mut served) = (call.out.out.len(), 0);
    for (i, &after) in after.iter().enumerate() {
        let reader = Reader {
            key: call.keys[i].bytes,
            group,
            consumer,
            no_ack: options.no_ack,
            now: call.now as i64,
        };
        served += usize::from(read_for_group(
            call,
            i,
            &reader,
            after,
            options.most(),
            &mut effects,
        )?);
    }
    effects.instead(call);
    // The header comes first.
    let end = call.out.out.len();
    header(&mut call.out, served);
    let len = call.out.out.len() - end;
    call.out.out[start..].rotate_right(len);
    if served == 0 {
        block::wait(call, &options, &after);
    }
    Ok(())
}

/// Reads one stream, and writes what there is; false if there is nothing.
fn read_for_group(
    call: &mut Call<'_>,
    i: usize,
    reader: &Reader<'_>,
    after: StreamId,
    most: usize,
    effects: &mut Effects,
) -> Result<bool, ErrorReply> {
    call.read::<Stream>(i)?;
    let key = &call.keys[i];
    let out = &mut call.out;
    let mut place = call.held.table(key.slot).find(key, call.now);
    let (is_served, is_new) = place.edit_as(|stream: &mut Stream| {
        let has_new = stream
            .group(reader.group)
            .is_some_and(|group| stream.entries().last_entry_id() > group.last_id);
        if after == StreamId::MAX && !has_new {
            return ((false, false), Change::Nothing);
        }
        let is_new = stream.with_group(reader.group, |entries, group| {
            let is_new = group.hear(reader.consumer, reader.now);
            name(out, reader.key);
            // Else XCLAIM makes one, too, when the first entry is pending for it.
            if is_new && reader.no_ack {
                effects.created(reader.key, reader.group, reader.consumer);
            }
            if after == StreamId::MAX {
                reader.new_entries(entries, group, most, effects, out);
            } else {
                reader.history(entries, group, after, most, out);
            }
            is_new
        });
        ((true, is_new == Some(true)), Change::Recorded)
    })?;
    if is_new {
        call.notify(EventClass::STREAM, "xgroup-createconsumer", key);
    }
    Ok(is_served)
}

/// What stands before the entries of a stream.
pub(super) fn name(out: &mut ReplyWriter<'_>, key: &[u8]) {
    if out.proto == Proto::Resp2 {
        out.array(2);
    }
    out.bulk(key);
}

/// What stands before so many streams.
pub(super) fn header(out: &mut ReplyWriter<'_>, streams: usize) {
    match out.proto {
        _ if streams == 0 => {}
        Proto::Resp2 => out.array(streams),
        Proto::Resp3 => out.map(streams),
    }
}

//! XGROUP.

use super::{id, no_group_of_key};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Change, Group, Stream, StreamId};

const KEY_REQUIRED: ErrorReply = ErrorReply::fixed(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option \
     to create an empty stream automatically.",
);

/// What may follow the ID in CREATE and SETID.
struct Options {
    make: bool,
    entries_read: i64,
}

impl Options {
    fn parse(call: &Call<'_>, may_make: bool) -> Result<Self, ErrorReply> {
        let mut options = Self {
            make: false,
            entries_read: Group::UNKNOWN,
        };
        let mut at = 5;
        while at < call.args.len() {
            if may_make && call.arg_is(at, "mkstream") {
                options.make = true;
                at += 1;
            } else if call.arg_is(at, "entriesread") && at + 1 < call.args.len() {
                options.entries_read = call.int_arg(at + 1)?;
                if options.entries_read < 0 && options.entries_read != Group::UNKNOWN {
                    return Err(ErrorReply::fixed(
                        "ERR value for ENTRIESREAD must be positive or -1",
                    ));
                }
                at += 2;
            } else {
                return Err(bad_arguments(call));
            }
        }
        Ok(options)
    }
}

/// The subcommand is known, and what follows is not.
fn bad_arguments(call: &Call<'_>) -> ErrorReply {
    super::bad_arguments("XGROUP", call.args.at(1))
}

/// The last ID that a group is to have: `$` is that of the stream.
fn id_arg(stream: &Stream, text: &[u8], strict: bool) -> Result<StreamId, ErrorReply> {
    match text {
        b"$" => Ok(stream.entries().last_id),
        text if strict => id::exact(text),
        text => id::loose(text),
    }
}

/// Lets `change` change the stream, if there is one, and say what it did.
fn change<R>(
    call: &mut Call<'_>,
    change: impl FnOnce(&mut Stream) -> Result<(R, Change), ErrorReply>,
) -> Result<R, ErrorReply> {
    call.edit_as(0, |stream: &mut Stream| {
        if stream.is_absent() {
            return (Err(KEY_REQUIRED), Change::Nothing);
        }
        match change(stream) {
            Ok((result, what)) => (Ok(result), what),
            Err(error) => (Err(error), Change::Nothing),
        }
    })?
}

pub fn create(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let options = Options::parse(call, true)?;
    if call.args.len() > 8 {
        // Stock looks at the key before it finds that there is too much.
        change(call, |_| Ok(((), Change::Nothing)))?;
        return Err(bad_arguments(call));
    }
    let (name, text) = (call.args.at(3), call.args.at(4));
    call.edit_as(0, |stream: &mut Stream| {
        if stream.is_absent() && !options.make {
            return (Err(KEY_REQUIRED), Change::Nothing);
        }
        let last_id = match id_arg(stream, text, true) {
            Ok(last_id) => last_id,
            Err(error) => return (Err(error), Change::Nothing),
        };
        stream.begin();
        if stream.add_group(name, Group::new(last_id, options.entries_read)) {
            (Ok(()), Change::Recorded)
        } else {
            let error = ErrorReply::fixed("BUSYGROUP Consumer Group name already exists");
            (Err(error), Change::Nothing)
        }
    })??;
    call.notify(EventClass::STREAM, "xgroup-create", &call.keys[0]);
    call.out.ok();
    Ok(())
}

pub fn set_id(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let options = Options::parse(call, false)?;
    let (name, text, key) = (call.args.at(3), call.args.at(4), &call.keys[0]);
    let has_too_much = call.args.len() > 7;
    let too_much = bad_arguments(call);
    change(call, |stream| {
        if stream.group(name).is_none() {
            return Err(no_group_of_key(key.bytes, name));
        }
        if has_too_much {
            return Err(too_much);
        }
        let last_id = id_arg(stream, text, false)?;
        stream.with_group(name, |_, group| {
            group.last_id = last_id;
            group.entries_read = options.entries_read;
        });
        Ok(((), Change::Recorded))
    })?;
    call.notify(EventClass::STREAM, "xgroup-setid", key);
    call.out.ok();
    Ok(())
}

/// Who waits to read for the group hears of it.
pub fn destroy(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let name = call.args.at(3);
    let removed = change(call, |stream| {
        let removed = stream.remove_group(name);
        Ok((removed, Change::Ready.when(removed)))
    })?;
    if removed {
        call.notify(EventClass::STREAM, "xgroup-destroy", &call.keys[0]);
    }
    call.out.integer(i64::from(removed));
    Ok(())
}

pub fn create_consumer(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (name, consumer, key, now) = (call.args.at(3), call.args.at(4), &call.keys[0], call.now);
    let created = change(call, |stream| {
        let created = stream.with_group(name, |_, group| group.add_consumer(consumer, now as i64));
        let created = created.ok_or_else(|| no_group_of_key(key.bytes, name))?;
        Ok((created, Change::Recorded.when(created)))
    })?;
    if created {
        call.notify(EventClass::STREAM, "xgroup-createconsumer", key);
    }
    call.out.integer(i64::from(created));
    Ok(())
}

pub fn delete_consumer(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (name, consumer, key) = (call.args.at(3), call.args.at(4), &call.keys[0]);
    let pending = change(call, |stream| {
        let pending = stream.with_group(name, |_, group| group.remove_consumer(consumer));
        let pending = pending.ok_or_else(|| no_group_of_key(key.bytes, name))?;
        Ok((pending, Change::Recorded.when(pending.is_some())))
    })?;
    if pending.is_some() {
        call.notify(EventClass::STREAM, "xgroup-delconsumer", key);
    }
    call.out.integer(pending.unwrap_or(0) as i64);
    Ok(())
}

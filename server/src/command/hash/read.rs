//! HGET, HMGET, HGETALL, HKEYS, HVALS, HLEN, HEXISTS, HSTRLEN, HSCAN.

use slotcore::resp::ReplyWriter;

use crate::command::call::Call;
use crate::command::keys::scan::{Filter, KeyList, cursor_arg};
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{Hash, Item};

/// Writes what a field holds.
fn write_item(out: &mut ReplyWriter<'_>, item: Option<Item<'_>>) {
    match item {
        Some(item) => out.bulk(item.text(&mut itoa::Buffer::new())),
        None => out.nil(),
    }
}

pub fn hget(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let field = call.args.at(2);
    let (hash, out) = call.read::<Hash>(0)?;
    write_item(out, hash.and_then(|hash| hash.get(field)));
    Ok(())
}

pub fn hmget(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let fields = call.args.from(2);
    let (hash, out) = call.read::<Hash>(0)?;
    out.array(fields.len());
    for field in fields.iter() {
        write_item(out, hash.and_then(|hash| hash.get(field)));
    }
    Ok(())
}

pub fn hgetall(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (hash, out) = call.read::<Hash>(0)?;
    out.map(hash.map_or(0, Hash::len));
    if let Some(hash) = hash {
        hash.for_each(&mut |field, value| {
            out.bulk(field);
            out.bulk(value);
        });
    }
    Ok(())
}

pub fn hkeys(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (hash, out) = call.read::<Hash>(0)?;
    out.array(hash.map_or(0, Hash::len));
    if let Some(hash) = hash {
        hash.for_each(&mut |field, _| out.bulk(field));
    }
    Ok(())
}

pub fn hvals(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (hash, out) = call.read::<Hash>(0)?;
    out.array(hash.map_or(0, Hash::len));
    if let Some(hash) = hash {
        hash.for_each(&mut |_, value| out.bulk(value));
    }
    Ok(())
}

pub fn hlen(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (hash, out) = call.read::<Hash>(0)?;
    out.integer(hash.map_or(0, Hash::len) as i64);
    Ok(())
}

pub fn hexists(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let field = call.args.at(2);
    let (hash, out) = call.read::<Hash>(0)?;
    out.integer(i64::from(hash.is_some_and(|hash| hash.contains(field))));
    Ok(())
}

pub fn hstrlen(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let field = call.args.at(2);
    let (hash, out) = call.read::<Hash>(0)?;
    let len = hash
        .and_then(|hash| hash.get(field))
        .map_or(0, |item| item.text_len());
    out.integer(len as i64);
    Ok(())
}

/// A hash that is absent is answered before options are looked at: stock's order.
pub fn hscan(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let cursor = cursor_arg(call, 2)?;
    let filter = Filter::parse(call, 3, false);
    let (hash, out) = call.read::<Hash>(0)?;
    let mut found = KeyList::default();
    let next = match hash {
        None => 0,
        Some(hash) => {
            let filter = filter?;
            hash.scan(cursor, filter.count, &mut |field, value| {
                if filter.matches(field) {
                    found.push(field);
                    found.push(value);
                }
            })
        }
    };
    out.array(2);
    out.bulk(itoa::Buffer::new().format(next).as_bytes());
    found.write(out);
    Ok(())
}

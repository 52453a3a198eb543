//! LLEN, LINDEX, LRANGE.

use super::{place, span};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{List, Side};
use slotcore::resp::parse_i64;

pub fn llen(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (list, out) = call.read::<List>(0)?;
    out.integer(list.map_or(0, List::len) as i64);
    Ok(())
}

/// A list that is absent is answered before the index is looked at: stock's order.
pub fn lindex(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let index = parse_i64(call.args.at(2));
    let (list, out) = call.read::<List>(0)?;
    let Some(list) = list else {
        out.nil();
        return Ok(());
    };
    let index = index.ok_or(ErrorReply::NOT_INTEGER)?;
    match place(index, list.len()).and_then(|index| list.get(index)) {
        Some(element) => out.bulk(element.text(&mut itoa::Buffer::new())),
        None => out.nil(),
    }
    Ok(())
}

pub fn lrange(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (start, stop) = (call.int_arg(2)?, call.int_arg(3)?);
    let (list, out) = call.read::<List>(0)?;
    let Some(list) = list else {
        out.array(0);
        return Ok(());
    };
    let (first, count) = span(start, stop, list.len());
    out.array(count);
    for element in list.from(first, Side::Left).take(count) {
        out.bulk(element.text(&mut itoa::Buffer::new()));
    }
    Ok(())
}

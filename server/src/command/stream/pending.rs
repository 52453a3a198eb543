//! XACK, XPENDING.

use super::id::{self, range_end, range_start};
use super::{no_group, reply};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{Change, Group, Stream, StreamId};

pub fn xack(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let name = call.args.at(2);
    let (stream, _) = call.read::<Stream>(0)?;
    if stream.is_none_or(|stream| stream.group(name).is_none()) {
        call.out.integer(0);
        return Ok(());
    }
    let ids: Result<Vec<StreamId>, _> = call.args.from(3).iter().map(id::exact).collect();
    let ids = ids?;
    let settled = call.edit_as(0, |stream: &mut Stream| {
        let settle = |group: &mut Group| ids.iter().filter(|id| group.settle(**id)).count();
        let settled = stream.with_group(name, |_, group| settle(group)).unwrap_or(0);
        (settled, Change::Recorded.when(settled > 0))
    })?;
    call.out.integer(settled as i64);
    Ok(())
}

/// Which pending entries XPENDING is to show.
struct Filter<'a> {
    min_idle: i64,
    from: StreamId,
    to: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    fn parse(call: &Call<'a>) -> Result<Self, ErrorReply> {
        let (mut at, mut min_idle) = (3, 0);
        if call.arg_is(3, "idle") {
            min_idle = call.int_arg(4)?;
            if call.args.len() < 8 {
                return Err(ErrorReply::SYNTAX);
            }
            at = 5;
        }
        let count = call.int_arg(at + 2)?;
        Ok(Self {
            min_idle,
            from: range_start(call.args.at(at))?,
            to: range_end(call.args.at(at + 1))?,
            count: usize::try_from(count).unwrap_or(0),
            consumer: call.args.get(at + 3),
        })
    }
}

pub fn xpending(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let filter = match call.args.len() {
        3 => None,
        6..=9 => Some(Filter::parse(call)?),
        _ => return Err(ErrorReply::SYNTAX),
    };
    let (key, name, now) = (call.keys[0].bytes, call.args.at(2), call.now as i64);
    let (stream, out) = call.read::<Stream>(0)?;
    let group = stream.and_then(|stream| stream.group(name));
    let group = group.ok_or_else(|| no_group(key, name))?;
    let Some(filter) = filter else {
        summary(group, out);
        return Ok(());
    };
    // Those of one consumer, or those of all.
    let ids: Box<dyn Iterator<Item = StreamId>> = match filter.consumer {
        Some(name) => match group.consumer(name) {
            Some(consumer) => Box::new(consumer.pending_from(filter.from)),
            None => Box::new(std::iter::empty()),
        },
        None => Box::new(group.pending().from(filter.from).map(|(id, _)| id)),
    };
    let shown = ids
        .take_while(|id| *id <= filter.to)
        .filter_map(|id| group.pending().get(id).map(|pending| (id, pending)))
        .filter(|(_, pending)| filter.min_idle == 0 || now.saturating_sub(pending.time) >= filter.min_idle)
        .take(filter.count);
    reply::counted(out, |out| {
        let mut count = 0;
        for (id, pending) in shown {
            out.array(4);
            reply::id(out, id);
            out.bulk(&pending.consumer);
            out.integer(now.saturating_sub(pending.time).max(0));
            out.integer(pending.count as i64);
            count += 1;
        }
        count
    });
    Ok(())
}

fn summary(group: &Group, out: &mut slotcore::resp::ReplyWriter<'_>) {
    let pending = group.pending();
    out.array(4);
    out.integer(pending.len() as i64);
    let (Some((first, _)), Some((last, _))) = (pending.first(), pending.last()) else {
        out.nil();
        out.nil();
        out.nil_array();
        return;
    };
    reply::id(out, first);
    reply::id(out, last);
    let busy = group.consumers().filter(|(_, consumer)| consumer.pending() > 0);
    reply::counted(out, |out| {
        let mut count = 0;
        for (name, consumer) in busy {
            out.array(2);
            out.bulk(name);
            out.bulk_display(consumer.pending());
            count += 1;
        }
        count
    });
}

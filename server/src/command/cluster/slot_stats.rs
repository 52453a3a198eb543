//! CLUSTER SLOT-STATS, in Valkey 8's shape: `[[slot, {key-count, cpu-usec, network-bytes-in, network-bytes-out}], ...]`.

use std::cmp::Reverse;

use slotcore::resp::{ReplyWriter, parse_i64};
use slotcore::{SLOT_COUNT, Slot};

use super::{bad_subcommand, cluster, slot_arg};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;

/// The statistics of one slot, in the order in which they are told.
type Stats = [u64; METRICS.len()];

const METRICS: [&str; 4] = ["key-count", "cpu-usec", "network-bytes-in", "network-bytes-out"];

/// Both forms tell of the slots of this node's shard only: others' numbers would be zeros that mean nothing.
pub(super) fn slot_stats(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    if call.args.len() == 5 && call.arg_is(2, "slotsrange") {
        slots_range(call)
    } else if call.args.len() >= 4 && call.arg_is(2, "orderby") {
        order_by(call)
    } else {
        Err(bad_subcommand(call))
    }
}

fn slots_range(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (start, end) = (slot_arg(call.args.at(3))?, slot_arg(call.args.at(4))?);
    if start > end {
        return Err(ErrorReply::new(format!(
            "ERR Start slot number {start} is greater than end slot number {end}"
        )));
    }
    let rows = collect(call, start, end)?;
    write(&rows, &mut call.out);
    Ok(())
}

fn order_by(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let metric = METRICS
        .iter()
        .position(|metric| call.arg_is(3, metric))
        .ok_or(ErrorReply::fixed("ERR Unrecognized sort metric for ORDERBY."))?;
    let Filter { limit, descending } = Filter::read(call)?;
    let mut rows = collect(call, 0, (SLOT_COUNT - 1) as Slot)?;
    // Stable, so that slots with equal numbers stay in ascending order.
    match descending {
        true => rows.sort_by_key(|(_, stats)| Reverse(stats[metric])),
        false => rows.sort_by_key(|(_, stats)| stats[metric]),
    }
    rows.truncate(limit);
    write(&rows, &mut call.out);
    Ok(())
}

/// What follows the metric of ORDERBY.
struct Filter {
    limit: usize,
    descending: bool,
}

impl Filter {
    fn read(call: &Call<'_>) -> Result<Self, ErrorReply> {
        const LIMIT: ErrorReply =
            ErrorReply::fixed("ERR Limit has to lie in between 1 and 16384 (maximum number of slots).");
        const TWICE: ErrorReply = ErrorReply::fixed("ERR Multiple filters of the same type are disallowed.");
        let (mut limit, mut descending) = (None, None);
        let mut at = 4;
        while at < call.args.len() {
            if call.arg_is(at, "limit") && at + 1 < call.args.len() {
                at += 1;
                let given = parse_i64(call.args.at(at)).and_then(|given| usize::try_from(given).ok());
                let given = given
                    .filter(|given| (1..=SLOT_COUNT).contains(given))
                    .ok_or(LIMIT)?;
                if limit.replace(given).is_some() {
                    return Err(TWICE);
                }
            } else if call.arg_is(at, "asc") || call.arg_is(at, "desc") {
                if descending.replace(call.arg_is(at, "desc")).is_some() {
                    return Err(TWICE);
                }
            } else {
                return Err(ErrorReply::SYNTAX);
            }
            at += 1;
        }
        Ok(Self {
            limit: limit.unwrap_or(SLOT_COUNT),
            descending: descending.unwrap_or(true),
        })
    }
}

/// The slots of our shard between two, ascending. Each is locked on its own: the rows are true one by one.
fn collect(call: &mut Call<'_>, start: Slot, end: Slot) -> Result<Vec<(Slot, Stats)>, ErrorReply> {
    let view = cluster(call)?.view();
    let mut rows = Vec::new();
    for slot in (start..=end).filter(|slot| view.is_of_my_shard(*slot)) {
        let stats = call.with_slot(slot, |table| table.stats());
        rows.push((
            slot,
            [stats.keys, stats.cpu_ns / 1000, stats.net_in, stats.net_out],
        ));
    }
    Ok(rows)
}

fn write(rows: &[(Slot, Stats)], out: &mut ReplyWriter<'_>) {
    out.array(rows.len());
    for (slot, stats) in rows {
        out.array(2);
        out.integer(i64::from(*slot));
        out.map(METRICS.len());
        for (metric, value) in METRICS.iter().zip(stats) {
            out.bulk(metric.as_bytes());
            out.integer(i64::try_from(*value).unwrap_or(i64::MAX));
        }
    }
}

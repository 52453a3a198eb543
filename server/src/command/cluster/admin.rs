//! Changes of the cluster's state. Each is in nodes.conf before its reply is written.

use slotcore::topology::SlotRange;

use super::{INVALID_SLOT, bad_subcommand, cluster, slot_arg};
use crate::cluster::{AdminError, Bump, Claim, ClusterData, random_id};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::SlotTable;
use crate::log;

pub(super) fn add_slots(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    claim(call, Claim::Add, single_slots)
}

pub(super) fn add_slots_range(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    claim(call, Claim::Add, slot_ranges)
}

pub(super) fn del_slots(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    claim(call, Claim::Delete, single_slots)
}

pub(super) fn del_slots_range(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    claim(call, Claim::Delete, slot_ranges)
}

/// What a claim names.
type Ranges = Result<Vec<SlotRange>, ErrorReply>;

fn claim(call: &mut Call<'_>, claim: Claim, read: fn(&Call<'_>) -> Ranges) -> Result<(), ErrorReply> {
    cluster(call)?;
    let ranges = read(call)?;
    // Lazily: a client may repeat the whole range a million times, and the first repetition ends it.
    change(call, |data| {
        data.claim(claim, ranges.into_iter().flat_map(SlotRange::slots))
    })?;
    call.out.ok();
    Ok(())
}

/// Changes the state. A slot that is not ours any more loses its statistics: should it come back, they begin anew.
fn change<T>(
    call: &mut Call<'_>,
    change: impl FnOnce(&mut ClusterData) -> Result<T, AdminError>,
) -> Result<T, ErrorReply> {
    let cluster = cluster(call)?;
    let before = cluster.view();
    let outcome = cluster.change(change)?;
    let after = cluster.view();
    for slot in SlotRange::ALL.slots() {
        if before.is_of_my_shard(slot) && !after.is_of_my_shard(slot) {
            call.with_slot(slot, SlotTable::reset_stats);
        }
    }
    Ok(outcome)
}

fn single_slots(call: &Call<'_>) -> Ranges {
    let range = |arg| {
        let slot = slot_arg(arg)?;
        SlotRange::new(slot, slot).ok_or(INVALID_SLOT)
    };
    call.args.iter().skip(2).map(range).collect()
}

fn slot_ranges(call: &Call<'_>) -> Ranges {
    if call.args.len() % 2 == 1 {
        return Err(ErrorReply::wrong_arity(call.spec.full_name));
    }
    let pair = |at: usize| {
        let (start, end) = (slot_arg(call.args.at(at))?, slot_arg(call.args.at(at + 1))?);
        SlotRange::new(start, end).ok_or_else(|| {
            ErrorReply::new(format!(
                "ERR start slot number {start} is greater than end slot number {end}"
            ))
        })
    };
    (2..call.args.len()).step_by(2).map(pair).collect()
}

pub(super) fn flush_slots(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    if holds_keys(call) {
        return Err(ErrorReply::fixed(
            "ERR DB must be empty to perform CLUSTER FLUSHSLOTS.",
        ));
    }
    change(call, |data| {
        data.flush_slots();
        Ok(())
    })?;
    call.out.ok();
    Ok(())
}

pub(super) fn reset(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    let hard = match call.args.len() {
        3 if call.arg_is(2, "hard") => true,
        3 if !call.arg_is(2, "soft") => return Err(ErrorReply::SYNTAX),
        2 | 3 => false,
        _ => return Err(bad_subcommand(call)),
    };
    if holds_keys(call) {
        return Err(ErrorReply::fixed(
            "ERR CLUSTER RESET can't be called with master nodes containing keys",
        ));
    }
    let new_id = hard.then(random_id);
    change(call, |data| {
        data.reset(new_id);
        Ok(())
    })?;
    if let Some(id) = new_id {
        log::notice(format_args!("Node hard reset, now I'm {id}"));
    }
    call.out.ok();
    Ok(())
}

pub(super) fn set_config_epoch(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let cluster = cluster(call)?;
    let epoch = call.int_arg(2)?;
    cluster.change(|data| data.set_config_epoch(epoch))?;
    call.out.ok();
    Ok(())
}

pub(super) fn bump_epoch(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    match cluster(call)?.change(|data| Ok(data.bump_epoch()))? {
        Bump::Bumped(epoch) => call.out.simple(&format!("BUMPED {epoch}")),
        Bump::Still(epoch) => call.out.simple(&format!("STILL {epoch}")),
    }
    Ok(())
}

pub(super) fn forget(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let id = call.args.at(2);
    cluster(call)?.change(|data| data.forget(id))?;
    call.out.ok();
    Ok(())
}

pub(super) fn save_config(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?.save()?;
    call.out.ok();
    Ok(())
}

/// Asked slot by slot: what a transaction has written before this command is not in the keyspace's sums yet.
fn holds_keys(call: &mut Call<'_>) -> bool {
    SlotRange::ALL
        .slots()
        .any(|slot| call.with_slot(slot, |table| !table.is_empty()))
}

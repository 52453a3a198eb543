//! Who owns which slot, under which epoch.

use slotcore::topology::SlotRange;

use super::change::{change, change_by_keys, holds_keys};
use super::{INVALID_SLOT, cluster, slot_arg};
use crate::cluster::protocol::SetSlot;
use crate::cluster::{AdminError, Bump, Claim};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;

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
    change(call, |member, now, facts, out| {
        let slots = ranges.into_iter().flat_map(SlotRange::slots);
        member.claim(now, facts, claim, slots, out)
    })?;
    call.out.ok();
    Ok(())
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
    change(call, |member, now, facts, out| {
        member.flush_slots(now, facts, out);
        Ok(())
    })?;
    call.out.ok();
    Ok(())
}

pub(super) fn set_config_epoch(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    let epoch = call.int_arg(2)?;
    change(call, |member, now, facts, out| {
        member.set_config_epoch(now, facts, epoch, out)
    })?;
    call.out.ok();
    Ok(())
}

pub(super) fn bump_epoch(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    match change(call, |member, now, facts, out| {
        Ok(member.bump_epoch(now, facts, out))
    })? {
        Bump::Bumped(epoch) => call.out.simple(&format!("BUMPED {epoch}")),
        Bump::Still(epoch) => call.out.simple(&format!("STILL {epoch}")),
    }
    Ok(())
}

pub(super) fn save_config(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?.save()?;
    call.out.ok();
    Ok(())
}

/// SETSLOT: a slot is on its way to another node, or has arrived, or neither.
pub(super) fn set_slot(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if cluster(call)?.view().me().primary.is_some() {
        return Err(AdminError::SetSlotOnReplica.into());
    }
    let slot = slot_arg(call.args.at(2))?;
    let node = |call: &Call<'_>| call.args.at(4).to_vec();
    let set = match call.args.len() {
        4 if call.arg_is(3, "stable") => SetSlot::Stable,
        5 if call.arg_is(3, "migrating") => SetSlot::Migrating(node(call)),
        5 if call.arg_is(3, "importing") => SetSlot::Importing(node(call)),
        5 if call.arg_is(3, "node") => SetSlot::Node(node(call)),
        _ => {
            return Err(ErrorReply::fixed(
                "ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP",
            ));
        }
    };
    change_by_keys(call, slot, |member, now, facts, keys, out| {
        member.set_slot(now, facts, slot, set, keys, out)
    })?;
    call.out.ok();
    Ok(())
}

//! Changes of the cluster's state. Each is in nodes.conf before its reply is written.

use slotcore::Slot;

use super::{bad_subcommand, cluster, slot_arg};
use crate::cluster::{Bump, Claim, random_id};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
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

fn claim(
    call: &mut Call<'_>,
    claim: Claim,
    read: fn(&Call<'_>) -> Result<Vec<(Slot, Slot)>, ErrorReply>,
) -> Result<(), ErrorReply> {
    let cluster = cluster(call)?;
    let ranges = read(call)?;
    // Lazily: a client may repeat the whole range a million times, and the first repetition ends it.
    cluster.change(|data| data.claim(claim, ranges.into_iter().flat_map(|(start, end)| start..=end)))?;
    call.out.ok();
    Ok(())
}

fn single_slots(call: &Call<'_>) -> Result<Vec<(Slot, Slot)>, ErrorReply> {
    call.args
        .iter()
        .skip(2)
        .map(|arg| slot_arg(arg).map(|slot| (slot, slot)))
        .collect()
}

fn slot_ranges(call: &Call<'_>) -> Result<Vec<(Slot, Slot)>, ErrorReply> {
    if call.args.len() % 2 == 1 {
        return Err(ErrorReply::wrong_arity(call.spec.full_name));
    }
    let pair = |at: usize| {
        let (start, end) = (slot_arg(call.args.at(at))?, slot_arg(call.args.at(at + 1))?);
        if start > end {
            return Err(ErrorReply::new(format!(
                "ERR start slot number {start} is greater than end slot number {end}"
            )));
        }
        Ok((start, end))
    };
    (2..call.args.len()).step_by(2).map(pair).collect()
}

pub(super) fn flush_slots(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let cluster = cluster(call)?;
    if call.node.keyspace.key_count() != 0 {
        return Err(ErrorReply::fixed(
            "ERR DB must be empty to perform CLUSTER FLUSHSLOTS.",
        ));
    }
    cluster.change(|data| {
        data.flush_slots();
        Ok(())
    })?;
    call.out.ok();
    Ok(())
}

pub(super) fn reset(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let cluster = cluster(call)?;
    let hard = match call.args.len() {
        3 if call.arg_is(2, "hard") => true,
        3 if !call.arg_is(2, "soft") => return Err(ErrorReply::SYNTAX),
        2 | 3 => false,
        _ => return Err(bad_subcommand(call)),
    };
    if call.node.keyspace.key_count() != 0 {
        return Err(ErrorReply::fixed(
            "ERR CLUSTER RESET can't be called with master nodes containing keys",
        ));
    }
    let new_id = hard.then(random_id);
    cluster.change(|data| {
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

//! One command that a script calls: may it run, does the script hold its slots? Then as any command runs.

use slotcore::command::{self, CommandFlags, CommandSpec, lookup_request};
use slotcore::resp::{Args, ReplyWriter};
use slotcore::route::{Decision, KeyPresence, KeySlots, RouteRequest};

use super::run::{Abort, Run};
use super::shebang::ScriptFlags;
use crate::acl;
use crate::command::call::{Call, Locks};
use crate::command::dispatch;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::Key;
use crate::replication::LinkPhase;
use crate::replication::effect::{self, Effect};

const UNKNOWN: ErrorReply = ErrorReply::fixed("ERR Unknown Redis command called from script");
const WRONG_ARITY: ErrorReply =
    ErrorReply::fixed("ERR Wrong number of args calling Redis command from script");
const NOT_ALLOWED: ErrorReply = ErrorReply::fixed("ERR This Redis command is not allowed from script");
const STALE: ErrorReply = ErrorReply::fixed("ERR Can not execute the command on a stale replica");
const READ_ONLY: ErrorReply = ErrorReply::fixed("ERR Write commands are not allowed from read-only scripts.");
const OTHER_SLOT: ErrorReply =
    ErrorReply::fixed("ERR Script attempted to access keys that do not hash to the same slot");
const NOT_LOCAL: ErrorReply =
    ErrorReply::fixed("ERR Script attempted to access a non local key in a cluster node");
const DOWN: ErrorReply =
    ErrorReply::fixed("ERR Script attempted to execute a command while the cluster is down");
const DOWN_READ_ONLY: ErrorReply = ErrorReply::fixed(
    "ERR Script attempted to execute a write command while the cluster is down and readonly",
);
const IN_USE: ErrorReply = ErrorReply::fixed(
    "ERR the script has written, and then needed a slot that is in use: declare its keys, or run it again",
);

/// Runs the command in the run's arguments, and leaves its reply in the run. An error is a refusal, not the reply.
pub fn execute(run: &mut Run) -> Result<(), ErrorReply> {
    // SAFETY: the pointer is that of the call which runs the script, and it is used by one function at a time.
    let outer = unsafe { &mut *run.call };
    let args = Args::new(&run.args, &run.ranges);
    let spec = lookup_request(&args).map_err(|_| UNKNOWN)?;
    if !dispatch::is_bound(spec) {
        return Err(UNKNOWN);
    }
    if !command::arity_ok(spec, args.len()) {
        return Err(WRONG_ARITY);
    }
    let writes = spec.flags.contains(CommandFlags::WRITE);
    check(outer, run, spec, &args, writes)?;
    let mut keys: Vec<Key<'_>> = Vec::new();
    dispatch::hash_keys(spec, &args, &mut run.positions, &mut keys);
    check_slots(outer, run.flags, &mut run.slot, &keys)?;

    let bound = dispatch::binding(spec);
    let wants_all =
        matches!(bound.locks, Locks::Each | Locks::All) || dispatch::reads_any_slot(outer.node, bound, &args);
    let keyspace = &outer.node.keyspace;
    if outer.node.cluster.is_some() && !outer.keys.is_empty() {
        run.roams |= wants_all || keys.iter().any(|key| !outer.held.holds(key.slot));
    }
    let has_all = if wants_all {
        outer.held.grow_to_all(keyspace)
    } else {
        keys.iter().all(|key| outer.held.grow(keyspace, key.slot))
    };
    if !has_all {
        if run.wrote {
            return Err(IN_USE);
        }
        run.abort = Some(Abort::Restart);
        return Ok(());
    }
    if outer.node.cluster.is_some() {
        check_route(outer, &keys, writes || dispatch::may_write(spec))?;
    }
    if writes && !run.wrote {
        // The role may have changed before this script held its first slot.
        let gate = &outer.node.replication.gate;
        if gate.is_paused() && !run.within_exec && !outer.session.is_primary_link {
            run.abort = Some(Abort::Restart);
            return Ok(());
        }
        run.wrote = true;
        run.tell_written(outer.node);
    }
    if outer.session.is_primary_link {
        outer.held.reveal_expired();
    }
    effect::set_muted(!run.replicates);
    let mut inner = Call {
        args,
        keys: &keys,
        spec,
        node: outer.node,
        session: &mut *outer.session,
        held: &mut *outer.held,
        out: ReplyWriter::new(&mut run.reply, run.proto),
        wire_len: run.args.len(),
        worker: outer.worker,
        now: outer.now,
        effect: Effect::default(),
    };
    dispatch::invoke(&mut inner, bound);
    effect::set_muted(false);
    Ok(())
}

/// What does not depend on keys, in stock's order.
fn check(
    outer: &Call<'_>,
    run: &Run,
    spec: &'static CommandSpec,
    args: &Args<'_>,
    writes: bool,
) -> Result<(), ErrorReply> {
    if spec.flags.contains(CommandFlags::NOSCRIPT) {
        return Err(NOT_ALLOWED);
    }
    if outer.session.is_primary_link {
        return Ok(());
    }
    let node = outer.node;
    let config = node.config.load();
    let is_replica = node.replication.gate.is_replica();
    if is_replica
        && !config.replica.serve_stale_data
        && node.replication.link.phase() != LinkPhase::Connected
        && !spec.flags.contains(CommandFlags::STALE)
    {
        return Err(STALE);
    }
    if !outer.session.account.is_unrestricted() {
        acl::check_session(node, outer.session, spec, args, acl::Context::Lua, outer.now)
            .map_err(acl::Denied::reply_in_script)?;
    }
    // Messages may go to replicas, though COMMAND does not say so of them.
    if run.read_only && (dispatch::may_write(spec) || matches!(spec.name, "publish" | "spublish")) {
        return Err(READ_ONLY);
    }
    if writes {
        if is_replica && config.replica.read_only {
            return Err(ErrorReply::READ_ONLY);
        }
        let wanted = config.primary.wanted_replicas();
        if wanted > 0 && !is_replica && node.replication.replicas.good() < wanted {
            return Err(ErrorReply::NO_REPLICAS);
        }
    }
    if spec.flags.contains(CommandFlags::DENYOOM)
        && !run.flags.contains(ScriptFlags::ALLOW_OOM)
        && run.out_of_memory
        && !run.wrote
    {
        return Err(ErrorReply::OOM);
    }
    Ok(())
}

/// All commands of a script stay in one slot, unless it says otherwise or is of the old kind.
fn check_slots(
    outer: &Call<'_>,
    flags: ScriptFlags,
    slot: &mut Option<slotcore::Slot>,
    keys: &[Key<'_>],
) -> Result<(), ErrorReply> {
    let (Some(_), Some(first)) = (&outer.node.cluster, keys.first()) else {
        return Ok(());
    };
    if keys.iter().any(|key| key.slot != first.slot) {
        return Err(NOT_LOCAL);
    }
    if flags.contains(ScriptFlags::ALLOW_CROSS_SLOT) || outer.session.is_primary_link {
        return Ok(());
    }
    if *slot.get_or_insert(first.slot) == first.slot {
        Ok(())
    } else {
        Err(OTHER_SLOT)
    }
}

/// Is it ours to serve? Asked with the locks held, so the answer holds until the script ends.
fn check_route(outer: &mut Call<'_>, keys: &[Key<'_>], writes: bool) -> Result<(), ErrorReply> {
    let (Some(cluster), Some(first)) = (&outer.node.cluster, keys.first()) else {
        return Ok(());
    };
    if outer.session.is_primary_link {
        return Ok(());
    }
    let request = RouteRequest {
        slots: KeySlots::One(first.slot),
        write: writes,
        asking: outer.session.asking,
        readonly: outer.session.readonly,
        migrate: false,
        shard_channel: false,
    };
    let (held, now) = (&mut *outer.held, outer.now);
    let decision = cluster.view().route(&request, || {
        let is_here = |key: &&Key<'_>| held.table(key.slot).peek(key, now).is_some();
        let existing = keys.iter().filter(is_here).count();
        KeyPresence {
            existing,
            missing: keys.len() - existing,
            several: keys.iter().any(|key| key.bytes != first.bytes),
        }
    });
    use slotcore::route::ClusterDownReason::{ReadOnlyState, State};
    match decision {
        Decision::Local | Decision::NoKeys => Ok(()),
        Decision::ClusterDown(State) => Err(DOWN),
        Decision::ClusterDown(ReadOnlyState) => Err(DOWN_READ_ONLY),
        _ => Err(NOT_LOCAL),
    }
}

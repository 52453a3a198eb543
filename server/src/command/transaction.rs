//! MULTI, EXEC, DISCARD, WATCH, UNWATCH.
//!
//! A queued command is kept as the bytes and argument ranges that arrived. EXEC takes the locks of every slot that
//! the queue or a WATCH touches, in ascending order, and holds them until the last reply is written: nobody sees
//! half a transaction, and a watched key cannot change between the check and the run.

use std::sync::atomic::Ordering::Acquire;

use slotcore::Slot;
use slotcore::command::{CommandFlags, CommandSpec};
use slotcore::resp::{Args, ReplyWriter};

use crate::acl;
use crate::command::call::{Binding, Call, Locks};
use crate::command::dispatch;
use crate::command::kept::Kept;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{Held, Key};
use crate::replication::effect::{self, Effect};
use crate::session::{Session, Watch};
use crate::tracking;
use crate::waiting;

/// The commands between MULTI and EXEC.
#[derive(Default)]
pub struct Transaction {
    queue: Vec<Kept>,
    held_bytes: usize,
    /// The flags that any of the commands has.
    flags: CommandFlags,
    /// The flags that any of the commands lacks.
    missing: CommandFlags,
    /// A command was refused while queueing: EXEC will abort.
    pub refused: bool,
}

impl Transaction {
    /// Keeps a copy of a command for EXEC.
    pub fn push(&mut self, spec: &'static CommandSpec, args: Args<'_>) {
        let queued = Kept::new(spec, args);
        self.flags |= spec.flags;
        self.missing |= spec.flags.complement();
        self.held_bytes += queued.held_bytes();
        self.queue.push(queued);
    }

    /// How many commands are queued.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Bytes that the queued commands take.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Has one of the queued commands this flag?
    pub fn any_has(&self, flag: CommandFlags) -> bool {
        self.flags.intersects(flag)
    }

    /// Lacks one of the queued commands this flag?
    pub fn any_lacks(&self, flag: CommandFlags) -> bool {
        self.missing.intersects(flag)
    }

    /// Is one of the queued commands a subcommand of CLUSTER?
    fn names_cluster(&self) -> bool {
        self.queue
            .iter()
            .any(|queued| queued.spec.full_name.starts_with("cluster|"))
    }

    /// Is one of the queued commands a script, which may turn to any slot?
    fn names_scripts(&self) -> bool {
        self.queue
            .iter()
            .any(|queued| matches!(dispatch::binding(queued.spec).locks, Locks::Script))
    }

    /// Is nothing queued?
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

pub const HANDLERS: &[Binding] = &[
    ("multi", multi, Locks::None),
    ("exec", exec, Locks::None),
    ("discard", discard, Locks::None),
    ("watch", watch, Locks::Keys),
    ("unwatch", unwatch, Locks::None),
];

fn multi(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.session.in_multi() {
        return Err(ErrorReply::fixed("ERR MULTI calls can not be nested"));
    }
    call.session.transaction = Some(Transaction::default());
    call.session.client.set_multi(Some(0));
    call.out.ok();
    Ok(())
}

fn discard(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.session.transaction.take().is_none() {
        return Err(ErrorReply::fixed("ERR DISCARD without MULTI"));
    }
    call.session.client.set_multi(None);
    forget_watch(call);
    call.out.ok();
    Ok(())
}

fn watch(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.session.in_multi() {
        return Err(ErrorReply::fixed("ERR WATCH inside MULTI is not allowed"));
    }
    let (keys, now) = (call.keys, call.now);
    for key in keys {
        let watched = &mut call.session.watch;
        if watched.keys.iter().any(|(_, name)| **name == *key.bytes) {
            continue;
        }
        let table = call.held.table(key.slot);
        table.peek(key, now); // an expired key is gone before the watch starts, and does not trip it
        table.watch(key, watched.dirty.clone());
        watched.keys.push((key.slot, key.bytes.into()));
    }
    call.out.ok();
    Ok(())
}

fn unwatch(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    forget_watch(call);
    call.out.ok();
    Ok(())
}

fn forget_watch(call: &mut Call<'_>) {
    let watch = std::mem::take(&mut call.session.watch);
    release_watch(call.node, watch);
}

/// Takes a WATCH out of the tables. No slot lock may be held.
pub fn release_watch(node: &'static crate::node::Node, watch: Watch) {
    for (slot, _) in &watch.keys {
        node.keyspace.lock(*slot).unwatch(&watch.dirty);
    }
}

fn exec(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let Some(transaction) = call.session.transaction.take() else {
        return Err(ErrorReply::fixed("ERR EXEC without MULTI"));
    };
    call.session.client.set_multi(None);
    let watch = std::mem::take(&mut call.session.watch);
    let outcome = run(call, &transaction, &watch);
    if call.session.retry {
        call.session.client.set_multi(Some(transaction.len()));
        call.session.transaction = Some(transaction);
        call.session.watch = watch;
        return outcome;
    }
    release_watch(call.node, watch);
    // What CLUSTER commands have changed is in force when EXEC replies: the slots are free again for a change of role.
    if let Some(cluster) = &call.node.cluster
        && transaction.names_cluster()
    {
        cluster.wait_for_orders();
    }
    outcome
}

fn run(call: &mut Call<'_>, transaction: &Transaction, watch: &Watch) -> Result<(), ErrorReply> {
    if transaction.refused {
        return Err(ErrorReply::EXEC_ABORT);
    }
    let mut positions = Vec::new();
    let mut keys: Vec<Key<'_>> = Vec::new();
    // Shard channels are not among these: nothing of them can be here or elsewhere.
    let mut stored: Vec<Key<'_>> = Vec::new();
    let mut ends = Vec::with_capacity(transaction.len());
    for queued in &transaction.queue {
        let first = keys.len();
        dispatch::hash_keys(queued.spec, &queued.args(), &mut positions, &mut keys);
        ends.push(keys.len());
        if !queued.spec.flags.contains(CommandFlags::PUBSUB) {
            stored.extend_from_slice(&keys[first..]);
        }
    }
    let writes = transaction
        .queue
        .iter()
        .any(|queued| dispatch::may_write(queued.spec));
    if !call.session.is_primary_link {
        dispatch::check_route(call.node, call.session, &keys, &stored, writes, false)?;
    }

    let mut held = lock_all(call, transaction, &keys, watch);
    if call.session.is_primary_link {
        held.reveal_expired();
    }
    let now = call.now;
    let gate = &call.node.replication.gate;
    let is_held_back = !gate.is_plain()
        && (transaction.any_has(CommandFlags::WRITE) && dispatch::gate_holds(call.node, call.session)
            || gate.is_paused() && transaction.names_scripts() && !call.session.is_primary_link);
    if is_held_back || !dispatch::still_routed(call.node, call.session, &stored, writes, &mut held, now) {
        call.session.retry = true;
        return Ok(());
    }
    for (slot, key) in &watch.keys {
        held.table(*slot).peek(&Key::new(key), now); // a watched key that expired meanwhile counts as changed
    }
    if watch.dirty.load(Acquire) {
        call.out.nil_array();
        return Ok(());
    }
    call.out.array(transaction.len());
    call.session.shows(call.spec.id);
    call.session.in_exec = true;
    let mut start = 0;
    for (queued, end) in transaction.queue.iter().zip(ends) {
        if !call.session.account.is_unrestricted() && !call.session.is_primary_link {
            let (session, args) = (&*call.session, queued.args());
            if let Err(denied) =
                acl::check_session(call.node, session, queued.spec, &args, acl::Context::Multi, now)
            {
                let refusal = denied.reply_in_exec();
                call.out.error(refusal.as_bytes());
                let stats = call.node.stats.worker(call.worker);
                stats.refused(None, refusal.code());
                start = end;
                continue;
            }
        }
        let mut inner = Call {
            args: queued.args(),
            keys: &keys[start..end],
            spec: queued.spec,
            node: call.node,
            session: &mut *call.session,
            held: &mut held,
            out: ReplyWriter::new(&mut *call.out.out, call.out.proto),
            wire_len: queued.text_len(),
            worker: call.worker,
            now,
            effect: Effect::default(),
        };
        dispatch::invoke(&mut inner, dispatch::binding(queued.spec));
        start = end;
    }
    call.session.in_exec = false;
    effect::end_unit(call);
    if call.node.tracking.is_active() {
        tracking::tell_stale(call.node, call.session, &mut held);
    }
    if held.is_ready() {
        waiting::serve_ready(call.node, call.session, &mut held, call.worker, now);
    }
    Ok(())
}

fn lock_all(call: &Call<'_>, transaction: &Transaction, keys: &[Key<'_>], watch: &Watch) -> Held<'static> {
    let keyspace = &call.node.keyspace;
    let every_slot = transaction.queue.iter().any(|queued| {
        let bound = dispatch::binding(queued.spec);
        matches!(bound.locks, Locks::Each | Locks::All)
            || dispatch::reads_any_slot(call.node, bound, &queued.args())
    });
    if every_slot {
        return Held::acquire_all(keyspace);
    }
    let mut slots: Vec<Slot> = keys
        .iter()
        .map(|key| key.slot)
        .chain(watch.keys.iter().map(|(slot, _)| *slot))
        .collect();
    slots.sort_unstable();
    slots.dedup();
    if transaction.names_scripts() {
        let mut held = Held::growing(keyspace);
        slots.iter().for_each(|&slot| {
            held.grow(keyspace, slot);
        });
        return held;
    }
    Held::acquire(keyspace, &slots)
}

/// What EXEC says when it is itself refused: the transaction is over.
pub fn aborted_by(refusal: &ErrorReply) -> ErrorReply {
    let reason = refusal.as_bytes();
    let reason = reason.strip_prefix(b"ERR ").unwrap_or(reason);
    ErrorReply::from_bytes([b"EXECABORT Transaction discarded because of: ", reason].concat())
}

/// A connection that ends, or is RESET, leaves no watch and no queue behind.
pub fn abandon(node: &'static crate::node::Node, session: &mut Session) {
    session.transaction = None;
    session.client.set_multi(None);
    let watch = std::mem::take(&mut session.watch);
    release_watch(node, watch);
}

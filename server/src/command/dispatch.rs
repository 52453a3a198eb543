//! From a parsed request to its reply: is it known, allowed, here? Then locks, run, account.

use std::sync::LazyLock;

use slotcore::command::{self, CommandFlags, CommandSpec, LookupError};
use slotcore::resp::{Args, ReplyWriter};
use slotcore::route::{KeyPresence, KeySlots, RouteRequest};

use crate::acl;
use crate::admin::clients::ClientFlags;
use crate::admin::monitor::Origin;
use crate::command::call::{Binding, Call, Handler, Locks};
use crate::command::reply_error::ErrorReply;
use crate::command::{FAMILIES, pubsub, sort, transaction};
use crate::config::Config;
use crate::eviction;
use crate::keyspace::{Held, Key};
use crate::node::{Node, unix_ms};
use crate::replication::LinkPhase;
use crate::replication::effect::{self, Effect};
use crate::replication::replica::{self, LoadingState};
use crate::scripting::run;
use crate::session::{ReplyMode, Routed, Session};
use crate::tracking;
use crate::waiting;

/// The implementation of a command.
#[derive(Clone, Copy)]
pub struct Bound {
    pub handler: Handler,
    pub locks: Locks,
}

/// Implementations by `CommandId`; `None` for what the table knows and this node does not do.
static BOUND: LazyLock<Vec<Option<Bound>>> = LazyLock::new(|| {
    let mut bound = vec![None; command::COMMAND_COUNT];
    for &(name, handler, locks) in FAMILIES.iter().copied().flatten() {
        let spec = command::all_with_subcommands()
            .find(|spec| spec.full_name == name)
            .unwrap_or_else(|| panic!("{name} has a handler and no row in the command table"));
        let slot = &mut bound[spec.id.index()];
        assert!(slot.is_none(), "two handlers for {name}");
        *slot = Some(Bound { handler, locks });
    }
    bound
});

/// The implementation of a command that [`is_bound`].
pub fn binding(spec: &'static CommandSpec) -> Bound {
    BOUND[spec.id.index()].expect("only bound commands are queued or run")
}

/// Does this node implement the command?
pub fn is_bound(spec: &'static CommandSpec) -> bool {
    BOUND[spec.id.index()].is_some()
        || spec
            .subcommands()
            .iter()
            .any(|sub| BOUND[sub.id.index()].is_some())
}

/// What one batch shares: the node, and the instant that all its commands take as now.
pub struct Batch<'a> {
    pub node: &'static Node,
    /// The configuration in force.
    pub config: &'a Config,
    /// Index of the worker that runs it, by which statistics are kept apart.
    pub worker: usize,
    /// Unix time in milliseconds.
    pub now: u64,
}

/// A request of the batch: its arguments, what it is, its keys.
pub struct Request<'a> {
    pub args: Args<'a>,
    pub spec: Result<&'static CommandSpec, LookupError>,
    pub keys: &'a [Key<'a>],
    pub wire_len: usize,
}

/// Which arguments of a request are keys; `positions` is memory for that. Requests whose keys cannot be told have none:
/// their handler says why.
#[inline]
pub fn find_keys<'a>(spec: &'static CommandSpec, args: &Args<'_>, positions: &'a mut Vec<u32>) -> &'a [u32] {
    if spec.first_key == 1 && spec.last_key == 1 && !spec.flags.contains(CommandFlags::MOVABLEKEYS) {
        return if args.len() > 1 { &[1] } else { &[] };
    }
    positions.clear();
    if spec.can_have_keys() && command::key_positions(spec, args, positions).is_err() {
        positions.clear();
    }
    positions
}

/// Appends the keys of a request, hashed.
#[inline]
pub fn hash_keys<'a>(
    spec: &'static CommandSpec,
    args: &Args<'a>,
    positions: &mut Vec<u32>,
    keys: &mut Vec<Key<'a>>,
) {
    let positions = find_keys(spec, args, positions);
    keys.extend(positions.iter().map(|&at| Key::new(args.at(at as usize))));
}

/// Runs one request and appends its reply to `out`.
pub fn execute(batch: &Batch<'_>, session: &mut Session, request: Request<'_>, out: &mut Vec<u8>) {
    let before = out.len();
    let asking = session.asking;
    let mut writer = ReplyWriter::new(out, session.proto);
    match admit(batch, session, &request) {
        Ok(spec) if must_queue(session, spec) => {
            session.asking = false;
            let queue = session.transaction.as_mut().expect("must_queue saw it");
            queue.push(spec, request.args);
            session.client.set_multi(Some(queue.len()));
            writer.queued();
        }
        Ok(spec) => perform(batch, session, spec, &request, writer),
        Err(refusal) => {
            let is_exec = matches!(request.spec, Ok(spec) if spec.name == "exec");
            let refusal = if is_exec {
                transaction::aborted_by(&refusal)
            } else {
                refusal
            };
            writer.error(refusal.as_bytes());
            batch
                .node
                .stats
                .worker(batch.worker)
                .refused(request.spec.ok().map(|spec| spec.id), refusal.code());
            if session.is_primary_link {
                replica::failed(batch.node, &request.args, &refusal);
            } else if let Some(transaction) = &mut session.transaction {
                transaction.refused = true;
            }
            if is_exec {
                transaction::abandon(batch.node, session);
            }
        }
    }
    if session.retry {
        session.asking = asking;
        return;
    }
    if session.reply_mode != ReplyMode::On {
        silence(session, out, before);
    }
}

/// CLIENT REPLY takes the reply of a command back; not the confirmation of a subscription, though.
#[cold]
fn silence(session: &mut Session, out: &mut Vec<u8>, before: usize) {
    if !std::mem::take(&mut session.confirmed) {
        out.truncate(before);
    }
    session.reply_mode = match session.reply_mode {
        ReplyMode::SkipNext => ReplyMode::Skip,
        ReplyMode::Skip => ReplyMode::On,
        mode @ (ReplyMode::On | ReplyMode::Off) => mode,
    };
}

fn must_queue(session: &Session, spec: &CommandSpec) -> bool {
    session.in_multi()
        && !matches!(
            spec.full_name,
            "exec" | "discard" | "multi" | "watch" | "quit" | "reset"
        )
}

/// Every reason to refuse a command before it runs, in stock's order.
fn admit(
    batch: &Batch<'_>,
    session: &mut Session,
    request: &Request<'_>,
) -> Result<&'static CommandSpec, ErrorReply> {
    let asking = std::mem::take(&mut session.asking);
    let spec = match request.spec {
        Ok(spec) if is_bound(spec) => spec,
        Ok(spec) => return Err(unimplemented_command(spec)),
        Err(error) => return Err(ErrorReply::from_bytes(error.message(&request.args))),
    };
    if !command::arity_ok(spec, request.args.len()) {
        return Err(ErrorReply::wrong_arity(spec.full_name));
    }
    if session.is_primary_link {
        // Whatever becomes of memory here, a copy takes what its primary has taken.
        if batch.config.maxmemory != 0 && spec.flags.contains(CommandFlags::DENYOOM) {
            eviction::has_room(batch.node, batch.config);
        }
        return Ok(spec);
    }
    if !session.authenticated
        && !batch.node.acl.default_account().is_open()
        && !spec.flags.contains(CommandFlags::NO_AUTH)
    {
        return Err(ErrorReply::NO_AUTH);
    }
    if batch.node.scripts.monitor.is_busy() {
        check_busy(batch.node, session, spec)?;
    }
    if session.in_multi() && spec.flags.contains(CommandFlags::NO_MULTI) {
        return Err(ErrorReply::fixed("ERR Command not allowed inside a transaction"));
    }
    if !session.account.is_unrestricted() {
        let context = match session.in_multi() {
            true => acl::Context::Multi,
            false => acl::Context::Toplevel,
        };
        acl::check_session(batch.node, session, spec, &request.args, context, batch.now)
            .map_err(|denied| denied.reply(spec))?;
    }
    let is_script = matches!(binding_locks(spec), Some(Locks::Script));
    let flags = if is_script {
        run::admission_flags(batch.node, spec, &request.args)
    } else {
        spec.flags
    };
    if !request.keys.is_empty() && batch.node.cluster.is_some() {
        session.asking = asking || spec.flags.contains(CommandFlags::ASKING);
        let routed = check_route(
            batch.node,
            session,
            request.keys,
            request.keys,
            flags.intersects(CommandFlags::WRITE | CommandFlags::MAY_REPLICATE),
            spec.flags.contains(CommandFlags::PUBSUB),
        );
        // A script's own commands are judged when they come.
        session.asking &= is_script;
        routed?;
    }
    let is_replica = batch.node.replication.is_replica();
    if batch.config.maxmemory != 0
        && (flags.contains(CommandFlags::DENYOOM) || session.in_multi() || is_script)
    {
        session.finds_full = !eviction::has_room(batch.node, batch.config);
        if session.finds_full && needs_memory(session, spec, flags) {
            return Err(ErrorReply::OOM);
        }
    }
    if lacks_replicas(batch) && is_write(session, spec, flags) {
        return Err(ErrorReply::NO_REPLICAS);
    }
    if is_replica && batch.config.replica.read_only && is_write(session, spec, flags) {
        return Err(ErrorReply::READ_ONLY);
    }
    if session.in_subscribed_mode() {
        pubsub::check_subscribed_mode(spec)?;
    }
    if is_replica || batch.node.loading.state() != LoadingState::No {
        check_replica(batch, session, spec, flags)?;
    }
    if session.subscriber.is_some() {
        check_monitor(session, spec)?;
    }
    Ok(spec)
}

/// Is the command refused when memory is full? What is queued is, whatever it is: it would take memory to keep it. EXEC is
/// judged by what it would run.
#[cold]
fn needs_memory(session: &Session, spec: &CommandSpec, flags: CommandFlags) -> bool {
    match &session.transaction {
        Some(queue) if spec.name == "exec" => queue.any_has(CommandFlags::DENYOOM),
        Some(_) if !matches!(spec.name, "discard" | "quit" | "reset") => true,
        _ => flags.contains(CommandFlags::DENYOOM),
    }
}

/// Who watches others' commands has the standing of a replica in stock.
#[cold]
fn check_monitor(session: &Session, spec: &CommandSpec) -> Result<(), ErrorReply> {
    let touches = CommandFlags::WRITE | CommandFlags::READONLY | CommandFlags::MAY_REPLICATE;
    let queue = session.transaction.as_ref().filter(|_| spec.name == "exec");
    let is_about_keys = spec.flags.intersects(touches) || queue.is_some_and(|queue| queue.any_has(touches));
    match is_about_keys && session.client.flags().contains(ClientFlags::MONITOR) {
        true => Err(ErrorReply::fixed("ERR Replica can't interact with the keyspace")),
        false => Ok(()),
    }
}

/// What is refused while a script runs for too long.
#[cold]
fn check_busy(node: &'static Node, session: &Session, spec: &CommandSpec) -> Result<(), ErrorReply> {
    let queued = session.transaction.as_ref().filter(|_| spec.name == "exec");
    let is_function = node.scripts.monitor.is_function();
    let is_of_functions = matches!(spec.full_name, "function|stats" | "function|kill");
    if spec.flags.contains(CommandFlags::ALLOW_BUSY)
        && spec.name != "watch"
        && (is_function || !is_of_functions)
        && !queued.is_some_and(|queue| queue.any_lacks(CommandFlags::ALLOW_BUSY))
    {
        return Ok(());
    }
    Err(ErrorReply::fixed(if is_function {
        "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
    } else {
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
    }))
}

#[inline]
fn binding_locks(spec: &'static CommandSpec) -> Option<Locks> {
    BOUND[spec.id.index()].map(|bound| bound.locks)
}

/// What a replica refuses, and a node that loads, in stock's order. EXEC is judged by what it would run.
#[cold]
fn check_replica(
    batch: &Batch<'_>,
    session: &Session,
    spec: &CommandSpec,
    flags: CommandFlags,
) -> Result<(), ErrorReply> {
    let queue = session.transaction.as_ref().filter(|_| spec.name == "exec");
    let has = |flag| flags.contains(flag) || queue.is_some_and(|queue| queue.any_has(flag));
    let lacks = |flag| !flags.contains(flag) || queue.is_some_and(|queue| queue.any_lacks(flag));
    let replication = &batch.node.replication;
    let settings = &batch.config.replica;
    if replication.is_replica()
        && !settings.serve_stale_data
        && replication.link.phase() != LinkPhase::Connected
        && lacks(CommandFlags::STALE)
    {
        return Err(ErrorReply::MASTER_DOWN);
    }
    match batch.node.loading.state() {
        LoadingState::Refusing if lacks(CommandFlags::LOADING) => Err(ErrorReply::LOADING),
        LoadingState::Serving if has(CommandFlags::NO_ASYNC_LOADING) => Err(ErrorReply::LOADING),
        _ => Ok(()),
    }
}

/// May the command write, or be replicated? What a replica and a cluster in state fail refuse.
pub fn may_write(spec: &CommandSpec) -> bool {
    spec.flags
        .intersects(CommandFlags::WRITE | CommandFlags::MAY_REPLICATE)
}

/// Does min-replicas-to-write ask for more replicas than there are?
#[inline]
fn lacks_replicas(batch: &Batch<'_>) -> bool {
    let wanted = batch.config.primary.wanted_replicas();
    wanted > 0 && !batch.node.replication.is_replica() && batch.node.replication.replicas.good() < wanted
}

/// Does the command write, or EXEC one that does?
fn is_write(session: &Session, spec: &CommandSpec, flags: CommandFlags) -> bool {
    flags.contains(CommandFlags::WRITE)
        || spec.name == "exec"
            && session
                .transaction
                .as_ref()
                .is_some_and(|queue| queue.any_has(CommandFlags::WRITE))
}

/// Whether a write that has its locks must wait or be judged anew: see [`crate::replication::Gate`].
#[cold]
pub fn gate_holds(node: &'static Node, session: &Session) -> bool {
    let gate = &node.replication.gate;
    // A pause whose time is over holds until somebody has ended it: the keyspace is in another mode until then.
    !session.is_primary_link
        && (gate.is_replica() && node.config.load().replica.read_only || gate.is_paused())
}

/// The same for one command: a script runs on a replica, and is told itself what it may not do.
fn holds_back(node: &'static Node, session: &Session, is_script: bool) -> bool {
    if is_script {
        node.replication.gate.is_paused() && !session.is_primary_link
    } else {
        gate_holds(node, session)
    }
}

/// May this node serve these keys and shard channels? `MOVED`, `ASK`, `CROSSSLOT` and their kin when it may not. `stored`
/// are the keys among them, which may be here or on their way; `shard_channel`: the command is about a shard channel.
pub fn check_route(
    node: &'static Node,
    session: &mut Session,
    keys: &[Key<'_>],
    stored: &[Key<'_>],
    write: bool,
    shard_channel: bool,
) -> Result<(), ErrorReply> {
    let Some(cluster) = &node.cluster else {
        return Ok(());
    };
    let request = RouteRequest {
        slots: KeySlots::of(keys.iter().map(|key| key.slot)),
        write,
        asking: session.asking,
        readonly: session.readonly,
        migrate: false,
        shard_channel,
    };
    let view = cluster.view();
    let mut existing = None;
    let decision = view.route(&request, || {
        let presence = presence(node, stored);
        existing = Some(presence.existing);
        presence
    });
    session.routed = Routed {
        view: view.version(),
        existing,
    };
    match view.refusal(decision) {
        None => Ok(()),
        Some(text) => Err(ErrorReply::new(text)),
    }
}

/// Whether what [`check_route`] has found still holds, now that the locks of the keys are held: else a slot or a key may
/// have gone to another node in between, and a write that is acknowledged here would be lost.
#[inline]
pub fn still_routed(
    node: &'static Node,
    session: &Session,
    keys: &[Key<'_>],
    write: bool,
    held: &mut Held<'_>,
    now: u64,
) -> bool {
    let Some(cluster) = &node.cluster else {
        return true;
    };
    let is_same = |existing| count_existing(keys, held, now) == existing;
    session.is_primary_link
        || keys.is_empty()
        || (!write || cluster.version() == session.routed.view) && session.routed.existing.is_none_or(is_same)
}

#[cold]
fn count_existing(keys: &[Key<'_>], held: &mut Held<'_>, now: u64) -> usize {
    let is_here = |key: &&Key<'_>| held.table(key.slot).peek(key, now).is_some();
    keys.iter().filter(is_here).count()
}

/// How many of the keys are here; asked only while their slot is on its way. No slot lock may be held.
#[cold]
fn presence(node: &'static Node, keys: &[Key<'_>]) -> KeyPresence {
    let now = unix_ms();
    let is_here = |key: &&Key<'_>| node.keyspace.lock(key.slot).peek(key, now).is_some();
    let existing = keys.iter().filter(is_here).count();
    let several = keys.iter().any(|key| key.bytes != keys[0].bytes);
    KeyPresence {
        existing,
        missing: keys.len() - existing,
        several,
    }
}

fn perform(
    batch: &Batch<'_>,
    session: &mut Session,
    spec: &'static CommandSpec,
    request: &Request<'_>,
    out: ReplyWriter<'_>,
) {
    let bound = binding(spec);
    let mut held = match (bound.locks, request.keys) {
        (Locks::All, _) => Held::acquire_all(&batch.node.keyspace),
        (Locks::Patterns, _) if reads_any_slot(batch.node, bound, &request.args) => {
            Held::acquire_all(&batch.node.keyspace)
        }
        (Locks::Script, keys) => run::lock(batch.node, spec, &request.args, keys),
        (Locks::None | Locks::Each, _) | (_, []) => Held::None,
        (Locks::Keys | Locks::Patterns, [key]) => Held::one(&batch.node.keyspace, key.slot),
        (Locks::Keys | Locks::Patterns, keys) => Held::of_keys(&batch.node.keyspace, keys),
    };
    let is_script = matches!(bound.locks, Locks::Script);
    // What a script will do is not known, so it waits like a write.
    let writes =
        spec.flags.contains(CommandFlags::WRITE) || is_script && !spec.flags.contains(CommandFlags::READONLY);
    let is_held_back =
        writes && !batch.node.replication.gate.is_plain() && holds_back(batch.node, session, is_script);
    let is_stale = matches!(bound.locks, Locks::Keys | Locks::Patterns | Locks::Script)
        && !still_routed(batch.node, session, request.keys, writes, &mut held, batch.now);
    if is_held_back || is_stale {
        session.retry = true;
        return;
    }
    if session.is_primary_link {
        held.reveal_expired();
    }
    let mut call = Call {
        args: request.args,
        keys: request.keys,
        spec,
        node: batch.node,
        session: &mut *session,
        held: &mut held,
        out,
        wire_len: request.wire_len,
        now: batch.now,
        worker: batch.worker,
        effect: Effect::default(),
    };
    invoke(&mut call, bound);
    if is_script && !session.retry {
        session.asking = false;
    }
    if writes && !session.retry && held.is_ready() {
        waiting::serve_ready(batch.node, session, &mut held, batch.worker, batch.now);
    }
}

/// Does the command need every slot's lock, because it may read keys that its request does not name?
pub fn reads_any_slot(node: &'static Node, bound: Bound, args: &Args<'_>) -> bool {
    matches!(bound.locks, Locks::Patterns) && node.cluster.is_none() && sort::names_patterns(args)
}

/// Runs a handler under the locks that the call holds, writes its error if it has one, and accounts for it.
pub fn invoke(call: &mut Call<'_>, bound: Bound) {
    let node = call.node;
    let before = call.out.out.len();
    let start = node.clock.raw();
    let outcome = (bound.handler)(call);
    if let Err(error) = &outcome {
        call.out.out.truncate(before);
        call.out.error(error.as_bytes());
    }
    if node.replication.gate.records() {
        effect::record(call);
    }
    if call.session.subscriber.is_some() {
        pubsub::put_messages_first(call, before);
    }
    if node.tracking.is_active() {
        tracking::after_command(call);
    }
    if node.monitors.is_active() && !call.session.retry {
        let origin = match run::is_running() {
            true => Origin::Lua,
            false => Origin::Client(&call.session.client),
        };
        node.monitors.show(&node.pubsub, origin, call.spec, &call.args);
    }
    let nanos = node.clock.delta_as_nanos(start, node.clock.raw());
    if let (Locks::Keys | Locks::Patterns | Locks::Script, Some(key)) = (bound.locks, call.keys.first()) {
        let written = (call.out.out.len() - before) as u64;
        call.held
            .table(key.slot)
            .account(1, nanos, call.wire_len as u64, written);
    }
    let stats = node.stats.worker(call.worker);
    stats.ran(call.spec.id, nanos);
    call.session.shows(call.spec.id);
    if let Err(error) = outcome {
        stats.failed(call.spec.id, error.code());
        if call.session.is_primary_link {
            replica::failed(node, &call.args, &error);
        }
    }
    node.slowlog
        .offer(call.spec, &call.args, &call.session.client, nanos, call.now);
    node.latency.offer(call.spec, nanos, call.now);
}

/// Known to the protocol and not to this version: said plainly, so that nobody hunts for a typing error.
fn unimplemented_command(spec: &CommandSpec) -> ErrorReply {
    ErrorReply::new(match spec.full_name.split_once('|') {
        // Clients probe for a command by looking for these words, but not for a subcommand.
        None => format!(
            "ERR unknown command '{}': this version of slotmark-server does not implement it",
            spec.full_name
        ),
        Some(_) => format!(
            "ERR {} is not supported yet by this version of slotmark-server",
            spec.full_name.replace('|', " ").to_ascii_uppercase()
        ),
    })
}

/// The rows of all families, for tests and for COMMAND.
pub fn bindings() -> impl Iterator<Item = &'static Binding> {
    FAMILIES.iter().copied().flatten()
}

//! A script's run, from the command that asks for it to the reply.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use slotcore::Slot;
use slotcore::command::{CommandFlags, CommandSpec};
use slotcore::resp::{ArgRange, Args, Proto};

use super::cache::{Script, ScriptCache};
use super::functions::{Library, library_name};
use super::interpreter::{Chunk, Interpreter};
use super::monitor::Slow;
use super::sha1::sha1_hex;
use super::shebang::{self, ScriptFlags};
use crate::admin::monitor::Origin;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{Held, Key};
use crate::node::Node;
use crate::replication::{LinkPhase, effect};

/// Why a script ends before it has a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Abort {
    /// It needs a slot that it may not wait for, and has changed nothing: it runs again with other locks.
    Restart,
    /// SCRIPT KILL.
    Killed,
}

/// All that a running script and the functions that it calls share. Its buffers are kept from run to run.
pub struct Run {
    /// The command that runs the script.
    pub call: *mut Call<'static>,
    pub flags: ScriptFlags,
    /// It may not write: by the command that runs it, or by its own promise.
    pub read_only: bool,
    pub is_function: bool,
    /// EXEC runs the command.
    pub within_exec: bool,
    /// The slot of its keys, if it has to stay there.
    pub slot: Option<Slot>,
    /// It has asked for a slot that was in use.
    pub roams: bool,
    pub out_of_memory: bool,
    pub wrote: bool,
    /// Replicas are told of what it does.
    pub replicates: bool,
    pub abort: Option<Abort>,
    /// The protocol in which it reads replies.
    pub proto: Proto,
    /// The protocol of its own reply.
    pub client_proto: Proto,
    /// The command that it calls: bytes and ranges of the arguments; the reply.
    pub args: Vec<u8>,
    pub ranges: Vec<ArgRange>,
    pub positions: Vec<u32>,
    pub reply: Vec<u8>,
    /// The reply to the client.
    pub result: Vec<u8>,
    pub result_failed: bool,
    /// The error of the result has been counted where it occurred.
    pub failure_counted: bool,
    /// A buffer for the libraries.
    pub text: Vec<u8>,
    /// What a command has panicked with: it goes on when Lua has been left.
    pub panic: Option<Box<dyn Any + Send>>,
    id: u64,
    started: Option<Instant>,
    threshold: Duration,
    is_slow: bool,
    /// Raised by SCRIPT KILL.
    pub kill: &'static AtomicBool,
}

impl Run {
    /// One without a script, for a thread to keep.
    pub fn idle() -> Self {
        Self {
            call: ptr::null_mut(),
            flags: ScriptFlags::empty(),
            read_only: false,
            is_function: false,
            within_exec: false,
            slot: None,
            roams: false,
            out_of_memory: false,
            wrote: false,
            replicates: true,
            abort: None,
            proto: Proto::Resp2,
            client_proto: Proto::Resp2,
            args: Vec::new(),
            ranges: Vec::new(),
            positions: Vec::new(),
            reply: Vec::new(),
            result: Vec::new(),
            result_failed: false,
            failure_counted: false,
            text: Vec::new(),
            panic: None,
            id: 0,
            started: None,
            threshold: Duration::MAX,
            is_slow: false,
            kill: Box::leak(Box::default()),
        }
    }

    /// Called every so many instructions: is it time to say that the script is slow, or was it stopped?
    pub fn on_tick(&mut self) {
        if self.kill.load(Relaxed) {
            self.abort = Some(Abort::Killed);
            return;
        }
        let Some(started) = self.started else {
            self.started = Some(Instant::now());
            return;
        };
        if !self.is_slow && started.elapsed() >= self.threshold && !self.call.is_null() {
            self.is_slow = true;
            // SAFETY: the pointer is that of the call that runs the script; its node and its arguments are looked at.
            let (node, args) = unsafe { ((*self.call).node, (*self.call).args) };
            node.scripts.monitor.enter(Slow {
                id: self.id,
                is_function: self.is_function,
                has_written: self.wrote,
                command: args.iter().map(Into::into).collect(),
                started,
                kill: self.kill,
            });
        }
    }

    /// Counts an error of a command that was refused before it ran.
    pub fn count_refusal(&self, refusal: &ErrorReply) {
        // SAFETY: set while a script runs; only the node and the worker are looked at.
        let (node, worker) = unsafe { ((*self.call).node, (*self.call).worker) };
        node.stats.worker(worker).erred(refusal.code());
    }

    /// Others must not stop a script that has written.
    pub fn tell_written(&self, node: &Node) {
        if self.is_slow {
            node.scripts.monitor.has_written(self.id);
        }
    }
}

thread_local! {
    /// What runs on this thread.
    static RUNNING: Cell<*mut Run> = const { Cell::new(ptr::null_mut()) };
    static INTERPRETER: RefCell<Option<Interpreter>> = const { RefCell::new(None) };
}

/// What runs on this thread; null outside of scripts.
#[inline]
pub fn running() -> *mut Run {
    RUNNING.get()
}

/// Does a script run on this thread?
pub fn is_running() -> bool {
    !running().is_null()
}

/// EVAL and EVAL_RO.
pub fn eval(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    check_key_count(call.args)?;
    let sha = sha1_hex(call.args.at(1));
    let script = match call.node.scripts.cache.get(&sha) {
        Some(script) => script,
        None => {
            let script = Arc::new(Script::new(call.args.at(1))?);
            with_interpreter(call.node, |interpreter| interpreter.check(&script))?;
            call.node.scripts.cache.insert(script)
        }
    };
    run(call, &script)
}

/// EVALSHA and EVALSHA_RO.
pub fn evalsha(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    const NO_SCRIPT: ErrorReply = ErrorReply::fixed("NOSCRIPT No matching script. Please use EVAL.");
    let sha = ScriptCache::sha_of_arg(call.args.at(1)).ok_or(NO_SCRIPT)?;
    check_key_count(call.args)?;
    let script = find(call.node, &sha).ok_or(NO_SCRIPT)?;
    run(call, &script)
}

/// FCALL and FCALL_RO.
pub fn fcall(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let catalog = call.node.scripts.functions.catalog();
    let found = catalog.find(call.args.at(1));
    let (library, number) = found.ok_or(ErrorReply::fixed("ERR Function not found"))?;
    let count = check_key_count(call.args);
    let count = count.map_err(|error| {
        if error == ErrorReply::NOT_INTEGER {
            ErrorReply::fixed("ERR Bad number of keys provided")
        } else {
            error
        }
    })?;
    let flags = library.functions[*number].flags;
    let is_ro_command = call.spec.flags.contains(CommandFlags::READONLY);
    check_promises(call, flags, is_ro_command)?;
    let roamed = with_interpreter(call.node, |interpreter| {
        let chunk = Chunk::Function(library, *number);
        perform(call, interpreter, flags, is_ro_command, |interpreter, call| {
            interpreter.run(chunk, call.args.from(3), count);
        })
    });
    if roamed {
        library.roams.store(true, Relaxed);
    }
    Ok(())
}

/// Loads a library to see which functions it has.
pub fn load_library(node: &'static Node, code: &[u8]) -> Result<Library, ErrorReply> {
    let name = library_name(code)?;
    with_interpreter(node, |interpreter| interpreter.load_library(name, code))
}

/// Compiles a script and keeps it.
pub fn load(node: &'static Node, text: &[u8]) -> Result<Arc<Script>, ErrorReply> {
    if let Some(script) = node.scripts.cache.get(&sha1_hex(text)) {
        return Ok(script);
    }
    let script = Arc::new(Script::new(text)?);
    with_interpreter(node, |interpreter| interpreter.check(&script))?;
    Ok(node.scripts.cache.insert(script))
}

/// A script by its hash: from this thread's interpreter if it has run here, else from the node.
fn find(node: &'static Node, sha: &[u8; 40]) -> Option<Arc<Script>> {
    let own =
        INTERPRETER.with_borrow_mut(|interpreter| interpreter.as_mut()?.known(&node.scripts.cache, sha));
    own.or_else(|| node.scripts.cache.get(sha))
}

fn check_key_count(args: Args<'_>) -> Result<usize, ErrorReply> {
    let count = slotcore::resp::parse_i64(args.at(2)).ok_or(ErrorReply::NOT_INTEGER)?;
    if count > args.len() as i64 - 3 {
        return Err(ErrorReply::fixed(
            "ERR Number of keys can't be greater than number of args",
        ));
    }
    usize::try_from(count).map_err(|_| ErrorReply::fixed("ERR Number of keys can't be negative"))
}

/// The flags by which a command that runs a script is admitted.
pub fn admission_flags(node: &'static Node, spec: &CommandSpec, args: &Args<'_>) -> CommandFlags {
    let text = args.at(1);
    let flags = if spec.name.starts_with("evalsha") {
        ScriptCache::sha_of_arg(text)
            .and_then(|sha| find(node, &sha))
            .map(|script| script.flags)
    } else if spec.name.starts_with("fcall") {
        let catalog = node.scripts.functions.catalog();
        catalog
            .find(text)
            .map(|(library, number)| library.functions[*number].flags)
    } else if spec.name.starts_with("eval") && text.starts_with(b"#!") {
        shebang::parse(text).ok().map(|(flags, _)| flags)
    } else {
        None
    };
    flags.map_or(spec.flags, |flags| flags.of_command(spec))
}

/// The locks that a script begins with. In a cluster one that declares its keys stays in their slot, so that scripts of
/// several slots run at the same time; any other may turn to any slot.
pub fn lock(node: &'static Node, spec: &CommandSpec, args: &Args<'_>, keys: &[Key<'_>]) -> Held<'static> {
    let Some(first) = keys.first() else {
        return Held::None;
    };
    let roams = || {
        if spec.name.starts_with("fcall") {
            let catalog = node.scripts.functions.catalog();
            let found = catalog.find(args.at(1));
            return found.is_some_and(|(library, _)| library.roams.load(Relaxed));
        }
        let sha = if spec.name.starts_with("evalsha") {
            ScriptCache::sha_of_arg(args.at(1))
        } else if node.scripts.cache.any_roams() {
            Some(sha1_hex(args.at(1)))
        } else {
            None
        };
        sha.and_then(|sha| find(node, &sha))
            .is_some_and(|script| script.is_roaming())
    };
    if node.cluster.is_some() && !roams() {
        return Held::one(&node.keyspace, first.slot);
    }
    let mut held = Held::growing(&node.keyspace);
    for key in keys {
        held.grow(&node.keyspace, key.slot);
    }
    held
}

fn with_interpreter<R>(node: &'static Node, work: impl FnOnce(&mut Interpreter) -> R) -> R {
    INTERPRETER.with_borrow_mut(|interpreter| {
        let interpreter = interpreter.get_or_insert_with(Interpreter::new);
        interpreter.catch_up(&node.scripts.cache, &node.scripts.functions);
        work(interpreter)
    })
}

fn run(call: &mut Call<'_>, script: &Arc<Script>) -> Result<(), ErrorReply> {
    let is_ro_command = call.spec.flags.contains(CommandFlags::READONLY);
    check_promises(call, script.flags, is_ro_command)?;
    let key_count = check_key_count(call.args)?;
    let roamed = with_interpreter(call.node, |interpreter| {
        let chunk = Chunk::Script(script);
        perform(
            call,
            interpreter,
            script.flags,
            is_ro_command,
            |interpreter, call| interpreter.run(chunk, call.args.from(3), key_count),
        )
    });
    if roamed {
        call.node.scripts.cache.note_roaming(script);
    }
    Ok(())
}

/// What a script is refused for by its own promises, after what its command is.
fn check_promises(call: &Call<'_>, flags: ScriptFlags, is_ro_command: bool) -> Result<(), ErrorReply> {
    if call.session.is_primary_link {
        return Ok(());
    }
    let replication = &call.node.replication;
    if !flags.contains(ScriptFlags::ALLOW_STALE)
        && replication.is_replica()
        && !call.node.config.load().replica.serve_stale_data
        && replication.link.phase() != LinkPhase::Connected
    {
        return Err(ErrorReply::MASTER_DOWN);
    }
    if flags.contains(ScriptFlags::COMPAT) {
        return Ok(());
    }
    if flags.contains(ScriptFlags::NO_CLUSTER) && call.node.cluster.is_some() {
        return Err(ErrorReply::fixed(
            "ERR Can not run script on cluster, 'no-cluster' flag is set.",
        ));
    }
    if !flags.contains(ScriptFlags::NO_WRITES) && is_ro_command {
        return Err(ErrorReply::fixed(
            "ERR Can not execute a script with write flag using *_ro command.",
        ));
    }
    Ok(())
}

/// Runs something in the interpreter under the locks of the call, and writes the reply. True if it needed slots that
/// were in use.
fn perform(
    call: &mut Call<'_>,
    interpreter: &mut Interpreter,
    flags: ScriptFlags,
    is_ro_command: bool,
    work: impl FnOnce(&mut Interpreter, &Call<'_>),
) -> bool {
    static IDS: AtomicU64 = AtomicU64::new(0);
    let config = call.node.config.load();
    let within_exec = std::mem::replace(&mut call.session.in_exec, true);
    // The cluster's view decides about the keys of the request; those of the script are looked at one by one.
    let run: *mut Run = interpreter.begin();
    {
        // SAFETY: the interpreter owns the run in a box; nothing else looks at it until `RUNNING` names it.
        let run = unsafe { &mut *run };
        run.call = ptr::from_mut(call).cast();
        run.flags = flags;
        run.read_only = is_ro_command || flags.contains(ScriptFlags::NO_WRITES);
        run.within_exec = within_exec;
        run.slot = call.keys.first().map(|key| key.slot);
        run.roams = false;
        run.out_of_memory = config.maxmemory != 0 && call.session.finds_full;
        run.wrote = false;
        run.replicates = true;
        run.abort = None;
        run.proto = Proto::Resp2;
        run.client_proto = call.out.proto;
        run.result.clear();
        run.result_failed = false;
        run.failure_counted = false;
        run.is_function = call.spec.name.starts_with("fcall");
        run.is_slow = false;
        run.started = None;
        run.threshold = match config.busy_reply_threshold_ms {
            0 => Duration::MAX,
            ms => Duration::from_millis(ms),
        };
        run.id = IDS.fetch_add(1, Relaxed);
        run.kill.store(false, Relaxed);
    }
    if call.node.monitors.is_active() {
        let origin = Origin::Client(&call.session.client);
        call.node
            .monitors
            .show_always(&call.node.pubsub, origin, call.spec, &call.args);
    }
    RUNNING.set(run);
    work(interpreter, call);
    RUNNING.set(ptr::null_mut());
    // SAFETY: no function of the script runs any more, so this is the only access.
    let run = unsafe { &mut *run };
    run.call = ptr::null_mut();
    if run.is_slow {
        call.node.scripts.monitor.leave(run.id);
    }
    if let Some(panic) = run.panic.take() {
        resume_unwind(panic);
    }
    call.session.in_exec = within_exec;
    if !within_exec {
        effect::end_unit(call);
        if call.node.tracking.is_active() {
            crate::tracking::tell_stale(call.node, call.session, call.held);
        }
    }
    if run.abort == Some(Abort::Restart) {
        call.session.retry = true;
        return run.roams;
    }
    call.out.out.extend_from_slice(&run.result);
    if run.result_failed {
        let stats = call.node.stats.worker(call.worker);
        if run.failure_counted {
            stats.failed_again(call.spec.id);
        } else {
            let code = run.result[1..].split(|b| b" \r".contains(b)).next();
            stats.failed(call.spec.id, code.unwrap_or_default());
        }
    }
    interpreter.end();
    run.roams
}

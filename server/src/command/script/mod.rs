//! EVAL and its kin, and SCRIPT. What they do is in [`crate::scripting`].

use crate::command::call::{Binding, Call, Locks};
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;
use crate::scripting::monitor::Kill;
use crate::scripting::{ScriptCache, run};

pub const HANDLERS: &[Binding] = &[
    ("eval", run::eval, Locks::Script),
    ("eval_ro", run::eval, Locks::Script),
    ("evalsha", run::evalsha, Locks::Script),
    ("evalsha_ro", run::evalsha, Locks::Script),
    ("script|debug", debug, Locks::None),
    ("script|exists", exists, Locks::None),
    ("script|flush", flush, Locks::None),
    ("script|help", help, Locks::None),
    ("script|kill", kill, Locks::None),
    ("script|load", load, Locks::None),
];

fn load(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let script = run::load(call.node, call.args.at(2))?;
    call.out.bulk(&script.sha);
    Ok(())
}

fn exists(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.out.array(call.args.len() - 2);
    for arg in call.args.from(2).iter() {
        let sha = ScriptCache::sha_of_arg(arg);
        let is_there = sha.is_some_and(|sha| call.node.scripts.cache.get(&sha).is_some());
        call.out.integer(i64::from(is_there));
    }
    Ok(())
}

fn flush(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let is_plain = call.args.len() == 2;
    if !is_plain && !(call.args.len() == 3 && (call.arg_is(2, "sync") || call.arg_is(2, "async"))) {
        return Err(ErrorReply::fixed(
            "ERR SCRIPT FLUSH only support SYNC|ASYNC option",
        ));
    }
    call.node.scripts.cache.flush();
    call.out.ok();
    Ok(())
}

fn kill(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    kill_slow(call, false)
}

/// SCRIPT KILL and FUNCTION KILL.
pub fn kill_slow(call: &mut Call<'_>, function: bool) -> Result<(), ErrorReply> {
    match call.node.scripts.monitor.kill(function) {
        Kill::Told => {
            call.out.ok();
            Ok(())
        }
        Kill::NotBusy => Err(ErrorReply::fixed("NOTBUSY No scripts in execution right now.")),
        Kill::Unkillable => Err(ErrorReply::fixed(
            "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait \
             the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
        )),
        Kill::OtherKind => Err(ErrorReply::fixed(if function {
            "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
        } else {
            "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
        })),
    }
}

fn debug(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.arg_is(2, "no") {
        call.out.ok();
        return Ok(());
    }
    if call.arg_is(2, "yes") || call.arg_is(2, "sync") {
        return Err(ErrorReply::fixed(
            "ERR SCRIPT DEBUG is not supported: slotmark-server has no debugger for scripts",
        ));
    }
    Err(ErrorReply::fixed("ERR Use SCRIPT DEBUG YES/SYNC/NO"))
}

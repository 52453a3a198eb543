//! FUNCTION and FCALL. What changes libraries holds every slot, so that a snapshot has them as of its own moment.

mod list;
mod restore;

use std::sync::Arc;

use crate::command::call::{Binding, Call, Locks};
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;
use crate::command::script::kill_slow;
use crate::scripting::functions::{Catalog, already_there, library_name};
use crate::scripting::run;

pub const HANDLERS: &[Binding] = &[
    ("fcall", run::fcall, Locks::Script),
    ("fcall_ro", run::fcall, Locks::Script),
    ("function|delete", delete, Locks::All),
    ("function|dump", restore::dump, Locks::None),
    ("function|flush", flush, Locks::All),
    ("function|help", help, Locks::None),
    ("function|kill", kill, Locks::None),
    ("function|list", list::list, Locks::None),
    ("function|load", load, Locks::All),
    ("function|restore", restore::restore, Locks::All),
    ("function|stats", list::stats, Locks::None),
];

fn load(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let last = call.args.len() - 1;
    let mut replace = false;
    for i in 2..last {
        if !call.arg_is(i, "replace") {
            let text = [b"ERR Unknown option given: ", call.args.at(i)].concat();
            return Err(ErrorReply::from_bytes(text));
        }
        replace = true;
    }
    let code = call.args.at(last);
    let functions = &call.node.scripts.functions;
    let mut catalog = Catalog::clone(&functions.catalog());
    let name = library_name(code)?;
    if !replace && catalog.libraries.contains_key(&name) {
        return Err(already_there(&name));
    }
    let library = Arc::new(run::load_library(call.node, code)?);
    catalog.add(&library, replace)?;
    functions.set(catalog);
    call.effect_always();
    call.out.bulk(&library.name);
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let functions = &call.node.scripts.functions;
    let mut catalog = Catalog::clone(&functions.catalog());
    if !catalog.remove(call.args.at(2)) {
        return Err(ErrorReply::fixed("ERR Library not found"));
    }
    functions.set(catalog);
    call.effect_always();
    call.out.ok();
    Ok(())
}

fn flush(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.args.len() > 3 {
        return Err(wrong_subcommand(call));
    }
    if call.args.len() == 3 && !call.arg_is(2, "sync") && !call.arg_is(2, "async") {
        return Err(ErrorReply::fixed(
            "ERR FUNCTION FLUSH only supports SYNC|ASYNC option",
        ));
    }
    call.node.scripts.functions.set(Catalog::default());
    call.effect_always();
    call.out.ok();
    Ok(())
}

fn kill(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    kill_slow(call, true)
}

fn wrong_subcommand(call: &Call<'_>) -> ErrorReply {
    ErrorReply::from_bytes(
        [
            b"ERR unknown subcommand or wrong number of arguments for '",
            call.args.at(1),
            b"'. Try FUNCTION HELP.",
        ]
        .concat(),
    )
}

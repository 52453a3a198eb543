//! COMMAND: what this node can do, told to client libraries and to people.
//!
//! Only commands that this node implements are listed; the table knows more. GETKEYS answers for all of the table,
//! since where the keys of a command are does not depend on who runs it.

use slotcore::command::{
    self, AclCategories, CommandFlags, CommandSpec, KeyError, KeyUse, arity_ok, key_uses, lookup_full_name,
    lookup_request,
};

use crate::command::call::{Binding, Call, Locks};
use crate::command::dispatch::is_bound;
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;
use crate::command::spec_reply::{write_docs, write_info};
use crate::glob;

pub const HANDLERS: &[Binding] = &[
    ("command", info, Locks::None),
    ("command|count", count, Locks::None),
    ("command|docs", docs, Locks::None),
    ("command|getkeys", getkeys, Locks::None),
    ("command|getkeysandflags", getkeysandflags, Locks::None),
    ("command|help", help, Locks::None),
    ("command|info", info, Locks::None),
    ("command|list", list, Locks::None),
];

/// Containers and plain commands of this node.
fn bound() -> impl Iterator<Item = &'static CommandSpec> {
    command::all().filter(|spec| is_bound(spec))
}

/// The commands that a request names from argument `from` on: `None` for those that this node does not have.
fn named<'a>(call: &Call<'a>, from: usize) -> impl Iterator<Item = Option<&'static CommandSpec>> + use<'a> {
    call.args
        .from(from)
        .iter()
        .map(|name| lookup_full_name(name).filter(|spec| is_bound(spec)))
}

fn count(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.out.integer(bound().count() as i64);
    Ok(())
}

/// COMMAND and COMMAND INFO: without names, all.
fn info(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.args.len() <= 2 {
        call.out.array(bound().count());
        bound().for_each(|spec| write_info(&mut call.out, spec));
        return Ok(());
    }
    call.out.array(call.args.len() - 2);
    for spec in named(call, 2) {
        match spec {
            Some(spec) => write_info(&mut call.out, spec),
            None => call.out.nil(),
        }
    }
    Ok(())
}

/// COMMAND DOCS: without names, all; unknown names are left out.
fn docs(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let specs: Vec<_> = if call.args.len() == 2 {
        bound().collect()
    } else {
        named(call, 2).flatten().collect()
    };
    call.out.map(specs.len());
    for spec in specs {
        call.out.bulk(spec.full_name.as_bytes());
        write_docs(&mut call.out, spec);
    }
    Ok(())
}

fn list(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let args = call.args;
    let wanted: Box<dyn Fn(&CommandSpec) -> bool + '_> = match args.len() {
        2 => Box::new(|_| true),
        5 if call.arg_is(2, "filterby") => {
            let argument = args.at(4);
            if call.arg_is(3, "pattern") {
                Box::new(move |spec| glob::matches_ignore_case(argument, spec.full_name.as_bytes()))
            } else if call.arg_is(3, "aclcat") {
                let category = AclCategories::from_word(argument);
                Box::new(move |spec| category.is_some_and(|category| spec.acl.contains(category)))
            } else if call.arg_is(3, "module") {
                // No command here comes from a module.
                Box::new(|_| false)
            } else {
                return Err(ErrorReply::SYNTAX);
            }
        }
        _ => return Err(ErrorReply::SYNTAX),
    };
    let names: Vec<_> = command::all_with_subcommands()
        .filter(|spec| is_bound(spec) && wanted(spec))
        .map(|spec| spec.full_name)
        .collect();
    call.out.array(names.len());
    names.iter().for_each(|name| call.out.bulk(name.as_bytes()));
    Ok(())
}

fn getkeys(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (args, keys) = (call.args.from(2), keys_of_inner(call)?);
    call.out.array(keys.len());
    keys.iter()
        .for_each(|key| call.out.bulk(args.at(key.index as usize)));
    Ok(())
}

fn getkeysandflags(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (args, keys) = (call.args.from(2), keys_of_inner(call)?);
    call.out.array(keys.len());
    for key in keys {
        call.out.array(2);
        call.out.bulk(args.at(key.index as usize));
        call.out.set(key.flags.words().count());
        key.flags.words().for_each(|word| call.out.simple(word));
    }
    Ok(())
}

/// The keys of the request that follows COMMAND GETKEYS, with the checks in stock's order.
fn keys_of_inner(call: &Call<'_>) -> Result<Vec<KeyUse>, ErrorReply> {
    let inner = call.args.from(2);
    let spec = lookup_request(&inner).map_err(|_| ErrorReply::fixed("ERR Invalid command specified"))?;
    let mut keys = Vec::new();
    let found = key_uses(spec, &inner, &mut keys);
    if found != Err(KeyError::NoKeys) && !arity_ok(spec, inner.len()) {
        return Err(ErrorReply::fixed(
            "ERR Invalid number of arguments specified for command",
        ));
    }
    found.map_err(|error| ErrorReply::new(format!("ERR {error}")))?;
    debug_assert!(!keys.is_empty() || spec.flags.contains(CommandFlags::NO_MANDATORY_KEYS));
    Ok(keys)
}

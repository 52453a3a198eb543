//! FUNCTION LIST and FUNCTION STATS.

use slotcore::resp::ReplyWriter;

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::glob;
use crate::scripting::functions::Library;
use crate::scripting::shebang::FLAG_NAMES;

pub fn list(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (mut pattern, mut with_code) = (None, false);
    let mut i = 2;
    while i < call.args.len() {
        if !with_code && call.arg_is(i, "withcode") {
            with_code = true;
        } else if pattern.is_none() && call.arg_is(i, "libraryname") {
            i += 1;
            pattern = Some(
                call.args
                    .get(i)
                    .ok_or(ErrorReply::fixed("ERR library name argument was not given"))?,
            );
        } else {
            let text = [b"ERR Unknown argument ", call.args.at(i)].concat();
            return Err(ErrorReply::from_bytes(text));
        }
        i += 1;
    }
    let catalog = call.node.scripts.functions.catalog();
    let chosen: Vec<_> = catalog
        .libraries
        .values()
        .filter(|library| pattern.is_none_or(|pattern| glob::matches_ignore_case(pattern, &library.name)))
        .collect();
    call.out.array(chosen.len());
    for library in chosen {
        write_library(&mut call.out, library, with_code);
    }
    Ok(())
}

fn write_library(out: &mut ReplyWriter<'_>, library: &Library, with_code: bool) {
    out.map(if with_code { 4 } else { 3 });
    out.bulk(b"library_name");
    out.bulk(&library.name);
    out.bulk(b"engine");
    out.bulk(b"LUA");
    out.bulk(b"functions");
    out.array(library.functions.len());
    for function in &library.functions {
        out.map(3);
        out.bulk(b"name");
        out.bulk(&function.name);
        out.bulk(b"description");
        match &function.description {
            Some(text) => out.bulk(text),
            None => out.nil(),
        }
        out.bulk(b"flags");
        let flags = FLAG_NAMES
            .iter()
            .filter(|&&(_, flag)| function.flags.contains(flag));
        out.set(flags.clone().count());
        flags.for_each(|(name, _)| out.simple(name));
    }
    if with_code {
        out.bulk(b"library_code");
        out.bulk(&library.code);
    }
}

pub fn stats(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let slow = call.node.scripts.monitor.slow_function();
    let catalog = call.node.scripts.functions.catalog();
    let out = &mut call.out;
    out.map(2);
    out.bulk(b"running_script");
    match slow {
        None => out.nil(),
        Some(slow) => {
            out.map(3);
            out.bulk(b"name");
            out.bulk(&slow.command.get(1).cloned().unwrap_or_default());
            out.bulk(b"command");
            out.array(slow.command.len());
            slow.command.iter().for_each(|arg| out.bulk(arg));
            out.bulk(b"duration_ms");
            out.integer(slow.started.elapsed().as_millis() as i64);
        }
    }
    out.bulk(b"engines");
    out.map(1);
    out.bulk(b"LUA");
    out.map(2);
    out.bulk(b"libraries_count");
    out.integer(catalog.libraries.len() as i64);
    out.bulk(b"functions_count");
    out.integer(catalog.function_count() as i64);
    Ok(())
}

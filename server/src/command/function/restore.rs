//! FUNCTION DUMP and FUNCTION RESTORE.

use std::sync::Arc;

use super::wrong_subcommand;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::persistence::dump::{self, DumpError};
use crate::scripting::functions::Catalog;
use crate::scripting::run;

pub fn dump(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let catalog = call.node.scripts.functions.catalog();
    let codes = catalog.libraries.values().map(|library| &library.code[..]);
    let payload = dump::encode_functions(codes, call.node.config.load().rdb_compression);
    call.out.bulk(&payload);
    Ok(())
}

pub fn restore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.args.len() > 4 {
        return Err(wrong_subcommand(call));
    }
    let (mut flushes, mut replaces) = (false, false);
    if call.args.len() == 4 {
        if call.arg_is(3, "flush") {
            flushes = true;
        } else if call.arg_is(3, "replace") {
            replaces = true;
        } else if !call.arg_is(3, "append") {
            return Err(ErrorReply::fixed(
                "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ));
        }
    }
    let codes = dump::decode_functions(call.args.at(2)).map_err(|error| match error {
        DumpError::Footer => ErrorReply::fixed("ERR DUMP payload version or checksum are wrong"),
        DumpError::Unsupported(_) => ErrorReply::fixed("ERR given type is not a function"),
        DumpError::Damaged => ErrorReply::fixed("ERR failed loading functions payload"),
    })?;
    let functions = &call.node.scripts.functions;
    let mut catalog = if flushes {
        Catalog::default()
    } else {
        Catalog::clone(&functions.catalog())
    };
    let mut added = Catalog::default();
    for code in codes {
        let library = Arc::new(run::load_library(call.node, &code)?);
        added.add(&library, false)?;
    }
    for library in added.libraries.values() {
        if !replaces && catalog.libraries.contains_key(&library.name) {
            return Err(ErrorReply::from_bytes(
                [b"ERR Library ", &library.name[..], b" already exists"].concat(),
            ));
        }
        catalog.add(library, replaces)?;
    }
    functions.set(catalog);
    call.effect_always();
    call.out.ok();
    Ok(())
}

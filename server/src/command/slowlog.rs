//! SLOWLOG GET, LEN, RESET.

use crate::command::call::{Binding, Call, Locks};
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;
use slotcore::resp::parse_i64;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("slowlog|get", get, Locks::None),
    ("slowlog|len", len, Locks::None),
    ("slowlog|reset", reset, Locks::None),
    ("slowlog|help", help, Locks::None),
];

/// Entries shown when nobody says how many.
const DEFAULT_COUNT: usize = 10;

fn get(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let count = match call.args.len() {
        2 => DEFAULT_COUNT,
        3 => match parse_i64(call.args.at(2)) {
            Some(-1) => usize::MAX,
            Some(count @ 0..) => usize::try_from(count).unwrap_or(usize::MAX),
            _ => {
                return Err(ErrorReply::fixed(
                    "ERR count should be greater than or equal to -1",
                ));
            }
        },
        _ => {
            let name = String::from_utf8_lossy(call.args.at(1));
            return Err(ErrorReply::new(format!(
                "ERR unknown subcommand or wrong number of arguments for '{name}'. Try SLOWLOG HELP."
            )));
        }
    };
    let entries = call.node.slowlog.newest(count);
    let out = &mut call.out;
    out.array(entries.len());
    for entry in entries {
        out.array(6);
        out.integer(entry.id as i64);
        out.integer(entry.time_s as i64);
        out.integer(entry.duration_us as i64);
        out.array(entry.args.len());
        for arg in &entry.args {
            out.bulk(arg);
        }
        out.bulk(entry.peer.as_bytes());
        out.bulk(&entry.client_name);
    }
    Ok(())
}

fn len(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.out.integer(call.node.slowlog.len() as i64);
    Ok(())
}

fn reset(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.node.slowlog.reset();
    call.out.ok();
    Ok(())
}

//! The server as a whole: SHUTDOWN, TIME, SWAPDB, LOLWUT, and what persistence would offer.

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::config::REDIS_VERSION;
use slotcore::SLOT_COUNT;
use slotcore::resp::parse_i64;
use std::time::{SystemTime, UNIX_EPOCH};

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("shutdown", shutdown, Locks::None),
    ("time", time, Locks::None),
    ("swapdb", swapdb, Locks::None),
    ("lolwut", lolwut, Locks::None),
    ("save", no_persistence, Locks::None),
    ("bgsave", bgsave, Locks::None),
    ("bgrewriteaof", no_persistence, Locks::None),
    ("lastsave", no_persistence, Locks::None),
];

const NO_PERSISTENCE: ErrorReply =
    ErrorReply::fixed("ERR slotmark-server keeps data in memory only: there is no persistence yet");

fn no_persistence(_: &mut Call<'_>) -> Result<(), ErrorReply> {
    Err(NO_PERSISTENCE)
}

fn bgsave(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    match call.args.len() {
        1 => Err(NO_PERSISTENCE),
        2 if call.arg_is(1, "schedule") => Err(NO_PERSISTENCE),
        _ => Err(ErrorReply::SYNTAX),
    }
}

fn shutdown(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (mut save, mut nosave, mut other, mut abort) = (false, false, false, false);
    for index in 1..call.args.len() {
        let is = |word| call.arg_is(index, word);
        match () {
            () if is("save") => save = true,
            () if is("nosave") => nosave = true,
            () if is("now") || is("force") => other = true,
            () if is("abort") => abort = true,
            () => return Err(ErrorReply::SYNTAX),
        }
    }
    if (abort && (save || nosave || other)) || (save && nosave) {
        return Err(ErrorReply::SYNTAX);
    }
    if abort {
        return Err(ErrorReply::fixed("ERR No shutdown in progress."));
    }
    if save {
        return Err(NO_PERSISTENCE);
    }
    // No reply: that the connection ends is the answer.
    call.session.closing = true;
    call.node.shutdown.notify_one();
    Ok(())
}

fn time(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    call.out.array(2);
    call.out.bulk_display(now.as_secs());
    call.out.bulk_display(now.subsec_micros());
    Ok(())
}

fn swapdb(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.node.cluster.is_some() {
        return Err(ErrorReply::fixed("ERR SWAPDB is not allowed in cluster mode"));
    }
    let first = parse_i64(call.args.at(1)).ok_or(ErrorReply::fixed("ERR invalid first DB index"))?;
    let second = parse_i64(call.args.at(2)).ok_or(ErrorReply::fixed("ERR invalid second DB index"))?;
    let databases = 0..i64::from(call.node.config.load().databases);
    if !databases.contains(&first) || !databases.contains(&second) {
        return Err(ErrorReply::fixed("ERR DB index is out of range"));
    }
    if (first, second) != (0, 0) {
        return Err(ErrorReply::fixed(
            "ERR DB index is out of range: slotmark-server has database 0 only",
        ));
    }
    call.out.ok();
    Ok(())
}

/// Columns and rows of the picture; each cell is 64 slots.
const COLUMNS: usize = 64;
const SLOTS_PER_CELL: usize = 64;
const SHADES: &[u8] = b" .:-=+*#%@";

/// A picture of the data: keys per 64 slots, the darkest cell being the fullest.
fn lolwut(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let cells: Vec<usize> = (0..SLOT_COUNT)
        .step_by(SLOTS_PER_CELL)
        .map(|first| {
            (first..first + SLOTS_PER_CELL)
                .map(|slot| call.node.keyspace.slot_len(slot as u16))
                .sum()
        })
        .collect();
    let fullest = cells.iter().copied().max().unwrap_or(0).max(1);
    let mut picture = Vec::with_capacity(cells.len() + 128);
    for row in cells.chunks(COLUMNS) {
        picture.extend(
            row.iter()
                .map(|keys| SHADES[(keys * (SHADES.len() - 1)).div_ceil(fullest)]),
        );
        picture.push(b'\n');
    }
    let caption = format!(
        "\nThese are your keys, by slot. slotmark {}, Redis ver. {REDIS_VERSION}\n",
        env!("CARGO_PKG_VERSION")
    );
    picture.extend_from_slice(caption.as_bytes());
    call.out.verbatim(&picture);
    Ok(())
}

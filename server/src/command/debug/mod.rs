//! DEBUG, as far as tests and tools need it, and only if `enable-debug-command` allows it.

mod digest;

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::keyspace::Key;
use crate::log;
use digest::Digest;
use slotcore::{SLOT_COUNT, Slot};
use std::time::Duration;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[("debug", debug, Locks::Each)];

/// Longest DEBUG SLEEP.
const MAX_SLEEP_S: f64 = 86_400.0;

const HELP: &[&str] = &[
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DIGEST",
    "    Fingerprint of all data.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    Fingerprints of the values at these keys.",
    "ERROR <message>",
    "    Replies with this error.",
    "LOG <message>",
    "    Writes the message to the log.",
    "OBJECT <key>",
    "    Shows how a value is kept.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Stops or starts the search for expired keys in the background.",
    "SLEEP <seconds>",
    "    Holds the whole process, as if it hung. Decimals are allowed.",
    "STRINGMATCH-LEN <length> <pattern>",
    "    Matches a text of so many letters 'a' against the pattern.",
    "HELP",
    "    Lists these subcommands.",
];

fn debug(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if !call
        .node
        .config
        .load()
        .enable_debug_command
        .admits(call.session.local)
    {
        return Err(ErrorReply::fixed(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it \
             from a local connection, otherwise you need to set this option in the configuration file, and then \
             restart the server.",
        ));
    }
    let name = call.args.at(1).to_ascii_lowercase();
    match (name.as_slice(), call.args.len()) {
        (b"help", 2) => {
            call.out.array(HELP.len());
            HELP.iter().for_each(|line| call.out.simple(line));
        }
        (b"sleep", 3) => sleep(call),
        (b"object", 3 | 4) => return object(call),
        (b"digest", 2) => digest_all(call),
        (b"digest-value", _) => digest_values(call),
        (b"set-active-expire", 3) => {
            // Like atoi, what is no number counts as 0.
            let on = call.int_arg(2).unwrap_or(0) != 0;
            call.node.stats.set_active_expire(on);
            call.out.ok();
        }
        (b"error", 3) => return Err(ErrorReply::from_bytes(call.args.at(2).to_vec())),
        (b"log", 3) => {
            log::warning(format_args!(
                "DEBUG LOG: {}",
                String::from_utf8_lossy(call.args.at(2))
            ));
            call.out.ok();
        }
        (b"stringmatch-len", 4) => return stringmatch(call),
        _ => {
            return Err(ErrorReply::new(format!(
                "ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.",
                String::from_utf8_lossy(call.args.at(1))
            )));
        }
    }
    Ok(())
}

fn sleep(call: &mut Call<'_>) {
    // Like strtod, what is no number counts as 0.
    let text = String::from_utf8_lossy(call.args.at(2)).into_owned();
    let seconds = text.trim().parse::<f64>().unwrap_or(0.0);
    if seconds > 0.0 {
        call.node
            .stall
            .start(Duration::from_secs_f64(seconds.min(MAX_SLEEP_S)));
        call.node.stall.wait();
    }
    call.out.ok();
}

fn object(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let key = Key::new(call.args.at(2));
    let now = call.now;
    let line = call.with_slot(key.slot, |table| {
        table.peek(&key, now).map(|entry| {
            format!(
                "Value at:0x{:x} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
                key.hash,
                entry.encoding(),
                entry.string().map_or(0, <[u8]>::len),
                entry.clock(),
                entry.idle_s(now)
            )
        })
    });
    call.out.simple(&line.ok_or(ErrorReply::NO_SUCH_KEY)?);
    Ok(())
}

/// The order of keys does not matter, so slots are visited one after the other.
fn digest_all(call: &mut Call<'_>) {
    let mut all = Digest::default();
    let mut any = false;
    for slot in 0..SLOT_COUNT as Slot {
        if call.node.keyspace.slot_len(slot) == 0 {
            continue;
        }
        call.with_slot(slot, |table| {
            // What has expired and was not met yet counts, as in stock: a replica keeps it as long as its primary does.
            for entry in table.entries() {
                if !any {
                    // The number of the database comes before its keys.
                    digest::mix(&mut all, &0u32.to_be_bytes());
                    any = true;
                }
                let mut one = Digest::default();
                digest::mix(&mut one, entry.key());
                digest::mix_value(&mut one, entry);
                digest::add(&mut all, &one);
            }
        });
    }
    call.out.simple(&digest::hex(&all));
}

fn digest_values(call: &mut Call<'_>) {
    let now = call.now;
    let args = call.args.from(2);
    call.out.array(args.len());
    for name in args.iter() {
        let key = Key::new(name);
        let mut digest = Digest::default();
        call.with_slot(key.slot, |table| {
            if let Some(entry) = table.peek(&key, now) {
                digest::mix_value(&mut digest, entry);
            }
        });
        call.out.simple(&digest::hex(&digest));
    }
}

/// A pattern that takes long to match is a way to attack a server: this is how to try one.
fn stringmatch(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    const MOST: i64 = 1 << 20;
    let len = call.int_arg(2)?;
    if !(0..=MOST).contains(&len) {
        return Err(ErrorReply::OUT_OF_RANGE);
    }
    let matched = crate::glob::matches(call.args.at(3), &vec![b'a'; len as usize]);
    call.out.integer(i64::from(matched));
    Ok(())
}

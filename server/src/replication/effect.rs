//! From what a command did to what the stream says of it.
//!
//! A command that changed something is recorded as the client wrote it, unless its handler puts another in its place:
//! effects must be the same whenever and wherever they are applied, so times are absolute and sums are results. All of a
//! transaction, and a command with the keys whose expiry it met, are one unit: several commands of a unit are wrapped
//! into MULTI and EXEC. A unit is appended while the locks of all its slots are held.

use std::cell::RefCell;

use slotcore::command::CommandFlags;
use slotcore::resp::{Args, encode_bulk, encode_command, encode_header};

use super::log::Log;
use crate::command::call::Call;

/// Memory of a unit that its thread keeps for the next one.
const KEPT_BYTES: usize = 64 * 1024;

/// What the stream says of a command.
#[derive(Debug, Default)]
pub enum Effect {
    /// The command as it came, if it changed something.
    #[default]
    Itself,
    /// The command as it came, whether it changed something or not.
    ItselfAlways,
    /// This encoded command, if something changed.
    Instead(Vec<u8>),
    /// These encoded commands, so many, if something changed.
    Several(Vec<u8>, u32),
}

/// The commands of the unit that this thread is at.
#[derive(Default)]
struct Unit {
    bytes: Vec<u8>,
    commands: u32,
    /// What commands do is not told: a script has asked for that.
    is_muted: bool,
    /// Expired keys belong to this unit: the locks of their slots are held until it is appended.
    collects: bool,
}

thread_local! {
    static UNIT: RefCell<Unit> = RefCell::default();
}

/// Takes note of what `call` did, after its handler and before its locks are released. Ends the unit, unless it is a
/// transaction's.
#[cold]
pub fn record(call: &mut Call<'_>) {
    if call.session.is_primary_link {
        return;
    }
    collect_expired(call);
    let changed = call.held.take_changed();
    if UNIT.with_borrow(|unit| unit.is_muted) {
        call.effect = Effect::default();
        return;
    }
    let changed = changed && call.spec.flags.contains(CommandFlags::WRITE);
    match std::mem::take(&mut call.effect) {
        Effect::Instead(command) if changed => add(1, |unit| unit.extend_from_slice(&command)),
        Effect::Several(commands, count) if changed => {
            add(count, |unit| unit.extend_from_slice(&commands));
        }
        Effect::Itself if changed => add(1, |unit| encode(unit, call.args)),
        // Also of what is no write, such as PUBLISH.
        Effect::ItselfAlways => add(1, |unit| encode(unit, call.args)),
        Effect::Itself | Effect::Instead(_) | Effect::Several(..) => {}
    }
    if !call.session.in_exec {
        end_unit(call);
    }
}

/// From now on, what commands of this thread do is not told to replicas, or is again.
pub fn set_muted(muted: bool) {
    UNIT.with_borrow_mut(|unit| unit.is_muted = muted);
}

/// Appends the unit to the stream, if it says anything.
pub fn end_unit(call: &mut Call<'_>) {
    UNIT.with_borrow_mut(|unit| {
        if unit.commands > 0 {
            let end = call
                .node
                .replication
                .log
                .append_commands(&unit.bytes, unit.commands);
            call.session.write_offset = end;
            unit.commands = 0;
            unit.bytes.clear();
            unit.bytes.shrink_to(KEPT_BYTES);
        }
    });
}

/// A key is gone because its time was over, or others needed its memory. Called under its slot's lock.
pub fn gone(log: &Log, key: &[u8], lazily: bool) {
    let command: &[u8] = if lazily { b"UNLINK" } else { b"DEL" };
    let belongs = UNIT.with_borrow(|unit| unit.collects);
    if belongs {
        add(1, |bytes| encode_command(bytes, &[command, key]));
    } else {
        let mut bytes = Vec::with_capacity(key.len() + 32);
        encode_command(&mut bytes, &[command, key]);
        log.append_commands(&bytes, 1);
    }
}

/// Has the keys that this call found expired come into the unit, before what it did itself.
fn collect_expired(call: &mut Call<'_>) {
    UNIT.with_borrow_mut(|unit| unit.collects = true);
    call.held.flush_expired(&call.node.keyspace);
    UNIT.with_borrow_mut(|unit| unit.collects = false);
}

fn add(count: u32, commands: impl FnOnce(&mut Vec<u8>)) {
    UNIT.with_borrow_mut(|unit| {
        commands(&mut unit.bytes);
        unit.commands += count;
    });
}

fn encode(bytes: &mut Vec<u8>, args: Args<'_>) {
    encode_header(bytes, args.len());
    args.iter().for_each(|arg| encode_bulk(bytes, arg));
}

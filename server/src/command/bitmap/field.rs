//! BITFIELD, BITFIELD_RO.

use slotcore::resp::ReplyWriter;

use super::integer::{IntegerType, Overflow};
use super::offset_arg;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::string::text;
use crate::events::EventClass;

/// What is done to one integer.
#[derive(Clone, Copy)]
enum Action {
    Get,
    Set(i64),
    Increase(i64),
}

struct Step {
    action: Action,
    kind: IntegerType,
    /// In bits.
    offset: usize,
    overflow: Overflow,
}

pub fn bitfield(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    run(call, false)
}

pub fn bitfield_ro(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    run(call, true)
}

fn parse(call: &Call<'_>) -> Result<Vec<Step>, ErrorReply> {
    let mut steps = Vec::new();
    let (mut overflow, mut at) = (Overflow::Wrap, 2);
    while at < call.args.len() {
        let behind = call.args.len() - at - 1;
        let word = call.args.at(at).to_ascii_lowercase();
        let has_value = match word.as_slice() {
            b"get" if behind >= 2 => false,
            b"set" | b"incrby" if behind >= 3 => true,
            b"overflow" if behind >= 1 => {
                overflow = match call.args.at(at + 1).to_ascii_lowercase().as_slice() {
                    b"wrap" => Overflow::Wrap,
                    b"sat" => Overflow::Saturate,
                    b"fail" => Overflow::Fail,
                    _ => return Err(ErrorReply::fixed("ERR Invalid OVERFLOW type specified")),
                };
                at += 2;
                continue;
            }
            _ => return Err(ErrorReply::SYNTAX),
        };
        let kind = IntegerType::parse(call.args.at(at + 1)).ok_or(ErrorReply::fixed(
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
        ))?;
        let offset = offset_arg(call, at + 2, Some(kind.bits))?;
        let action = match word.as_slice() {
            b"set" => Action::Set(call.int_arg(at + 3)?),
            b"incrby" => Action::Increase(call.int_arg(at + 3)?),
            _ => Action::Get,
        };
        steps.push(Step {
            action,
            kind,
            offset,
            overflow,
        });
        at += 3 + usize::from(has_value);
    }
    Ok(steps)
}

/// Reading creates nothing; writing makes room for the last bit first, whatever becomes of it.
fn run(call: &mut Call<'_>, read_only: bool) -> Result<(), ErrorReply> {
    let steps = parse(call)?;
    let written = steps
        .iter()
        .filter(|step| !matches!(step.action, Action::Get))
        .map(|step| (step.offset + step.kind.bits as usize - 1) / 8 + 1)
        .max();
    let key = &call.keys[0];
    let Some(len) = written else {
        call.notify_miss(key);
        let found = call.held.table(key.slot).get(key, call.now);
        call.node.stats.worker(call.worker).looked_up(found.is_some());
        let bytes = text(found)?.unwrap_or_default();
        call.out.array(steps.len());
        for step in &steps {
            call.out.integer(step.kind.read(bytes, step.offset));
        }
        return Ok(());
    };
    if read_only {
        return Err(ErrorReply::fixed(
            "ERR BITFIELD_RO only supports the GET subcommand",
        ));
    }
    let mut place = call.held.table(key.slot).find(key, call.now);
    let has_grown = len > text(place.entry())?.map_or(0, <[u8]>::len);
    call.out.array(steps.len());
    let out = &mut call.out;
    let is_event = place.write_string(len, |bytes| {
        let (mut changed, mut is_event) = (false, false);
        for step in &steps {
            let outcome = step.run(bytes, out);
            changed |= outcome == Outcome::Changed;
            // What has made the string longer is an event though it writes what was there.
            is_event |= outcome == Outcome::Changed || (has_grown && outcome == Outcome::Same);
        }
        (is_event, changed)
    });
    if is_event {
        call.notify(EventClass::STRING, "setbit", key);
    }
    Ok(())
}

/// What a step has done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It has read, or failed.
    Nothing,
    /// It has written what was there.
    Same,
    Changed,
}

impl Step {
    /// Replies, and tells what has been done.
    fn run(&self, bytes: &mut [u8], out: &mut ReplyWriter<'_>) -> Outcome {
        let before = self.kind.read(bytes, self.offset);
        let (after, reply) = match self.action {
            Action::Get => (Some(before), before),
            Action::Set(value) => (self.kind.fit(value, self.overflow), before),
            Action::Increase(by) => {
                let sum = self.kind.add(i128::from(before), by, self.overflow);
                (sum, sum.unwrap_or(0))
            }
        };
        let Some(after) = after else {
            out.nil();
            return Outcome::Nothing;
        };
        out.integer(reply);
        if after != before {
            self.kind.write(bytes, self.offset, after);
            return Outcome::Changed;
        }
        match self.action {
            Action::Get => Outcome::Nothing,
            Action::Set(_) | Action::Increase(_) => Outcome::Same,
        }
    }
}

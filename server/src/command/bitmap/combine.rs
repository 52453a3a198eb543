//! BITOP.

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::string::text;
use crate::events::EventClass;
use crate::keyspace::Expire;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
}

/// Shorter strings go on with zeros. An empty result removes the destination.
pub fn bitop(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let operation = match call.args.at(1).to_ascii_lowercase().as_slice() {
        b"and" => Operation::And,
        b"or" => Operation::Or,
        b"xor" => Operation::Xor,
        b"not" => Operation::Not,
        _ => return Err(ErrorReply::SYNTAX),
    };
    if operation == Operation::Not && call.args.len() != 4 {
        return Err(ErrorReply::fixed(
            "ERR BITOP NOT must be called with a single source key.",
        ));
    }
    let keys = call.keys;
    let (destination, sources) = keys.split_first().expect("the command table says so");
    for key in sources {
        let found = call.held.table(key.slot).get(key, call.now);
        let is_found = found.is_some();
        let fits = text(found).map(drop);
        call.looked_up(key, is_found);
        fits?;
    }
    let strings: Vec<&[u8]> = sources
        .iter()
        .map(|key| {
            text(call.held.look(key, call.now))
                .ok()
                .flatten()
                .unwrap_or_default()
        })
        .collect();
    let result = combine(operation, &strings);
    let len = result.len();
    let table = call.held.table(destination.slot);
    if len > 0 {
        table.find(destination, call.now).set_raw(result, Expire::Clear);
        call.notify(EventClass::STRING, "set", destination);
    } else if let Some(old) = table.remove(destination, 0) {
        table.discard(old);
        call.notify(EventClass::GENERIC, "del", destination);
    }
    call.out.integer(len as i64);
    Ok(())
}

fn combine(operation: Operation, strings: &[&[u8]]) -> Vec<u8> {
    let len = strings.iter().map(|string| string.len()).max().unwrap_or(0);
    let Some((first, others)) = strings.split_first() else {
        return Vec::new();
    };
    let mut result = first.to_vec();
    result.resize(len, 0);
    if operation == Operation::Not {
        result.iter_mut().for_each(|byte| *byte = !*byte);
    }
    for string in others {
        let pairs = result.iter_mut().zip(*string);
        match operation {
            Operation::Or => pairs.for_each(|(byte, other)| *byte |= other),
            Operation::Xor => pairs.for_each(|(byte, other)| *byte ^= other),
            Operation::And | Operation::Not => {
                pairs.for_each(|(byte, other)| *byte &= other);
                result[string.len()..].fill(0);
            }
        }
    }
    result
}

//! The walk over the keys of a request.

use super::KeyPlan;
use super::rules;
use super::spec::{Begin, Find, KeySpec, LegacyRange};
use crate::command::CommandSpec;
use crate::command::flags::{CommandFlags, KeyFlags};
use crate::resp::Args;

/// Why the keys of a request cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The arguments do not fit the command: a count that is no number or too large, a keyword that is missing. The
    /// command would be refused as well, and with a better text, so a node treats such a request as one without keys.
    #[error("Invalid arguments specified for command")]
    InvalidArguments,
    /// No call of the command has keys. Only [`key_uses`] says so.
    #[error("The command has no key arguments")]
    NoKeys,
}

/// A key of a request and what is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// Index into the arguments.
    pub index: u32,
    /// What the command does to the key, decided by the other arguments where it varies.
    pub flags: KeyFlags,
}

/// Appends the indexes of the keys of a request to `out`, in the order of the command's key specifications (so the
/// destination of a ZUNIONSTORE is first). Shard channels count as keys, since they are routed like keys. A command
/// without keys appends nothing, and so does one that fails.
#[inline]
pub fn key_positions(spec: &CommandSpec, args: &Args<'_>, out: &mut Vec<u32>) -> Result<(), KeyError> {
    match spec.key_plan {
        KeyPlan::None => Ok(()),
        KeyPlan::Range(range) => walk_range(range, args.len(), out),
        KeyPlan::Specs | KeyPlan::Rule(_) => {
            let start = out.len();
            let result = walk(spec, args, &mut |index, _| out.push(index as u32));
            if result.is_err() {
                out.truncate(start);
            }
            result
        }
    }
}

/// Appends the keys of a request with what is done to each, as COMMAND GETKEYSANDFLAGS wants them: shard channels are
/// none. Unlike [`key_positions`] it says when no call of the command has keys.
pub fn key_uses(spec: &CommandSpec, args: &Args<'_>, out: &mut Vec<KeyUse>) -> Result<(), KeyError> {
    if spec
        .keys
        .iter()
        .all(|key_spec| key_spec.flags.contains(KeyFlags::NOT_KEY))
    {
        return Err(KeyError::NoKeys);
    }
    let start = out.len();
    let mut visit = |index, flags| {
        out.push(KeyUse {
            index: index as u32,
            flags,
        })
    };
    let mut result = walk(spec, args, &mut visit);
    if result.is_err() && matches!(spec.key_plan, KeyPlan::Rule(_)) {
        // The command will be refused, but stock would rather see keys where the specifications point, as long as they
        // say all.
        let tells_all = |key_spec: &KeySpec| {
            !key_spec
                .flags
                .intersects(KeyFlags::INCOMPLETE | KeyFlags::VARIABLE_FLAGS)
        };
        if spec.keys.iter().all(tells_all) {
            let mut walk_one = |key_spec| walk_spec(key_spec, args, &mut visit);
            let walked = spec.keys.iter().try_for_each(&mut walk_one);
            result = walked.map_err(|()| KeyError::InvalidArguments);
        }
    }
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// The range of a command whose keys do not move. What is out of bounds is a matter of arity, and no key.
#[inline]
fn walk_range(range: LegacyRange, argc: usize, out: &mut Vec<u32>) -> Result<(), KeyError> {
    let first = range.first as usize;
    let last = if range.last >= 0 {
        range.last as usize
    } else {
        argc.wrapping_add_signed(range.last.into())
    };
    if last >= argc || first > last {
        return Err(KeyError::InvalidArguments);
    }
    if first == last {
        out.push(first as u32);
    } else {
        out.extend(
            (first..=last)
                .step_by(range.step as usize)
                .map(|index| index as u32),
        );
    }
    Ok(())
}

/// Every key with its flags, by the rule of the command or else by its specifications.
fn walk(spec: &CommandSpec, args: &Args<'_>, visit: &mut dyn FnMut(usize, KeyFlags)) -> Result<(), KeyError> {
    if let KeyPlan::Rule(rule) = spec.key_plan {
        return rule(args, visit).ok_or(KeyError::InvalidArguments);
    }
    for key_spec in spec.keys {
        if key_spec.flags.contains(KeyFlags::VARIABLE_FLAGS) {
            let flags = rules::variable_flags(spec.name, args);
            walk_spec(key_spec, args, &mut |index, _| visit(index, flags))
        } else {
            walk_spec(key_spec, args, visit)
        }
        .or_else(|()| {
            // EVAL without a key is a good call, which its specification cannot say. A count that is wrong is refused
            // by the command itself, with a better text.
            let none_needed = spec.flags.contains(CommandFlags::NO_MANDATORY_KEYS);
            if none_needed {
                Ok(())
            } else {
                Err(KeyError::InvalidArguments)
            }
        })?;
    }
    Ok(())
}

/// The keys of one specification; an error if the arguments do not fit it.
fn walk_spec(spec: &KeySpec, args: &Args<'_>, visit: &mut dyn FnMut(usize, KeyFlags)) -> Result<(), ()> {
    let argc = args.len();
    let begin = match spec.begin {
        Begin::Index(index) => index as usize,
        Begin::Keyword { word, from } => find_keyword(word.as_bytes(), from, args).ok_or(())?,
        Begin::Unknown => return Err(()),
    };
    let (first, last, step) = match spec.find {
        Find::Range { last, step, limit } => {
            let end = match last {
                0.. => begin.checked_add(last as usize),
                _ if limit > 1 => {
                    let part = argc.saturating_sub(begin) / limit as usize;
                    (begin + part).checked_add_signed(last.into())
                }
                _ => argc.checked_add_signed(last.into()),
            };
            (begin, end.ok_or(())?, step)
        }
        Find::Count { count, first, step } => {
            let keys = count_at(begin + count as usize, args)
                .filter(|keys| *keys > 0)
                .ok_or(())?;
            let first = begin + first as usize;
            let span = (keys - 1).checked_mul(step as usize).ok_or(())?;
            (first, first.checked_add(span).ok_or(())?, step)
        }
        Find::Unknown => return Err(()),
    };
    if last >= argc || first > last {
        return Err(());
    }
    for index in (first..=last).step_by(step as usize) {
        visit(index, spec.flags);
    }
    Ok(())
}

/// The argument after `word`, looked for from `from` on, or backwards from there if that is negative.
fn find_keyword(word: &[u8], from: i16, args: &Args<'_>) -> Option<usize> {
    let is_word = |index: &usize| args.at(*index).eq_ignore_ascii_case(word);
    if from >= 0 {
        (from as usize..args.len()).find(is_word).map(|index| index + 1)
    } else {
        let start = args.len().checked_add_signed(from.into())?;
        (1..=start).rev().find(is_word).map(|index| index + 1)
    }
}

/// The argument at `index` as a number of keys.
fn count_at(index: usize, args: &Args<'_>) -> Option<usize> {
    if index >= args.len() {
        return None;
    }
    let digits = args.at(index);
    // More digits than a number of arguments can have; also keeps the sum below from overflowing.
    if digits.is_empty() || digits.len() > 10 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0')),
    )
}

#[cfg(test)]
mod tests;

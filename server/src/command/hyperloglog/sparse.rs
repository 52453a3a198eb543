//! Runs of registers:
//!
//! ```text
//! 00nnnnnn             n + 1 registers that are zero
//! 01nnnnnn nnnnnnnn    the same, the higher bits of n first
//! 1vvvvvnn             n + 1 registers that are v + 1
//! ```

use super::layout::{HEADER, REGISTERS, Registers, corrupted};
use crate::command::reply_error::ErrorReply;

/// Registers of the longest run of zeros in one byte, and of the longest of another value.
const SHORT_MAX: usize = 64;
const VALUE_RUN_MAX: usize = 4;
/// The highest value that a run can have.
const VALUE_MAX: u8 = 32;
/// Runs that are looked at after a change, for two that can be one.
const JOINED: usize = 5;

/// So many registers of one value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    pub value: u8,
    pub len: usize,
    /// Bytes that it takes.
    pub bytes: usize,
}

/// What became of a register.
pub enum Outcome {
    /// It is that high already.
    Same,
    Raised,
    /// The value is too high, or the string would be too long.
    NoRoom,
}

/// The run at the start of some bytes; `None` if there is none, or it is cut off.
fn run(bytes: &[u8]) -> Option<Run> {
    let first = *bytes.first()?;
    let low = usize::from(first & 0x3f);
    Some(match first >> 6 {
        0 => Run {
            value: 0,
            len: low + 1,
            bytes: 1,
        },
        1 => Run {
            value: 0,
            len: (low << 8 | usize::from(*bytes.get(1)?)) + 1,
            bytes: 2,
        },
        _ => Run {
            value: (first >> 2 & 0x1f) + 1,
            len: usize::from(first & 3) + 1,
            bytes: 1,
        },
    })
}

/// All runs; the last one is `None` if it is cut off.
pub fn runs(mut bytes: &[u8]) -> impl Iterator<Item = Option<Run>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let run = run(bytes);
        bytes = run.map_or(&[], |run| &bytes[run.bytes..]);
        Some(run)
    })
}

fn push(bytes: &mut Vec<u8>, value: u8, len: usize) {
    match len {
        0 => {}
        _ if value > 0 => bytes.push(0x80 | (value - 1) << 2 | (len - 1) as u8),
        1..=SHORT_MAX => bytes.push((len - 1) as u8),
        _ => bytes.extend_from_slice(&(0x4000 | (len - 1) as u16).to_be_bytes()),
    }
}

/// Appends registers that are all zero.
pub fn push_empty(string: &mut Vec<u8>) {
    push(string, 0, REGISTERS);
}

/// Raises registers to those that are held here.
pub fn raise(bytes: &[u8], registers: &mut Registers) -> Result<(), ErrorReply> {
    let mut index = 0;
    for run in runs(bytes) {
        let run = run.ok_or(corrupted())?;
        let raised = registers.get_mut(index..index + run.len).ok_or(corrupted())?;
        raised
            .iter_mut()
            .for_each(|register| *register = (*register).max(run.value));
        index += run.len;
    }
    if index == REGISTERS {
        Ok(())
    } else {
        Err(corrupted())
    }
}

/// Raises a register in the string that has the runs behind its header.
pub fn set(string: &mut Vec<u8>, index: usize, value: u8, max_len: usize) -> Result<Outcome, ErrorReply> {
    if value > VALUE_MAX {
        return Ok(Outcome::NoRoom);
    }
    let (mut at, mut before, mut first) = (HEADER, HEADER, 0);
    let found = loop {
        let run = run(&string[at..]).ok_or(corrupted())?;
        if index < first + run.len {
            break run;
        }
        before = at;
        at += run.bytes;
        first += run.len;
    };
    if found.value >= value {
        return Ok(Outcome::Same);
    }
    let mut parts = Vec::with_capacity(5);
    push(&mut parts, found.value, index - first);
    push(&mut parts, value, 1);
    push(&mut parts, found.value, first + found.len - 1 - index);
    if parts.len() > found.bytes && string.len() + parts.len() - found.bytes > max_len {
        return Ok(Outcome::NoRoom);
    }
    string.splice(at..at + found.bytes, parts);
    join(string, before);
    Ok(Outcome::Raised)
}

/// Makes one run of two with the same value, among the first few from `at` on.
fn join(string: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOINED {
        let Some(left) = string.get(at..).and_then(run) else {
            return;
        };
        let right = run(&string[at + left.bytes..]);
        match right {
            Some(right)
                if left.value > 0 && left.value == right.value && left.len + right.len <= VALUE_RUN_MAX =>
            {
                let mut joined = Vec::with_capacity(1);
                push(&mut joined, left.value, left.len + right.len);
                string.splice(at..at + 2, joined);
            }
            _ => at += left.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::hyperloglog::layout;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn registers_are_raised_and_kept(
            changes in proptest::collection::vec((0_usize..200, 1_u8..=32), 1..300),
        ) {
            let mut string = layout::empty();
            let mut expected = [0; REGISTERS];
            for (index, value) in changes {
                let outcome = set(&mut string, index, value, usize::MAX).unwrap();
                prop_assert_eq!(matches!(outcome, Outcome::Raised), value > expected[index]);
                expected[index] = expected[index].max(value);
                let mut found = [0; REGISTERS];
                raise(&string[HEADER..], &mut found).unwrap();
                prop_assert!(found == expected);
            }
        }

        #[test]
        fn any_bytes_are_runs_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40), index in 0..REGISTERS) {
            let _ = raise(&bytes, &mut [0; REGISTERS]);
            let mut string = layout::empty();
            string.truncate(HEADER);
            string.extend(bytes);
            let _ = set(&mut string, index, 7, 100);
        }
    }
}

//! The header, and what both forms have in common.

use super::{dense, sparse};
use crate::command::reply_error::ErrorReply;

/// Registers of every HyperLogLog.
pub const REGISTERS: usize = 1 << 14;
/// Bytes before the registers.
pub const HEADER: usize = 16;

const MAGIC: &[u8; 4] = b"HYLL";
const FORM: usize = 4;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;
const ESTIMATE: usize = 8;
/// In the last byte of an estimate that is stale.
const STALE: u8 = 0x80;

/// The highest value of each register.
pub type Registers = [u8; REGISTERS];

/// Registers are not what they should be.
pub fn corrupted() -> ErrorReply {
    ErrorReply::fixed("INVALIDOBJ Corrupted HLL object detected")
}

/// Refuses a string that is none.
pub fn check(string: &[u8]) -> Result<(), ErrorReply> {
    let is_one = string.len() >= HEADER
        && string.starts_with(MAGIC)
        && string[FORM] <= SPARSE
        && (string[FORM] != DENSE || string.len() == HEADER + dense::BYTES);
    if is_one {
        return Ok(());
    }
    Err(ErrorReply::fixed(
        "WRONGTYPE Key is not a valid HyperLogLog string value.",
    ))
}

/// One without elements.
pub fn empty() -> Vec<u8> {
    let mut string = vec![0; HEADER];
    string[..MAGIC.len()].copy_from_slice(MAGIC);
    string[FORM] = SPARSE;
    sparse::push_empty(&mut string);
    string
}

pub fn is_sparse(string: &[u8]) -> bool {
    string[FORM] == SPARSE
}

/// The estimate that was kept, if it is not stale.
pub fn kept_estimate(string: &[u8]) -> Option<u64> {
    let bytes = *string[ESTIMATE..HEADER].first_chunk()?;
    (string[HEADER - 1] & STALE == 0).then(|| u64::from_le_bytes(bytes))
}

pub fn keep_estimate(string: &mut [u8], estimate: u64) {
    string[ESTIMATE..HEADER].copy_from_slice(&estimate.to_le_bytes());
}

pub fn make_stale(string: &mut [u8]) {
    string[HEADER - 1] |= STALE;
}

/// Makes a sparse one dense.
///
/// # Errors
/// It is corrupted.
pub fn make_dense(string: &mut Vec<u8>) -> Result<(), ErrorReply> {
    if !is_sparse(string) {
        return Ok(());
    }
    let mut registers = [0; REGISTERS];
    sparse::raise(&string[HEADER..], &mut registers)?;
    string.truncate(HEADER);
    string.resize(HEADER + dense::BYTES, 0);
    string[FORM] = DENSE;
    for (index, value) in registers.into_iter().enumerate() {
        dense::set(&mut string[HEADER..], index, value);
    }
    Ok(())
}

/// Raises a register to a value; false if it is that high already. A sparse one becomes dense when it would be longer than
/// `sparse_max` bytes.
pub fn raise_register(
    string: &mut Vec<u8>,
    index: usize,
    value: u8,
    sparse_max: usize,
) -> Result<bool, ErrorReply> {
    if is_sparse(string) {
        match sparse::set(string, index, value, sparse_max)? {
            sparse::Outcome::Same => return Ok(false),
            sparse::Outcome::Raised => {
                make_stale(string);
                return Ok(true);
            }
            sparse::Outcome::NoRoom => make_dense(string)?,
        }
    }
    let registers = &mut string[HEADER..];
    let is_higher = value > dense::get(registers, index);
    if is_higher {
        dense::set(registers, index, value);
    }
    Ok(is_higher)
}

/// Raises registers to those of a string.
pub fn raise_all(string: &[u8], registers: &mut Registers) -> Result<(), ErrorReply> {
    if is_sparse(string) {
        return sparse::raise(&string[HEADER..], registers);
    }
    for (index, register) in registers.iter_mut().enumerate() {
        *register = (*register).max(dense::get(&string[HEADER..], index));
    }
    Ok(())
}

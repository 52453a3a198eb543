//! Strings as bits: the first bit is the highest of the first byte.

mod combine;
mod field;
mod integer;
mod scan;
mod single;

use slotcore::resp::parse_i64;

use super::call::{Binding, Call, Locks};
use super::reply_error::ErrorReply;

pub const HANDLERS: &[Binding] = &[
    ("bitcount", scan::bitcount, Locks::Keys),
    ("bitfield", field::bitfield, Locks::Keys),
    ("bitfield_ro", field::bitfield_ro, Locks::Keys),
    ("bitop", combine::bitop, Locks::Keys),
    ("bitpos", scan::bitpos, Locks::Keys),
    ("getbit", single::getbit, Locks::Keys),
    ("setbit", single::setbit, Locks::Keys),
];

/// The offset of a bit, in argument `i`. If `width` is given, `#` makes it one in fields of so many bits.
fn offset_arg(call: &Call<'_>, i: usize, width: Option<u32>) -> Result<usize, ErrorReply> {
    let refused = ErrorReply::fixed("ERR bit offset is not an integer or out of range");
    let text = call.args.at(i);
    let (text, factor) = match (text, width) {
        ([b'#', text @ ..], Some(width)) => (text, i64::from(width)),
        _ => (text, 1),
    };
    let limit = call.node.config.load().proto_max_bulk_len;
    let is_from_primary = call.session.is_primary_link;
    parse_i64(text)
        .map(|offset| offset.wrapping_mul(factor))
        .and_then(|offset| usize::try_from(offset).ok())
        .filter(|offset| is_from_primary || ((offset >> 3) as u64) < limit)
        .ok_or(refused)
}

/// The bit at an offset; what is behind the end is zero.
fn bit(bytes: &[u8], offset: usize) -> bool {
    bytes
        .get(offset >> 3)
        .is_some_and(|byte| byte >> (7 - (offset & 7)) & 1 == 1)
}

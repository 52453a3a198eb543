//! Strings: reading, setting, counting, pieces, and the longest common subsequence.

mod count;
pub(crate) mod extended;
mod lcs;
mod options;
mod range;
mod read;
mod write;

use super::call::{Binding, Call, Locks};
use super::reply_error::ErrorReply;
use crate::keyspace::Entry;

pub const HANDLERS: &[Binding] = &[
    ("get", read::get, Locks::Keys),
    ("mget", read::mget, Locks::Keys),
    ("strlen", read::strlen, Locks::Keys),
    ("getrange", range::getrange, Locks::Keys),
    ("substr", range::getrange, Locks::Keys),
    ("lcs", lcs::lcs, Locks::Keys),
    ("set", write::set, Locks::Keys),
    ("setnx", write::setnx, Locks::Keys),
    ("setex", write::setex, Locks::Keys),
    ("psetex", write::psetex, Locks::Keys),
    ("mset", write::mset, Locks::Keys),
    ("msetnx", write::msetnx, Locks::Keys),
    ("getset", write::getset, Locks::Keys),
    ("getdel", write::getdel, Locks::Keys),
    ("getex", write::getex, Locks::Keys),
    ("append", range::append, Locks::Keys),
    ("setrange", range::setrange, Locks::Keys),
    ("incr", count::incr, Locks::Keys),
    ("decr", count::decr, Locks::Keys),
    ("incrby", count::incrby, Locks::Keys),
    ("decrby", count::decrby, Locks::Keys),
    ("incrbyfloat", count::incrbyfloat, Locks::Keys),
];

/// The bytes of a string; `None` if there is no key; refused if it holds something else.
pub(super) fn text(entry: Option<Entry<'_>>) -> Result<Option<&[u8]>, ErrorReply> {
    match entry {
        None => Ok(None),
        Some(entry) => entry.string().map(Some).ok_or(ErrorReply::WRONG_TYPE),
    }
}

/// Refuses a string that would be longer than `proto-max-bulk-len`.
fn check_length(call: &Call<'_>, offset: usize, added: usize) -> Result<(), ErrorReply> {
    let limit = usize::try_from(call.node.config.load().proto_max_bulk_len).unwrap_or(usize::MAX);
    match offset.checked_add(added) {
        Some(len) if len <= limit => Ok(()),
        _ => Err(ErrorReply::STRING_TOO_LONG),
    }
}

//! Lists: pushing and popping at their ends, reading and changing within, moving from one to another, and waiting for what
//! is to come.

mod block;
mod change;
mod pop;
mod position;
mod push;
mod read;
mod transfer;

use super::call::{Binding, Locks};
use super::reply_error::ErrorReply;
use crate::keyspace::Side;

pub const HANDLERS: &[Binding] = &[
    ("blmove", block::blmove, Locks::Keys),
    ("blmpop", block::blmpop, Locks::Keys),
    ("blpop", block::blpop, Locks::Keys),
    ("brpop", block::brpop, Locks::Keys),
    ("brpoplpush", block::brpoplpush, Locks::Keys),
    ("lindex", read::lindex, Locks::Keys),
    ("linsert", change::linsert, Locks::Keys),
    ("llen", read::llen, Locks::Keys),
    ("lmove", transfer::lmove, Locks::Keys),
    ("lmpop", pop::lmpop, Locks::Keys),
    ("lpop", pop::lpop, Locks::Keys),
    ("lpos", position::lpos, Locks::Keys),
    ("lpush", push::lpush, Locks::Keys),
    ("lpushx", push::lpushx, Locks::Keys),
    ("lrange", read::lrange, Locks::Keys),
    ("lrem", change::lrem, Locks::Keys),
    ("lset", change::lset, Locks::Keys),
    ("ltrim", change::ltrim, Locks::Keys),
    ("rpop", pop::rpop, Locks::Keys),
    ("rpoplpush", transfer::rpoplpush, Locks::Keys),
    ("rpush", push::rpush, Locks::Keys),
    ("rpushx", push::rpushx, Locks::Keys),
];

/// The event of a push at this end.
fn push_event(side: Side) -> &'static str {
    match side {
        Side::Left => "lpush",
        Side::Right => "rpush",
    }
}

/// The event of a removal from this end.
fn pop_event(side: Side) -> &'static str {
    match side {
        Side::Left => "lpop",
        Side::Right => "rpop",
    }
}

/// LEFT or RIGHT.
fn side_arg(text: &[u8]) -> Result<Side, ErrorReply> {
    if text.eq_ignore_ascii_case(b"left") {
        Ok(Side::Left)
    } else if text.eq_ignore_ascii_case(b"right") {
        Ok(Side::Right)
    } else {
        Err(ErrorReply::SYNTAX)
    }
}

/// The elements from `start` to `stop`, both counted from the back if they are negative, of a list of so many: the first,
/// and how many.
fn span(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let len = len as i64;
    let absolute = |index: i64| {
        if index < 0 {
            len.saturating_add(index)
        } else {
            index
        }
    };
    let (start, stop) = (absolute(start).max(0), absolute(stop).min(len - 1));
    if start > stop {
        (0, 0)
    } else {
        (start as usize, (stop - start + 1) as usize)
    }
}

/// The element at `index`, counted from the back if that is negative; `None` if it is beyond a list of so many.
fn place(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 {
        (len as i64).checked_add(index)?
    } else {
        index
    };
    usize::try_from(index).ok().filter(|&index| index < len)
}

//! Sorted sets: members and their scores, ranges by rank, score and text, taking from either end, drawing at random, and
//! the algebra of several.

pub(super) mod add;
mod algebra;
mod block;
mod bounds;
mod member;
mod pop;
mod random;
mod range;
mod remove;
mod reply;
mod sources;

use super::call::{Binding, Locks};
pub(super) use range::store;

pub const HANDLERS: &[Binding] = &[
    ("bzmpop", block::bzmpop, Locks::Keys),
    ("bzpopmax", block::bzpopmax, Locks::Keys),
    ("bzpopmin", block::bzpopmin, Locks::Keys),
    ("zadd", add::zadd, Locks::Keys),
    ("zcard", member::zcard, Locks::Keys),
    ("zcount", range::zcount, Locks::Keys),
    ("zdiff", algebra::zdiff, Locks::Keys),
    ("zdiffstore", algebra::zdiffstore, Locks::Keys),
    ("zincrby", add::zincrby, Locks::Keys),
    ("zinter", algebra::zinter, Locks::Keys),
    ("zintercard", algebra::zintercard, Locks::Keys),
    ("zinterstore", algebra::zinterstore, Locks::Keys),
    ("zlexcount", range::zlexcount, Locks::Keys),
    ("zmpop", pop::zmpop, Locks::Keys),
    ("zmscore", member::zmscore, Locks::Keys),
    ("zpopmax", pop::zpopmax, Locks::Keys),
    ("zpopmin", pop::zpopmin, Locks::Keys),
    ("zrandmember", random::zrandmember, Locks::Keys),
    ("zrange", range::zrange, Locks::Keys),
    ("zrangebylex", range::zrangebylex, Locks::Keys),
    ("zrangebyscore", range::zrangebyscore, Locks::Keys),
    ("zrangestore", range::zrangestore, Locks::Keys),
    ("zrank", member::zrank, Locks::Keys),
    ("zrem", remove::zrem, Locks::Keys),
    ("zremrangebylex", remove::zremrangebylex, Locks::Keys),
    ("zremrangebyrank", remove::zremrangebyrank, Locks::Keys),
    ("zremrangebyscore", remove::zremrangebyscore, Locks::Keys),
    ("zrevrange", range::zrevrange, Locks::Keys),
    ("zrevrangebylex", range::zrevrangebylex, Locks::Keys),
    ("zrevrangebyscore", range::zrevrangebyscore, Locks::Keys),
    ("zrevrank", member::zrevrank, Locks::Keys),
    ("zscan", member::zscan, Locks::Keys),
    ("zscore", member::zscore, Locks::Keys),
    ("zunion", algebra::zunion, Locks::Keys),
    ("zunionstore", algebra::zunionstore, Locks::Keys),
];

//! Hashes: reading, setting, counting, drawing at random, scanning.

mod count;
mod random;
mod read;
mod write;

use super::call::{Binding, Locks};

pub const HANDLERS: &[Binding] = &[
    ("hdel", write::hdel, Locks::Keys),
    ("hexists", read::hexists, Locks::Keys),
    ("hget", read::hget, Locks::Keys),
    ("hgetall", read::hgetall, Locks::Keys),
    ("hincrby", count::hincrby, Locks::Keys),
    ("hincrbyfloat", count::hincrbyfloat, Locks::Keys),
    ("hkeys", read::hkeys, Locks::Keys),
    ("hlen", read::hlen, Locks::Keys),
    ("hmget", read::hmget, Locks::Keys),
    ("hmset", write::hmset, Locks::Keys),
    ("hrandfield", random::hrandfield, Locks::Keys),
    ("hscan", read::hscan, Locks::Keys),
    ("hset", write::hset, Locks::Keys),
    ("hsetnx", write::hsetnx, Locks::Keys),
    ("hstrlen", read::hstrlen, Locks::Keys),
    ("hvals", read::hvals, Locks::Keys),
];

//! Sets: members, taking and drawing them at random, and the algebra of several sets.

mod algebra;
mod member;
mod random;

use super::call::{Binding, Locks};

pub const HANDLERS: &[Binding] = &[
    ("sadd", member::sadd, Locks::Keys),
    ("scard", member::scard, Locks::Keys),
    ("sdiff", algebra::sdiff, Locks::Keys),
    ("sdiffstore", algebra::sdiffstore, Locks::Keys),
    ("sinter", algebra::sinter, Locks::Keys),
    ("sintercard", algebra::sintercard, Locks::Keys),
    ("sinterstore", algebra::sinterstore, Locks::Keys),
    ("sismember", member::sismember, Locks::Keys),
    ("smembers", member::smembers, Locks::Keys),
    ("smismember", member::smismember, Locks::Keys),
    ("smove", member::smove, Locks::Keys),
    ("spop", random::spop, Locks::Keys),
    ("srandmember", random::srandmember, Locks::Keys),
    ("srem", member::srem, Locks::Keys),
    ("sscan", member::sscan, Locks::Keys),
    ("sunion", algebra::sunion, Locks::Keys),
    ("sunionstore", algebra::sunionstore, Locks::Keys),
];

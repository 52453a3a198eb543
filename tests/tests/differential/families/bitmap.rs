//! Strings as bits.

use super::super::compare::Order;
use super::super::generator::{Args, Generator};
use super::Family;

pub const FAMILY: Family = Family {
    shapes: SHAPES,
    extend,
    order: |_| Order::AsSent,
};

const SHAPES: &[&[&str]] = &[
    &["SETBIT", "<key>", "<bit>", "1"],
    &["SETBIT", "<key>", "<bit>", "0"],
    &["SETBIT", "<key>", "<bit>", "<number>"],
    &["GETBIT", "<key>", "<bit>"],
    &["BITCOUNT", "<key>"],
    &["BITCOUNT", "<key>", "<number>", "<number>"],
    &["BITCOUNT", "<key>", "<number>", "<number>", "BIT"],
    &["BITCOUNT", "<key>", "<number>", "<number>", "byte"],
    &["BITCOUNT", "<key>", "1"],
    &["BITCOUNT", "<key>", "1", "2", "bogus"],
    &["BITPOS", "<key>", "1"],
    &["BITPOS", "<key>", "0"],
    &["BITPOS", "<key>", "1", "<number>"],
    &["BITPOS", "<key>", "0", "<number>"],
    &["BITPOS", "<key>", "1", "<number>", "<number>", "BIT"],
    &["BITPOS", "<key>", "0", "<number>", "<number>", "BIT"],
    &["BITPOS", "<key>", "0", "<number>", "<number>"],
    &["BITPOS", "<key>", "<number>"],
    &["BITOP", "AND", "<key>", "<key>", "<key>"],
    &["BITOP", "or", "<key>", "<key>", "<key>", "<key>"],
    &["BITOP", "XOR", "<key>", "<key>", "<key>"],
    &["BITOP", "NOT", "<key>", "<key>"],
    &["BITOP", "NOT", "<key>", "<key>", "<key>"],
    &["BITOP", "bogus", "<key>", "<key>"],
    &["BITFIELD", "<key>", "GET", "<type>", "<bit>"],
    &["BITFIELD", "<key>", "SET", "<type>", "<bit>", "<number>"],
    &["BITFIELD", "<key>", "SET", "u8", "#1", "200", "GET", "i8", "#1"],
    &["BITFIELD", "<key>", "INCRBY", "<type>", "<bit>", "<number>"],
    &[
        "BITFIELD", "<key>", "OVERFLOW", "SAT", "INCRBY", "<type>", "<bit>", "<number>", "GET", "<type>",
        "<bit>",
    ],
    &[
        "BITFIELD", "<key>", "OVERFLOW", "FAIL", "INCRBY", "<type>", "<bit>", "<number>",
    ],
    &[
        "BITFIELD", "<key>", "OVERFLOW", "FAIL", "SET", "<type>", "<bit>", "<number>",
    ],
    &[
        "BITFIELD", "<key>", "overflow", "sat", "SET", "<type>", "#3", "<number>",
    ],
    &["BITFIELD", "<key>", "OVERFLOW", "bogus"],
    &["BITFIELD", "<key>"],
    &["BITFIELD_RO", "<key>", "GET", "<type>", "<bit>"],
    &["BITFIELD_RO", "<key>", "SET", "u8", "0", "1"],
    &["SET", "<key>", "<value>"],
    &["OBJECT", "ENCODING", "<key>"],
];

fn extend(_: &mut Generator, _: &mut Args) {}

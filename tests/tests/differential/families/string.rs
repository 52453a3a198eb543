//! Strings.

use super::super::compare::Order;
use super::super::generator::{Args, Generator};
use super::Family;
use rand::RngExt;

pub const FAMILY: Family = Family {
    shapes: SHAPES,
    extend,
    order: |_| Order::AsSent,
};

const SHAPES: &[&[&str]] = &[
    &["GET", "<key>"],
    &["GET", "<key>"],
    &["SET", "<key>", "<value>"],
    &["SET", "<key>", "<value>"],
    &["SET", "<key>", "<number>"],
    &["GETEX", "<key>"],
    &["GETDEL", "<key>"],
    &["GETSET", "<key>", "<value>"],
    &["MGET", "<key>"],
    &["MSET", "<key>", "<value>"],
    &["MSETNX", "<key>", "<value>"],
    &["SETNX", "<key>", "<value>"],
    &["SETEX", "<key>", "<seconds>", "<value>"],
    &["PSETEX", "<key>", "<seconds>", "<value>"],
    &["APPEND", "<key>", "<value>"],
    &["STRLEN", "<key>"],
    &["GETRANGE", "<key>", "<number>", "<number>"],
    &["SUBSTR", "<key>", "<number>", "<number>"],
    &["SETRANGE", "<key>", "<number>", "<value>"],
    &["INCR", "<key>"],
    &["DECR", "<key>"],
    &["INCRBY", "<key>", "<number>"],
    &["DECRBY", "<key>", "<number>"],
    &["INCRBYFLOAT", "<key>", "<float>"],
    &["LCS", "<key>", "<key>"],
];

fn extend(generator: &mut Generator, args: &mut Args) {
    match &args[0][..] {
        b"SET" | b"GETEX" => generator.options(
            args,
            &[
                "NX", "XX", "GET", "KEEPTTL", "PERSIST", "EX", "PX", "EXAT", "PXAT", "bogus",
            ],
        ),
        b"LCS" => generator.options(args, &["LEN", "IDX", "WITHMATCHLEN", "MINMATCHLEN", "bogus"]),
        b"MGET" => generator.more_keys(args),
        b"MSET" | b"MSETNX" => {
            for _ in 0..generator.rng.random_range(0..2) {
                args.push(generator.key());
                args.push(generator.value());
            }
        }
        _ => {}
    }
}

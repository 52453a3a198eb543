//! Lists.

use super::super::compare::Order;
use super::super::generator::{Args, Generator};
use super::Family;

pub const FAMILY: Family = Family {
    shapes: SHAPES,
    extend,
    order: |_| Order::AsSent,
};

const SHAPES: &[&[&str]] = &[
    &["LPUSH", "<key>", "<element>"],
    &["RPUSH", "<key>", "<element>"],
    &["RPUSH", "<key>", "<element>", "<value>", "<number>"],
    &["RPUSH", "<key>", "f", "1", "g", "f", "2", "1"],
    &["LPUSHX", "<key>", "<element>"],
    &["RPUSHX", "<key>", "<element>"],
    &["LPOP", "<key>"],
    &["RPOP", "<key>"],
    &["LPOP", "<key>", "<number>"],
    &["RPOP", "<key>", "<number>"],
    &["LLEN", "<key>"],
    &["LRANGE", "<key>", "0", "-1"],
    &["LRANGE", "<key>", "<number>", "<number>"],
    &["LINDEX", "<key>", "<number>"],
    &["LSET", "<key>", "<number>", "<element>"],
    &["LSET", "<key>", "<number>", "<value>"],
    &["LINSERT", "<key>", "BEFORE", "<element>", "<element>"],
    &["LINSERT", "<key>", "after", "<element>", "<value>"],
    &["LINSERT", "<key>", "beside", "<element>", "<value>"],
    &["LREM", "<key>", "<number>", "<element>"],
    &["LREM", "<key>", "0", "<element>"],
    &["LTRIM", "<key>", "<number>", "<number>"],
    &["LTRIM", "<key>", "1", "-2"],
    &["LPOS", "<key>", "<element>"],
    &["LPOS", "<key>", "f", "RANK", "<number>"],
    &["LPOS", "<key>", "f", "COUNT", "<number>", "RANK", "<number>"],
    &["LPOS", "<key>", "1", "MAXLEN", "<number>", "COUNT", "0"],
    &["LPOS", "<key>", "1", "bogus", "1"],
    &["RPOPLPUSH", "<key>", "<key>"],
    &["LMOVE", "<key>", "<key>", "LEFT", "RIGHT"],
    &["LMOVE", "<key>", "<key>", "right", "left"],
    &["LMOVE", "<key>", "<key>", "LEFT", "LEFT"],
    &["LMOVE", "<key>", "<key>", "RIGHT", "up"],
    &["LMPOP", "1", "<key>", "LEFT"],
    &["LMPOP", "2", "<key>", "<key>", "RIGHT", "COUNT", "<number>"],
    &["LMPOP", "<number>", "<key>", "<key>", "LEFT", "COUNT", "2"],
    &["LMPOP", "1", "<key>", "LEFT", "COUNT", "1", "COUNT", "2"],
];

fn extend(generator: &mut Generator, args: &mut Args) {
    match &args[0][..] {
        b"LPUSH" | b"RPUSH" | b"LPUSHX" | b"RPUSHX" => generator.more(args, "<element>"),
        _ => {}
    }
}

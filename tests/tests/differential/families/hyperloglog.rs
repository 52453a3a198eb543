//! HyperLogLog.

use super::super::compare::Order;
use super::super::generator::{Args, Generator};
use super::Family;

pub const FAMILY: Family = Family {
    shapes: SHAPES,
    extend,
    order: |_| Order::AsSent,
};

/// Keys of their own, so that they grow. None of them is damaged on purpose: stock does not survive that.
const SHAPES: &[&[&str]] = &[
    &["PFADD", "<hll>", "<element>"],
    &["PFADD", "<hll>", "<element>", "<value>", "<number>"],
    &["PFADD", "<hll>", "<many>"],
    &["PFADD", "<hll>", "<many>"],
    &["PFADD", "<hll>"],
    &["PFADD", "<key>", "<element>"],
    &["PFCOUNT", "<hll>"],
    &["PFCOUNT", "<hll>", "<hll>", "<hll>"],
    &["PFCOUNT", "<key>", "<hll>"],
    &["PFMERGE", "<hll>", "<hll>", "<hll>"],
    &["PFMERGE", "<hll>"],
    &["PFMERGE", "<key>", "<hll>"],
    &["PFDEBUG", "ENCODING", "<hll>"],
    &["PFDEBUG", "DECODE", "<hll>"],
    &["PFDEBUG", "TODENSE", "{hll}4"],
    &["PFDEBUG", "GETREG", "{hll}4"],
    &["PFDEBUG", "bogus", "<hll>"],
    &["GET", "<hll>"],
    &["STRLEN", "<hll>"],
    &["OBJECT", "ENCODING", "<hll>"],
];

fn extend(generator: &mut Generator, args: &mut Args) {
    if args.last().is_some_and(|last| last == b"<many>") {
        args.pop();
        for _ in 0..generator.number_of(300) {
            args.push(generator.number_of(100_000).to_string().into());
        }
    }
}

//! Sets.

use super::super::compare::Order;
use super::super::generator::{Args, Generator};
use super::Family;

pub const FAMILY: Family = Family {
    shapes: SHAPES,
    extend,
    order,
};

const SHAPES: &[&[&str]] = &[
    &["SADD", "<key>", "<element>"],
    &["SADD", "<key>", "<number>", "<number>"],
    &["SADD", "<key>", "1", "2", "3"],
    &["SADD", "<key>", "<element>", "<value>"],
    &["SREM", "<key>", "<element>"],
    &["SMEMBERS", "<key>"],
    &["SCARD", "<key>"],
    &["SISMEMBER", "<key>", "<element>"],
    &["SMISMEMBER", "<key>", "<element>"],
    // Which member goes is chance: all, or none.
    &["SPOP", "<key>", "1000"],
    &["SPOP", "<key>", "0"],
    &["SPOP", "<key>", "-1"],
    &["SPOP", "<key>", "abc"],
    &["SPOP", "<key>", "0", "2"],
    &["SRANDMEMBER", "<key>"],
    &["SRANDMEMBER", "<key>", "<number>"],
    &["SRANDMEMBER", "<key>", "1000"],
    &["SRANDMEMBER", "<key>", "-9223372036854775808"],
    &["SRANDMEMBER", "<key>", "1", "2"],
    &["SMOVE", "<key>", "<key>", "<element>"],
    &["SMOVE", "<key>", "<key>", "<element>"],
    &["SINTER", "<key>"],
    &["SINTER", "<key>", "<key>"],
    &["SUNION", "<key>", "<key>"],
    &["SDIFF", "<key>", "<key>"],
    &["SINTERSTORE", "<key>", "<key>", "<key>"],
    &["SUNIONSTORE", "<key>", "<key>", "<key>"],
    &["SDIFFSTORE", "<key>", "<key>", "<key>"],
    &["SINTERCARD", "1", "<key>"],
    &["SINTERCARD", "2", "<key>", "<key>"],
    &["SINTERCARD", "2", "<key>", "<key>", "LIMIT", "<number>"],
    &["SINTERCARD", "<number>", "<key>", "<key>", "bogus"],
    &["SSCAN", "<key>", "0", "COUNT", "1000"],
    &["SSCAN", "<key>", "0", "COUNT", "1000", "MATCH", "<pattern>"],
    &["SSCAN", "<key>", "<number>", "COUNT", "0", "bogus"],
    &["SSCAN", "<key>", "abc"],
];

fn extend(generator: &mut Generator, args: &mut Args) {
    match &args[0][..] {
        b"SADD" | b"SREM" | b"SMISMEMBER" => generator.more(args, "<element>"),
        b"SINTER" | b"SUNION" | b"SDIFF" | b"SINTERSTORE" | b"SUNIONSTORE" | b"SDIFFSTORE" => {
            generator.more_keys(args);
        }
        b"SPOP" if args.len() == 2 => args.push(b"1000".to_vec()),
        // An endless reply is no test.
        b"SRANDMEMBER"
            if args
                .get(2)
                .is_some_and(|count| count.len() > 4 && count[0] == b'-') =>
        {
            args[2] = b"-9223372036854775808".to_vec();
        }
        _ => {}
    }
}

fn order(args: &Args) -> Order {
    match &args[0][..] {
        b"SMEMBERS" | b"SINTER" | b"SUNION" | b"SDIFF" | b"SPOP" => Order::Unordered { group: 1 },
        b"SSCAN" => Order::Scan { group: 1 },
        b"SRANDMEMBER" if args.get(2).is_some_and(|count| count == b"1000") => Order::Unordered { group: 1 },
        b"SRANDMEMBER" => Order::Drawn,
        _ => Order::AsSent,
    }
}

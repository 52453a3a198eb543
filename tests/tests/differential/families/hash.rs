//! Hashes.

use super::super::compare::Order;
use super::super::generator::{Args, Generator};
use super::Family;

pub const FAMILY: Family = Family {
    shapes: SHAPES,
    extend,
    order,
};

const SHAPES: &[&[&str]] = &[
    &["HSET", "<key>", "<element>", "<value>"],
    &["HSET", "<key>", "<element>", "<number>"],
    &["HSET", "<key>", "<element>", "<element>"],
    &["HSET", "<key>", "<element>", "<value>", "<element>", "<value>"],
    &["HMSET", "<key>", "<element>", "<value>"],
    &["HSETNX", "<key>", "<element>", "<value>"],
    &["HGET", "<key>", "<element>"],
    &["HMGET", "<key>", "<element>"],
    &["HGETALL", "<key>"],
    &["HDEL", "<key>", "<element>"],
    &["HDEL", "<key>", "<element>", "<element>"],
    &["HLEN", "<key>"],
    &["HEXISTS", "<key>", "<element>"],
    &["HKEYS", "<key>"],
    &["HVALS", "<key>"],
    &["HSTRLEN", "<key>", "<element>"],
    &["HINCRBY", "<key>", "<element>", "<number>"],
    &["HINCRBYFLOAT", "<key>", "<element>", "<float>"],
    &["HRANDFIELD", "<key>"],
    &["HRANDFIELD", "<key>", "<number>"],
    &["HRANDFIELD", "<key>", "1000"],
    &["HRANDFIELD", "<key>", "1000", "WITHVALUES"],
    &["HRANDFIELD", "<key>", "-7", "withvalues"],
    &["HRANDFIELD", "<key>", "3", "bogus"],
    &["HRANDFIELD", "<key>", "-9223372036854775808"],
    &["HRANDFIELD", "<key>", "4611686018427387904", "WITHVALUES"],
    &["HSCAN", "<key>", "0", "COUNT", "1000"],
    &["HSCAN", "<key>", "0", "COUNT", "1000", "MATCH", "<pattern>"],
    &["HSCAN", "<key>", "<number>", "COUNT", "0"],
    &["HSCAN", "<key>", "0", "TYPE", "hash"],
    &["HSCAN", "<key>", "abc"],
];

fn extend(generator: &mut Generator, args: &mut Args) {
    match &args[0][..] {
        b"HDEL" | b"HMGET" => generator.more(args, "<element>"),
        // An endless reply is no test.
        b"HRANDFIELD"
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
        b"HGETALL" => Order::Unordered { group: 2 },
        b"HKEYS" | b"HVALS" => Order::Unordered { group: 1 },
        b"HSCAN" => Order::Scan { group: 2 },
        b"HRANDFIELD" if args.get(2).is_some_and(|count| count == b"1000") => Order::Unordered {
            group: if args.len() == 4 { 2 } else { 1 },
        },
        b"HRANDFIELD" => Order::Drawn,
        _ => Order::AsSent,
    }
}

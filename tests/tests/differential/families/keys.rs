//! What works on keys of any type, transactions, and what touches no key.

use rand::RngExt;

use super::super::compare::Order;
use super::super::generator::{Args, Generator};
use super::Family;

pub const FAMILY: Family = Family {
    shapes: SHAPES,
    extend,
    order: |args| match &args[0][..] {
        b"SCAN" => Order::Scan { group: 1 },
        b"KEYS" => Order::Unordered { group: 1 },
        b"TTL" => Order::About,
        _ => Order::AsSent,
    },
};

const SHAPES: &[&[&str]] = &[
    &["DEL", "<key>"],
    &["UNLINK", "<key>"],
    &["EXISTS", "<key>"],
    &["TOUCH", "<key>"],
    &["TYPE", "<key>"],
    &["TTL", "<key>"],
    &["EXPIRE", "<key>", "<seconds>"],
    &["PEXPIRE", "<key>", "<seconds>"],
    &["EXPIREAT", "<key>", "<number>"],
    &["EXPIREAT", "<key>", "4000000000"],
    &["PEXPIREAT", "<key>", "<number>"],
    &["PERSIST", "<key>"],
    &["SCAN", "0", "COUNT", "1000", "MATCH", "a"],
    &["SCAN", "0", "COUNT", "1000", "TYPE", "list"],
    &["SCAN", "abc"],
    &["SCAN", "0", "COUNT", "0"],
    &["KEYS", "[a]"],
    &["RENAME", "<key>", "<key>"],
    &["RENAMENX", "<key>", "<key>"],
    &["COPY", "<key>", "<key>"],
    &["COPY", "<key>", "<key>", "REPLACE"],
    &["COPY", "<key>", "<key>", "DB", "0"],
    &["COPY", "<key>", "<key>", "DB", "-1"],
    &["OBJECT", "ENCODING", "<key>"],
    &["OBJECT", "FREQ", "<key>"],
    &["DBSIZE"],
    &["PING"],
    &["PING", "<value>"],
    &["ECHO", "<value>"],
    &["SELECT", "0"],
    &["MULTI"],
    &["EXEC"],
    &["DISCARD"],
    &["WATCH", "<key>"],
    &["UNWATCH"],
    &["NOSUCHCOMMAND", "<value>"],
    &["OBJECT", "NOSUCHSUBCOMMAND", "<key>"],
    &["COMMAND", "GETKEYS", "SET", "<key>", "<value>"],
    &["SCAN", "0", "COUNT", "1000", "TYPE", "hash"],
    &["SCAN", "0", "COUNT", "1000", "TYPE", "SET"],
    &["OBJECT", "ENCODING", "<key>"],
    &["TYPE", "<key>"],
    &["COPY", "<key>", "<key>", "REPLACE"],
    &["RENAME", "<key>", "<key>"],
];

fn extend(generator: &mut Generator, args: &mut Args) {
    match &args[0][..] {
        b"EXPIRE" | b"PEXPIRE" => {
            generator.options(args, &["NX", "XX", "GT", "LT", "bogus"]);
            // Which of two equal times is the later one is a matter of when they were set.
            let compares = args.iter().skip(3).any(|word| word == b"GT" || word == b"LT");
            if compares && args[2].ends_with(b"00000") {
                args[2] = generator.rng.random_range(400_001..4_000_000).to_string().into();
            }
        }
        b"DEL" | b"UNLINK" | b"EXISTS" | b"TOUCH" => generator.more_keys(args),
        _ => {}
    }
}

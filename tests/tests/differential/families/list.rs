//! Lists.

use super::super::compare::Order;
use super::super::generator::{Args, Generator};
use super::Family;

pub const FAMILY: Family = Family {
    shapes: SHAPES,
    extend,
    order,
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
    &["RPUSH", "<key>", "3", "-1", "20", "1.5", "0x10", " 7", ""],
    &["SADD", "<key>", "3", "-1", "20"],
    // By numbers it is compared in scripts: there stock refuses at times what is in order, since it looks at an errno that an
    // earlier command has left.
    &["SORT", "<key>", "ALPHA", "DESC", "LIMIT", "<number>", "<number>"],
    &["SORT", "<key>", "ALPHA"],
    &["SORT", "<key>", "ALPHA", "STORE", "<key>"],
    &[
        "SORT", "<key>", "LIMIT", "<number>", "<number>", "ALPHA", "DESC", "STORE", "<key>",
    ],
    &["SORT", "<key>", "BY", "nosort"],
    &["SORT", "<key>", "BY", "nosort", "DESC"],
    &[
        "SORT", "<key>", "BY", "nosort", "DESC", "LIMIT", "1", "3", "STORE", "<key>",
    ],
    &["SORT", "<key>", "BY", "nosort", "GET", "#", "GET", "{t}*"],
    &["SORT", "<key>", "BY", "{t}*->f", "GET", "#", "DESC", "ALPHA"],
    &["SORT", "<key>", "BY", "{t}*", "ALPHA"],
    &[
        "SORT", "<key>", "ALPHA", "GET", "{t}*", "GET", "*->f", "GET", "*->", "LIMIT", "0", "3",
    ],
    &[
        "SORT", "<key>", "ALPHA", "GET", "{t}*->1", "GET", "#", "STORE", "<key>",
    ],
    &["SORT", "<key>", "BOGUS"],
    &["SORT_RO", "<key>", "BY", "{t}*->g", "ASC", "ALPHA"],
    &["SORT_RO", "<key>", "STORE", "<key>"],
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

/// Texts that are equal up to a zero byte, and elements of a set that are not sorted, come in any order.
fn order(args: &Args) -> Order {
    let has = |word: &[u8]| args.iter().any(|arg| arg == word);
    let is_free = args[0].starts_with(b"SORT") && !has(b"STORE") && (has(b"ALPHA") || has(b"nosort"));
    if is_free {
        let columns = args.iter().filter(|arg| *arg == b"GET").count();
        Order::Unordered {
            group: columns.max(1),
        }
    } else {
        Order::AsSent
    }
}

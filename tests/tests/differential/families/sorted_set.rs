//! Sorted sets.

use super::super::compare::Order;
use super::super::generator::{Args, Generator};
use super::Family;

pub const FAMILY: Family = Family {
    shapes: SHAPES,
    extend,
    order,
};

/// Ranges of texts are defined where all scores are equal, as they are here unless another family meets the key: what
/// stock answers otherwise is chance.
const LEX: &str = "{lex}";

const SHAPES: &[&[&str]] = &[
    &["ZADD", "<key>", "<score>", "<element>"],
    &["ZADD", "<key>", "<score>", "<element>"],
    &["ZADD", "<key>", "<score>", "<element>", "<score>", "<element>"],
    &["ZADD", "<key>", "1", "a", "1", "b", "1", "c", "2", "d"],
    &["ZADD", "<key>", "NX", "<score>", "<element>"],
    &["ZADD", "<key>", "XX", "CH", "<score>", "<element>"],
    &["ZADD", "<key>", "GT", "CH", "<score>", "<element>"],
    &["ZADD", "<key>", "lt", "<score>", "<element>"],
    &["ZADD", "<key>", "INCR", "<score>", "<element>"],
    &["ZADD", "<key>", "NX", "INCR", "<score>", "<element>"],
    &["ZADD", "<key>", "XX", "GT", "INCR", "<score>", "<element>"],
    &["ZADD", "<key>", "NX", "XX", "<score>", "<element>"],
    &["ZADD", "<key>", "GT", "LT", "<score>", "<element>"],
    &["ZADD", "<key>", "INCR", "1", "a", "2", "b"],
    &["ZINCRBY", "<key>", "<score>", "<element>"],
    &["ZINCRBY", "<key>", "<score>", "<element>"],
    &["ZREM", "<key>", "<element>"],
    &["ZCARD", "<key>"],
    &["ZSCORE", "<key>", "<element>"],
    &["ZMSCORE", "<key>", "<element>", "<element>"],
    &["ZRANK", "<key>", "<element>"],
    &["ZREVRANK", "<key>", "<element>"],
    &["ZRANGE", "<key>", "0", "-1"],
    &["ZRANGE", "<key>", "0", "-1", "WITHSCORES"],
    &["ZRANGE", "<key>", "<number>", "<number>", "WITHSCORES"],
    &["ZRANGE", "<key>", "<number>", "<number>", "REV"],
    &["ZRANGE", "<key>", "<bound>", "<bound>", "BYSCORE", "WITHSCORES"],
    &["ZRANGE", "<key>", "<bound>", "<bound>", "BYSCORE", "REV"],
    &[
        "ZRANGE", "<key>", "<bound>", "<bound>", "BYSCORE", "LIMIT", "<number>", "<number>",
    ],
    &[
        "ZRANGE", "<key>", "<bound>", "<bound>", "BYSCORE", "REV", "LIMIT", "1", "<number>",
    ],
    &["ZRANGE", "<key>", "0", "-1", "LIMIT", "0", "<number>"],
    &["ZRANGE", "<key>", "0", "-1", "REV", "REV"],
    &["ZRANGE", "<key>", "-", "+", "BYLEX", "BYSCORE"],
    &["ZRANGE", "<key>", "-", "+", "BYLEX", "WITHSCORES"],
    &["ZREVRANGE", "<key>", "<number>", "<number>", "WITHSCORES"],
    &["ZREVRANGE", "<key>", "0", "1", "REV"],
    &["ZRANGEBYSCORE", "<key>", "<bound>", "<bound>"],
    &[
        "ZRANGEBYSCORE",
        "<key>",
        "<bound>",
        "<bound>",
        "WITHSCORES",
        "LIMIT",
        "<number>",
        "<number>",
    ],
    &["ZRANGEBYSCORE", "<key>", "-inf", "+inf", "limit", "2", "3"],
    &["ZREVRANGEBYSCORE", "<key>", "<bound>", "<bound>", "WITHSCORES"],
    &[
        "ZREVRANGEBYSCORE",
        "<key>",
        "+inf",
        "-inf",
        "LIMIT",
        "1",
        "<number>",
    ],
    &["ZRANGESTORE", "<key>", "<key>", "<number>", "<number>"],
    &[
        "ZRANGESTORE",
        "<key>",
        "<key>",
        "<bound>",
        "<bound>",
        "BYSCORE",
        "LIMIT",
        "0",
        "<number>",
    ],
    &["ZRANGESTORE", "<key>", "<key>", "0", "-1", "WITHSCORES"],
    &["ZCOUNT", "<key>", "<bound>", "<bound>"],
    &["ZREMRANGEBYRANK", "<key>", "<number>", "<number>"],
    &["ZREMRANGEBYSCORE", "<key>", "<bound>", "<bound>"],
    &["ZADD", LEX, "0", "<element>"],
    &["ZADD", LEX, "0", "<element>", "0", "<element>", "0", "<element>"],
    &["ZRANGEBYLEX", LEX, "<text bound>", "<text bound>"],
    &[
        "ZRANGEBYLEX",
        LEX,
        "<text bound>",
        "<text bound>",
        "LIMIT",
        "<number>",
        "<number>",
    ],
    &["ZREVRANGEBYLEX", LEX, "<text bound>", "<text bound>"],
    &["ZREVRANGEBYLEX", LEX, "+", "-", "LIMIT", "1", "3"],
    &["ZRANGE", LEX, "<text bound>", "<text bound>", "BYLEX"],
    &[
        "ZRANGE",
        LEX,
        "<text bound>",
        "<text bound>",
        "BYLEX",
        "REV",
        "LIMIT",
        "0",
        "<number>",
    ],
    &["ZRANGESTORE", LEX, LEX, "<text bound>", "<text bound>", "BYLEX"],
    &["ZLEXCOUNT", LEX, "<text bound>", "<text bound>"],
    &["ZREMRANGEBYLEX", LEX, "<text bound>", "<text bound>"],
    &["ZPOPMIN", "<key>"],
    &["ZPOPMAX", "<key>"],
    &["ZPOPMIN", "<key>", "<number>"],
    &["ZPOPMAX", "<key>", "2"],
    &["ZMPOP", "1", "<key>", "MIN"],
    &["ZMPOP", "2", "<key>", "<key>", "MAX", "COUNT", "<number>"],
    &["ZMPOP", "<number>", "<key>", "MIN"],
    &["ZMPOP", "1", "<key>", "MIN", "COUNT", "1", "COUNT", "2"],
    &["ZMPOP", "1", "<key>", "FIRST"],
    &["ZRANDMEMBER", "<key>"],
    &["ZRANDMEMBER", "<key>", "<number>"],
    &["ZRANDMEMBER", "<key>", "1000"],
    &["ZRANDMEMBER", "<key>", "1000", "WITHSCORES"],
    &["ZRANDMEMBER", "<key>", "-5", "withscores"],
    &["ZRANDMEMBER", "<key>", "4611686018427387904", "WITHSCORES"],
    &["ZSCAN", "<key>", "0", "COUNT", "1000"],
    &["ZSCAN", "<key>", "0", "COUNT", "1000", "MATCH", "<pattern>"],
    &["ZSCAN", "<key>", "<number>", "COUNT", "0"],
    &["ZUNION", "2", "<key>", "<key>", "WITHSCORES"],
    &[
        "ZUNION",
        "2",
        "<key>",
        "<key>",
        "WEIGHTS",
        "<score>",
        "<score>",
        "AGGREGATE",
        "MAX",
        "WITHSCORES",
    ],
    &["ZUNION", "<number>", "<key>", "<key>"],
    &["ZUNION", "1", "<key>", "AGGREGATE", "bogus"],
    &["ZINTER", "2", "<key>", "<key>", "WITHSCORES"],
    &[
        "ZINTER",
        "3",
        "<key>",
        "<key>",
        "<key>",
        "WEIGHTS",
        "2",
        "<score>",
        "-1",
        "WITHSCORES",
    ],
    &["ZINTER", "2", "<key>", "<key>", "AGGREGATE", "MIN"],
    &["ZDIFF", "2", "<key>", "<key>", "WITHSCORES"],
    &["ZDIFF", "1", "<key>", "WEIGHTS", "1"],
    &["ZUNIONSTORE", "<key>", "2", "<key>", "<key>"],
    &[
        "ZUNIONSTORE",
        "<key>",
        "2",
        "<key>",
        "<key>",
        "WEIGHTS",
        "<score>",
        "<score>",
    ],
    &["ZUNIONSTORE", "<key>", "1", "<key>", "WITHSCORES"],
    &["ZINTERSTORE", "<key>", "2", "<key>", "<key>", "AGGREGATE", "max"],
    &[
        "ZINTERSTORE",
        "<key>",
        "2",
        "<key>",
        "<key>",
        "WEIGHTS",
        "<score>",
        "inf",
    ],
    &["ZDIFFSTORE", "<key>", "2", "<key>", "<key>"],
    &["ZINTERCARD", "2", "<key>", "<key>"],
    &["ZINTERCARD", "2", "<key>", "<key>", "LIMIT", "<number>"],
    &["ZINTERCARD", "0", "<key>"],
    &["BZPOPMIN", "<key>", "<key>", "0.001"],
    &["BZPOPMAX", "<key>", "0.001"],
    &["BZPOPMAX", "<key>", "x"],
    &[
        "BZMPOP", "0.001", "2", "<key>", "<key>", "MAX", "COUNT", "<number>",
    ],
    &["SADD", "<key>", "<element>", "<element>"],
];

fn extend(generator: &mut Generator, args: &mut Args) {
    match &args[0][..] {
        b"ZREM" | b"ZMSCORE" => generator.more(args, "<element>"),
        // An endless reply is no test.
        b"ZRANDMEMBER"
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
        b"ZSCAN" => Order::Scan { group: 2 },
        b"ZRANDMEMBER" if args.get(2).is_some_and(|count| count == b"1000") => Order::AsSent,
        b"ZRANDMEMBER" => Order::Drawn,
        _ => Order::AsSent,
    }
}

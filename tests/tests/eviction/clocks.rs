//! What counts as an access. With lfu-log-factor 0 the counter grows with every one, so it can be compared to the digit.

use slotcore::resp::Reply;

use super::sides::{both, words};

/// After each command the frequencies of all keys must be those of stock.
const COMMANDS: &[&str] = &[
    "set a 1",
    "get a",
    "get a",
    "set a 2",
    "set a 3 keepttl",
    "set a 4 get",
    "getset a 5",
    "getex a",
    "getex a ex 100",
    "strlen a",
    "exists a",
    "exists a a",
    "type a",
    "ttl a",
    "pttl a",
    "expiretime a",
    "touch a",
    "touch a a a",
    "object encoding a",
    "object refcount a",
    "object freq a",
    "dump a",
    "getrange a 0 -1",
    "getbit a 0",
    "bitcount a",
    "mget a a b",
    "append a x",
    "setrange a 0 y",
    "set a 10",
    "incr a",
    "incrby a 2",
    "incrbyfloat a 0.5",
    "setbit a 0 1",
    "setnx a 1",
    "setex a 100 1",
    "mset a 1 a 2",
    "msetnx a 1",
    "set a 1 nx",
    "set a 1 xx",
    "expire a 100",
    "persist a",
    "keys *",
    "scan 0",
    "randomkey",
    "memory usage a",
    "rpush l x y z",
    "llen l",
    "lpop l",
    "lpush l q",
    "lset l 0 w",
    "lrem l 1 nothing",
    "ltrim l 0 -1",
    "lmove l l left right",
    "rpoplpush l l",
    "lrange l 0 -1",
    "lindex l 0",
    "hset h f v",
    "hget h f",
    "hgetall h",
    "hlen h",
    "hexists h f",
    "sadd s a b c",
    "sadd s d",
    "srem s d",
    "hset h g w",
    "hincrby h n 1",
    "hdel h g",
    "sismember s a",
    "smembers s",
    "scard s",
    "zadd z 1 a 2 b",
    "zscore z a",
    "zrange z 0 -1",
    "zcard z",
    "zincrby z 1 a",
    "zrem z b",
    "zrank z a",
    "copy a b",
    "copy a b replace",
    "rename a b",
    "get b",
    "exists nothing",
    "watch b",
    "unwatch",
    "sort l alpha",
    "lpos l x",
    "sinter s s",
    "object idletime nothing",
];

#[test]
fn accesses_count_as_in_stock() {
    let directives = [
        "--maxmemory-policy",
        "allkeys-lfu",
        "--lfu-log-factor",
        "0",
        "--lfu-decay-time",
        "0",
    ];
    let Some([(_, node), (_, stock)]) = both(&directives) else {
        return;
    };
    let (mut ours, mut theirs) = (node.client(), stock.client());
    let mut different = Vec::new();
    for line in COMMANDS {
        let args = words(&line.split(' ').collect::<Vec<_>>());
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let frequencies = |client: &mut e2e::Client| {
            let before: Vec<Reply> = ["a", "b", "l", "h", "s", "z"]
                .iter()
                .map(|key| client.cmd(&["OBJECT", "FREQ", key]))
                .collect();
            client.cmd_bytes(&args);
            let after: Vec<Reply> = ["a", "b", "l", "h", "s", "z"]
                .iter()
                .map(|key| client.cmd(&["OBJECT", "FREQ", key]))
                .collect();
            let number = |reply: &Reply| if let Reply::Integer(n) = reply { *n } else { -1 };
            let grown = |(before, after): (&Reply, &Reply)| number(after) - number(before);
            before.iter().zip(&after).map(grown).collect::<Vec<i64>>()
        };
        let (our, their) = (frequencies(&mut ours), frequencies(&mut theirs));
        if our != their {
            different.push(format!("{line}: {our:?}, and {their:?} in stock"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

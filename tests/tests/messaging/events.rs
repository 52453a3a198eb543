//! Keyspace notifications: the same commands, the same events in the same order as stock.

use std::thread::sleep;
use std::time::Duration;

use e2e::{chance, wait_for};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use slotcore::resp::Reply;

use super::families::{BITS, LISTS, SORTED_SETS, STREAMS};
use super::sides::Sides;

/// All classes, and no expiry but by who looks: when active expiry comes around is chance.
fn start(classes: &str, protocols: &[&str]) -> Option<Sides> {
    let directives = [
        "--enable-debug-command",
        "yes",
        "--notify-keyspace-events",
        classes,
    ];
    let mut sides = Sides::start(&directives, protocols)?;
    sides.same(0, &[&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]]);
    sides.same(1, &[&["PSUBSCRIBE", "__key*@*__:*"]]);
    Some(sides)
}

const COMMANDS: &[&[&str]] = &[
    &["SET", "a", "1"],
    &["SET", "a", "2"],
    &["SET", "a", "3", "EX", "1000"],
    &["SET", "a", "4", "NX"],
    &["SET", "none", "4", "XX"],
    &["SET", "a", "5", "GET"],
    &["SET", "none2", "5", "GET", "PX", "100000"],
    &["SET", "a", "6", "KEEPTTL"],
    &["SETNX", "a", "1"],
    &["SETNX", "b", "1"],
    &["SETEX", "b", "100", "1"],
    &["PSETEX", "b", "100000", "1"],
    &["MSET", "a", "1", "b", "2", "c", "3", "a", "4"],
    &["MSETNX", "a", "1", "d", "2"],
    &["MSETNX", "d", "1", "e", "2"],
    &["GET", "a"],
    &["GET", "none"],
    &["MGET", "a", "none", "b", "none3"],
    &["GETSET", "a", "1"],
    &["GETSET", "none4", "1"],
    &["GETDEL", "none4"],
    &["GETDEL", "none4"],
    &["GETEX", "a"],
    &["GETEX", "none"],
    &["GETEX", "a", "EX", "100"],
    &["GETEX", "a", "PERSIST"],
    &["GETEX", "a", "PERSIST"],
    &["GETEX", "a", "PXAT", "1"],
    &["APPEND", "a", "x"],
    &["APPEND", "a", "x"],
    &["STRLEN", "a"],
    &["STRLEN", "none"],
    &["GETRANGE", "none", "0", "1"],
    &["SETRANGE", "a", "3", "yy"],
    &["SETRANGE", "f", "3", "yy"],
    &["SETRANGE", "none", "3", ""],
    &["INCR", "n"],
    &["DECR", "n"],
    &["INCRBY", "n", "5"],
    &["DECRBY", "n2", "5"],
    &["INCRBYFLOAT", "n", "0.5"],
    &["INCR", "a"],
    &["LCS", "a", "none"],
    &["EXISTS", "a", "none", "a"],
    &["TOUCH", "a", "none"],
    &["TYPE", "none"],
    &["TTL", "none"],
    &["PTTL", "none"],
    &["OBJECT", "ENCODING", "none"],
    &["OBJECT", "ENCODING", "a"],
    &["EXPIRE", "a", "100"],
    &["EXPIRE", "a", "50", "GT"],
    &["EXPIRE", "none", "100"],
    &["PERSIST", "a"],
    &["PERSIST", "a"],
    &["PEXPIREAT", "a", "1"],
    &["PEXPIREAT", "a", "1"],
    &["DUMP", "none"],
    &["COPY", "b", "b2"],
    &["COPY", "b", "b2"],
    &["COPY", "b", "b2", "REPLACE"],
    &["COPY", "none", "b2"],
    &["RENAME", "b2", "b3"],
    &["RENAME", "b", "b3"],
    &["RENAME", "b", "b3"],
    &["RENAMENX", "b3", "c"],
    &["RENAMENX", "b3", "b4"],
    &["RENAME", "b4", "b4"],
    &["DEL", "b4", "none", "c"],
    &["HSET", "h", "f", "1", "g", "2"],
    &["HSET", "h", "f", "1"],
    &["HMSET", "h", "f", "3"],
    &["HSETNX", "h", "f", "4"],
    &["HSETNX", "h2", "f", "4"],
    &["HINCRBY", "h", "f", "2"],
    &["HINCRBY", "h3", "f", "2"],
    &["HINCRBYFLOAT", "h", "f", "0.5"],
    &["HGET", "h", "f"],
    &["HGET", "none", "f"],
    &["HGETALL", "none"],
    &["HLEN", "none"],
    &["HEXISTS", "none", "f"],
    &["HRANDFIELD", "none"],
    &["HSCAN", "none", "0"],
    &["HDEL", "h", "f", "none"],
    &["HDEL", "h", "f"],
    &["HDEL", "h", "g"],
    &["HDEL", "h", "g"],
    &["HGET", "s", "f"],
    &["SADD", "s", "1", "2", "3"],
    &["SADD", "s", "1"],
    &["SADD", "s2", "3", "4"],
    &["SADD", "one", "1"],
    &["SREM", "s", "1", "none"],
    &["SREM", "s", "none"],
    &["SREM", "one", "1"],
    &["SMOVE", "s", "s3", "2"],
    &["SMOVE", "s", "s3", "none"],
    &["SMOVE", "s3", "s", "2"],
    &["SMOVE", "s", "s", "2"],
    &["SCARD", "none"],
    &["SISMEMBER", "none", "1"],
    &["SMEMBERS", "none"],
    &["SRANDMEMBER", "none"],
    &["SSCAN", "none", "0"],
    &["SINTER", "s", "none"],
    &["SINTERSTORE", "dst", "s", "s2"],
    &["SINTERSTORE", "dst", "s", "none"],
    &["SINTERSTORE", "dst", "s", "none"],
    &["SUNIONSTORE", "dst", "s", "s2"],
    &["SUNIONSTORE", "dst", "none"],
    &["SDIFFSTORE", "dst", "s", "s2"],
    &["SDIFFSTORE", "dst", "s", "s"],
    &["SINTERCARD", "2", "s", "none"],
    &["SADD", "one", "1"],
    &["SPOP", "one"],
    &["SPOP", "one"],
    &["SPOP", "s", "0"],
    &["SPOP", "s", "100"],
    &["SPOP", "none", "1"],
    &["RPUSH", "l", "1", "2", "3", "2"],
    &["LPUSH", "l", "0"],
    &["LPUSHX", "l", "0"],
    &["RPUSHX", "none", "0"],
    &["LPOP", "l"],
    &["RPOP", "l", "2"],
    &["RPOP", "l", "0"],
    &["LPOP", "none", "1"],
    &["LLEN", "none"],
    &["LINDEX", "none", "0"],
    &["LRANGE", "none", "0", "1"],
    &["LPOS", "none", "x"],
    &["LSET", "l", "0", "9"],
    &["LSET", "l", "100", "9"],
    &["LINSERT", "l", "BEFORE", "9", "8"],
    &["LINSERT", "l", "BEFORE", "none", "8"],
    &["LREM", "l", "0", "none"],
    &["LREM", "l", "0", "8"],
    &["LTRIM", "l", "0", "-1"],
    &["LTRIM", "none", "0", "-1"],
    &["LMOVE", "l", "l2", "LEFT", "RIGHT"],
    &["LMOVE", "l2", "l2", "LEFT", "RIGHT"],
    &["RPOPLPUSH", "l2", "l3"],
    &["RPOPLPUSH", "none", "l3"],
    &["RPUSH", "l", "1", "2", "3"],
    &["LMPOP", "2", "none", "l", "LEFT", "COUNT", "2"],
    &["BLPOP", "none", "l", "1"],
    &["RPUSH", "l", "3", "1", "2"],
    &["BLMOVE", "l", "l2", "RIGHT", "LEFT", "1"],
    &["BRPOPLPUSH", "l", "l2", "1"],
    &["BLMPOP", "1", "1", "l", "LEFT", "COUNT", "9"],
    &["SORT", "l2", "STORE", "l"],
    &["SORT", "none", "STORE", "l"],
    &["SORT", "none", "STORE", "l"],
    &["SORT", "l2", "GET", "none_*"],
    &["LTRIM", "l2", "5", "4"],
    &["LTRIM", "l3", "5", "4"],
    &["TYPE", "h"],
    &["UNLINK", "d", "e"],
    &["FLUSHALL"],
];

#[test]
fn every_command_has_stocks_events() {
    let Some(mut sides) = start("KEAnm", &["2", "2"]) else {
        return;
    };
    for words in [COMMANDS, LISTS, SORTED_SETS, BITS, STREAMS].concat() {
        sides.same(0, &[words]);
    }
    for words in [
        &["SET", "r", "value"] as &[&str],
        &["CONFIG", "SET", "notify-keyspace-events", "Kg"],
        &["SET", "r", "value", "EX", "100"],
        &["GET", "none"],
        &["DEL", "r"],
        &["CONFIG", "SET", "notify-keyspace-events", "E$x"],
        &["SET", "r", "value", "EX", "100"],
        &["DEL", "r"],
        &["CONFIG", "SET", "notify-keyspace-events", "A"],
        &["SET", "r", "value"],
        &["CONFIG", "SET", "notify-keyspace-events", ""],
        &["SET", "new2", "value"],
    ] {
        sides.same(0, &[words]);
    }
    let set = ["CONFIG", "SET", "notify-keyspace-events", "KEn"];
    sides.same(0, &[&["MULTI"], &set, &["SET", "new3", "value"], &["EXEC"]]);
}

#[test]
fn dumps_and_restores_have_stocks_events() {
    let Some(mut sides) = start("KEAnm", &["2", "2"]) else {
        return;
    };
    sides.same(0, &[&["SET", "r", "value"]]);
    let (ours, stock) = sides.replies(0, &["DUMP", "r"]);
    let [Reply::Bulk(ours), Reply::Bulk(stock)] = [&ours, &stock] else {
        panic!("no dump")
    };
    assert_eq!(ours, stock);
    let payload = ours.clone();
    for (key, ttl, options) in [
        ("r2", "0", &[] as &[&str]),
        ("r2", "0", &[]),
        ("r2", "0", &["REPLACE"]),
        ("r3", "100000", &[]),
        ("r3", "1", &["ABSTTL", "REPLACE"]),
        ("r3", "1", &["ABSTTL"]),
    ] {
        let mut words: Vec<&[u8]> = vec![b"RESTORE", key.as_bytes(), ttl.as_bytes(), &payload];
        words.extend(options.iter().map(|word| word.as_bytes()));
        sides.same_bytes(0, &[&words]);
    }
}

#[test]
fn expired_keys_are_told_when_they_are_met() {
    let Some(mut sides) = start("KEAnm", &["2", "2"]) else {
        return;
    };
    for words in [
        &["GET", "{x}1"] as &[&str],
        &["SET", "{x}1", "again"],
        &["INCR", "{x}1"],
        &["EXISTS", "{x}1"],
        &["DEL", "{x}1"],
        &["RENAME", "{x}1", "{x}2"],
        &["RENAME", "{x}2", "{x}1"],
        &["COPY", "{x}2", "{x}1"],
        &["GETEX", "{x}1", "PERSIST"],
        &["EXPIRE", "{x}1", "100"],
        &["MSETNX", "{x}1", "a", "{x}2", "b"],
        &["LLEN", "{x}1"],
        &["RPUSH", "{x}1", "a"],
        &["LPOP", "{x}1"],
        &["ZCARD", "{x}1"],
        &["ZUNION", "1", "{x}1"],
        &["ZADD", "{x}1", "1", "a"],
        &["GETBIT", "{x}1", "1"],
        &["BITCOUNT", "{x}1"],
        &["PFCOUNT", "{x}1"],
        &["SORT", "{x}1"],
        &["BITOP", "NOT", "{x}2", "{x}1"],
    ] {
        sides.same(0, &[&["SET", "{x}1", "1", "PX", "1"], &["SET", "{x}2", "2"]]);
        sleep(Duration::from_millis(4));
        sides.same(0, &[words]);
    }
    sides.same(0, &[&["SET", "{x}1", "1", "PX", "1"]]);
    sleep(Duration::from_millis(4));
    sides.same(
        0,
        &[
            &["MULTI"],
            &["SET", "{x}2", "2"],
            &["GET", "{x}1"],
            &["SET", "{x}1", "3"],
            &["EXEC"],
        ],
    );
    // And without that anybody looks.
    sides.same(
        0,
        &[
            &["FLUSHALL"],
            &["DEBUG", "SET-ACTIVE-EXPIRE", "1"],
            &["SET", "gone", "1", "PX", "1"],
        ],
    );
    for reply in sides.next_messages(1, 2) {
        assert!(reply.contains("expired"), "{reply}");
    }
}

#[test]
fn random_commands_have_stocks_events() {
    let Some(mut sides) = start("KEAnm", &["3", "3"]) else {
        return;
    };
    let seed = chance::seed();
    eprintln!("SLOTMARK_SEED={seed}");
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let commands = [COMMANDS, LISTS, SORTED_SETS, BITS, STREAMS].concat();
    for _ in 0..600 {
        let words = *commands.choose(&mut rng).expect("a command");
        if rng.random_ratio(1, 10) {
            let other = *commands.choose(&mut rng).expect("a command");
            sides.same(0, &[&["MULTI"], words, other, &["EXEC"]]);
        } else {
            sides.same(0, &[words]);
        }
    }
    // A client hears of what it does itself before the reply.
    sides.same(
        0,
        &[&["SUBSCRIBE", "__keyevent@0__:set", "__keyevent@0__:keymiss"]],
    );
    sides.same(
        0,
        &[&["SET", "own", "1"], &["GET", "own"], &["GET", "nothing there"]],
    );
}

/// What a replica applies, its own subscribers hear of; what expires they hear of as deleted.
#[test]
fn replicas_tell_what_they_apply() {
    use e2e::Server;
    let primary = Server::slotmark(crate::NODE, &["--repl-diskless-sync-delay", "0"]);
    let follow = format!("127.0.0.1 {}", primary.port());
    let replica = Server::slotmark(
        crate::NODE,
        &["--replicaof", &follow, "--notify-keyspace-events", "EA"],
    );
    let mut asker = replica.client();
    wait_for("the replica to follow", Duration::from_secs(20), || {
        let info = asker.cmd(&["INFO", "replication"]);
        info.as_str()?.contains("master_link_status:up").then_some(())
    });
    let mut listener = replica.client();
    listener.cmd(&["PSUBSCRIBE", "__keyevent@0__:*"]);
    let mut client = primary.client();
    client.cmd(&["SET", "k", "v", "PX", "20"]);
    for event in ["set", "expire", "del"] {
        let Reply::Array(parts) = listener.reply() else {
            panic!("no message")
        };
        assert_eq!(
            parts[2],
            Reply::Bulk(format!("__keyevent@0__:{event}").into_bytes())
        );
        assert_eq!(parts[3], Reply::Bulk(b"k".to_vec()));
    }
}

//! What a primary tells its replicas: the same commands to our node and to stock redis-server 7.0.15 must give the same
//! stream, command by command and byte by byte, apart from instants that each computes from its own clock.
//!
//! `SLOTMARK_SECONDS=600 cargo test -p e2e --test replication_stream` runs for as long as asked; a failure prints
//! the seed, and `SLOTMARK_SEED` replays it.

#[path = "replication_stream/blocking.rs"]
mod blocking;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use e2e::{Client, Server, chance};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use slotcore::resp::Reply;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");

/// Commands of one seed.
const SEQUENCE: usize = 150;
/// A time to live, in milliseconds, that is waited for.
const SHORT_MS: &[u8] = b"5";
/// Two servers read their clocks this far apart at most, in milliseconds.
const APART_MS: u64 = 5000;

type Command = Vec<Vec<u8>>;

/// A replica of the old kind: SYNC, a copy with its length in front, then the stream.
struct Stream {
    input: BufReader<TcpStream>,
}

impl Stream {
    fn open(port: u16) -> Self {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout can be set");
        socket.write_all(b"SYNC\r\n").expect("the server reads");
        let mut stream = Self {
            input: BufReader::new(socket),
        };
        let mut header = stream.line();
        while header.is_empty() {
            header = stream.line();
        }
        let len = header.strip_prefix('$').unwrap_or_else(|| panic!("{header}"));
        let mut copy = vec![0; len.parse().expect("a length")];
        stream.input.read_exact(&mut copy).expect("the whole copy");
        assert!(copy.starts_with(b"REDIS"), "an RDB");
        stream
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.input.read_line(&mut line).expect("a line");
        line.trim_end().into()
    }

    /// The next command.
    fn next(&mut self) -> Command {
        let header = self.line();
        let count = header.strip_prefix('*').unwrap_or_else(|| panic!("{header:?}"));
        (0..count.parse().expect("a count"))
            .map(|_| {
                let header = self.line();
                let len = header.strip_prefix('$').unwrap_or_else(|| panic!("{header:?}"));
                let mut arg = vec![0; len.parse::<usize>().expect("a length") + 2];
                self.input.read_exact(&mut arg).expect("an argument");
                assert!(arg.ends_with(b"\r\n"));
                arg.truncate(arg.len() - 2);
                arg
            })
            .collect()
    }

    /// Everything up to the mark, without the pings that come by the clock.
    fn up_to(&mut self, mark: &[u8]) -> Vec<Command> {
        let mut commands = Vec::new();
        loop {
            let command = self.next();
            if command.len() == 1 && command[0].eq_ignore_ascii_case(b"ping") {
                continue;
            }
            let last = command.len() == 3 && command[2] == mark;
            commands.push(command);
            if last {
                return commands;
            }
        }
    }
}

struct Generator {
    rng: Xoshiro256PlusPlus,
    /// What DUMP gives, for RESTORE.
    payload: Vec<u8>,
}

/// Placeholders are in angle brackets.
const SHAPES: &[&[&str]] = &[
    &["SET", "<key>", "<value>"],
    &["set", "<key>", "<value>"],
    &["SET", "<key>", "<value>", "<set options>"],
    &["SET", "<key>", "<value>", "<set options>"],
    &["SET", "<key>", "<value>", "<set options>"],
    &["SET", "<key>", "<value>", "PX", "5"],
    &["SET", "<key>", "<value>", "PX", "5"],
    &["SET", "<key>", "<value>", "PXAT", "1"],
    &["SETEX", "<key>", "<time>", "<value>"],
    &["PSETEX", "<key>", "<time>", "<value>"],
    &["PSETEX", "<key>", "5", "<value>"],
    &["SETNX", "<key>", "<value>"],
    &["GETSET", "<key>", "<value>"],
    &["GETDEL", "<key>"],
    &["GETEX", "<key>", "<getex options>"],
    &["GETEX", "<key>", "<getex options>"],
    &["GET", "<key>"],
    &[
        "EVAL",
        "return redis.call('set', KEYS[1], ARGV[1])",
        "1",
        "<key>",
        "<value>",
    ],
    &[
        "EVAL",
        "redis.call('append', KEYS[1], ARGV[1]) redis.call('incr', '{t}n') return redis.call('lpush', '{t}n', 1)",
        "1",
        "<key>",
        "<value>",
    ],
    &[
        "EVAL",
        "redis.pcall('sadd', KEYS[1], 'z') return redis.pcall('incrbyfloat', KEYS[2], '0.5')",
        "2",
        "<set>",
        "<key>",
    ],
    &[
        "EVAL",
        "redis.set_repl(redis.REPL_NONE) redis.call('set', '{t}n', 1) return 1",
        "0",
    ],
    &["EVAL", "return redis.call('get', KEYS[1])", "1", "<key>"],
    &["EVAL", "redis.call('publish', 'c', 'm') error('x')", "0"],
    &["SCRIPT", "LOAD", "return 1"],
    &["SCRIPT", "FLUSH"],
    &[
        "FUNCTION",
        "LOAD",
        "REPLACE",
        "#!lua name=l\nredis.register_function('f', function(keys) redis.call('del', keys[1]) return redis.call('set', keys[1], 'f') end)",
    ],
    &["FCALL", "f", "1", "<key>"],
    &["FUNCTION", "DELETE", "l"],
    &["MGET", "<key>", "<key>", "<key>"],
    &["EXISTS", "<key>", "<key>"],
    &["TOUCH", "<key>"],
    &["TYPE", "<key>"],
    &["TTL", "<key>"],
    &["STRLEN", "<key>"],
    &["OBJECT", "ENCODING", "<key>"],
    &["MSET", "<key>", "<value>", "<key>", "<value>"],
    &["MSETNX", "<key>", "<value>", "<key>", "<value>"],
    &["RESTORE", "<key>", "<time>", "<payload>", "<restore options>"],
    &["RESTORE", "<key>", "<moment>", "<payload>", "REPLACE", "ABSTTL"],
    &["RESTORE", "<key>", "5", "<payload>", "REPLACE"],
    &["APPEND", "<key>", "<value>"],
    &["APPEND", "<key>", ""],
    &["SETRANGE", "<key>", "3", "<value>"],
    &["SETRANGE", "<key>", "0", ""],
    &["INCR", "<key>"],
    &["DECR", "<key>"],
    &["INCRBY", "<key>", "<number>"],
    &["DECRBY", "<key>", "<number>"],
    &["INCRBYFLOAT", "<key>", "<float>"],
    &["HSET", "<hash>", "<field>", "<value>"],
    &["hset", "<hash>", "<field>", "<value>", "<field>", "<value>"],
    &["HMSET", "<hash>", "<field>", "<value>"],
    &["HSETNX", "<hash>", "<field>", "<value>"],
    &["HDEL", "<hash>", "<field>"],
    &["HDEL", "<hash>", "<field>", "<field>"],
    &["HINCRBY", "<hash>", "<field>", "<number>"],
    &["HINCRBYFLOAT", "<hash>", "<field>", "<float>"],
    &["HGETALL", "<hash>"],
    &["SADD", "<set>", "<value>"],
    &["SADD", "<set>", "<field>", "<value>"],
    &["SADD", "{t}single", "the only one"],
    &["SREM", "<set>", "<value>"],
    &["SMOVE", "<set>", "<set>", "<value>"],
    &["SPOP", "{t}single"],
    &["SPOP", "<set>", "1000"],
    &["SPOP", "<set>", "0"],
    &["SINTERSTORE", "<set>", "<set>", "<set>"],
    &["SUNIONSTORE", "<set>", "<set>", "<set>"],
    &["SDIFFSTORE", "<set>", "<set>", "<set>"],
    &["SCARD", "<set>"],
    &["LPUSH", "<list>", "<value>"],
    &["rpush", "<list>", "<value>", "<field>", "1"],
    &["LPUSHX", "<list>", "<value>"],
    // Into a key that does not expire: of one that has, stock tells by SORT, and ours by DEL.
    &["SORT", "<list>", "ALPHA", "STORE", "{t}m"],
    &[
        "SORT", "<list>", "BY", "nosort", "LIMIT", "0", "<count>", "STORE", "{t}m",
    ],
    &["SORT", "<list>", "LIMIT", "0", "0", "store", "{t}m"],
    &["LPOP", "<list>"],
    &["RPOP", "<list>", "<count>"],
    &["LMPOP", "2", "<list>", "<list>", "RIGHT", "COUNT", "<count>"],
    &["LMPOP", "1", "<list>", "LEFT"],
    &["LMOVE", "<list>", "<list>", "left", "RIGHT"],
    &["RPOPLPUSH", "<list>", "<list>"],
    &["LSET", "<list>", "0", "<value>"],
    &["LINSERT", "<list>", "AFTER", "1", "<value>"],
    &["LREM", "<list>", "1", "<value>"],
    &["LTRIM", "<list>", "0", "<count>"],
    &["LRANGE", "<list>", "0", "-1"],
    &["ZADD", "<zset>", "<score>", "<field>", "<score>", "<value>"],
    &["zadd", "<zset>", "XX", "GT", "CH", "<score>", "<field>"],
    &["ZADD", "<zset>", "INCR", "<score>", "<field>"],
    &["ZINCRBY", "<zset>", "<score>", "<field>"],
    &["ZREM", "<zset>", "<field>", "<value>"],
    &["ZPOPMIN", "<zset>"],
    &["ZPOPMAX", "<zset>", "2"],
    &["ZPOPMIN", "<zset>", "0"],
    &["ZMPOP", "2", "<zset>", "<zset>", "MIN"],
    &["zmpop", "1", "<zset>", "max", "count", "3"],
    &["ZREMRANGEBYRANK", "<zset>", "0", "0"],
    &["ZREMRANGEBYSCORE", "<zset>", "(1", "+inf"],
    &["ZREMRANGEBYLEX", "{t}zlex", "-", "[b"],
    &["ZADD", "{t}zlex", "0", "<value>"],
    &["ZRANGESTORE", "<zset>", "<zset>", "0", "1"],
    &[
        "ZUNIONSTORE",
        "<zset>",
        "2",
        "<zset>",
        "<set>",
        "WEIGHTS",
        "2",
        "-1",
    ],
    &[
        "ZINTERSTORE",
        "<zset>",
        "2",
        "<zset>",
        "<zset>",
        "AGGREGATE",
        "MAX",
    ],
    &["ZDIFFSTORE", "<zset>", "2", "<zset>", "<zset>"],
    &["GEOADD", "<geo>", "13.361389", "38.115556", "<field>"],
    &[
        "geoadd",
        "<geo>",
        "NX",
        "CH",
        "15.087269",
        "37.502669",
        "<field>",
        "2",
        "49",
        "<value>",
    ],
    &["GEORADIUS", "<geo>", "15", "37", "200", "km", "STORE", "<geo>"],
    &[
        "GEORADIUSBYMEMBER",
        "<geo>",
        "f",
        "200",
        "km",
        "STOREDIST",
        "<geo>",
    ],
    &[
        "GEOSEARCHSTORE",
        "<geo>",
        "<geo>",
        "FROMLONLAT",
        "15",
        "37",
        "BYBOX",
        "400",
        "400",
        "km",
    ],
    &["SETBIT", "<bits>", "7", "1"],
    &["SETBIT", "<bits>", "7", "0"],
    &["SETBIT", "<bits>", "70", "0"],
    &["BITOP", "OR", "<bits>", "<bits>", "<key>"],
    &["BITOP", "NOT", "<bits>", "{t}absent"],
    &[
        "BITFIELD", "<bits>", "INCRBY", "u4", "8", "3", "SET", "i5", "#1", "7",
    ],
    &["BITFIELD", "<bits>", "SET", "u8", "0", "0"],
    &["BITFIELD", "<bits>", "GET", "u8", "0"],
    &["PFADD", "<hll>", "<value>", "<field>"],
    &["PFADD", "<hll>"],
    &["PFCOUNT", "<hll>"],
    &["PFCOUNT", "<hll>", "<hll>"],
    &["PFMERGE", "<hll>", "<hll>", "<hll>"],
    &["PFDEBUG", "TODENSE", "{t}hll2"],
    &["XADD", "<stream>", "<entry>", "f", "<value>"],
    &["XADD", "<stream>", "<entry>", "f", "1", "g", "<value>"],
    &[
        "XADD",
        "<stream>",
        "NOMKSTREAM",
        "MAXLEN",
        "~",
        "<count>",
        "<entry>",
        "f",
        "1",
    ],
    &[
        "xadd", "<stream>", "minid", "~", "5", "LIMIT", "100", "<entry>", "f", "1",
    ],
    &["XADD", "<stream>", "MAXLEN", "2", "<entry>", "f", "1"],
    &["XTRIM", "<stream>", "MAXLEN", "<count>"],
    &["XTRIM", "<stream>", "MAXLEN", "~", "<count>"],
    &["XTRIM", "<stream>", "MINID", "~", "<entry>"],
    &["XDEL", "<stream>", "<entry>", "<entry>"],
    &["XSETID", "<stream>", "40-0"],
    &["XGROUP", "CREATE", "<stream>", "g", "0", "MKSTREAM"],
    &["XGROUP", "CREATE", "<stream>", "h", "$"],
    &["XGROUP", "SETID", "<stream>", "g", "<entry>"],
    &["XGROUP", "DESTROY", "<stream>", "h"],
    &["XGROUP", "CREATECONSUMER", "<stream>", "g", "<field>"],
    &["XGROUP", "DELCONSUMER", "<stream>", "g", "<field>"],
    &[
        "XREADGROUP",
        "GROUP",
        "g",
        "<field>",
        "COUNT",
        "2",
        "STREAMS",
        "<stream>",
        ">",
    ],
    &[
        "XREADGROUP",
        "GROUP",
        "g",
        "<field>",
        "STREAMS",
        "<stream>",
        "<stream>",
        ">",
        "0",
    ],
    &[
        "XREADGROUP",
        "GROUP",
        "g",
        "<field>",
        "NOACK",
        "STREAMS",
        "<stream>",
        ">",
    ],
    &[
        "XREADGROUP",
        "GROUP",
        "g",
        "<field>",
        "NOACK",
        "STREAMS",
        "<stream>",
        "0",
    ],
    &["XACK", "<stream>", "g", "<entry>", "<entry>"],
    &[
        "XCLAIM", "<stream>", "g", "<field>", "0", "<entry>", "<entry>", "FORCE",
    ],
    &[
        "XCLAIM", "<stream>", "g", "<field>", "0", "<entry>", "LASTID", "<entry>", "JUSTID",
    ],
    &["XAUTOCLAIM", "<stream>", "g", "<field>", "0", "0", "COUNT", "2"],
    &["XLEN", "<stream>"],
    &["EXPIRE", "<set>", "<time>"],
    &["PEXPIRE", "<hash>", "5"],
    &["DEL", "<key>"],
    &["DEL", "<hash>", "<set>", "<list>"],
    &["DEL", "<key>", "<key>"],
    &["UNLINK", "<key>", "<key>"],
    &["RENAME", "<key>", "<key>"],
    &["RENAMENX", "<key>", "<key>"],
    &["COPY", "<key>", "<key>"],
    &["COPY", "<key>", "<key>", "REPLACE"],
    &["EXPIRE", "<key>", "<time>", "<expire options>"],
    &["PEXPIRE", "<key>", "<time>", "<expire options>"],
    &["EXPIREAT", "<key>", "<moment>", "<expire options>"],
    &["PEXPIREAT", "<key>", "<moment>", "<expire options>"],
    &["pexpireat", "<key>", "4000000000000"],
    &["PEXPIRE", "<key>", "5"],
    &["PERSIST", "<key>"],
    &["RANDOMKEY", "extra"],
    &["FLUSHALL"],
    &["FLUSHDB", "SYNC"],
    &["flushall", "async"],
    &["MULTI"],
    &["MULTI"],
    &["EXEC"],
    &["EXEC"],
    &["EXEC"],
    &["DISCARD"],
    // A key that does not expire: ours is told of one that has when it is watched, stock's when it is next looked up.
    &["WATCH", "{t}watched"],
    &["SETRANGE", "{t}watched", "0", "<value>"],
    &["UNWATCH"],
    &["NOSUCHCOMMAND"],
    &["SET", "<key>"],
];

impl Generator {
    fn one<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words.choose(&mut self.rng).expect("a choice")
    }

    fn command(&mut self) -> Command {
        let shape: &[&str] = SHAPES.choose(&mut self.rng).expect("a shape");
        let mut args = Command::new();
        for part in shape {
            let word = match *part {
                "<key>" => self.one(&["{t}a", "{t}b", "{t}c", "{t}d", "{t}\r\n"]),
                "<hash>" => self.one(&["{t}h", "{t}i", "{t}a"]),
                "<set>" => self.one(&["{t}s", "{t}u", "{t}v", "{t}a"]),
                "<list>" => self.one(&["{t}l", "{t}m", "{t}a"]),
                "<count>" => self.one(&["0", "1", "2", "100"]),
                "<geo>" => self.one(&["{t}g", "{t}w"]),
                "<bits>" => self.one(&["{t}bits", "{t}more", "{t}a"]),
                "<hll>" => self.one(&["{t}hll1", "{t}hll2", "{t}hll3", "{t}a"]),
                "<stream>" => self.one(&["{t}x", "{t}x", "{t}x", "{t}e", "{t}a"]),
                "<entry>" => self.one(&["1-1", "2-1", "3-1", "5-1", "5-*", "8-*", "9-1", "20-*", "0", "x"]),
                "<zset>" => self.one(&["{t}z", "{t}y", "{t}a"]),
                "<score>" => self.one(&["1", "-0", "2.5", "inf", "-inf", "1e300", "abc"]),
                "<field>" => self.one(&["f", "g", "1"]),
                "<value>" => self.one(&["", "1", "17", "3.5", "hello", "a b\r\nc"]),
                "<number>" => self.one(&["1", "-7", "9223372036854775807", "abc"]),
                "<float>" => self.one(&["0.5", "-1e3", "nan", "abc", "3"]),
                "<time>" => self.one(&["100", "5000000", "0", "-1", "x"]),
                "<moment>" => self.one(&["1", "4000000000", "4000000000000", "-5"]),
                "<set options>" => {
                    self.options(
                        &mut args,
                        &["NX", "xx", "GET", "get", "KEEPTTL", "EX", "px", "EXAT", "PXAT"],
                    );
                    continue;
                }
                "<payload>" => {
                    args.push(self.payload.clone());
                    continue;
                }
                "<restore options>" => {
                    self.options(&mut args, &["REPLACE", "replace", "ABSTTL", "IDLETIME"]);
                    continue;
                }
                "<getex options>" => {
                    self.options(&mut args, &["PERSIST", "EX", "PX", "exat", "PXAT"]);
                    continue;
                }
                "<expire options>" => {
                    self.options(&mut args, &["NX", "XX", "gt", "LT"]);
                    continue;
                }
                word => word,
            };
            args.push(word.into());
        }
        args
    }

    fn options(&mut self, args: &mut Command, words: &[&str]) {
        while self.rng.random_ratio(1, 2) {
            let word = self.one(words);
            args.push(word.into());
            match word {
                "EX" | "px" | "PX" | "IDLETIME" => args.push(self.one(&["100", "70000", "0"]).into()),
                "EXAT" | "exat" => args.push(self.one(&["4000000000", "1"]).into()),
                "PXAT" => args.push(self.one(&["4000000000000", "1"]).into()),
                _ => {}
            }
        }
    }
}

/// The same words; an instant near now may differ by what clocks differ.
fn same(ours: &Command, stock: &Command) -> bool {
    let instant = |arg: &[u8]| {
        std::str::from_utf8(arg)
            .ok()?
            .parse::<u64>()
            .ok()
            .filter(|n| *n > 1_000_000_000_000)
    };
    ours.len() == stock.len()
        && ours.iter().zip(stock).all(|(a, b)| {
            a == b || matches!((instant(a), instant(b)), (Some(a), Some(b)) if a.abs_diff(b) < APART_MS)
        })
}

fn show(commands: &[Command]) -> String {
    let line = |command: &Command| {
        let words: Vec<String> = command.iter().map(|arg| arg.escape_ascii().to_string()).collect();
        format!("    {}", words.join(" "))
    };
    commands.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn send(client: &mut Client, command: &Command) -> Vec<u8> {
    let slices: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
    client.raw(&slices)
}

fn run(lazily: &str) {
    let directives = ["--enable-debug-command", "yes", "--lazyfree-lazy-expire", lazily];
    let Some(stock) = Server::stock(&directives) else {
        return;
    };
    let node = Server::slotmark(NODE, &directives);
    let mut client = stock.client();
    client.cmd(&["SET", "dumped", "hello"]);
    let Reply::Bulk(payload) = client.cmd(&["DUMP", "dumped"]) else {
        panic!("no payload")
    };
    client.cmd(&["DEL", "dumped"]);
    let mut seed = chance::seed();
    let mut streams = [Stream::open(node.port()), Stream::open(stock.port())];
    for server in [&node, &stock] {
        // When a key that nobody asks for is found to have expired is each server's own affair.
        server.client().cmd(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    }
    let start = Instant::now();
    while start.elapsed() < chance::time() {
        let mut clients = [node.client(), stock.client()];
        let mut generator = Generator {
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            payload: payload.clone(),
        };
        let (mut sent, mut short, mut open) = (Vec::new(), false, false);
        for _ in 0..SEQUENCE {
            let command = generator.command();
            let replies = clients.each_mut().map(|client| send(client, &command));
            short |= command.contains(&SHORT_MS.to_vec());
            match &command[0][..] {
                b"MULTI" => open = true,
                b"EXEC" | b"DISCARD" => open = false,
                _ => {}
            }
            sent.push(command);
            // Members come in any order: what was sent of them is as long, and the stream says the rest.
            let shown = replies.map(|mut reply| {
                if reply.starts_with(b"*") {
                    reply.sort_unstable();
                }
                reply.escape_ascii().to_string()
            });
            assert_eq!(
                shown[0],
                shown[1],
                "left is ours (SLOTMARK_SEED={seed}):\n{}",
                show(&sent)
            );
            if short && !open {
                // A short life ends before the next command, on both sides; one of a transaction begins with its EXEC.
                std::thread::sleep(Duration::from_millis(12));
                short = false;
            }
        }
        let mark = format!("mark {seed}").into_bytes();
        for client in &mut clients {
            client.cmd(&["DISCARD"]);
            client.cmd(&["FLUSHALL"]);
            client.cmd_bytes(&[b"SET", b"{t}mark", &mark]);
        }
        let [ours, theirs] = streams.each_mut().map(|stream| stream.up_to(&mark));
        let differ = ours.len().max(theirs.len());
        let first =
            (0..differ).find(|&i| !matches!((ours.get(i), theirs.get(i)), (Some(a), Some(b)) if same(a, b)));
        if let Some(first) = first {
            let part = |stream: &[Command]| {
                show(&stream[first.saturating_sub(3).min(stream.len())..(first + 4).min(stream.len())])
            };
            panic!(
                "the streams part at command {first} (SLOTMARK_SEED={seed})\nours:\n{}\nstock's:\n{}\nsent:\n{}",
                part(&ours),
                part(&theirs),
                show(&sent)
            );
        }
        seed = seed.wrapping_add(1);
    }
}

#[test]
fn random_commands_have_the_effects_that_stock_tells_of() {
    run("no");
}

#[test]
fn the_same_with_lazy_expiry() {
    run("yes");
}

/// Which members go is chance, so the replicas are told of each.
#[test]
fn popped_members_are_named_one_by_one() {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    for server in [&node, &stock] {
        let mut stream = Stream::open(server.port());
        let mut client = server.client();
        client.cmd(&["SADD", "s", "a", "b", "c", "d", "e", "f"]);
        let Reply::Array(popped) = client.cmd(&["SPOP", "s", "4"]) else {
            panic!("an array")
        };
        let Reply::Bulk(last) = client.cmd(&["SPOP", "s"]) else {
            panic!("a member")
        };
        client.cmd(&["SET", "{t}mark", "end"]);
        let commands = stream.up_to(b"end");
        let words = |command: &Command| {
            let words: Vec<String> = command
                .iter()
                .map(|arg| String::from_utf8_lossy(arg).into_owned())
                .collect();
            words.join(" ")
        };
        let told: Vec<String> = commands
            .iter()
            .map(words)
            .filter(|command| command != "SELECT 0")
            .collect();
        let mut expected = vec!["SADD s a b c d e f".to_owned(), "MULTI".into()];
        expected.extend(
            popped
                .iter()
                .map(|member| format!("SREM s {}", member.as_str().expect("a letter"))),
        );
        expected.extend([
            "EXEC".into(),
            format!("SREM s {}", String::from_utf8_lossy(&last)),
            "SET {t}mark end".into(),
        ]);
        // The order within the transaction is free.
        let order = |mut commands: Vec<String>| {
            commands[2..6].sort();
            commands
        };
        assert_eq!(order(told), order(expected));
    }
}

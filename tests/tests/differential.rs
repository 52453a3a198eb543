//! The same random commands to our node and to stock redis-server 7.0.15: every reply must be the same bytes.
//!
//! `SLOTMARK_DIFF_SECONDS=600 cargo test -p e2e --test differential` runs for as long as asked; a failure prints the
//! seed, and `SLOTMARK_DIFF_SEED` replays it.

use std::time::{Duration, Instant};

use e2e::{Client, Server};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");

/// Commands in one sequence; both servers are flushed between sequences.
const SEQUENCE: usize = 200;

type Args = Vec<Vec<u8>>;

struct Generator {
    rng: Xoshiro256PlusPlus,
}

impl Generator {
    fn new(seed: u64) -> Self {
        Self {
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }

    fn one<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words.choose(&mut self.rng).expect("a choice")
    }

    fn key(&mut self) -> Vec<u8> {
        self.one(&["a", "b", "c", "{t}1", "{t}2", "", "a key with spaces", "k\r\n"])
            .into()
    }

    fn number(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..12) {
            0 => "9223372036854775807".into(),
            1 => "-9223372036854775808".into(),
            2 => "9223372036854775808".into(),
            3 => self
                .one(&["", " 1", "1 ", "+1", "01", "-0", "1.0", "abc", "1e3", "0x10"])
                .into(),
            4 => "0".into(),
            5 => "-1".into(),
            _ => self.rng.random_range(-20i64..40).to_string().into(),
        }
    }

    fn float(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..8) {
            0 => self
                .one(&["nan", "inf", "-inf", "1e400", "abc", "", " 1", "1 "])
                .into(),
            1 => self
                .one(&["1e10", "-1.5e-3", "3.0", "5.0e3", "0.1", "-0", "1e17"])
                .into(),
            _ => format!("{:.3}", self.rng.random_range(-100.0..100.0)).into(),
        }
    }

    fn value(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..10) {
            0 => Vec::new(),
            1 => self.number(),
            2 => self.float(),
            3 => vec![b'x'; self.rng.random_range(40..50)],
            4 => vec![b'y'; self.rng.random_range(500..5000)],
            5 => {
                let mut bytes = vec![0; self.rng.random_range(0..40)];
                self.rng.fill_bytes(&mut bytes);
                bytes
            }
            6 => self.rng.random_range(-1000i64..1000).to_string().into(),
            _ => self.one(&["hello", "ohmytext", "mynewtext", "foo bar"]).into(),
        }
    }

    /// A time to live that cannot run out within the test, or an error.
    fn seconds(&mut self) -> Vec<u8> {
        self.one(&["1000", "5000", "100000", "0", "-1", "abc", "9223372036854775807"])
            .into()
    }

    /// A unix time that is not over: when active expiry finds a key that is, differs.
    fn moment(&mut self) -> Vec<u8> {
        self.one(&[
            "4000000000000",
            "9000000000000",
            "0",
            "-1",
            "abc",
            "9223372036854775808",
        ])
        .into()
    }

    fn args(&mut self, parts: &[&str]) -> Args {
        let mut args = Args::new();
        for part in parts {
            args.push(match *part {
                "<key>" => self.key(),
                "<number>" => self.number(),
                "<float>" => self.float(),
                "<value>" => self.value(),
                "<seconds>" => self.seconds(),
                word => word.into(),
            });
        }
        args
    }

    fn command(&mut self) -> Args {
        let shape: &[&str] = SHAPES.choose(&mut self.rng).expect("a shape");
        let mut args = self.args(shape);
        match shape[0] {
            "SET" | "GETEX" => self.options(
                &mut args,
                &[
                    "NX", "XX", "GET", "KEEPTTL", "PERSIST", "EX", "PX", "EXAT", "PXAT", "bogus",
                ],
            ),
            "EXPIRE" | "PEXPIRE" => self.options(&mut args, &["NX", "XX", "GT", "LT", "bogus"]),
            "LCS" => self.options(&mut args, &["LEN", "IDX", "WITHMATCHLEN", "MINMATCHLEN", "bogus"]),
            "DEL" | "UNLINK" | "EXISTS" | "TOUCH" | "MGET" => {
                for _ in 0..self.rng.random_range(0..3) {
                    args.push(self.key());
                }
            }
            "MSET" | "MSETNX" => {
                for _ in 0..self.rng.random_range(0..2) {
                    args.push(self.key());
                    args.push(self.value());
                }
            }
            _ => {}
        }
        if self.rng.random_ratio(1, 50) {
            args.push(b"extra".to_vec());
        }
        if self.rng.random_ratio(1, 50) && args.len() > 1 {
            args.pop();
        }
        args
    }

    fn options(&mut self, args: &mut Args, words: &[&str]) {
        while self.rng.random_ratio(1, 2) {
            let word = self.one(words);
            args.push(word.into());
            match word {
                "EX" | "PX" => args.push(self.seconds()),
                "EXAT" | "PXAT" => args.push(self.moment()),
                "MINMATCHLEN" => args.push(self.number()),
                _ => {}
            }
        }
    }
}

const SHAPES: &[&[&str]] = &[
    &["GET", "<key>"],
    &["GET", "<key>"],
    &["SET", "<key>", "<value>"],
    &["SET", "<key>", "<value>"],
    &["SET", "<key>", "<number>"],
    &["GETEX", "<key>"],
    &["GETDEL", "<key>"],
    &["GETSET", "<key>", "<value>"],
    &["MGET", "<key>"],
    &["MSET", "<key>", "<value>"],
    &["MSETNX", "<key>", "<value>"],
    &["SETNX", "<key>", "<value>"],
    &["SETEX", "<key>", "<seconds>", "<value>"],
    &["PSETEX", "<key>", "<seconds>", "<value>"],
    &["APPEND", "<key>", "<value>"],
    &["STRLEN", "<key>"],
    &["GETRANGE", "<key>", "<number>", "<number>"],
    &["SUBSTR", "<key>", "<number>", "<number>"],
    &["SETRANGE", "<key>", "<number>", "<value>"],
    &["INCR", "<key>"],
    &["DECR", "<key>"],
    &["INCRBY", "<key>", "<number>"],
    &["DECRBY", "<key>", "<number>"],
    &["INCRBYFLOAT", "<key>", "<float>"],
    &["LCS", "<key>", "<key>"],
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
];

fn show(args: &Args) -> String {
    args.iter()
        .map(|arg| format!("\"{}\"", arg.escape_ascii()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn both(ours: &mut Client, stock: &mut Client, args: &Args) -> (Vec<u8>, Vec<u8>) {
    let slices: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
    (ours.raw(&slices), stock.raw(&slices))
}

fn run(hello: &str) {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    let seconds = std::env::var("SLOTMARK_DIFF_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);
    let fixed = std::env::var("SLOTMARK_DIFF_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let mut seed: u64 = fixed.unwrap_or_else(rand::random);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds) {
        let (mut ours, mut theirs) = (node.client(), stock.client());
        for client in [&mut ours, &mut theirs] {
            client.cmd(&["HELLO", hello]);
            client.cmd(&["FLUSHALL"]);
        }
        let mut generator = Generator::new(seed);
        let mut history = Vec::new();
        for _ in 0..SEQUENCE {
            let args = generator.command();
            let (our_reply, stock_reply) = both(&mut ours, &mut theirs, &args);
            history.push(show(&args));
            assert_eq!(
                our_reply.escape_ascii().to_string(),
                stock_reply.escape_ascii().to_string(),
                "left is ours, right is stock's, to the last of these (SLOTMARK_DIFF_SEED={seed}, RESP{hello}):\n{}",
                history.join("\n")
            );
        }
        seed = seed.wrapping_add(1);
    }
}

#[test]
fn random_commands_get_the_same_replies_in_resp2() {
    run("2");
}

#[test]
fn random_commands_get_the_same_replies_in_resp3() {
    run("3");
}

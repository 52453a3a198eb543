//! The same random commands to our node and to stock redis-server 7.0.15: every reply must be the same, in its very
//! bytes except where order or chance are free; and after each sequence all data, in the same forms, also when each
//! has restored what the other dumped.
//!
//! `SLOTMARK_SECONDS=600 cargo test -p e2e --test differential` runs for as long as asked; a failure prints the
//! seed, and `SLOTMARK_SEED` replays it.

#[path = "differential/chance.rs"]
mod chance;
#[path = "differential/compare.rs"]
mod compare;
#[path = "differential/families/mod.rs"]
mod families;
#[path = "differential/generator.rs"]
mod generator;
#[path = "differential/sort.rs"]
mod sort;
#[path = "differential/stream.rs"]
mod stream;

use std::time::Instant;

use e2e::{Client, Server};
use rand::RngExt;
use rand::seq::IndexedRandom;
use slotcore::resp::Reply;

use compare::{Order, canonical, canonical_exec};
use generator::{Args, Generator};

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");

/// Commands in one sequence; both servers are flushed between sequences.
const SEQUENCE: usize = 200;

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

/// What is queued in the transaction that is open, if one is.
#[derive(Default)]
struct Queue {
    orders: Option<Vec<Order>>,
}

impl Queue {
    /// The two replies to a command without what may differ, and whatever it does to the queue.
    fn compare(&mut self, args: &Args, replies: (&[u8], &[u8])) -> (String, String) {
        if args[0] == b"EXEC"
            && replies.0.starts_with(b"*")
            && let Some(orders) = self.orders.take()
        {
            return (
                canonical_exec(replies.0, &orders),
                canonical_exec(replies.1, &orders),
            );
        }
        let order = families::order(args);
        if replies.1 == b"+QUEUED\r\n" {
            self.orders.get_or_insert_default().push(order);
        } else if matches!(&args[0][..], b"EXEC" | b"DISCARD" | b"MULTI") && replies.1[0] != b'-'
            || replies.1.starts_with(b"-EXECABORT")
        {
            self.orders = None;
        }
        (canonical(replies.0, order), canonical(replies.1, order))
    }
}

/// A key, its form, and what no fingerprint tells of it.
type Contents = (Vec<u8>, Reply, String);

/// All data of a server: a fingerprint, and the form of each key.
fn contents(client: &mut Client) -> (Reply, Vec<Contents>) {
    let mut keys: Vec<Vec<u8>> = match client.cmd(&["KEYS", "*"]) {
        Reply::Array(keys) => keys
            .iter()
            .filter_map(|key| key.as_bytes().map(<[u8]>::to_vec))
            .collect(),
        other => panic!("{other:?}"),
    };
    keys.sort();
    let forms = keys
        .into_iter()
        .map(|key| {
            let form = client.cmd_bytes(&[b"OBJECT", b"ENCODING", &key]);
            let details = if form == Reply::Bulk(b"stream".to_vec()) {
                // Groups and nodes.
                let raw = client.raw(&[b"XINFO", b"STREAM", &key, b"FULL", b"COUNT", b"0"]);
                canonical(&raw, Order::Times)
            } else {
                String::new()
            };
            (key, form, details)
        })
        .collect();
    (client.cmd(&["DEBUG", "DIGEST"]), forms)
}

/// Each restores what the other dumped, in place of its own.
fn exchange(ours: &mut Client, stock: &mut Client, keys: &[Contents]) {
    for (key, form, _) in keys {
        let payloads = [&mut *ours, &mut *stock].map(|client| client.cmd_bytes(&[b"DUMP", key]));
        let [Reply::Bulk(our_payload), Reply::Bulk(stock_payload)] = payloads else {
            panic!("{payloads:?}")
        };
        if *form == Reply::Bulk(b"stream".to_vec())
            && stock.cmd_bytes(&[b"XINFO", b"GROUPS", key]) == Reply::Array(Vec::new())
        {
            // Without groups there is no clock in it.
            assert_eq!(our_payload, stock_payload, "{}", key.escape_ascii());
        }
        for (client, payload) in [(&mut *ours, stock_payload), (&mut *stock, our_payload)] {
            let Reply::Integer(expiry) = client.cmd_bytes(&[b"PEXPIRETIME", key]) else {
                panic!("a time")
            };
            let ttl = expiry.max(0).to_string();
            let restored =
                client.cmd_bytes(&[b"RESTORE", key, ttl.as_bytes(), &payload, b"REPLACE", b"ABSTTL"]);
            assert_eq!(restored, Reply::Simple(b"OK".to_vec()), "{}", key.escape_ascii());
        }
    }
}

fn run(hello: &str) {
    let directives = ["--enable-debug-command", "yes"];
    let Some(stock) = Server::stock(&directives) else {
        return;
    };
    let node = Server::slotmark(NODE, &directives);
    for server in [&node, &stock] {
        for (name, value) in families::THRESHOLDS {
            let set = server.client().cmd(&["CONFIG", "SET", name, value]);
            assert_eq!(set, Reply::Simple(b"OK".to_vec()), "{name}");
        }
    }
    let mut seed = e2e::chance::seed();
    let start = Instant::now();
    while start.elapsed() < e2e::chance::time() {
        let (mut ours, mut theirs) = (node.client(), stock.client());
        for client in [&mut ours, &mut theirs] {
            client.cmd(&["HELLO", hello]);
            client.cmd(&["FLUSHALL"]);
        }
        let mut generator = Generator::new(seed);
        let mut history = Vec::new();
        let mut queue = Queue::default();
        // Most commands are of one family, so that its values grow; the others meet them.
        let main = families::ALL.choose(&mut generator.rng).expect("a family");
        for _ in 0..SEQUENCE {
            let family = if generator.rng.random_ratio(2, 3) {
                main
            } else {
                families::ALL.choose(&mut generator.rng).expect("a family")
            };
            let mut args = generator.command(family);
            if generator.rng.random_ratio(1, 15) && families::order(&args) == Order::AsSent {
                args = generator.as_script(args);
            }
            let (our_reply, stock_reply) = both(&mut ours, &mut theirs, &args);
            history.push(show(&args));
            let (our_reply, stock_reply) = queue.compare(&args, (&our_reply, &stock_reply));
            assert_eq!(
                our_reply,
                stock_reply,
                "left is ours, right is stock's, to the last of these (SLOTMARK_SEED={seed}, RESP{hello}):\n{}",
                history.join("\n")
            );
        }
        for exchanged in [false, true] {
            for client in [&mut ours, &mut theirs] {
                client.cmd(&["DISCARD"]);
            }
            let (our_data, stock_data) = (contents(&mut ours), contents(&mut theirs));
            assert_eq!(
                our_data,
                stock_data,
                "left is ours, right is stock's, exchanged: {exchanged}, after these (SLOTMARK_SEED={seed}, \
                 RESP{hello}):\n{}",
                history.join("\n")
            );
            if !exchanged {
                exchange(&mut ours, &mut theirs, &our_data.1);
            }
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

//! Commands that wait, in scripts of several connections: the same replies to each, in the same order, and the same stream
//! of effects as stock's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use e2e::{Client, Server, wait_for};
use slotcore::resp::{Reply, encode_command};

use super::{NODE, Stream, show};

const PATIENCE: Duration = Duration::from_secs(10);

/// Steps are `connection command`, and the command's reply is read at once, except for these:
///
/// - `+a command`: it waits, and is seen to wait before the next step; `&a command`: it is sent and that is all;
/// - `<a`: its next reply is read; `-a`: it is closed, and seen to wait no more; `=N`: so many wait.
///
/// `#a` is the number of connection a, `_` an empty argument.
const SCRIPTS: &[(&str, &[&str])] = &[
    (
        "first come, first served",
        &[
            "+a BLPOP k 0",
            "+b BRPOP k 0",
            "+c BLPOP k 0",
            "p RPUSH k 1 2",
            "<a",
            "<b",
            "=1",
            "p LLEN k",
            "p LPUSH k 1 2 3",
            "<c",
            "p LRANGE k 0 -1",
        ],
    ),
    (
        "the one who pushes sees what is left",
        &[
            "+a BLPOP k 0",
            "&p RPUSH k x",
            "&p EXISTS k",
            "&p INFO commandstats_none",
            "<p",
            "<p",
            "<p",
            "<a",
        ],
    ),
    (
        "of several keys the one that was ready first, after a transaction",
        &[
            "+a BLPOP x y z 0",
            "+b BLPOP y x 0",
            "p MULTI",
            "p RPUSH y 1",
            "p RPUSH x 2",
            "p LPUSH y 3",
            "p EXEC",
            "<a",
            "<b",
            "p LRANGE x 0 -1",
            "p LRANGE y 0 -1",
        ],
    ),
    (
        "nothing is seen of the middle of a transaction",
        &[
            "+a BLPOP k 0",
            "p MULTI",
            "p RPUSH k 1 2",
            "p DEL k",
            "p EXEC",
            "=1",
            "p MULTI",
            "p RPUSH k 1 2 3",
            "p LPOP k",
            "p EXEC",
            "<a",
            "p LRANGE k 0 -1",
        ],
    ),
    (
        "sorted sets serve from the end that is asked for",
        &[
            "+a BZPOPMIN z 0",
            "+b BZPOPMAX z 0",
            "+c BZMPOP 0 2 y z MIN COUNT 2",
            "+d bzmpop 0 1 z max count 10",
            "p ZADD z 1 a 2 b 3 c 4 d 5 e",
            "<a",
            "<b",
            "<c",
            "<d",
            "p ZADD z 1 a 2 b 3 c",
            "q BZPOPMAX y z 0",
            "q BZPOPMIN z y 0",
            "q BZMPOP 0 2 y z MIN COUNT 5",
            "p EXISTS z",
        ],
    ),
    (
        "sorted sets are made ready by whatever stores one",
        &[
            "+a BZPOPMIN k 0",
            "+b BLPOP k 0",
            "p ZUNIONSTORE k 1 nokey",
            "p SADD s x y",
            "p ZUNIONSTORE k 1 s",
            "<a",
            "=1",
            "p DEL k",
            "+a BZPOPMIN k 0",
            "p RPUSH k l",
            "<b",
            "p GEOADD k 1 1 m",
            "<a",
            "+a BZMPOP 0 1 k MAX",
            "p ZADD other 7 m",
            "p RENAME other k",
            "<a",
            "+a BZMPOP 0 1 k MAX COUNT 3",
            "p ZINCRBY k 2.5 m",
            "<a",
            "q BZPOPMIN k 0.01",
            "q BZMPOP 0.01 1 k MIN",
            "q MULTI",
            "q BZPOPMAX k 0",
            "q BZMPOP 0 1 k MIN",
            "q EXEC",
            "q BZMPOP 0 0 k MIN",
            "q BZMPOP x 1 k MIN",
            "q BZMPOP x 1 k FIRST",
            "q BZPOPMIN k -1",
            "p SET k text",
            "q BZPOPMIN k 0",
        ],
    ),
    (
        "a chain of moves",
        &[
            "+c BLPOP m 0",
            "+b BLMOVE l m LEFT right 0",
            "+a BRPOPLPUSH k l 0",
            "+d BLMOVE k k left RIGHT 0",
            "p RPUSH k 1 2",
            "<a",
            "<b",
            "<c",
            "<d",
            "p KEYS *",
        ],
    ),
    (
        "a destination of another type",
        &[
            "p SET d text",
            "+a BLMOVE k d LEFT LEFT 0",
            "+b BRPOPLPUSH k d 0",
            "+c BLPOP k 0",
            "p RPUSH k 1",
            "<a",
            "<b",
            "<c",
            "q BLMOVE nokey d LEFT LEFT 0.01",
            "p RPUSH k 1",
            "q BLMOVE k d LEFT LEFT 0",
            "q BRPOPLPUSH d k 0",
        ],
    ),
    (
        "a key of another type in between",
        &[
            "+a BLPOP k 0",
            "p SET k text",
            "p HSET h f v",
            "p RENAME h k",
            "p DEL k",
            "=1",
            "p RPUSH k 1",
            "<a",
            "p SET k text",
            "q BLPOP j k 0",
            "q BLPOP k j 0",
            "p RPUSH j 1",
            "q BLPOP j k 0",
        ],
    ),
    (
        "keys that come by other ways than a push",
        &[
            "p RPUSH {t}1 a b c d e",
            "+a BLPOP {t}2 0",
            "p COPY {t}1 {t}2",
            "<a",
            "+a BLPOP {t}3 0",
            "p LMOVE {t}1 {t}3 LEFT LEFT",
            "<a",
            "+a BLPOP {t}4 0",
            "p RENAME {t}2 {t}4",
            "<a",
            "+a BLPOP {t}5 0",
            "p RPOPLPUSH {t}1 {t}5",
            "<a",
            "+a BLMPOP 0 2 {t}5 {t}6 RIGHT COUNT 3",
            "p RENAME {t}4 {t}6",
            "<a",
        ],
    ),
    (
        "several at once",
        &[
            "+a BLMPOP 0 2 x y LEFT COUNT 2",
            "+b BLMPOP 0 1 y RIGHT COUNT 10",
            "+c BLMPOP 0 1 y LEFT",
            "p RPUSH y 1 2 3 4 5",
            "<a",
            "<b",
            "p RPUSH y 6",
            "<c",
            "p RPUSH y 7 8",
            "q BLMPOP 0 2 x y LEFT COUNT 5",
            "q BLMPOP 0.01 2 x y LEFT COUNT 5",
        ],
    ),
    (
        "what is there is taken at once, from the first key that has any",
        &[
            "p RPUSH x 1 2",
            "p RPUSH y 3 4",
            "a BLPOP nokey y x 0",
            "a BRPOP x y 0",
            "a BLMOVE x y RIGHT left 0",
            "a BRPOPLPUSH y y 0",
            "a BLMPOP 0 2 x y LEFT COUNT 1",
            "a BLMPOP 0 2 x y LEFT COUNT 9",
        ],
    ),
    (
        "time runs out",
        &[
            "a BLPOP k 0.02",
            "a BLMOVE k l LEFT LEFT 0.02",
            "a BRPOPLPUSH k l 0.0001",
            "a BLMPOP 0.02 1 k LEFT",
            "a HELLO 3",
            "a BRPOP k l 0.02",
            "a BLMOVE k l LEFT LEFT 0.02",
            "a BLMPOP 0.02 1 k LEFT",
            "p RPUSH k 1",
            "p EXISTS k",
        ],
    ),
    (
        "in the new protocol",
        &[
            "a HELLO 3",
            "+a BLPOP k 0",
            "p RPUSH k 1",
            "<a",
            "+a BLMPOP 0 1 k LEFT COUNT 2",
            "p RPUSH k 1 2",
            "<a",
        ],
    ),
    (
        "a transaction does not wait",
        &[
            "p RPUSH full 1",
            "a MULTI",
            "a BLPOP k 0",
            "a BRPOP k l 0",
            "a BLMOVE k l LEFT LEFT 0",
            "a BRPOPLPUSH k l 0",
            "a BLMPOP 0 1 k LEFT",
            "a BLPOP k full 0",
            "a RPUSH k 1",
            "a EXEC",
            "a HELLO 3",
            "a MULTI",
            "a BLPOP l 0",
            "a BLMOVE l k LEFT LEFT 0",
            "a EXEC",
        ],
    ),
    (
        "a transaction that moves on what it took",
        &[
            "+a BLPOP k 0",
            "p WATCH k",
            "q RPUSH k 1",
            "<a",
            "p MULTI",
            "p PING",
            "p EXEC",
        ],
    ),
    (
        "a wait is ended by others",
        &[
            "+a BLPOP k l 0",
            "p CLIENT UNBLOCK #a",
            "p CLIENT UNBLOCK #a",
            "<a",
            "+a BLMOVE k l LEFT LEFT 0",
            "p CLIENT UNBLOCK #a ERROR",
            "<a",
            "+a BLPOP k 0",
            "&p CLIENT UNBLOCK #a TIMEOUT",
            "&p RPUSH k 1",
            "&p LLEN k",
            "<p",
            "<p",
            "<p",
            "<a",
            "p DEL k",
            "+a BLPOP k 0",
            "&p RPUSH k 1",
            "&p CLIENT UNBLOCK #a",
            "<p",
            "<p",
            "<a",
            "+a BLPOP k 0",
            "+b BLPOP k 0",
            "p CLIENT KILL ID #a",
            "&p RPUSH k 1",
            "<p",
            "<b",
            "p CLIENT UNBLOCK abc",
            "p CLIENT UNBLOCK #b SOON",
        ],
    ),
    (
        "who has gone is passed over",
        &[
            "+a BLPOP k 0",
            "+b BLPOP l k 0",
            "+c BLPOP k 0",
            "-a",
            "-b",
            "p RPUSH k 1",
            "<c",
            "p RPUSH l 1",
            "p LLEN l",
        ],
    ),
    (
        "the same key twice, and the same list at both ends",
        &[
            "+a BLPOP k k 0",
            "p RPUSH k 1 2",
            "<a",
            "+a BLPOP j j k 0.01",
            "<a",
            "p DEL k",
            "+a BRPOPLPUSH k k 0",
            "+b BLPOP k 0",
            "p RPUSH k 1 2",
            "<a",
            "<b",
            "p LRANGE k 0 -1",
        ],
    ),
    (
        "what is sent meanwhile runs afterwards",
        &[
            "+a BLPOP k 0",
            "&a PING",
            "&a LLEN k",
            "p RPUSH k 1 2",
            "<a",
            "<a",
            "<a",
        ],
    ),
    (
        "a key that expires",
        &[
            "+a BLPOP k 0",
            "p MULTI",
            "p RPUSH k 1 2",
            "p PEXPIREAT k 4000000000000",
            "p EXEC",
            "<a",
            "p PEXPIRETIME k",
        ],
    ),
    (
        "what is refused",
        &[
            "a BLPOP k abc",
            "a BLPOP k -1",
            "a BLPOP k inf",
            "a BLPOP k nan",
            "a BLPOP k 1e300",
            "a BLPOP k 9223372036854775807",
            "a BLPOP k _",
            "a BLMOVE k l up down abc",
            "a BLMOVE k l left left abc",
            "a BRPOPLPUSH k l -0.5",
            "a BLMPOP abc 1 k LEFT",
            "a BLMPOP 0 0 k LEFT",
            "a BLMPOP 0 1 k UP",
            "a BLMPOP 0 1 k LEFT COUNT 0",
            "a BLMPOP 0 1 k LEFT COUNT 1 COUNT 1",
            "a BLMPOP 0 5 k LEFT",
            "a BLPOP k",
            "p RPUSH k 1",
            "a BLPOP k abc",
        ],
    ),
    (
        "an entry is for all who read a stream, behind what they have seen",
        &[
            "p XADD s 1-1 f v",
            "+a XREAD BLOCK 0 STREAMS s $",
            "+b XREAD BLOCK 0 STREAMS t s 0 1-1",
            "+c XREAD COUNT 1 BLOCK 0 STREAMS s 5-0",
            "q XREAD BLOCK 0 STREAMS s 0",
            "p XADD s 2-1 f v",
            "<a",
            "<b",
            "=1",
            "p MULTI",
            "p XADD s 6-1 f v",
            "p XADD s 7-1 f v",
            "p EXEC",
            "<c",
            "a HELLO 3",
            "+a XREAD BLOCK 0 STREAMS s t $ $",
            "p XADD t 1-1 f v",
            "<a",
        ],
    ),
    (
        "what is gone again, and what moves the last ID",
        &[
            "p XADD s 1-1 f v",
            "+a XREAD BLOCK 0 STREAMS s $",
            "p XSETID s 9-9",
            "=1",
            "p XDEL s 1-1",
            "p XGROUP CREATE s g 0",
            "p DEL s",
            "p SET s x",
            "p DEL s",
            "=1",
            "p MULTI",
            "p XADD s 10-1 f v",
            "p XDEL s 10-1",
            "p EXEC",
            "<a",
            "+a XREAD BLOCK 0 STREAMS s 10-1",
            "p XADD other 11-1 f v",
            "p RENAME other s",
            "<a",
        ],
    ),
    (
        "an entry is for one consumer of a group",
        &[
            "p XGROUP CREATE s g $ MKSTREAM",
            "p XGROUP CREATE s h $",
            "+a XREADGROUP GROUP g alice BLOCK 0 STREAMS s >",
            "+b XREADGROUP GROUP g bob BLOCK 0 STREAMS s >",
            "+c XREADGROUP GROUP h carol NOACK BLOCK 0 STREAMS s >",
            "+d XREADGROUP GROUP h dave NOACK COUNT 1 BLOCK 0 STREAMS s >",
            "p XADD s 1-1 f v",
            "<a",
            "<c",
            "=2",
            "p MULTI",
            "p XADD s 2-1 f v",
            "p XADD s 3-1 f v",
            "p EXEC",
            "<b",
            "<d",
            "p XPENDING s g",
            "p XPENDING s h",
            "p XREADGROUP GROUP g alice BLOCK 0 STREAMS s 0",
            "p XREADGROUP GROUP h erin NOACK BLOCK 0 STREAMS s >",
            "p XREADGROUP GROUP h erin NOACK BLOCK 5 STREAMS s >",
            "+a XREADGROUP GROUP g alice BLOCK 0 STREAMS s >",
            "p XGROUP SETID s g 0",
            "=1",
            "p XADD s 4-1 f v",
            "<a",
        ],
    ),
    (
        "a group that goes ends the waits for it",
        &[
            "p XGROUP CREATE s g $ MKSTREAM",
            "+a XREADGROUP GROUP g alice BLOCK 0 STREAMS s >",
            "+b XREAD BLOCK 0 STREAMS s $",
            "p XGROUP DESTROY s g",
            "<a",
            "=1",
            "p XGROUP CREATE s g $",
            "+a XREADGROUP GROUP g alice BLOCK 0 STREAMS s >",
            "p DEL s",
            "<a",
            "=1",
            "p XGROUP CREATE s g $ MKSTREAM",
            "+a XREADGROUP GROUP g alice BLOCK 0 STREAMS s >",
            "p SET s x",
            "<a",
            "p DEL s",
            "p XGROUP CREATE s g $ MKSTREAM",
            "+a XREADGROUP GROUP g alice BLOCK 0 STREAMS s >",
            "p RENAME s elsewhere",
            "<a",
            "p XGROUP CREATE s g $ MKSTREAM",
            "+a XREADGROUP GROUP g alice BLOCK 0 STREAMS s >",
            "p MULTI",
            "p DEL s",
            "p XADD s 1-1 f v",
            "p EXEC",
            "<a",
            "<b",
            "p XGROUP CREATE s g $",
            "+a XREADGROUP GROUP g alice BLOCK 0 STREAMS s >",
            "p FLUSHALL",
            "<a",
            "=0",
            "p XADD s 1-1 f v",
        ],
    ),
    (
        "readers of streams do not wait in a transaction, and are let go",
        &[
            "p XGROUP CREATE s g $ MKSTREAM",
            "p MULTI",
            "p XREAD BLOCK 0 STREAMS s $",
            "p XREADGROUP GROUP g a BLOCK 0 STREAMS s >",
            "p EXEC",
            "+a XREAD BLOCK 0 STREAMS s $",
            "p CLIENT UNBLOCK #a",
            "<a",
            "+a XREADGROUP GROUP g alice BLOCK 0 STREAMS s >",
            "p CLIENT UNBLOCK #a ERROR",
            "<a",
            "p XREAD BLOCK 5 STREAMS s $",
            "p XREAD BLOCK x STREAMS s $",
            "p XREAD BLOCK -1 STREAMS s $",
            "+a XREADGROUP GROUP g alice BLOCK 0 STREAMS s >",
            "-a",
            "p XADD s 1-1 f v",
            "p XPENDING s g",
        ],
    ),
];

struct Run<'a> {
    server: &'a Server,
    control: Client,
    open: BTreeMap<String, Client>,
    ids: BTreeMap<String, String>,
    said: Vec<String>,
}

impl Run<'_> {
    fn client(&mut self, name: &str) -> &mut Client {
        if !self.open.contains_key(name) {
            let mut client = self.server.client();
            let Reply::Integer(id) = client.cmd(&["CLIENT", "ID"]) else {
                panic!("an id")
            };
            self.ids.insert(name.to_owned(), id.to_string());
            self.open.insert(name.to_owned(), client);
        }
        self.open.get_mut(name).expect("it is open")
    }

    fn send(&mut self, name: &str, words: &str) {
        let words: Vec<String> = words
            .split(' ')
            .map(|word| match word.strip_prefix('#') {
                Some(other) => self.ids[other].clone(),
                None => word.replace('_', if word == "_" { "" } else { "_" }),
            })
            .collect();
        let mut bytes = Vec::new();
        encode_command(
            &mut bytes,
            &words.iter().map(String::as_bytes).collect::<Vec<_>>(),
        );
        self.client(name).send(&bytes);
    }

    fn blocked(&mut self) -> usize {
        let Reply::Bulk(info) = self.control.cmd(&["INFO", "clients"]) else {
            panic!("a text")
        };
        let info = String::from_utf8_lossy(&info).into_owned();
        let count = info
            .lines()
            .find_map(|line| line.strip_prefix("blocked_clients:"));
        count.expect("the field").parse().expect("a number")
    }

    fn await_blocked(&mut self, count: usize) {
        wait_for("clients to wait", PATIENCE, || {
            (self.blocked() == count).then_some(())
        });
    }

    fn read(&mut self, name: &str) {
        let reply = self.client(name).raw_reply();
        self.said.push(format!("{name}: {}", reply.escape_ascii()));
    }

    fn step(&mut self, step: &str) {
        let (name, words) = step.split_once(' ').unwrap_or((step, ""));
        let (kind, rest) = name.split_at(1);
        match kind {
            "+" => {
                let waiting = self.blocked();
                self.send(rest, words);
                // A wait of a moment may be over before it is seen.
                if words.ends_with(" 0.01") {
                    return;
                }
                self.await_blocked(waiting + 1);
                let listed = self.control.cmd(&["CLIENT", "LIST", "ID", &self.ids[rest]]);
                let listed = String::from_utf8_lossy(listed.as_bytes().expect("a text")).into_owned();
                assert!(listed.contains(" flags=b "), "{listed}");
            }
            "&" => self.send(rest, words),
            "<" => self.read(rest),
            "-" => {
                let waiting = self.blocked();
                self.open.remove(rest);
                self.await_blocked(waiting - 1);
            }
            "=" => self.await_blocked(rest.parse().expect("a number")),
            _ => {
                self.send(name, words);
                self.read(name);
                if words.starts_with("HELLO") {
                    // It tells of the connection's number.
                    self.said.pop();
                }
            }
        }
    }
}

/// What each connection was told, in the order of the reading.
fn play(server: &Server, steps: &[&str]) -> Vec<String> {
    let mut run = Run {
        server,
        control: server.client(),
        open: BTreeMap::new(),
        ids: BTreeMap::new(),
        said: Vec::new(),
    };
    run.control.cmd(&["FLUSHALL"]);
    let mut listener = server.client();
    listener.cmd(&["PSUBSCRIBE", "__keyevent@0__:*"]);
    steps.iter().for_each(|step| run.step(step));
    run.control.cmd(&["DEL", "{end}", "mark"]);
    run.control.cmd(&["SET", "{end}", ""]);
    loop {
        let event = listener.raw_reply().escape_ascii().to_string();
        let is_last = event.contains("{end}");
        run.said.push(event);
        if is_last {
            return run.said;
        }
    }
}

#[test]
fn who_waits_is_served_as_by_stock() {
    // The events are told to a connection of their own.
    let directives = ["--notify-keyspace-events", "KEAnm"];
    let Some(stock) = Server::stock(&directives) else {
        return;
    };
    let node = Server::slotmark(NODE, &directives);
    let mut streams = [Stream::open(node.port()), Stream::open(stock.port())];
    for (title, steps) in SCRIPTS {
        let [ours, theirs] = [&node, &stock].map(|server| play(server, steps));
        assert_eq!(ours, theirs, "left is ours: {title}");
        let mark = title.as_bytes();
        let [ours, theirs] = [(&node, 0), (&stock, 1)].map(|(server, at)| {
            server.client().cmd_bytes(&[b"SET", b"mark", mark]);
            let mut stream = streams[at].up_to(mark);
            stream.iter_mut().flatten().for_each(hide_instant);
            show(&stream)
        });
        assert_eq!(ours, theirs, "the streams, left is ours: {title}");
    }
}

/// When an entry was delivered is told by each server's clock.
fn hide_instant(arg: &mut Vec<u8>) {
    if arg.len() == 13 && arg.iter().all(u8::is_ascii_digit) {
        *arg = b"an instant".to_vec();
    }
}

#[test]
fn a_stream_that_expires_ends_the_waits_for_its_groups() {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    for server in [&node, &stock] {
        let (mut waiter, mut control) = (server.client(), server.client());
        control.cmd(&["XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"]);
        control.cmd(&["PEXPIRE", "s", "300"]);
        waiter.set_patience(PATIENCE);
        let reply = waiter.cmd(&["XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"]);
        assert_eq!(
            reply.as_error(),
            Some(&b"UNBLOCKED the stream key no longer exists"[..])
        );
    }
}

#[test]
fn a_wait_lasts_as_long_as_it_was_asked_to() {
    let node = Server::slotmark(NODE, &[]);
    let mut client = node.client();
    for ms in [1_u64, 20, 150] {
        let start = Instant::now();
        let reply = client.cmd(&["BLPOP", "k", &format!("0.{ms:03}")]);
        let took = start.elapsed();
        assert_eq!(reply, Reply::Nil);
        assert!(took >= Duration::from_millis(ms), "{took:?} for {ms} ms");
        assert!(took < Duration::from_millis(ms + 500), "{took:?} for {ms} ms");
    }
}

#[test]
fn a_change_of_role_ends_all_waits() {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    for server in [&node, &stock] {
        let mut waiters = [server.client(), server.client()];
        waiters[0].send(b"BLPOP k 0\r\n");
        waiters[1].send(b"BLMOVE k l LEFT LEFT 0\r\n");
        let mut control = server.client();
        let timed = control.cmd(&["INFO", "clients"]);
        let text = String::from_utf8_lossy(timed.as_bytes().expect("a text")).into_owned();
        assert!(text.contains("clients_in_timeout_table:0\r"), "{text}");
        wait_for("both to wait", PATIENCE, || {
            let info = control.cmd(&["INFO", "clients"]);
            let text = String::from_utf8_lossy(info.as_bytes()?).into_owned();
            text.contains("blocked_clients:2\r").then_some(())
        });
        control.cmd(&["REPLICAOF", "127.0.0.1", "1"]);
        for mut waiter in waiters {
            assert_eq!(
                String::from_utf8_lossy(&waiter.rest()),
                "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n"
            );
        }
        let reply = server.client().cmd(&["BLPOP", "k", "0"]);
        assert_eq!(
            reply.as_error(),
            Some(&b"READONLY You can't write against a read only replica."[..])
        );
    }
}

/// Many who wait, for many keys, in many threads: every element goes to exactly one of them.
#[test]
fn nothing_is_lost_and_nothing_is_given_twice() {
    const ELEMENTS: usize = 4000;
    let node = Server::slotmark(NODE, &["--slotmark-workers", "3"]);
    let keys: Vec<String> = (0..8).map(|number| format!("k{number}")).collect();
    let taken: Vec<usize> = std::thread::scope(|scope| {
        let takers: Vec<_> = (0..6)
            .map(|taker| {
                let (node, keys) = (&node, &keys);
                scope.spawn(move || {
                    let mut client = node.client();
                    let mut taken = Vec::new();
                    let mut words = vec![if taker % 2 == 0 { "BLPOP" } else { "BRPOP" }];
                    words.extend(keys.iter().cycle().skip(taker).take(5).map(String::as_str));
                    // Some give up often, at the very moment when they may be served.
                    words.push(if taker % 3 == 0 { "0.002" } else { "0.5" });
                    loop {
                        match client.cmd(&words) {
                            Reply::Array(pair) => {
                                let text = pair[1].as_str().expect("a number");
                                if text == "end" {
                                    return taken;
                                }
                                taken.push(text.parse().expect("a number"));
                            }
                            Reply::Nil => {}
                            other => panic!("{other:?}"),
                        }
                    }
                })
            })
            .collect();
        let pushers: Vec<_> = (0..3)
            .map(|pusher| {
                let (node, keys) = (&node, &keys);
                scope.spawn(move || {
                    let mut client = node.client();
                    for number in (pusher..ELEMENTS).step_by(3) {
                        let key = &keys[number % keys.len()];
                        let shape = ["RPUSH", "LPUSH"][number % 2];
                        client.cmd(&[shape, key, &number.to_string()]);
                    }
                })
            })
            .collect();
        pushers
            .into_iter()
            .for_each(|pusher| pusher.join().expect("it ends"));
        let mut client = node.client();
        let deadline = Instant::now() + PATIENCE;
        while keys
            .iter()
            .any(|key| client.cmd(&["LLEN", key]) != Reply::Integer(0))
        {
            assert!(Instant::now() < deadline, "all is taken");
        }
        // Each taker ends by one of these, and leaves the others to the rest.
        while !takers.iter().all(|taker| taker.is_finished()) {
            assert!(Instant::now() < deadline, "all takers end");
            for key in &keys {
                client.cmd(&["DEL", key]);
                client.cmd(&["RPUSH", key, "end"]);
            }
        }
        takers
            .into_iter()
            .flat_map(|taker| taker.join().expect("it ends"))
            .collect()
    });
    let mut sorted = taken;
    sorted.sort_unstable();
    assert_eq!(sorted, (0..ELEMENTS).collect::<Vec<_>>());
}

//! Our node as a primary: stock redis-server 7.0.15 copies it, and so do replicas of our own making that misbehave.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use e2e::{Client, Server, wait_for};
use slotcore::resp::Reply;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
const SOON: Duration = Duration::from_secs(20);

fn node(directives: &[&str]) -> Server {
    let always = ["--enable-debug-command", "yes"];
    Server::slotmark(NODE, &[&always, directives].concat())
}

fn stock() -> Option<Server> {
    Server::stock(&["--enable-debug-command", "yes"])
}

/// Has `replica` follow `primary`, and waits until the stream flows.
fn follow(replica: &Server, primary: &Server) {
    let port = primary.port().to_string();
    let reply = replica.client().cmd(&["REPLICAOF", "127.0.0.1", &port]);
    assert_eq!(reply, Reply::Simple(b"OK".to_vec()));
    wait_for("the link to be up", SOON, || {
        (field(replica, "master_link_status") == "up").then_some(())
    });
}

fn info(server: &Server) -> String {
    match server.client().cmd(&["INFO", "everything"]) {
        Reply::Bulk(text) => String::from_utf8_lossy(&text).into_owned(),
        other => panic!("{other:?}"),
    }
}

fn field(server: &Server, name: &str) -> String {
    info(server)
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned))
        .unwrap_or_default()
}

fn number(server: &Server, name: &str) -> i64 {
    field(server, name)
        .parse()
        .unwrap_or_else(|_| panic!("{name} is a number"))
}

fn digest(server: &Server) -> Reply {
    server.client().cmd(&["DEBUG", "DIGEST"])
}

/// Waits until the replica has all of the primary's stream, and compares the data.
fn assert_equal(primary: &Server, replica: &Server) {
    wait_for("the replica to have it all", SOON, || {
        let wanted = number(primary, "master_repl_offset");
        (number(replica, "master_repl_offset") >= wanted).then_some(())
    });
    assert_eq!(digest(primary), digest(replica));
}

/// Some keys, a few of them with an expiry far away.
fn fill(client: &mut Client, from: usize, count: usize) {
    for i in from..from + count {
        let (key, value) = (format!("key:{i}"), "v".repeat(i % 300));
        let reply = match i % 5 {
            0 => client.cmd(&["SET", &key, &value, "EX", "100000"]),
            1 => client.cmd(&["APPEND", &key, &value]),
            _ => client.cmd(&["SET", &key, &value]),
        };
        assert!(!matches!(reply, Reply::Error(_)), "{reply:?}");
    }
}

/// Changes, empties and overwrites what [`e2e::collections::fill`] has written.
fn change_collections(client: &mut Client) {
    for i in 0..2000 {
        let name = format!("field:{}", i * 3);
        for words in [
            &["HINCRBY", "hash:large", &name, "1"][..],
            &["HDEL", "hash:large", &format!("field:{i}")],
            &["HSET", "hash:new", &name, "v"],
            &["HINCRBYFLOAT", "hash:small", "sum", "0.1"],
            &["SPOP", "set:large", "2"],
            &["SMOVE", "set:large", "set:texts", &name],
            &["SADD", "set:numbers", &i.to_string()],
            &["XADD", "stream:large", "*", "number", &name],
            &["XDEL", "stream:large", &format!("{}-0", i * 3)],
            &[
                "XREADGROUP",
                "GROUP",
                "group",
                "carol",
                "COUNT",
                "2",
                "STREAMS",
                "stream:large",
                ">",
            ],
            &["XACK", "stream:large", "group", &format!("{i}-0")],
        ] {
            // Some fields hold no number.
            client.cmd(words);
        }
    }
    client.cmd(&["SUNIONSTORE", "set:union", "set:texts", "set:numbers"]);
    client.cmd(&["SPOP", "set:numbers", "100000"]);
    client.cmd(&["XTRIM", "stream:large", "MAXLEN", "~", "1500"]);
    client.cmd(&["SET", "hash:long", "a string now"]);
    client.cmd(&["RENAME", "hash:large", "hash:renamed"]);
    client.cmd(&["COPY", "hash:renamed", "hash:copied"]);
    client.cmd(&["DEL", "set:large"]);
}

fn error(reply: Reply) -> String {
    match reply {
        Reply::Error(text) => String::from_utf8_lossy(&text).into_owned(),
        other => panic!("no error: {other:?}"),
    }
}

/// A replica that does only what the test has it do.
struct Fake {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Fake {
    fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).expect("the node listens");
        stream.set_read_timeout(Some(SOON)).expect("a timeout can be set");
        Self {
            stream,
            bytes: Vec::new(),
        }
    }

    fn send(&mut self, line: &str) {
        self.stream
            .write_all(format!("{line}\r\n").as_bytes())
            .expect("the node reads");
    }

    /// The next line that says something.
    fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if !line.is_empty() {
                    return line;
                }
                continue;
            }
            let mut chunk = [0; 4096];
            let read = self.stream.read(&mut chunk).expect("the node sends");
            assert!(read > 0, "the node has closed the connection");
            self.bytes.extend_from_slice(&chunk[..read]);
        }
    }

    /// Reads `len` bytes.
    fn take(&mut self, len: usize) -> Vec<u8> {
        while self.bytes.len() < len {
            let mut chunk = [0; 4096];
            let read = self.stream.read(&mut chunk).expect("the node sends");
            assert!(read > 0, "the node has closed the connection");
            self.bytes.extend_from_slice(&chunk[..read]);
        }
        self.bytes.drain(..len).collect()
    }

    /// PSYNC from nothing, through a file; returns the stream's name and the offset of the copy.
    fn copy(&mut self) -> (String, u64) {
        self.send("PSYNC ? -1");
        let reply = self.line();
        let words: Vec<&str> = reply.split(' ').collect();
        let ["+FULLRESYNC", id, offset] = words[..] else {
            panic!("{reply}")
        };
        let len = self.line();
        let len: usize = len
            .strip_prefix('$')
            .unwrap_or_else(|| panic!("{len}"))
            .parse()
            .expect("a length");
        assert!(self.take(len).starts_with(b"REDIS00"));
        (id.into(), offset.parse().expect("an offset"))
    }
}

#[test]
fn stock_copies_us_while_clients_write() {
    for diskless in ["yes", "no"] {
        let Some(replica) = stock() else { return };
        let primary = node(&["--repl-diskless-sync", diskless]);
        fill(&mut primary.client(), 0, 2000);
        e2e::collections::fill(&mut primary.client());
        std::thread::scope(|scope| {
            scope.spawn(|| fill(&mut primary.client(), 1000, 4000));
            scope.spawn(|| change_collections(&mut primary.client()));
            follow(&replica, &primary);
        });
        assert_equal(&primary, &replica);
        assert_eq!(number(&primary, "sync_full"), 1);
        assert!(
            field(&primary, "slave0").contains("state=online"),
            "{}",
            info(&primary)
        );
        let mut client = primary.client();
        client.cmd(&["MULTI"]);
        client.cmd(&["INCR", "n"]);
        client.cmd(&["INCRBYFLOAT", "f", "1.25"]);
        client.cmd(&["EXEC"]);
        client.cmd(&["FLUSHDB"]);
        fill(&mut client, 0, 100);
        assert_equal(&primary, &replica);
    }
}

#[test]
fn a_replica_that_was_cut_off_goes_on_where_it_was() {
    let Some(replica) = stock() else { return };
    let primary = node(&[]);
    follow(&replica, &primary);
    let mut client = primary.client();
    for round in 1..4 {
        fill(&mut client, round * 100, 100);
        let killed = client.cmd(&["CLIENT", "KILL", "TYPE", "replica"]);
        assert_eq!(killed, Reply::Integer(1));
        fill(&mut client, round * 100 + 50, 100);
        wait_for("the replica to come back", SOON, || {
            (number(&primary, "sync_partial_ok") == round as i64).then_some(())
        });
        assert_equal(&primary, &replica);
    }
    assert_eq!(number(&primary, "sync_full"), 1);
    let listed = client.cmd(&["CLIENT", "LIST", "TYPE", "replica"]);
    assert!(
        matches!(&listed, Reply::Bulk(text) if String::from_utf8_lossy(text).contains(" flags=S ")),
        "{listed:?}"
    );
}

#[test]
fn what_the_backlog_no_longer_holds_is_copied_anew() {
    let primary = node(&["--repl-backlog-size", "64kb"]);
    let mut client = primary.client();
    let mut fake = Fake::connect(&primary);
    let (id, offset) = fake.copy();
    drop(fake);
    client.cmd(&["SET", "small", "1"]);

    let mut resumed = Fake::connect(&primary);
    resumed.send("REPLCONF capa psync2");
    assert_eq!(resumed.line(), "+OK");
    resumed.send(&format!("PSYNC {id} {}", offset + 1));
    assert_eq!(resumed.line(), format!("+CONTINUE {id}"));
    assert_eq!(resumed.line(), "*2", "SELECT comes first");
    drop(resumed);

    for _ in 0..40 {
        client.cmd(&["SET", "large", &"x".repeat(10_000)]);
    }
    let mut late = Fake::connect(&primary);
    late.send(&format!("PSYNC {id} {}", offset + 1));
    assert!(late.line().starts_with(&format!("+FULLRESYNC {id} ")));
    let mut stranger = Fake::connect(&primary);
    stranger.send(&format!("PSYNC {} 1", "0".repeat(40)));
    assert!(stranger.line().starts_with(&format!("+FULLRESYNC {id} ")));
    assert_eq!(number(&primary, "sync_partial_ok"), 1);
    assert_eq!(number(&primary, "sync_partial_err"), 2);
}

#[test]
fn replicas_that_come_together_share_a_copy() {
    let (Some(first), Some(second)) = (stock(), stock()) else {
        return;
    };
    let mut primary = node(&[]);
    fill(&mut primary.client(), 0, 1000);
    std::thread::scope(|scope| {
        scope.spawn(|| follow(&first, &primary));
        scope.spawn(|| follow(&second, &primary));
    });
    fill(&mut primary.client(), 500, 1000);
    assert_equal(&primary, &first);
    assert_equal(&primary, &second);
    assert_eq!(field(&primary, "connected_slaves"), "2");
    assert_eq!(number(&primary, "sync_full"), 2);
    let log = primary.process().log();
    assert!(log.contains("Starting a copy for 2 replicas"), "{log}");
}

#[test]
fn wait_counts_acknowledgements() {
    let Some(replica) = stock() else { return };
    let primary = node(&[]);
    let mut client = primary.client();
    assert_eq!(client.cmd(&["WAIT", "0", "0"]), Reply::Integer(0));
    assert_eq!(client.cmd(&["WAIT", "1", "50"]), Reply::Integer(0));
    follow(&replica, &primary);
    for i in 0..100 {
        client.cmd(&["SET", "n", &i.to_string()]);
        assert_eq!(client.cmd(&["WAIT", "1", "5000"]), Reply::Integer(1));
        assert_eq!(
            replica.client().cmd(&["GET", "n"]),
            Reply::Bulk(i.to_string().into_bytes())
        );
    }
    let start = Instant::now();
    assert_eq!(client.cmd(&["WAIT", "2", "200"]), Reply::Integer(1));
    assert!((200..2000).contains(&start.elapsed().as_millis()));
    client.cmd(&["MULTI"]);
    client.cmd(&["SET", "n", "in"]);
    client.cmd(&["WAIT", "5", "0"]);
    assert_eq!(
        client.cmd(&["EXEC"]),
        Reply::Array(vec![Reply::Simple(b"OK".to_vec()), Reply::Integer(1)]),
        "what EXEC writes counts once EXEC is over"
    );
    assert_eq!(
        error(client.cmd(&["WAIT", "x", "0"])),
        "ERR value is not an integer or out of range"
    );
    assert_eq!(error(client.cmd(&["WAIT", "1", "-1"])), "ERR timeout is negative");
    assert!(error(replica.client().cmd(&["WAIT", "1", "1"])).starts_with("ERR WAIT cannot be used"));
}

#[test]
fn who_waits_can_be_released() {
    let primary = node(&[]);
    let mut other = primary.client();
    let waiting = |primary: &Server| {
        let mut client = primary.client();
        let Reply::Integer(id) = client.cmd(&["CLIENT", "ID"]) else {
            panic!("an id")
        };
        client.send(b"WAIT 3 0\r\nPING\r\n");
        wait_for("the client to wait", SOON, || {
            (number(primary, "blocked_clients") == 1).then_some(())
        });
        (client, id.to_string())
    };
    let (mut client, id) = waiting(&primary);
    assert_eq!(other.cmd(&["CLIENT", "UNBLOCK", &id]), Reply::Integer(1));
    assert_eq!(client.reply(), Reply::Integer(0));
    assert_eq!(client.reply(), Reply::Simple(b"PONG".to_vec()));
    assert_eq!(other.cmd(&["CLIENT", "UNBLOCK", &id]), Reply::Integer(0));

    let (mut client, id) = waiting(&primary);
    other.cmd(&["CLIENT", "UNBLOCK", &id, "ERROR"]);
    assert_eq!(
        error(client.reply()),
        "UNBLOCKED client unblocked via CLIENT UNBLOCK"
    );
    assert_eq!(client.reply(), Reply::Simple(b"PONG".to_vec()));

    let (mut client, id) = waiting(&primary);
    assert_eq!(other.cmd(&["CLIENT", "KILL", "ID", &id]), Reply::Integer(1));
    assert!(client.try_reply().is_err());

    let (client, _) = waiting(&primary);
    drop(client);
    wait_for("its end to be noticed", SOON, || {
        (number(&primary, "blocked_clients") == 0).then_some(())
    });

    let (mut client, _) = waiting(&primary);
    other.cmd(&["REPLICAOF", "127.0.0.1", "1"]);
    assert_eq!(
        error(client.reply()),
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
    );
    assert!(client.try_reply().is_err(), "and the connection ends");
    assert!(error(other.cmd(&["SET", "a", "b"])).starts_with("READONLY"));
    other.cmd(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(other.cmd(&["SET", "a", "b"]), Reply::Simple(b"OK".to_vec()));
}

#[test]
fn writes_can_demand_replicas() {
    let Some(replica) = stock() else { return };
    let primary = node(&["--min-replicas-to-write", "1", "--min-replicas-max-lag", "2"]);
    let mut client = primary.client();
    assert_eq!(
        error(client.cmd(&["SET", "a", "1"])),
        "NOREPLICAS Not enough good replicas to write."
    );
    assert_eq!(client.cmd(&["GET", "a"]), Reply::Nil);
    follow(&replica, &primary);
    wait_for("the replica to be good", SOON, || {
        (client.cmd(&["SET", "a", "1"]) == Reply::Simple(b"OK".to_vec())).then_some(())
    });
    assert_eq!(field(&primary, "min_slaves_good_slaves"), "1");
    replica.client().cmd(&["REPLICAOF", "NO", "ONE"]);
    wait_for("writes to be refused", SOON, || {
        matches!(client.cmd(&["SET", "a", "2"]), Reply::Error(text) if text.starts_with(b"NOREPLICAS"))
            .then_some(())
    });
    client.cmd(&["MULTI"]);
    assert!(error(client.cmd(&["SET", "a", "3"])).starts_with("NOREPLICAS"));
    assert!(error(client.cmd(&["EXEC"])).starts_with("EXECABORT"));
}

#[test]
fn a_replica_that_reads_nothing_stops_nobody_and_fills_no_memory() {
    const LIMIT: usize = 8 << 20;
    let limit = format!("replica {LIMIT} 0 0");
    let primary = node(&["--client-output-buffer-limit", &limit, "--repl-timeout", "5"]);
    let mut fake = Fake::connect(&primary);
    fake.copy();
    let mut client = primary.client();
    let value = vec![b'x'; 256 * 1024];
    let start = Instant::now();
    let mut most = 0;
    while number(&primary, "connected_slaves") == 1 {
        for _ in 0..4 {
            assert_eq!(
                client.cmd_bytes(&[b"SET", b"k", &value]),
                Reply::Simple(b"OK".to_vec())
            );
        }
        most = most.max(number(&primary, "mem_replication_backlog"));
        assert!(start.elapsed() < SOON, "the replica was never given up");
    }
    assert!(most > LIMIT as i64, "it was waited for: {most}");
    assert!(
        most < 2 * LIMIT as i64 + (4 << 20),
        "and not without bound: {most}"
    );
    wait_for("its blocks to be freed", SOON, || {
        (number(&primary, "mem_replication_backlog") < 2 << 20).then_some(())
    });
    assert_eq!(client.cmd(&["SET", "k", "v"]), Reply::Simple(b"OK".to_vec()));
}

#[test]
fn a_silent_replica_is_given_up() {
    let primary = node(&["--repl-timeout", "1"]);
    let mut fake = Fake::connect(&primary);
    fake.copy();
    assert_eq!(field(&primary, "connected_slaves"), "1");
    wait_for("the replica to be given up", SOON, || {
        (field(&primary, "connected_slaves") == "0").then_some(())
    });
}

#[test]
fn a_replica_that_loads_for_long_is_not_given_up() {
    let primary = node(&["--repl-timeout", "1"]);
    let mut fake = Fake::connect(&primary);
    fake.copy();
    // Empty lines are all that a replica has to say while it loads.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(4) {
        fake.send("");
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(field(&primary, "connected_slaves"), "1");
    }
}

#[test]
fn a_copy_that_nobody_has_acknowledged_does_not_count_for_wait() {
    let primary = node(&[]);
    let mut client = primary.client();
    client.cmd(&["SET", "a", "1"]);
    let mut fake = Fake::connect(&primary);
    fake.copy();
    wait_for("the replica to get the stream", SOON, || {
        field(&primary, "slave0").contains("state=online").then_some(())
    });
    assert_eq!(client.cmd(&["WAIT", "1", "100"]), Reply::Integer(0));
    fake.send("REPLCONF ACK 0");
    assert_eq!(client.cmd(&["WAIT", "1", "0"]), Reply::Integer(1));
}

#[test]
fn the_stream_of_a_marked_copy_waits_for_an_acknowledgement() {
    let primary = node(&[]);
    let mut client = primary.client();
    client.cmd(&["SET", "a", "1"]);
    let mut fake = Fake::connect(&primary);
    fake.send("REPLCONF listening-port 1234 ip-address 10.1.2.3 capa eof capa psync2");
    assert_eq!(fake.line(), "+OK");
    fake.send("PSYNC ? -1");
    assert!(fake.line().starts_with("+FULLRESYNC "));
    let mark = fake
        .line()
        .strip_prefix("$EOF:")
        .expect("a mark")
        .as_bytes()
        .to_vec();
    let mut copy = Vec::new();
    while !copy.ends_with(&mark) {
        copy.extend(fake.take(1));
    }
    client.cmd(&["SET", "a", "2"]);
    std::thread::sleep(Duration::from_millis(100));
    assert!(fake.bytes.is_empty(), "nothing comes behind the mark");
    assert!(field(&primary, "slave0").starts_with("ip=10.1.2.3,port=1234,state=send_bulk,"));
    fake.send("REPLCONF ACK 0");
    assert_eq!(fake.line(), "*2");
}

#[test]
fn mistakes_are_told() {
    let primary = node(&[]);
    let mut client = primary.client();
    let mut told = |words: &[&str]| error(client.cmd(words));
    assert_eq!(
        told(&["PSYNC", "?", "x"]),
        "ERR value is not an integer or out of range"
    );
    assert_eq!(
        told(&["PSYNC", "?"]),
        "ERR wrong number of arguments for 'psync' command"
    );
    assert_eq!(told(&["REPLCONF", "capa"]), "ERR syntax error");
    assert_eq!(
        told(&["REPLCONF", "nonsense", "1"]),
        "ERR Unrecognized REPLCONF option: nonsense"
    );
    assert_eq!(
        told(&["REPLCONF", "listening-port", "x"]),
        "ERR value is not an integer or out of range"
    );
    assert!(told(&["REPLCONF", "ip-address", &"1".repeat(300)]).contains("is too long: 300 bytes"));
    assert_eq!(
        told(&["REPLICAOF", "127.0.0.1", "99999"]),
        "ERR Invalid master port"
    );
    client.cmd(&["MULTI"]);
    assert_eq!(
        error(client.cmd(&["PSYNC", "?", "-1"])),
        "ERR Command not allowed inside a transaction"
    );
}

#[test]
fn role_and_cluster_mode_speak_as_stock() {
    let Some(replica) = stock() else { return };
    let primary = node(&[]);
    follow(&replica, &primary);
    // It is listed when its first acknowledgement has come.
    let role = wait_for("the replica to be listed", Duration::from_secs(10), || {
        let reply = primary.client().cmd(&["ROLE"]);
        let role = reply.as_array()?.to_vec();
        matches!(&role[2], Reply::Array(replicas) if !replicas.is_empty()).then_some(role)
    });
    assert_eq!(role[0], Reply::Bulk(b"master".to_vec()));
    let Reply::Array(replicas) = &role[2] else {
        panic!("{role:?}")
    };
    let Reply::Array(first) = &replicas[0] else {
        panic!("{role:?}")
    };
    assert_eq!(first[0], Reply::Bulk(b"127.0.0.1".to_vec()));
    assert_eq!(first[1], Reply::Bulk(replica.port().to_string().into_bytes()));

    let clustered = node(&["--cluster-enabled", "yes"]);
    assert_eq!(
        error(clustered.client().cmd(&["REPLICAOF", "NO", "ONE"])),
        "ERR REPLICAOF not allowed in cluster mode."
    );
}

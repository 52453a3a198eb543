//! CLUSTER and its kin, word for word: the same commands to our node and to stock redis-server 7.0.15, alone in their
//! clusters, must get the same bytes, but for names and ports.
#![allow(clippy::unwrap_used)]

use e2e::{Client, Server, wait_for};
use slotcore::resp::Reply;
use std::time::Duration;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
const CLUSTER: [&str; 2] = ["--cluster-enabled", "yes"];

/// The two servers, each with a connection.
struct Pair {
    ours: (Server, Client),
    stock: (Server, Client),
}

impl Pair {
    fn start(directives: &[&str]) -> Option<Self> {
        let stock = Server::stock(directives)?;
        let ours = Server::slotmark(NODE, directives);
        let (a, b) = (ours.client(), stock.client());
        Some(Self {
            ours: (ours, a),
            stock: (stock, b),
        })
    }

    /// The replies to a line of words, with this node's own name and ports replaced by fixed ones.
    fn replies(&mut self, line: &str) -> [String; 2] {
        let words: Vec<String> = line.split(' ').map(|word| word.replace("<empty>", "")).collect();
        [&mut self.ours, &mut self.stock].map(|(server, client)| {
            // Asked elsewhere: on the line under test it might be queued.
            let my_id = match server.client().cmd(&["CLUSTER", "MYID"]) {
                Reply::Bulk(id) => String::from_utf8(id).unwrap(),
                _ => "none".to_owned(),
            };
            let words: Vec<String> = words.iter().map(|word| word.replace("<me>", &my_id)).collect();
            let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            let reply = String::from_utf8_lossy(&client.raw(&words)).into_owned();
            let port = server.port();
            let reply = reply
                .replace(&my_id, "<me>")
                .replace(&format!("{port}@{}", port + 10000), "<ports>");
            let reply = reply.replace(&port.to_string(), "<port>");
            // The lengths of texts that hold a port differ with its digits.
            if reply.contains("<port") {
                without_lengths(&reply)
            } else {
                reply
            }
        })
    }

    /// A stock primary does not leave state fail in its first two seconds, nor at once after it went there.
    fn both_ok(&mut self) {
        wait_for("both clusters to be ok", Duration::from_secs(20), || {
            let [ours, stock] = self.replies("CLUSTER INFO");
            (ours == stock && ours.contains("cluster_state:ok")).then_some(())
        });
    }

    #[track_caller]
    fn same(&mut self, line: &str) {
        let [ours, stock] = self.replies(line);
        assert_eq!(ours, stock, "{line}");
    }
}

fn without_lengths(reply: &str) -> String {
    reply
        .split("\r\n")
        .filter(|line| !line.starts_with(['$', '=']))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn alone_and_then_with_all_slots() {
    let Some(mut pair) = Pair::start(&CLUSTER) else {
        return;
    };
    for line in ALONE.lines().map(str::trim).filter(|line| !line.is_empty()) {
        pair.same(line);
    }
    pair.same("CLUSTER ADDSLOTSRANGE 0 16383");
    pair.both_ok();
    for line in COVERED.lines().map(str::trim).filter(|line| !line.is_empty()) {
        pair.same(line);
    }
    pair.both_ok();
    for proto in ["HELLO 3", "HELLO 2"] {
        let proto: Vec<&str> = proto.split(' ').collect();
        pair.ours.1.cmd(&proto);
        pair.stock.1.cmd(&proto);
        for line in [
            "CLUSTER NODES",
            "CLUSTER SLOTS",
            "CLUSTER SHARDS",
            "CLUSTER INFO",
            "CLUSTER MYID",
            "CLUSTER LINKS",
        ] {
            pair.same(line);
        }
    }
}

/// What a node without slots replies.
const ALONE: &str = "
    CLUSTER NODES
    CLUSTER SLOTS
    CLUSTER SHARDS
    CLUSTER LINKS
    GET a
    SET a 1
    MGET a b
    PING
    CLUSTER
    CLUSTER nonsense
    CLUSTER NODES extra
    CLUSTER ADDSLOTS
    CLUSTER ADDSLOTS 1 2 1
    CLUSTER ADDSLOTS 1
    CLUSTER ADDSLOTS 1
    CLUSTER ADDSLOTS x
    CLUSTER ADDSLOTS 01
    CLUSTER ADDSLOTS <empty>
    CLUSTER ADDSLOTS 5 16384
    CLUSTER ADDSLOTS -1
    CLUSTER ADDSLOTS 99999999999999999999
    CLUSTER ADDSLOTS 6 1 6
    CLUSTER ADDSLOTSRANGE 5 3
    CLUSTER ADDSLOTSRANGE 5
    CLUSTER ADDSLOTSRANGE 5 6 7
    CLUSTER ADDSLOTSRANGE 5 8 7 9
    CLUSTER ADDSLOTSRANGE 1 5
    CLUSTER ADDSLOTSRANGE 5 16384
    CLUSTER ADDSLOTSRANGE 100 200 300 300
    CLUSTER NODES
    CLUSTER SLOTS
    CLUSTER SHARDS
    CLUSTER DELSLOTS 7
    CLUSTER DELSLOTS 1 1
    CLUSTER DELSLOTS 1 y
    CLUSTER DELSLOTSRANGE 3 1
    CLUSTER DELSLOTSRANGE 1 1 1 1
    CLUSTER DELSLOTSRANGE 1 2 1 2
    CLUSTER DELSLOTSRANGE 1 2 1
    CLUSTER DELSLOTSRANGE 101 199
    CLUSTER NODES
    CLUSTER FLUSHSLOTS
    CLUSTER FLUSHSLOTS x
    CLUSTER SLOTS
    CLUSTER KEYSLOT
    CLUSTER KEYSLOT a b
    CLUSTER KEYSLOT <empty>
    CLUSTER KEYSLOT foo{bar}baz
    CLUSTER KEYSLOT foo{}baz
    CLUSTER COUNTKEYSINSLOT 99999
    CLUSTER COUNTKEYSINSLOT -1
    CLUSTER COUNTKEYSINSLOT x
    CLUSTER COUNTKEYSINSLOT 3
    CLUSTER GETKEYSINSLOT 3 -1
    CLUSTER GETKEYSINSLOT 3 x
    CLUSTER GETKEYSINSLOT 16384 5
    CLUSTER GETKEYSINSLOT 3
    CLUSTER GETKEYSINSLOT 3 5
    CLUSTER SET-CONFIG-EPOCH -1
    CLUSTER SET-CONFIG-EPOCH x
    CLUSTER SET-CONFIG-EPOCH 99999999999999999999
    CLUSTER SET-CONFIG-EPOCH 0
    CLUSTER SET-CONFIG-EPOCH 5
    CLUSTER SET-CONFIG-EPOCH 6
    CLUSTER BUMPEPOCH
    CLUSTER RESET foo
    CLUSTER RESET hard soft
    cluster reset HARD soft
    CLUSTER COUNT-FAILURE-REPORTS abc
    CLUSTER COUNT-FAILURE-REPORTS <empty>
    CLUSTER COUNT-FAILURE-REPORTS <me>
    CLUSTER REPLICAS abc
    CLUSTER REPLICAS <me>
    CLUSTER SLAVES <me>
    CLUSTER FORGET abc
    CLUSTER FORGET <me>
    CLUSTER SAVECONFIG
    CLUSTER RESET
    CLUSTER NODES
    CLUSTER RESET HARD
    CLUSTER NODES
    CLUSTER SET-CONFIG-EPOCH 3
    CLUSTER RESET hard
    MULTI
    CLUSTER ADDSLOTS 5
    CLUSTER DELSLOTS 5
    CLUSTER DELSLOTS 5
    CLUSTER BUMPEPOCH
    CLUSTER BUMPEPOCH
    CLUSTER COUNTKEYSINSLOT 5
    EXEC
    CLUSTER RESET hard
    MULTI
    CLUSTER SET-CONFIG-EPOCH 9
    EXEC
    CLUSTER RESET soft
    CLUSTER NODES
    MULTI
    GET a
    EXEC
    READONLY
    READONLY x
    READWRITE
    ASKING
    ASKING x
";

/// What a node that owns every slot replies.
const COVERED: &str = "
    SET a 1
    SET {a}2 1
    GET b
    MGET a b
    MSET a 1 b 2
    MGET a {a}2
    CLUSTER NODES
    CLUSTER SLOTS
    CLUSTER SHARDS
    CLUSTER INFO
    CLUSTER COUNTKEYSINSLOT 15495
    CLUSTER GETKEYSINSLOT 15495 0
    CLUSTER GETKEYSINSLOT 3300 5
    CLUSTER FLUSHSLOTS
    CLUSTER RESET
    CLUSTER RESET HARD
    MULTI
    SET a 2
    GET b
    EXEC
    MULTI
    SET a 2
    GET a
    CLUSTER COUNTKEYSINSLOT 15495
    EXEC
    CLUSTER DELSLOTS 3300
    GET b
    GET a
    CLUSTER ADDSLOTS 3300
    FLUSHALL
    CLUSTER FLUSHSLOTS
    CLUSTER NODES
    CLUSTER ADDSLOTSRANGE 0 16383
";

#[test]
fn without_cluster_mode() {
    let Some(mut pair) = Pair::start(&[]) else { return };
    for line in [
        "CLUSTER NODES",
        "CLUSTER INFO",
        "CLUSTER MYID",
        "CLUSTER KEYSLOT a",
        "CLUSTER SLOTS x",
        "CLUSTER x",
    ] {
        pair.same(line);
    }
    for line in [
        "READONLY",
        "READWRITE",
        "ASKING",
        "CLUSTER ADDSLOTS 5",
        "CLUSTER RESET",
        "CLUSTER COUNTKEYSINSLOT x",
    ] {
        pair.same(line);
    }
}

#[test]
fn announced_names_and_preferred_endpoints() {
    for endpoint in ["ip", "hostname", "unknown-endpoint"] {
        for announced in [
            &["--cluster-announce-ip", "10.9.8.7"][..],
            &["--cluster-announce-hostname", "n.example"],
        ] {
            let directives = [
                &CLUSTER[..],
                &["--cluster-preferred-endpoint-type", endpoint],
                announced,
            ]
            .concat();
            let Some(mut pair) = Pair::start(&directives) else {
                return;
            };
            pair.same("CLUSTER ADDSLOTSRANGE 0 16383");
            // Stock takes announced names over in the background.
            wait_for("both to tell the announced name", Duration::from_secs(10), || {
                let [ours, stock] = pair.replies("CLUSTER NODES");
                (ours == stock && ours.contains(announced[1])).then_some(())
            });
            pair.same("CLUSTER SLOTS");
            pair.same("CLUSTER SHARDS");
        }
    }
}

#[test]
fn announced_ports() {
    let announced = [
        "--cluster-announce-port",
        "7777",
        "--cluster-announce-bus-port",
        "7778",
    ];
    let Some(mut pair) = Pair::start(&[&CLUSTER[..], &announced].concat()) else {
        return;
    };
    pair.same("CLUSTER ADDSLOTSRANGE 0 16383");
    for line in ["CLUSTER NODES", "CLUSTER SLOTS", "CLUSTER SHARDS"] {
        pair.same(line);
        let [ours, _] = pair.replies(line);
        assert!(ours.contains("7777"), "{ours}");
    }
}

/// SLOT-STATS is not in 7.0: its shape is Valkey 8's.
#[test]
fn slot_stats() {
    let node = Server::slotmark(NODE, &CLUSTER);
    let mut client = node.client();
    let error = |client: &mut Client, line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        match client.cmd(&words) {
            Reply::Error(text) => String::from_utf8(text).unwrap(),
            other => panic!("{line}: {other:?}"),
        }
    };
    assert_eq!(
        client.cmd(&["CLUSTER", "SLOT-STATS", "SLOTSRANGE", "0", "16383"]),
        Reply::Array(vec![]),
        "it owns none"
    );
    client.cmd(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    for _ in 0..3 {
        client.cmd(&["SET", "b", "value"]); // 3300
    }
    client.cmd(&["SET", "{b}2", "value"]);
    client.cmd(&["SET", "foo", "value"]); // 12182

    let rows = |client: &mut Client, line: &str| -> Vec<(i64, Vec<i64>)> {
        let words: Vec<&str> = line.split(' ').collect();
        let reply = client.cmd(&words);
        let row = |row: &Reply| {
            let [slot, stats] = row.as_array().unwrap() else {
                panic!("{row:?}")
            };
            let pairs = stats.pairs().unwrap();
            let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str().unwrap()).collect();
            assert_eq!(
                names,
                ["key-count", "cpu-usec", "network-bytes-in", "network-bytes-out"]
            );
            let values = pairs
                .iter()
                .map(|(_, value)| value.as_integer().unwrap())
                .collect();
            (slot.as_integer().unwrap(), values)
        };
        reply
            .as_array()
            .unwrap_or_else(|| panic!("{line}: {reply:?}"))
            .iter()
            .map(row)
            .collect()
    };
    let range = rows(&mut client, "CLUSTER SLOT-STATS SLOTSRANGE 3299 3301");
    assert_eq!(
        range.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(),
        [3299, 3300, 3301]
    );
    // Three of `*3 $3 SET $1 b $5 value` and one with the longer key; four replies of `+OK`.
    let (request, reply) = ("*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$5\r\nvalue\r\n".len() as i64, 5);
    let [keys, _cpu, bytes_in, bytes_out] = range[1].1[..] else {
        panic!("{range:?}")
    };
    assert_eq!((keys, bytes_in, bytes_out), (2, 4 * request + 3, 4 * reply));
    assert_eq!(range[0].1, [0, 0, 0, 0]);

    let order = |client: &mut Client, line: &str| -> Vec<i64> {
        rows(client, line).into_iter().map(|(slot, _)| slot).collect()
    };
    assert_eq!(
        order(&mut client, "CLUSTER SLOT-STATS ORDERBY key-count LIMIT 4"),
        [3300, 12182, 0, 1]
    );
    assert_eq!(
        order(
            &mut client,
            "cluster slot-stats orderby NETWORK-BYTES-IN desc limit 2"
        ),
        [3300, 12182]
    );
    assert_eq!(
        order(
            &mut client,
            "CLUSTER SLOT-STATS ORDERBY network-bytes-out ASC LIMIT 2"
        ),
        [0, 1]
    );
    assert_eq!(
        order(&mut client, "CLUSTER SLOT-STATS ORDERBY cpu-usec").len(),
        16384
    );

    for (line, text) in [
        (
            "CLUSTER SLOT-STATS SLOTSRANGE 5 3",
            "ERR Start slot number 5 is greater than end slot number 3",
        ),
        (
            "CLUSTER SLOT-STATS SLOTSRANGE 5 16384",
            "ERR Invalid or out of range slot",
        ),
        (
            "CLUSTER SLOT-STATS ORDERBY nonsense",
            "ERR Unrecognized sort metric for ORDERBY.",
        ),
        ("CLUSTER SLOT-STATS ORDERBY key-count LIMIT", "ERR syntax error"),
        (
            "CLUSTER SLOT-STATS ORDERBY key-count ASC DESC",
            "ERR Multiple filters of the same type are disallowed.",
        ),
        (
            "CLUSTER SLOT-STATS ORDERBY key-count LIMIT 0",
            "ERR Limit has to lie in between 1 and 16384 (maximum number of slots).",
        ),
        (
            "CLUSTER SLOT-STATS SLOTSRANGE 5",
            "ERR unknown subcommand or wrong number of arguments for 'SLOT-STATS'. Try CLUSTER HELP.",
        ),
    ] {
        assert_eq!(error(&mut client, line), text, "{line}");
    }
}

/// Sends a command that waits, on a connection of its own, and sees it wait.
fn wait_in(server: &Server, line: &str) -> Client {
    let mut waiter = server.client();
    waiter.send(format!("{line}\r\n").as_bytes());
    let mut control = server.client();
    wait_for("the client to wait", Duration::from_secs(10), || {
        let info = control.cmd(&["INFO", "clients"]);
        let text = String::from_utf8_lossy(info.as_bytes()?).into_owned();
        text.contains("blocked_clients:1\r").then_some(())
    });
    waiter
}

#[test]
fn who_waits_for_a_slot_that_goes_is_told() {
    let full = [CLUSTER[0], CLUSTER[1], "--cluster-require-full-coverage", "no"];
    for directives in [&CLUSTER[..], &full[..]] {
        let Some(mut pair) = Pair::start(directives) else {
            return;
        };
        pair.same("CLUSTER ADDSLOTSRANGE 0 16383");
        pair.both_ok();
        let mut waiters = [&pair.ours.0, &pair.stock.0].map(|server| wait_in(server, "BLPOP k {k}2 0"));
        // Another slot is of no concern, unless all must be there.
        pair.same("CLUSTER DELSLOTS 7629");
        let [ours, stock] = waiters.each_mut().map(|waiter| waiter.reply());
        assert_eq!(ours, stock);
        let text = String::from_utf8_lossy(ours.as_error().unwrap()).into_owned();
        assert!(text.starts_with("CLUSTERDOWN "), "{text}");
        // The connection goes on.
        let [ours, stock] = waiters.each_mut().map(|waiter| waiter.cmd(&["PING"]));
        assert_eq!(ours, stock);
    }
}

#[test]
fn who_waits_for_a_slot_that_moves_is_told_where() {
    let Some(pair) = Pair::start(&CLUSTER) else { return };
    let servers = [&pair.ours.0, &pair.stock.0];
    let mut clients = servers.map(Server::client);
    let ids = clients
        .each_mut()
        .map(|client| match client.cmd(&["CLUSTER", "MYID"]) {
            Reply::Bulk(id) => String::from_utf8(id).unwrap(),
            other => panic!("{other:?}"),
        });
    clients[0].cmd(&["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]);
    clients[1].cmd(&["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"]);
    clients[0].cmd(&["CLUSTER", "MEET", "127.0.0.1", &servers[1].port().to_string()]);
    wait_for("one cluster", Duration::from_secs(30), || {
        clients
            .iter_mut()
            .all(|client| {
                let info = client.cmd(&["CLUSTER", "INFO"]);
                let text = String::from_utf8_lossy(info.as_bytes().unwrap_or_default()).into_owned();
                text.contains("cluster_state:ok") && text.contains("cluster_size:2")
            })
            .then_some(())
    });
    // Slots 7629 and 12182: one of each.
    for (at, key, slot) in [(0, "k", "7629"), (1, "foo", "12182")] {
        let mut waiter = wait_in(servers[at], &format!("BLMOVE {key} {{{key}}}2 LEFT LEFT 0"));
        let moved = clients[at].cmd(&["CLUSTER", "SETSLOT", slot, "NODE", &ids[1 - at]]);
        assert_eq!(moved, Reply::Simple(b"OK".to_vec()));
        let expected = format!("MOVED {slot} 127.0.0.1:{}", servers[1 - at].port());
        assert_eq!(waiter.reply().as_error(), Some(expected.as_bytes()));
    }
}

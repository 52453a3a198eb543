//! nodes.conf between our node and stock redis-server 7.0.15: each starts from what the other wrote.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use e2e::{Client, Process, Server, wait_for};
use slotcore::resp::Reply;
use slotcore::topology::nodes::{parse_conf, parse_nodes};
use slotcore::topology::{NodeFlags, Topology};

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
const CLUSTER: [&str; 2] = ["--cluster-enabled", "yes"];
const STOCK: &str = "redis-server";

fn have_stock() -> bool {
    let have = e2e::have(STOCK);
    if !have {
        e2e::skip("redis-server is not on PATH (Debian: apt-get install redis-server)");
    }
    have
}

/// Three primaries, a replica, one that is gone, one that failed, an open slot: `own` is this node's line.
fn whole(own: &str) -> String {
    let id = |digit: &str| digit.repeat(40);
    let (a, b) = (id("a"), id("b"));
    format!(
        "{a} 127.0.0.1:1@10001 {own}\n\
         {b} 127.0.0.1:2@10002,two.example master - 0 1700000000000 2 connected 5461-10922\n\
         {} 127.0.0.1:3@10003 master,fail - 1700000000000 1700000000000 3 disconnected 10923-16382\n\
         {} 127.0.0.1:4@10004 slave {b} 0 1700000000000 2 connected\n\
         {} :0@0 master,noaddr - 0 0 0 disconnected\n\
         vars currentEpoch 7 lastVoteEpoch 5\n",
        id("c"),
        id("d"),
        id("e")
    )
}

fn primary() -> String {
    let b = "b".repeat(40);
    whole(&format!(
        "myself,master - 0 0 1 connected 0-5460 16383 [7->-{b}] [5461-<-{b}]"
    ))
}

fn start(program: &str, conf: &str) -> Server {
    Server::start(Path::new(program), &CLUSTER, |dir| {
        fs::write(dir.join("nodes.conf"), conf).expect("the test's directory is writable");
    })
}

fn nodes(client: &mut Client) -> Topology {
    let reply = client.cmd(&["CLUSTER", "NODES"]);
    parse_nodes(reply.as_str().expect("text")).expect("a description of nodes")
}

/// What both kinds of node must agree on: all but what each of them measures or opines for itself.
fn essence(mut topology: Topology) -> Topology {
    topology.nodes.sort_by_key(|node| node.id);
    for node in &mut topology.nodes {
        node.ping_ms = 0;
        node.pong_ms = 0;
        node.link = Default::default();
        node.flags -= NodeFlags::FAIL | NodeFlags::PFAIL;
        if node.flags.contains(NodeFlags::MYSELF) {
            // Its ports are those that it listens on.
            (node.port, node.bus_port) = (0, 0);
        }
    }
    topology
}

#[test]
fn both_read_the_same_file_alike() {
    if !have_stock() {
        return;
    }
    let replica = whole(&format!("myself,slave {} 0 0 2 connected", "b".repeat(40)));
    for conf in [primary(), replica] {
        let (ours, stock) = (start(NODE, &conf), start(STOCK, &conf));
        let (ours, stock) = (
            essence(nodes(&mut ours.client())),
            essence(nodes(&mut stock.client())),
        );
        assert_eq!(ours, stock, "from {conf}");
        assert_eq!(ours.nodes.len(), 5);
    }
}

#[test]
fn each_starts_from_what_the_other_has_written() {
    if !have_stock() {
        return;
    }
    for (first, second) in [(NODE, STOCK), (STOCK, NODE), (NODE, NODE)] {
        let mut server = start(first, &primary());
        let mut client = server.client();
        assert_eq!(
            client.cmd(&["CLUSTER", "DELSLOTS", "9", "16383"]),
            Reply::Simple(b"OK".to_vec())
        );
        assert_eq!(
            client.cmd(&["CLUSTER", "BUMPEPOCH"]),
            Reply::Simple(b"BUMPED 8".to_vec()),
            "by {first}"
        );
        assert_eq!(
            client.cmd(&["CLUSTER", "SAVECONFIG"]),
            Reply::Simple(b"OK".to_vec())
        );
        let before = essence(nodes(&mut client));
        server.process().signal("KILL");
        server.process().wait(Duration::from_secs(10));
        let written = fs::read_to_string(server.dir().join("nodes.conf")).unwrap();
        let conf = parse_conf(&written).unwrap();
        assert_eq!(
            (conf.current_epoch, conf.last_vote_epoch),
            (8, 5),
            "by {first}: {written}"
        );

        let heir = start(second, &written);
        assert_eq!(
            essence(nodes(&mut heir.client())),
            before,
            "{second} from what {first} wrote: {written}"
        );
        let info = heir.client().cmd(&["CLUSTER", "INFO"]);
        let info = info.as_str().unwrap();
        assert!(
            info.contains("cluster_current_epoch:8\r\n") && info.contains("cluster_my_epoch:8\r\n"),
            "{info}"
        );
    }
}

/// Starts a node that must not start; its last words.
fn refused(program: &str, dir: &Path, port: u16) -> String {
    let mut command = std::process::Command::new(program);
    command
        .current_dir(dir)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(CLUSTER);
    let mut process = Process::start(&mut command, &dir.join("refused.log"));
    let status = process.wait(Duration::from_secs(10));
    assert!(!status.success(), "{program} started: {}", process.log());
    process.log()
}

#[test]
fn a_file_in_use_is_refused_by_both() {
    if !have_stock() {
        return;
    }
    let used = "already used by a different";
    let ours = Server::slotmark(NODE, &CLUSTER);
    // Our node keeps the file locked through its saves.
    assert_eq!(
        ours.client().cmd(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]),
        Reply::Simple(b"OK".to_vec())
    );
    for program in [NODE, STOCK] {
        let said = refused(program, &ours.dir(), e2e::server::free_port());
        assert!(said.contains(used), "{program} says {said}");
    }
}

#[test]
fn a_damaged_file_is_refused_with_its_line_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let damaged = primary().replace(" 5461-10922", " 5461-99999");
    fs::write(dir.path().join("nodes.conf"), &damaged).unwrap();
    let said = refused(NODE, dir.path(), e2e::server::free_port());
    assert!(
        said.contains("nodes.conf: line 2: \"5461-99999\" is not a slot, a range of slots or an open slot"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(dir.path().join("nodes.conf")).unwrap(),
        damaged
    );
}

#[test]
fn a_whole_cluster_of_files_serves_and_redirects() {
    let ids = ["a", "b", "c"].map(|digit| digit.repeat(40));
    let slots = ["0-5460", "5461-10922", "10923-16383"];
    let ports = [(); 3].map(|()| e2e::server::free_port());
    let dirs = ports.map(|_| tempfile::tempdir().unwrap());
    let mut processes = Vec::new();
    for me in 0..3 {
        let mut conf = String::new();
        for node in 0..3 {
            let (flags, port) = (if node == me { "myself,master" } else { "master" }, ports[node]);
            let bus = u32::from(port) + 10000;
            conf += &format!(
                "{} 127.0.0.1:{port}@{bus} {flags} - 0 0 {} connected {}\n",
                ids[node],
                node + 1,
                slots[node]
            );
        }
        conf += "vars currentEpoch 3 lastVoteEpoch 0\n";
        fs::write(dirs[me].path().join("nodes.conf"), conf).unwrap();
        let mut command = std::process::Command::new(NODE);
        command
            .current_dir(dirs[me].path())
            .args(["--port", &ports[me].to_string(), "--bind", "127.0.0.1"])
            .args(CLUSTER);
        processes.push(Process::start(&mut command, &dirs[me].path().join("log")));
    }
    for port in ports {
        let mut client = wait_for("a node", Duration::from_secs(20), || {
            Client::try_connect(port).ok()
        });
        wait_for("the cluster to serve", Duration::from_secs(20), || {
            let info = client.cmd(&["CLUSTER", "INFO"]);
            info.as_str()
                .unwrap()
                .starts_with("cluster_state:ok\r\n")
                .then_some(())
        });
        // b: slot 3300, foo: 12182, hello: 866, somekey: 11058, mykey: 14687, x: 16287, user:1000: 1649, c: 7365
        for (key, slot, owner) in [("b", 3300, 0), ("c", 7365, 1), ("foo", 12182, 2)] {
            let expected = match ports[owner] == port {
                true => Reply::Nil,
                false => Reply::Error(format!("MOVED {slot} 127.0.0.1:{}", ports[owner]).into_bytes()),
            };
            assert_eq!(client.cmd(&["GET", key]), expected);
        }
    }
    for (process, dir) in processes.iter().zip(&dirs) {
        assert!(
            process.log().contains("Cluster state changed: ok"),
            "{}: {}",
            dir.path().display(),
            process.log()
        );
    }
}

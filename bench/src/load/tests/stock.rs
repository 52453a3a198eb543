//! Against a stock redis-server: what is counted here is what the server itself has counted.
//!
//! Without redis-server on PATH these tests pass unseen, unless `SLOTMARK_FORBID_SKIPS` is set.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use slotcore::resp::{Reply, ReplyLimits, encode_command, parse_reply};

use super::{assert_adds_up, errors, ops, plan, refusal, target, workload};
use crate::load::{Auth, HostPort, PreloadPlan, Until, Watch, preload, run};

struct Server {
    port: u16,
    child: Child,
    _dir: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is ours, and there is no data to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// `None` when there is no redis-server, and that is allowed.
    fn start(args: &[&str]) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            // Its bus takes the port 10000 above.
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let port = if port > 50_000 { port - 30_000 } else { port };
            let child = Command::new("redis-server")
                .args([
                    "--port",
                    &port.to_string(),
                    "--bind",
                    "127.0.0.1",
                    "--save",
                    "",
                    "--appendonly",
                    "no",
                ])
                .args(["--cluster-config-file", "nodes.conf", "--dir"])
                .arg(dir.path())
                .args(args)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let Ok(child) = child else {
                assert!(
                    std::env::var_os("SLOTMARK_FORBID_SKIPS").is_none(),
                    "redis-server is not on PATH"
                );
                return None;
            };
            let mut server = Self {
                port,
                child,
                _dir: tempfile::tempdir().unwrap(),
            };
            while Instant::now() < deadline {
                if server.child.try_wait().unwrap().is_some() {
                    break; // The port was taken in between.
                }
                if server.answers() {
                    server._dir = dir;
                    return Some(server);
                }
                std::thread::park_timeout(Duration::from_millis(5));
            }
            assert!(Instant::now() < deadline, "redis-server does not start");
        }
    }

    /// Whether it serves, a refusal to talk without a password included: it listens a moment earlier, and ends again if
    /// the port of its bus is taken.
    fn answers(&self) -> bool {
        let mut reply = [0; 1];
        TcpStream::connect(("127.0.0.1", self.port))
            .and_then(|mut stream| {
                stream.write_all(b"PING\r\n")?;
                stream.read_exact(&mut reply)
            })
            .is_ok_and(|()| matches!(reply[0], b'+' | b'-'))
    }

    /// A cluster of primaries, complete and settled.
    fn cluster(nodes: usize) -> Option<Vec<Self>> {
        let servers: Vec<Self> = (0..nodes)
            .map(|_| Self::start(&["--cluster-enabled", "yes"]))
            .collect::<Option<_>>()?;
        let first = servers[0].port.to_string();
        for (number, server) in servers.iter().enumerate() {
            let range = (number * 16384 / nodes, (number + 1) * 16384 / nodes - 1);
            server.call(&[
                "CLUSTER",
                "ADDSLOTSRANGE",
                &range.0.to_string(),
                &range.1.to_string(),
            ]);
            // Nodes of the same epoch settle who keeps it, which takes time; nodes of different ones have no need to.
            server.call(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            server.call(&["CLUSTER", "MEET", "127.0.0.1", &first]);
        }
        let settled = |server: &Self| {
            let info = server.text(&["CLUSTER", "INFO"]);
            let slots = server.call(&["CLUSTER", "SLOTS"]);
            info.contains("cluster_state:ok") && slots.as_array().is_some_and(|slots| slots.len() == nodes)
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !servers.iter().all(settled) {
            assert!(Instant::now() < deadline, "the cluster does not settle");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Some(servers)
    }

    fn call(&self, args: &[&str]) -> Reply {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let mut frame = Vec::new();
        encode_command(
            &mut frame,
            &args.iter().map(|arg| arg.as_bytes()).collect::<Vec<_>>(),
        );
        stream.write_all(&frame).unwrap();
        let (mut buf, mut chunk) = (Vec::new(), [0; 4096]);
        loop {
            let got = stream.read(&mut chunk).unwrap();
            assert!(got > 0, "{args:?} closed the connection");
            buf.extend_from_slice(&chunk[..got]);
            if let Some((reply, _)) = parse_reply(&buf, &ReplyLimits::default()).unwrap() {
                return reply;
            }
        }
    }

    fn text(&self, args: &[&str]) -> String {
        String::from_utf8_lossy(self.call(args).as_bytes().unwrap_or_default()).into_owned()
    }

    /// How often the server has run a command.
    fn calls(&self, command: &str) -> u64 {
        let stats = self.text(&["INFO", "commandstats"]);
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        line.map_or(0, |rest| rest.split(',').next().unwrap().parse().unwrap())
    }

    fn seed(&self) -> HostPort {
        HostPort::new("127.0.0.1", self.port)
    }
}

const MIXED: &str =
    "keyspace.keys = 20_000\n[[mix]]\ncommand = 'GET'\nweight = 3\n[[mix]]\ncommand = 'SET'\n";

#[test]
fn counts_are_those_of_the_servers() {
    let Some(servers) = Server::cluster(3) else { return };
    let seeds = vec![servers[1].seed()];
    let workload = workload(MIXED);
    let load = PreloadPlan {
        workload: Arc::clone(&workload),
        target: target(seeds.clone()),
        threads: 2,
    };
    let stored = preload(&load, &Watch::new()).unwrap();
    assert_eq!((stored.stored, stored.errors.len()), (20_000, 0));
    let keys: i64 = servers
        .iter()
        .map(|server| server.call(&["DBSIZE"]).as_integer().unwrap())
        .sum();
    assert_eq!(keys, 20_000);
    for (pipeline, resp3) in [(1, false), (32, true)] {
        servers
            .iter()
            .for_each(|server| drop(server.call(&["CONFIG", "RESETSTAT"])));
        let mut plan = plan(&workload, seeds.clone(), 0);
        (plan.pipeline, plan.target.resp3) = (pipeline, resp3);
        plan.until = Until::Duration(Duration::from_millis(500));
        let outcome = run(&plan, &Watch::new()).unwrap();
        assert_adds_up(&outcome);
        assert_eq!((errors(&outcome), outcome.moved), (0, 0));
        assert!(ops(&outcome) > 1000);
        for command in &outcome.commands {
            let calls: u64 = servers
                .iter()
                .map(|server| server.calls(&command.name.to_lowercase()))
                .sum();
            assert_eq!(command.ops, calls, "{} at depth {pipeline}", command.name);
        }
        for server in &servers {
            let node = outcome
                .nodes
                .iter()
                .find(|node| node.addr == server.seed().to_string())
                .unwrap();
            assert_eq!(node.ops, server.calls("get") + server.calls("set"));
            assert_eq!(
                node.id.as_deref(),
                Some(server.text(&["CLUSTER", "MYID"]).as_str())
            );
            let misses = server.text(&["INFO", "stats"]);
            assert!(
                misses.contains("keyspace_misses:0\r"),
                "every key asked for is there"
            );
        }
    }
}

#[test]
fn a_slot_that_moves_under_load_loses_nothing() {
    let Some(servers) = Server::cluster(2) else { return };
    let text = "keyspace.keys = 1000\n[traffic]\ndistribution = 'hotslot'\nslot = 100\nshare = 0.9\nhot_keys = 400\n";
    let workload = workload(text);
    let load = PreloadPlan {
        workload: Arc::clone(&workload),
        target: target(vec![servers[0].seed()]),
        threads: 1,
    };
    assert!(preload(&load, &Watch::new()).unwrap().errors.is_empty());
    let ids: Vec<String> = servers
        .iter()
        .map(|server| server.text(&["CLUSTER", "MYID"]))
        .collect();
    let mut plan = plan(&workload, vec![servers[0].seed()], 0);
    plan.until = Until::Duration(Duration::from_secs(600));
    let watch = Watch::new();
    let outcome = std::thread::scope(|scope| {
        let round = scope.spawn(|| run(&plan, &watch).unwrap());
        let progress = |more: u64| {
            let (seen, deadline) = (watch.ops(), Instant::now() + Duration::from_secs(60));
            while watch.ops() < seen + more {
                assert!(Instant::now() < deadline, "no progress");
                std::thread::park_timeout(Duration::from_millis(2));
            }
        };
        progress(500);
        servers[1].call(&["CLUSTER", "SETSLOT", "100", "IMPORTING", &ids[0]]);
        servers[0].call(&["CLUSTER", "SETSLOT", "100", "MIGRATING", &ids[1]]);
        loop {
            let keys = servers[0].call(&["CLUSTER", "GETKEYSINSLOT", "100", "40"]);
            let keys = keys.as_array().unwrap();
            if keys.is_empty() {
                break;
            }
            for key in keys {
                let key = String::from_utf8_lossy(key.as_bytes().unwrap()).into_owned();
                servers[0].call(&[
                    "MIGRATE",
                    "127.0.0.1",
                    &servers[1].port.to_string(),
                    &key,
                    "0",
                    "5000",
                ]);
            }
            progress(50);
        }
        for server in [&servers[1], &servers[0]] {
            server.call(&["CLUSTER", "SETSLOT", "100", "NODE", &ids[1]]);
        }
        progress(2000);
        watch.stop();
        round.join().unwrap()
    });
    assert_adds_up(&outcome);
    assert_eq!(errors(&outcome), 0, "{:?}", outcome.errors);
    assert!(
        outcome.ask > 0 && outcome.moved > 0,
        "{} ASK, {} MOVED",
        outcome.ask,
        outcome.moved
    );
    let served: u64 = servers.iter().map(|server| server.calls("get")).sum();
    // The server counts what it rejects by redirect elsewhere, and what it serves here.
    assert_eq!(ops(&outcome), served);
    for server in &servers {
        assert!(server.text(&["INFO", "stats"]).contains("keyspace_misses:0\r"));
    }
}

#[test]
fn one_server_with_a_password() {
    let Some(server) = Server::start(&["--requirepass", "secret"]) else {
        return;
    };
    for resp3 in [false, true] {
        let mut plan = plan(&workload(MIXED), vec![server.seed()], 2000);
        plan.target.resp3 = resp3;
        let refusal = refusal(&plan);
        assert!(refusal.contains("NOAUTH"), "{refusal}");
        plan.target.auth = Some(Auth {
            user: None,
            password: "secret".into(),
        });
        let outcome = run(&plan, &Watch::new()).unwrap();
        assert_adds_up(&outcome);
        assert_eq!((ops(&outcome), errors(&outcome)), (2000, 0));
    }
}

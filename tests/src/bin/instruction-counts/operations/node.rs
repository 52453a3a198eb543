//! Turns of a connection, without its socket: a buffer of requests in, a buffer of replies out.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use slotcore::resp::RequestParser;
use slotmark_server::cluster::ClusterState;
use slotmark_server::cluster::protocol::Input;
use slotmark_server::command::dispatch::Batch;
use slotmark_server::config::ConfigStore;
use slotmark_server::log;
use slotmark_server::net::Scratch;
use slotmark_server::node::{Node, unix_ms};
use slotmark_server::session::Session;
use slotmark_server::tracking;

use super::{PIPELINE, VALUE, buffers, count, encoded, get, set};

/// Four keys a slot.
const TURNS: usize = 4096;
/// MGET has ten keys a request, and all its keys carry the hash tag of their request.
const MGET_TURNS: usize = 512;
const MGET_KEYS: usize = 10;
const INCR_TURNS: usize = 1024;
/// Turns of an operation before those that are counted: what the first of its kind pays for all is paid.
const WARM_TURNS: usize = 4;
/// A primary waits 2 s before it serves; valgrind makes everything slower.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node that owns all slots of its cluster, and the session of one connection.
struct Served {
    node: &'static Node,
    session: Session,
    parser: RequestParser,
    scratch: Scratch,
    /// What commands take for now, unix time in milliseconds. It advances by plan, so that it does not depend on the speed
    /// of the machine whether an access is the first one of its second.
    now: u64,
}

/// An operation, and what its reply must be.
struct Turn {
    name: &'static str,
    turns: usize,
    request: fn(usize) -> Vec<u8>,
    reply_start: &'static [u8],
    reply_len: usize,
}

/// Counts all operations of a node whose files are in this folder.
pub fn turns(folder: &Path) -> anyhow::Result<()> {
    let mut served = Served::start(folder)?;
    served.fill(TURNS, set);
    served.fill(MGET_TURNS * MGET_KEYS, |number| {
        encoded(&[
            b"SET",
            &tagged_key(number / MGET_KEYS, number % MGET_KEYS),
            &VALUE,
        ])
    });
    served.fill(INCR_TURNS, |number| {
        encoded(&[b"SET", &counter(number), b"1000000"])
    });
    let bulk_len = "$64\r\n\r\n".len() + VALUE.len();
    for turn in [
        Turn {
            name: "turn_get",
            turns: TURNS,
            request: get,
            reply_start: b"$64\r\nvv",
            reply_len: bulk_len,
        },
        Turn {
            name: "turn_set",
            turns: TURNS,
            request: set,
            reply_start: b"+OK\r\n",
            reply_len: "+OK\r\n".len(),
        },
        Turn {
            name: "turn_mget_10",
            turns: MGET_TURNS,
            request: mget,
            reply_start: b"*10\r\n$64\r\nvv",
            reply_len: "*10\r\n".len() + MGET_KEYS * bulk_len,
        },
        Turn {
            name: "turn_incr",
            turns: INCR_TURNS,
            request: |number| encoded(&[b"INCR", &counter(number)]),
            reply_start: b":10000",
            reply_len: ":1000001\r\n".len(),
        },
    ] {
        served.count(&turn)?;
    }
    Ok(())
}

/// Sixteen bytes, in the slot of their group.
fn tagged_key(group: usize, member: usize) -> Vec<u8> {
    format!("{{{group:08}}}:{member:05}").into_bytes()
}

fn counter(number: usize) -> Vec<u8> {
    format!("count:{number:010}").into_bytes()
}

fn mget(group: usize) -> Vec<u8> {
    let keys: Vec<Vec<u8>> = (0..MGET_KEYS).map(|member| tagged_key(group, member)).collect();
    let mut args: Vec<&[u8]> = vec![b"MGET"];
    args.extend(keys.iter().map(Vec::as_slice));
    encoded(&args)
}

impl Served {
    /// The node is leaked, as every node is.
    fn start(folder: &Path) -> anyhow::Result<Self> {
        log::set_file(Some(folder.join("log")))?;
        let nodes_conf = folder.join("nodes.conf");
        let nodes_conf = nodes_conf.to_str().context("a folder with a name in UTF-8")?;
        let config = ConfigStore::from_options(&[
            "--save",
            "",
            "--cluster-enabled",
            "yes",
            "--cluster-config-file",
            nodes_conf,
            // No command is slow but for valgrind.
            "--slowlog-log-slower-than",
            "60000000",
        ])?;
        let node: &'static Node = Box::leak(Box::new(Node::new(config, 1)?));
        tracking::observe(node);
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let client = node.clients.register(address, address, &std::io::stdin());
        let mut served = Self {
            node,
            session: Session::new(client, node.acl.default_account().clone(), true),
            parser: RequestParser::new(),
            scratch: Scratch::default(),
            now: unix_ms(),
        };
        served.turn(&mut encoded(&[b"CLUSTER", b"ADDSLOTSRANGE", b"0", b"16383"]));
        let cluster = node.cluster.as_ref().context("the node is in cluster mode")?;
        let deadline = Instant::now() + PATIENCE;
        while cluster.view().state() != ClusterState::Ok {
            ensure!(Instant::now() < deadline, "the cluster does not serve");
            std::thread::sleep(Duration::from_millis(20));
            cluster.step(node.cluster_facts(), Input::Tick);
        }
        Ok(served)
    }

    /// Runs the requests of one turn. The replies are in the scratch's `out`.
    fn turn(&mut self, requests: &mut [u8]) {
        self.scratch.out.clear();
        let config = self.node.config.load();
        let batch = Batch {
            node: self.node,
            config: &config,
            worker: 0,
            now: self.now,
        };
        let (used, _) = self
            .scratch
            .run(&batch, &mut self.session, &mut self.parser, requests);
        assert_eq!(used, requests.len(), "every request is whole");
    }

    fn fill(&mut self, turns: usize, request: fn(usize) -> Vec<u8>) {
        for mut requests in buffers(turns, request) {
            self.turn(&mut requests);
            assert_eq!(self.scratch.out, b"+OK\r\n".repeat(PIPELINE));
        }
    }

    fn count(&mut self, turn: &Turn) -> anyhow::Result<()> {
        let mut buffers = buffers(turn.turns, turn.request);
        for requests in &mut buffers[..WARM_TURNS] {
            self.turn(requests);
        }
        let reply = &self.scratch.out;
        ensure!(
            reply.starts_with(turn.reply_start),
            "{}: {}",
            turn.name,
            String::from_utf8_lossy(reply)
        );
        self.now += 1000;
        let mut replied = 0;
        count(turn.name, turn.turns * PIPELINE, || {
            for requests in &mut buffers {
                self.turn(requests);
                replied += self.scratch.out.len();
            }
        });
        ensure!(
            replied == turn.turns * PIPELINE * turn.reply_len,
            "{}: {replied} bytes of replies",
            turn.name
        );
        Ok(())
    }
}

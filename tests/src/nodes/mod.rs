//! Whole clusters of our nodes, of stock redis-servers, or of both, formed by redis-cli as a user forms them.
//!
//! | file | holds |
//! |---|---|
//! | `node` | [`Node`]: one server that can be killed, stopped and started again where it was |
//! | `ports` | ports that stay a node's own while it is down |
//! | `agree` | what the nodes say of each other, and waiting until they say the same |

mod agree;
mod node;
mod ports;

pub use node::{Kind, Node};

use std::process::Command;
use std::time::Duration;

use slotcore::resp::Reply;

use crate::have;

/// How long a cluster has for anything that it does by itself: several times of what stock needs at the node timeout
/// of 2 s, on a machine that does other things as well.
pub const SOON: Duration = Duration::from_secs(40);

/// The nodes of a cluster. Whatever a test leaves running ends with it; if it failed, the ends of their logs are shown.
pub struct Nodes {
    list: Vec<Node>,
}

impl Nodes {
    /// Starts nodes that do not know each other; `slotmark` is `env!("CARGO_BIN_EXE_e2e-slotmark-server")`. `None`:
    /// Redis is not installed, and the test was told to skip.
    pub fn start(slotmark: &str, kinds: &[Kind]) -> Option<Self> {
        if !have("redis-server") || !have("redis-cli") {
            crate::skip("redis-server and redis-cli are not on PATH (Debian: apt-get install redis)");
            return None;
        }
        let mut list: Vec<Node> = kinds.iter().map(|kind| Node::new(*kind, slotmark)).collect();
        list.iter_mut().for_each(Node::spawn);
        list.iter_mut().for_each(Node::wait_until_up);
        Some(Self { list })
    }

    /// Starts nodes and forms a cluster of them: the first half become primaries, each of the others a replica of one.
    pub fn create(slotmark: &str, kinds: &[Kind]) -> Option<Self> {
        let nodes = Self::start(slotmark, kinds)?;
        let addresses: Vec<String> = nodes.list.iter().map(Node::address).collect();
        let mut args = vec!["create"];
        args.extend(addresses.iter().map(String::as_str));
        args.extend(["--cluster-replicas", "1", "--cluster-yes"]);
        nodes.redis_cli(&args);
        nodes.wait_until_settled();
        Some(nodes)
    }

    /// `redis-cli --cluster check` finds nothing wrong, whichever node it asks.
    pub fn check(&self) {
        for node in &self.list {
            let text = self.redis_cli(&["check", &node.address()]);
            let verdicts = [
                "All nodes agree about slots configuration",
                "All 16384 slots covered",
            ];
            for verdict in verdicts {
                assert!(text.contains(verdict), "{verdict} is not in:\n{text}");
            }
        }
    }

    /// Runs `redis-cli --cluster`, which must succeed, and returns what it printed.
    pub fn redis_cli(&self, args: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .arg("--cluster")
            .args(args)
            .output()
            .expect("redis-cli starts");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "redis-cli --cluster {args:?}:\n{text}");
        text
    }

    /// Whether all nodes know this command: stock does, ours has some types only later.
    pub fn have(&self, command: &str) -> bool {
        self.list.iter().all(|node| {
            let reply = node.client().cmd(&["COMMAND", "INFO", command]);
            matches!(reply.as_array(), Some([Reply::Array(_)]))
        })
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A node, in the order of the kinds.
    pub fn node(&self, at: usize) -> &Node {
        &self.list[at]
    }

    /// A node, to be killed, stopped or started.
    pub fn node_mut(&mut self, at: usize) -> &mut Node {
        &mut self.list[at]
    }

    /// The nodes that run, with their places.
    pub fn running(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.list.iter().enumerate().filter(|(_, node)| node.runs())
    }

    /// The ports of all, for a client to begin with.
    pub fn ports(&self) -> Vec<u16> {
        self.list.iter().map(Node::port).collect()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (at, node) in self.list.iter().enumerate() {
                eprintln!(
                    "node {at}, {:?}, port {}:\n{}",
                    node.kind(),
                    node.port(),
                    node.end_of_log()
                );
            }
        }
    }
}

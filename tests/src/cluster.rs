//! A cluster that `loadgen cluster up` has started, and that goes down with the test.

use std::path::Path;
use std::process::{Command, Output};

use slotcore::resp::Reply;
use tempfile::TempDir;

use crate::Client;
use crate::process::signal;

/// Three nodes with every slot owned.
pub struct Cluster {
    loadgen: String,
    registry: TempDir,
    /// The nodes' ports: primaries first, then a replica of each, in the same order.
    pub ports: Vec<u16>,
    pids: Vec<i32>,
}

impl Cluster {
    /// Starts it; `loadgen` is `env!("CARGO_BIN_EXE_e2e-loadgen")`.
    pub fn up(loadgen: &str) -> Self {
        Self::up_with(loadgen, &[])
    }

    /// The same with more options of `loadgen cluster up`.
    pub fn up_with(loadgen: &str, options: &[&str]) -> Self {
        let registry = TempDir::new().expect("a temporary directory");
        let arguments = [&["up", "tests", "--port", "0"], options].concat();
        let output = manage(loadgen, registry.path(), &arguments);
        let text = format!("{}{}", show(&output.stdout), show(&output.stderr));
        assert!(output.status.success(), "{text}");
        let record = registry.path().join("tests").join("cluster.json");
        let record = std::fs::read(&record).unwrap_or_else(|error| panic!("{}: {error}", record.display()));
        let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
        let nodes = record["nodes"].as_array().expect("nodes");
        let ports = nodes
            .iter()
            .map(|node| node["port"].as_u64().expect("a port") as u16)
            .collect();
        let pids = nodes
            .iter()
            .map(|node| node["pid"].as_i64().expect("a process id") as i32)
            .collect();
        Self {
            loadgen: loadgen.into(),
            registry,
            ports,
            pids,
        }
    }

    /// Sends a signal to a node's process, by name: see [`signal`].
    pub fn signal(&self, node: usize, name: &str) {
        signal(self.pids[node], name);
    }

    /// A connection to each node.
    pub fn clients(&self) -> Vec<Client> {
        self.ports.iter().map(|&port| Client::connect(port)).collect()
    }

    /// Bytes of requests for each slot, as the nodes counted them since CONFIG RESETSTAT.
    pub fn request_bytes_by_slot(&self) -> Vec<u64> {
        let mut bytes = vec![0; slotcore::SLOT_COUNT];
        for mut client in self.clients() {
            let reply = client.cmd(&["CLUSTER", "SLOT-STATS", "SLOTSRANGE", "0", "16383"]);
            for row in reply.as_array().expect("an array of slots") {
                let [Reply::Integer(slot), stats] = row.as_array().expect("slot and statistics") else {
                    panic!("{row:?}")
                };
                let pairs = stats.pairs().expect("pairs of name and number");
                for (name, value) in pairs {
                    if name.as_bytes() == Some(b"network-bytes-in") {
                        bytes[*slot as usize] += value.as_integer().expect("a number") as u64;
                    }
                }
            }
        }
        bytes
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        manage(&self.loadgen, self.registry.path(), &["down", "--all"]);
    }
}

fn manage(loadgen: &str, registry: &Path, args: &[&str]) -> Output {
    Command::new(loadgen)
        .arg("cluster")
        .args(args)
        .env("SLOTMARK_CLUSTERS", registry)
        .output()
        .expect("loadgen starts")
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

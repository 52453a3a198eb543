//! `loadgen cluster up|down|status`, with real processes.

mod common;

use std::process::Command;

use common::{Finished, eventually, has_redis, loadgen};
use tempfile::TempDir;

/// A registry of clusters for one test; what is still up at its end is ended.
struct Clusters(TempDir);

impl Clusters {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn run(&self, args: &[&str]) -> Finished {
        let mut command = loadgen();
        command
            .arg("cluster")
            .args(args)
            .env("SLOTMARK_CLUSTERS", self.0.path());
        Finished::from(command.output().expect("loadgen starts"))
    }

    fn pids(&self, name: &str) -> Vec<u32> {
        let text = std::fs::read_to_string(self.0.path().join(name).join("cluster.json")).expect("a record");
        let record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let nodes = record["nodes"].as_array().expect("nodes");
        nodes
            .iter()
            .map(|n| n["pid"].as_u64().expect("a pid") as u32)
            .collect()
    }
}

impl Drop for Clusters {
    fn drop(&mut self) {
        self.run(&["down", "--all"]);
    }
}

/// The ports in what `up` printed.
fn ports(up: &Finished) -> Vec<u16> {
    let rest = up.out.split("port ").nth(1).expect("up names its ports");
    let list = rest.split(';').next().expect("split yields one item at least");
    list.split(", ").map(|p| p.parse().expect("a port")).collect()
}

fn redis_cli(port: u16, args: &[&str]) -> String {
    let output = Command::new("redis-cli")
        .args(["-c", "-p", &port.to_string()])
        .args(args)
        .output();
    String::from_utf8_lossy(&output.expect("redis-cli comes with redis-server").stdout).into_owned()
}

#[test]
fn a_cluster_stays_up_until_it_is_taken_down() {
    if !has_redis() {
        return;
    }
    let clusters = Clusters::new();
    let up = clusters.run(&[
        "up",
        "--engine",
        "redis",
        "--port",
        "0",
        "--node-arg",
        "maxmemory 123mb",
    ]);
    assert_eq!(up.code, Some(0), "{up:?}");
    let ports = ports(&up);
    assert_eq!(ports.len(), 3);
    assert!(
        up.out.contains(&format!("redis-cli -c -p {}", ports[0])),
        "{up:?}"
    );

    // Each of the three owns its part: these keys live in slots 12182, 5061 and 7365.
    for key in ["foo", "bar", "c"] {
        assert_eq!(redis_cli(ports[1], &["SET", key, "1"]).trim(), "OK");
    }
    assert!(redis_cli(ports[0], &["CONFIG", "GET", "maxmemory"]).contains("128974848"));
    let status = clusters.run(&["status"]);
    assert_eq!(status.code, Some(0), "{status:?}");
    assert_eq!(status.out.matches("ok, 1 keys").count(), 3, "{status:?}");

    let again = clusters.run(&["up", "--engine", "redis", "--port", "0"]);
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("is up already"), "{again:?}");
    let taken = clusters.run(&[
        "up",
        "other",
        "--engine",
        "redis",
        "--port",
        &ports[0].to_string(),
    ]);
    assert_eq!(taken.code, Some(1));
    assert!(
        taken.err.contains(&format!("port {} is in use", ports[0])),
        "{taken:?}"
    );

    let pids = clusters.pids("default");
    Command::new("kill")
        .args(["-9", &pids[2].to_string()])
        .status()
        .expect("kill runs");
    eventually("status notices the dead node", || {
        clusters.run(&["status"]).code == Some(1)
    });
    let down = clusters.run(&["down"]);
    assert_eq!(down.code, Some(0), "{down:?}");
    assert!(
        down.out.contains("2 processes ended (1 had ended before)"),
        "{down:?}"
    );
    assert_eq!(common::entries(clusters.0.path()), [""; 0]);
    assert!(common::processes_in(clusters.0.path()).is_empty());

    let none = clusters.run(&["down"]);
    assert_eq!(none.code, Some(1));
    assert!(none.err.contains("no cluster 'default' is up"), "{none:?}");
    assert!(clusters.run(&["status"]).out.contains("no cluster is up"));
}

#[test]
fn replicas_and_single_servers() {
    if !has_redis() {
        return;
    }
    let clusters = Clusters::new();
    let up = clusters.run(&[
        "up",
        "r",
        "--engine",
        "redis",
        "--port",
        "0",
        "--nodes",
        "1",
        "--replicas",
        "1",
    ]);
    assert_eq!(up.code, Some(0), "{up:?}");
    assert!(redis_cli(ports(&up)[1], &["INFO", "replication"]).contains("master_link_status:up"));
    let up = clusters.run(&["up", "s", "--engine", "redis", "--port", "0", "--standalone"]);
    assert_eq!(up.code, Some(0), "{up:?}");
    assert!(redis_cli(ports(&up)[0], &["INFO", "cluster"]).contains("cluster_enabled:0"));
    let down = clusters.run(&["down", "--all"]);
    assert_eq!((down.code, down.out.lines().count()), (Some(0), 2), "{down:?}");
}

#[test]
fn a_node_that_cannot_start_says_why_and_leaves_nothing() {
    if !has_redis() {
        return;
    }
    let clusters = Clusters::new();
    let up = clusters.run(&[
        "up",
        "--engine",
        "redis",
        "--port",
        "0",
        "--node-arg",
        "no-such-directive 1",
    ]);
    assert_eq!(up.code, Some(1), "{up:?}");
    assert!(
        up.err.contains("redis did not start") && up.err.contains("no-such-directive"),
        "{up:?}"
    );
    assert_eq!(common::entries(clusters.0.path()), [""; 0]);
    assert!(common::processes_in(clusters.0.path()).is_empty());
}

#[test]
fn what_cannot_be_is_refused() {
    let clusters = Clusters::new();
    for (args, code, text) in [
        (
            &["up", "--engine", "memcached"][..],
            2,
            "choose slotmark, redis, valkey",
        ),
        (&["up", "a/b", "--port", "0"], 1, "no name for a cluster"),
        (
            &["up", "--port", "60000"],
            1,
            "do not leave room for the bus ports",
        ),
        (&["up", "--nodes", "0"], 2, "must be at least 1"),
        (
            &["up", "--standalone", "--nodes", "2"],
            2,
            "--standalone is one server",
        ),
        (&["up", "--engine", "/bin/true"], 1, "does not answer --version"),
        (&["down", "x", "--all"], 2, "cannot be used with"),
        (&["status", "x"], 1, "no cluster 'x' is up"),
    ] {
        let refused = clusters.run(args);
        assert_eq!(refused.code, Some(code), "{args:?}: {refused:?}");
        assert!(refused.err.contains(text), "{args:?}: {refused:?}");
    }
}

//! Cluster clients that people use, with their own ways to retry, while a primary is killed under them: no call may
//! fail, and nothing that was counted may be gone beyond what was on its way when the primary died.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use e2e::{Client, Cluster, python_with_redis, skip, wait_for};
use slotcore::resp::Reply;

const LOADGEN: &str = env!("CARGO_BIN_EXE_e2e-loadgen");
const KEYS: usize = 64;

/// Three primaries with a replica each.
fn cluster() -> Cluster {
    Cluster::up_with(
        LOADGEN,
        &["--replicas", "1", "--node-arg", "cluster-node-timeout 2000"],
    )
}

fn script(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name);
    path.to_str().expect("a path in UTF-8").into()
}

/// Kills the first primary, and returns when its replica has taken its place.
fn fail_over(cluster: &Cluster) {
    cluster.signal(0, "KILL");
    let promoted = || {
        let reply = Client::try_connect(cluster.ports[3]).ok()?.cmd(&["ROLE"]);
        matches!(&reply.as_array()?[0], Reply::Bulk(role) if role == b"master").then_some(())
    };
    wait_for("the replica to be promoted", Duration::from_secs(20), promoted);
}

/// What a client counted, and what the cluster holds: whatever was acknowledged and had not reached the replica when its
/// primary died is lost, as replication is asynchronous; that is a few at most, since a client waits for each reply.
fn check(counted: i64, held: i64) {
    assert!(counted > 100, "only {counted} were counted");
    assert!(
        (counted - 4..=counted + 4).contains(&held),
        "{counted} were counted, and {held} are held"
    );
}

/// Runs a client that counts and follows the words of the scripts in tests/clients.
fn ride(mut command: Command) {
    let cluster = cluster();
    let mut child = command
        .arg(cluster.ports[1].to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    fail_over(&cluster);
    child.stdin.take().unwrap().write_all(b"enough\n").unwrap();
    let said = lines.next().transpose().unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{command:?} ended with {status}");
    let numbers: Vec<i64> = said
        .unwrap()
        .split(' ')
        .map(|word| word.parse().unwrap())
        .collect();
    check(numbers[0], numbers[1]);
}

#[test]
fn redis_py_rides_through() {
    let Some(python) = python_with_redis() else { return };
    let mut command = Command::new(python);
    command.arg(script("redis_py_failover.py"));
    ride(command);
}

#[test]
fn ioredis_rides_through() {
    let Some(modules) = std::env::var_os("SLOTMARK_NODE_MODULES") else {
        return skip("SLOTMARK_NODE_MODULES names no folder in which npm has installed ioredis");
    };
    let mut command = Command::new("node");
    command
        .env("NODE_PATH", modules)
        .arg(script("ioredis_failover.js"));
    ride(command);
}

/// The asynchronous client: the other one hands on the first refused connection as an error.
#[test]
fn the_redis_crate_rides_through() {
    let cluster = cluster();
    let url = format!("redis://127.0.0.1:{}/", cluster.ports[1]);
    let client = redis::cluster::ClusterClient::new(vec![url]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut connection = runtime.block_on(client.get_async_connection()).unwrap();
    let over = AtomicBool::new(false);
    let mut counted = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            fail_over(&cluster);
            over.store(true, Ordering::Relaxed);
        });
        let mut end = None;
        while end.is_none_or(|end| Instant::now() < end) {
            for key in 0..KEYS {
                runtime.block_on(call("INCR", key, &mut connection));
                counted += 1;
            }
            if end.is_none() && over.load(Ordering::Relaxed) {
                end = Some(Instant::now() + Duration::from_secs(1));
            }
        }
    });
    let held = (0..KEYS)
        .map(|key| runtime.block_on(call("GET", key, &mut connection)))
        .sum();
    check(counted, held);
}

async fn call(command: &str, key: usize, connection: &mut redis::cluster_async::ClusterConnection) -> i64 {
    redis::cmd(command)
        .arg(format!("count:{key}"))
        .query_async(connection)
        .await
        .unwrap()
}

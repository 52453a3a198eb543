//! What failovers must not lose: with the primary's consent nothing at all, without it nothing that a replica has
//! acknowledged. `SLOTMARK_FAILOVERS` and `SLOTMARK_KILLS` say how many of each; CI makes do with few.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use e2e::{Client, Cluster, wait_for};
use slotcore::resp::Reply;

const LOADGEN: &str = env!("CARGO_BIN_EXE_e2e-loadgen");
const PATIENCE: Duration = Duration::from_secs(20);
/// The places of a primary and its replica in a cluster of three and three.
const SHARD: [usize; 2] = [0, 3];
/// In slots 3300 and below, which are the first primary's.
const KEYS: [&str; 4] = ["{b}1", "{b}2", "{b}3", "{b}4"];

fn asked(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

fn cluster() -> Cluster {
    Cluster::up_with(
        LOADGEN,
        &["--replicas", "1", "--node-arg", "cluster-node-timeout 2000"],
    )
}

/// A client that knows the two nodes of the shard and goes where it is sent.
struct Counter {
    ports: [u16; 2],
    at: usize,
    client: Client,
}

impl Counter {
    fn new(cluster: &Cluster) -> Self {
        let ports = SHARD.map(|node| cluster.ports[node]);
        Self {
            ports,
            at: 0,
            client: Client::connect(ports[0]),
        }
    }

    /// Counts on, wherever the key is; what it stands at, or the error that is no redirect.
    fn incr(&mut self, key: &str) -> Result<i64, String> {
        loop {
            self.client.send(format!("INCR {key}\r\n").as_bytes());
            match self.client.try_reply().map_err(|error| error.to_string())? {
                Reply::Integer(value) => return Ok(value),
                Reply::Error(text) if text.starts_with(b"MOVED ") => {
                    self.at = 1 - self.at;
                    self.client = Client::connect(self.ports[self.at]);
                }
                other => return Err(format!("{other:?}")),
            }
        }
    }
}

fn info(port: u16, field: &str) -> Option<String> {
    let reply = Client::try_connect(port).ok()?.cmd(&["INFO", "replication"]);
    reply.as_str()?.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name == field).then(|| value.to_owned())
    })
}

fn wait_for_role(port: u16, role: &str) {
    wait_for(role, PATIENCE, || {
        (info(port, "role").as_deref() == Some(role)).then_some(())
    });
}

/// Raised when it goes.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Four writers count, each on a key of its own, while primary and replica change places again and again.
#[test]
fn manual_failovers_lose_nothing() {
    let failovers = asked("SLOTMARK_FAILOVERS", 20);
    let cluster = cluster();
    let stop = AtomicBool::new(false);
    let count = |key: &str| {
        let mut counter = Counter::new(&cluster);
        let (mut counted, mut gaps) = (0, Vec::new());
        let mut last = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            counter.incr(key).expect("no failover with consent breaks a call");
            counted += 1;
            gaps.push(last.elapsed());
            last = Instant::now();
            // A pace that leaves the rest of the machine something.
            thread::sleep(Duration::from_micros(200));
        }
        gaps.sort_unstable();
        (counted, gaps)
    };
    let counts: Vec<(i64, Vec<Duration>)> = thread::scope(|scope| {
        let writers: Vec<_> = KEYS.iter().map(|key| scope.spawn(move || count(key))).collect();
        // Also when an assertion fails: the scope waits for the writers.
        let until_here = Stop(&stop);
        for turn in 0..failovers {
            let [replica, primary] = [SHARD[(turn + 1) % 2], SHARD[turn % 2]].map(|node| cluster.ports[node]);
            wait_for("the replica to follow", PATIENCE, || {
                (info(replica, "master_link_status").as_deref() == Some("up")).then_some(())
            });
            let begun = Client::connect(replica).cmd(&["CLUSTER", "FAILOVER"]);
            assert_eq!(begun, Reply::Simple(b"OK".to_vec()), "failover {turn}");
            wait_for_role(replica, "master");
            wait_for_role(primary, "slave");
        }
        drop(until_here);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let mut counter = Counter::new(&cluster);
    let mut longest = Vec::new();
    for (key, (counted, gaps)) in KEYS.iter().zip(counts) {
        let held = counter.incr(key).unwrap() - 1;
        assert_eq!(held, counted, "{key}");
        // As many of the longest gaps as there were failovers.
        longest.extend(gaps.into_iter().rev().take(failovers));
    }
    longest.sort_unstable();
    let [median, most] = [longest[longest.len() / 2], longest[longest.len() - 1]];
    println!("{failovers} failovers, writes paused for {median:?} in the median, {most:?} at most");
    assert!(
        median < Duration::from_millis(100),
        "writes pause for {median:?} in the median, {most:?} at most"
    );
}

/// An INCR that a replica has acknowledged outlives its primary.
#[test]
fn what_a_replica_has_acknowledged_survives_the_primary() {
    for trial in 0..asked("SLOTMARK_KILLS", 4) {
        let cluster = cluster();
        let acknowledged: Vec<i64> = thread::scope(|scope| {
            let count = |key: &'static str| {
                let mut client = Client::connect(cluster.ports[SHARD[0]]);
                let mut acknowledged = 0;
                loop {
                    client.send(format!("INCR {key}\r\nWAIT 1 1000\r\n").as_bytes());
                    match (client.try_reply(), client.try_reply()) {
                        (Ok(Reply::Integer(value)), Ok(Reply::Integer(1))) => acknowledged = value,
                        (Ok(Reply::Integer(_)), Ok(Reply::Integer(0))) => {}
                        (Ok(other), _) if !matches!(other, Reply::Integer(_)) => panic!("{other:?}"),
                        _ => return acknowledged,
                    }
                }
            };
            let writers: Vec<_> = KEYS.iter().map(|key| scope.spawn(move || count(key))).collect();
            // At another moment of whatever the writers do in each trial.
            thread::sleep(Duration::from_millis(100) + Duration::from_micros(trial as u64 * 3701 % 50_000));
            cluster.signal(SHARD[0], "KILL");
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        let replica = cluster.ports[SHARD[1]];
        wait_for_role(replica, "master");
        let mut client = Client::connect(replica);
        for (key, acknowledged) in KEYS.iter().zip(acknowledged) {
            assert!(
                acknowledged > 0,
                "nothing was acknowledged before the kill of trial {trial}"
            );
            let held = wait_for("the promoted replica to serve", PATIENCE, || {
                match client.cmd(&["GET", key]) {
                    Reply::Bulk(text) => std::str::from_utf8(&text).ok()?.parse::<i64>().ok(),
                    _ => None,
                }
            });
            assert!(
                held >= acknowledged,
                "trial {trial}: {key} was acknowledged at {acknowledged}, and is {held}"
            );
        }
    }
}

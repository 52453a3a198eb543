//! Whole clusters of real processes, each node on a host of its own, while hosts are cut off from each other, processes
//! hang, and nodes come back without what they knew.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use e2e::netns::Hosts;
use e2e::{Client, Process, have, skip, wait_for};
use slotcore::resp::Reply;
use tempfile::TempDir;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
const NODES: u8 = 6;
const PORT: u16 = 7000;
const TIMEOUT_MS: u64 = 1000;
const PATIENCE: Duration = Duration::from_secs(20);
/// In slot 3300, the first primary's.
const KEY: &str = "b";

/// Three primaries, hosts 0 to 2, with a replica each.
struct Cluster {
    // Before the hosts, so that the processes have ended when those go.
    nodes: Vec<Process>,
    dirs: Vec<TempDir>,
    replica: u8,
    programs: [&'static str; NODES as usize],
    hosts: Hosts,
}

impl Cluster {
    /// `None`: this machine cannot.
    fn form(programs: [&'static str; NODES as usize]) -> Option<Self> {
        let hosts = Hosts::new(NODES)?;
        if !have("redis-cli") || programs.iter().any(|program| *program != NODE && !have(program)) {
            skip("redis-cli and redis-server are not on PATH (Debian: apt-get install redis-server)");
            return None;
        }
        hosts.enter_hub();
        let mut cluster = Self {
            nodes: Vec::new(),
            dirs: (0..NODES).map(|_| tempfile::tempdir().unwrap()).collect(),
            replica: 0,
            programs,
            hosts,
        };
        for host in 0..NODES {
            let node = cluster.start(host);
            cluster.nodes.push(node);
        }
        let mut create = cluster.hosts.command_at_hub("redis-cli");
        create.args(["--cluster", "create"]);
        create.args((0..NODES).map(|host| Hosts::socket(host, PORT).to_string()));
        create.args(["--cluster-replicas", "1", "--cluster-yes"]);
        let output = create.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("[OK] All 16384 slots covered."), "{text}");
        cluster.wait_until_whole();
        let id = cluster.text(0, &["CLUSTER", "MYID"]).unwrap();
        cluster.replica = wait_for("everybody to know the first primary's replica", PATIENCE, || {
            let replica_of = |line: &String| line.contains(&format!("slave {id} ")).then(|| address_in(line));
            let seen = |host| cluster.nodes_of(host).iter().find_map(replica_of);
            let replica = seen(0)?;
            (1..NODES)
                .all(|host| seen(host).as_ref() == Some(&replica))
                .then_some(())?;
            (3..NODES).find(|host| Hosts::address(*host).to_string() == replica)
        });
        Some(cluster)
    }

    fn start(&self, host: u8) -> Process {
        let dir = self.dirs[usize::from(host)].path();
        let mut command = self.hosts.command(host, self.programs[usize::from(host)]);
        command.current_dir(dir).args([
            "--port",
            &PORT.to_string(),
            "--bind",
            &Hosts::address(host).to_string(),
            "--protected-mode",
            "no",
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            &TIMEOUT_MS.to_string(),
            "--repl-diskless-sync-delay",
            "0",
            "--save",
            "",
        ]);
        let process = Process::start(&mut command, &dir.join("log"));
        wait_for("a node to answer", PATIENCE, || {
            Client::try_connect_to(Hosts::socket(host, PORT)).ok()
        });
        process
    }

    fn ask(&self, host: u8, words: &[&str]) -> Option<Reply> {
        let mut client = Client::try_connect_to(Hosts::socket(host, PORT)).ok()?;
        client.send(format!("{}\r\n", words.join(" ")).as_bytes());
        client.try_reply().ok()
    }

    fn text(&self, host: u8, words: &[&str]) -> Option<String> {
        Some(self.ask(host, words)?.as_str()?.to_owned())
    }

    fn nodes_of(&self, host: u8) -> Vec<String> {
        let text = self.text(host, &["CLUSTER", "NODES"]).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn is_primary(&self, host: u8) -> bool {
        matches!(self.ask(host, &["ROLE"]), Some(Reply::Array(role)) if role[0].as_str() == Some("master"))
    }

    fn writes(&self, host: u8) -> bool {
        matches!(self.ask(host, &["SET", KEY, "x"]), Some(Reply::Simple(_)))
    }

    fn epoch(&self, host: u8) -> Option<String> {
        let text = self.text(host, &["CLUSTER", "INFO"])?;
        let line = text
            .lines()
            .find(|line| line.starts_with("cluster_current_epoch"))?;
        Some(line.to_owned())
    }

    /// Every node sees every other, and serves; each replica has its primary's data.
    fn wait_until_whole(&self) {
        for host in 0..NODES {
            wait_for(&format!("host {host} to see the whole cluster"), PATIENCE, || {
                let lines = self.nodes_of(host);
                let sound = lines.len() == usize::from(NODES)
                    && lines
                        .iter()
                        .all(|line| line.contains(" connected") && !line.contains("fail"));
                let ok = self
                    .text(host, &["CLUSTER", "INFO"])?
                    .contains("cluster_state:ok");
                let info = self.text(host, &["INFO", "replication"])?;
                let linked = info.contains("role:master") || info.contains("master_link_status:up");
                (sound && ok && linked).then_some(())
            });
        }
    }

    /// The first primary's replica takes its place; how long that took.
    fn wait_for_successor(&self) -> Duration {
        let start = Instant::now();
        wait_for("the replica to take writes", PATIENCE, || {
            self.writes(self.replica).then_some(())
        });
        start.elapsed()
    }

    /// The one that was replaced copies its successor, and all agree.
    fn expect_healed(&self) {
        wait_for("the old primary to be a replica", PATIENCE, || {
            (!self.is_primary(0)).then_some(())
        });
        self.wait_until_whole();
        let owners = |host| {
            let mut owners: Vec<String> = self
                .nodes_of(host)
                .iter()
                .filter_map(|line| {
                    let fields: Vec<&str> = line.split(' ').collect();
                    Some(format!("{} {} {}", fields[0], fields[6], fields.get(8)?))
                })
                .collect();
            owners.sort_unstable();
            owners
        };
        for host in 1..NODES {
            wait_for(&format!("host {host} to agree with host 0"), PATIENCE, || {
                (owners(host) == owners(0)).then_some(())
            });
        }
    }

    fn others(&self) -> impl Iterator<Item = u8> {
        1..NODES
    }
}

const ALL_OURS: [&str; 6] = [NODE; 6];
/// Stock among the voters, and as a replica.
const MIXED: [&str; 6] = [NODE, "redis-server", NODE, NODE, "redis-server", NODE];

/// `cut` says which directions; the primary is replaced, notices that it is alone, and comes back as a replica.
fn a_primary_is_cut_off(programs: [&'static str; 6], hears: bool, is_heard: bool) {
    let Some(cluster) = Cluster::form(programs) else {
        return;
    };
    assert!(cluster.writes(0));
    for other in cluster.others() {
        if !is_heard {
            cluster.hosts.cut(0, other);
        }
        if !hears {
            cluster.hosts.cut(other, 0);
        }
    }
    let outage = cluster.wait_for_successor();
    println!("writes were taken again after {outage:?}");
    wait_for("the lonely primary to refuse writes", PATIENCE, || {
        (!cluster.writes(0)).then_some(())
    });
    for other in cluster.others() {
        if !is_heard {
            cluster.hosts.mend(0, other);
        }
        if !hears {
            cluster.hosts.mend(other, 0);
        }
    }
    cluster.expect_healed();
}

#[test]
fn a_primary_that_is_cut_off_both_ways_is_replaced() {
    a_primary_is_cut_off(ALL_OURS, false, false);
}

#[test]
fn a_primary_that_nobody_hears_is_replaced() {
    a_primary_is_cut_off(ALL_OURS, true, false);
}

#[test]
fn a_primary_that_hears_nobody_is_replaced() {
    a_primary_is_cut_off(ALL_OURS, false, true);
}

#[test]
fn the_same_with_stock_among_the_voters() {
    a_primary_is_cut_off(MIXED, false, false);
}

/// A replica that has lost its primary while everybody else has not: no majority, no failover.
#[test]
fn a_replica_that_is_alone_in_its_opinion_takes_nothing() {
    let Some(cluster) = Cluster::form(ALL_OURS) else {
        return;
    };
    let epoch = cluster.epoch(1);
    cluster.hosts.cut(0, cluster.replica);
    cluster.hosts.cut(cluster.replica, 0);
    let doubted = |cluster: &Cluster| {
        let address = format!(" {}:", Hosts::address(0));
        cluster
            .nodes_of(cluster.replica)
            .iter()
            .any(|line| line.contains(&address) && line.contains("fail?"))
    };
    wait_for("the replica to doubt its primary", PATIENCE, || {
        doubted(&cluster).then_some(())
    });
    // For three node timeouts everything stays as it is.
    let end = Instant::now() + Duration::from_millis(3 * TIMEOUT_MS);
    while Instant::now() < end {
        assert!(cluster.writes(0) && !cluster.is_primary(cluster.replica));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(cluster.epoch(1), epoch);
    cluster.hosts.mend(0, cluster.replica);
    cluster.hosts.mend(cluster.replica, 0);
    cluster.wait_until_whole();
}

#[test]
fn a_primary_that_hangs_is_replaced_and_comes_back() {
    let Some(cluster) = Cluster::form(ALL_OURS) else {
        return;
    };
    cluster.nodes[0].signal("STOP");
    let outage = cluster.wait_for_successor();
    println!("writes were taken again after {outage:?}");
    cluster.nodes[0].signal("CONT");
    cluster.expect_healed();
}

/// A primary without a replica comes back under a new name: what was its is nobody's, and nothing of it is taken for the
/// old one's.
#[test]
fn a_node_that_forgot_everything_is_a_stranger() {
    let Some(mut cluster) = Cluster::form(ALL_OURS) else {
        return;
    };
    let old = cluster.text(0, &["CLUSTER", "MYID"]).unwrap();
    cluster.nodes[0].signal("KILL");
    cluster.nodes[0].wait(PATIENCE);
    cluster.wait_for_successor();
    remove(cluster.dirs[0].path(), "nodes.conf");
    cluster.nodes[0] = cluster.start(0);
    let new = cluster.text(0, &["CLUSTER", "MYID"]).unwrap();
    assert_ne!(old, new);
    let known_as_lost = |cluster: &Cluster, host| {
        cluster
            .nodes_of(host)
            .iter()
            .any(|line| line.starts_with(&old) && line.contains("fail"))
    };
    // The others go on under the successor, and hold the lost one to be lost.
    let end = Instant::now() + Duration::from_millis(3 * TIMEOUT_MS);
    while Instant::now() < end {
        assert!(cluster.writes(cluster.replica));
        assert_eq!(cluster.nodes_of(0).len(), 1, "nobody introduces a stranger");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(cluster.others().all(|host| known_as_lost(&cluster, host)));
    // With an introduction it is one of them again.
    let address = Hosts::address(1).to_string();
    let met = cluster.ask(0, &["CLUSTER", "MEET", &address, &PORT.to_string()]);
    assert_eq!(met, Some(Reply::Simple(b"OK".to_vec())));
    wait_for("the stranger to be known", PATIENCE, || {
        cluster
            .others()
            .all(|host| {
                cluster
                    .nodes_of(host)
                    .iter()
                    .any(|line| line.starts_with(&new) && line.contains(" connected"))
            })
            .then_some(())
    });
}

/// The host of a line of CLUSTER NODES.
fn address_in(line: &str) -> String {
    let address = line.split(' ').nth(1).unwrap_or_default();
    address.split(':').next().unwrap_or_default().to_owned()
}

fn remove(dir: &Path, name: &str) {
    std::fs::remove_file(dir.join(name)).unwrap();
}

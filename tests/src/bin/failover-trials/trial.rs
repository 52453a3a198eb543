//! One trial: a new cluster, a fault, the time until writes are taken again.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use loadgen::driver::admin::Admin;
use loadgen::driver::process::Bond;
use loadgen::driver::workspace::Workspace;
use loadgen::driver::{Engine, LaunchPlan, LocalCluster, Shape, StopFlag};
use loadgen::load::HostPort;
use rustix::process::{Pid, Signal, kill_process};
use slotcore::slot_of;

use crate::probe::Probe;

/// Primaries, each with one replica.
pub const PRIMARIES: u32 = 3;

/// What happens to the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9`: its ports refuse connections.
    Killed,
    /// SIGSTOP: its ports accept them, and nobody answers.
    Hung,
}

impl Fault {
    /// As the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Killed => "kill -9",
            Self::Hung => "SIGSTOP",
        }
    }
}

/// One trial.
pub struct Trial<'a> {
    pub engine: &'a Engine,
    pub fault: Fault,
    pub node_timeout_ms: u32,
    /// Which of the primaries.
    pub victim: usize,
}

impl Trial<'_> {
    /// Runs it.
    pub fn run(&self, stop: &StopFlag) -> anyhow::Result<Duration> {
        let me = std::env::current_exe().context("cannot find this binary")?;
        let workspace = Workspace::create(&me)?;
        let plan = LaunchPlan {
            engine: self.engine.clone(),
            shape: Shape {
                primaries: PRIMARIES,
                replicas_each: 1,
                cluster: true,
            },
            node_threads: 1,
            directives: vec![format!("cluster-node-timeout {}", self.node_timeout_ms)],
            first_port: None,
            namespaces: false,
            bond: Bond::DiesWithUs,
            core: None,
        };
        let cluster = LocalCluster::launch(&plan, &workspace.subdirectory("nodes")?, &me, stop)?;
        let nodes: Vec<(HostPort, u32)> = cluster
            .processes()
            .map(|(node, pid)| (node.addr.clone(), pid))
            .collect();
        let (victim, pid) = nodes[self.victim].clone();
        let replica = nodes[self.victim + PRIMARIES as usize].0.clone();
        wait_until_told(&nodes, stop)?;
        let key = key_of_shard(self.victim);
        let probes = [Probe::start(&victim, &key), Probe::start(&replica, &key)];
        probes[0].wait_for_success(Duration::from_secs(5))?;
        ensure!(probes[1].first_success().is_none(), "a replica took a write");
        let pid = Pid::from_raw(pid as i32).context("a process id is not 0")?;
        let fault = Instant::now();
        kill_process(
            pid,
            match self.fault {
                Fault::Killed => Signal::KILL,
                Fault::Hung => Signal::STOP,
            },
        )?;
        let patience = Duration::from_millis(u64::from(self.node_timeout_ms) * 5 + 20_000);
        let success = probes[1].wait_for_success(patience)?;
        if self.fault == Fault::Hung {
            // A stopped process takes no SIGTERM.
            kill_process(pid, Signal::KILL)?;
        }
        Ok(success.duration_since(fault))
    }
}

/// Until every node counts on every other, replicas with their offsets included: else a failover could not be fair.
fn wait_until_told(nodes: &[(HostPort, u32)], stop: &StopFlag) -> anyhow::Result<()> {
    for (index, (address, _)) in nodes.iter().take(PRIMARIES as usize).enumerate() {
        // An offset of 0 counts as no data, and stays so until something is written.
        Admin::connect(address, None, Duration::from_secs(1))?.call(&["SET", &key_of_shard(index), "0"])?;
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    for (address, _) in nodes {
        loop {
            ensure!(!stop.is_raised(), "interrupted");
            let mut admin = Admin::connect(address, None, Duration::from_secs(1))?;
            let text = admin.text(&["CLUSTER", "NODES"])?;
            let connected = text.lines().filter(|line| line.contains(" connected")).count();
            let slots = admin.call(&["CLUSTER", "SLOTS"])?;
            let with_replica = slots
                .as_array()
                .unwrap_or_default()
                .iter()
                .filter(|row| row.as_array().is_some_and(|row| row.len() == 4))
                .count();
            if connected == nodes.len() && with_replica == PRIMARIES as usize && !text.contains("fail") {
                break;
            }
            if Instant::now() > deadline {
                bail!("{address} does not see the whole cluster: {text}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}

/// A key that the `index`-th of the primaries owns.
fn key_of_shard(index: usize) -> String {
    let slots = slotcore::SLOT_COUNT / PRIMARIES as usize;
    (0..)
        .map(|number| format!("probe:{number}"))
        .find(|key| {
            let slot = usize::from(slot_of(key.as_bytes()));
            // The middle of the range, so that rounding at its edges does not matter.
            (index * slots + 100..(index + 1) * slots - 100).contains(&slot)
        })
        .expect("one of all numbers fits")
}

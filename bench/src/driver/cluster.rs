//! Launching a cluster of our own: every node starts with a nodes.conf in which the whole cluster already stands,
//! so that nothing has to be created, met or assigned afterwards, in stock redis-server as in ours.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::Signal;
use thiserror::Error;

use super::admin::{Admin, AdminError, field};
use super::engine::{Engine, Family};
use super::network::Network;
use super::process::{Bond, NodeProcess, end_all};
use super::shape::{self, PlannedNode, Shape};
use super::signals::StopFlag;
use super::{ports, shape::bus_port};
use crate::load::{Auth, HostPort};

/// What to launch.
#[derive(Clone, Debug)]
pub struct LaunchPlan {
    pub engine: Engine,
    pub shape: Shape,
    /// Threads that execute commands in ours, I/O threads in stock.
    pub node_threads: u32,
    /// Directives as in redis.conf, each in one line: `maxmemory 1gb`.
    pub directives: Vec<String>,
    /// The first node's port; without it free ones are chosen.
    pub first_port: Option<u16>,
    /// Each node in a network namespace of its own, so that it can be cut off; see [`Network::permitted`].
    pub namespaces: bool,
    pub bond: Bond,
}

impl LaunchPlan {
    /// How to log in, if a directive sets a password.
    pub fn auth(&self) -> Option<Auth> {
        let password_in = |line: &String| {
            let (name, values) = words_of(line);
            let set = name.eq_ignore_ascii_case("requirepass") && values.len() == 1;
            set.then(|| values.concat())
                .filter(|password| !password.is_empty())
        };
        // As in redis.conf, the last one counts.
        let password = self.directives.iter().rev().find_map(password_in)?;
        Some(Auth { user: None, password })
    }
}

#[derive(Debug, Error)]
pub enum LaunchError {
    #[error("port {0} is in use: choose another with --port")]
    PortTaken(u16),
    #[error("ports {0} and up do not leave room for the bus ports, which are {offset} higher", offset = shape::BUS_OFFSET)]
    PortTooHigh(u16),
    #[error("{engine} did not start: {status}\n{output}")]
    Died {
        engine: String,
        status: String,
        output: String,
    },
    #[error("{engine}: node {addr} was not ready after {seconds} s: {why}\n{output}", seconds = after.as_secs())]
    NotReady {
        engine: String,
        addr: String,
        after: Duration,
        why: String,
        output: String,
    },
    #[error("interrupted")]
    Interrupted,
    #[error("cannot start {engine}: {cause}")]
    Io { engine: String, cause: io::Error },
}

/// One node of a running cluster.
#[derive(Debug)]
pub struct Node {
    pub addr: HostPort,
    pub replica: bool,
}

/// A cluster whose processes end when this is dropped, unless they were started to outlive it.
#[derive(Debug)]
pub struct LocalCluster {
    pub nodes: Vec<Node>,
    processes: Vec<NodeProcess>,
    bond: Bond,
    /// How each node is started, once more if need be.
    starts: Vec<Start>,
    loadgen: PathBuf,
    network: Option<Network>,
}

/// How a node is started.
#[derive(Debug)]
struct Start {
    command: Vec<OsString>,
    log: PathBuf,
}

/// A node that is not ready by then will not be; every further node gets a little more.
const READY_WITHIN: Duration = Duration::from_secs(20);
const READY_WITHIN_EACH: Duration = Duration::from_millis(500);
/// A node that has been asked to end and has not by then is killed before it is started again.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);
const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// How often other ports are tried when somebody else took one between our look and the node's.
const PORT_ATTEMPTS: u32 = 5;

impl LocalCluster {
    /// Starts all nodes, their files in `dir`, and waits until each of them answers that the cluster is up.
    /// `loadgen` is the path of this binary. Call it from a thread that outlives the cluster (see [`NodeProcess`]).
    pub fn launch(
        plan: &LaunchPlan,
        dir: &Path,
        loadgen: &Path,
        stop: &StopFlag,
    ) -> Result<Self, LaunchError> {
        let mut attempt = 1;
        loop {
            let launched = Self::start(plan, dir, loadgen).and_then(|mut cluster| {
                cluster.wait_until_ready(plan, stop)?;
                Ok(cluster)
            });
            match launched {
                Err(LaunchError::Died { output, .. })
                    if plan.first_port.is_none() && attempt < PORT_ATTEMPTS && lost_its_port(&output) =>
                {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Starts all nodes without waiting for them.
    pub fn start(plan: &LaunchPlan, dir: &Path, loadgen: &Path) -> Result<Self, LaunchError> {
        let io_error = |cause| LaunchError::Io {
            engine: plan.engine.name().to_owned(),
            cause,
        };
        let network = match plan.namespaces {
            true => Some(Network::create(plan.shape.node_count()).map_err(io_error)?),
            false => None,
        };
        let planned = shape::plan(&plan.shape, &choose_ports(plan)?);
        let host = |index: usize| match &network {
            Some(network) => network.address(index),
            None => "127.0.0.1".to_owned(),
        };
        let hosts: Vec<String> = (0..planned.len()).map(host).collect();
        let mut cluster = Self {
            nodes: Vec::new(),
            processes: Vec::new(),
            bond: plan.bond,
            starts: Vec::new(),
            loadgen: loadgen.to_owned(),
            network,
        };
        for (index, node) in planned.iter().enumerate() {
            match prepare_node(plan, &planned, &hosts, index, dir, loadgen) {
                Ok(mut start) => {
                    if let Some(network) = &cluster.network {
                        start.command.splice(0..0, network.enter(index));
                    }
                    cluster.starts.push(start);
                }
                Err(cause) => return Err(io_error(cause)),
            }
            match cluster.spawn(index) {
                Ok(process) => cluster.processes.push(process),
                Err(cause) => {
                    cluster.end();
                    return Err(io_error(cause));
                }
            }
            cluster.nodes.push(Node {
                addr: HostPort {
                    host: hosts[index].clone(),
                    port: node.port,
                },
                replica: node.primary.is_some(),
            });
        }
        Ok(cluster)
    }

    /// Waits until every node answers that the cluster is up; if that fails, the nodes are ended.
    pub fn wait_until_ready(&mut self, plan: &LaunchPlan, stop: &StopFlag) -> Result<(), LaunchError> {
        self.poll_until_ready(plan, stop).inspect_err(|_| self.end())
    }

    fn poll_until_ready(&mut self, plan: &LaunchPlan, stop: &StopFlag) -> Result<(), LaunchError> {
        let patience = READY_WITHIN + READY_WITHIN_EACH * plan.shape.node_count();
        let deadline = Instant::now() + patience;
        let mut why = String::new();
        for index in 0..self.nodes.len() {
            while !self.is_ready(index, plan, &mut why) {
                if stop.is_raised() {
                    return Err(LaunchError::Interrupted);
                }
                self.all_alive(plan)?;
                if Instant::now() > deadline {
                    return Err(LaunchError::NotReady {
                        engine: plan.engine.name().to_owned(),
                        addr: self.nodes[index].addr.to_string(),
                        after: patience,
                        why,
                        output: self.processes[index].last_words(),
                    });
                }
                std::thread::sleep(POLL);
            }
        }
        self.all_alive(plan)
    }

    fn is_ready(&self, index: usize, plan: &LaunchPlan, why: &mut String) -> bool {
        let node = &self.nodes[index];
        match check_ready(&node.addr, plan.auth().as_ref(), plan.shape.cluster, node.replica) {
            Ok(None) => true,
            Ok(Some(reason)) => {
                *why = reason;
                false
            }
            Err(error) => {
                *why = error.to_string();
                false
            }
        }
    }

    fn all_alive(&mut self, plan: &LaunchPlan) -> Result<(), LaunchError> {
        for process in &mut self.processes {
            if let Some(status) = process.ended() {
                let engine = plan.engine.name().to_owned();
                return Err(LaunchError::Died {
                    engine,
                    status: status.to_string(),
                    output: process.last_words(),
                });
            }
        }
        Ok(())
    }

    /// A node that has ended by itself, and how; none when all run.
    pub fn dead_node(&mut self) -> Option<String> {
        let pairs = self.nodes.iter().zip(&mut self.processes);
        pairs
            .into_iter()
            .find_map(|(node, process)| Some(format!("node {} ended: {}", node.addr, process.ended()?)))
    }

    fn spawn(&self, index: usize) -> io::Result<NodeProcess> {
        let start = &self.starts[index];
        NodeProcess::spawn(&self.loadgen, &start.command, start.log.clone(), self.bond)
    }

    fn index_of(&self, addr: &HostPort) -> anyhow::Result<usize> {
        self.nodes
            .iter()
            .position(|node| node.addr == *addr)
            .with_context(|| format!("{addr} is none of the nodes that loadgen has started"))
    }

    fn process(&mut self, addr: &HostPort) -> anyhow::Result<&mut NodeProcess> {
        let index = self.index_of(addr)?;
        Ok(&mut self.processes[index])
    }

    /// SIGKILL.
    pub fn kill(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        self.process(addr)?.kill();
        Ok(())
    }

    /// SIGTERM; it ends when it is ready to.
    pub fn terminate(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        self.process(addr)?.signal(Signal::TERM);
        Ok(())
    }

    /// SIGSTOP.
    pub fn stop(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        self.process(addr)?.signal(Signal::STOP);
        Ok(())
    }

    /// SIGCONT.
    pub fn resume(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        self.process(addr)?.signal(Signal::CONT);
        Ok(())
    }

    /// Starts a node that has ended once more, with its files. Call it from the thread that launched the cluster.
    pub fn restart(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        let index = self.index_of(addr)?;
        let deadline = Instant::now() + ENDS_WITHIN;
        while self.processes[index].ended().is_none() {
            if Instant::now() > deadline {
                self.processes[index].kill();
            }
            std::thread::sleep(POLL);
        }
        self.processes[index] = self
            .spawn(index)
            .with_context(|| format!("cannot start {addr} again"))?;
        Ok(())
    }

    /// Makes the calling thread, and those it starts, see the nodes' network, if they have one of their own.
    pub fn enter_network(&self) -> anyhow::Result<()> {
        match &self.network {
            Some(network) => Ok(network.move_to_hub()?),
            None => Ok(()),
        }
    }

    /// Cuts a node off from everybody; where it has no network of its own it is stopped instead, which the text says.
    pub fn cut_off(&mut self, addr: &HostPort) -> anyhow::Result<Option<String>> {
        let index = self.index_of(addr)?;
        match &self.network {
            Some(network) => {
                network.cut_off(index)?;
                Ok(None)
            }
            None => {
                self.stop(addr)?;
                Ok(Some(
                    "the node was stopped (SIGSTOP) instead of cut off: network namespaces need root and iproute2".to_owned(),
                ))
            }
        }
    }

    /// Ends [`LocalCluster::cut_off`].
    pub fn reconnect(&mut self, addr: &HostPort) -> anyhow::Result<()> {
        let index = self.index_of(addr)?;
        match &self.network {
            Some(network) => Ok(network.reconnect(index)?),
            None => self.resume(addr),
        }
    }

    /// The primaries' addresses.
    pub fn seeds(&self) -> Vec<HostPort> {
        self.nodes
            .iter()
            .filter(|n| !n.replica)
            .map(|n| n.addr.clone())
            .collect()
    }

    /// Every node with the id of its process.
    pub fn processes(&self) -> impl Iterator<Item = (&Node, u32)> {
        self.nodes.iter().zip(self.processes.iter().map(NodeProcess::id))
    }

    /// Ends the processes and waits for them.
    pub fn end(&mut self) {
        end_all(&mut self.processes);
        self.processes.clear();
    }
}

impl Drop for LocalCluster {
    fn drop(&mut self) {
        if self.bond == Bond::DiesWithUs {
            self.end();
        }
    }
}

fn choose_ports(plan: &LaunchPlan) -> Result<Vec<u16>, LaunchError> {
    let count = plan.shape.node_count();
    let Some(first) = plan.first_port else {
        let engine = plan.engine.name().to_owned();
        return ports::find_free(count).map_err(|cause| LaunchError::Io { engine, cause });
    };
    let last = u32::from(first) + count - 1;
    let highest = if plan.shape.cluster {
        u16::MAX - shape::BUS_OFFSET
    } else {
        u16::MAX
    };
    if last > u32::from(highest) {
        return Err(LaunchError::PortTooHigh(first));
    }
    let ports: Vec<u16> = (first..=last as u16).collect();
    for &port in &ports {
        let needed = [Some(port), plan.shape.cluster.then(|| bus_port(port))];
        if let Some(taken) = needed.into_iter().flatten().find(|&p| !ports::is_free(p)) {
            return Err(LaunchError::PortTaken(taken));
        }
    }
    Ok(ports)
}

fn prepare_node(
    plan: &LaunchPlan,
    planned: &[PlannedNode],
    hosts: &[String],
    index: usize,
    dir: &Path,
    loadgen: &Path,
) -> io::Result<Start> {
    let node_dir = dir.join(format!("node-{}", planned[index].port));
    std::fs::create_dir_all(&node_dir)?;
    if plan.shape.cluster {
        std::fs::write(
            node_dir.join("nodes.conf"),
            shape::nodes_conf(planned, hosts, index),
        )?;
    }
    let mut command = plan.engine.command(loadgen);
    command.extend(node_args(plan, &hosts[index], planned[index].port, &node_dir));
    Ok(Start {
        command,
        log: log_of(&node_dir),
    })
}

/// Where a node's output goes.
pub fn log_of(node_dir: &Path) -> PathBuf {
    node_dir.join("node.log")
}

fn node_args(plan: &LaunchPlan, host: &str, port: u16, dir: &Path) -> Vec<OsString> {
    let mut args: Vec<OsString> = Vec::new();
    let mut directive = |name: &str, values: &[&str]| {
        args.push(format!("--{name}").into());
        args.extend(values.iter().map(OsString::from));
    };
    directive("port", &[&port.to_string()]);
    directive("bind", &[host]);
    directive("save", &[""]);
    directive("appendonly", &["no"]);
    if plan.shape.cluster {
        directive("cluster-enabled", &["yes"]);
        directive("cluster-config-file", &["nodes.conf"]);
        directive("cluster-node-timeout", &["5000"]);
    }
    if plan.shape.replicas_each > 0 {
        directive("repl-diskless-sync-delay", &["0"]);
    }
    let threads = plan.node_threads.to_string();
    match plan.engine.family() {
        Family::Slotmark => directive("slotmark-workers", &[&threads]),
        Family::Stock if plan.node_threads > 1 => directive("io-threads", &[&threads]),
        Family::Stock => {}
    }
    for line in &plan.directives {
        let (name, values) = words_of(line);
        directive(name, &values);
    }
    if let Some(auth) = plan.auth() {
        directive("masterauth", &[&auth.password]);
    }
    args.push("--dir".into());
    args.push(dir.into());
    args
}

/// The name and the values of a directive; quotes around a value go.
fn words_of(line: &str) -> (&str, Vec<&str>) {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default().trim_start_matches("--");
    (name, words.map(|word| word.trim_matches('"')).collect())
}

/// Whether a node can be used; if not, why.
fn check_ready(
    addr: &HostPort,
    auth: Option<&Auth>,
    cluster: bool,
    replica: bool,
) -> Result<Option<String>, AdminError> {
    let mut admin = Admin::connect(addr, auth, ASK_TIMEOUT)?;
    if cluster {
        let info = admin.text(&["CLUSTER", "INFO"])?;
        if field(&info, "cluster_state") != Some("ok") {
            return Ok(Some("the cluster is not complete".to_owned()));
        }
    } else {
        admin.call(&["PING"])?;
    }
    if replica {
        let info = admin.text(&["INFO", "replication"])?;
        if field(&info, "master_link_status") != Some("up") {
            return Ok(Some("the replica has not synchronised".to_owned()));
        }
    }
    Ok(None)
}

fn lost_its_port(output: &str) -> bool {
    output.contains("HostPort already in use") || output.contains("Failed listening on port")
}

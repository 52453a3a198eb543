//! Launching a cluster of our own: every node starts with a nodes.conf in which the whole cluster already stands,
//! so that nothing has to be created, met or assigned afterwards, in stock redis-server as in ours.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::engine::Engine;
use super::network::Network;
use super::process::{Bond, NodeProcess, end_all};
use super::shape::{self, Shape};
use super::signals::StopFlag;
use crate::load::{Auth, HostPort};

mod harm;
mod start;

pub use start::log_of;
use start::{check_ready, choose_ports, lost_its_port, prepare_node, words_of};

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
    /// The core that all nodes are bound to, if any.
    pub core: Option<usize>,
}

impl LaunchPlan {
    /// One node with one thread, on one core, as engines are compared.
    pub fn one_node(engine: &Engine, cluster: bool, core: usize) -> Self {
        Self {
            engine: engine.clone(),
            shape: Shape {
                primaries: 1,
                replicas_each: 0,
                cluster,
            },
            node_threads: 1,
            directives: Vec::new(),
            first_port: None,
            namespaces: false,
            bond: Bond::DiesWithUs,
            core: Some(core),
        }
    }

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
    #[error("{0} cannot be told of other nodes: it runs alone here (--nodes 1, no replicas)")]
    NoBus(String),
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
    core: Option<usize>,
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
        if plan.shape.node_count() > 1 && !plan.engine.family().has_bus() {
            return Err(LaunchError::NoBus(plan.engine.name().to_owned()));
        }
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
            core: plan.core,
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
        NodeProcess::spawn(
            &self.loadgen,
            &start.command,
            start.log.clone(),
            self.bond,
            self.core,
        )
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

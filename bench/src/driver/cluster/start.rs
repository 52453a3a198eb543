//! How a node is started: its port, its files, its directives; and when it is ready.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::{ASK_TIMEOUT, LaunchError, LaunchPlan, Start};
use crate::driver::admin::{Admin, AdminError, field};
use crate::driver::engine::Family;
use crate::driver::ports;
use crate::driver::shape::{self, PlannedNode, bus_port};
use crate::load::{Auth, HostPort};

pub(super) fn choose_ports(plan: &LaunchPlan) -> Result<Vec<u16>, LaunchError> {
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

pub(super) fn prepare_node(
    plan: &LaunchPlan,
    planned: &[PlannedNode],
    hosts: &[String],
    index: usize,
    dir: &Path,
    loadgen: &Path,
) -> io::Result<Start> {
    let node_dir = dir.join(format!("node-{}", planned[index].port));
    std::fs::create_dir_all(&node_dir)?;
    if plan.shape.cluster && plan.engine.family().has_bus() {
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
    let port = port.to_string();
    directive("port", &[&port]);
    directive("bind", &[host]);
    let threads = plan.node_threads.to_string();
    match plan.engine.family() {
        Family::Slotmark => {
            stocks_directives(plan, &mut directive);
            directive("slotmark-workers", &[&threads]);
        }
        Family::Stock | Family::KeyDb if plan.node_threads == 1 => stocks_directives(plan, &mut directive),
        Family::Stock => {
            stocks_directives(plan, &mut directive);
            directive("io-threads", &[&threads]);
        }
        Family::KeyDb => {
            stocks_directives(plan, &mut directive);
            directive("server-threads", &[&threads]);
        }
        Family::Dragonfly => {
            directive("proactor_threads", &[&threads]);
            directive("dbfilename", &[""]);
            if plan.shape.cluster {
                directive("cluster_mode", &["emulated"]);
            }
        }
        Family::Kevy => {
            directive("threads", &[&threads]);
            directive("no-aof", &[]);
            if plan.shape.cluster {
                directive("cluster", &[]);
            }
        }
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

/// What servers are told that have redis.conf's directives.
fn stocks_directives(plan: &LaunchPlan, directive: &mut impl FnMut(&str, &[&str])) {
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
}

/// The name and the values of a directive; quotes around a value go.
pub(super) fn words_of(line: &str) -> (&str, Vec<&str>) {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default().trim_start_matches("--");
    (name, words.map(|word| word.trim_matches('"')).collect())
}

/// Whether a node can be used; if not, why.
pub(super) fn check_ready(
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

pub(super) fn lost_its_port(output: &str) -> bool {
    output.contains("HostPort already in use") || output.contains("Failed listening on port")
}

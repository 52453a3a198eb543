//! Doing it to a node, and undoing it.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use workloads::spec::FaultKind;

use crate::driver::LocalCluster;
use crate::driver::admin::Admin;
use crate::driver::shards::Shard;
use crate::load::{Auth, HostPort};

const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// A command line that has not ended so long after the round is ended.
const COMMAND_PATIENCE: Duration = Duration::from_secs(10);

/// A fault that has been done.
#[derive(Debug, Default)]
pub struct Done {
    /// What a reader of the report should know of how it was done.
    pub note: Option<String>,
    /// A command line that may still run.
    pub child: Option<Child>,
}

/// Does it to the primary of a shard.
pub fn begin(
    kind: &FaultKind,
    shard: &Shard,
    cluster: Option<&mut LocalCluster>,
    auth: Option<&Auth>,
) -> anyhow::Result<Done> {
    let victim = &shard.primary;
    let launched = || cluster.context("the node was not started by loadgen");
    let mut done = Done::default();
    match kind {
        FaultKind::Kill { .. } => launched()?.kill(victim)?,
        FaultKind::Term { .. } => launched()?.terminate(victim)?,
        FaultKind::Stop { .. } => launched()?.stop(victim)?,
        FaultKind::Partition { .. } => done.note = launched()?.cut_off(victim)?,
        FaultKind::Pause { length } => {
            let millis = length.as_millis().to_string();
            Admin::connect(victim, auth, ASK_TIMEOUT)?.call(&["CLIENT", "PAUSE", &millis, "ALL"])?;
        }
        FaultKind::Failover => {
            let Some(replica) = shard.replicas.first() else {
                bail!("{victim} has no replica that could take over");
            };
            Admin::connect(replica, auth, ASK_TIMEOUT)?.call(&["CLUSTER", "FAILOVER"])?;
        }
        FaultKind::Command { command } => {
            let child = Command::new("sh")
                .arg("-c")
                .arg(command)
                .env("SLOTMARK_NODE", victim.to_string())
                .stdin(Stdio::null())
                // Results are on stdout: what the command says goes where talk goes.
                .stdout(std::io::stderr())
                .spawn()
                .with_context(|| format!("cannot run the fault's command line: {command}"))?;
            done.child = Some(child);
        }
    }
    Ok(done)
}

/// Undoes it: resumes, heals or restarts the node. Nothing to do where the fault ends by itself.
pub fn end(kind: &FaultKind, victim: &HostPort, cluster: Option<&mut LocalCluster>) -> anyhow::Result<()> {
    let Some(cluster) = cluster else { return Ok(()) };
    match kind {
        FaultKind::Kill { .. } | FaultKind::Term { .. } => cluster.restart(victim),
        FaultKind::Stop { .. } => cluster.resume(victim),
        FaultKind::Partition { .. } => cluster.reconnect(victim),
        FaultKind::Pause { .. } | FaultKind::Failover | FaultKind::Command { .. } => Ok(()),
    }
}

/// Waits for a command line, and says what was wrong with it.
pub fn wait_for(mut child: Child) -> Option<String> {
    let deadline = Instant::now() + COMMAND_PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return None,
            Ok(Some(status)) => return Some(format!("the fault's command line ended with {status}")),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                return Some("the fault's command line did not end, and was killed".to_owned());
            }
        }
    }
}

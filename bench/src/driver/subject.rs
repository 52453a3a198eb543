//! What is measured: a cluster that was launched for it, or a target that runs already.

use std::path::Path;

use crate::load::{Auth, HostPort, Outcome, Target};
use crate::report::model::{EngineInfo, LostKey, RoundContext, Step};

use super::cluster::{LaunchError, LaunchPlan, LocalCluster};
use super::existing::Existing;
use super::signals::StopFlag;
use super::usage::UsageProbe;

/// One engine under load, and what has been measured on it so far.
#[derive(Debug)]
pub struct Subject {
    pub engine: String,
    pub version: String,
    pub target: Target,
    pub probe: UsageProbe,
    /// The rounds of each step of a sweep; one step when it is none.
    pub steps: Vec<Rounds>,
    /// Keys that have lost acknowledged writes, of all rounds.
    pub lost_keys: Vec<LostKey>,
    cluster: Option<LocalCluster>,
    launch: Option<LaunchPlan>,
}

/// The rounds of one step, with what was seen of the servers in each.
#[derive(Debug, Default)]
pub struct Rounds {
    /// Which step, where the driver names it itself.
    pub step: Option<Step>,
    pub outcomes: Vec<Outcome>,
    pub contexts: Vec<RoundContext>,
}

impl Subject {
    pub fn launched(name: String, plan: &LaunchPlan, cluster: LocalCluster, resp3: bool) -> Self {
        Self {
            engine: name,
            version: plan.engine.version().to_owned(),
            target: Target {
                seeds: cluster.seeds(),
                auth: plan.auth(),
                resp3,
            },
            probe: processes(&cluster),
            steps: Vec::new(),
            lost_keys: Vec::new(),
            cluster: Some(cluster),
            launch: Some(plan.clone()),
        }
    }

    pub fn existing(existing: &Existing, seeds: &[HostPort], auth: Option<Auth>, resp3: bool) -> Self {
        Self {
            engine: existing.engine.clone(),
            version: existing.version.clone(),
            probe: UsageProbe::Nodes {
                addrs: existing.primaries.clone(),
                auth: auth.clone(),
            },
            target: Target {
                seeds: seeds.to_vec(),
                auth,
                resp3,
            },
            steps: Vec::new(),
            lost_keys: Vec::new(),
            cluster: None,
            launch: None,
        }
    }

    pub fn info(&self, step: Option<Step>) -> EngineInfo {
        EngineInfo {
            engine: self.engine.clone(),
            version: self.version.clone(),
            step,
        }
    }

    /// Starts a launched cluster from nothing, for a round that must not see what faults have left of the last one.
    pub fn relaunch(&mut self, dir: &Path, loadgen: &Path, stop: &StopFlag) -> Result<(), LaunchError> {
        let Some(plan) = &self.launch else { return Ok(()) };
        if let Some(mut old) = self.cluster.take() {
            old.end();
        }
        let cluster = LocalCluster::launch(plan, dir, loadgen, stop)?;
        self.target.seeds = cluster.seeds();
        self.probe = processes(&cluster);
        self.cluster = Some(cluster);
        Ok(())
    }

    /// Makes the calling thread, and those it starts, see the network that the nodes are in.
    pub fn enter_network(&self) -> anyhow::Result<()> {
        match &self.cluster {
            Some(cluster) => cluster.enter_network(),
            None => Ok(()),
        }
    }

    /// Every node that was launched.
    pub fn all_nodes(&self) -> Vec<HostPort> {
        let nodes = self.cluster.iter().flat_map(|cluster| &cluster.nodes);
        nodes.map(|node| node.addr.clone()).collect()
    }

    /// The nodes that can be asked what they have done.
    pub fn asked_nodes(&self) -> Vec<HostPort> {
        match &self.probe {
            UsageProbe::Nodes { addrs, .. } => addrs.clone(),
            UsageProbe::Processes(_) => self.all_nodes(),
        }
    }

    /// The target and, if it was launched, its nodes.
    pub fn parts(&mut self) -> (&Target, &UsageProbe, Option<&mut LocalCluster>) {
        (&self.target, &self.probe, self.cluster.as_mut())
    }

    /// Which of the launched nodes has ended by itself, and how.
    pub fn dead_node(&mut self) -> Option<String> {
        self.cluster.as_mut()?.dead_node()
    }
}

fn processes(cluster: &LocalCluster) -> UsageProbe {
    let by_address = cluster
        .processes()
        .map(|(node, pid)| (node.addr.to_string(), pid));
    UsageProbe::Processes(by_address.collect())
}

//! What is measured: a cluster that was launched for it, or a target that runs already.

use crate::load::{Auth, HostPort, Outcome, Target};
use crate::report::model::{EngineInfo, RoundContext, Step};

use super::cluster::{LaunchPlan, LocalCluster};
use super::existing::Existing;
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
    cluster: Option<LocalCluster>,
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
        let processes = cluster
            .processes()
            .map(|(node, pid)| (node.addr.to_string(), pid))
            .collect();
        Self {
            engine: name,
            version: plan.engine.version().to_owned(),
            target: Target {
                seeds: cluster.seeds(),
                auth: plan.auth(),
                resp3,
            },
            probe: UsageProbe::Processes(processes),
            steps: Vec::new(),
            cluster: Some(cluster),
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
            cluster: None,
        }
    }

    pub fn info(&self, step: Option<Step>) -> EngineInfo {
        EngineInfo {
            engine: self.engine.clone(),
            version: self.version.clone(),
            step,
        }
    }

    /// Which of the launched nodes has ended by itself, and how.
    pub fn dead_node(&mut self) -> Option<String> {
        self.cluster.as_mut()?.dead_node()
    }
}

//! From the workload's settings to the plan of each round, and to what the report says of them.

use std::sync::Arc;
use std::time::Duration;

use workloads::Workload;

use super::{Against, Session};
use crate::driver::existing;
use crate::driver::subject::Subject;
use crate::load::{Plan, Until};
use crate::report::model::{Settings, Step};

/// A round shorter than this measures its own edges.
const SHORTEST_ROUND: Duration = Duration::from_millis(100);
/// From this length of a round on its slices are a second long, below a tenth of one.
const LONG_ROUND: Duration = Duration::from_secs(8);
/// Each slice keeps a histogram, so a long round has longer ones instead of more.
const MOST_SLICES: u64 = 900;

impl Session {
    pub(in crate::driver) fn plan(
        &self,
        workload: &Arc<Workload>,
        subject: &Subject,
        pipeline: u32,
        round: u32,
    ) -> Plan {
        let clients = self.spec.run.clients;
        let length = self.round_length();
        Plan {
            workload: Arc::clone(workload),
            target: subject.target.clone(),
            clients,
            threads: self.threads.min(clients),
            pipeline,
            until: length,
            warmup: self.spec.run.warmup / self.rounds,
            // Every round goes on where a new set of clients begins; in the same round both engines get the same.
            client_base: round.saturating_mul(clients),
            interval: slice_length(length),
            trace_shards: self.has_faults(),
            audit: self.audit.then_some(round),
            wait: self.wait,
            pin: Vec::new(),
        }
    }

    pub(in crate::driver) fn round_length(&self) -> Until {
        match self.spec.run.requests {
            Some(requests) => Until::Requests(requests.div_ceil(u64::from(self.rounds))),
            None => Until::Duration((self.spec.run.duration / self.rounds).max(SHORTEST_ROUND)),
        }
    }

    pub(in crate::driver) fn label(&self, engine: &str, step: usize, round: u32) -> String {
        let mut label = format!("measuring {engine}");
        if let Some(step) = self.step(step) {
            label += &format!(", {step}");
        }
        if self.rounds > 1 {
            label += &format!(", round {} of {}", round + 1, self.rounds);
        }
        label
    }

    pub(in crate::driver) fn step(&self, index: usize) -> Option<Step> {
        let depths = &self.spec.run.pipeline;
        (depths.len() > 1).then(|| Step {
            parameter: "pipeline".to_owned(),
            value: u64::from(depths[index]),
        })
    }

    /// Whether every server on this machine is known to be one: its work is not taken for that of strangers.
    pub(in crate::driver) fn knows_servers(&self) -> bool {
        match &self.against {
            Against::Launched { .. } => true,
            Against::Existing { seeds, .. } => !existing::is_local(seeds),
        }
    }

    pub(in crate::driver) fn settings(&self, nodes: u32, replicas: u32, cluster: bool) -> Settings {
        let (duration_s, requests) = match self.round_length() {
            Until::Duration(d) => (Some(d.as_secs_f64()), None),
            Until::Requests(n) => (None, Some(n)),
        };
        Settings {
            clients: self.spec.run.clients,
            threads: self.threads.min(self.spec.run.clients),
            pipeline: self.spec.run.pipeline.first().copied().unwrap_or(1),
            rounds: self.rounds,
            duration_s,
            requests,
            warmup_s: (self.spec.run.warmup / self.rounds).as_secs_f64(),
            arrivals: self.spec.arrival.name().to_owned(),
            rate: self.spec.arrival.rate(),
            protocol: if self.resp3 { 3 } else { 2 },
            nodes,
            replicas,
            cluster,
            launched: false,
        }
    }
}

/// How long the slices of a round are in which its course is shown.
fn slice_length(round: Until) -> Duration {
    match round {
        Until::Duration(length) if length < LONG_ROUND => Duration::from_millis(100),
        Until::Duration(length) => Duration::from_secs(length.as_secs().div_ceil(MOST_SLICES).max(1)),
        Until::Requests(_) => Duration::from_secs(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_show_the_course_and_stay_few() {
        let of = |seconds| slice_length(Until::Duration(Duration::from_secs(seconds)));
        assert_eq!(of(2), Duration::from_millis(100));
        assert_eq!(
            (of(10), of(900)),
            (Duration::from_secs(1), Duration::from_secs(1))
        );
        assert_eq!(of(24 * 3600), Duration::from_secs(96));
    }
}

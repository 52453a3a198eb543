//! The engine against servers that misbehave on purpose (`fake`), and against a stock server where one is installed.

mod beside;
mod fake;
mod open_loop;
mod redirects;
mod replicas;
mod running;
mod stock;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use workloads::{Spec, Workload};

use super::{HostPort, Outcome, Plan, Target, Until, Watch, run};

pub(super) fn workload(text: &str) -> Arc<Workload> {
    Spec::parse("test", "test.toml", text)
        .unwrap()
        .compile(11)
        .unwrap()
}

pub(super) fn target(seeds: Vec<HostPort>) -> Target {
    Target {
        seeds,
        auth: None,
        resp3: false,
    }
}

/// A round of so many operations, by 4 clients on 2 threads, 3 deep.
pub(super) fn plan(workload: &Arc<Workload>, seeds: Vec<HostPort>, requests: u64) -> Plan {
    Plan {
        workload: Arc::clone(workload),
        target: target(seeds),
        clients: 4,
        threads: 2,
        pipeline: 3,
        until: Until::Requests(requests),
        warmup: Duration::ZERO,
        client_base: 0,
        interval: Duration::from_millis(100),
        trace_shards: false,
        audit: None,
        wait: None,
        pin: Vec::new(),
    }
}

pub(super) fn ops(outcome: &Outcome) -> u64 {
    outcome.commands.iter().map(|command| command.ops).sum()
}

pub(super) fn errors(outcome: &Outcome) -> u64 {
    outcome.errors.values().sum()
}

/// Why a round does not start. An outcome is far too long to be shown when it does after all.
pub(super) fn refusal(plan: &Plan) -> String {
    let outcome = run(plan, &Watch::new()).map(|outcome| outcome.ended);
    outcome.expect_err("the round starts").to_string()
}

/// Whatever happens, the views of an outcome agree with each other.
pub(super) fn assert_adds_up(outcome: &Outcome) {
    let total = ops(outcome);
    assert_eq!(
        outcome.nodes.iter().map(|node| node.ops).sum::<u64>(),
        total,
        "by node"
    );
    assert_eq!(
        outcome.intervals.iter().map(|slice| slice.ops).sum::<u64>(),
        total,
        "by slice"
    );
    assert_eq!(
        outcome.intervals.iter().map(|slice| slice.errors).sum::<u64>(),
        errors(outcome),
        "errors by slice"
    );
    for command in &outcome.commands {
        assert_eq!(command.latency.len(), command.ops);
    }
    let ends = outcome.intervals.iter().map(|slice| slice.start + slice.length);
    assert!(
        ends.clone()
            .all(|end| end <= outcome.measured.max(Duration::from_millis(100))),
        "slices within the round"
    );
}

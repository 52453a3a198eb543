//! Putting together what the threads of a round have counted.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use slotcore::SLOT_COUNT;

use super::plan::HostPort;
use super::round::owned;
use super::staleness::StalenessOutcome;
use super::worker::WorkerOutcome;
use crate::measure::{ShardTrace, empty_histogram};
use crate::report::outcome::{
    CommandOutcome, Ended, Interval, NodeOutcome, OpenLoopOutcome, Outcome, ShardOutcome,
};

/// Merges the threads of one round. `commands` are the names of the commands, in the order of their numbers.
pub(super) fn merge(
    workers: Vec<WorkerOutcome>,
    commands: Vec<String>,
    interval: Duration,
    elapsed: Duration,
    clock_drift_ppm: f64,
    open_loop: bool,
    shards: Vec<(String, u16)>,
) -> Outcome {
    let start_ns = workers
        .iter()
        .map(|worker| worker.measured_ns.0)
        .min()
        .unwrap_or(0);
    let end_ns = workers
        .iter()
        .map(|worker| worker.measured_ns.1)
        .max()
        .unwrap_or(0);
    let measured = Duration::from_nanos(end_ns - start_ns);
    let mut outcome = Outcome {
        elapsed,
        measured,
        commands: commands.into_iter().map(command).collect(),
        nodes: Vec::new(),
        slots: vec![0; SLOT_COUNT],
        intervals: Vec::new(),
        open: None,
        writes: Vec::new(),
        beside: None,
        staleness: None,
        holds: None,
        delivery: None,
        shards: shards
            .into_iter()
            .map(|(addr, slots)| ShardOutcome {
                addr,
                slots,
                trace: ShardTrace::default(),
            })
            .collect(),
        errors: Default::default(),
        moved: 0,
        ask: 0,
        retries: 0,
        unknown_scripts: 0,
        reconnects: 0,
        misses: 0,
        cache: None,
        bytes_in: 0,
        bytes_out: 0,
        client_cpu: Duration::ZERO,
        clock_drift_ppm,
        ended: Ended::Completed,
    };
    for worker in workers {
        absorb(&mut outcome, worker, interval, open_loop);
    }
    for command in &mut outcome.commands {
        command.ops = command.latency.len();
    }
    for node in &mut outcome.nodes {
        node.ops = node.latency.len();
    }
    // Nodes that got nothing are not part of the load: replicas, and owners of no slot.
    outcome.nodes.retain(|node| node.ops > 0);
    outcome.nodes.sort_by(|a, b| a.addr.cmp(&b.addr));
    set_bounds(&mut outcome.intervals, interval, measured);
    outcome
}

fn command(name: String) -> CommandOutcome {
    CommandOutcome {
        name,
        ops: 0,
        latency: empty_histogram(),
        service: None,
        replies: BTreeMap::new(),
        reply_counts: Vec::new(),
    }
}

fn absorb(outcome: &mut Outcome, worker: WorkerOutcome, interval: Duration, open_loop: bool) {
    let recorded = worker.recorded;
    for (number, (at, id)) in worker.nodes.into_iter().enumerate() {
        let node = node_of(&mut outcome.nodes, &at, id);
        for (place, command) in outcome.commands.iter_mut().enumerate() {
            let at = number * recorded.commands + place;
            let Some(service) = recorded.latency.get(at) else {
                continue;
            };
            let by_node = &mut outcome.nodes[node];
            match recorded.response.get(at) {
                None => {
                    add(&mut by_node.latency, service);
                    add(&mut command.latency, service);
                }
                Some(response) => {
                    add(&mut by_node.latency, response);
                    add(&mut command.latency, response);
                    add(by_node.service.get_or_insert_with(empty_histogram), service);
                    add(command.service.get_or_insert_with(empty_histogram), service);
                }
            }
        }
    }
    for (command, counts) in outcome.commands.iter_mut().zip(&recorded.replies) {
        let sums = &mut command.reply_counts;
        sums.resize(sums.len().max(counts.len()), 0);
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    for (sum, count) in outcome.slots.iter_mut().zip(&recorded.slots) {
        *sum += count;
    }
    for (place, slice) in recorded.slices.into_iter().enumerate() {
        if outcome.intervals.len() <= place {
            let empty = Interval {
                start: interval * place as u32,
                length: interval,
                ops: 0,
                errors: 0,
                latency: empty_histogram(),
                service: None,
            };
            outcome.intervals.push(empty);
        }
        let sum = &mut outcome.intervals[place];
        match &slice.response {
            None => add(&mut sum.latency, &slice.latency),
            Some(response) => {
                add(&mut sum.latency, response);
                add(sum.service.get_or_insert_with(empty_histogram), &slice.latency);
            }
        }
        sum.ops += slice.latency.len();
        sum.errors += slice.errors;
    }
    for (class, count) in owned(recorded.errors) {
        *outcome.errors.entry(class).or_default() += count;
    }
    outcome.writes.extend(worker.writes);
    if let Some(staleness) = &worker.staleness {
        outcome
            .staleness
            .get_or_insert_with(StalenessOutcome::new)
            .add(staleness);
    }
    for (sum, trace) in outcome.shards.iter_mut().zip(&worker.shards) {
        sum.trace.add(trace);
    }
    outcome.misses += recorded.misses;
    if recorded.cache.reads > 0 {
        let cache = outcome.cache.get_or_insert_default();
        cache.reads += recorded.cache.reads;
        cache.misses += recorded.cache.misses;
    }
    if open_loop {
        let open = outcome.open.get_or_insert_with(|| OpenLoopOutcome {
            scheduled: 0,
            missed: 0,
            late: 0,
            delay: empty_histogram(),
        });
        open.scheduled += worker.scheduled;
        open.missed += worker.missed;
        open.late += recorded.late;
        add(&mut open.delay, &recorded.delay);
    }
    let tally = worker.tally;
    outcome.moved += tally.moved;
    outcome.ask += tally.ask;
    outcome.retries += tally.retries;
    outcome.unknown_scripts += tally.unknown_scripts;
    outcome.reconnects += tally.reconnects;
    outcome.bytes_in += tally.bytes_in;
    outcome.bytes_out += tally.bytes_out;
    outcome.client_cpu += worker.cpu;
    if outcome.ended == Ended::Completed {
        outcome.ended = worker.ended;
    }
}

fn node_of(nodes: &mut Vec<NodeOutcome>, at: &HostPort, id: Option<String>) -> usize {
    let addr = at.to_string();
    let place = nodes
        .iter()
        .position(|node| node.addr == addr)
        .unwrap_or_else(|| {
            nodes.push(NodeOutcome {
                addr,
                id: None,
                ops: 0,
                latency: empty_histogram(),
                service: None,
            });
            nodes.len() - 1
        });
    if id.is_some() {
        nodes[place].id = id;
    }
    place
}

/// The last slice is as long as the time that was left for it.
fn set_bounds(intervals: &mut [Interval], interval: Duration, measured: Duration) {
    if let Some(last) = intervals.last_mut() {
        last.length = measured.saturating_sub(last.start).min(interval);
    }
}

fn add(sum: &mut Histogram<u64>, more: &Histogram<u64>) {
    // The sum grows as needed, so adding cannot fail.
    let added = sum.add(more);
    debug_assert!(added.is_ok());
}

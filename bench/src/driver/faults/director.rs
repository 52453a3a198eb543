//! The schedule of faults of one round: each at its time, watched by an observer, undone in the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::observer::Observer;
use super::{Planned, inject};
use crate::driver::shards::{Shard, shards};
use crate::driver::{LocalCluster, StopFlag};
use crate::load::{HostPort, Phase, Target, Watch};
use crate::report::model::FaultSeen;

const POLL: Duration = Duration::from_millis(2);

/// Runs the faults of one round. On the thread that started the cluster, since a restarted node must live as long as
/// the others.
#[derive(Debug)]
pub struct Director<'a> {
    target: &'a Target,
    cluster: Option<&'a mut LocalCluster>,
    /// As they were when the round began.
    shards: Vec<Shard>,
    faults: Vec<Planned>,
}

/// One fault while the round runs.
#[derive(Debug)]
struct Running {
    seen: FaultSeen,
    victim: HostPort,
    observer: Option<Observer>,
    child: Option<std::process::Child>,
    /// It has been begun and is not undone yet.
    under_way: bool,
}

impl<'a> Director<'a> {
    pub fn new(
        target: &'a Target,
        cluster: Option<&'a mut LocalCluster>,
        shards: Vec<Shard>,
        faults: Vec<Planned>,
    ) -> Self {
        Self {
            target,
            cluster,
            shards,
            faults,
        }
    }

    /// Does everything at its time, until the round is over; then what is left is undone, and what was seen returned.
    pub fn direct(mut self, watch: &Watch, stop: &StopFlag, over: &dyn Fn() -> bool) -> Vec<FaultSeen> {
        let Some(start) = wait_for_start(watch, over) else {
            return Vec::new();
        };
        let mut running: Vec<Option<Running>> = self.faults.iter().map(|_| None).collect();
        // Times of beginnings and ends; a fault's end comes up when it has begun.
        let mut agenda: BinaryHeap<Reverse<(Instant, usize, bool)>> = self
            .faults
            .iter()
            .enumerate()
            .map(|(number, fault)| Reverse((start + fault.at, number, false)))
            .collect();
        while !over() && watch.phase() == Phase::Measuring && !stop.is_raised() {
            let Some(&Reverse((due, number, is_end))) = agenda.peek() else {
                std::thread::sleep(POLL);
                continue;
            };
            let left = due.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                std::thread::sleep(left.min(POLL));
                continue;
            }
            agenda.pop();
            if is_end {
                if let Some(fault) = &mut running[number] {
                    end(&self.faults[number], fault, self.cluster.as_deref_mut(), start);
                }
                continue;
            }
            let begun = self.begin(number, start);
            if let Some(length) = self.faults[number].kind.ends_after()
                && begun.under_way
            {
                agenda.push(Reverse((Instant::now() + length, number, true)));
            }
            running[number] = Some(begun);
        }
        let finished = running.into_iter().enumerate();
        finished
            .filter_map(|(number, fault)| {
                Some(finish(
                    &self.faults[number],
                    fault?,
                    self.cluster.as_deref_mut(),
                    start,
                ))
            })
            .collect()
    }

    fn begin(&mut self, number: usize, start: Instant) -> Running {
        let fault = &self.faults[number];
        let then = &self.shards[fault.shard];
        // Who owns the slots may have changed since the round began.
        let also: Vec<HostPort> = self
            .shards
            .iter()
            .flat_map(|shard| std::iter::once(&shard.primary).chain(&shard.replicas))
            .cloned()
            .collect();
        let now = shards(self.target, &also);
        let shard = now
            .iter()
            .find(|shard| shard.first_slot == then.first_slot)
            .unwrap_or(then)
            .clone();
        let others = now.iter().map(|other| &other.primary);
        let witnesses: Vec<HostPort> = shard.replicas.iter().chain(others).cloned().collect();
        let observer = Observer::start(
            shard.primary.clone(),
            shard.first_slot,
            &witnesses,
            self.target.auth.clone(),
        );
        let at = Instant::now();
        let done = inject::begin(
            &fault.kind,
            &shard,
            self.cluster.as_deref_mut(),
            self.target.auth.as_ref(),
        );
        let mut seen = FaultSeen {
            kind: fault.kind.name().to_owned(),
            shard: fault.shard as u32,
            addr: shard.primary.to_string(),
            at_s: at.saturating_duration_since(start).as_secs_f64(),
            ..FaultSeen::default()
        };
        let (child, under_way) = match done {
            Ok(done) => {
                seen.note = done.note;
                (done.child, true)
            }
            Err(error) => {
                seen.problem = Some(format!("{error:#}"));
                (None, false)
            }
        };
        Running {
            seen,
            victim: shard.primary,
            observer: Some(observer),
            child,
            under_way,
        }
    }
}

fn end(fault: &Planned, running: &mut Running, cluster: Option<&mut LocalCluster>, start: Instant) {
    running.under_way = false;
    match inject::end(&fault.kind, &running.victim, cluster) {
        Ok(()) => running.seen.ended_s = Some(start.elapsed().as_secs_f64()),
        Err(error) => running.seen.problem = Some(format!("{error:#}")),
    }
}

fn finish(
    fault: &Planned,
    mut running: Running,
    cluster: Option<&mut LocalCluster>,
    start: Instant,
) -> FaultSeen {
    let sightings = running.observer.take().map(Observer::finish).unwrap_or_default();
    let since_start = |at: Instant| at.saturating_duration_since(start).as_secs_f64();
    running.seen.suspected_s = sightings.suspected.map(since_start);
    running.seen.failed_s = sightings.failed.map(since_start);
    if let Some((at, node)) = sightings.promoted {
        running.seen.promoted_s = Some(since_start(at));
        running.seen.promoted_addr = Some(node.to_string());
    }
    // A node that was to come back only after the end of the round comes back now, if it was to come back at all.
    if running.under_way && fault.kind.ends_after().is_some() {
        end(fault, &mut running, cluster, start);
        running.seen.ended_s = None;
    }
    if let Some(problem) = running.child.take().and_then(inject::wait_for) {
        running.seen.problem = Some(problem);
    }
    running.seen
}

/// When the measured time began; none if the round is over before that.
fn wait_for_start(watch: &Watch, over: &dyn Fn() -> bool) -> Option<Instant> {
    loop {
        if let Some(start) = watch.measured_since() {
            return Some(start);
        }
        if over() {
            return None;
        }
        std::thread::sleep(POLL);
    }
}

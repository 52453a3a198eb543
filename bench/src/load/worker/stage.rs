//! The stages of a round: connecting, warming up, measuring, draining.

use std::io;
use std::time::{Duration, Instant};

use mio::Events;

use super::super::holds::Holds;
use super::super::plan::{HostPort, Phase};
use super::super::staleness::{Staleness, StalenessOutcome};
use super::super::writes::WriteLog;
use super::trouble::UNANSWERED;
use super::{EVENTS, TICK_NS, Tally, Worker};
use crate::measure::{Recorded, Recorder, ShardTrace, ShardTraces, thread_cpu};
use crate::report::outcome::Ended;

/// Connections that are being made at the same time: more would overflow a listener's queue, and wait a second for it.
const CONNECTING_AT_ONCE: usize = 64;
/// For all connections to be made.
const START_LIMIT_NS: u64 = 15_000_000_000;
/// Late replies are waited for so long.
const DRAIN_NS: u64 = 5_000_000_000;
/// The same after somebody has asked the run to stop.
const STOPPED_DRAIN_NS: u64 = 500_000_000;

/// What a generator thread is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Connecting,
    WarmingUp,
    Measuring,
    Draining,
}

/// What a generator thread brings home.
#[derive(Debug)]
pub(in super::super) struct WorkerOutcome {
    pub recorded: Recorded,
    /// By the numbers that `recorded` uses.
    pub nodes: Vec<(HostPort, Option<String>)>,
    pub tally: Tally,
    /// Operations that were due in an open loop, and how many of them were not sent.
    pub scheduled: u64,
    pub missed: u64,
    /// Of a round whose reads went to replicas.
    pub staleness: Option<StalenessOutcome>,
    /// Of an audited round.
    pub writes: Option<WriteLog>,
    /// Where clients hold keys.
    pub holds: Holds,
    /// In the order of the round's shards; empty when they are not traced.
    pub shards: Vec<ShardTrace>,
    /// Processor time over the measured part.
    pub cpu: Duration,
    /// Start and end of the measured part, on the clock of the round.
    pub measured_ns: (u64, u64),
    pub ended: Ended,
}

/// When the stages of a round change, on its clock.
#[derive(Debug)]
struct Timeline {
    measure_ns: u64,
    /// `None` when the sources decide.
    end_ns: Option<u64>,
    drain_until_ns: u64,
    next_tick_ns: u64,
    cpu_start: Duration,
    /// Set when the measured part ends.
    cpu: Option<Duration>,
    measured_end_ns: u64,
    ended: Ended,
    /// What the watch has been told of already.
    told: (u64, u64),
}

impl Worker<'_> {
    /// Makes all connections to all owners of slots.
    ///
    /// # Errors
    /// When that does not succeed; the text says what stood in the way.
    pub fn connect_all(&mut self) -> Result<(), String> {
        let owners = self.routes.owners();
        let clients = 0..self.clients.len() as u32;
        let mut nodes = owners;
        if self.job.read_from_replicas {
            nodes.extend(self.routes.all_replicas());
        }
        let mut wanted = clients.flat_map(|client| nodes.iter().map(move |&node| (client, node)));
        let mut events = Events::with_capacity(EVENTS);
        let deadline_ns = self.job.clock.now_ns() + START_LIMIT_NS;
        let mut all_begun = false;
        loop {
            let mut unready = self
                .connections
                .iter()
                .filter(|connection| !connection.is_ready())
                .count();
            while unready < CONNECTING_AT_ONCE && !all_begun {
                match wanted.next() {
                    Some((client, node)) => {
                        let number = self.link(client, node);
                        self.connect(number);
                        unready += 1;
                    }
                    None => all_begun = true,
                }
            }
            if (unready == 0 && all_begun) || self.job.watch.stopped() {
                return Ok(());
            }
            let now_ns = self.job.clock.now_ns();
            if let Some(fatal) = self.fatal.take() {
                return Err(fatal);
            }
            if now_ns >= deadline_ns {
                let limit_s = START_LIMIT_NS / 1_000_000_000;
                return Err(format!(
                    "not all connections could be made within {limit_s} s; last: {}",
                    self.complaint
                ));
            }
            if let Some(lost) = self.job.scout.lost() {
                return Err(lost);
            }
            self.turn(&mut events, now_ns + TICK_NS)
                .map_err(|error| format!("waiting for sockets: {error}"))?;
            self.follow_map();
        }
    }

    /// Runs the round, whose warm-up begins at `start_ns`.
    pub fn run(mut self, start_ns: u64) -> io::Result<WorkerOutcome> {
        let job = self.job;
        let measure_ns = start_ns + job.warmup.as_nanos() as u64;
        let end_ns = job
            .duration
            .map(|duration| measure_ns + duration.as_nanos() as u64);
        self.recorder = Recorder::new(job.commands, measure_ns, job.interval.as_nanos() as u64, end_ns);
        if job.open_loop {
            self.recorder = self.recorder.open_loop();
        }
        self.recorder.set_nodes(self.routes.nodes().len());
        let slice_ns = job.interval.as_nanos() as u64;
        self.shards = job
            .shards
            .as_ref()
            .map(|map| ShardTraces::new(map.clone(), measure_ns, slice_ns));
        self.tally = Tally::default();
        let mut timeline = Timeline {
            measure_ns,
            end_ns,
            drain_until_ns: u64::MAX,
            next_tick_ns: 0,
            cpu_start: thread_cpu(),
            cpu: None,
            measured_end_ns: measure_ns,
            ended: Ended::Completed,
            told: (0, 0),
        };
        if job.warmup.is_zero() {
            self.begin_measuring(&mut timeline);
        } else {
            self.stage = Stage::WarmingUp;
            job.watch.enter(Phase::WarmingUp);
            self.plan_arrivals(start_ns);
            // What is due when measuring has begun is measured.
            self.last_due_ns = measure_ns - 1;
        }
        self.wake_all_clients();
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now_ns = self.turn(&mut events, self.next_look_ns(&timeline))?;
            if self.look_around(&mut timeline, now_ns) {
                return Ok(self.finish(timeline));
            }
        }
    }

    /// When something may be to do even if no socket has anything to say.
    fn next_look_ns(&self, timeline: &Timeline) -> u64 {
        let change_ns = match self.stage {
            Stage::WarmingUp => timeline.measure_ns,
            Stage::Measuring => timeline.end_ns.unwrap_or(u64::MAX),
            Stage::Draining | Stage::Connecting => timeline.drain_until_ns,
        };
        change_ns.min(timeline.next_tick_ns)
    }

    /// Changes the stage when it is time to, and says whether the round is over.
    fn look_around(&mut self, timeline: &mut Timeline, now_ns: u64) -> bool {
        match self.stage {
            Stage::WarmingUp if now_ns >= timeline.measure_ns => {
                self.begin_measuring(timeline);
                self.wake_all_clients();
            }
            Stage::Measuring if timeline.end_ns.is_some_and(|end_ns| now_ns >= end_ns) => {
                let end_ns = timeline.end_ns.unwrap_or(now_ns);
                // What was due until the end is sent, however late it is.
                self.send_more(now_ns);
                self.begin_draining(timeline, end_ns, now_ns + DRAIN_NS);
            }
            Stage::Measuring
                if self.under_way == 0 && self.clients.iter().all(|c| c.source.is_exhausted()) =>
            {
                self.begin_draining(timeline, now_ns, now_ns);
            }
            _ => {}
        }
        if now_ns >= timeline.next_tick_ns {
            timeline.next_tick_ns = now_ns + TICK_NS;
            self.tick(timeline, now_ns);
        }
        self.stage == Stage::Draining && (self.under_way == 0 || now_ns >= timeline.drain_until_ns)
    }

    fn wake_all_clients(&mut self) {
        (0..self.clients.len() as u32).for_each(|client| self.note_room(client));
        self.send_more(self.job.clock.now_ns());
    }

    fn tick(&mut self, timeline: &mut Timeline, now_ns: u64) {
        let told = (self.tally.ops, self.tally.errors);
        self.job
            .watch
            .add(told.0 - timeline.told.0, told.1 - timeline.told.1);
        timeline.told = told;
        if timeline.ended == Ended::Completed {
            let lost = self.job.scout.lost().or_else(|| self.fatal.take());
            if let Some(lost) = lost {
                timeline.ended = Ended::TargetLost(lost);
                self.begin_draining(timeline, now_ns, now_ns);
            } else if self.job.watch.stopped() {
                timeline.ended = Ended::Interrupted;
                self.begin_draining(timeline, now_ns, now_ns + STOPPED_DRAIN_NS);
            }
        }
        self.look_for_hung(now_ns);
        self.follow_map();
    }

    fn begin_measuring(&mut self, timeline: &mut Timeline) {
        self.stage = Stage::Measuring;
        let late = Duration::from_nanos(self.job.clock.now_ns().saturating_sub(timeline.measure_ns));
        let now = Instant::now();
        self.job
            .watch
            .begin_measuring(now.checked_sub(late).unwrap_or(now));
        self.job.watch.enter(Phase::Measuring);
        self.plan_arrivals(timeline.measure_ns);
        self.last_due_ns = timeline
            .end_ns
            .map_or(u64::MAX, |end_ns| end_ns.saturating_sub(1));
        (self.tally.bytes_in, self.tally.bytes_out) = (0, 0);
        timeline.cpu_start = thread_cpu();
    }

    /// Nothing new is sent from here on. A round that was draining already only gets its deadline moved up.
    fn begin_draining(&mut self, timeline: &mut Timeline, end_ns: u64, until_ns: u64) {
        if self.stage == Stage::Measuring {
            timeline.cpu = Some(thread_cpu().saturating_sub(timeline.cpu_start));
            timeline.measured_end_ns = end_ns.max(timeline.measure_ns);
            self.recorder.end_at(timeline.measured_end_ns);
        }
        self.stage = Stage::Draining;
        self.job.watch.enter(Phase::Draining);
        timeline.drain_until_ns = timeline.drain_until_ns.min(until_ns);
    }

    /// Counts what was never answered, and packs up.
    fn finish(mut self, mut timeline: Timeline) -> WorkerOutcome {
        let now_ns = self.job.clock.now_ns();
        self.give_up_waiting(now_ns);
        for number in 0..self.connections.len() {
            let (client, node) = (self.connections[number].client, self.connections[number].node);
            for sent in self.connections[number].close() {
                self.part_done(client, node, sent, now_ns, Some(UNANSWERED));
            }
        }
        for (client, sent) in self.timers.take_resends() {
            self.part_done(
                client,
                self.routes.owner(sent.slot),
                sent,
                now_ns,
                Some(UNANSWERED),
            );
        }
        self.tick(&mut timeline, now_ns);
        let nodes = self
            .routes
            .nodes()
            .iter()
            .map(|node| (node.at.clone(), node.id.clone()))
            .collect();
        WorkerOutcome {
            recorded: self.recorder.finish(timeline.measured_end_ns),
            nodes,
            tally: self.tally,
            scheduled: self.agenda.scheduled,
            missed: self.agenda.missed,
            // Kept for the staleness alone, it is nobody's business.
            writes: self.writes.filter(|_| !self.job.read_from_replicas),
            holds: self.holds,
            staleness: self.staleness.map(Staleness::finish),
            shards: self.shards.map(ShardTraces::finish).unwrap_or_default(),
            cpu: timeline.cpu.unwrap_or_default(),
            measured_ns: (timeline.measure_ns, timeline.measured_end_ns),
            ended: timeline.ended,
        }
    }
}

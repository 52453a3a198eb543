//! One generator thread: an event loop over the connections of its clients. It shares nothing while it runs.
//!
//! ```text
//!   turn:  wait for sockets and timers
//!            │
//!            ├─▶ read every socket that has something     replies.rs    each reply is timed when it has been read
//!            ├─▶ redirects, retries, errors, parts        trouble.rs    the rare kinds of replies
//!            ├─▶ what follows a reply                     sequel.rs
//!            ├─▶ timers                                   links.rs      connecting, connecting again, resending
//!            ├─▶ refill the windows, encode, write        send.rs       one write a connection
//!            │     or send what is due (open loop)        pace.rs
//!            └─▶ the stage: warm-up, measured, draining   stage.rs
//! ```
//!
//! All sockets are read before anything is written: a write costs several times what a read does, and replies that
//! wait for it would be timed late. An event loop of its own, rather than tasks on a runtime, tells which socket is
//! ready without asking the others, wakes nothing up, and reads once and writes once for a batch; at one operation
//! a batch, those two system calls are all there is.

mod alarm;
mod links;
mod pace;
mod replies;
mod send;
mod sequel;
mod stage;
mod trouble;

use std::io;
use std::time::Duration;

use mio::{Events, Poll};
use workloads::Parts;

use super::client::Client;
use super::connection::Connection;
use super::groups::Groups;
use super::holds::{Holds, Taken};
use super::job::Job;
use super::routes::Routes;
use super::staleness::Staleness;
use super::timers::Timers;
use super::writes::WriteLog;
use crate::measure::{Recorder, ShardTraces};
use alarm::Alarm;
use pace::Agenda;
pub(super) use sequel::ReplyClass;
use stage::Stage;
pub(super) use stage::WorkerOutcome;
use trouble::Trouble;

/// What one read takes at most.
const READ_SIZE: usize = 64 * 1024;
/// Events taken at once.
const EVENTS: usize = 512;
/// How often the thread looks around: for a stop, a new slot map, its counters.
const TICK_NS: u64 = 10_000_000;

/// Counts that are not by slot, node or time.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub moved: u64,
    pub ask: u64,
    pub retries: u64,
    /// Scripts that a server did not know and was sent in full.
    pub unknown_scripts: u64,
    pub reconnects: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub ops: u64,
    pub errors: u64,
}

/// A generator thread.
#[derive(Debug)]
pub(super) struct Worker<'a> {
    job: &'a Job<'a>,
    poll: Poll,
    clients: Vec<Client>,
    connections: Vec<Connection>,
    routes: Routes,
    map_version: u64,
    recorder: Recorder,
    /// In a round in which the shards are traced.
    shards: Option<ShardTraces>,
    /// In an audited round, and where staleness is measured.
    writes: Option<WriteLog>,
    staleness: Option<Staleness>,
    /// For choosing replicas in turn.
    turn_of_replica: usize,
    groups: Groups,
    /// Some operations are followed by others.
    has_sequels: bool,
    holds: Holds,
    timers: Timers,
    /// Of an open loop.
    agenda: Agenda,
    alarm: Option<Alarm>,
    tally: Tally,
    /// Operations outstanding, over all clients.
    under_way: u64,
    /// In an open loop nothing that is due after this is sent.
    last_due_ns: u64,
    stage: Stage,
    /// Clients with room in their window.
    with_room: Vec<u32>,
    /// Connections with bytes that nobody has tried to write.
    dirty: Vec<usize>,
    /// Replies that are not simply the end of an operation.
    troubles: Vec<Trouble>,
    /// The parts of the operation that is being sent.
    parts: Parts,
    input: Vec<u8>,
    /// The last complaint about a connection.
    complaint: String,
    /// The server will not talk to us, whatever we try.
    fatal: Option<String>,
}

impl<'a> Worker<'a> {
    pub fn new(job: &'a Job<'a>, number: u32, clients: Vec<Client>) -> io::Result<Self> {
        let mut routes = Routes::default();
        let map_version = job.scout.version();
        routes.apply(&job.scout.map());
        let poll = Poll::new()?;
        Ok(Self {
            job,
            alarm: job.open_loop.then(|| Alarm::new(poll.registry())).transpose()?,
            agenda: Agenda::default(),
            poll,
            clients,
            connections: Vec::new(),
            routes,
            map_version,
            // While connecting there is nothing to record: one slice that never ends.
            recorder: Recorder::new(job.commands, 0, u64::MAX, None),
            shards: None,
            // Less than 65,536 threads, and as many rounds.
            writes: job.audit.map(|round| WriteLog::new(round << 16 | number)),
            staleness: job.read_from_replicas.then(Staleness::new),
            turn_of_replica: 0,
            groups: Groups::default(),
            has_sequels: !job.sequels.is_empty(),
            holds: Holds::default(),
            timers: Timers::default(),
            tally: Tally::default(),
            under_way: 0,
            last_due_ns: u64::MAX,
            stage: Stage::Connecting,
            with_room: Vec::new(),
            dirty: Vec::new(),
            troubles: Vec::new(),
            parts: Parts::default(),
            input: vec![0; READ_SIZE],
            complaint: String::new(),
            fatal: None,
        })
    }

    /// Waits until `until_ns` at most, and does what is to be done then. Returns the time.
    fn turn(&mut self, events: &mut Events, until_ns: u64) -> io::Result<u64> {
        let wake_ns = self
            .timers
            .next_due_ns()
            .map_or(until_ns, |due| due.min(until_ns))
            .min(self.agenda.next_ns());
        let mut wait = Duration::from_nanos(wake_ns.saturating_sub(self.job.clock.now_ns()));
        if let Some(alarm) = &mut self.alarm
            && !wait.is_zero()
        {
            wait = alarm.ring_in(wait);
        }
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => other?,
        }
        for event in events.iter() {
            self.on_event(event);
        }
        self.settle_troubles();
        let now_ns = self.job.clock.now_ns();
        self.run_timers(now_ns);
        self.send_more(now_ns);
        Ok(now_ns)
    }
}

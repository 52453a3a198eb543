//! Connections that come and go at a rate, whatever becomes of those before them: one thread, one event loop.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll};
use slotcore::resp::encode_command;
use slotcore::slot_map::SlotMap;
use slotcore::slot_of;
use workloads::OpStream;
use workloads::spec::{Storm, StormCommand};

use super::super::discover::resolve;
use super::super::plan::{HostPort, Target};
use super::Moment;
use super::visitor::{News, Visitor};
use crate::measure::empty_histogram;
use crate::report::outcome::StormOutcome;

/// For a connection to be made and answered.
const LIMIT: Duration = Duration::from_secs(2);
/// Longest wait for sockets: the end of the round is seen by then.
const TICK: Duration = Duration::from_millis(5);
/// Connections that are open at once at most; what is due beyond is missed.
const MOST_OPEN: usize = 24_000;

/// Storms until the round is past; what is under way then is waited for a little.
pub(super) fn run(moment: Moment<'_>, target: &Target, storm: &Storm) -> StormOutcome {
    let outcome = StormOutcome {
        length: Duration::ZERO,
        due: 0,
        connected: 0,
        answered: 0,
        missed: 0,
        failed: Default::default(),
        most_open: 0,
        connect: empty_histogram(),
        answer: empty_histogram(),
    };
    let poll = match Poll::new() {
        Ok(poll) => poll,
        Err(_) => return outcome,
    };
    Thread {
        moment,
        storm,
        is_plain: target.auth.is_none() && !target.resp3,
        stream: moment.job.workload.client_stream(u32::MAX),
        addresses: Addresses::default(),
        poll,
        visitors: Vec::new(),
        free: Vec::new(),
        alarms: BinaryHeap::new(),
        open: 0,
        begun: 0,
        outcome,
    }
    .run()
}

struct Thread<'a> {
    moment: Moment<'a>,
    storm: &'a Storm,
    /// There is no handshake but the PING of every connection.
    is_plain: bool,
    /// Keys for GETs, from a client that no round has.
    stream: OpStream,
    addresses: Addresses,
    poll: Poll,
    visitors: Vec<Option<Visitor>>,
    free: Vec<usize>,
    /// When a visitor is to be closed, or given up.
    alarms: BinaryHeap<Reverse<(Instant, usize, u64)>>,
    open: usize,
    begun: u64,
    outcome: StormOutcome,
}

impl Thread<'_> {
    fn run(mut self) -> StormOutcome {
        let began = Instant::now();
        let distance = Duration::from_secs_f64(1.0 / self.storm.rate);
        let mut next = began;
        let mut ended: Option<Instant> = None;
        let mut events = Events::with_capacity(512);
        let mut chunk = vec![0; 16 * 1024];
        loop {
            let now = Instant::now();
            if ended.is_none() && self.moment.is_past() {
                self.outcome.length = now - began;
                ended = Some(now);
            }
            while ended.is_none() && next <= now {
                self.begin();
                next += distance;
            }
            self.ring(now);
            // Those that are held are not waited for.
            let waits = || self.visitors.iter().flatten().any(|visitor| !visitor.answered);
            if ended.is_some_and(|at| now >= at + LIMIT || !waits()) {
                break;
            }
            let wake = self.alarms.peek().map_or(now + TICK, |Reverse((at, ..))| *at);
            let wake = if ended.is_none() { wake.min(next) } else { wake };
            let wait = wake.saturating_duration_since(now).min(TICK);
            if self.poll.poll(&mut events, Some(wait)).is_err() {
                continue;
            }
            for event in &events {
                self.on_event(event.token().0, &mut chunk);
            }
        }
        for number in 0..self.visitors.len() {
            if self.visitors[number]
                .as_ref()
                .is_some_and(|visitor| !visitor.answered)
            {
                self.fail(number, "UNANSWERED");
            }
        }
        self.outcome
    }

    fn begin(&mut self) {
        self.outcome.due += 1;
        if self.open >= MOST_OPEN {
            self.outcome.missed += 1;
            return;
        }
        let (address, frame) = self.errand();
        let Some(address) = address else {
            *self.outcome.failed.entry("NO-NODE".to_owned()).or_default() += 1;
            return;
        };
        let number = self.free.pop().unwrap_or_else(|| {
            self.visitors.push(None);
            self.visitors.len() - 1
        });
        self.begun += 1;
        match Visitor::begin(address, frame, self.poll.registry(), number, self.begun) {
            Ok(visitor) => {
                self.alarms
                    .push(Reverse((visitor.began + LIMIT, number, self.begun)));
                self.visitors[number] = Some(visitor);
                self.open += 1;
                self.outcome.most_open = self.outcome.most_open.max(self.open as u64);
            }
            Err(class) => {
                self.free.push(number);
                *self.outcome.failed.entry(class.to_owned()).or_default() += 1;
            }
        }
    }

    /// Whom to ask, and what, with the number of replies it has.
    fn errand(&mut self) -> (Option<SocketAddr>, (Vec<u8>, u32)) {
        let job = self.moment.job;
        self.addresses.follow(job.scout.version(), || job.scout.map());
        let (mut frame, mut replies) = match self.is_plain {
            true => (Vec::new(), 0),
            false => (job.handshake.clone(), job.handshake_replies),
        };
        replies += 1;
        let address = match self.storm.command {
            StormCommand::Ping => {
                encode_command(&mut frame, &[b"PING"]);
                self.addresses.in_turn(self.outcome.due)
            }
            StormCommand::Get => {
                let key = job.workload.key_format().bytes(self.stream.next_op().key());
                encode_command(&mut frame, &[b"GET", &key]);
                self.addresses.owner(slot_of(&key))
            }
        };
        (address, (frame, replies))
    }

    fn on_event(&mut self, number: usize, chunk: &mut [u8]) {
        let Some(Some(visitor)) = self.visitors.get_mut(number) else {
            return;
        };
        let was_connected = visitor.connected.is_some();
        let was_answered = visitor.answered;
        let news = visitor.on_event(chunk);
        if let (false, Some(took)) = (was_connected, visitor.connected) {
            self.outcome.connected += 1;
            record(&mut self.outcome.connect, took);
        }
        match news {
            News::None => {}
            News::Answered => {
                let (began, generation) = (visitor.began, visitor.generation);
                self.outcome.answered += 1;
                record(&mut self.outcome.answer, began.elapsed());
                self.alarms
                    .push(Reverse((Instant::now() + self.storm.hold, number, generation)));
            }
            // Whoever is closed while it is held has had its answer.
            News::Failed(_) if was_answered => self.close(number),
            News::Failed(class) => {
                // A refused connection, a MOVED: the map may be old.
                self.moment.job.scout.request(None);
                self.fail(number, class);
            }
        }
    }

    /// Closes those whose time is up.
    fn ring(&mut self, now: Instant) {
        while let Some(Reverse((at, number, generation))) = self.alarms.peek().copied()
            && at <= now
        {
            self.alarms.pop();
            let Some(Some(visitor)) = self.visitors.get(number) else {
                continue;
            };
            if visitor.generation != generation {
                continue;
            }
            if !visitor.answered {
                self.fail(number, "TIMEOUT");
            } else if at != visitor.began + LIMIT {
                // That limit was for the answer, which has come; this is the end of the hold.
                self.close(number);
            }
        }
    }

    fn fail(&mut self, number: usize, class: &'static str) {
        *self.outcome.failed.entry(class.to_owned()).or_default() += 1;
        self.close(number);
    }

    fn close(&mut self, number: usize) {
        if self.visitors[number].take().is_some() {
            self.open -= 1;
            self.free.push(number);
        }
    }
}

fn record(histogram: &mut hdrhistogram::Histogram<u64>, took: Duration) {
    // The histogram grows: nothing is too long for it.
    let recorded = histogram.record((took.as_nanos() as u64).max(1));
    debug_assert!(recorded.is_ok());
}

/// The owners' addresses, looked up once for each map.
#[derive(Default)]
struct Addresses {
    version: u64,
    map: Option<std::sync::Arc<SlotMap>>,
    /// By the node's place in the map.
    of_node: Vec<Option<SocketAddr>>,
    owners: Vec<SocketAddr>,
}

impl Addresses {
    fn follow(&mut self, version: u64, map: impl FnOnce() -> std::sync::Arc<SlotMap>) {
        if self.version == version && self.map.is_some() {
            return;
        }
        let map = map();
        let address = |host: &str, port| resolve(&HostPort::new(host, port)).ok()?.first().copied();
        self.of_node = map
            .nodes()
            .iter()
            .map(|node| address(&node.host, node.port))
            .collect();
        self.owners = map
            .owners()
            .iter()
            .filter_map(|owner| self.of_node[owner.get()])
            .collect();
        (self.version, self.map) = (version, Some(map));
    }

    fn in_turn(&self, number: u64) -> Option<SocketAddr> {
        let count = self.owners.len() as u64;
        (count > 0).then(|| self.owners[(number % count) as usize])
    }

    fn owner(&self, slot: slotcore::Slot) -> Option<SocketAddr> {
        let owner = self.map.as_ref()?.owner(slot)?;
        self.of_node.get(owner.get()).copied().flatten()
    }
}

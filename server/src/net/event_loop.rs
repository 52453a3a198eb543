//! One worker's event loop. What is ready runs in groups, and each group in two phases:
//!
//! ```text
//!   wait for sockets, alarms and the doorbell
//!     └─► for each connection of a group:   read once, run what came, append its replies      connection.rs
//!         for each connection of the group: write once
//! ```
//!
//! So commands of many connections run in a row, and then their sockets are written to in a row, each with its code and
//! data close by. An event loop of its own, rather than tasks on a runtime, is what makes these phases cheap: at one
//! command a batch, one read and one write are nearly all that there is.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use slab::Slab;

use crate::log;
use crate::net::connection::{Connection, Next, Workbench};
use crate::net::doorbell::{Accepted, Doorbell, Post};
use crate::net::socket::Socket;
use crate::node::Node;
use crate::session::Session;

/// The doorbell's token; a connection's is its key.
const BELL: Token = Token(usize::MAX);

/// Events taken at once.
const EVENTS: usize = 512;

/// Connections that run before the first of them is written to, and the bytes of replies after which that is done earlier.
const SENT_TOGETHER: usize = 32;
const REPLIES_TOGETHER: usize = 64 * 1024;

/// The connections of one worker, and what they wait for.
pub struct EventLoop {
    node: &'static Node,
    worker: usize,
    poll: Poll,
    door: Arc<Doorbell>,
    post: Post,
    /// Nobody sends connections any more.
    closed: bool,
    connections: Slab<Entry>,
    /// How many there are, with those that are still on their way.
    count: Arc<AtomicUsize>,
    /// Keys of those that have something to do.
    ready: Vec<usize>,
    running: Vec<usize>,
    alarms: BTreeSet<(Instant, usize)>,
    bench: Workbench,
    /// Those that are to be sent replies. From here on they have read, and not run.
    turns: Vec<Turn>,
    have_run: usize,
}

struct Entry {
    connection: Box<Connection>,
    /// It is in `ready`.
    is_ready: bool,
    /// When it is in `alarms`.
    alarm: Option<Instant>,
}

/// A connection that has run: what it is to be sent, of the replies on the workbench.
struct Turn {
    key: usize,
    replies: Range<usize>,
    next: Next,
}

impl EventLoop {
    /// One without connections.
    pub fn new(node: &'static Node, worker: usize, count: Arc<AtomicUsize>) -> io::Result<Self> {
        let poll = Poll::new()?;
        Ok(Self {
            node,
            worker,
            door: Doorbell::new(poll.registry(), BELL)?,
            poll,
            post: Post::default(),
            closed: false,
            connections: Slab::new(),
            count,
            ready: Vec::new(),
            running: Vec::new(),
            alarms: BTreeSet::new(),
            bench: Workbench::default(),
            turns: Vec::new(),
            have_run: 0,
        })
    }

    /// Where connections and wakes for it are left.
    pub fn door(&self) -> Arc<Doorbell> {
        self.door.clone()
    }

    /// Serves until nobody sends connections any more and the last one has ended.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        while !(self.closed && self.connections.is_empty()) {
            if let Err(error) = self.wait(&mut events) {
                // Without its poller a worker can serve nobody.
                log::warning(format_args!("A worker can't wait for its clients: {error}"));
                std::process::abort();
            }
            for event in &events {
                if event.token() != BELL
                    && let Some(entry) = self.connections.get_mut(event.token().0)
                {
                    entry.connection.told(event);
                    entry.make_ready(event.token().0, &mut self.ready);
                }
            }
            self.take_post();
            self.ring_alarms();
            self.run_ready();
        }
    }

    /// Waits for events, if nothing else is to be done.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let timeout = if self.ready.is_empty() && self.door.falls_asleep() {
            let next = self.alarms.first();
            next.map(|(at, _)| at.saturating_duration_since(Instant::now()))
        } else {
            Some(Duration::ZERO)
        };
        let result = self.poll.poll(events, timeout);
        self.door.wakes_up();
        match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            result => result,
        }
    }

    /// Takes in new connections, and those that were woken.
    fn take_post(&mut self) {
        let mut post = std::mem::take(&mut self.post);
        if self.door.take(&mut post) {
            for accepted in post.accepted.drain(..) {
                self.admit(accepted);
            }
            for key in post.woken() {
                if let Some(entry) = self.connections.get_mut(key) {
                    entry.make_ready(key, &mut self.ready);
                }
            }
            self.closed |= std::mem::take(&mut post.closed);
        }
        self.post = post;
    }

    fn admit(&mut self, Accepted { stream, peer, local }: Accepted) {
        let vacant = self.connections.vacant_entry();
        let key = vacant.key();
        let socket = match Socket::new(stream, self.poll.registry(), Token(key)) {
            Ok(socket) => socket,
            Err(error) => {
                log::warning(format_args!("Can't serve a client: {error}"));
                self.count.fetch_sub(1, Relaxed);
                return;
            }
        };
        let client = self.node.clients.register(peer, local, &socket);
        client.set_waker(&self.door.waker(key));
        let account = self.node.acl.default_account().clone();
        client.set_account(Some(account.clone()));
        let session = Session::new(client, account, peer.ip().to_canonical().is_loopback());
        vacant.insert(Entry {
            connection: Box::new(Connection::new(self.node, self.worker, socket, session)),
            is_ready: false,
            alarm: None,
        });
    }

    /// Has those run whose time has come.
    fn ring_alarms(&mut self) {
        if self.alarms.is_empty() {
            return;
        }
        let now = Instant::now();
        while let Some(&(at, key)) = self.alarms.first()
            && at <= now
        {
            self.alarms.pop_first();
            let entry = &mut self.connections[key];
            entry.alarm = None;
            entry.make_ready(key, &mut self.ready);
        }
    }

    /// Runs each connection that is ready once. Those that have more to do come again in the next round.
    fn run_ready(&mut self) {
        let mut running = std::mem::replace(&mut self.ready, std::mem::take(&mut self.running));
        for key in running.drain(..) {
            self.begin_turn(key);
            if self.turns.len() == SENT_TOGETHER || self.bench.replies().len() >= REPLIES_TOGETHER {
                self.run_group();
                self.send_replies();
            }
        }
        self.run_group();
        self.send_replies();
        self.running = running;
    }

    /// Has one connection do the next thing, which mostly is to read. What it reads runs with its group.
    fn begin_turn(&mut self, key: usize) {
        let entry = &mut self.connections[key];
        entry.is_ready = false;
        let goes_alone = entry.connection.goes_alone();
        if goes_alone {
            self.run_group();
        }
        let start = self.bench.replies().len();
        let connection = &mut self.connections[key].connection;
        let next = contained(|| connection.run(&mut self.bench));
        if goes_alone {
            // Whatever became of it: nothing of it is left for a group.
            self.bench.empty();
        }
        let is_last = self.bench.is_full() || matches!(&next, Next::Turn(part) if part.goes_on());
        let replies = start..self.bench.replies().len();
        self.turns.push(Turn { key, replies, next });
        if is_last {
            self.run_group();
        }
    }

    /// Runs what the connections of the group have read.
    fn run_group(&mut self) {
        self.bench.look_ahead(self.node);
        for turn in &mut self.turns[self.have_run..] {
            turn.next = match std::mem::replace(&mut turn.next, Next::Waits) {
                Next::Turn(part) => {
                    let start = self.bench.replies().len();
                    let connection = &mut self.connections[turn.key].connection;
                    let next = contained(|| connection.turn(&mut self.bench, part));
                    turn.replies = start..self.bench.replies().len();
                    next
                }
                next => next,
            };
        }
        self.bench.empty();
        self.have_run = self.turns.len();
    }

    /// Sends the replies of those that have run.
    fn send_replies(&mut self) {
        self.have_run = 0;
        for turn in self.turns.drain(..) {
            let Entry { connection, .. } = &mut self.connections[turn.key];
            if matches!(turn.next, Next::Ended) {
                connection.leave(self.poll.registry());
                let mut entry = self.connections.remove(turn.key);
                entry.set_alarm(None, turn.key, &mut self.alarms);
                self.count.fetch_sub(1, Relaxed);
                continue;
            }
            if !turn.replies.is_empty() {
                connection.send(&self.bench.replies()[turn.replies]);
            }
            let alarm = connection.alarm();
            let again = matches!(turn.next, Next::Again) || connection.must_write();
            let entry = &mut self.connections[turn.key];
            entry.set_alarm(alarm, turn.key, &mut self.alarms);
            if again {
                entry.make_ready(turn.key, &mut self.ready);
            }
        }
        self.bench.clear();
    }
}

/// What goes wrong in one connection is none of the others'.
fn contained(run: impl FnOnce() -> Next) -> Next {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Next::Ended)
}

impl Entry {
    fn make_ready(&mut self, key: usize, ready: &mut Vec<usize>) {
        if !std::mem::replace(&mut self.is_ready, true) {
            ready.push(key);
        }
    }

    fn set_alarm(&mut self, alarm: Option<Instant>, key: usize, alarms: &mut BTreeSet<(Instant, usize)>) {
        if self.alarm == alarm {
            return;
        }
        if let Some(before) = self.alarm {
            alarms.remove(&(before, key));
        }
        if let Some(at) = alarm {
            alarms.insert((at, key));
        }
        self.alarm = alarm;
    }
}

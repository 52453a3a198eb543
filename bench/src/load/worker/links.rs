//! Connections come and go: opening, breaking, coming back, and following the slot map.

use std::io;

use mio::net::TcpStream;
use mio::{Interest, Token};

use super::super::client::NO_LINK;
use super::super::connection::{Connection, Kind, Sent, State};
use super::super::routes::NodeNo;
use super::super::timers::Task;
use super::trouble::{CONNECTION, TIMEOUT};
use super::{Stage, Worker};

/// For a connection to be made.
const CONNECT_LIMIT_NS: u64 = 1_000_000_000;
/// Before the first attempt to connect again; doubled for each further one.
const BACKOFF_NS: u64 = 5_000_000;
const MAX_BACKOFF_NS: u64 = 500_000_000;
/// A node that has not answered for so long may not be the owner of its slots any more.
const SUSPICIOUS_NS: u64 = 100_000_000;

impl Worker<'_> {
    /// The connection of a client to a node, which is made if there is none.
    pub(super) fn link(&mut self, client: u32, node: NodeNo) -> usize {
        let number = self.clients[client as usize].link(node);
        if number != NO_LINK {
            return number;
        }
        let number = self.connections.len();
        self.connections.push(Connection::new(client, node));
        self.clients[client as usize].set_link(node, number);
        self.recorder.set_nodes(self.routes.nodes().len());
        self.begin_handshake(number);
        number
    }

    /// Puts the handshake in front of whatever comes.
    fn begin_handshake(&mut self, number: usize) {
        let job = self.job;
        let connection = &mut self.connections[number];
        connection.out.extend_from_slice(&job.handshake);
        connection.handshake_due = job.handshake_replies;
        (0..job.handshake_replies).for_each(|_| connection.push(Sent::handshake()));
    }

    /// Starts to connect.
    pub(super) fn connect(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        if matches!(connection.state, State::Connecting | State::Open) {
            return;
        }
        connection.attempts += 1;
        connection.attempts_ever += 1;
        let attempt = connection.attempts_ever;
        let addresses = &self.routes.nodes()[connection.node].addresses;
        let stream = match addresses.get((connection.attempts as usize - 1) % addresses.len().max(1)) {
            None => Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address")),
            Some(address) => TcpStream::connect(*address).and_then(|mut stream| {
                let interest = Interest::READABLE | Interest::WRITABLE;
                self.poll
                    .registry()
                    .register(&mut stream, Token(number), interest)?;
                Ok(stream)
            }),
        };
        match stream {
            Ok(stream) => {
                connection.stream = Some(stream);
                connection.state = State::Connecting;
                self.timers.add(
                    self.job.clock.now_ns() + CONNECT_LIMIT_NS,
                    Task::GiveUp(number, attempt),
                );
            }
            Err(error) => self.on_broken(number, &error.to_string()),
        }
    }

    /// The socket says that connecting has ended, well or not.
    pub(super) fn on_connected(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        let Some(stream) = &connection.stream else { return };
        let outcome = match stream.take_error() {
            Ok(Some(error)) | Err(error) => Err(error),
            Ok(None) => match stream.peer_addr() {
                Ok(_) => stream.set_nodelay(true),
                // Not yet: there will be another event.
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return,
                Err(error) => Err(error),
            },
        };
        match outcome {
            Ok(()) => {
                connection.state = State::Open;
                connection.attempts = 0;
                if connection.ever_open {
                    self.tally.reconnects += 1;
                }
                connection.ever_open = true;
                self.write(number);
            }
            Err(error) => self.on_broken(number, &error.to_string()),
        }
    }

    /// The connection is no more, or could not be made: what was due on it has failed, and it will be tried again.
    #[cold]
    pub(super) fn on_broken(&mut self, number: usize, why: &str) {
        self.break_off(number, why, CONNECTION);
    }

    /// Closes a connection; the operations under way on it fail as this class. It is made again after a while.
    pub(super) fn break_off(&mut self, number: usize, why: &str, class: &'static str) {
        let connection = &mut self.connections[number];
        let (client, node) = (connection.client, connection.node);
        let due = connection.close();
        connection.state = State::Waiting;
        let backoff = BACKOFF_NS << connection.attempts.min(16);
        let now_ns = self.job.clock.now_ns();
        self.timers
            .add(now_ns + backoff.min(MAX_BACKOFF_NS), Task::Connect(number));
        self.complaint = format!("{}: {why}", self.routes.nodes()[node].at);
        self.begin_handshake(number);
        self.job.scout.request(None);
        for sent in due {
            self.part_done(client, node, sent, now_ns, Some(class));
        }
        self.note_room(client);
    }

    pub(super) fn run_timers(&mut self, now_ns: u64) {
        while let Some(task) = self.timers.pop(now_ns) {
            match task {
                Task::Connect(number) => self.connect_if_needed(number),
                Task::GiveUp(number, attempt) => {
                    let connection = &self.connections[number];
                    if connection.state == State::Connecting && connection.attempts_ever == attempt {
                        self.on_broken(number, "no connection within a second");
                    }
                }
                Task::Resend(client, sent) => self.send(client, sent),
            }
        }
    }

    /// A connection to a node that owns nothing any more is left alone until something is to be sent there.
    fn connect_if_needed(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        if connection.state != State::Waiting {
            return;
        }
        let has_ops =
            !connection.waiting.is_empty() || connection.due.iter().any(|sent| sent.kind == Kind::Op);
        let node = connection.node;
        let is_replica =
            self.job.read_from_replicas && self.routes.all_replicas().any(|replica| replica == node);
        if has_ops || is_replica || self.stage == Stage::Connecting || self.routes.owners().contains(&node) {
            self.connect(number);
        } else {
            connection.state = State::Idle;
        }
    }

    /// Takes over a newer slot map, and moves the operations that wait for a connection to where they now belong.
    pub(super) fn follow_map(&mut self) {
        let version = self.job.scout.version();
        if version == self.map_version {
            return;
        }
        self.map_version = version;
        self.routes.apply(&self.job.scout.map());
        self.recorder.set_nodes(self.routes.nodes().len());
        for number in 0..self.connections.len() {
            if !matches!(self.connections[number].state, State::Waiting | State::Connecting) {
                continue;
            }
            let (client, node) = (self.connections[number].client, self.connections[number].node);
            let moved = |sent: &Sent| sent.kind == Kind::Op && self.routes.owner(sent.slot) != node;
            if !self.connections[number].due.iter().any(moved) {
                continue;
            }
            let connecting = self.connections[number].state == State::Connecting;
            let due = self.connections[number].close();
            self.connections[number].state = State::Waiting;
            if connecting {
                self.timers
                    .add(self.job.clock.now_ns() + BACKOFF_NS, Task::Connect(number));
            }
            self.begin_handshake(number);
            for sent in due {
                self.send(client, sent);
            }
        }
        self.reroute_waiting();
        self.send_more(self.job.clock.now_ns());
    }

    /// Gives up on operations that have waited for an answer longer than they may, and asks for a newer slot map when
    /// one has waited unusually long: its node may hang, and another have taken its slots.
    pub(super) fn look_for_hung(&mut self, now_ns: u64) {
        let limit_ns = self.job.timeout.as_nanos() as u64;
        let mut suspicious = false;
        for number in 0..self.connections.len() {
            let connection = &self.connections[number];
            suspicious |= !connection.waiting.is_empty() && !connection.is_ready();
            let Some(first) = connection.due.front() else {
                continue;
            };
            if connection.state != State::Open || first.start_ns <= 1 {
                continue;
            }
            let waited_ns = now_ns.saturating_sub(first.start_ns);
            suspicious |= waited_ns > SUSPICIOUS_NS;
            if waited_ns > limit_ns {
                let why = format!("no answer within {} ms", self.job.timeout.as_millis());
                self.break_off(number, &why, TIMEOUT);
            }
        }
        if suspicious {
            self.job.scout.request(None);
        }
    }
}

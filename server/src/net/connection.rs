//! One connection, as a state machine: each run does the next thing that there is to do, with what all connections of the
//! worker share, so an idle one holds no buffer at all.

use std::collections::VecDeque;
use std::io;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use mio::Registry;
use mio::event::Event;
use slotcore::resp::RequestParser;

use crate::admin::clients::{Buffers, ClientKind};
use crate::cluster::Cluster;
use crate::command::dispatch::Batch;
use crate::command::transaction::{self, Transaction};
use crate::log;
use crate::net::batch::{self, Part, Scratch, Stop};
use crate::net::socket::Socket;
use crate::node::Node;
use crate::pubsub::Frame;
use crate::session::Session;

/// Bytes read at once.
const READ_CHUNK: usize = 64 * 1024;

/// A command of which at least so many bytes are missing is read to where it is kept, without a copy in between.
const DIRECT_MIN: usize = 32 * 1024;

/// Of a command that may be long, so much is read before its length is known.
const LONG_START: usize = 16 * 1024;

/// So much room is made for it at once: what a client announces is believed step by step.
const DIRECT_STEP: usize = 1024 * 1024;

/// Replies of a connection up to this size leave together with those of others.
const SENT_TOGETHER_MAX: usize = 16 * 1024;

/// A worker keeps memory for so many bytes of replies.
const REPLIES_KEPT: usize = 4 * 1024 * 1024;

/// Where they begin: so a large value, which begins with a page, and its reply are copied at the best speed
/// (`slotcore::resp::encode`).
const REPLIES_START: usize = 64;

/// How often a paused connection looks whether the pause is over.
const PAUSE_POLL: Duration = Duration::from_millis(2);

/// What the connections of one worker share.
pub struct Workbench {
    /// Where connections read to: one after the other, until what they have read has run.
    read: Box<[u8]>,
    filled: usize,
    scratch: Scratch,
}

impl Default for Workbench {
    fn default() -> Self {
        Self {
            read: vec![0; 2 * READ_CHUNK].into(),
            filled: 0,
            scratch: Scratch::default(),
        }
    }
}

impl Workbench {
    /// The replies of those that have run, one behind the other.
    pub fn replies(&self) -> &[u8] {
        &self.scratch.out
    }

    /// All replies were sent.
    pub fn clear(&mut self) {
        let out = &mut self.scratch.out;
        out.clear();
        if out.capacity() > REPLIES_KEPT {
            out.shrink_to(READ_CHUNK);
        }
        out.resize(REPLIES_START, 0);
    }

    /// Should what was read run before another connection reads?
    pub fn is_full(&self) -> bool {
        self.scratch.is_full() || self.filled > READ_CHUNK
    }

    /// Looks ahead at all that was read.
    pub fn look_ahead(&mut self, node: &Node) {
        self.scratch.look_ahead(&node.keyspace, &self.read[..self.filled]);
    }

    /// All that was read has run.
    pub fn empty(&mut self) {
        self.filled = 0;
        self.scratch.forget();
    }

    fn room(&mut self) -> &mut [u8] {
        &mut self.read[self.filled..][..READ_CHUNK]
    }
}

/// What a connection needs when it has run, besides having its replies sent.
pub enum Next {
    /// To run what it has read, when the others of its group have read.
    Turn(Part),
    /// To run again soon.
    Again,
    /// To run when its socket, its alarm or its waker says so.
    Waits,
    /// Nothing: it is over, or another thread's.
    Ended,
}

/// How far a piece of work has brought a connection.
enum Step {
    /// It has read commands.
    Read(Part),
    /// There may be more to do.
    Done,
    /// The connection is over, or another thread's.
    Ended,
}

/// One client's connection.
pub struct Connection {
    pub(super) node: &'static Node,
    pub(super) worker: usize,
    pub(super) socket: Socket,
    pub(super) session: Session,
    parser: RequestParser,
    /// Bytes received and not yet understood: the start of a command, or commands behind a flush or a pause.
    pub(super) partial: Vec<u8>,
    /// At least so many bytes lack of the command that it is the start of.
    missing: usize,
    /// The last command was a long one, and so may be the next.
    expects_long: bool,
    /// `partial` may hold complete commands: look at it before reading more.
    pub(super) resume: bool,
    /// Replies that the socket did not take yet, from `sent` on. Nothing is read until they are gone.
    pub(super) unsent: Vec<u8>,
    sent: usize,
    /// Nothing is read before this.
    pause: Option<Instant>,
    /// The session's write offset at the end of the turn before.
    seen_offset: u64,
    /// Messages for a subscriber that the socket did not take yet; they come before `unsent`. `frame_sent` bytes of the
    /// first one are out.
    pub(super) frames: VecDeque<Frame>,
    pub(super) frame_sent: usize,
    /// Ends the wait of a blocked command.
    pub(super) timer: Option<Instant>,
    /// The socket is a replica's now and served elsewhere.
    pub(super) handed_over: bool,
}

impl Connection {
    /// A connection that was just accepted.
    pub fn new(node: &'static Node, worker: usize, socket: Socket, session: Session) -> Self {
        Self {
            node,
            worker,
            socket,
            session,
            parser: RequestParser::new(),
            partial: Vec::new(),
            missing: 0,
            expects_long: false,
            resume: false,
            unsent: Vec::new(),
            sent: 0,
            pause: None,
            seen_offset: 0,
            frames: VecDeque::new(),
            frame_sent: 0,
            timer: None,
            handed_over: false,
        }
    }

    /// The poller has told this of its socket.
    pub fn told(&mut self, event: &Event) {
        self.socket.told(event);
    }

    /// When it wants to run, if nothing happens before.
    pub fn alarm(&self) -> Option<Instant> {
        if self.unsent.is_empty() {
            self.pause.or(self.timer)
        } else {
            None
        }
    }

    /// Has a write failed in a way that nobody will tell of?
    pub fn must_write(&self) -> bool {
        !self.unsent.is_empty() && self.socket.is_writable()
    }

    /// Leaves its poller: it has ended here.
    pub fn leave(&mut self, registry: &Registry) {
        if self.handed_over
            && let Err(error) = self.socket.forget(registry)
        {
            log::warning(format_args!("Can't leave a replica's socket alone: {error}"));
        }
    }

    /// Does the next thing that there is to do. Replies to what it runs are put on the bench, to be sent by whoever calls
    /// this; they come before anything that is done next.
    pub fn run(&mut self, bench: &mut Workbench) -> Next {
        if self.session.subscriber.is_none() && self.session.client.has_mailbox() {
            // Another connection redirects its tracking here.
            self.session.listen();
        }
        if self.session.client.is_killed() {
            return Next::Ended;
        }
        let output = self.write_output();
        if let Poll::Ready(Err(_)) = output {
            return Next::Ended;
        }
        if !self.unsent.is_empty() {
            // Nothing runs before its replies have room; messages alone hold nothing up.
            return Next::Waits;
        }
        if self.session.closing {
            return Next::Ended;
        }
        match self.work(bench) {
            Poll::Ready(Step::Read(part)) => Next::Turn(part),
            Poll::Ready(Step::Ended) => Next::Ended,
            Poll::Ready(Step::Done) if self.has_work() => Next::Again,
            _ if output.is_ready() && self.has_messages() => Next::Again,
            _ => Next::Waits,
        }
    }

    /// Is there something to do that nobody will tell of?
    fn has_work(&self) -> bool {
        let session = &self.session;
        session.closing
            || self.pause.is_none()
                && (self.resume
                    || self.socket.is_readable()
                    || session.blocked.is_some()
                    || session.handover.is_some()
                    || session.bus_is_full)
    }

    /// Does the next thing that there is to do besides writing.
    fn work(&mut self, bench: &mut Workbench) -> Poll<Step> {
        if let Some(until) = self.pause {
            if Instant::now() < until {
                return Poll::Pending;
            }
            self.pause = None;
        }
        if self.session.bus_is_full {
            self.session.bus_is_full = self.node.cluster.as_ref().is_some_and(Cluster::is_bus_full);
            self.pause = Some(Instant::now() + PAUSE_POLL);
            return Poll::Ready(Step::Done);
        }
        if let Some(request) = self.session.handover.take() {
            let left = self.hand_over(request);
            return Poll::Ready(if left { Step::Ended } else { Step::Done });
        }
        if let Some(blocked) = self.session.blocked.clone() {
            ready!(self.wait_blocked(blocked, bench.room()));
            return Poll::Ready(Step::Done);
        }
        if self.resume {
            self.resume = false;
            self.understand(&mut bench.scratch);
            return Poll::Ready(Step::Done);
        }
        let is_direct = self.missing >= DIRECT_MIN && !self.partial.is_empty();
        let read = if is_direct {
            self.make_room(0);
            self.socket.read_behind(&mut self.partial)
        } else if self.expects_long {
            self.socket.read(&mut bench.room()[..LONG_START])
        } else {
            self.socket.read(bench.room())
        };
        let read = match ready!(read) {
            Ok(0) | Err(_) => return Poll::Ready(Step::Ended),
            Ok(read) => read,
        };
        self.node.stats.worker(self.worker).received(read);
        if self.partial.is_empty() {
            return Poll::Ready(Step::Read(self.parse(bench, read)));
        }
        if !is_direct {
            self.partial.extend_from_slice(&bench.room()[..read]);
        }
        self.understand(&mut bench.scratch);
        Poll::Ready(Step::Done)
    }

    /// Makes room behind `partial` for `behind` bytes that are there and for more of a long command.
    fn make_room(&mut self, behind: usize) {
        let spare = self.partial.capacity() - self.partial.len();
        if spare < behind + self.missing.min(DIRECT_MIN) {
            let step = (4 * (self.partial.len() + behind)).max(DIRECT_STEP);
            self.partial.reserve_exact(behind + self.missing.min(step));
        }
    }

    /// Does it have bytes from before, which it runs by itself and not as one of a group?
    pub fn goes_alone(&self) -> bool {
        self.resume || !self.partial.is_empty()
    }

    /// Parses the `len` bytes that are in the room of the bench, and are to run with their group.
    fn parse(&mut self, bench: &mut Workbench, len: usize) -> Part {
        let start = bench.filled;
        bench.filled += len;
        let limits = batch::limits(self.node, &self.node.config.load(), &self.session);
        let Workbench {
            read,
            filled,
            scratch,
        } = bench;
        scratch.parse(&limits, &mut self.parser, &mut read[..*filled], start)
    }

    /// A turn over what [`Connection::run`] has read.
    pub fn turn(&mut self, bench: &mut Workbench, part: Part) -> Next {
        if self.session.client.is_killed() {
            // By another of its group.
            return Next::Ended;
        }
        let Workbench { read, scratch, .. } = bench;
        let end = part.bytes.end;
        let used = self.run_commands(scratch, &mut read[..end], Some(part));
        self.partial.append(&mut scratch.held_back);
        if self.missing >= DIRECT_MIN {
            self.make_room(end - used);
        }
        self.partial.extend_from_slice(&read[used..end]);
        self.expects_long = self.partial.len() + self.missing >= DIRECT_MIN;
        self.publish();
        if self.has_work() || self.has_messages() {
            Next::Again
        } else {
            Next::Waits
        }
    }

    /// A turn over the bytes that were kept, and keeps what is left of them.
    fn understand(&mut self, scratch: &mut Scratch) {
        let mut partial = std::mem::take(&mut self.partial);
        let used = self.run_commands(scratch, &mut partial, None);
        partial.splice(..used, scratch.held_back.drain(..));
        self.keep(partial);
        self.publish();
    }

    /// Shows others what this connection is in and what it holds.
    pub(super) fn publish(&self) {
        self.session.publish();
        self.session.client.set_buffers(Buffers {
            query: self.partial.len(),
            query_free: self.partial.capacity() - self.partial.len(),
            multi: self
                .session
                .transaction
                .as_ref()
                .map_or(0, Transaction::held_bytes),
            output: self.unsent.len() - self.sent,
        });
    }

    /// Keeps what is left of a buffer, and gives its memory back when that is little.
    fn keep(&mut self, mut partial: Vec<u8>) {
        if partial.is_empty() {
            return;
        }
        let wanted = partial.len() + self.missing.min(DIRECT_STEP);
        if wanted < partial.capacity() / 4 && !self.resume {
            partial.shrink_to(wanted.max(READ_CHUNK));
        }
        self.partial = partial;
        if self.partial.len() as u64 > self.node.config.load().client_query_buffer_limit {
            log::warning(format_args!(
                "Closing client that reached max query buffer length: {}",
                self.session.client.describe()
            ));
            self.session.closing = true;
        }
    }

    /// Runs what is complete in `buf`, of which a part may be parsed; returns up to where bytes were used up.
    fn run_commands(&mut self, scratch: &mut Scratch, buf: &mut [u8], part: Option<Part>) -> usize {
        let now = self.node.stall_and_now();
        self.session.client.touched(now);
        let config = self.node.config.load();
        let batch = Batch {
            node: self.node,
            config: &config,
            worker: self.worker,
            now,
        };
        let start = scratch.out.len();
        let Self { session, parser, .. } = self;
        let (used, stop) = match part {
            Some(part) => scratch.run_from(part, &batch, session, parser, buf),
            None => scratch.run(&batch, session, parser, buf),
        };
        self.missing = 0;
        match stop {
            Stop::NeedMore(bytes) => self.missing = bytes,
            Stop::Flush => self.resume = true,
            Stop::Paused => {
                self.resume = true;
                self.pause = Some(Instant::now() + PAUSE_POLL);
            }
            Stop::Blocked => self.resume = true,
            Stop::HandOver => {}
            Stop::Close => self.session.closing = true,
        }
        // Among messages replies have a place of their own. Long ones of many connections would pile up.
        if self.session.subscriber.is_some() || scratch.out.len() - start > SENT_TOGETHER_MAX {
            self.send(&scratch.out[start..]);
            scratch.out.truncate(start);
        }
        if self.session.tracking.is_some() && self.node.tracking.is_over_limit() {
            let node = self.node;
            node.tracking
                .enforce_limit(&node.keyspace, &node.clients, &node.pubsub);
        }
        self.after_writes(config.client_output_buffer_limit[1].hard);
        used
    }

    /// Has replicas hear of what this turn wrote. A client whose writes leave a replica too far behind waits a little.
    fn after_writes(&mut self, replica_limit: u64) {
        let replication = &self.node.replication;
        if !replication.gate.records() {
            return;
        }
        replication.log.wake();
        if self.session.write_offset != self.seen_offset {
            self.seen_offset = self.session.write_offset;
            if let Some(delay) = replication.log.back_pressure(replica_limit) {
                self.pause = Some(Instant::now() + delay);
            }
        }
    }

    /// Hands the replies to the socket; keeps what it does not take.
    pub fn send(&mut self, out: &[u8]) {
        if out.is_empty() {
            return;
        }
        self.node.stats.worker(self.worker).sent(out.len());
        if std::mem::take(&mut self.session.messages_first)
            && let Some(subscriber) = &self.session.subscriber
        {
            subscriber.take(&mut self.frames);
        }
        let taken = if self.unsent.is_empty() && self.frames.is_empty() {
            match self.socket.write(out) {
                Poll::Ready(Ok(taken)) => taken,
                // If it is more than a moment's, the next write says so.
                Poll::Ready(Err(_)) | Poll::Pending => 0,
            }
        } else {
            0
        };
        if taken < out.len() {
            self.unsent.extend_from_slice(&out[taken..]);
            self.session.client.set_output(self.unsent.len() - self.sent);
            self.check_output_limit();
        }
    }

    /// Ends a client that leaves more replies unread than it may. Housekeeping does so for limits that need time.
    fn check_output_limit(&mut self) {
        let limits = self.node.config.load().client_output_buffer_limit;
        let limit = match self.session.client.kind() {
            ClientKind::Pubsub => limits[2].hard,
            _ => limits[0].hard,
        };
        let unread = self.unsent.len() - self.sent + self.session.client.queued();
        if limit > 0 && unread as u64 >= limit {
            self.publish();
            log::warning(format_args!(
                "Client {} closed for overcoming of output buffer limits.",
                self.session.client.describe()
            ));
            self.session.client.kill();
        }
    }

    /// Writes the replies that wait.
    pub(super) fn write_unsent(&mut self) -> Poll<io::Result<()>> {
        while self.sent < self.unsent.len() {
            match self.socket.write(&self.unsent[self.sent..]) {
                Poll::Ready(Ok(taken)) => self.sent += taken,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.session.client.set_output(self.unsent.len() - self.sent);
                    self.check_output_limit();
                    return Poll::Pending;
                }
            }
        }
        self.unsent = Vec::new();
        self.sent = 0;
        self.session.client.set_output(0);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        transaction::abandon(self.node, &mut self.session);
        if let Some(subscriber) = self.session.client.close_mailbox() {
            self.node.monitors.end(subscriber.id());
            self.node.pubsub.forget(&subscriber);
        }
        if self.session.tracking.is_some() && self.node.tracking.end(self.session.client.id()) {
            self.node
                .keyspace
                .set_observed(self.node.events.wants_unnamed(), false);
        }
        if let Some(blocked) = self.session.blocked.take() {
            self.session.client.finish_wait();
            self.stop_waiting(&blocked);
        }
        if !self.handed_over {
            self.node.clients.remove(self.session.client.id());
        }
    }
}

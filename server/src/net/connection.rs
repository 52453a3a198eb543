//! The task of one connection. All its work is done inside one poll, with the worker's shared buffers, so an idle
//! connection holds no buffer at all.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use slotcore::resp::RequestParser;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::admin::clients::{Buffers, ClientKind};
use crate::cluster::Cluster;
use crate::command::dispatch::Batch;
use crate::command::transaction::{self, Transaction};
use crate::log;
use crate::net::batch::{Scratch, Stop};
use crate::node::Node;
use crate::pubsub::Frame;
use crate::session::Session;

/// Bytes read at once.
const READ_CHUNK: usize = 64 * 1024;

/// Replies up to this size leave when the other connections that are ready have run, too: so commands of many
/// connections run in a row, and then their sockets are written to in a row, each with its code and data close by.
const PUT_OFF_MAX: usize = 16 * 1024;

/// Buffers that are kept for such replies.
const SPARE_MAX: usize = 64;

/// How often a paused connection looks whether the pause is over.
const PAUSE_POLL: Duration = Duration::from_millis(2);

/// What the connections of one worker share; borrowed only within a poll.
pub struct WorkerBuffers {
    read: Box<[u8]>,
    scratch: Scratch,
    /// Empty, for replies that are put off.
    spare: Vec<Vec<u8>>,
}

impl WorkerBuffers {
    /// Fresh buffers.
    pub fn new() -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            read: vec![0; READ_CHUNK].into(),
            scratch: Scratch::default(),
            spare: Vec::new(),
        }))
    }
}

/// How far a piece of work has brought a connection.
enum Step {
    /// There may be more to do.
    Done,
    /// The connection is over, or another thread's.
    Ended,
}

/// One client's connection.
pub struct Connection {
    pub(super) node: &'static Node,
    pub(super) worker: usize,
    pub(super) stream: TcpStream,
    pub(super) session: Session,
    parser: RequestParser,
    /// Bytes received and not yet understood: the start of a command, or commands behind a flush or a pause.
    pub(super) partial: Vec<u8>,
    /// `partial` may hold complete commands: look at it before reading more.
    pub(super) resume: bool,
    /// The waker that others know of.
    waker: Option<Waker>,
    /// Replies that the socket did not take yet, from `sent` on. Nothing is read until they are gone.
    pub(super) unsent: Vec<u8>,
    sent: usize,
    /// No write of `unsent` has been tried: it is put off to the next poll.
    put_off: bool,
    pause: Option<Pin<Box<Sleep>>>,
    /// The session's write offset at the end of the turn before.
    seen_offset: u64,
    /// Messages for a subscriber that the socket did not take yet; they come before `unsent`. `frame_sent` bytes of the
    /// first one are out.
    pub(super) frames: VecDeque<Frame>,
    pub(super) frame_sent: usize,
    /// Ends the wait of a blocked command.
    pub(super) timer: Option<Pin<Box<Sleep>>>,
    /// The socket is a replica's now and served elsewhere.
    pub(super) handed_over: bool,
}

impl Connection {
    /// A connection that was just accepted.
    pub fn new(node: &'static Node, worker: usize, stream: TcpStream, session: Session) -> Self {
        Self {
            node,
            worker,
            stream,
            session,
            parser: RequestParser::new(),
            partial: Vec::new(),
            resume: false,
            waker: None,
            unsent: Vec::new(),
            sent: 0,
            put_off: false,
            pause: None,
            seen_offset: 0,
            frames: VecDeque::new(),
            frame_sent: 0,
            timer: None,
            handed_over: false,
        }
    }

    /// Serves the client until either side ends it.
    pub async fn serve(mut self, buffers: Rc<RefCell<WorkerBuffers>>) {
        std::future::poll_fn(|cx| self.poll_serve(cx, &mut buffers.borrow_mut())).await;
    }

    /// Runs until the connection ends (`Ready`) or must wait for the socket, a pause or a signal (`Pending`).
    fn poll_serve(&mut self, cx: &mut Context<'_>, buffers: &mut WorkerBuffers) -> Poll<()> {
        if !self
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            self.waker = Some(cx.waker().clone());
            self.session.client.set_waker(cx.waker());
        }
        loop {
            if self.session.subscriber.is_none() && self.session.client.has_mailbox() {
                // Another connection redirects its tracking here.
                self.session.listen();
            }
            if self.session.client.is_killed() {
                return Poll::Ready(());
            }
            if std::mem::take(&mut self.put_off) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let output = self.poll_output(cx, &mut buffers.spare);
            if let Poll::Ready(Err(_)) = output {
                return Poll::Ready(());
            }
            if !self.unsent.is_empty() {
                // Nothing runs before its replies have room; messages alone hold nothing up.
                return Poll::Pending;
            }
            if self.session.closing {
                return Poll::Ready(());
            }
            match self.poll_work(cx, buffers) {
                Poll::Ready(Step::Ended) => return Poll::Ready(()),
                Poll::Ready(Step::Done) => {}
                Poll::Pending if output.is_ready() && self.has_messages() => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Does the next thing that there is to do besides writing.
    fn poll_work(&mut self, cx: &mut Context<'_>, buffers: &mut WorkerBuffers) -> Poll<Step> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        if self.session.bus_is_full {
            self.session.bus_is_full = self.node.cluster.as_ref().is_some_and(Cluster::is_bus_full);
            self.pause = Some(Box::pin(tokio::time::sleep(PAUSE_POLL)));
            return Poll::Ready(Step::Done);
        }
        if let Some(request) = self.session.handover.take() {
            let left = self.hand_over(request);
            return Poll::Ready(if left { Step::Ended } else { Step::Done });
        }
        if let Some(blocked) = self.session.blocked.clone() {
            let mut chunk = ReadBuf::new(&mut buffers.read);
            ready!(self.poll_blocked(cx, blocked, &mut chunk));
            return Poll::Ready(Step::Done);
        }
        if self.resume {
            self.resume = false;
            let partial = std::mem::take(&mut self.partial);
            self.understand(buffers, partial);
            return Poll::Ready(Step::Done);
        }
        let mut chunk = ReadBuf::new(&mut buffers.read);
        match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut chunk)) {
            Ok(()) if !chunk.filled().is_empty() => {}
            _ => return Poll::Ready(Step::Ended),
        }
        let read = chunk.filled().len();
        self.received(buffers, read);
        Poll::Ready(Step::Done)
    }

    /// A turn over what was read: the first `len` bytes of the worker's buffer.
    fn received(&mut self, buffers: &mut WorkerBuffers, len: usize) {
        self.node.stats.worker(self.worker).received(len);
        if self.partial.is_empty() {
            let WorkerBuffers { read, scratch, spare } = buffers;
            let used = self.turn(scratch, spare, &mut read[..len]);
            self.partial.append(&mut scratch.held_back);
            self.partial.extend_from_slice(&read[used..len]);
            self.publish();
            return;
        }
        let mut partial = std::mem::take(&mut self.partial);
        partial.extend_from_slice(&buffers.read[..len]);
        self.understand(buffers, partial);
    }

    /// A turn over the bytes that were kept, and keeps what is left of them.
    fn understand(&mut self, buffers: &mut WorkerBuffers, mut partial: Vec<u8>) {
        let WorkerBuffers { scratch, spare, .. } = buffers;
        let used = self.turn(scratch, spare, &mut partial);
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
            output: if self.put_off {
                0
            } else {
                self.unsent.len() - self.sent
            },
        });
    }

    /// Keeps what is left of a buffer, and gives its memory back when that is little.
    fn keep(&mut self, mut partial: Vec<u8>) {
        if partial.is_empty() {
            return;
        }
        if partial.len() < partial.capacity() / 4 && !self.resume {
            partial.shrink_to(READ_CHUNK);
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

    /// Runs what is complete in `buf` and sends the replies, or puts that off; returns the bytes used up.
    fn turn(&mut self, scratch: &mut Scratch, spare: &mut Vec<Vec<u8>>, buf: &mut [u8]) -> usize {
        let now = self.node.stall_and_now();
        self.session.client.touched(now);
        let config = self.node.config.load();
        let batch = Batch {
            node: self.node,
            config: &config,
            worker: self.worker,
            now,
        };
        let (used, stop) = scratch.run(&batch, &mut self.session, &mut self.parser, buf);
        match stop {
            Stop::NeedMore(_) => {}
            Stop::Flush => self.resume = true,
            Stop::Paused => {
                self.resume = true;
                self.pause = Some(Box::pin(tokio::time::sleep(PAUSE_POLL)));
            }
            Stop::Blocked => self.resume = true,
            Stop::HandOver => {}
            Stop::Close => self.session.closing = true,
        }
        if matches!(stop, Stop::NeedMore(_)) && self.may_put_off(scratch.out.len()) {
            self.node.stats.worker(self.worker).sent(scratch.out.len());
            self.unsent = std::mem::replace(&mut scratch.out, spare.pop().unwrap_or_default());
            self.put_off = true;
        } else {
            self.send(&mut scratch.out);
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
                self.pause = Some(Box::pin(tokio::time::sleep(delay)));
            }
        }
    }

    /// May so many bytes of replies leave a little later? Among messages they have a place of their own.
    fn may_put_off(&self, len: usize) -> bool {
        (1..=PUT_OFF_MAX).contains(&len) && self.unsent.is_empty() && self.session.subscriber.is_none()
    }

    /// Hands the replies to the socket; keeps what it does not take.
    pub(super) fn send(&mut self, out: &mut Vec<u8>) {
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
            self.stream.try_write(out).unwrap_or(0)
        } else {
            0
        };
        if taken < out.len() {
            self.unsent.extend_from_slice(&out[taken..]);
            self.check_output_limit();
        }
        out.clear();
        if out.capacity() > 4 * READ_CHUNK {
            out.shrink_to(READ_CHUNK);
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

    /// Writes what waits. Its buffer then is one of `spare`, if that lacks one.
    pub(super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        spare: &mut Vec<Vec<u8>>,
    ) -> Poll<std::io::Result<()>> {
        while self.sent < self.unsent.len() {
            let rest = &self.unsent[self.sent..];
            match Pin::new(&mut self.stream).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(taken)) => self.sent += taken,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.session.client.set_output(self.unsent.len() - self.sent);
                    self.check_output_limit();
                    return Poll::Pending;
                }
            }
        }
        let mut sent = std::mem::take(&mut self.unsent);
        if sent.capacity() <= 2 * PUT_OFF_MAX && spare.len() < SPARE_MAX {
            sent.clear();
            spare.push(sent);
        }
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

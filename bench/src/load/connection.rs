//! One client's connection to one node: a socket, bytes to write, and the operations whose replies are due.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;
use slotcore::Slot;
use slotcore::resp::ReplyScanner;
use workloads::Op;

use super::routes::NodeNo;
use super::writes::NO_TICKET;

/// No group: the operation is one command.
pub(super) const ALONE: u32 = u32::MAX;

/// The part of an operation whose script is sent in full.
pub(super) const WHOLE: u16 = u16::MAX;

/// What a reply that is due answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Op,
    /// The ASKING before a redirected operation.
    Asking,
    /// The WAIT behind a write: its answer is the operation's.
    Wait,
    /// HELLO or AUTH.
    Handshake,
}

/// A command whose reply is due. Small, since one is kept for every operation outstanding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub op: Op,
    /// When its bytes were first handed to the kernel; zero until then.
    pub start_ns: u64,
    /// When it was due, in an open loop; zero in a closed one.
    pub due_ns: u64,
    /// The split operation that it is part of, or [`ALONE`].
    pub group: u32,
    /// The write that it is in an audited round, or [`NO_TICKET`].
    pub ticket: u32,
    pub part: u16,
    pub slot: Slot,
    pub kind: Kind,
    /// Redirects and retries so far.
    pub hops: u8,
    pub measured: bool,
}

impl Sent {
    /// A command of the handshake: it has no operation, and nobody asks how long it took.
    pub fn handshake() -> Self {
        Self {
            op: Op::default(),
            start_ns: 1,
            due_ns: 0,
            group: ALONE,
            ticket: NO_TICKET,
            part: 0,
            slot: 0,
            kind: Kind::Handshake,
            hops: 0,
            measured: false,
        }
    }
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not connected, and nothing is due to change that.
    Idle,
    /// Not connected; a timer will try.
    Waiting,
    Connecting,
    /// Connected: bytes may be written, the handshake's among them.
    Open,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub client: u32,
    pub node: NodeNo,
    pub state: State,
    pub stream: Option<TcpStream>,
    /// Bytes to write, of which the first `written` are.
    pub out: Vec<u8>,
    written: usize,
    /// The kernel takes no more for now; an event will tell.
    blocked: bool,
    /// Has bytes that nobody has tried to write; it is in the worker's list of such.
    pub dirty: bool,
    pub due: VecDeque<Sent>,
    /// Commands of an open loop that wait for room in the window; nothing of them has been sent.
    pub waiting: VecDeque<Sent>,
    /// How many of the last in `due` have no start yet.
    unstamped: usize,
    pub scanner: ReplyScanner,
    /// The beginning of a reply whose end has not arrived.
    pub partial: Vec<u8>,
    /// Replies of the handshake that are due.
    pub handshake_due: u32,
    /// Attempts to connect since it last was open.
    pub attempts: u32,
    /// Attempts to connect ever: what tells one from another.
    pub attempts_ever: u32,
    pub ever_open: bool,
}

impl Connection {
    pub fn new(client: u32, node: NodeNo) -> Self {
        Self {
            client,
            node,
            state: State::Idle,
            stream: None,
            out: Vec::new(),
            written: 0,
            blocked: false,
            dirty: false,
            due: VecDeque::new(),
            waiting: VecDeque::new(),
            unstamped: 0,
            scanner: ReplyScanner::new(),
            partial: Vec::new(),
            handshake_due: 0,
            attempts: 0,
            attempts_ever: 0,
            ever_open: false,
        }
    }

    /// Notes a command whose bytes have just been appended to `out`.
    #[inline]
    pub fn push(&mut self, sent: Sent) {
        self.due.push_back(sent);
        self.unstamped += 1;
    }

    /// Whether operations may be answered on it.
    pub fn is_ready(&self) -> bool {
        self.state == State::Open && self.handshake_due == 0
    }

    /// Gives the commands that have none the start `now_ns`. On a connection that cannot be written to this is when
    /// they began to wait for it.
    #[inline]
    pub fn stamp(&mut self, now_ns: u64) {
        let first = self.due.len() - self.unstamped.min(self.due.len());
        for sent in self.due.range_mut(first..) {
            if sent.start_ns == 0 {
                sent.start_ns = now_ns;
            }
        }
        self.unstamped = 0;
    }

    /// Writes what the kernel takes, and says how many bytes that was.
    #[inline]
    pub fn write(&mut self) -> io::Result<usize> {
        let before = self.written;
        if self.state != State::Open || self.blocked {
            return Ok(0);
        }
        let Some(stream) = &mut self.stream else {
            return Ok(0);
        };
        while self.written < self.out.len() {
            match stream.write(&self.out[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => self.written += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked = true;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let wrote = self.written - before;
        if self.written == self.out.len() {
            self.out.clear();
            self.written = 0;
        }
        Ok(wrote)
    }

    /// The socket takes bytes again. Says whether any were waiting for that.
    #[inline]
    pub fn unblock(&mut self) -> bool {
        std::mem::take(&mut self.blocked)
    }

    /// Reads once. `None` when there is nothing to read.
    #[inline]
    pub fn read(&mut self, buf: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(stream) = &mut self.stream else {
            return Ok(None);
        };
        loop {
            match stream.read(buf) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => return Ok(Some(n)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Closes the socket and forgets all bytes. Returns the operations that will not be answered, in order.
    pub fn close(&mut self) -> Vec<Sent> {
        self.stream = None;
        self.state = State::Idle;
        self.out.clear();
        self.written = 0;
        self.blocked = false;
        self.unstamped = 0;
        self.scanner = ReplyScanner::new();
        self.partial.clear();
        self.handshake_due = 0;
        let mut unanswered = Vec::with_capacity(self.due.len());
        let mut has_wait_coming = false;
        for sent in std::mem::take(&mut self.due) {
            match sent.kind {
                Kind::Op => unanswered.push(sent),
                // One whose write has been answered stands for it.
                Kind::Wait if !has_wait_coming => unanswered.push(Sent {
                    kind: Kind::Op,
                    ..sent
                }),
                Kind::Wait | Kind::Asking | Kind::Handshake => {}
            }
            has_wait_coming = sent.kind == Kind::Op;
        }
        unanswered
    }
}

//! One connection of the bus: frames in, an outbox out. Both ends run as one task of the bus thread.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::Notify;
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use super::codec::{self, CodecError};
use super::traffic::LinkGauge;
use crate::cluster::protocol::{CloseReason, Input, LinkId};
use crate::log;

/// Room that is made for a read.
const CHUNK: usize = 16 * 1024;
/// Memory that an outbox keeps when it is empty.
const KEPT: usize = 64 * 1024;
/// Whoever dials us says something within this time, and from then on: a peer pings many times in it.
const INBOUND_PATIENCE: Duration = Duration::from_secs(120);

/// What waits to be sent.
#[derive(Debug)]
pub(super) struct Outbox {
    bytes: RefCell<Vec<u8>>,
    filled: Notify,
    gauge: Arc<LinkGauge>,
}

impl Outbox {
    pub fn new(gauge: Arc<LinkGauge>) -> Self {
        Self {
            bytes: RefCell::default(),
            filled: Notify::new(),
            gauge,
        }
    }

    /// Adds a frame, and says how many bytes waited before it.
    pub fn push(&self, frame: &[u8]) -> usize {
        let mut bytes = self.bytes.borrow_mut();
        let waited = bytes.len();
        bytes.extend_from_slice(frame);
        self.measure(&bytes);
        self.filled.notify_one();
        waited
    }

    fn measure(&self, bytes: &Vec<u8>) {
        self.gauge.used.store(bytes.len() as u64, Relaxed);
        self.gauge.allocated.store(bytes.capacity() as u64, Relaxed);
    }

    /// Writes what comes in, until the peer takes no more.
    async fn drain(&self, mut socket: WriteHalf<'_>) -> io::Result<()> {
        let mut batch = Vec::new();
        loop {
            std::mem::swap(&mut batch, &mut self.bytes.borrow_mut());
            if batch.is_empty() {
                self.filled.notified().await;
                continue;
            }
            socket.write_all(&batch).await?;
            batch.clear();
            batch.shrink_to(KEPT);
            self.measure(&self.bytes.borrow());
        }
    }
}

/// Why a link has ended by itself.
enum Ending {
    Io(io::Error),
    Protocol(CodecError),
    Silence,
}

impl From<io::Error> for Ending {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Serves a link until one of both sides ends it, and tells the member.
pub(super) async fn serve(link: LinkId, mut socket: TcpStream, outbox: Rc<Outbox>, inputs: Sender<Input>) {
    let (reading, writing) = socket.split();
    let ending = tokio::select! {
        ending = read(link, reading, &inputs) => ending,
        outcome = outbox.drain(writing) => match outcome {
            Ok(()) => return,
            Err(error) => error.into(),
        },
    };
    let reason = match ending {
        Ending::Io(error) => reason_of(&error),
        Ending::Protocol(error) => {
            log::verbose(format_args!("A link of the cluster bus is dropped: {error}"));
            CloseReason::Protocol
        }
        Ending::Silence => CloseReason::Reset,
    };
    // The receiver ends only with the process.
    let _ = inputs.send(Input::Closed { link, reason }).await;
}

async fn read(link: LinkId, mut socket: ReadHalf<'_>, inputs: &Sender<Input>) -> Ending {
    let mut buffer = Vec::with_capacity(CHUNK);
    loop {
        buffer.reserve(CHUNK);
        let reading = socket.read_buf(&mut buffer);
        let outcome = match link {
            LinkId::In(_) => match timeout(INBOUND_PATIENCE, reading).await {
                Ok(outcome) => outcome,
                Err(_) => return Ending::Silence,
            },
            // Of our own links the member knows when they have been silent for too long.
            LinkId::Out(_) => reading.await,
        };
        match outcome {
            Ok(0) => return Ending::Io(io::ErrorKind::ConnectionReset.into()),
            Ok(_) => {}
            Err(error) => return error.into(),
        }
        if let Err(error) = take_frames(link, &mut buffer, inputs).await {
            return Ending::Protocol(error);
        }
        if buffer.is_empty() {
            buffer.shrink_to(KEPT);
        }
    }
}

/// Passes on every whole frame of the buffer.
async fn take_frames(link: LinkId, buffer: &mut Vec<u8>, inputs: &Sender<Input>) -> Result<(), CodecError> {
    let mut from = 0;
    while let Some(len) = codec::frame_len(&buffer[from..])? {
        let Some(frame) = buffer.get(from..from + len) else {
            break;
        };
        match codec::decode(frame) {
            Ok(Some(message)) => {
                // The receiver ends only with the process.
                let _ = inputs.send(Input::Received { link, message }).await;
            }
            Ok(None) => {}
            Err(error) => log::verbose(format_args!("A message of the cluster bus is ignored: {error}")),
        }
        from += len;
    }
    buffer.drain(..from);
    Ok(())
}

/// What an error says of the peer.
pub(super) fn reason_of(error: &io::Error) -> CloseReason {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => CloseReason::Refused,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => CloseReason::Reset,
        _ => CloseReason::Unreachable,
    }
}

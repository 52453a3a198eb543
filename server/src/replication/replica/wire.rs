//! The socket of the link, with its read buffer. Whatever waits here waits no longer than `repl-timeout` for the next byte.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::fault::Fault;

/// Bytes read at once.
const READ_CHUNK: usize = 256 * 1024;

/// Longest line of an answer.
const MAX_LINE: usize = 64 * 1024;

/// The connection to a primary.
pub struct Wire {
    stream: TcpStream,
    /// Received bytes; those before `start` are used up.
    buffer: Vec<u8>,
    start: usize,
    patience: Duration,
    /// When the last byte came.
    heard: Instant,
    /// Where received bytes are counted.
    received: Option<&'static AtomicU64>,
}

impl Wire {
    /// A connection that was just made. It is given up after `patience` without a byte.
    pub fn new(stream: TcpStream, patience: Duration) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            start: 0,
            patience,
            heard: Instant::now(),
            received: None,
        }
    }

    /// The socket.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// From now on it is given up after this time without a byte.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// What has been received and not used.
    pub fn unused(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..]
    }

    /// Marks the first `bytes` of [`Wire::unused`] as used.
    pub fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        debug_assert!(self.start <= self.buffer.len());
        if self.start == self.buffer.len() {
            self.start = 0;
            self.buffer.clear();
            // A large value has made it large; an idle link need not hold that.
            self.buffer.shrink_to(2 * READ_CHUNK);
        }
    }

    /// Counts from here on, there, what arrives.
    pub fn count(&mut self, received: &'static AtomicU64) {
        self.received = Some(received);
    }

    /// Waits for more bytes. May be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// The connection ended, or nothing came for too long.
    pub async fn fill(&mut self) -> Result<(), Fault> {
        // What was used makes room, if moving the rest costs no more than has been used.
        if self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        if self.buffer.capacity() - self.buffer.len() < READ_CHUNK / 2 {
            self.buffer.reserve(READ_CHUNK);
        }
        let deadline = self.heard + self.patience;
        let read = timeout_at(deadline, self.stream.read_buf(&mut self.buffer))
            .await
            .map_err(|_| Fault::Silent(self.patience))??;
        if read == 0 {
            return Err(Fault::Closed);
        }
        self.heard = Instant::now();
        if let Some(received) = self.received {
            received.fetch_add(read as u64, Relaxed);
        }
        Ok(())
    }

    /// The next line, without its end. Empty lines are the primary's sign of life and are passed over.
    ///
    /// # Errors
    /// As [`Wire::fill`]; or the line does not end.
    pub async fn line(&mut self) -> Result<String, Fault> {
        let mut searched = 0;
        loop {
            let unused = &self.buffer[self.start..];
            match memchr::memchr(b'\n', &unused[searched..]) {
                Some(at) => {
                    let end = searched + at;
                    let line = String::from_utf8_lossy(unused[..end].trim_ascii_end()).into_owned();
                    self.consume(end + 1);
                    searched = 0;
                    if !line.is_empty() {
                        return Ok(line);
                    }
                }
                None if unused.len() > MAX_LINE => {
                    return Err(Fault::Rubbish("a line without end".into()));
                }
                None => {
                    searched = unused.len();
                    self.fill().await?;
                }
            }
        }
    }

    /// Nothing is expected of the primary before now: its silence so far does not count.
    pub fn forgive_silence(&mut self) {
        self.heard = Instant::now();
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The connection ended, or the primary takes nothing for too long.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        timeout(self.patience, self.stream.write_all(bytes))
            .await
            .map_err(|_| Fault::Silent(self.patience))??;
        Ok(())
    }
}

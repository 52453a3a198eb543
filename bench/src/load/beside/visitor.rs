//! One connection of a storm: it connects, asks, is held, and is closed with a reset.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use slotcore::redirect;
use slotcore::resp::ReplyScanner;
use socket2::SockRef;

use super::error_of;

/// What happened to a visitor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing worth telling.
    None,
    /// All that it asked is answered.
    Answered,
    /// It is of no use any more; a class as those of operations.
    Failed(&'static str),
}

#[derive(Debug)]
pub(super) struct Visitor {
    stream: TcpStream,
    pub began: Instant,
    pub connected: Option<Duration>,
    pub answered: bool,
    out: Vec<u8>,
    replies_due: u32,
    scanner: ReplyScanner,
    input: Vec<u8>,
    /// Tells it from those that had its number before.
    pub generation: u64,
}

impl Visitor {
    pub fn begin(
        address: SocketAddr,
        (frame, replies): (Vec<u8>, u32),
        registry: &Registry,
        number: usize,
        generation: u64,
    ) -> Result<Self, &'static str> {
        let began = Instant::now();
        let connect = || -> io::Result<TcpStream> {
            let mut stream = TcpStream::connect(address)?;
            // Closing resets the connection: its port is free at once instead of waiting for a minute.
            SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
            registry.register(
                &mut stream,
                Token(number),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            Ok(stream)
        };
        Ok(Self {
            stream: connect().map_err(|error| class_of(&error))?,
            began,
            connected: None,
            answered: false,
            out: frame,
            replies_due: replies,
            scanner: ReplyScanner::new(),
            input: Vec::new(),
            generation,
        })
    }

    /// The socket has something to say.
    pub fn on_event(&mut self, chunk: &mut [u8]) -> News {
        match self.advance(chunk) {
            Ok(news) => news,
            Err(error) => News::Failed(class_of(&error)),
        }
    }

    fn advance(&mut self, chunk: &mut [u8]) -> io::Result<News> {
        if self.connected.is_none() {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            match self.stream.peer_addr() {
                Ok(_) => self.connected = Some(self.began.elapsed()),
                // Not yet: there will be another event.
                Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(News::None),
                Err(error) => return Err(error),
            }
            self.stream.set_nodelay(true)?;
        }
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => drop(self.out.drain(..n)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        loop {
            match self.stream.read(chunk) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => self.input.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.take_replies())
    }

    fn take_replies(&mut self) -> News {
        let mut taken = 0;
        let mut news = News::None;
        while self.replies_due > 0 {
            let Ok(scanned) = self.scanner.scan(&self.input[taken..]) else {
                return News::Failed("PROTOCOL");
            };
            let Some(scanned) = scanned else { break };
            if let Some(error) = error_of(&scanned) {
                return News::Failed(redirect::classify(error).name());
            }
            taken += scanned.consumed;
            self.replies_due -= 1;
            if self.replies_due == 0 {
                self.answered = true;
                news = News::Answered;
            }
        }
        self.input.drain(..taken);
        news
    }
}

fn class_of(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::ConnectionRefused => "REFUSED",
        ErrorKind::AddrNotAvailable => "NO-PORT",
        ErrorKind::TimedOut => "TIMEOUT",
        ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => "CLOSED",
        _ => "CONNECTION",
    }
}

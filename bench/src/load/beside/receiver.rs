//! One receiver: a connection that listens, asks again after each item where it has to, and says what came.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use slotcore::Slot;
use slotcore::redirect;
use slotcore::resp::{Reply, ReplyLimits, ReplyScanner, encode_command, parse_reply};
use workloads::spec::ReceiveCommand;

use super::receivers::value_of;

/// Seconds after which a pop that found nothing is answered.
const POP_LIMIT: &[u8] = b"1";

/// What happened to a receiver.
#[derive(Debug)]
pub(super) enum News {
    /// A value has come.
    Item(Vec<u8>),
    /// It is of no use any more; a class as those of operations.
    Failed(&'static str),
}

#[derive(Debug)]
pub(super) struct Receiver {
    command: ReceiveCommand,
    name: Vec<u8>,
    pub slot: Slot,
    /// Decides at which node it listens where any will do.
    pub place: usize,
    stream: Option<TcpStream>,
    is_connected: bool,
    out: Vec<u8>,
    input: Vec<u8>,
    scanner: ReplyScanner,
    handshake_due: u32,
    /// A pop is under way, or a subscription has been asked for.
    is_asking: bool,
    /// The channel has said that it is subscribed to.
    is_subscribed: bool,
}

impl Receiver {
    pub fn new(command: ReceiveCommand, name: Vec<u8>, slot: Slot, place: usize) -> Self {
        Self {
            command,
            name,
            slot,
            place,
            stream: None,
            is_connected: false,
            out: Vec::new(),
            input: Vec::new(),
            scanner: ReplyScanner::new(),
            handshake_due: 0,
            is_asking: false,
            is_subscribed: false,
        }
    }

    /// Whether what is sent from now on comes to it.
    pub fn listens(&self) -> bool {
        self.is_subscribed || (self.command.takes() && self.is_asking)
    }

    /// Whether an answer to a pop is due.
    pub fn is_asking(&self) -> bool {
        self.stream.is_some() && self.is_asking
    }

    pub fn is_connecting(&self) -> bool {
        self.stream.is_some() && !self.listens()
    }

    /// Whether it may listen at any node.
    pub fn is_anywhere(&self) -> bool {
        self.command == ReceiveCommand::Subscribe
    }

    pub fn dial(
        &mut self,
        address: SocketAddr,
        handshake: &[u8],
        replies: u32,
        registry: &Registry,
        token: Token,
    ) -> Result<(), &'static str> {
        self.hang_up();
        let connect = || -> io::Result<TcpStream> {
            let mut stream = TcpStream::connect(address)?;
            registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(stream)
        };
        self.stream = Some(connect().map_err(|error| class_of(&error))?);
        self.out.extend_from_slice(handshake);
        self.handshake_due = replies;
        Ok(())
    }

    /// Closes the connection and forgets all about it.
    pub fn hang_up(&mut self) {
        self.stream = None;
        self.is_connected = false;
        self.out.clear();
        self.input.clear();
        self.scanner = ReplyScanner::new();
        self.handshake_due = 0;
        self.is_asking = false;
        self.is_subscribed = false;
    }

    /// Asks for the next item, or for the subscription, if that is not under way already.
    pub fn ask(&mut self) -> Result<(), &'static str> {
        if !self.is_connected || self.handshake_due > 0 || self.is_asking || self.is_subscribed {
            return Ok(());
        }
        let mut words: Vec<&[u8]> = vec![self.command.name().as_bytes(), &self.name];
        if self.command.takes() {
            words.push(POP_LIMIT);
        }
        encode_command(&mut self.out, &words);
        self.is_asking = true;
        self.write().map_err(|error| class_of(&error))
    }

    /// The socket has something to say.
    pub fn on_event(&mut self, chunk: &mut [u8]) -> Vec<News> {
        let mut news = Vec::new();
        if let Err(error) = self.advance(chunk) {
            // What came before the end counts.
            self.take_replies(&mut news);
            news.push(News::Failed(class_of(&error)));
            return news;
        }
        self.take_replies(&mut news);
        news
    }

    fn advance(&mut self, chunk: &mut [u8]) -> io::Result<()> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        if !self.is_connected {
            if let Some(error) = stream.take_error()? {
                return Err(error);
            }
            match stream.peer_addr() {
                Ok(_) => self.is_connected = true,
                // Not yet: there will be another event.
                Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(()),
                Err(error) => return Err(error),
            }
            stream.set_nodelay(true)?;
        }
        self.write()?;
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        loop {
            match stream.read(chunk) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => self.input.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        while !self.out.is_empty() {
            match stream.write(&self.out) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => drop(self.out.drain(..n)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn take_replies(&mut self, news: &mut Vec<News>) {
        let mut taken = 0;
        loop {
            let rest = &self.input[taken..];
            let consumed = match self.scanner.scan(rest) {
                Ok(Some(scanned)) => scanned.consumed,
                Ok(None) => break,
                Err(_) => {
                    news.push(News::Failed("PROTOCOL"));
                    break;
                }
            };
            let reply = parse_reply(&rest[..consumed], &ReplyLimits::default());
            taken += consumed;
            match reply {
                Ok(Some((reply, _))) => news.extend(self.take(&reply)),
                _ => news.push(News::Failed("PROTOCOL")),
            }
        }
        self.input.drain(..taken);
    }

    fn take(&mut self, reply: &Reply) -> Option<News> {
        if let Some(error) = reply.as_error() {
            return Some(News::Failed(redirect::classify(error).name()));
        }
        if self.handshake_due > 0 {
            self.handshake_due -= 1;
            return None;
        }
        if self.command.takes() {
            // Nothing within the limit is an answer as well.
            self.is_asking = false;
        }
        if let Some(value) = value_of(reply) {
            return Some(News::Item(value.to_vec()));
        }
        let kind = reply.as_array().and_then(|words| words.first()?.as_bytes());
        match kind {
            Some(b"subscribe" | b"ssubscribe") => {
                (self.is_subscribed, self.is_asking) = (true, false);
                None
            }
            // Its slot has moved away.
            Some(b"unsubscribe" | b"sunsubscribe") => Some(News::Failed("MOVED")),
            _ => None,
        }
    }
}

fn class_of(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::ConnectionRefused => "REFUSED",
        ErrorKind::TimedOut => "TIMEOUT",
        ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => "CLOSED",
        _ => "CONNECTION",
    }
}

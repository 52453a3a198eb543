//! A blocking client that shows replies as they are.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use slotcore::resp::{Reply, ReplyLimits, encode_command, parse_reply};

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects to a port of this host, or says why not.
    pub fn try_connect(port: u16) -> std::io::Result<Self> {
        Self::try_connect_to((std::net::Ipv4Addr::LOCALHOST, port).into())
    }

    /// Connects to an address, or says why not.
    pub fn try_connect_to(address: std::net::SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// Connects to a port of this host.
    pub fn connect(port: u16) -> Self {
        Self::try_connect(port).unwrap_or_else(|error| panic!("cannot connect to port {port}: {error}"))
    }

    /// How long to wait for a reply, instead of ten seconds.
    pub fn set_patience(&self, patience: Duration) {
        self.stream
            .set_read_timeout(Some(patience))
            .expect("the time is not zero");
    }

    /// Sends a command of words and returns its reply, or why none came.
    pub fn try_cmd(&mut self, words: &[&str]) -> std::io::Result<Reply> {
        let args: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let mut out = Vec::new();
        encode_command(&mut out, &args);
        self.stream.write_all(&out)?;
        self.try_reply()
    }

    /// Sends a command of words and returns its reply.
    pub fn cmd(&mut self, words: &[&str]) -> Reply {
        let args: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        self.cmd_bytes(&args)
    }

    /// Sends a command of byte strings and returns its reply.
    pub fn cmd_bytes(&mut self, args: &[&[u8]]) -> Reply {
        let mut out = Vec::new();
        encode_command(&mut out, args);
        self.send(&out);
        self.reply()
    }

    /// Sends a command and waits for its reply; an error if the server has closed the connection.
    pub fn try_cmd_bytes(&mut self, args: &[&[u8]]) -> std::io::Result<Reply> {
        let mut out = Vec::new();
        encode_command(&mut out, args);
        self.stream.write_all(&out)?;
        self.try_reply()
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    /// The next reply.
    pub fn reply(&mut self) -> Reply {
        self.try_reply().expect("a reply")
    }

    /// The next reply, or why none came (the connection was closed, ten seconds passed).
    pub fn try_reply(&mut self) -> std::io::Result<Reply> {
        loop {
            let parsed = parse_reply(&self.buffer, &ReplyLimits::default())
                .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string()))?;
            if let Some((reply, used)) = parsed {
                self.buffer.drain(..used);
                return Ok(reply);
            }
            self.fill()?;
        }
    }

    /// Sends a command and returns its reply as the bytes on the wire.
    pub fn raw(&mut self, args: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_command(&mut out, args);
        self.send(&out);
        self.raw_reply()
    }

    /// The next reply as the bytes on the wire.
    pub fn raw_reply(&mut self) -> Vec<u8> {
        loop {
            if let Some((_, used)) =
                parse_reply(&self.buffer, &ReplyLimits::default()).expect("a well-formed reply")
            {
                return self.buffer.drain(..used).collect();
            }
            self.fill().expect("a reply");
        }
    }

    /// Everything that comes until the server closes the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.fill().is_ok() {}
        std::mem::take(&mut self.buffer)
    }

    /// Everything that comes up to these bytes, and them.
    pub fn read_until(&mut self, end: &[u8]) -> Vec<u8> {
        let mut from = 0;
        loop {
            let found = self.buffer[from..]
                .windows(end.len())
                .position(|part| part == end);
            if let Some(at) = found {
                return self.buffer.drain(..from + at + end.len()).collect();
            }
            from = self.buffer.len().saturating_sub(end.len() - 1);
            self.fill().unwrap_or_else(|error| {
                panic!(
                    "{error} before {}, after {}",
                    end.escape_ascii(),
                    self.buffer.escape_ascii()
                )
            });
        }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        let mut chunk = [0; 16384];
        match self.stream.read(&mut chunk)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.buffer.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }
}

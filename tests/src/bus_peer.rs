//! A node of a cluster that is only a bus: it talks to a server under test with messages of our encoding, answers its
//! pings, and checks that every message that comes is one that we would have written in the same bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use slotcore::topology::{NodeFlags, NodeId};
use slotmark_server::cluster::bus::codec;
use slotmark_server::cluster::message::{Body, Gossip, Header, Heartbeat, Message, SlotBitmap};

/// How long a server has for anything that is asked of it here.
const SOON: Duration = Duration::from_secs(20);

/// One connection of the bus.
struct Link {
    stream: TcpStream,
    buffer: Vec<u8>,
    ended: bool,
}

/// The node.
pub struct BusPeer {
    listener: TcpListener,
    /// The first is the one that we dialled.
    links: Vec<Link>,
    /// What it says of itself.
    pub header: Header,
    /// What it says of others with every heartbeat.
    pub gossip: Vec<Gossip>,
    /// The hostname that it announces.
    pub hostname: Option<String>,
}

impl BusPeer {
    /// A primary without slots that has dialled the bus of the server at `server_port`, and has said nothing yet.
    pub fn dial(server_port: u16, id: NodeId) -> Self {
        let port = crate::server::free_port();
        let listener = TcpListener::bind(("127.0.0.1", port + 10_000)).expect("the port is free");
        listener.set_nonblocking(true).expect("a listener can be polled");
        let stream = TcpStream::connect(("127.0.0.1", server_port + 10_000)).expect("the bus listens");
        let header = Header {
            sender: id,
            flags: NodeFlags::PRIMARY | NodeFlags::MYSELF,
            current_epoch: 0,
            config_epoch: 0,
            offset: 0,
            slots: SlotBitmap::empty(),
            primary: None,
            ip: "127.0.0.1".into(),
            port,
            bus_port: port + 10_000,
            cluster_ok: true,
            paused: false,
            force_ack: false,
        };
        Self {
            listener,
            links: vec![Link::new(stream)],
            header,
            gossip: Vec::new(),
            hostname: None,
        }
    }

    /// A heartbeat, as it is now.
    pub fn heartbeat(&self, kind: Heartbeat) -> Body {
        Body::Heartbeat {
            kind,
            gossip: self.gossip.clone(),
            hostname: self.hostname.clone(),
        }
    }

    /// Sends a message on the link that we dialled.
    pub fn send(&mut self, body: Body) {
        let message = Message {
            header: self.header.clone(),
            body,
        };
        self.links[0].send(&message);
    }

    /// Sends bytes on the link that we dialled.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.links[0].stream.write_all(bytes).expect("the server reads");
    }

    /// Has the server closed the link that we dialled?
    pub fn hung_up(&self) -> bool {
        self.links[0].ended
    }

    /// Lives on until a message comes for which `wanted` has an answer.
    pub fn until_told<T>(&mut self, what: &str, mut wanted: impl FnMut(&Message) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(answer) = self.turn().iter().find_map(&mut wanted) {
                return answer;
            }
            assert!(start.elapsed() < SOON, "waited in vain for {what}");
        }
    }

    /// Lives on until `probe` has an answer.
    pub fn until<T>(&mut self, what: &str, mut probe: impl FnMut(&mut Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(answer) = probe(self) {
                return answer;
            }
            assert!(start.elapsed() < SOON, "waited in vain for {what}");
            self.turn();
        }
    }

    /// Reads what has come, answers pings, and returns all of it.
    fn turn(&mut self) -> Vec<Message> {
        std::thread::sleep(Duration::from_millis(5));
        if let Ok((stream, _)) = self.listener.accept() {
            self.links.push(Link::new(stream));
        }
        let answer = Message {
            header: self.header.clone(),
            body: self.heartbeat(Heartbeat::Pong),
        };
        let mut told = Vec::new();
        for link in &mut self.links {
            for message in link.receive() {
                if let Body::Heartbeat {
                    kind: Heartbeat::Ping | Heartbeat::Meet,
                    ..
                } = message.body
                {
                    link.send(&answer);
                }
                told.push(message);
            }
        }
        told
    }
}

impl Link {
    fn new(stream: TcpStream) -> Self {
        stream.set_nonblocking(true).expect("a socket can be polled");
        Self {
            stream,
            buffer: Vec::new(),
            ended: false,
        }
    }

    fn send(&mut self, message: &Message) {
        let mut out = Vec::new();
        codec::encode(message, &mut out);
        // A link that the server has closed is none: it will dial again.
        let _ = self.stream.write_all(&out);
    }

    fn receive(&mut self) -> Vec<Message> {
        let mut chunk = [0; 65536];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => self.buffer.extend_from_slice(&chunk[..read]),
                Err(error) => {
                    self.ended |= error.kind() != ErrorKind::WouldBlock;
                    break;
                }
            }
        }
        let mut messages = Vec::new();
        while let Some(len) = codec::frame_len(&self.buffer).expect("a message")
            && let Some(frame) = self.buffer.get(..len)
        {
            let message = codec::decode(frame)
                .expect("a well-formed message")
                .expect("a known type");
            let mut again = Vec::new();
            codec::encode(&message, &mut again);
            let differs = again.iter().zip(frame).position(|(ours, theirs)| ours != theirs);
            assert!(again == frame, "byte {differs:?} of {message:?} is ours alone");
            messages.push(message);
            self.buffer.drain(..len);
        }
        messages
    }
}

//! A cluster in this process whose nodes answer as a test wants them to.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use slotcore::resp::{Args, Progress, RequestLimits, RequestParser};
use slotcore::{SLOT_COUNT, slot_of};

use crate::load::HostPort;

/// A request as a test's script sees it.
pub(super) struct Request<'a> {
    /// Which node got it.
    pub node: usize,
    pub args: &'a [Vec<u8>],
    /// The request before it on this connection was ASKING.
    pub asking: bool,
    /// Slot of the first key.
    pub slot: u16,
}

impl Request<'_> {
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.args[0]).to_uppercase()
    }
}

/// What a node does with a request.
pub(super) enum Answer {
    /// What a node that owns the slot would say.
    Usual,
    Reply(Vec<u8>),
    /// Closes the connection.
    Close,
}

pub(super) fn error(text: &str) -> Answer {
    Answer::Reply(format!("-{text}\r\n").into_bytes())
}

type Script = Box<dyn Fn(&Fake, &Request<'_>) -> Answer + Send + Sync>;

pub(super) struct Fake {
    pub ports: Vec<u16>,
    /// Owner of each slot as CLUSTER SLOTS tells it; empty for a server that is no cluster.
    pub told: Mutex<Vec<usize>>,
    /// Nodes that are told of as replicas, with the node that they copy.
    pub replicas: Mutex<Vec<(usize, usize)>>,
    script: Script,
    /// Requests with keys that were answered as usual, by their text.
    pub served: Mutex<HashMap<Vec<Vec<u8>>, u64>>,
    pub served_by: Vec<AtomicU64>,
    /// How often the slot map was asked for.
    pub map_asked: AtomicU64,
    pub connections: AtomicU64,
    /// Connections beyond this number are told so and closed.
    pub room: AtomicU64,
    down: Vec<AtomicBool>,
    open: Mutex<Vec<(usize, TcpStream)>>,
    /// Bytes written at once; 0 for all.
    pub crumbs: usize,
}

impl Fake {
    /// Starts nodes that share the slots evenly.
    pub fn start(
        nodes: usize,
        script: impl Fn(&Fake, &Request<'_>) -> Answer + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::start_with(nodes, 0, script)
    }

    pub fn start_with(
        nodes: usize,
        crumbs: usize,
        script: impl Fn(&Fake, &Request<'_>) -> Answer + Send + Sync + 'static,
    ) -> Arc<Self> {
        let listeners: Vec<TcpListener> = (0..nodes)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let fake = Arc::new(Self {
            ports: listeners
                .iter()
                .map(|listener| listener.local_addr().unwrap().port())
                .collect(),
            told: Mutex::new(Self::even(nodes)),
            replicas: Mutex::default(),
            script: Box::new(script),
            served: Mutex::default(),
            served_by: (0..nodes).map(|_| AtomicU64::new(0)).collect(),
            map_asked: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            room: AtomicU64::new(u64::MAX),
            down: (0..nodes).map(|_| AtomicBool::new(false)).collect(),
            open: Mutex::default(),
            crumbs,
        });
        for (node, listener) in listeners.into_iter().enumerate() {
            let fake = Arc::clone(&fake);
            std::thread::spawn(move || fake.listen(node, listener));
        }
        fake
    }

    pub fn even(nodes: usize) -> Vec<usize> {
        (0..SLOT_COUNT).map(|slot| slot * nodes / SLOT_COUNT).collect()
    }

    pub fn seeds(&self) -> Vec<HostPort> {
        self.ports
            .iter()
            .map(|&port| HostPort::new("127.0.0.1", port))
            .collect()
    }

    pub fn served_total(&self) -> u64 {
        self.served_by
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }

    /// Closes a node's connections and refuses further ones.
    pub fn kill(&self, node: usize) {
        self.down[node].store(true, Ordering::SeqCst);
        // The listener waits in accept: this connection makes it look at the flag, and close.
        drop(TcpStream::connect(("127.0.0.1", self.ports[node])));
        self.open.lock().unwrap().retain(|(owner, stream)| {
            if *owner == node {
                let _ = stream.shutdown(Shutdown::Both);
            }
            *owner != node
        });
    }

    fn listen(self: &Arc<Self>, node: usize, listener: TcpListener) {
        for stream in listener.incoming() {
            if self.down[node].load(Ordering::SeqCst) {
                return;
            }
            let mut stream = stream.unwrap();
            if self.connections.fetch_add(1, Ordering::Relaxed) >= self.room.load(Ordering::Relaxed) {
                stream
                    .write_all(b"-ERR max number of clients reached\r\n")
                    .unwrap();
                continue;
            }
            self.open
                .lock()
                .unwrap()
                .push((node, stream.try_clone().unwrap()));
            let fake = Arc::clone(self);
            std::thread::spawn(move || {
                // A client that goes away ends its thread; nothing to report.
                let _ = fake.serve(node, stream);
            });
        }
    }

    fn serve(&self, node: usize, mut stream: TcpStream) -> std::io::Result<()> {
        let limits = RequestLimits {
            max_bulk_len: 1 << 20,
            authenticated: true,
        };
        let (mut parser, mut buf, mut chunk) = (RequestParser::new(), Vec::new(), [0u8; 4096]);
        let mut asking = false;
        loop {
            let got = stream.read(&mut chunk)?;
            if got == 0 {
                return Ok(());
            }
            buf.extend_from_slice(&chunk[..got]);
            let (mut at, mut out) = (0, Vec::new());
            loop {
                let mut ranges = Vec::new();
                let Progress::Complete { consumed } =
                    parser.parse(&mut buf, at, &limits, &mut ranges).unwrap()
                else {
                    break;
                };
                at = consumed;
                let args: Vec<Vec<u8>> = Args::new(&buf, &ranges).iter().map(<[u8]>::to_vec).collect();
                let slot = args.get(1).map_or(0, |key| slot_of(key));
                let request = Request {
                    node,
                    args: &args,
                    asking,
                    slot,
                };
                match (self.script)(self, &request) {
                    Answer::Usual => self.usual(&request, &mut out),
                    Answer::Reply(bytes) => out.extend(bytes),
                    Answer::Close => {
                        write(&mut stream, &out, self.crumbs)?;
                        return stream.shutdown(Shutdown::Both);
                    }
                }
                asking = request.name() == "ASKING";
            }
            buf.drain(..at);
            write(&mut stream, &out, self.crumbs)?;
        }
    }

    fn usual(&self, request: &Request<'_>, out: &mut Vec<u8>) {
        match request.name().as_str() {
            "CLUSTER" => {
                self.map_asked.fetch_add(1, Ordering::Relaxed);
                self.slots_reply(out);
                return;
            }
            "GET" => out.extend_from_slice(b"$5\r\nvalue\r\n"),
            "MGET" => {
                out.extend_from_slice(format!("*{}\r\n", request.args.len() - 1).as_bytes());
                request.args[1..]
                    .iter()
                    .for_each(|_| out.extend_from_slice(b"$1\r\nv\r\n"));
            }
            "HELLO" => {
                out.extend_from_slice(b"%1\r\n$5\r\nproto\r\n:3\r\n");
                return;
            }
            _ => {
                out.extend_from_slice(b"+OK\r\n");
                if request.args.len() < 2 {
                    return;
                }
            }
        }
        self.served_by[request.node].fetch_add(1, Ordering::Relaxed);
        *self
            .served
            .lock()
            .unwrap()
            .entry(request.args.to_vec())
            .or_default() += 1;
    }

    fn slots_reply(&self, out: &mut Vec<u8>) {
        let told = self.told.lock().unwrap();
        if told.is_empty() {
            out.extend_from_slice(b"-ERR This instance has cluster support disabled\r\n");
            return;
        }
        let mut ranges: Vec<(usize, usize, usize)> = Vec::new();
        for (slot, &owner) in told.iter().enumerate() {
            match ranges.last_mut() {
                Some((_, end, of)) if *of == owner => *end = slot,
                _ => ranges.push((slot, slot, owner)),
            }
        }
        out.extend_from_slice(format!("*{}\r\n", ranges.len()).as_bytes());
        let replicas = self.replicas.lock().unwrap();
        for (start, end, owner) in ranges {
            let copies = replicas
                .iter()
                .filter(|(_, of)| *of == owner)
                .map(|(replica, _)| *replica);
            let nodes: Vec<usize> = std::iter::once(owner).chain(copies).collect();
            let head = format!("*{}\r\n:{start}\r\n:{end}\r\n", 2 + nodes.len());
            out.extend_from_slice(head.as_bytes());
            for node in nodes {
                let (id, port) = (format!("{node:040x}"), self.ports[node]);
                let text = format!("*3\r\n$9\r\n127.0.0.1\r\n:{port}\r\n$40\r\n{id}\r\n");
                out.extend_from_slice(text.as_bytes());
            }
        }
    }
}

fn write(stream: &mut TcpStream, out: &[u8], crumbs: usize) -> std::io::Result<()> {
    if crumbs == 0 {
        return stream.write_all(out);
    }
    stream.set_nodelay(true)?;
    out.chunks(crumbs).try_for_each(|crumb| stream.write_all(crumb))
}

//! Clients that ask for all of one large key, again and again, each with one command under way.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use slotcore::redirect;
use slotcore::resp::{ReplyScanner, encode_command};
use workloads::spec::{Neighbor, NeighborKind};

use super::super::discover::resolve;
use super::super::plan::HostPort;
use super::{Moment, error_of, large_key};
use crate::measure::empty_histogram;
use crate::report::outcome::NeighborOutcome;

/// How often a wait for bytes looks whether the round is past.
const LOOK: Duration = Duration::from_millis(100);
/// After a failure.
const PAUSE: Duration = Duration::from_millis(20);
/// A reply this small does not hold the key: it is not there.
const EMPTY: usize = 8;

/// Asks until the round is past.
pub(super) fn run(moment: Moment<'_>, neighbor: &Neighbor) -> NeighborOutcome {
    let began = Instant::now();
    let mut sum = NeighborOutcome {
        length: Duration::ZERO,
        commands: 0,
        bytes: 0,
        failed: Default::default(),
        latency: empty_histogram(),
    };
    let outcomes: Vec<NeighborOutcome> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..neighbor.clients)
            .map(|_| scope.spawn(move || Client::new(moment, neighbor).run()))
            .collect();
        clients
            .into_iter()
            .filter_map(|client| client.join().ok())
            .collect()
    });
    sum.length = began.elapsed();
    for outcome in outcomes {
        sum.add(&outcome);
    }
    sum
}

struct Client<'a> {
    moment: Moment<'a>,
    neighbor: &'a Neighbor,
    frame: Vec<u8>,
    input: Vec<u8>,
    chunk: Vec<u8>,
    outcome: NeighborOutcome,
}

/// Why a command has no answer: a class, or the end of the round.
enum Failed {
    Class(&'static str),
    Past,
}

impl<'a> Client<'a> {
    fn new(moment: Moment<'a>, neighbor: &'a Neighbor) -> Self {
        let key = large_key::name(neighbor.slot);
        let mut frame = Vec::new();
        match neighbor.kind {
            NeighborKind::String { .. } => encode_command(&mut frame, &[b"GETRANGE", &key, b"0", b"-1"]),
            NeighborKind::Hash { .. } => encode_command(&mut frame, &[b"HGETALL", &key]),
            NeighborKind::Set { .. } => encode_command(&mut frame, &[b"SMEMBERS", &key]),
        }
        Self {
            moment,
            neighbor,
            frame,
            input: Vec::new(),
            chunk: vec![0; 256 * 1024],
            outcome: NeighborOutcome {
                length: Duration::ZERO,
                commands: 0,
                bytes: 0,
                failed: Default::default(),
                latency: empty_histogram(),
            },
        }
    }

    fn run(mut self) -> NeighborOutcome {
        let mut link = None;
        let mut next = Instant::now();
        while !self.moment.is_past() {
            if link.is_some() && Instant::now() < next {
                std::thread::sleep(next.saturating_duration_since(Instant::now()).min(LOOK));
                continue;
            }
            let asked = match link.take() {
                None => self.connect(),
                Some(stream) => {
                    next = Instant::now() + self.neighbor.every;
                    self.ask(stream)
                }
            };
            match asked {
                Ok(stream) => link = Some(stream),
                Err(Failed::Past) => break,
                Err(Failed::Class(class)) => {
                    *self.outcome.failed.entry(class.to_owned()).or_default() += 1;
                    self.moment.job.scout.request(None);
                    std::thread::sleep(PAUSE);
                }
            }
        }
        self.outcome
    }

    fn connect(&mut self) -> Result<TcpStream, Failed> {
        let job = self.moment.job;
        let map = job.scout.map();
        let node = map.owner(self.neighbor.slot).map(|owner| map.node(owner));
        let node = node.ok_or(Failed::Class("NO-NODE"))?;
        let address = resolve(&HostPort::new(node.host.as_str(), node.port)).ok();
        let address = address
            .and_then(|all| all.first().copied())
            .ok_or(Failed::Class("NO-NODE"))?;
        let connect = || -> std::io::Result<TcpStream> {
            let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(LOOK))?;
            stream.set_write_timeout(Some(job.timeout))?;
            Ok(stream)
        };
        let mut stream = connect().map_err(|_| Failed::Class("CONNECTION"))?;
        stream
            .write_all(&job.handshake)
            .map_err(|_| Failed::Class("CONNECTION"))?;
        for _ in 0..job.handshake_replies {
            self.reply(&mut stream)?;
        }
        Ok(stream)
    }

    fn ask(&mut self, mut stream: TcpStream) -> Result<TcpStream, Failed> {
        let began = Instant::now();
        stream
            .write_all(&self.frame)
            .map_err(|_| Failed::Class("CONNECTION"))?;
        let bytes = self.reply(&mut stream)?;
        if bytes < EMPTY {
            return Err(Failed::Class("EMPTY"));
        }
        self.outcome.commands += 1;
        self.outcome.bytes += bytes as u64;
        // The histogram grows: nothing is too long for it.
        let recorded = self
            .outcome
            .latency
            .record((began.elapsed().as_nanos() as u64).max(1));
        debug_assert!(recorded.is_ok());
        Ok(stream)
    }

    /// Reads one reply, and says how long it was.
    fn reply(&mut self, stream: &mut TcpStream) -> Result<usize, Failed> {
        let deadline = Instant::now() + self.moment.job.timeout;
        let mut scanner = ReplyScanner::new();
        self.input.clear();
        loop {
            match stream.read(&mut self.chunk) {
                Ok(0) => return Err(Failed::Class("CLOSED")),
                Ok(n) => self.input.extend_from_slice(&self.chunk[..n]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Failed::Class("CLOSED")),
            }
            match scanner.scan(&self.input) {
                Err(_) => return Err(Failed::Class("PROTOCOL")),
                Ok(Some(scanned)) => {
                    return match error_of(&scanned) {
                        Some(error) => Err(Failed::Class(redirect::classify(error).name())),
                        None => Ok(scanned.consumed),
                    };
                }
                Ok(None) if self.moment.is_past() => return Err(Failed::Past),
                Ok(None) if Instant::now() >= deadline => return Err(Failed::Class("TIMEOUT")),
                Ok(None) => {}
            }
        }
    }
}

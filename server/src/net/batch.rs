//! One turn of a connection: every complete command in its buffer, from bytes to replies.
//!
//! The commands of a batch are first parsed and hashed, while hints bring their slots and buckets into the cache,
//! and only then run: with a pipeline of 16 the memory latency of 16 lookups overlaps.

use slotcore::command::{CommandSpec, LookupError, lookup_request};
use slotcore::resp::{
    ArgRange, Args, Progress, ProtocolError, ReplyWriter, RequestLimits, RequestParser, encode_command,
};

use crate::command::dispatch::{self, Batch, Request};
use crate::keyspace::Key;
use crate::session::Session;

/// Commands parsed ahead of the first that runs: deep enough to overlap cache misses, and no more lines at once than a
/// core can wait for.
const DEPTH: usize = 16;

/// Replies beyond this are sent before more commands run, so that a pipeline of large reads cannot pile up.
const FLUSH_AT: usize = 256 * 1024;

/// Why a turn ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// What is left in the buffer is not a whole command; about so many bytes are missing.
    NeedMore(usize),
    /// The replies should leave before the rest of the buffer is looked at.
    Flush,
    /// A pause holds the next command back.
    Paused,
    /// The last command waits in the session's `blocked`.
    Blocked,
    /// The connection is a replica's from here on.
    HandOver,
    /// Nothing more is read from this client: it said goodbye or broke the protocol.
    Close,
}

/// A parsed request, as indexes into the scratch vectors.
struct Parsed {
    args: std::ops::Range<usize>,
    spec: Result<&'static CommandSpec, LookupError>,
    keys: std::ops::Range<usize>,
    /// Where the request ends in the buffer.
    end: usize,
    inline: bool,
}

/// A worker's reusable memory: nothing is allocated for a command.
#[derive(Default)]
pub struct Scratch {
    args: Vec<ArgRange>,
    parsed: Vec<Parsed>,
    positions: Vec<u32>,
    keys: Vec<Key<'static>>,
    /// The replies of the turn.
    pub out: Vec<u8>,
    /// An inline request that a pause holds back, in the form that can be parsed again. Belongs before what is left
    /// of the buffer.
    pub held_back: Vec<u8>,
}

impl Scratch {
    /// Runs the complete commands at the start of `buf`. Returns how many bytes were used up, and why it stopped.
    pub fn run(
        &mut self,
        batch: &Batch<'_>,
        session: &mut Session,
        parser: &mut RequestParser,
        buf: &mut [u8],
    ) -> (usize, Stop) {
        let mut pos = 0;
        loop {
            let limits = RequestLimits {
                max_bulk_len: batch.config.proto_max_bulk_len as usize,
                authenticated: session.authenticated || batch.node.acl.default_account().is_open(),
            };
            let parsed_to = self.parse(parser, &limits, buf, pos);
            let (used, stop) = self.execute(batch, session, buf, pos);
            pos = used;
            if let Some(stop) = stop {
                // Commands parsed ahead and not run are parsed again next time.
                *parser = RequestParser::new();
                return (pos, stop);
            }
            match parsed_to {
                Ok(None) => {}
                Ok(Some(need)) => return (pos, Stop::NeedMore(need)),
                Err(error) => {
                    self.protocol_error(batch, session, &error);
                    return (pos, Stop::Close);
                }
            }
        }
    }

    /// Parses up to `DEPTH` commands from `buf[pos..]`. `Ok(Some(n))`: the buffer ended, n more bytes are needed.
    fn parse(
        &mut self,
        parser: &mut RequestParser,
        limits: &RequestLimits,
        buf: &mut [u8],
        mut pos: usize,
    ) -> Result<Option<usize>, ProtocolError> {
        self.args.clear();
        self.parsed.clear();
        while self.parsed.len() < DEPTH {
            if pos == buf.len() {
                return Ok(Some(1));
            }
            // An inline request is unquoted in place, so it cannot be parsed a second time: it is a round of its own.
            let inline = buf[pos] != b'*';
            if inline && !self.parsed.is_empty() {
                return Ok(None);
            }
            let first = self.args.len();
            match parser.parse(buf, pos, limits, &mut self.args)? {
                Progress::Incomplete { need } => return Ok(Some(need)),
                Progress::Complete { consumed } => pos = consumed,
            }
            let args = first..self.args.len();
            self.parsed.push(Parsed {
                args,
                spec: Err(LookupError::UnknownCommand),
                keys: 0..0,
                end: pos,
                inline,
            });
            if inline {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Looks up, hashes and prefetches everything parsed, then runs it in order. Returns where the last command
    /// that ran ends.
    fn execute(
        &mut self,
        batch: &Batch<'_>,
        session: &mut Session,
        buf: &[u8],
        mut pos: usize,
    ) -> (usize, Option<Stop>) {
        let keyspace = &batch.node.keyspace;
        let mut keys = recycle(std::mem::take(&mut self.keys));
        for request in &mut self.parsed {
            let args = Args::new(buf, &self.args[request.args.clone()]);
            if args.is_empty() {
                continue;
            }
            request.spec = lookup_request(&args);
            let first = keys.len();
            if let Ok(spec) = request.spec {
                dispatch::hash_keys(spec, &args, &mut self.positions, &mut keys);
            }
            request.keys = first..keys.len();
            for key in &keys[first..] {
                keyspace.prefetch_slot(key.slot);
            }
        }
        // What one key needs is waited for in any case.
        if keys.len() > 1 {
            for key in &keys {
                keyspace.prefetch_bucket(key);
            }
            for key in &keys {
                keyspace.prefetch_entry(key);
            }
        }
        let mut stop = None;
        for request in &self.parsed {
            let wire_len = request.end - pos;
            if !request.args.is_empty() {
                let args = Args::new(buf, &self.args[request.args.clone()]);
                let mut waits = !session.is_primary_link && batch.node.pause.holds(request.spec, batch.now);
                if !waits {
                    let keys = &keys[request.keys.clone()];
                    let request = Request {
                        args,
                        spec: request.spec,
                        keys,
                        wire_len,
                    };
                    dispatch::execute(batch, session, request, &mut self.out);
                    waits = std::mem::take(&mut session.retry);
                }
                if waits {
                    if request.inline {
                        encode_command(&mut self.held_back, &args.iter().collect::<Vec<_>>());
                        pos = request.end;
                    }
                    stop = Some(Stop::Paused);
                    break;
                }
            }
            pos = request.end;
            stop = if session.closing {
                Some(Stop::Close)
            } else if session.blocked.is_some() {
                Some(Stop::Blocked)
            } else if session.handover.is_some() {
                Some(Stop::HandOver)
            } else if self.out.len() >= FLUSH_AT {
                Some(Stop::Flush)
            } else {
                None
            };
            if stop.is_some() {
                break;
            }
        }
        self.keys = recycle(keys);
        (pos, stop)
    }

    fn protocol_error(&mut self, batch: &Batch<'_>, session: &mut Session, error: &ProtocolError) {
        let text = format!("ERR Protocol error: {error}");
        ReplyWriter::new(&mut self.out, session.proto).error(text.as_bytes());
        batch.node.stats.worker(batch.worker).refused(None, b"ERR");
        session.closing = true;
    }
}

/// The vector's memory with another lifetime for its (zero) elements.
fn recycle<'a>(mut keys: Vec<Key<'_>>) -> Vec<Key<'a>> {
    keys.clear();
    keys.into_iter()
        .map(|_| unreachable!("the vector was cleared"))
        .collect()
}

//! A turn of a connection: every complete command in its buffer, from bytes to replies.
//!
//! Commands are first parsed and hashed, those of several connections if each has few, while hints bring their slots and
//! buckets into the cache, and only then run: so the memory latency of 16 lookups overlaps.

use std::ops::Range;

use slotcore::Slot;
use slotcore::command::{CommandSpec, LookupError, lookup_request};
use slotcore::resp::{
    ArgRange, Args, Progress, ProtocolError, ReplyWriter, RequestLimits, RequestParser, encode_command,
};

use crate::command::dispatch::{self, Batch, Request};
use crate::config::Config;
use crate::keyspace::{Key, Keyspace};
use crate::node::Node;
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

/// Commands of one connection that were parsed ahead, and what comes behind them.
pub struct Part {
    /// Where they lie in the buffer: from the first to the last byte that is there.
    pub bytes: Range<usize>,
    parsed: Range<usize>,
    rest: Rest,
}

impl Part {
    /// It belongs to no other part's group: there is more of it to be parsed when these have run.
    pub fn goes_on(&self) -> bool {
        matches!(self.rest, Rest::More)
    }
}

/// What comes behind commands that were parsed.
enum Rest {
    /// There may be more commands.
    More,
    /// The start of a command of which at least so many bytes are missing.
    Missing(usize),
    Bad(ProtocolError),
}

/// A parsed request, as indexes into the scratch vectors.
struct Parsed {
    args: Range<usize>,
    spec: Result<&'static CommandSpec, LookupError>,
    keys: Range<usize>,
    /// Where the request ends in the buffer.
    end: usize,
    inline: bool,
}

/// A key by its place, and what was computed from its bytes.
struct Hashed {
    /// Which of its request's arguments it is.
    at: u32,
    slot: Slot,
    hash: u64,
}

impl Hashed {
    /// The key, with the bytes that it was computed from.
    #[inline]
    fn of<'a>(&self, args: &Args<'a>) -> Key<'a> {
        Key {
            bytes: args.at(self.at as usize),
            hash: self.hash,
            slot: self.slot,
        }
    }
}

/// A worker's reusable memory: nothing is allocated for a command.
#[derive(Default)]
pub struct Scratch {
    args: Vec<ArgRange>,
    parsed: Vec<Parsed>,
    positions: Vec<u32>,
    hashed: Vec<Hashed>,
    keys: Vec<Key<'static>>,
    /// The replies of the turn, behind those that were there before it.
    pub out: Vec<u8>,
    /// An inline request that a pause holds back, in the form that can be parsed again. Belongs before what is left
    /// of the buffer.
    pub held_back: Vec<u8>,
}

impl Scratch {
    /// Runs the complete commands of `buf`; nothing else may wait to run. Returns how many bytes were used up, and why it
    /// stopped.
    pub fn run(
        &mut self,
        batch: &Batch<'_>,
        session: &mut Session,
        parser: &mut RequestParser,
        buf: &mut [u8],
    ) -> (usize, Stop) {
        self.forget();
        let part = self.parse(&limits(batch.node, batch.config, session), parser, buf, 0);
        self.look_ahead(&batch.node.keyspace, buf);
        self.run_from(part, batch, session, parser, buf)
    }

    /// Forgets what was parsed.
    pub fn forget(&mut self) {
        self.args.clear();
        self.parsed.clear();
        self.hashed.clear();
        self.held_back.clear();
    }

    /// Is as much parsed as should run before more is?
    pub fn is_full(&self) -> bool {
        self.parsed.len() >= DEPTH
    }

    /// Parses commands from `buf[start..]`, behind those that were parsed before, until there are enough.
    pub fn parse(
        &mut self,
        limits: &RequestLimits,
        parser: &mut RequestParser,
        buf: &mut [u8],
        start: usize,
    ) -> Part {
        let first = self.parsed.len();
        let mut pos = start;
        let rest = loop {
            if pos == buf.len() {
                break Rest::Missing(1);
            }
            // An inline request is unquoted in place, so it cannot be parsed a second time: it is a part of its own.
            let inline = buf[pos] != b'*';
            if self.parsed.len() > first && (inline || self.is_full()) {
                break Rest::More;
            }
            let args = self.args.len();
            match parser.parse(buf, pos, limits, &mut self.args) {
                Err(error) => break Rest::Bad(error),
                Ok(Progress::Incomplete { need }) => break Rest::Missing(need),
                Ok(Progress::Complete { consumed }) => pos = consumed,
            }
            self.parsed.push(Parsed {
                args: args..self.args.len(),
                spec: Err(LookupError::UnknownCommand),
                keys: 0..0,
                end: pos,
                inline,
            });
            if inline {
                break Rest::More;
            }
        };
        Part {
            bytes: start..buf.len(),
            parsed: first..self.parsed.len(),
            rest,
        }
    }

    /// Looks up, hashes and prefetches everything that was parsed.
    pub fn look_ahead(&mut self, keyspace: &Keyspace, buf: &[u8]) {
        for request in &mut self.parsed {
            let args = Args::new(buf, &self.args[request.args.clone()]);
            if args.is_empty() {
                continue;
            }
            request.spec = lookup_request(&args);
            let first = self.hashed.len();
            if let Ok(spec) = request.spec {
                for &at in dispatch::find_keys(spec, &args, &mut self.positions) {
                    let Key { slot, hash, .. } = Key::new(args.at(at as usize));
                    keyspace.prefetch_slot(slot);
                    self.hashed.push(Hashed { at, slot, hash });
                }
            }
            request.keys = first..self.hashed.len();
        }
        // What one key needs is waited for in any case.
        if self.hashed.len() > 1 {
            for key in &self.hashed {
                keyspace.prefetch_bucket(key.slot, key.hash);
            }
            for key in &self.hashed {
                keyspace.prefetch_entry(key.slot, key.hash);
            }
        }
    }

    /// Runs the commands of a part that was looked at ahead, and all that follow in the buffer. Returns up to where bytes
    /// were used up, and why it stopped. If the part goes on, no other may be waiting to run.
    pub fn run_from(
        &mut self,
        mut part: Part,
        batch: &Batch<'_>,
        session: &mut Session,
        parser: &mut RequestParser,
        buf: &mut [u8],
    ) -> (usize, Stop) {
        let flush_at = self.out.len() + FLUSH_AT;
        loop {
            let (used, stop) = self.execute(&part, batch, session, buf, flush_at);
            if let Some(stop) = stop {
                // Commands parsed ahead and not run are parsed again next time.
                *parser = RequestParser::new();
                return (used, stop);
            }
            match part.rest {
                Rest::Missing(need) => return (used, Stop::NeedMore(need)),
                Rest::Bad(error) => {
                    self.protocol_error(batch, session, &error);
                    return (used, Stop::Close);
                }
                Rest::More => {
                    self.forget();
                    part = self.parse(&limits(batch.node, batch.config, session), parser, buf, used);
                    self.look_ahead(&batch.node.keyspace, buf);
                }
            }
        }
    }

    /// Runs the commands of a part in order. Returns where the last one that ran ends.
    fn execute(
        &mut self,
        part: &Part,
        batch: &Batch<'_>,
        session: &mut Session,
        buf: &[u8],
        flush_at: usize,
    ) -> (usize, Option<Stop>) {
        let mut pos = part.bytes.start;
        let mut stop = None;
        let mut keys = recycle(std::mem::take(&mut self.keys));
        for request in &self.parsed[part.parsed.clone()] {
            let wire_len = request.end - pos;
            if !request.args.is_empty() {
                let args = Args::new(buf, &self.args[request.args.clone()]);
                let mut waits = !session.is_primary_link && batch.node.pause.holds(request.spec, batch.now);
                if !waits {
                    let one;
                    let keys = match &self.hashed[request.keys.clone()] {
                        [key] => {
                            one = [key.of(&args)];
                            &one
                        }
                        more => {
                            keys.clear();
                            keys.extend(more.iter().map(|key| key.of(&args)));
                            keys.as_slice()
                        }
                    };
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
            } else if self.out.len() >= flush_at {
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

/// What a request of this session may be.
pub fn limits(node: &Node, config: &Config, session: &Session) -> RequestLimits {
    RequestLimits {
        max_bulk_len: config.proto_max_bulk_len as usize,
        authenticated: session.authenticated || node.acl.default_account().is_open(),
    }
}

/// The vector's memory with another lifetime for its (zero) elements.
fn recycle<'a>(mut keys: Vec<Key<'_>>) -> Vec<Key<'a>> {
    keys.clear();
    keys.into_iter()
        .map(|_| unreachable!("the vector was cleared"))
        .collect()
}

//! The primary's stream, command by command, into our data and our own stream.
//!
//! The data and the log move together under `apply_lock`, by whole commands and whole transactions: what a MULTI has
//! begun stays aside until its EXEC has come, so that a link which breaks in between leaves nothing of it behind and
//! is taken up again before it.

use slotcore::command::{CommandFlags, CommandSpec, LookupError, lookup_request};
use slotcore::resp::{ArgRange, Args, Progress, RequestLimits, RequestParser};

use super::fault::Fault;
use crate::command::dispatch::{self, Batch, Request};
use crate::command::transaction;
use crate::keyspace::Key;
use crate::node::Node;
use crate::session::Session;

/// Commands parsed ahead of the first that runs, as for clients.
const DEPTH: usize = 32;

/// What a chunk of the stream has brought.
#[derive(Debug, Default)]
pub struct Applied {
    /// Bytes at its start that were whole commands, and are done with.
    pub used: usize,
    /// The primary wants to know at once how far we are.
    pub ack_wanted: bool,
    /// What follows the used bytes is no command that we can run: the link must end.
    pub fault: Option<Fault>,
}

/// Runs a primary's commands.
pub struct Applier {
    node: &'static Node,
    session: Session,
    parser: RequestParser,
    /// The bytes of a transaction whose EXEC has not come.
    open: Vec<u8>,
    args: Vec<ArgRange>,
    parsed: Vec<Parsed>,
    positions: Vec<u32>,
    replies: Vec<u8>,
}

/// A command, as indexes.
struct Parsed {
    args: std::ops::Range<usize>,
    keys: std::ops::Range<usize>,
    spec: Result<&'static CommandSpec, LookupError>,
    end: usize,
}

impl Applier {
    /// One for a link whose session this is.
    pub fn new(node: &'static Node, session: Session) -> Self {
        Self {
            node,
            session,
            parser: RequestParser::new(),
            open: Vec::new(),
            args: Vec::new(),
            parsed: Vec::new(),
            positions: Vec::new(),
            replies: Vec::new(),
        }
    }

    /// Runs every whole command at the start of `chunk` and appends its bytes to the log. The caller holds
    /// `apply_lock`, has made sure that we still follow this primary, and comes back with the rest and more bytes.
    pub fn apply(&mut self, chunk: &mut [u8]) -> Applied {
        let config = self.node.config.load();
        let batch = Batch {
            node: self.node,
            config: &config,
            worker: self.node.link_worker(),
            now: self.node.stall_and_now(),
        };
        let mut applied = Applied::default();
        // Where the bytes begin that are not in the log yet, and are not in `self.open` either.
        let mut kept = 0;
        loop {
            let (more, fault) = match self.parse(chunk, applied.used) {
                Ok(more) => (more, None),
                Err(fault) => (false, Some(fault)),
            };
            let end_of_groups = self.run(&batch, chunk, &mut applied);
            if let Some(end) = end_of_groups {
                self.record(&chunk[kept..end]);
                kept = end;
            }
            applied.fault = applied.fault.or(fault);
            if !more || applied.fault.is_some() {
                break;
            }
        }
        self.open.extend_from_slice(&chunk[kept..applied.used]);
        self.node.replication.log.wake();
        applied
    }

    /// Parses up to [`DEPTH`] commands behind `pos`. Returns whether there may be more whole ones.
    fn parse(&mut self, chunk: &mut [u8], mut pos: usize) -> Result<bool, Fault> {
        // As in stock, nothing that a primary sends is too long.
        let limits = RequestLimits {
            max_bulk_len: usize::MAX,
            authenticated: true,
        };
        self.args.clear();
        self.parsed.clear();
        while self.parsed.len() < DEPTH {
            let Some(first_byte) = chunk.get(pos) else {
                return Ok(false);
            };
            if !matches!(first_byte, b'*' | b'\n' | b'\r') {
                return Err(Fault::Rubbish(format!(
                    "a command begins with byte {first_byte:#04x}"
                )));
            }
            let first = self.args.len();
            match self.parser.parse(chunk, pos, &limits, &mut self.args) {
                Ok(Progress::Incomplete { .. }) => return Ok(false),
                Ok(Progress::Complete { consumed }) => pos = consumed,
                Err(error) => return Err(Fault::Rubbish(error.to_string())),
            }
            self.parsed.push(Parsed {
                args: first..self.args.len(),
                keys: 0..0,
                spec: Err(LookupError::UnknownCommand),
                end: pos,
            });
        }
        Ok(true)
    }

    /// Runs what was parsed. Returns where the last command ends that no open transaction holds, if one ran.
    fn run(&mut self, batch: &Batch<'_>, chunk: &[u8], applied: &mut Applied) -> Option<usize> {
        let keyspace = &self.node.keyspace;
        let mut keys: Vec<Key<'_>> = Vec::with_capacity(self.parsed.len());
        for command in &mut self.parsed {
            let args = Args::new(chunk, &self.args[command.args.clone()]);
            if args.is_empty() {
                continue;
            }
            command.spec = lookup_request(&args);
            let first = keys.len();
            if let Ok(spec) = command.spec {
                dispatch::hash_keys(spec, &args, &mut self.positions, &mut keys);
            }
            command.keys = first..keys.len();
            for key in &keys[first..] {
                keyspace.prefetch_slot(key.slot);
            }
        }
        keys.iter()
            .for_each(|key| keyspace.prefetch_bucket(key.slot, key.hash));
        keys.iter()
            .for_each(|key| keyspace.prefetch_entry(key.slot, key.hash));
        let mut end_of_groups = None;
        for command in &self.parsed {
            let args = Args::new(chunk, &self.args[command.args.clone()]);
            match treatment(&args, command.spec) {
                Treatment::Nothing => {}
                Treatment::Ack => applied.ack_wanted = true,
                Treatment::Fault(fault) => {
                    applied.fault = Some(fault);
                    break;
                }
                Treatment::Run => {
                    let request = Request {
                        args,
                        spec: command.spec,
                        keys: &keys[command.keys.clone()],
                        wire_len: command.end - applied.used,
                    };
                    dispatch::execute(batch, &mut self.session, request, &mut self.replies);
                    self.replies.clear();
                }
            }
            applied.used = command.end;
            if !self.session.in_multi() {
                end_of_groups = Some(command.end);
            }
        }
        end_of_groups
    }

    /// Everything up to here has been applied: it is part of our stream.
    fn record(&mut self, bytes: &[u8]) {
        if self.open.is_empty() {
            self.node.replication.log.append(bytes);
        } else {
            let mut group = std::mem::take(&mut self.open);
            group.extend_from_slice(bytes);
            self.node.replication.log.append(&group);
        }
    }

    /// The link has ended: what a MULTI has begun is forgotten.
    pub fn abandon(&mut self) {
        transaction::abandon(self.node, &mut self.session);
        self.parser = RequestParser::new();
        self.open = Vec::new();
    }
}

enum Treatment {
    Run,
    Nothing,
    Ack,
    Fault(Fault),
}

/// What a command of the stream is to us.
fn treatment(args: &Args<'_>, spec: Result<&'static CommandSpec, LookupError>) -> Treatment {
    if args.is_empty() {
        return Treatment::Nothing;
    }
    let Ok(spec) = spec else { return Treatment::Run };
    match spec.name {
        "replconf" if args.len() > 1 && args.at(1).eq_ignore_ascii_case(b"getack") => Treatment::Ack,
        // The link speaks for itself; the rest of REPLCONF is for the primary's side.
        "replconf" => Treatment::Nothing,
        // They change a role, for which our caller's lock is needed, or the process; the stream is about data.
        "replicaof" | "slaveof" | "psync" | "sync" | "shutdown" | "wait" => Treatment::Nothing,
        // To run what follows in database 0 would mix two databases up.
        "select" if args.len() == 2 && args.at(1) != b"0" => Treatment::Fault(Fault::OtherDatabase(
            String::from_utf8_lossy(args.at(1)).into_owned(),
        )),
        "publish" | "spublish" => Treatment::Run,
        // A link listens to nothing.
        _ if spec.flags.contains(CommandFlags::PUBSUB) => Treatment::Nothing,
        _ => Treatment::Run,
    }
}

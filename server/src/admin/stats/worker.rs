//! What one worker counts, on cache lines of its own.

use super::counter::Counter;
use super::histogram::Histogram;
use parking_lot::Mutex;
use slotcore::command::{COMMAND_COUNT, CommandId};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Error codes counted apart; the first word of an error can be anything, since scripts and proxies make their own.
const MAX_ERROR_CODES: usize = 128;
/// Code words longer than this are cut.
const MAX_ERROR_CODE_LEN: usize = 64;

/// Calls of one command on one worker.
#[derive(Debug, Default)]
pub struct CommandCounters {
    /// Calls that ran.
    pub calls: Counter,
    /// Nanoseconds in them.
    pub nanos: Counter,
    /// Calls refused before they ran.
    pub rejected: Counter,
    /// Calls that ended with an error.
    pub failed: Counter,
    /// Made when the first latency comes.
    pub latency: OnceLock<Histogram>,
}

/// The counters of one worker. Only its own thread may call the methods that count.
#[repr(align(128))]
#[derive(Debug)]
pub struct WorkerStats {
    commands: Box<[CommandCounters]>,
    track_latency: AtomicBool,
    pub(super) net_in: Counter,
    pub(super) net_out: Counter,
    pub(super) reads: Counter,
    pub(super) writes: Counter,
    pub(super) hits: Counter,
    pub(super) misses: Counter,
    pub(super) errors: Mutex<BTreeMap<Vec<u8>, u64>>,
}

impl Default for WorkerStats {
    fn default() -> Self {
        WorkerStats {
            commands: (0..COMMAND_COUNT).map(|_| CommandCounters::default()).collect(),
            track_latency: AtomicBool::new(true),
            net_in: Counter::default(),
            net_out: Counter::default(),
            reads: Counter::default(),
            writes: Counter::default(),
            hits: Counter::default(),
            misses: Counter::default(),
            errors: Mutex::default(),
        }
    }
}

impl WorkerStats {
    /// A command ran and took so long.
    #[inline]
    pub fn ran(&self, command: CommandId, nanos: u64) {
        let counters = &self.commands[command.index()];
        counters.calls.add(1);
        counters.nanos.add(nanos);
        if self.track_latency.load(Relaxed) {
            counters.latency.get_or_init(Histogram::default).record(nanos);
        }
    }

    /// A command that ran ended with this error.
    #[cold]
    pub fn failed(&self, command: CommandId, code: &[u8]) {
        self.commands[command.index()].failed.add(1);
        self.error(code);
    }

    /// A command that ran ended with an error that was counted where it occurred, within a script.
    #[cold]
    pub fn failed_again(&self, command: CommandId) {
        self.commands[command.index()].failed.add(1);
    }

    /// An error occurred that is no command's own.
    #[cold]
    pub fn erred(&self, code: &[u8]) {
        self.error(code);
    }

    /// A request, of a command if it names one, was refused before it ran.
    #[cold]
    pub fn refused(&self, command: Option<CommandId>, code: &[u8]) {
        if let Some(command) = command {
            self.commands[command.index()].rejected.add(1);
        }
        self.error(code);
    }

    /// A read brought so many bytes.
    #[inline]
    pub fn received(&self, bytes: usize) {
        self.net_in.add(bytes as u64);
        self.reads.add(1);
    }

    /// So many bytes of replies were handed to the socket.
    #[inline]
    pub fn sent(&self, bytes: usize) {
        self.net_out.add(bytes as u64);
        self.writes.add(1);
    }

    /// A read command looked for a key and found it, or not.
    #[inline]
    pub fn looked_up(&self, found: bool) {
        if found {
            self.hits.add(1)
        } else {
            self.misses.add(1)
        }
    }

    fn error(&self, code: &[u8]) {
        let code = &code[..code.len().min(MAX_ERROR_CODE_LEN)];
        let mut errors = self.errors.lock();
        if let Some(count) = errors.get_mut(code) {
            *count += 1;
        } else if errors.len() < MAX_ERROR_CODES {
            errors.insert(code.to_vec(), 1);
        } else {
            *errors.entry(b"OTHER".to_vec()).or_default() += 1;
        }
    }

    pub(super) fn commands(&self) -> &[CommandCounters] {
        &self.commands
    }

    pub(super) fn set_track_latency(&self, on: bool) {
        self.track_latency.store(on, Relaxed);
    }
}

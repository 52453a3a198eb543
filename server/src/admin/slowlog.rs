//! The slow log: the latest commands that took longer than `slowlog-log-slower-than`.

use super::clients::ClientShared;
use super::secrets::{REDACTED, hides};
use crate::config::Config;
use parking_lot::Mutex;
use slotcore::command::{CommandFlags, CommandSpec};
use slotcore::resp::Args;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Arguments kept of one command, the note about the rest included.
const MAX_ARGS: usize = 32;
/// Bytes kept of one argument.
const MAX_ARG_LEN: usize = 128;
const OFF: u64 = u64::MAX;

/// One slow command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowCommand {
    /// Number of the entry, ever growing.
    pub id: u64,
    /// Unix time in seconds.
    pub time_s: u64,
    /// Microseconds that it took.
    pub duration_us: u64,
    /// Its arguments, long ones cut, secrets replaced.
    pub args: Vec<Vec<u8>>,
    /// Address of the client.
    pub peer: String,
    /// Name of the client.
    pub client_name: Vec<u8>,
}

/// The log.
#[derive(Debug)]
pub struct Slowlog {
    threshold_ns: AtomicU64,
    max_len: AtomicUsize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    next_id: u64,
    newest_first: VecDeque<SlowCommand>,
}

impl Default for Slowlog {
    fn default() -> Self {
        let log = Slowlog {
            threshold_ns: AtomicU64::new(OFF),
            max_len: AtomicUsize::new(0),
            entries: Mutex::default(),
        };
        log.configure(&Config::default());
        log
    }
}

impl Slowlog {
    /// Follows the configuration.
    pub fn configure(&self, config: &Config) {
        let threshold =
            u64::try_from(config.slowlog_log_slower_than_us).map_or(OFF, |us| us.saturating_mul(1000));
        self.threshold_ns.store(threshold, Relaxed);
        self.max_len.store(
            usize::try_from(config.slowlog_max_len).unwrap_or(usize::MAX),
            Relaxed,
        );
        self.entries
            .lock()
            .newest_first
            .truncate(self.max_len.load(Relaxed));
    }

    /// Enters a command that ran, if it was slow.
    #[inline]
    pub fn offer(&self, spec: &CommandSpec, args: &Args<'_>, client: &ClientShared, nanos: u64, now_ms: u64) {
        let threshold = self.threshold_ns.load(Relaxed);
        if nanos >= threshold && threshold != OFF {
            self.enter(spec, args, client, nanos, now_ms);
        }
    }

    #[cold]
    fn enter(&self, spec: &CommandSpec, args: &Args<'_>, client: &ClientShared, nanos: u64, now_ms: u64) {
        let max_len = self.max_len.load(Relaxed);
        if spec.flags.contains(CommandFlags::SKIP_SLOWLOG) || max_len == 0 {
            return;
        }
        let entry = SlowCommand {
            id: 0,
            time_s: now_ms / 1000,
            duration_us: nanos / 1000,
            args: kept_args(spec, args),
            peer: client.peer().to_string(),
            client_name: client.name(),
        };
        let mut entries = self.entries.lock();
        let id = entries.next_id;
        entries.next_id += 1;
        entries.newest_first.push_front(SlowCommand { id, ..entry });
        entries.newest_first.truncate(max_len);
    }

    /// The newest entries, at most `count`.
    pub fn newest(&self, count: usize) -> Vec<SlowCommand> {
        self.entries
            .lock()
            .newest_first
            .iter()
            .take(count)
            .cloned()
            .collect()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.lock().newest_first.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all entries; numbers go on.
    pub fn reset(&self) {
        self.entries.lock().newest_first.clear();
    }
}

fn kept_args(spec: &CommandSpec, args: &Args<'_>) -> Vec<Vec<u8>> {
    let whole = if args.len() > MAX_ARGS {
        MAX_ARGS - 1
    } else {
        args.len()
    };
    let mut kept: Vec<_> = args
        .iter()
        .take(whole)
        .enumerate()
        .map(|(index, arg)| {
            if hides(spec, args, index) {
                REDACTED.to_vec()
            } else {
                cut(arg)
            }
        })
        .collect();
    if whole < args.len() {
        kept.push(format!("... ({} more arguments)", args.len() - whole).into_bytes());
    }
    kept
}

fn cut(arg: &[u8]) -> Vec<u8> {
    let mut kept = arg[..arg.len().min(MAX_ARG_LEN)].to_vec();
    if arg.len() > MAX_ARG_LEN {
        kept.extend_from_slice(format!("... ({} more bytes)", arg.len() - MAX_ARG_LEN).as_bytes());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::clients::ClientRegistry;
    use slotcore::command::lookup_request;
    use slotcore::resp::ArgRange;

    fn offer(log: &Slowlog, words: &[&str], nanos: u64) {
        let registry = ClientRegistry::default();
        let address = "127.0.0.1:5".parse().unwrap();
        let client = registry.register(address, address, &std::io::stdin());
        let mut bytes = Vec::new();
        let mut ranges = Vec::new();
        for word in words {
            let start = bytes.len() as u32;
            bytes.extend_from_slice(word.as_bytes());
            ranges.push(ArgRange {
                start,
                end: bytes.len() as u32,
            });
        }
        let args = Args::new(&bytes, &ranges);
        log.offer(
            lookup_request(&args).unwrap(),
            &args,
            &client,
            nanos,
            1_700_000_000_999,
        );
    }

    fn args(log: &Slowlog) -> Vec<String> {
        log.newest(1)[0]
            .args
            .iter()
            .map(|a| String::from_utf8(a.clone()).unwrap())
            .collect()
    }

    #[test]
    fn only_slow_commands_are_entered_and_only_the_newest_kept() {
        let log = Slowlog::default();
        log.configure(&Config {
            slowlog_max_len: 2,
            ..Config::default()
        });
        offer(&log, &["get", "a"], 9_999_999);
        assert!(log.is_empty());
        for key in ["a", "b", "c"] {
            offer(&log, &["get", key], 10_000_000);
        }
        let entries = log.newest(10);
        assert_eq!(entries.iter().map(|e| e.id).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(
            (entries[0].duration_us, entries[0].time_s),
            (10_000, 1_700_000_000)
        );
        assert_eq!(entries[0].peer, "127.0.0.1:5");
        log.reset();
        offer(&log, &["get", "d"], u64::MAX);
        assert_eq!(log.newest(1)[0].id, 3);
        log.configure(&Config {
            slowlog_log_slower_than_us: -1,
            ..Config::default()
        });
        offer(&log, &["get", "d"], u64::MAX);
        assert_eq!(log.len(), 1);
    }

    #[test]
    fn long_commands_are_cut_as_in_stock() {
        let log = Slowlog::default();
        let mut words = vec!["mget"];
        let keys: Vec<String> = (0..50).map(|i| format!("k{i}")).collect();
        words.extend(keys.iter().map(String::as_str));
        offer(&log, &words, u64::MAX);
        assert_eq!(
            (args(&log).len(), args(&log)[31].as_str()),
            (32, "... (20 more arguments)")
        );
        offer(&log, &["set", "a", &"x".repeat(300)], u64::MAX);
        assert_eq!(args(&log)[2], "x".repeat(128) + "... (172 more bytes)");
    }

    #[test]
    fn passwords_are_not_kept() {
        let log = Slowlog::default();
        for (words, kept) in [
            (vec!["auth", "u", "p"], "auth (redacted) (redacted)"),
            (
                vec!["hello", "3", "AUTH", "u", "p", "setname", "n"],
                "hello 3 AUTH (redacted) (redacted) setname n",
            ),
            (
                vec!["config", "set", "hz", "5", "RequirePass", "p"],
                "config set hz 5 RequirePass (redacted)",
            ),
            (
                vec!["config", "set", "masterauth", "requirepass"],
                "config set masterauth (redacted)",
            ),
        ] {
            offer(&log, &words, u64::MAX);
            assert_eq!(args(&log).join(" "), kept);
        }
    }
}

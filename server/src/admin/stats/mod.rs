//! Statistics. Each worker counts for itself; whoever asks adds up.

mod counter;
mod histogram;
mod rates;
mod totals;
mod worker;

pub use counter::Counter;
pub use histogram::{Distribution, Histogram};
pub use totals::{CommandTotals, Totals};
pub use worker::{CommandCounters, WorkerStats};

use crate::config::Config;
use parking_lot::Mutex;
use rates::Rate;
use slotcore::command::{COMMAND_COUNT, CommandId};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use totals::Baseline;

/// All counters of the node.
#[derive(Debug)]
pub struct Stats {
    workers: Box<[WorkerStats]>,
    rejected_connections: AtomicU64,
    baseline: Mutex<Baseline>,
    rates: Mutex<Rates>,
    active_expire: AtomicBool,
    /// Keys that had expired at the last reset.
    expired_before: AtomicU64,
    /// What the search for expired keys takes.
    pub expire_cycles: ExpireCycles,
}

#[derive(Clone, Debug, Default)]
struct Rates {
    calls: Rate,
    net_in: Rate,
    net_out: Rate,
    repl_in: Rate,
    repl_out: Rate,
    last_ms: u64,
}

/// What the search for expired keys in the background takes.
#[derive(Debug, Default)]
pub struct ExpireCycles {
    spent_us: AtomicU64,
    cut: AtomicU64,
}

impl ExpireCycles {
    /// A round took so long; `cut`: its time was over before it had seen everything.
    pub fn add(&self, spent: Duration, cut: bool) {
        self.spent_us.fetch_add(spent.as_micros() as u64, Relaxed);
        self.cut.fetch_add(u64::from(cut), Relaxed);
    }

    /// Milliseconds in all.
    pub fn spent_ms(&self) -> u64 {
        self.spent_us.load(Relaxed) / 1000
    }

    /// Rounds whose time was over.
    pub fn cut(&self) -> u64 {
        self.cut.load(Relaxed)
    }

    fn reset(&self) {
        self.spent_us.store(0, Relaxed);
        self.cut.store(0, Relaxed);
    }
}

/// What happens per second at the moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurrentRates {
    /// Commands.
    pub ops: f64,
    /// Bytes received.
    pub net_in: f64,
    /// Bytes sent.
    pub net_out: f64,
    /// Bytes received from the primary.
    pub repl_in: f64,
    /// Bytes sent to replicas.
    pub repl_out: f64,
}

/// Milliseconds between two samples of the rates.
const SAMPLE_EVERY_MS: u64 = 100;

impl Stats {
    /// Counters for so many workers.
    pub fn new(workers: usize) -> Self {
        Stats {
            workers: (0..workers).map(|_| WorkerStats::default()).collect(),
            rejected_connections: AtomicU64::new(0),
            baseline: Mutex::default(),
            rates: Mutex::default(),
            active_expire: AtomicBool::new(true),
            expired_before: AtomicU64::new(0),
            expire_cycles: ExpireCycles::default(),
        }
    }

    /// Follows the configuration.
    pub fn configure(&self, config: &Config) {
        self.workers
            .iter()
            .for_each(|worker| worker.set_track_latency(config.latency_tracking));
    }

    /// The counters of one worker, for its own thread.
    #[inline]
    pub fn worker(&self, index: usize) -> &WorkerStats {
        &self.workers[index]
    }

    /// A connection was refused.
    pub fn rejected_connection(&self) {
        self.rejected_connections.fetch_add(1, Relaxed);
    }

    /// Whether expired keys are looked for in the background.
    pub fn active_expire(&self) -> bool {
        self.active_expire.load(Relaxed)
    }

    /// DEBUG SET-ACTIVE-EXPIRE.
    pub fn set_active_expire(&self, on: bool) {
        self.active_expire.store(on, Relaxed);
    }

    /// Everything counted since the start or the last reset.
    pub fn totals(&self) -> Totals {
        let mut totals = self.raw_totals();
        totals.subtract(&self.baseline.lock().totals);
        totals
    }

    fn raw_totals(&self) -> Totals {
        let mut totals = Totals::of(&self.workers);
        totals.rejected_connections = self.rejected_connections.load(Relaxed);
        totals
    }

    /// The latencies of one command since the start or the last reset.
    pub fn latency(&self, command: CommandId) -> Distribution {
        let mut sum = self.raw_latency(command.index());
        if let Some(before) = self.baseline.lock().latencies.get(command.index()) {
            sum.subtract(before);
        }
        sum
    }

    fn raw_latency(&self, index: usize) -> Distribution {
        let mut sum = Distribution::default();
        for histogram in self
            .workers
            .iter()
            .filter_map(|worker| worker.commands()[index].latency.get())
        {
            sum.add(histogram);
        }
        sum
    }

    /// CONFIG RESETSTAT: what was counted so far is shown no more. The keyspace, too, goes on counting the keys that
    /// expire; so many there were.
    pub fn reset(&self, expired: u64) {
        self.expired_before.store(expired, Relaxed);
        self.expire_cycles.reset();
        let latencies = (0..COMMAND_COUNT).map(|index| self.raw_latency(index)).collect();
        *self.baseline.lock() = Baseline {
            totals: self.raw_totals(),
            latencies,
        };
    }

    /// How many of these expired keys are since the last reset.
    pub fn expired_since_reset(&self, expired: u64) -> u64 {
        expired.saturating_sub(self.expired_before.load(Relaxed))
    }

    /// Called often by the housekeeping thread: keeps the rates current. `repl` are the bytes received from a primary and
    /// sent to replicas so far.
    pub fn sample(&self, now_ms: u64, repl: [u64; 2]) {
        let mut rates = self.rates.lock();
        if now_ms < rates.last_ms + SAMPLE_EVERY_MS {
            return;
        }
        rates.last_ms = now_ms;
        let totals = self.raw_totals();
        rates.calls.sample(now_ms, totals.calls());
        rates.net_in.sample(now_ms, totals.net_in);
        rates.net_out.sample(now_ms, totals.net_out);
        rates.repl_in.sample(now_ms, repl[0]);
        rates.repl_out.sample(now_ms, repl[1]);
    }

    /// What happens per second at the moment.
    pub fn rates(&self) -> CurrentRates {
        let rates = self.rates.lock();
        CurrentRates {
            ops: rates.calls.per_second(),
            net_in: rates.net_in.per_second(),
            net_out: rates.net_out.per_second(),
            repl_in: rates.repl_in.per_second(),
            repl_out: rates.repl_out.per_second(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slotcore::command::lookup;

    #[test]
    fn workers_add_up_and_a_reset_forgets() {
        let stats = Stats::new(2);
        let get = lookup(b"get").unwrap().id;
        stats.worker(0).ran(get, 1000);
        stats.worker(1).ran(get, 3000);
        stats.worker(1).failed(get, b"WRONGTYPE");
        stats.worker(0).refused(None, b"ERR");
        stats.worker(0).received(10);
        let totals = stats.totals();
        assert_eq!(
            totals.commands[get.index()],
            CommandTotals {
                calls: 2,
                nanos: 4000,
                rejected: 0,
                failed: 1
            }
        );
        assert_eq!(
            (totals.calls(), totals.error_replies(), totals.net_in),
            (2, 2, 10)
        );
        assert_eq!(stats.latency(get).total(), 2);
        stats.reset(7);
        assert_eq!(stats.expired_since_reset(9), 2);
        stats.worker(0).ran(get, 5);
        assert_eq!(stats.totals().calls(), 1);
        assert_eq!(stats.totals().errors.len(), 0);
        assert_eq!(stats.latency(get).total(), 1);
    }

    #[test]
    fn error_codes_are_bounded() {
        let stats = Stats::new(1);
        for i in 0..10_000 {
            stats.worker(0).refused(None, format!("E{i}").as_bytes());
        }
        let totals = stats.totals();
        assert!(totals.errors.len() <= 129);
        assert_eq!(totals.error_replies(), 10_000);
    }

    #[test]
    fn latency_is_tracked_only_if_configured() {
        let stats = Stats::new(1);
        stats.configure(&Config {
            latency_tracking: false,
            ..Config::default()
        });
        let get = lookup(b"get").unwrap().id;
        stats.worker(0).ran(get, 1000);
        assert_eq!(stats.latency(get).total(), 0);
    }
}

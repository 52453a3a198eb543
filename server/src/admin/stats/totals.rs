//! The workers' counters added up.

use super::histogram::Distribution;
use super::worker::WorkerStats;
use slotcore::command::COMMAND_COUNT;
use std::collections::BTreeMap;

/// Calls of one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandTotals {
    /// Calls that ran.
    pub calls: u64,
    /// Nanoseconds in them.
    pub nanos: u64,
    /// Calls refused before they ran.
    pub rejected: u64,
    /// Calls that ended with an error.
    pub failed: u64,
}

/// Everything counted so far, or since CONFIG RESETSTAT.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// By `CommandId::index`.
    pub commands: Vec<CommandTotals>,
    /// Bytes received.
    pub net_in: u64,
    /// Bytes sent.
    pub net_out: u64,
    /// Reads of sockets that brought something.
    pub reads: u64,
    /// Batches of replies handed to sockets.
    pub writes: u64,
    /// Reads that found their key.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Connections refused.
    pub rejected_connections: u64,
    /// Error replies by code word.
    pub errors: BTreeMap<Vec<u8>, u64>,
}

impl Totals {
    pub(super) fn of(workers: &[WorkerStats]) -> Totals {
        let mut sum = Totals {
            commands: vec![CommandTotals::default(); COMMAND_COUNT],
            ..Totals::default()
        };
        for worker in workers {
            for (total, counters) in sum.commands.iter_mut().zip(worker.commands()) {
                total.calls += counters.calls.get();
                total.nanos += counters.nanos.get();
                total.rejected += counters.rejected.get();
                total.failed += counters.failed.get();
            }
            sum.net_in += worker.net_in.get();
            sum.net_out += worker.net_out.get();
            sum.reads += worker.reads.get();
            sum.writes += worker.writes.get();
            sum.hits += worker.hits.get();
            sum.misses += worker.misses.get();
            for (code, count) in worker.errors.lock().iter() {
                *sum.errors.entry(code.clone()).or_default() += count;
            }
        }
        sum
    }

    pub(super) fn subtract(&mut self, before: &Totals) {
        for (total, old) in self.commands.iter_mut().zip(&before.commands) {
            total.calls = total.calls.saturating_sub(old.calls);
            total.nanos = total.nanos.saturating_sub(old.nanos);
            total.rejected = total.rejected.saturating_sub(old.rejected);
            total.failed = total.failed.saturating_sub(old.failed);
        }
        for (now, old) in [
            (&mut self.net_in, before.net_in),
            (&mut self.net_out, before.net_out),
            (&mut self.reads, before.reads),
            (&mut self.writes, before.writes),
            (&mut self.hits, before.hits),
            (&mut self.misses, before.misses),
            (&mut self.rejected_connections, before.rejected_connections),
        ] {
            *now = now.saturating_sub(old);
        }
        for (code, old) in &before.errors {
            if let Some(now) = self.errors.get_mut(code) {
                *now = now.saturating_sub(*old);
            }
        }
        self.errors.retain(|_, count| *count > 0);
    }

    /// Commands that ran.
    pub fn calls(&self) -> u64 {
        self.commands.iter().map(|command| command.calls).sum()
    }

    /// Error replies.
    pub fn error_replies(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// What CONFIG RESETSTAT found, to be taken away from what is counted later: the counters themselves belong to the workers.
#[derive(Debug, Default)]
pub(super) struct Baseline {
    pub totals: Totals,
    /// By `CommandId::index`; shorter if nothing was reset.
    pub latencies: Vec<Distribution>,
}

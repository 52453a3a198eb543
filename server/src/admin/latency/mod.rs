//! The latency monitor: the latest spikes of each kind, once `latency-monitor-threshold` says what a spike is.

mod doctor;
mod graph;

pub use doctor::report;
pub use graph::graph;

use crate::config::Config;
use parking_lot::Mutex;
use slotcore::command::{CommandFlags, CommandSpec};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Samples kept of one event; at most one a second is.
const MAX_SAMPLES: usize = 160;

/// One spike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Unix time in seconds.
    pub time_s: u64,
    /// Milliseconds.
    pub latency_ms: u64,
}

/// The spikes of one event.
#[derive(Clone, Debug, Default)]
struct Series {
    samples: VecDeque<Sample>,
    max_ms: u64,
}

/// What LATENCY LATEST shows of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// Its name: `command`, `fast-command`...
    pub event: &'static str,
    /// The last spike.
    pub last: Sample,
    /// The longest since the start or the last reset.
    pub max_ms: u64,
}

/// All events.
#[derive(Debug, Default)]
pub struct LatencyMonitor {
    /// 0: off.
    threshold_ms: AtomicU64,
    events: Mutex<BTreeMap<&'static str, Series>>,
}

impl LatencyMonitor {
    /// Follows the configuration.
    pub fn configure(&self, config: &Config) {
        self.threshold_ms
            .store(config.latency_monitor_threshold_ms, Relaxed);
    }

    /// Notes a command that ran, if it took long.
    #[inline]
    pub fn offer(&self, spec: &CommandSpec, nanos: u64, now_ms: u64) {
        let threshold = self.threshold_ms.load(Relaxed);
        if threshold != 0 && nanos / 1_000_000 >= threshold {
            let fast = spec.flags.contains(CommandFlags::FAST);
            self.add(
                if fast { "fast-command" } else { "command" },
                nanos / 1_000_000,
                now_ms,
            );
        }
    }

    /// Notes any other event that took so long, if that is long.
    pub fn event(&self, event: &'static str, latency_ms: u64, now_ms: u64) {
        let threshold = self.threshold_ms.load(Relaxed);
        if threshold != 0 && latency_ms >= threshold {
            self.add(event, latency_ms, now_ms);
        }
    }

    #[cold]
    fn add(&self, event: &'static str, latency_ms: u64, now_ms: u64) {
        let sample = Sample {
            time_s: now_ms / 1000,
            latency_ms,
        };
        let mut events = self.events.lock();
        let series = events.entry(event).or_default();
        series.max_ms = series.max_ms.max(latency_ms);
        match series.samples.back_mut() {
            Some(last) if last.time_s == sample.time_s => last.latency_ms = last.latency_ms.max(latency_ms),
            _ => {
                series.samples.push_back(sample);
                if series.samples.len() > MAX_SAMPLES {
                    series.samples.pop_front();
                }
            }
        }
    }

    /// The last spike of each event.
    pub fn latest(&self) -> Vec<Latest> {
        let events = self.events.lock();
        let latest = |(event, series): (&&'static str, &Series)| {
            let last = *series.samples.back()?;
            Some(Latest {
                event,
                last,
                max_ms: series.max_ms,
            })
        };
        events.iter().filter_map(latest).collect()
    }

    /// The spikes of an event, the oldest first.
    pub fn history(&self, event: &[u8]) -> Vec<Sample> {
        let events = self.events.lock();
        let series = std::str::from_utf8(event)
            .ok()
            .and_then(|event| events.get(event));
        series
            .map(|series| series.samples.iter().copied().collect())
            .unwrap_or_default()
    }

    /// Forgets these events, or all if none is named; returns how many there were.
    pub fn reset<'a>(&self, named: impl ExactSizeIterator<Item = &'a [u8]>) -> usize {
        let mut events = self.events.lock();
        if named.len() == 0 {
            return std::mem::take(&mut *events).len();
        }
        named
            .filter(|event| std::str::from_utf8(event).is_ok_and(|event| events.remove(event).is_some()))
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slotcore::command::lookup;

    #[test]
    fn spikes_are_kept_one_a_second() {
        let monitor = LatencyMonitor::default();
        let (sort, get) = (lookup(b"sort").unwrap(), lookup(b"get").unwrap());
        monitor.offer(sort, u64::MAX, 1000);
        assert_eq!(monitor.latest(), [], "off until configured");
        monitor.configure(&Config {
            latency_monitor_threshold_ms: 10,
            ..Config::default()
        });
        monitor.offer(sort, 9_999_999, 1000);
        monitor.offer(sort, 30_000_000, 1000);
        monitor.offer(sort, 20_000_000, 1999);
        monitor.offer(get, 10_000_000, 2000);
        monitor.offer(sort, 11_000_000, 2000);
        let sample = |time_s, latency_ms| Sample { time_s, latency_ms };
        assert_eq!(
            monitor.latest(),
            [
                Latest {
                    event: "command",
                    last: sample(2, 11),
                    max_ms: 30
                },
                Latest {
                    event: "fast-command",
                    last: sample(2, 10),
                    max_ms: 10
                },
            ]
        );
        assert_eq!(monitor.history(b"command"), [sample(1, 30), sample(2, 11)]);
        assert_eq!(monitor.history(b"nope"), []);
        assert_eq!(monitor.reset([b"command".as_slice(), b"nope"].into_iter()), 1);
        assert_eq!(
            monitor.reset(std::iter::empty::<&[u8]>().collect::<Vec<_>>().into_iter()),
            1
        );
        assert_eq!(monitor.latest(), []);
    }

    #[test]
    fn series_are_bounded() {
        let monitor = LatencyMonitor::default();
        monitor.configure(&Config {
            latency_monitor_threshold_ms: 1,
            ..Config::default()
        });
        for second in 0..1000 {
            monitor.event("expire-cycle", 5, second * 1000);
        }
        assert_eq!(monitor.history(b"expire-cycle").len(), MAX_SAMPLES);
        assert_eq!(monitor.history(b"expire-cycle")[0].time_s, 840);
    }
}

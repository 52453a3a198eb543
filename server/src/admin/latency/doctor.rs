//! LATENCY DOCTOR: what the spikes say, in words, and what to look at.

use std::fmt::Write;

use super::{LatencyMonitor, Sample};
use crate::config::Config;

/// What is known of the spikes of one event.
#[derive(Debug, PartialEq, Eq)]
struct Findings {
    mean_ms: u64,
    /// Mean distance of a spike from that.
    deviation_ms: u64,
    /// Seconds from one to the next, in hundredths.
    period_centis: u64,
}

fn findings(samples: &[Sample], now_s: u64) -> Findings {
    let count = samples.len().max(1) as u64;
    let mean_ms = samples.iter().map(|sample| sample.latency_ms).sum::<u64>() / count;
    let distances = samples.iter().map(|sample| sample.latency_ms.abs_diff(mean_ms));
    let since = samples
        .first()
        .map_or(0, |first| now_s.saturating_sub(first.time_s));
    Findings {
        mean_ms,
        deviation_ms: distances.sum::<u64>() / count,
        period_centis: since * 100 / count,
    }
}

/// The report.
pub fn report(monitor: &LatencyMonitor, config: &Config, now_s: u64) -> String {
    let threshold_ms = config.latency_monitor_threshold_ms;
    if threshold_ms == 0 {
        return "Nothing is measured: latency-monitor-threshold is 0. Say \"CONFIG SET latency-monitor-threshold \
                <milliseconds>\" to have every event noted that takes so long.\n"
            .into();
    }
    let events = monitor.latest();
    if events.is_empty() {
        return format!("No event has taken {threshold_ms} ms or longer so far.\n");
    }
    let mut text = format!("Events that have taken {threshold_ms} ms or longer:\n\n");
    // Writing to a string cannot fail.
    for (index, event) in events.iter().enumerate() {
        let samples = monitor.history(event.event.as_bytes());
        let found = findings(&samples, now_s);
        let _ = writeln!(
            text,
            "{}. {}: {} latency spikes (average {}ms, mean deviation {}ms, period {}.{:02} sec). Worst all time event {}ms.",
            index + 1,
            event.event,
            samples.len(),
            found.mean_ms,
            found.deviation_ms,
            found.period_centis / 100,
            found.period_centis % 100,
            event.max_ms
        );
    }
    text.push_str("\nWhat to look at:\n\n");
    let is_by_command = events
        .iter()
        .any(|event| matches!(event.event, "command" | "fast-command"));
    if is_by_command {
        let threshold_us = threshold_ms.saturating_mul(1000);
        let slowlog_us = config.slowlog_log_slower_than_us;
        if u64::try_from(slowlog_us).map_or(true, |us| us > threshold_us) {
            let _ = writeln!(
                text,
                "- SLOWLOG does not see all of these commands: slowlog-log-slower-than is {slowlog_us}. CONFIG SET \
                 slowlog-log-slower-than {threshold_us} has it note them."
            );
        }
        text.push_str("- SLOWLOG GET names the commands that took long, and who sent them.\n");
        text.push_str(
            "- A command takes long if it touches much at once: KEYS, a range of a whole collection, algebra over large \
             sets. Smaller collections, or SCAN and its kin, hold others up less.\n",
        );
    }
    if events.iter().any(|event| event.event == "fast-command") {
        text.push_str(
            "- Commands that are always fast took long: the process did not get its processor, or its memory was paged \
             out. Look at what else runs on this machine.\n",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use slotcore::command::lookup;

    #[test]
    fn it_tells_what_was_found() {
        let mut config = Config::default();
        let monitor = LatencyMonitor::default();
        assert!(report(&monitor, &config, 9).contains("threshold is 0"));
        config.latency_monitor_threshold_ms = 1;
        monitor.configure(&config);
        assert!(report(&monitor, &config, 9).starts_with("No event"));
        for (second, latency_ms) in [(49, 20), (50, 10), (52, 300), (53, 2), (54, 50)] {
            monitor.offer(lookup(b"sort").unwrap(), latency_ms * 1_000_000, second * 1000);
        }
        let text = report(&monitor, &config, 55);
        let line = "1. command: 5 latency spikes (average 76ms, mean deviation 89ms, period 1.20 sec). Worst all time event 300ms.\n";
        assert!(text.contains(line), "{text}");
        assert!(
            text.contains("slowlog-log-slower-than 1000 has") && !text.contains("always fast"),
            "{text}"
        );
    }
}

//! MEMORY DOCTOR: what is odd about the use of memory, in words.

use std::fmt::Write;

use crate::admin::memory::MemoryFacts;
use crate::admin::process::human;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;

/// With less in use nothing can be said: what a process needs anyway outweighs it.
const TOO_LITTLE: u64 = 5 << 20;
/// More than this in use at some time, for each byte now, is a peak to tell of.
const PEAK_RATIO: f64 = 1.5;
/// More than this held for each byte that is in use is fragmentation to tell of...
const FRAGMENTED_RATIO: f64 = 1.4;
/// ...if it is as much as this.
const FRAGMENTED_BYTES: i64 = 10 << 20;
/// Buffers of one client, on average, that are large.
const CLIENT_BYTES: u64 = 200 << 10;
/// The same for a replica.
const REPLICA_BYTES: u64 = 10 << 20;

pub(super) fn doctor(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let config = call.node.config.load();
    let facts = MemoryFacts::gather(call.node, &config);
    let clients = call.node.clients.len() as u64;
    let report = report(&facts, clients, config.maxmemory);
    call.out.verbatim(report.as_bytes());
    Ok(())
}

fn report(facts: &MemoryFacts, clients: u64, maxmemory: u64) -> String {
    if facts.since_startup() < TOO_LITTLE {
        return "So little memory is in use that nothing can be said about it. Ask again when there are data.".into();
    }
    let mut findings = String::new();
    // Writing to a string cannot fail.
    let mut find = |text: std::fmt::Arguments<'_>| {
        let _ = writeln!(findings, " * {text}");
    };
    if facts.peak as f64 > facts.used as f64 * PEAK_RATIO {
        find(format_args!(
            "Peak: {} were in use once, now it is {}. Until the space between is used again, the process looks larger \
             than its data.",
            human(facts.peak),
            human(facts.used)
        ));
    }
    let (ratio, bytes) = facts.fragmentation();
    if ratio > FRAGMENTED_RATIO && bytes > FRAGMENTED_BYTES {
        find(format_args!(
            "Fragmentation: the process holds {ratio:.2} bytes for each one in use, {} more. After a peak, or with \
             values whose sizes change a lot, that is to be expected; MEMORY PURGE gives back what is free.",
            human(bytes.unsigned_abs())
        ));
    }
    if facts.clients > clients.max(1) * CLIENT_BYTES {
        find(format_args!(
            "Clients: their buffers take {}, for {clients} clients. Large pipelines, or clients that do not read, do \
             that: see qbuf and omem in CLIENT LIST.",
            human(facts.clients)
        ));
    }
    if facts.replicas > REPLICA_BYTES || facts.not_counted > REPLICA_BYTES {
        find(format_args!(
            "Replicas: {} wait for them. A replica is slower than the writes.",
            human(facts.replicas + facts.not_counted)
        ));
    }
    if maxmemory != 0 && facts.used > maxmemory {
        find(format_args!(
            "Limit: {} are in use, and maxmemory allows {}.",
            human(facts.used),
            human(maxmemory)
        ));
    }
    if findings.is_empty() {
        return "Nothing is odd about the use of memory.".into();
    }
    format!("This is odd about the use of memory:\n\n{findings}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn facts(used: u64, peak: u64, resident: u64) -> MemoryFacts {
        MemoryFacts {
            used,
            peak,
            resident,
            ..MemoryFacts::default()
        }
    }

    #[test]
    fn what_is_odd_is_named_and_nothing_else() {
        let usual = facts(100 * MIB, 100 * MIB, 110 * MIB);
        assert!(report(&usual, 1, 0).contains("Nothing is odd"));
        assert!(report(&facts(MIB, 90 * MIB, 90 * MIB), 1, 0).contains("So little"));
        let peak = report(&facts(100 * MIB, 200 * MIB, 110 * MIB), 1, 0);
        assert!(peak.contains("Peak") && !peak.contains("Fragmentation"), "{peak}");
        let fragmented = report(&facts(100 * MIB, 100 * MIB, 200 * MIB), 1, 0);
        assert!(
            fragmented.contains("2.00 bytes") && !fragmented.contains("Peak"),
            "{fragmented}"
        );
        assert!(report(&usual, 1, 50 * MIB).contains("Limit"));
        let clients = MemoryFacts {
            clients: 50 * MIB,
            ..usual
        };
        assert!(
            report(&clients, 10, 0).contains("Clients") && !report(&clients, 1000, 0).contains("Clients")
        );
    }
}

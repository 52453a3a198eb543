//! What was done to the target and what clients saw of it: a sentence for each fault, a table of the shards.

use std::io::{self, Write};

use serde::Serialize;

use super::table::{Table, wrap};
use super::{Style, WIDTH};
use crate::report::model::{AuditRun, EngineRun, FaultRun, FaultSeen, Outage, ShardRun};
use crate::report::units;

pub fn print(run: &EngineRun, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for finding in findings(run) {
        for line in wrap(&finding.text, WIDTH - 2) {
            let line = if finding.bad { style.bad(&line) } else { line };
            writeln!(out, "  {line}")?;
        }
    }
    print_table(run, style, out)
}

/// A sentence for the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub text: String,
    /// It is no good news.
    pub bad: bool,
}

/// All there is to say.
pub fn findings(run: &EngineRun) -> Vec<Finding> {
    let mut all = faults(run);
    all.extend(staleness(run));
    all.extend(audits(run));
    all
}

/// What was done, and what came of it.
fn faults(run: &EngineRun) -> Vec<Finding> {
    let mut findings = Vec::new();
    for fault in &run.faults {
        findings.push(Finding {
            text: sentence(fault, run.rounds.len()),
            bad: false,
        });
        let remarks = [&fault.seen.note, &fault.seen.problem].into_iter().flatten();
        findings.extend(remarks.map(|remark| Finding {
            text: format!("note: {remark}"),
            bad: true,
        }));
    }
    findings
}

/// How far replicas lagged.
fn staleness(run: &EngineRun) -> Option<Finding> {
    let seen = run.replica_reads.as_ref()?;
    let mut text = format!(
        "reads from replicas: {} answered, {} stale ({:.4} %)",
        units::count(seen.reads),
        units::count(seen.stale),
        100.0 * seen.stale as f64 / seen.reads.max(1) as f64
    );
    if seen.stale > 0 {
        text += &format!(
            "; the stale ones lagged what had been acknowledged by p50 {}, p99 {}, at most {}",
            units::latency(seen.lag_us.p50),
            units::latency(seen.lag_us.p99),
            units::latency(seen.lag_us.max)
        );
    }
    if seen.from_primary > 0 {
        text += &format!(
            "; {} went to primaries for want of a replica",
            units::count(seen.from_primary)
        );
    }
    Some(Finding { text, bad: false })
}

/// What became of the writes.
fn audits(run: &EngineRun) -> Vec<Finding> {
    let finding = |audit: &AuditRun| Finding {
        text: verdict(audit, run.rounds.len()),
        bad: audit.lost + audit.unread_keys > 0,
    };
    run.audits.iter().map(finding).collect()
}

fn verdict(audit: &AuditRun, rounds: usize) -> String {
    let round = if rounds > 1 {
        format!("audit of round {}", audit.round + 1)
    } else {
        "audit".to_owned()
    };
    let mut text = format!(
        "{round}: {} writes to {} keys, {} acknowledged: {} kept, {} lost ({} keys are older than they should be, {} gone); \
         {} unacknowledged, of which {} are there",
        units::count(audit.writes),
        units::count(audit.keys),
        units::count(audit.acknowledged),
        units::count(audit.kept),
        units::count(audit.lost),
        units::count(audit.stale_keys),
        units::count(audit.missing_keys),
        units::count(audit.unacknowledged),
        units::count(audit.applied_unacknowledged)
    );
    if audit.unread_keys > 0 {
        text += &format!("; {} keys could not be read", units::count(audit.unread_keys));
    }
    text
}

fn print_table(run: &EngineRun, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if run.shards.is_empty() {
        return Ok(());
    }
    for (i, line) in table(run).lines().iter().enumerate() {
        match i {
            0 => writeln!(out, "{}", style.faint(line))?,
            _ => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

fn sentence(fault: &FaultRun, rounds: usize) -> String {
    let seen = &fault.seen;
    let mut parts = vec![format!(
        "{}{} at {:.3} s: {} of shard {}",
        if rounds > 1 {
            format!("round {}: ", fault.round + 1)
        } else {
            String::new()
        },
        seen.kind,
        seen.at_s,
        seen.addr,
        seen.shard
    )];
    parts.extend(after(seen, seen.suspected_s).map(|t| format!("suspected after {t}")));
    parts.extend(after(seen, seen.failed_s).map(|t| format!("failed after {t}")));
    if let Some(t) = after(seen, seen.promoted_s) {
        let by = seen.promoted_addr.as_deref().unwrap_or("another node");
        parts.push(format!("taken over by {by} after {t}"));
    }
    if let Some(t) = after(seen, seen.ended_s) {
        parts.push(format!("back after {t}"));
    }
    for (name, outage) in [("reads", &fault.reads), ("writes", &fault.writes)] {
        parts.push(format!("{name} {}", described(outage.as_ref())));
    }
    parts.join("; ")
}

fn after(seen: &FaultSeen, at_s: Option<f64>) -> Option<String> {
    Some(units::latency(((at_s? - seen.at_s) * 1e6).max(0.0)))
}

fn described(outage: Option<&Outage>) -> String {
    match outage.map(Outage::seconds) {
        None => "saw no success before it".to_owned(),
        Some(None) => "did not come back".to_owned(),
        Some(Some(length)) => format!("without success for {}", units::latency(length * 1e6)),
    }
}

/// Of the table of the shards.
pub const COLUMNS: [&str; 7] = [
    "",
    "slots",
    "ops/s before",
    "through",
    "p99 before",
    "through",
    "failed",
];

fn table(run: &EngineRun) -> Table {
    let mut table = Table::new(1, &COLUMNS);
    shard_rows(run).into_iter().for_each(|row| table.row(row));
    table
}

/// A row for each shard, in the order of [`COLUMNS`].
pub fn shard_rows(run: &EngineRun) -> Vec<Vec<String>> {
    let several = run.rounds.len() > 1;
    run.shards.iter().map(|shard| row(shard, several)).collect()
}

fn row(shard: &ShardRun, several: bool) -> Vec<String> {
    let name = if several {
        format!("round {}, shard {}", shard.round + 1, shard.shard)
    } else {
        format!("shard {}", shard.shard)
    };
    vec![
        name,
        units::count(u64::from(shard.slots)),
        units::rate(shard.ops_per_sec_before),
        units::rate(shard.ops_per_sec_through),
        units::latency(shard.p99_us_before),
        units::latency(shard.p99_us_through),
        units::count(shard.errors),
    ]
}

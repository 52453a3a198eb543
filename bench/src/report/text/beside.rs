//! The load before and with what ran beside it, and how that fared.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::faults::Finding;
use super::table::{Table, wrap};
use super::{Style, WIDTH};
use crate::report::beside::{BesideRun, Group, PartRun};
use crate::report::model::EngineRun;
use crate::report::units;

pub fn print(run: &EngineRun, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let Some(beside) = &run.beside else { return Ok(()) };
    for (i, line) in table(beside).lines().iter().enumerate() {
        writeln!(out, "{}", if i == 0 { style.faint(line) } else { line.clone() })?;
    }
    for sentence in sentences(beside) {
        for line in wrap(&sentence, WIDTH - 2) {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

/// What runs beside the load, in a word.
pub fn company(beside: &BesideRun) -> &'static str {
    if beside.storm.is_some() { "storm" } else { "noisy" }
}

fn table(beside: &BesideRun) -> Table {
    let mut table = Table::new(1, &["before and with it", "ops/s", "p50", "p99", "p99.9", "max"]);
    for group in &beside.groups {
        let name = name(group.group, beside);
        for (part, word) in [(&group.calm, "calm"), (&group.company, company(beside))] {
            table.row(cells(format!("{name}, {word}"), part));
        }
    }
    table
}

fn cells(name: String, part: &PartRun) -> Vec<String> {
    let latency = &part.latency_us;
    let mut cells = vec![name, units::rate(part.ops_per_sec)];
    cells.extend([latency.p50, latency.p99, latency.p999, latency.max].map(units::latency));
    cells
}

/// The same without a table.
pub fn findings(beside: &BesideRun) -> Vec<Finding> {
    let rows = beside.groups.iter().map(|group| {
        format!(
            "{}: p99 {} calm, {} {} (p50 {} and {})",
            name(group.group, beside),
            units::latency(group.calm.latency_us.p99),
            units::latency(group.company.latency_us.p99),
            company(beside),
            units::latency(group.calm.latency_us.p50),
            units::latency(group.company.latency_us.p50),
        )
    });
    let texts = rows.chain(sentences(beside));
    texts.map(|text| Finding { text, bad: false }).collect()
}

fn name(group: Group, beside: &BesideRun) -> &'static str {
    match group {
        Group::All if beside.storm.is_some() => "established clients",
        Group::All => "all but the neighbour",
        Group::SameSlot => "its slot",
        Group::SameNode => "its node's other slots",
        Group::OtherNodes => "other nodes",
    }
}

/// How the company fared.
pub fn sentences(beside: &BesideRun) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(storm) = &beside.storm {
        all.push(format!(
            "storm: {} connections were due in {}, {} made, {} answered, {} missed, at most {} open at once; connecting took \
             p50 {}, p99 {}, max {}, to the answer p99 {}; {}",
            units::count(storm.due),
            units::seconds(storm.seconds),
            units::count(storm.connected),
            units::count(storm.answered),
            units::count(storm.missed),
            units::count(storm.most_open),
            units::latency(storm.connect_us.p50),
            units::latency(storm.connect_us.p99),
            units::latency(storm.connect_us.max),
            units::latency(storm.answer_us.p99),
            failures(&storm.failed)
        ));
    }
    if let Some(neighbor) = &beside.neighbor {
        all.push(format!(
            "neighbour: {} commands in {} ({}/s), {} of answers, p50 {}, max {}; {}",
            units::count(neighbor.commands),
            units::seconds(neighbor.seconds),
            units::rate(neighbor.commands_per_sec),
            units::bytes(neighbor.bytes),
            units::latency(neighbor.latency_us.p50),
            units::latency(neighbor.latency_us.max),
            failures(&neighbor.failed)
        ));
    }
    all
}

fn failures(failed: &BTreeMap<String, u64>) -> String {
    if failed.is_empty() {
        return "none failed".to_owned();
    }
    let classes: Vec<String> = failed
        .iter()
        .map(|(class, count)| format!("{class} {}", units::count(*count)))
        .collect();
    format!("failed: {}", classes.join(", "))
}

//! The tables, in a form that a terminal shows as well as a page: peers.md, and what is printed.

use super::{Cell, CellRun, DataRun, PeersReport};
use crate::report::{columns, units};

/// Everything that was measured, table by table.
pub fn markdown(report: &PeersReport) -> String {
    let mut text = format!("# {}\n\n{}\n", title(&report.engines), method(report));
    for run in &report.data {
        text += &format!("\n## {}\n", run.data);
        if !run.cells.is_empty() {
            text += "\nOperations per second of server CPU time; in brackets, how far ahead the first engine is, with its 95 % \
                     interval.\n\n";
            text += &table(report, run, "load", cpu_rows(run));
            text += "\nLatency, p50 / p99, each engine as fast as it can.\n\n";
            text += &table(report, run, "load", latency_rows(run));
        }
        text += "\nMemory, bytes a key, key and value included.\n\n";
        text += &table(report, run, "by", memory_rows(run));
    }
    if report.interrupted {
        text += "\nInterrupted: not everything was measured.\n";
    }
    text
}

fn title(engines: &[String]) -> String {
    match engines {
        [first] => first.clone(),
        [first, others @ ..] => format!("{first} beside {}", others.join(", ")),
        [] => "No engine".to_owned(),
    }
}

fn method(report: &PeersReport) -> String {
    let machine = &report.environment;
    format!(
        "{}, {} cores, {}; loadgen {} ({}), {}. Every engine is one node on one core, in cluster mode, the generator on another \
         core; {} clients, {} rounds of {} on each engine, in turns. Made by `{}`.",
        machine.cpu,
        machine.cores,
        machine.os,
        machine.loadgen_version,
        machine.commit,
        report.started_utc,
        report.clients,
        report.rounds,
        units::seconds(report.round_s),
        report.command_line.join(" "),
    )
}

type Row = (String, Vec<String>);

fn table(report: &PeersReport, run: &DataRun, first: &str, rows: Vec<Row>) -> String {
    debug_assert!(rows.iter().all(|(_, cells)| cells.len() == run.memory.len()));
    let heads = std::iter::once(first.to_owned()).chain(report.engines.iter().cloned());
    let mut lines: Vec<Vec<String>> = vec![heads.collect()];
    lines.extend(
        rows.into_iter()
            .map(|(name, cells)| std::iter::once(name).chain(cells).collect()),
    );
    columns::table(&lines)
}

fn name(cell: &Cell) -> String {
    format!("{}, pipeline {}", cell.mix, cell.pipeline)
}

fn rows(run: &DataRun, figure: impl Fn(usize, &CellRun) -> String) -> Vec<Row> {
    let of_cell = |cell: &Cell| {
        let figures = cell.runs.iter().enumerate().map(|(at, one)| figure(at, one));
        (name(cell), figures.collect())
    };
    run.cells.iter().map(of_cell).collect()
}

fn cpu_rows(run: &DataRun) -> Vec<Row> {
    rows(run, |at, one| {
        let Some(speed) = one.ops_per_cpu_sec else {
            return "not read".to_owned();
        };
        let speed = units::rate(speed);
        match (at, one.first_is_ahead, one.interval) {
            (0, ..) | (_, None, _) => speed,
            (_, Some(ahead), None) => format!("{speed} ({})", units::ratio(ahead)),
            (_, Some(ahead), Some(interval)) => {
                format!(
                    "{speed} ({}, {:.2} - {:.2})",
                    units::ratio(ahead),
                    interval.low,
                    interval.high
                )
            }
        }
    })
}

fn latency_rows(run: &DataRun) -> Vec<Row> {
    rows(run, |_, one| {
        format!("{} / {}", units::latency(one.p50_us), units::latency(one.p99_us))
    })
}

fn memory_rows(run: &DataRun) -> Vec<Row> {
    let bytes = |value: Option<f64>| value.map_or("not read".to_owned(), |v| format!("{v:.1}"));
    let used = run.memory.iter().map(|m| bytes(m.used_bytes_a_key)).collect();
    let resident = run.memory.iter().map(|m| bytes(m.rss_bytes_a_key)).collect();
    vec![
        ("used_memory".to_owned(), used),
        ("resident".to_owned(), resident),
    ]
}

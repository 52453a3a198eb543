//! The tables: generators.md, and what is printed.

use super::{Ahead, Cell, CellRun, GeneratorsReport};
use crate::report::table::aligned;
use crate::report::units;

/// Everything that was measured, table by table.
pub fn markdown(report: &GeneratorsReport) -> String {
    let mut text = format!("# Generators before {}\n\n{}\n", report.server, method(report));
    if !report.cells.is_empty() {
        text += "\nOperations per second of the generator's own CPU time; in brackets, how far ahead the first generator is, \
                 with its 95 % interval.\n\n";
        text += &table(report, |run| (run.ops_per_cpu_sec, run.ahead_by_cpu));
        text += "\nOperations per second.\n\n";
        text += &table(report, |run| (run.ops_per_sec, run.ahead_by_time));
    }
    if report.interrupted {
        text += "\nInterrupted: not everything was measured.\n";
    }
    text
}

fn method(report: &GeneratorsReport) -> String {
    let machine = &report.environment;
    format!(
        "{}, {} cores, {}; loadgen {} ({}), {}. The server is one node on one core, the generator, with one thread, on another; \
         {} clients, {} keys, values of {} bytes; {} rounds of about {} by each generator, in turns, each the difference \
         between a run of N operations and one of 3 N. Made by `{}`.",
        machine.cpu,
        machine.cores,
        machine.os,
        machine.loadgen_version,
        machine.commit,
        report.started_utc,
        report.clients,
        units::count(report.keys),
        report.value_bytes,
        report.rounds,
        units::seconds(report.round_s),
        report.command_line.join(" "),
    )
}

fn table(report: &GeneratorsReport, figure: impl Fn(&CellRun) -> (f64, Option<Ahead>)) -> String {
    let mut lines = vec![vec!["load".to_owned()]];
    lines[0].extend(report.generators.iter().cloned());
    for cell in &report.cells {
        let mut line = vec![name(cell)];
        for (at, run) in cell.runs.iter().enumerate() {
            let (speed, ahead) = figure(run);
            let speed = units::rate(speed);
            line.push(match ahead {
                Some(ahead) if at > 0 => format!("{speed} ({ahead})"),
                _ => speed,
            });
        }
        lines.push(line);
    }
    aligned(&lines)
}

fn name(cell: &Cell) -> String {
    format!("{}, {}, pipeline {}", cell.server_mode, cell.load, cell.pipeline)
}

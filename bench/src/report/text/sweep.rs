//! A sweep: one row a step, one table an engine. What the nodes and commands did at each step is in run.json.

use std::io::{self, Write};

use super::Style;
use super::table::Table;
use crate::report::model::{EngineRun, Report};
use crate::report::units;

pub fn print(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut names: Vec<String> = Vec::new();
    for run in &report.engines {
        if !names.contains(&run.info.name()) {
            names.push(run.info.name());
        }
    }
    for name in names {
        writeln!(out, "\n{}", style.bold(&name))?;
        let runs: Vec<&EngineRun> = report
            .engines
            .iter()
            .filter(|run| run.info.name() == name)
            .collect();
        for (i, line) in table(&runs).lines().iter().enumerate() {
            writeln!(out, "{}", if i == 0 { style.faint(line) } else { line.clone() })?;
        }
    }
    Ok(())
}

fn table(runs: &[&EngineRun]) -> Table {
    let mut table = Table::new(
        1,
        &["", "ops/s", "p50", "p99", "p99.9", "max", "CPU/op", "errors"],
    );
    for run in runs {
        let latency = &run.latency_us;
        let mut cells = vec![
            run.info
                .step
                .as_ref()
                .map_or_else(|| "all".to_owned(), ToString::to_string),
            units::rate(run.ops_per_sec),
        ];
        cells.extend([latency.p50, latency.p99, latency.p999, latency.max].map(units::latency));
        cells.push(run.server.cpu_ns_per_op.map(units::time_ns).unwrap_or_default());
        cells.push(units::count(run.error_count()));
        table.row(cells);
    }
    table
}

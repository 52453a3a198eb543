//! generators.csv: a row for each load and generator.

use std::io::Write;

use super::{Ahead, GeneratorsReport};

const COLUMNS: [&str; 12] = [
    "server_mode",
    "load",
    "pipeline",
    "generator",
    "ops_per_cpu_sec",
    "ops_per_sec",
    "ahead_by_cpu",
    "ahead_by_cpu_low",
    "ahead_by_cpu_high",
    "ahead_by_time",
    "ahead_by_time_low",
    "ahead_by_time_high",
];

pub fn write_csv(report: &GeneratorsReport, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    for cell in &report.cells {
        for run in &cell.runs {
            let mut record = vec![
                cell.server_mode.to_string(),
                cell.load.clone(),
                cell.pipeline.to_string(),
                run.generator.clone(),
                format!("{:.1}", run.ops_per_cpu_sec),
                format!("{:.1}", run.ops_per_sec),
            ];
            record.extend(figures(run.ahead_by_cpu));
            record.extend(figures(run.ahead_by_time));
            csv.write_record(record)?;
        }
    }
    csv.flush()?;
    Ok(())
}

fn figures(ahead: Option<Ahead>) -> [String; 3] {
    let interval = ahead.and_then(|ahead| ahead.interval);
    [
        ahead.map(|ahead| ahead.ratio),
        interval.map(|i| i.low),
        interval.map(|i| i.high),
    ]
    .map(|value| value.map_or(String::new(), |v| format!("{v:.4}")))
}

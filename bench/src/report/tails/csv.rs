//! tails.csv: a row for each event, engine and round.

use std::io::Write;

use super::TailsReport;

const COLUMNS: [&str; 15] = [
    "event",
    "engine",
    "round",
    "ops",
    "ops_per_sec",
    "missed",
    "failed",
    "absent",
    "p50_us",
    "p99_us",
    "p99.9_us",
    "max_us",
    "gap_ms",
    "gap_at_ms",
    "done_ms",
];

pub fn write_csv(report: &TailsReport, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    for case in &report.cases {
        for run in &case.runs {
            for (number, round) in run.rounds.iter().enumerate() {
                csv.write_record([
                    case.event.clone(),
                    run.engine.clone(),
                    (number + 1).to_string(),
                    round.ops.to_string(),
                    format!("{:.1}", round.ops_per_sec),
                    round.missed.to_string(),
                    round.failed.to_string(),
                    round.absent.to_string(),
                    format!("{:.2}", round.p50_us),
                    format!("{:.2}", round.p99_us),
                    format!("{:.2}", round.p999_us),
                    format!("{:.2}", round.max_us),
                    format!("{:.3}", round.gap_ms),
                    format!("{:.1}", round.gap_at_ms),
                    round.done_ms.map_or(String::new(), |ms| format!("{ms:.3}")),
                ])?;
            }
        }
    }
    csv.flush()?;
    Ok(())
}

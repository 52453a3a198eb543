//! peers.csv: a row for each load and engine.

use std::io::Write;

use super::PeersReport;

const COLUMNS: [&str; 16] = [
    "keys",
    "value_bytes",
    "keys_a_tag",
    "load",
    "pipeline",
    "engine",
    "ops",
    "ops_per_sec",
    "ops_per_cpu_sec",
    "p50_us",
    "p99_us",
    "first_is_ahead",
    "ahead_low",
    "ahead_high",
    "used_bytes_a_key",
    "rss_bytes_a_key",
];

pub fn write_csv(report: &PeersReport, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    let figure = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v:.4}"));
    for run in &report.data {
        for cell in &run.cells {
            for (at, one) in cell.runs.iter().enumerate() {
                let memory = run.memory.get(at);
                csv.write_record([
                    run.data.keys.to_string(),
                    run.data.value_bytes.to_string(),
                    if run.data.tagged { "10" } else { "1" }.to_owned(),
                    cell.mix.clone(),
                    cell.pipeline.to_string(),
                    one.engine.clone(),
                    one.ops.to_string(),
                    format!("{:.1}", one.ops_per_sec),
                    figure(one.ops_per_cpu_sec),
                    format!("{:.2}", one.p50_us),
                    format!("{:.2}", one.p99_us),
                    figure(one.first_is_ahead),
                    figure(one.interval.map(|i| i.low)),
                    figure(one.interval.map(|i| i.high)),
                    figure(memory.and_then(|m| m.used_bytes_a_key)),
                    figure(memory.and_then(|m| m.rss_bytes_a_key)),
                ])?;
            }
        }
    }
    csv.flush()?;
    Ok(())
}

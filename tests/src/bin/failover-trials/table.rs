//! What the trials showed, as a page and as a table for a spreadsheet.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use loadgen::driver::environment;

use crate::trial::Fault;

/// One trial's outcome.
pub struct Row {
    pub number: u32,
    pub engine: String,
    pub fault: Fault,
    pub outage: Duration,
}

/// The page.
pub fn markdown(rows: &[Row], node_timeout_ms: u32) -> String {
    let machine = environment::describe();
    let mut text = format!(
        "# Without a primary: how long\n\n\
         Time from the fault to the next acknowledged write to the primary's slots, in ms. 3 primaries with a replica \
         each, cluster-node-timeout {node_timeout_ms}, a new cluster for each trial, engines in turns.\n\n\
         | fault | engine | trials | min | median | p90 | max |\n|---|---|--:|--:|--:|--:|--:|\n"
    );
    for fault in [Fault::Killed, Fault::Hung] {
        let mut engines: Vec<&str> = rows.iter().map(|row| row.engine.as_str()).collect();
        engines.sort_unstable();
        engines.dedup();
        for engine in engines {
            let mut outages: Vec<f64> = rows
                .iter()
                .filter(|row| row.fault == fault && row.engine == engine)
                .map(|row| row.outage.as_secs_f64() * 1e3)
                .collect();
            outages.sort_by(f64::total_cmp);
            let Some(last) = outages.len().checked_sub(1) else {
                continue;
            };
            // The nearest rank: each figure is one that was measured.
            let rank = |share: f64| outages[((last as f64 * share).round() as usize).min(last)];
            writeln!(
                text,
                "| {} | {engine} | {} | {:.0} | {:.0} | {:.0} | {:.0} |",
                fault.name(),
                outages.len(),
                outages[0],
                rank(0.5),
                rank(0.9),
                outages[last]
            )
            .expect("writing to a string cannot fail");
        }
    }
    write!(
        text,
        "\n{}, {} cores, {}, {} build, commit {}. Made by\n\n```sh\n\
         cargo run --release -p e2e --bin failover-trials -- --trials {} --node-timeout {node_timeout_ms}\n```\n",
        machine.cpu,
        machine.cores,
        machine.kernel,
        machine.build_profile,
        machine.commit.get(..12).unwrap_or(&machine.commit),
        rows.iter().map(|row| row.number + 1).max().unwrap_or(0),
    )
    .expect("writing to a string cannot fail");
    text
}

/// Writes README.md and trials.csv into a folder.
pub fn save(folder: &Path, rows: &[Row], text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("README.md"), text)?;
    let mut csv = String::from("trial,engine,fault,outage_ms\n");
    for row in rows {
        let outage_ms = row.outage.as_secs_f64() * 1e3;
        writeln!(
            csv,
            "{},{},{},{outage_ms:.3}",
            row.number,
            row.engine,
            row.fault.name()
        )
        .expect("writing to a string cannot fail");
    }
    std::fs::write(folder.join("trials.csv"), csv)
}

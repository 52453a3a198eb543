//! The table of a merged histogram log: one row a tag.

use std::io::{self, Write};

use super::table::{Table, wrap};
use super::{Style, WIDTH, print_warning};
use crate::merge::MergedLog;
use crate::report::model::LatencyUs;
use crate::report::units;

/// Prints count and percentiles of each tag, and what makes them suspect.
pub fn print(log: &MergedLog, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for line in wrap(log.label.as_deref().unwrap_or("Histogram logs"), WIDTH) {
        writeln!(out, "{}", style.bold(&line))?;
    }
    let text = format!(
        "all generators at work for {} of the time",
        units::share(log.overlap_share)
    );
    writeln!(out, "{}", style.faint(&text))?;
    writeln!(out)?;
    let mut table = Table::new(1, &["", "count", "p50", "p90", "p99", "p99.9", "max"]);
    for (tag, histogram) in &log.totals {
        let latency = LatencyUs::from_ns(histogram);
        let mut cells = vec![
            tag.clone().unwrap_or_else(|| "all".to_owned()),
            units::count(histogram.len()),
        ];
        cells.extend([latency.p50, latency.p90, latency.p99, latency.p999, latency.max].map(units::latency));
        table.row(cells);
    }
    for (i, line) in table.lines().iter().enumerate() {
        writeln!(out, "{}", if i == 0 { style.faint(line) } else { line.clone() })?;
    }
    for warning in &log.warnings {
        writeln!(out)?;
        print_warning(warning, style, out)?;
    }
    Ok(())
}

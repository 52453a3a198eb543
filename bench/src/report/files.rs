//! Writes everything a run leaves behind into its folder.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;

use super::{EngineLog, Report, csv, hlog, html, json, plot};

/// Writes all files of a finished (or broken off) run. run.json comes first: should a later file fail, the figures
/// are safe.
pub fn write_all(folder: &Path, report: &Report, logs: &[EngineLog]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    write(&folder.join("run.json"), |out| json::write(report, out))?;
    for log in logs {
        write(&folder.join(format!("{}.hlog", log.info.file_stem())), |out| {
            hlog::write(log, out)
        })?;
    }
    redraw(folder, report)
}

/// Writes all that follows from run.json alone, for `loadgen report DIR`.
pub fn redraw(folder: &Path, report: &Report) -> anyhow::Result<()> {
    write(&folder.join("summary.csv"), |out| csv::write_summary(report, out))?;
    write(&folder.join("intervals.csv"), |out| {
        csv::write_intervals(report, out)
    })?;
    if report.engines.iter().any(|run| !run.shards.is_empty()) {
        write(&folder.join("course.csv"), |out| csv::write_course(report, out))?;
    }
    let pictures = plot::draw_all(report, &folder.join("plots"))?;
    write(&folder.join("report.html"), |out| {
        html::write(report, &pictures, out)
    })
}

fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let fill_file = || -> anyhow::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        fill(&mut out)?;
        out.flush()?;
        Ok(())
    };
    fill_file().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::report::sample;
    use crate::report::text::{self, Style};

    /// Writes each sample into a folder and checks that no file is missing or empty. To look at the files, name a
    /// folder to keep them in: `SAMPLE_REPORT_DIR=/tmp/x cargo test -p loadgen sample_reports`.
    #[test]
    fn sample_reports_are_complete() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let root = std::env::var_os("SAMPLE_REPORT_DIR").map_or(temporary.path().to_owned(), PathBuf::from);
        let (comparison, logs) = sample::comparison_with_logs();
        for (name, report, logs) in [
            ("single", sample::clean(), &logs[..1]),
            ("comparison", comparison, &logs[..]),
            ("sweep", sample::sweep(), &[]),
            ("search", sample::search(), &[]),
            ("noisy", sample::noisy(), &[]),
            ("stormy", sample::stormy(), &[]),
            ("troubled", sample::troubled(), &[]),
            ("failover", sample::failover(), &[]),
        ] {
            let folder = root.join(name);
            write_all(&folder, &report, logs).expect("written");
            let mut out = Vec::new();
            text::print(&report, Some(&folder), Style::Plain, &mut out).expect("memory does not fail");
            fs::write(folder.join("terminal.txt"), out).expect("written");
            let mut expected = vec!["run.json", "summary.csv", "intervals.csv"];
            expected.extend(logs.iter().map(|l| {
                if l.info.engine == "redis" {
                    "redis.hlog"
                } else {
                    "slotmark.hlog"
                }
            }));
            for file in expected {
                let size = fs::metadata(folder.join(file)).map(|m| m.len()).unwrap_or(0);
                assert!(size > 100, "{name}/{file} has {size} bytes");
            }
        }
    }
}

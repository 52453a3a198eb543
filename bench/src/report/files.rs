//! Writes everything a run leaves behind into its folder.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;

use super::{EngineLog, Report, csv, hlog, json};

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
    Ok(())
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

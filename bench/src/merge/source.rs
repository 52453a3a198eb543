//! A run to be added up: its run.json, and the log beside it.

use std::path::{Path, PathBuf};

use crate::report::hlog::{self, LogLine};
use crate::report::{EngineRun, Report, json};

/// One run.
#[derive(Debug)]
pub struct Source {
    /// Its file, for complaints.
    pub name: String,
    pub report: Report,
    /// Histograms of the intervals of `report.engines[i]`, in their order; none where there is no log that fits.
    pub intervals: Vec<Option<Vec<LogLine>>>,
}

impl Source {
    /// Reads a run.json (or the one in a folder), and the logs beside it, if there are any.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let file = json::file_of(path);
        let report = json::read(&file)?;
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self {
            name: path.display().to_string(),
            intervals: report.engines.iter().map(|run| log_of(&folder, run)).collect(),
            report,
        })
    }
}

/// The intervals' histograms from the engine's log. A log of another run may lie there: only one with the same
/// operations in each interval is taken.
fn log_of(folder: &Path, run: &EngineRun) -> Option<Vec<LogLine>> {
    let path: PathBuf = folder.join(format!("{}.hlog", run.info.file_stem()));
    let mut lines = hlog::read(&path).ok()?.lines;
    lines.retain(|line| line.tag.is_none());
    let fits = lines.len() == run.intervals.len()
        && lines
            .iter()
            .zip(&run.intervals)
            .all(|(line, interval)| line.latency.len() == interval.ops);
    fits.then_some(lines)
}

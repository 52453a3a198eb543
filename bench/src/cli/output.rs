//! Where the results of a run go: the folder, the copies asked for by flags, the terminal.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::args::RunArgs;
use super::{report::rendered, talk};
use crate::driver::Measured;
use crate::report::{self, Report};

/// Chosen and checked before the run, so that nobody waits for a result that cannot be written.
#[derive(Debug)]
pub struct Output<'a> {
    args: &'a RunArgs,
    folder: PathBuf,
}

impl<'a> Output<'a> {
    pub fn prepare(args: &'a RunArgs, workload: &str) -> Result<Self> {
        let folder = match &args.output {
            Some(folder) => folder.clone(),
            None => unused_folder(workload),
        };
        let place = nearest_existing(&folder);
        if folder.exists() && !folder.is_dir() {
            bail!("{} is not a folder", folder.display());
        }
        check_writable(&place)?;
        for file in [&args.json, &args.csv]
            .into_iter()
            .flatten()
            .filter(|p| p.as_os_str() != "-")
        {
            let parent = file
                .parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            if !parent.is_dir() {
                bail!("{}: there is no folder {}", file.display(), parent.display());
            }
            if file.is_dir() {
                bail!("{} is a folder, a file is needed", file.display());
            }
            if !file.exists() {
                check_writable(parent)?;
            }
        }
        Ok(Self { args, folder })
    }

    /// Writes everything; the text comes last, when all that it names is there.
    pub fn write(&self, measured: &Measured) -> Result<()> {
        let report = &measured.report;
        report::write_all(&self.folder, report, &measured.logs)?;
        if !measured.lost_keys.is_empty() {
            copy(Some(&self.folder.join("lost-keys.csv")), |out| {
                report::csv::write_lost_keys(&measured.lost_keys, out)
            })?;
        }
        copy(self.args.json.as_deref(), |out| report::json::write(report, out))?;
        copy(self.args.csv.as_deref(), |out| {
            report::csv::write_summary(report, out)
        })?;
        self.print_text(report)
    }

    fn print_text(&self, report: &Report) -> Result<()> {
        let folder = Some(self.folder.as_path());
        if !self.args.stdout_is_taken() {
            talk::print(&rendered(report, folder, io::stdout().is_terminal())?)?;
        } else if !self.args.quiet {
            talk::complain(rendered(report, folder, io::stderr().is_terminal())?.trim_end());
        }
        Ok(())
    }
}

/// Writes to a file, or for `-` to stdout; nothing at all without a path.
fn copy(path: Option<&Path>, fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        fill(&mut bytes)?;
        return talk::print(&String::from_utf8_lossy(&bytes)).context("cannot write to stdout");
    }
    let written = || -> Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        fill(&mut out)?;
        Ok(out.flush()?)
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

/// `results/local/TIME-WORKLOAD` below the current directory, numbered if two runs begin in one second.
fn unused_folder(workload: &str) -> PathBuf {
    let time = chrono::Utc::now().format("%Y%m%dT%H%M%SZ");
    let stem = format!("results/local/{time}-{workload}");
    let numbered = (2..).map(|n| PathBuf::from(format!("{stem}-{n}")));
    let mut candidates = std::iter::once(PathBuf::from(&stem)).chain(numbered);
    candidates
        .find(|folder| !folder.exists())
        .unwrap_or_else(|| PathBuf::from(stem))
}

fn nearest_existing(path: &Path) -> PathBuf {
    let existing = path.ancestors().find(|p| !p.as_os_str().is_empty() && p.exists());
    existing.unwrap_or(Path::new(".")).to_owned()
}

fn check_writable(folder: &Path) -> Result<()> {
    tempfile::tempfile_in(folder).map(drop).with_context(|| {
        format!(
            "cannot write into {}: choose a folder with --output",
            folder.display()
        )
    })
}

//! Where the results of a run go: the folder, the copies asked for by flags, the terminal.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use super::args::OutputArgs;
use super::{Failure, report::rendered, talk};
use crate::report::model::LostKey;
use crate::report::{self, EngineLog, Report};

/// Chosen and checked before the run, so that nobody waits for a result that cannot be written.
#[derive(Debug)]
pub struct Output<'a> {
    args: &'a OutputArgs,
    folder: PathBuf,
}

impl<'a> Output<'a> {
    /// `name` is that of the folder if none was asked for: `results/local/TIME-NAME`.
    pub fn prepare(args: &'a OutputArgs, name: &str) -> Result<Self> {
        let folder = match &args.output {
            Some(folder) => folder.clone(),
            None => unused_folder(name),
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

    /// Writes everything; `lost_keys` by engine. The text comes last, when all that it names is there.
    pub fn write(
        &self,
        report: &Report,
        logs: &[EngineLog],
        lost_keys: &[(String, Vec<LostKey>)],
    ) -> Result<()> {
        report::write_all(&self.folder, report, logs)?;
        if !lost_keys.is_empty() {
            copy(Some(&self.folder.join("lost-keys.csv")), |out| {
                report::csv::write_lost_keys(lost_keys, out)
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

/// Refuses two claims to stdout.
pub fn one_stdout(args: &OutputArgs) -> Result<(), Failure> {
    if [&args.json, &args.csv]
        .iter()
        .all(|p| p.as_ref().is_some_and(|p| p.as_os_str() == "-"))
    {
        return Err(Failure::usage(anyhow!(
            "--json - and --csv - cannot both have stdout"
        )));
    }
    Ok(())
}

/// Writes to a file, or for `-` to stdout; nothing at all without a path.
pub fn copy(path: Option<&Path>, fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
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

/// `results/local/TIME-NAME` below the current directory, numbered if two runs begin in one second.
pub fn unused_folder(name: &str) -> PathBuf {
    let time = chrono::Utc::now().format("%Y%m%dT%H%M%SZ");
    let stem = format!("results/local/{time}-{name}");
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

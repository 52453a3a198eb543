//! `loadgen merge A B ...`: finished runs of several generators, or their logs, become one.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::args::MergeArgs;
use super::output::{self, Output};
use super::{CommandResult, Exit, Failure, talk};
use crate::merge::{self, NamedLog, Source};
use crate::report::hlog;
use crate::report::text::{self, Style};

pub fn run(args: &MergeArgs) -> CommandResult {
    refuse_twins(&args.files)?;
    refuse_overwriting(args)?;
    let logs = args.files.iter().filter(|path| is_log(path)).count();
    match logs {
        0 => merge_runs(args),
        n if n == args.files.len() => merge_logs(args),
        _ => Err(Failure::usage(anyhow!(
            "run.json and .hlog files cannot be added up with each other: give one or the other"
        ))),
    }
}

fn merge_runs(args: &MergeArgs) -> CommandResult {
    output::one_stdout(&args.output)?;
    let sources: Result<Vec<Source>, _> = args.files.iter().map(|path| Source::read(path)).collect();
    let sources = sources.map_err(Failure::usage)?;
    let name = format!("{}-merged", sources[0].report.workload.name);
    let merged = merge::reports(sources, std::env::args().collect()).map_err(Failure::usage)?;
    Output::prepare(&args.output, &name)?.write(&merged.report, &merged.logs, &[])?;
    Ok(Exit::Done)
}

fn merge_logs(args: &MergeArgs) -> CommandResult {
    if args.output.json.is_some() || args.output.csv.is_some() {
        return Err(Failure::usage(anyhow!(
            "--json and --csv are for run.json files: logs hold histograms and nothing else"
        )));
    }
    let read = |path: &PathBuf| {
        hlog::read(path).map(|log| NamedLog {
            name: path.display().to_string(),
            log,
        })
    };
    let logs: Result<Vec<NamedLog>, _> = args.files.iter().map(read).collect();
    let merged = merge::logs(&logs.map_err(Failure::usage)?).map_err(Failure::usage)?;
    let folder = args
        .output
        .output
        .clone()
        .unwrap_or_else(|| output::unused_folder("merged"));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let file = folder.join(log_name(&args.files));
    output::copy(Some(&file), |out| {
        hlog::write_lines(merged.label.as_deref(), &merged.lines, out)
    })?;
    let mut shown = Vec::new();
    text::print_log(
        &merged,
        Style::detect(std::io::stdout().is_terminal()),
        &mut shown,
    )?;
    talk::print(&format!(
        "{}\nthe sum is in {}\n",
        String::from_utf8_lossy(&shown),
        file.display()
    ))?;
    Ok(Exit::Done)
}

/// The name that all logs have, or one that fits any.
fn log_name(files: &[PathBuf]) -> PathBuf {
    let name = files[0].file_name().map(PathBuf::from).unwrap_or_default();
    if files.iter().all(|f| f.file_name() == files[0].file_name()) {
        name
    } else {
        PathBuf::from("merged.hlog")
    }
}

fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "hlog")
}

/// The sum must not take the place of what it was made from.
fn refuse_overwriting(args: &MergeArgs) -> Result<(), Failure> {
    let Some(folder) = args.output.output.as_ref().and_then(|f| f.canonicalize().ok()) else {
        return Ok(());
    };
    let of = |file: &PathBuf| {
        let file = file.canonicalize().ok()?;
        if file.is_dir() {
            Some(file)
        } else {
            file.parent().map(Path::to_owned)
        }
    };
    match args.files.iter().find(|file| of(file).as_ref() == Some(&folder)) {
        Some(file) => Err(Failure::usage(anyhow!(
            "{} lies in {}: choose another folder with --output, or the sum takes its place",
            file.display(),
            folder.display()
        ))),
        None => Ok(()),
    }
}

/// The same file under two names is found here, the same run in two files when they have been read.
fn refuse_twins(files: &[PathBuf]) -> Result<(), Failure> {
    let real: Vec<PathBuf> = files
        .iter()
        .map(|f| f.canonicalize().unwrap_or_else(|_| f.clone()))
        .collect();
    for (i, file) in real.iter().enumerate() {
        if real[..i].contains(file) {
            return Err(Failure::usage(anyhow!(
                "{} is given twice: its operations would count twice",
                files[i].display()
            )));
        }
    }
    Ok(())
}

//! `loadgen compare A B`: two finished runs, and the conditions that a gate puts on the second.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::anyhow;

use super::args::CompareArgs;
use super::{CommandResult, Exit, Failure, output, talk};
use crate::report::text::{self, Style};
use crate::report::{Report, json};
use crate::stats::baseline::Baseline;
use crate::stats::gate::{Condition, Judged, Judgement};
use crate::stats::runs::{self, Named, RunComparison};

pub fn run(args: &CompareArgs) -> CommandResult {
    let comparison = compared(args)?;
    let mut shown = Vec::new();
    let to_stdout = args.json.as_ref().is_none_or(|path| path.as_os_str() != "-");
    let to_terminal = if to_stdout {
        std::io::stdout().is_terminal()
    } else {
        std::io::stderr().is_terminal()
    };
    text::print_runs(&comparison, Style::detect(to_terminal), &mut shown)?;
    output::copy(args.json.as_deref(), |out| {
        serde_json::to_writer_pretty(&mut *out, &comparison)?;
        Ok(writeln!(out)?)
    })?;
    let shown = String::from_utf8_lossy(&shown);
    if to_stdout {
        talk::print(&shown)?;
    } else {
        talk::complain(shown.trim_end());
    }
    Ok(if failed(&comparison.conditions).next().is_some() {
        Exit::CheckFailed
    } else {
        Exit::Done
    })
}

/// The conditions that a gate must not pass on.
pub fn failed(judged: &[Judged]) -> impl Iterator<Item = &Judged> {
    judged.iter().filter(|j| j.judgement != Judgement::Passed)
}

fn compared(args: &CompareArgs) -> Result<RunComparison, Failure> {
    let (conditions, files) = match (&args.baseline, args.runs.as_slice()) {
        (None, [a, b]) => (args.fail_if.clone(), [a.clone(), b.clone()]),
        (None, _) => {
            return Err(Failure::usage(anyhow!(
                "give two runs, the baseline first, or --baseline and one run"
            )));
        }
        (Some(path), [candidate]) => return against_baseline(path, candidate, &args.fail_if),
        (Some(_), _) => {
            return Err(Failure::usage(anyhow!(
                "--baseline names the run to compare with: give only the candidate beside it"
            )));
        }
    };
    let [a, b] = &files;
    let (baseline, candidate) = (read(a)?, read(b)?);
    comparison(a, &baseline, b, &candidate, &conditions)
}

fn against_baseline(path: &Path, candidate: &Path, more: &[Condition]) -> Result<RunComparison, Failure> {
    let baseline = Baseline::read(path).map_err(Failure::usage)?;
    let (reference, report) = (read(&baseline.run)?, read(candidate)?);
    baseline.check(&reference, &report).map_err(Failure::usage)?;
    let conditions: Vec<Condition> = baseline.conditions.iter().chain(more).cloned().collect();
    comparison(&baseline.run, &reference, candidate, &report, &conditions)
}

fn read(path: &Path) -> Result<Report, Failure> {
    json::read(&json::file_of(path)).map_err(Failure::usage)
}

fn comparison(
    a: &Path,
    baseline: &Report,
    b: &Path,
    candidate: &Report,
    conditions: &[Condition],
) -> Result<RunComparison, Failure> {
    let (a, b) = (a.display().to_string(), b.display().to_string());
    let named = |name, report| Named { name, report };
    runs::compare(named(&a, baseline), named(&b, candidate), conditions).map_err(Failure::usage)
}

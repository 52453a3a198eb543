//! `loadgen report DIR`: the files and the text of a finished run, drawn again from its run.json.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Context;

use super::{CommandResult, Exit, Failure, talk};
use crate::report::text::Style;
use crate::report::{self, Report};

pub fn run(dir: &Path) -> CommandResult {
    let file = dir.join("run.json");
    if !file.is_file() {
        let hint = "name the folder of a run, e.g. one under results/local";
        return Err(Failure::usage(anyhow::anyhow!(
            "{}: there is no run.json; {hint}",
            dir.display()
        )));
    }
    let report = report::json::read(&file)?;
    report::redraw(dir, &report)?;
    talk::print(&rendered(&report, Some(dir), std::io::stdout().is_terminal())?)?;
    Ok(Exit::Done)
}

/// The text of a report, coloured if it goes to a terminal.
pub fn rendered(report: &Report, dir: Option<&Path>, to_terminal: bool) -> anyhow::Result<String> {
    let mut text = Vec::new();
    report::text::print(report, dir, Style::detect(to_terminal), &mut text)?;
    String::from_utf8(text).context("a name in the report is not UTF-8")
}

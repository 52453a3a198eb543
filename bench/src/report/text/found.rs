//! A search of rates: its trials as a table, and its answer in a sentence.

use std::io::{self, Write};

use super::table::{Table, wrap};
use super::{Style, WIDTH};
use crate::report::found::{FindMax, FoundRate, Purpose, Trial};
use crate::report::units;

pub fn print(found: &FindMax, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for engine in &found.engines {
        writeln!(out, "\n{}", style.bold(&engine.engine))?;
        let lines = table(engine).lines();
        writeln!(out, "{}", style.faint(&lines[0]))?;
        for (line, trial) in lines[1..].iter().zip(&engine.trials) {
            let at = line.rfind(&verdict(trial)).unwrap_or(line.len());
            let words = &line[at..];
            let words = if trial.holds {
                style.good(words)
            } else {
                words.to_owned()
            };
            writeln!(out, "{}{words}", &line[..at])?;
        }
    }
    for sentence in sentences(found) {
        writeln!(out)?;
        for line in wrap(&sentence, WIDTH) {
            writeln!(out, "{}", style.bold(&line))?;
        }
    }
    Ok(())
}

fn table(engine: &FoundRate) -> Table {
    let mut table = Table::new(1, &["trial", "rate", "p50", "p99", ""]).ending_in_text();
    for trial in &engine.trials {
        table.row(vec![
            purpose(trial.purpose).to_owned(),
            format!("{}/s", units::count(trial.rate)),
            units::latency(trial.p50_us),
            units::latency(trial.p99_us),
            verdict(trial),
        ]);
    }
    table
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Bracket => "bracket",
        Purpose::Bisect => "bisect",
        Purpose::ConfirmBelow => "confirm 0.9x",
        Purpose::ConfirmAbove => "confirm 1.2x",
    }
}

/// What did not hold, as far as the line has room for it.
fn verdict(trial: &Trial) -> String {
    const ROOM: usize = 30;
    let shown: String = trial.verdict.chars().take(ROOM).collect();
    shown.trim_end().to_owned()
}

/// The answer of each engine, and how they compare.
pub fn sentences(found: &FindMax) -> Vec<String> {
    let objectives = found.objectives.join(" and ");
    let mut all: Vec<String> = found
        .engines
        .iter()
        .map(|engine| answer(engine, &objectives))
        .collect();
    if let (Some(ratio), [first, second]) = (found.ratio, found.engines.as_slice()) {
        all.push(format!(
            "{} holds {objectives} up to {} the rate of {}.",
            first.engine,
            units::ratio(ratio),
            second.engine
        ));
    }
    all
}

fn answer(found: &FoundRate, objectives: &str) -> String {
    let engine = &found.engine;
    let tried = |purpose| {
        let last = found.trials.iter().rfind(|trial| trial.purpose == purpose);
        last.map(|trial| units::rate(trial.rate as f64))
            .unwrap_or_default()
    };
    match (found.answer, found.confirmed) {
        (Some(rate), true) => format!(
            "{engine} holds {objectives} up to {} operations a second. Confirmed: it holds at {}/s (0.9x) and does not at \
             {}/s (1.2x).",
            units::rate(rate as f64),
            tried(Purpose::ConfirmBelow),
            tried(Purpose::ConfirmAbove)
        ),
        (Some(rate), false) => format!(
            "{engine} held {objectives} at {} operations a second, but that could not be confirmed.",
            units::rate(rate as f64)
        ),
        (None, _) => {
            let lowest = found.trials.iter().map(|trial| trial.rate).min().unwrap_or(0);
            format!(
                "{engine} did not hold {objectives} at any rate that was tried, down to {} operations a second.",
                units::rate(lowest as f64)
            )
        }
    }
}

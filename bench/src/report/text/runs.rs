//! Two finished runs side by side: what they are, the figures, the conditions, and what makes them suspect.

use std::io::{self, Write};

use super::compared::{interval_words, print_table, value, verdict_words};
use super::table::{Table, wrap};
use super::{Style, WIDTH, print_each_warning};
use crate::report::units;
use crate::stats::gate::{Judged, Judgement};
use crate::stats::runs::{RunComparison, RunName, StepComparison};

/// Prints a comparison; ratios are candidate / baseline.
pub fn print(comparison: &RunComparison, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&comparison.candidate.workload))?;
    for (role, run) in [
        ("baseline", &comparison.baseline),
        ("candidate", &comparison.candidate),
    ] {
        for line in wrap(&described(role, run), WIDTH) {
            writeln!(out, "{}", style.faint(&line))?;
        }
    }
    for step in &comparison.steps {
        print_step(step, style, out)?;
    }
    writeln!(out)?;
    let note = "Ratios are candidate / baseline, over the rounds of two runs that were not interleaved: what changed on the \
                machine between them is in the ratio. A run with --compare, in turns, is the stronger evidence.";
    for line in wrap(note, WIDTH) {
        writeln!(out, "{}", style.faint(&line))?;
    }
    print_conditions(&comparison.conditions, style, out)?;
    if !comparison.warnings.is_empty() {
        writeln!(out)?;
    }
    print_each_warning(&comparison.warnings, style, out)
}

fn described(role: &str, run: &RunName) -> String {
    format!(
        "{role}: {}, {}, {}, {} cores, commit {}",
        run.file, run.started_utc, run.cpu, run.cores, run.commit
    )
}

fn print_step(step: &StepComparison, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut title = if step.baseline == step.candidate {
        step.candidate.clone()
    } else {
        format!("{} against {}", step.candidate, step.baseline)
    };
    if let Some(step) = &step.step {
        title += &format!(", {step}");
    }
    if let Some(first) = step.metrics.first() {
        title += &match (first.candidate_rounds, first.baseline_rounds) {
            (a, b) if a == b => format!(", {a} rounds each"),
            (a, b) => format!(", {a} rounds against {b}"),
        };
    }
    writeln!(out, "\n{}", style.bold(&title))?;
    let header = ["", "candidate", "baseline", "ratio", "95 % interval", ""];
    let mut table = Table::new(1, &header).ending_in_text();
    for m in &step.metrics {
        table.row(vec![
            m.metric.title().to_owned(),
            value(m.metric, m.candidate_value),
            value(m.metric, m.baseline_value),
            units::ratio(m.ratio),
            interval_words(m.interval),
            verdict_words(m.verdict).to_owned(),
        ]);
    }
    print_table(&table, step.metrics.iter().map(|m| m.verdict), style, out)
}

fn print_conditions(conditions: &[Judged], style: Style, out: &mut dyn Write) -> io::Result<()> {
    if !conditions.is_empty() {
        writeln!(out)?;
    }
    for judged in conditions {
        let word = match judged.judgement {
            Judgement::Passed => style.good("passed"),
            Judgement::Failed => style.bad("failed"),
            Judgement::Unknown => style.bad("unknown"),
        };
        let text = format!("{}: {}: {}", judged.condition, judged.engine, judged.text);
        for (i, line) in wrap(&text, WIDTH - 10).iter().enumerate() {
            // Colour codes have no width, so the margin is counted by the word itself.
            let padding = if judged.judgement == Judgement::Unknown {
                "   "
            } else {
                "    "
            };
            if i == 0 {
                writeln!(out, "{word}{padding}{line}")?;
            } else {
                writeln!(out, "          {line}")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::stats::runs::{Named, compare};

    #[test]
    fn everything_is_said_within_the_width() {
        let (report, sweep) = (sample::comparison(), sample::sweep());
        let conditions = ["p99>+5%", "errors>0", "throughput<1g"].map(|c| c.parse());
        assert!(conditions[2].is_err(), "there is no such unit");
        let conditions: Vec<_> = conditions.into_iter().flatten().collect();
        for report in [&report, &sweep] {
            let mut other = report.clone();
            other.environment.cpu = "Another Processor".to_owned();
            let named = |name, report| Named { name, report };
            let got = compare(
                named("old/run.json", report),
                named("new/run.json", &other),
                &conditions,
            );
            let mut text = Vec::new();
            print(&got.expect("the same engines"), Style::Plain, &mut text).expect("memory does not fail");
            let text = String::from_utf8(text).expect("UTF-8");
            for part in [
                "baseline: old/run.json",
                "stronger evidence",
                "p99 latency",
                "passed",
                "warning: the machines",
            ] {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert!(text.lines().all(|l| l.chars().count() <= WIDTH), "{text}");
        }
    }
}

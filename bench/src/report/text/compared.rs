//! Both engines side by side, figure by figure, and what follows from it in words.

use std::io::{self, Write};

use super::table::{Table, wrap};
use super::{Style, WIDTH};
use crate::report::model::{Comparison, Metric, MetricComparison, RatioInterval, Report, Verdict};
use crate::report::units;

pub fn print(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = report.comparisons.first() else {
        return Ok(());
    };
    let pairs = first.metrics.iter().map(|m| m.pairs).min().unwrap_or(0);
    let title = format!("{} against {}", first.engine, first.baseline);
    writeln!(out, "\n{}", style.bold(&title))?;
    let method = format!(
        "{pairs} paired rounds, ratio = {} / {}",
        engine(first),
        baseline(first)
    );
    for line in wrap(&method, WIDTH) {
        writeln!(out, "{}", style.faint(&line))?;
    }
    if let [only] = report.comparisons.as_slice() {
        print_table(
            &one_step(only),
            only.metrics.iter().map(|m| m.verdict),
            style,
            out,
        )?;
        writeln!(out)?;
        for line in wrap(&conclusion(only), WIDTH) {
            writeln!(out, "{}", style.bold(&line))?;
        }
        return Ok(());
    }
    for metric in Metric::ALL {
        let rows: Vec<(&Comparison, &MetricComparison)> = report
            .comparisons
            .iter()
            .filter_map(|c| Some((c, c.metrics.iter().find(|m| m.metric == metric)?)))
            .collect();
        if !rows.is_empty() {
            writeln!(out)?;
            print_table(
                &by_step(metric, &rows),
                rows.iter().map(|(_, m)| m.verdict),
                style,
                out,
            )?;
        }
    }
    Ok(())
}

/// A table whose last column is the verdict, coloured.
pub(super) fn print_table(
    table: &Table,
    verdicts: impl Iterator<Item = Verdict>,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = table.lines();
    writeln!(out, "{}", style.faint(&lines[0]))?;
    for (line, verdict) in lines[1..].iter().zip(verdicts) {
        // Only the last column is coloured, which begins where the verdict's words do.
        let at = line.rfind(verdict_words(verdict)).unwrap_or(line.len());
        let words = match verdict {
            Verdict::Better => style.good(&line[at..]),
            Verdict::Worse => style.bad(&line[at..]),
            Verdict::NoDifferenceFound | Verdict::Undecided => line[at..].to_owned(),
        };
        writeln!(out, "{}{words}", &line[..at])?;
    }
    Ok(())
}

fn one_step(comparison: &Comparison) -> Table {
    let mut table = Table::new(
        1,
        &[
            "",
            engine(comparison),
            baseline(comparison),
            "ratio",
            "95 % interval",
            "",
        ],
    )
    .ending_in_text();
    for m in &comparison.metrics {
        table.row(cells(m.metric.title().to_owned(), m));
    }
    table
}

fn by_step(metric: Metric, rows: &[(&Comparison, &MetricComparison)]) -> Table {
    let (engine, baseline) = rows.first().map_or(("", ""), |(c, _)| (engine(c), baseline(c)));
    let mut table = Table::new(
        1,
        &[metric.title(), engine, baseline, "ratio", "95 % interval", ""],
    )
    .ending_in_text();
    for (comparison, m) in rows {
        table.row(cells(
            comparison
                .step
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            m,
        ));
    }
    table
}

fn cells(name: String, m: &MetricComparison) -> Vec<String> {
    vec![
        name,
        value(m.metric, m.engine_value),
        value(m.metric, m.baseline_value),
        units::ratio(m.ratio),
        interval_words(m.interval),
        verdict_words(m.verdict).to_owned(),
    ]
}

/// "[0.953, 1.04]"; nothing without an interval.
pub(super) fn interval_words(interval: Option<RatioInterval>) -> String {
    interval
        .map(|i| {
            format!(
                "[{}, {}]",
                units::three_digits(i.low),
                units::three_digits(i.high)
            )
        })
        .unwrap_or_default()
}

/// A figure with its unit.
pub fn value(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Throughput => format!("{}/s", units::rate(value)),
        Metric::P50 | Metric::P90 | Metric::P95 | Metric::P99 | Metric::P999 | Metric::Max | Metric::Mean => {
            units::latency(value)
        }
        Metric::ServerCpu => units::time_ns(value),
        Metric::Memory => units::bytes(value as u64),
        Metric::HitRate => format!("{:.2} %", 100.0 * value),
    }
}

/// The verdict on the engine under test in a table.
pub fn verdict_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::NoDifferenceFound => "no difference found",
        Verdict::Undecided => "undecided",
    }
}

/// "slotmark 0.1.0 is better in throughput and worse in p99 latency. No difference found in server memory."
pub fn conclusion(comparison: &Comparison) -> String {
    let with = |verdict| {
        let titles: Vec<&str> = comparison
            .metrics
            .iter()
            .filter(|m| m.verdict == verdict)
            .map(|m| m.metric.title())
            .collect();
        enumerated(&titles)
    };
    let mut sentences = Vec::new();
    match (with(Verdict::Better), with(Verdict::Worse)) {
        (Some(better), Some(worse)) => {
            sentences.push(format!(
                "{} is better in {better}, and worse in {worse}.",
                comparison.engine
            ));
        }
        (Some(better), None) => sentences.push(format!("{} is better in {better}.", comparison.engine)),
        (None, Some(worse)) => sentences.push(format!("{} is worse in {worse}.", comparison.engine)),
        (None, None) => {}
    }
    if let Some(same) = with(Verdict::NoDifferenceFound) {
        sentences.push(format!("No difference found in {same}."));
    }
    if let Some(undecided) = with(Verdict::Undecided) {
        sentences.push(format!("Too few rounds to decide {undecided}."));
    }
    sentences.join(" ")
}

/// "a", "a and b", "a, b and c"; nothing of nothing.
fn enumerated(items: &[&str]) -> Option<String> {
    match items {
        [] => None,
        [only] => Some((*only).to_owned()),
        [first @ .., last] => Some(format!("{} and {last}", first.join(", "))),
    }
}

/// The first word of a label, for narrow columns; the version stands in the title.
fn short(label: &str) -> &str {
    label.split(' ').next().unwrap_or(label)
}

fn engine(comparison: &Comparison) -> &str {
    if short(&comparison.engine) == short(&comparison.baseline) {
        "this"
    } else {
        short(&comparison.engine)
    }
}

fn baseline(comparison: &Comparison) -> &str {
    if short(&comparison.engine) == short(&comparison.baseline) {
        "baseline"
    } else {
        short(&comparison.baseline)
    }
}

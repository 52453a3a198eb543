//! The tables, in a form that a terminal shows as well as a page: tails.md, and what is printed.

use super::{Figures, TailsCase, TailsReport};
use crate::report::{table::aligned, units};

const HEAD: [&str; 7] = ["", "p50", "p99", "p99.9", "max", "longest gap", "done after"];

/// Everything that was measured, event by event.
pub fn markdown(report: &TailsReport) -> String {
    let mut text = format!(
        "# Tails: {}\n\n{}\n",
        report.engines.join(" beside "),
        method(report)
    );
    for case in &report.cases {
        text += &format!("\n## {}\n\n{}.\n\n", case.event, case.title);
        text += &aligned(&lines(case));
        for run in &case.runs {
            text += &losses(&run.engine, &run.rounds);
        }
    }
    if report.interrupted {
        text += "\nInterrupted: not everything was measured.\n";
    }
    text
}

fn method(report: &TailsReport) -> String {
    let machine = &report.environment;
    format!(
        "{}, {} cores, {}; loadgen {} ({}), {}. Every engine is one node on one core, in cluster mode, the generator on another \
         core; {} connections, {} operations a second whatever the engine does, response times from when each was due. {} \
         rounds of {} on each engine, in turns; of each figure the best round, the median and the worst: what an engine does each time is \
         in its best round as well, what the machine does to it now and then is not. The longest gap is the longest wait of a \
         prober that sends PING every millisecond. Made by `{}`.",
        machine.cpu,
        machine.cores,
        machine.os,
        machine.loadgen_version,
        machine.commit,
        report.started_utc,
        report.clients,
        units::rate(report.rate_ops),
        report.rounds,
        units::seconds(report.round_s),
        report.command_line.join(" "),
    )
}

fn lines(case: &TailsCase) -> Vec<Vec<String>> {
    let mut lines = vec![HEAD.map(str::to_owned).to_vec()];
    for run in &case.runs {
        lines.push(line(format!("{}, best", run.engine), &run.best));
        lines.push(line(format!("{}, median", run.engine), &run.median));
        lines.push(line(format!("{}, worst", run.engine), &run.worst));
    }
    lines
}

fn line(name: String, figures: &Figures) -> Vec<String> {
    let latencies = [
        figures.p50_us,
        figures.p99_us,
        figures.p999_us,
        figures.max_us,
        figures.gap_ms * 1e3,
    ];
    let done = figures.done_ms.map(|ms| units::latency(ms * 1e3));
    std::iter::once(name)
        .chain(latencies.map(units::latency))
        .chain([done.unwrap_or_else(|| "-".to_owned())])
        .collect()
}

/// What was due and is in no latency.
fn losses(engine: &str, rounds: &[Figures]) -> String {
    let missed: u64 = rounds.iter().map(|round| round.missed).sum();
    let failed: u64 = rounds.iter().map(|round| round.failed).sum();
    if missed + failed == 0 {
        return String::new();
    }
    format!(
        "\n{engine}: {} operations were due and never sent, {} failed or were not answered; they are in no figure above.\n",
        units::count(missed),
        units::count(failed)
    )
}

#[cfg(test)]
mod tests {
    use super::super::EngineRounds;
    use super::*;

    #[test]
    fn what_was_lost_is_said() {
        let rounds = vec![Figures {
            p999_us: 1_234.0,
            missed: 1_500,
            ..Figures::default()
        }];
        let case = TailsCase {
            event: "flush".to_owned(),
            title: "GETs".to_owned(),
            runs: vec![EngineRounds::new("stock 7".to_owned(), rounds)],
        };
        let table = aligned(&lines(&case));
        assert!(
            table.contains("| stock 7, median |") && table.contains(" 1.23 ms |"),
            "{table}"
        );
        let losses = losses("stock 7", &case.runs[0].rounds);
        assert!(losses.contains("1,500 operations were due"), "{losses}");
        assert_eq!(super::losses("stock 7", &[Figures::default()]), "");
    }
}

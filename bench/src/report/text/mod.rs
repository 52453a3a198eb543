//! The result as a person sees it on the terminal: within 80 columns, aligned, the conclusion last.

pub mod beside;
mod compared;
pub mod effects;
mod engine;
pub mod faults;
pub mod found;
mod logged;
mod runs;
mod sweep;
mod table;

use std::io::{self, Write};
use std::path::Path;

use super::model::{Report, RunEnd, Settings, Warning};
use super::units;
pub use compared::{conclusion, value as metric_value, verdict_words};
pub use logged::print as print_log;
pub use runs::print as print_runs;
pub use table::wrap;

/// Every line fits into this.
pub const WIDTH: usize = 80;

/// Whether escape sequences for colour and weight are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Colored,
}

impl Style {
    /// Coloured on a terminal, unless NO_COLOR is set to anything (no-color.org) or the terminal is a dumb one.
    pub fn detect(is_terminal: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        if is_terminal && !refused && !dumb {
            Self::Colored
        } else {
            Self::Plain
        }
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colored => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    fn caution(self, text: &str) -> String {
        self.paint("33", text)
    }
}

/// Prints the report; `folder` is named as the place where the rest lies.
pub fn print(report: &Report, folder: Option<&Path>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&report.workload.name))?;
    for line in wrap(&parameters(report), WIDTH) {
        writeln!(out, "{}", style.faint(&line))?;
    }
    if let Some(merged) = &report.merged {
        let text = format!(
            "added up from {}, all at work for {} of the time",
            plural(merged.generators.len() as u64, "generator"),
            units::share(merged.overlap_share)
        );
        for line in wrap(&text, WIDTH) {
            writeln!(out, "{}", style.faint(&line))?;
        }
    }
    if let Some(search) = &report.find_max {
        found::print(search, style, out)?;
    } else if report.engines.iter().any(|run| run.info.step.is_some()) {
        sweep::print(report, style, out)?;
    } else {
        for run in &report.engines {
            writeln!(out)?;
            engine::print(run, report, style, out)?;
        }
    }
    compared::print(report, style, out)?;
    print_warnings(report, style, out)?;
    if report.ended != RunEnd::Completed {
        writeln!(
            out,
            "\n{}",
            style.bad("The run did not finish: the figures are of a part of it.")
        )?;
    }
    if let Some(folder) = folder {
        writeln!(
            out,
            "\nrun.json, report.html and plots are in {}",
            folder.display()
        )?;
    }
    Ok(())
}

fn print_warnings(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if !report.warnings.is_empty() {
        writeln!(out)?;
    }
    print_each_warning(&report.warnings, style, out)
}

/// One warning, its lines under each other.
fn print_warning(text: &str, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for (i, line) in wrap(text, WIDTH - 9).iter().enumerate() {
        let margin = if i == 0 {
            style.caution("warning: ")
        } else {
            " ".repeat(9)
        };
        writeln!(out, "{margin}{line}")?;
    }
    Ok(())
}

fn print_each_warning(warnings: &[Warning], style: Style, out: &mut dyn Write) -> io::Result<()> {
    for warning in warnings {
        let engine = warning
            .engine
            .as_ref()
            .map(|e| format!("{e}: "))
            .unwrap_or_default();
        let text = format!("{engine}{}", warning.text);
        print_warning(&text, style, out)?;
    }
    Ok(())
}

/// The run's parameters in one line: "16 clients x pipeline 8, 3 nodes, 5 rounds of 8.0 s, seed 1, stream 9f3c...".
/// Every picture carries it as its caption.
pub fn parameters(report: &Report) -> String {
    let s = &report.settings;
    let mut parts = vec![plural(u64::from(s.clients), "client")];
    if report.engines.iter().all(|run| run.info.step.is_none()) {
        parts[0] += &format!(" x pipeline {}", s.pipeline);
    }
    parts.push(if s.threads == 1 {
        "1 thread".to_owned()
    } else {
        format!("{} threads", s.threads)
    });
    parts.push(match s.cluster {
        true if s.replicas > 0 => format!(
            "{} primaries with {} each",
            s.nodes,
            plural(u64::from(s.replicas), "replica")
        ),
        true => plural(u64::from(s.nodes), "node"),
        false => "1 node without cluster mode".to_owned(),
    });
    if report.workload.preloaded_keys > 0 {
        parts.push(format!("{} keys", units::count(report.workload.preloaded_keys)));
    }
    if let Some(rate) = s.rate {
        parts.push(format!("open loop from {}/s, {}", units::rate(rate), s.arrivals));
    }
    parts.push(rounds(s));
    parts.push(format!("seed {}", report.workload.seed));
    parts.push(format!("stream {}", report.workload.stream_hash));
    parts.join(", ")
}

fn rounds(s: &Settings) -> String {
    let length = match (s.duration_s, s.requests) {
        (_, Some(requests)) => format!("{} operations", units::count(requests)),
        (Some(seconds), None) => units::seconds(seconds),
        (None, None) => "unknown length".to_owned(),
    };
    if s.rounds == 1 {
        length
    } else {
        format!("{} rounds of {length}", s.rounds)
    }
}

fn plural(n: u64, thing: &str) -> String {
    if n == 1 {
        format!("1 {thing}")
    } else {
        format!("{} {thing}s", units::count(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Verdict;
    use crate::report::sample;
    use crate::stats;

    fn plain(report: &Report) -> String {
        printed(report, Style::Plain)
    }

    fn printed(report: &Report, style: Style) -> String {
        let mut out = Vec::new();
        print(report, Some(Path::new("results/local/x")), style, &mut out).expect("memory does not fail");
        String::from_utf8(out).expect("UTF-8")
    }

    fn broken() -> Report {
        let mut report = sample::comparison();
        report.engines[0].errors.insert("CLUSTERDOWN".to_owned(), 123_456);
        report.engines[0].errors.insert("TRYAGAIN".to_owned(), 7);
        report.engines[1].nodes[0].addr =
            "a-very-long-host-name.in-a-very-long-domain.example.org:30001".to_owned();
        report.environment.build_profile = "debug".to_owned();
        report.ended = RunEnd::Interrupted;
        stats::conclude(&mut report);
        report
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        for report in [
            sample::clean(),
            sample::comparison(),
            sample::sweep(),
            sample::search(),
            sample::noisy(),
            sample::stormy(),
            sample::troubled(),
            broken(),
        ] {
            for line in plain(&report).lines() {
                assert!(
                    line.chars().count() <= WIDTH,
                    "{} columns: {line}",
                    line.chars().count()
                );
                assert_eq!(line, line.trim_end());
            }
        }
    }

    #[test]
    fn a_run_says_what_was_asked_for() {
        let report = sample::clean();
        let text = plain(&report);
        for expected in [
            "p50",
            "p99",
            "p99.9",
            "max",
            "GET",
            "SET",
            "127.0.0.1:30003",
            "hottest slot",
            "12182",
        ] {
            assert!(text.contains(expected), "{expected} is missing in\n{text}");
        }
        assert!(text.contains("server CPU"), "{text}");
        assert!(text.ends_with("are in results/local/x\n"));
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn a_comparison_ends_in_plain_words() {
        let mut report = sample::comparison();
        let sentences = |report: &Report| plain(report).replace('\n', " ");
        let text = sentences(&report);
        assert!(
            text.contains("slotmark 0.1.0 is better in throughput, p99 latency, server CPU/op and "),
            "{text}"
        );
        report.comparisons[0].metrics[3].verdict = Verdict::NoDifferenceFound;
        report.comparisons[0].metrics[1].verdict = Verdict::Worse;
        let text = sentences(&report);
        assert!(
            text.contains("and worse in p99 latency. No difference found in server memory."),
            "{text}"
        );
    }

    #[test]
    fn a_search_ends_in_its_answer() {
        let mut report = sample::search();
        let text = plain(&report).replace('\n', " ");
        let answer = "slotmark 0.1.0 holds p99<1ms up to 61.2k operations a second. Confirmed: it holds at 55.1k/s \
                      (0.9x) and does not at 73.4k/s (1.2x).";
        assert!(text.contains(answer), "{text}");
        assert!(
            text.contains("holds p99<1ms up to 1.36x the rate of redis 7.0.15."),
            "{text}"
        );
        let search = report.find_max.as_mut().expect("a search");
        search.ratio = None;
        search.engines[0].confirmed = false;
        search.engines[1].answer = None;
        search.engines[1].confirmed = false;
        stats::conclude(&mut report);
        let text = plain(&report).replace('\n', " ");
        assert!(text.contains("could not be confirmed."), "{text}");
        assert!(
            text.contains("redis 7.0.15 did not hold p99<1ms at any rate"),
            "{text}"
        );
    }

    #[test]
    fn faults_are_not_hidden() {
        let text = plain(&broken());
        for expected in [
            "CLUSTERDOWN 123,456",
            "TRYAGAIN 7",
            "warning: this is a debug build",
            "did not finish",
        ] {
            assert!(text.contains(expected), "{expected} is missing in\n{text}");
        }
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let report = broken();
        let mut colored = printed(&report, Style::Colored);
        while let Some(start) = colored.find('\x1b') {
            let end = start + colored[start..].find('m').expect("a complete sequence");
            colored.replace_range(start..=end, "");
        }
        assert_eq!(colored, plain(&report));
    }
}

//! The README's headline table, from the reference results in results/, so that no figure in it is typed by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::model::{Comparison, EngineRun, Metric, Report};
use super::{json, units};

/// The table stands between these lines of the README.
pub const BEGIN: &str = "<!-- results:begin -->";
pub const END: &str = "<!-- results:end -->";

/// Users' own runs, which are not reference results.
const LOCAL: &str = "local";
/// results/<date and machine>/<workload>/run.json is the deepest layout.
const MOST_DEPTH: usize = 3;

/// Reads every run below `results` but those in results/local; of several of the same workload, the last by path
/// (folders begin with their date).
pub fn reference_reports(results: &Path) -> anyhow::Result<Vec<Report>> {
    let mut paths = Vec::new();
    find_runs(results, 0, &mut paths)?;
    paths.sort();
    let mut latest = BTreeMap::new();
    for path in paths {
        let report = json::read(&path)?;
        // At a given rate throughput is no result.
        if report.settings.rate.is_none() {
            latest.insert(report.workload.name.clone(), report);
        }
    }
    Ok(latest.into_values().collect())
}

fn find_runs(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !folder.is_dir() || depth > MOST_DEPTH || (depth == 1 && folder.ends_with(LOCAL)) {
        return Ok(());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name == "run.json") {
            found.push(path);
        } else {
            find_runs(&path, depth + 1, found)?;
        }
    }
    Ok(())
}

/// Markdown: for each workload (and step) a row an engine and, if two were compared, one of ratios; then a sentence on
/// the machine.
pub fn readme_table(reports: &[Report]) -> String {
    let mut lines = vec![
        "| workload | | throughput | p50 | p99 | server CPU per op |".to_owned(),
        "|---|---|--:|--:|--:|--:|".to_owned(),
    ];
    for report in reports {
        let mut steps: Vec<&EngineRun> = Vec::new();
        for run in &report.engines {
            if !steps.iter().any(|seen| seen.info.step == run.info.step) {
                steps.push(run);
            }
        }
        for first in steps {
            lines.extend(step_rows(report, first));
        }
    }
    for machine in machines(reports) {
        lines.push(String::new());
        lines.push(machine);
    }
    lines.join("\n")
}

fn step_rows(report: &Report, first: &EngineRun) -> Vec<String> {
    let step = &first.info.step;
    let mut name = report.workload.name.clone();
    if let Some(step) = step {
        name += &format!(", {step}");
    }
    let mut rows = Vec::new();
    for run in report.engines.iter().filter(|run| run.info.step == *step) {
        let cpu = run.server.cpu_ns_per_op.map(units::time_ns).unwrap_or_default();
        rows.push(format!(
            "| {name} | {} | {}/s | {} | {} | {cpu} |",
            run.info.name(),
            units::rate(run.ops_per_sec),
            units::latency(run.latency_us.p50),
            units::latency(run.latency_us.p99),
        ));
        name.clear();
    }
    rows.extend(report.comparisons.iter().find(|c| c.step == *step).map(ratio_row));
    rows
}

fn ratio_row(comparison: &Comparison) -> String {
    let ratio = |metric| {
        let found = comparison.metrics.iter().find(|m| m.metric == metric);
        found.map_or_else(String::new, |m| match m.interval {
            Some(i) => format!(
                "**{}** ({} to {})",
                units::ratio(m.ratio),
                units::three_digits(i.low),
                units::three_digits(i.high)
            ),
            None => format!("**{}**", units::ratio(m.ratio)),
        })
    };
    let [throughput, p99, cpu] = [Metric::Throughput, Metric::P99, Metric::ServerCpu].map(ratio);
    format!("| | ratio | {throughput} | | {p99} | {cpu} |")
}

/// One sentence for each different machine and setting.
fn machines(reports: &[Report]) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    for report in reports {
        let (e, s) = (&report.environment, &report.settings);
        let sentence = format!(
            "{}, {} cores, {}; {} nodes, {} clients, {} rounds each, interleaved; commit {}. In parentheses the 95 % \
             confidence interval of the ratio.",
            e.cpu, e.cores, e.kernel, s.nodes, s.clients, s.rounds, e.commit
        );
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}

/// What stands between the markers; none if they are missing or in the wrong order.
pub fn between_markers(readme: &str) -> Option<&str> {
    let (_, after) = readme.split_once(BEGIN)?;
    let (between, _) = after.split_once(END)?;
    Some(between.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_table_holds_each_engine_and_the_ratios() {
        let table = readme_table(&[sample::comparison(), sample::sweep()]);
        let rows: Vec<&str> = table.lines().filter(|l| l.starts_with("| ")).collect();
        assert_eq!(rows.len(), 1 + 3 + 4 * 3);
        assert!(
            rows[1].starts_with("| hotslot | slotmark 0.1.0 | "),
            "{}",
            rows[1]
        );
        assert!(rows[2].starts_with("|  | redis 7.0.15 | "), "{}", rows[2]);
        assert!(rows[3].starts_with("| | ratio | **2."), "{}", rows[3]);
        assert!(table.contains("| pipeline-sweep, pipeline 16 |"));
        let columns = |row: &str| row.matches('|').count();
        assert!(rows.iter().all(|row| columns(row) == columns(rows[0])));
    }

    #[test]
    fn reference_runs_are_found_and_local_ones_left_out() {
        let results = tempfile::tempdir().expect("a temporary directory");
        let mut report = sample::clean();
        for (folder, seed) in [
            ("2026-01-01-a/x", 1),
            ("2026-02-01-a/x", 2),
            ("local/2026-03-01-x", 3),
        ] {
            let folder = results.path().join(folder);
            fs::create_dir_all(&folder).expect("writable");
            report.workload.seed = seed;
            let mut out = Vec::new();
            json::write(&report, &mut out).expect("memory does not fail");
            fs::write(folder.join("run.json"), out).expect("writable");
        }
        let found = reference_reports(results.path()).expect("readable");
        assert_eq!(found.iter().map(|r| r.workload.seed).collect::<Vec<_>>(), [2]);
        assert!(
            reference_reports(&results.path().join("none"))
                .expect("no folder is no run")
                .is_empty()
        );
    }

    #[test]
    fn the_table_is_found_between_its_markers() {
        let readme = format!("# Title\n\n{BEGIN}\nthe table\n{END}\nrest");
        assert_eq!(between_markers(&readme), Some("the table"));
        assert_eq!(between_markers("# Title"), None);
        assert_eq!(between_markers(&format!("{END} {BEGIN}")), None);
    }
}

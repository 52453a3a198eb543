//! report.html: everything on one page that needs nothing but itself, to be kept, mailed and printed.

use std::io::Write;

use anyhow::Context;
use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use super::model::{
    Comparison, EngineRun, LatencyUs, MetricComparison, Report, RunEnd, Verdict, Warning, WorkloadInfo,
};
use super::plot::Rendered;
use super::text::faults::{self, Finding};
use super::text::{self, conclusion, metric_value, verdict_words};
use super::text::{beside, effects};
use super::units;

const TEMPLATE: &str = include_str!("report.html");

/// Writes the page with the pictures inlined.
pub fn write(report: &Report, pictures: &[Rendered], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut environment = Environment::new();
    // The name's ending turns on escaping.
    environment
        .add_template("report.html", TEMPLATE)
        .context("the embedded template is damaged")?;
    let template = environment.get_template("report.html")?;
    let page = template.render(Serde(Page::new(report, pictures)?))?;
    out.write_all(page.as_bytes())?;
    writeln!(out)?;
    Ok(())
}

/// What the template shows.
#[derive(Serialize)]
struct Page<'a> {
    workload: &'a WorkloadInfo,
    started_utc: &'a str,
    warnings: &'a [Warning],
    names: Vec<String>,
    parameters: String,
    ended: Option<String>,
    engines: Vec<Engine>,
    /// What a search of rates found.
    answers: Vec<String>,
    comparisons: Vec<Compared>,
    pictures: &'a [Rendered],
    settings: Vec<(&'static str, String)>,
    environment: Vec<(&'static str, String)>,
    open_loop: bool,
    spec: String,
    command_line: String,
}

impl<'a> Page<'a> {
    fn new(report: &'a Report, pictures: &'a [Rendered]) -> anyhow::Result<Self> {
        let mut names: Vec<String> = report.engines.iter().map(|run| run.info.name()).collect();
        names.dedup();
        Ok(Self {
            workload: &report.workload,
            started_utc: &report.started_utc,
            warnings: &report.warnings,
            names,
            parameters: text::parameters(report),
            ended: ended(report),
            engines: engines(report),
            answers: report
                .find_max
                .as_ref()
                .map(text::found::sentences)
                .unwrap_or_default(),
            comparisons: report.comparisons.iter().map(Compared::new).collect(),
            pictures,
            settings: settings(report),
            environment: environment_rows(report),
            open_loop: report.settings.rate.is_some(),
            spec: serde_json::to_string_pretty(&report.workload.spec)?,
            command_line: report.command_line.join(" "),
        })
    }
}

fn ended(report: &Report) -> Option<String> {
    match &report.ended {
        RunEnd::Completed => None,
        RunEnd::Interrupted => {
            Some("The run was interrupted: all figures are of the part before.".to_owned())
        }
        RunEnd::TargetLost { reason } => Some(format!(
            "The target was lost ({reason}): all figures are of the part before."
        )),
    }
}

/// A table of one engine, its cells ready to show.
#[derive(Serialize)]
struct Engine {
    label: String,
    rows: Vec<Row>,
    /// What was done to it, and what became of its writes.
    findings: Vec<Finding>,
    shard_columns: [&'static str; 7],
    shards: Vec<Vec<String>>,
    facts: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct Row {
    kind: &'static str,
    cells: Vec<String>,
}

/// A table an engine; in a sweep its rows are the steps, or the page would be pages.
fn engines(report: &Report) -> Vec<Engine> {
    if report.engines.iter().all(|run| run.info.step.is_none()) {
        return report.engines.iter().map(Engine::new).collect();
    }
    let mut engines: Vec<Engine> = Vec::new();
    for run in &report.engines {
        let step = run
            .info
            .step
            .as_ref()
            .map_or_else(|| "all".to_owned(), ToString::to_string);
        let row = row("step", &step, run, run.ops, run.ops_per_sec, &run.latency_us);
        match engines.iter_mut().find(|engine| engine.label == run.info.name()) {
            Some(engine) => engine.rows.push(row),
            None => engines.push(Engine {
                label: run.info.name(),
                rows: vec![row],
                findings: Vec::new(),
                shard_columns: faults::COLUMNS,
                shards: Vec::new(),
                facts: Vec::new(),
            }),
        }
    }
    engines
}

impl Engine {
    fn new(run: &EngineRun) -> Self {
        let mut rows = vec![row("all", "all", run, run.ops, run.ops_per_sec, &run.latency_us)];
        if let Some(service) = &run.service_us {
            rows.push(row(
                "all",
                "all, from the write",
                run,
                run.ops,
                run.ops_per_sec,
                service,
            ));
        }
        let commands = run.commands.iter();
        rows.extend(commands.map(|c| row("command", &c.name, run, c.ops, c.ops_per_sec, &c.latency_us)));
        let nodes = run.nodes.iter();
        rows.extend(nodes.map(|n| row("node", &n.addr, run, n.ops, n.ops_per_sec, &n.latency_us)));
        Self {
            label: run.info.label(),
            rows,
            findings: effects::findings(run)
                .into_iter()
                .chain(faults::findings(run))
                .chain(run.beside.iter().flat_map(beside::findings))
                .collect(),
            shard_columns: faults::COLUMNS,
            shards: faults::shard_rows(run),
            facts: facts(run),
        }
    }
}

fn row(kind: &'static str, name: &str, run: &EngineRun, ops: u64, rate: f64, l: &LatencyUs) -> Row {
    let mut cells = vec![
        name.to_owned(),
        units::rate(rate),
        units::share(ops as f64 / run.ops.max(1) as f64),
    ];
    cells.extend([l.mean, l.p50, l.p90, l.p99, l.p999, l.p9999, l.max].map(units::latency));
    Row { kind, cells }
}

/// Of a workload that fills a cache.
fn cache_facts(run: &EngineRun) -> Vec<(&'static str, String)> {
    let Some(cache) = &run.cache else {
        return Vec::new();
    };
    let mut facts = vec![(
        "hit rate",
        format!(
            "{:.2} % of {} reads",
            100.0 * cache.hit_rate,
            units::count(cache.reads)
        ),
    )];
    if let Some(keys) = cache.evicted_keys {
        facts.push((
            "evicted",
            format!("{} keys, warm-up included", units::count(keys)),
        ));
    }
    facts
}

fn facts(run: &EngineRun) -> Vec<(&'static str, String)> {
    let unseen = || "not visible".to_owned();
    let errors: Vec<String> = run
        .errors
        .iter()
        .map(|(class, n)| format!("{class} {}", units::count(*n)))
        .collect();
    vec![
        (
            "operations",
            format!("{} in {}", units::count(run.ops), units::seconds(run.seconds)),
        ),
        (
            "errors",
            if errors.is_empty() {
                "none".to_owned()
            } else {
                errors.join(", ")
            },
        ),
        (
            "redirects",
            format!(
                "MOVED {}, ASK {}",
                units::count(run.redirects.moved),
                units::count(run.redirects.ask)
            ),
        ),
        (
            "server CPU",
            run.server
                .cpu_ns_per_op
                .map_or_else(unseen, |ns| format!("{} per operation", units::time_ns(ns))),
        ),
        (
            "server memory",
            run.server.rss_bytes.map_or_else(unseen, units::bytes),
        ),
        (
            "generator CPU",
            format!("{} per operation", units::time_ns(run.client.cpu_ns_per_op)),
        ),
        (
            "traffic",
            format!(
                "{} received, {} sent",
                units::bytes(run.bytes_in),
                units::bytes(run.bytes_out)
            ),
        ),
        ("reconnects", units::count(run.reconnects)),
        ("keys not there", units::count(run.misses)),
    ]
    .into_iter()
    .chain(cache_facts(run))
    .collect()
}

/// One step of a comparison, its cells ready to show.
#[derive(Serialize)]
struct Compared {
    step: Option<String>,
    engine: String,
    baseline: String,
    conclusion: String,
    rows: Vec<ComparedRow>,
}

#[derive(Serialize)]
struct ComparedRow {
    cells: Vec<String>,
    verdict: &'static str,
    words: &'static str,
}

impl Compared {
    fn new(comparison: &Comparison) -> Self {
        let row = |m: &MetricComparison| ComparedRow {
            cells: vec![
                m.metric.title().to_owned(),
                metric_value(m.metric, m.engine_value),
                metric_value(m.metric, m.baseline_value),
                units::ratio(m.ratio),
                m.interval.map_or_else(
                    || "none".to_owned(),
                    |i| {
                        format!(
                            "{} to {}",
                            units::three_digits(i.low),
                            units::three_digits(i.high)
                        )
                    },
                ),
                m.pairs.to_string(),
            ],
            verdict: match m.verdict {
                Verdict::Better => "better",
                Verdict::Worse => "worse",
                _ => "neither",
            },
            words: verdict_words(m.verdict),
        };
        Self {
            step: comparison.step.as_ref().map(ToString::to_string),
            engine: comparison.engine.clone(),
            baseline: comparison.baseline.clone(),
            conclusion: conclusion(comparison),
            rows: comparison.metrics.iter().map(row).collect(),
        }
    }
}

fn settings(report: &Report) -> Vec<(&'static str, String)> {
    let s = &report.settings;
    let mut rows = vec![
        ("workload", report.workload.name.clone()),
        ("seed", report.workload.seed.to_string()),
        ("operation stream", report.workload.stream_hash.clone()),
        ("preloaded keys", units::count(report.workload.preloaded_keys)),
        ("clients", s.clients.to_string()),
        ("generator threads", s.threads.to_string()),
        ("pipeline depth", s.pipeline.to_string()),
        ("rounds on each engine", s.rounds.to_string()),
    ];
    rows.push(("arrivals", s.arrivals.clone()));
    rows.extend(
        s.rate
            .map(|rate| ("rate at the start", format!("{}/s", units::rate(rate)))),
    );
    rows.extend(s.duration_s.map(|d| ("length of a round", units::seconds(d))));
    rows.extend(s.requests.map(|n| ("operations of a round", units::count(n))));
    rows.extend([
        ("warm-up of a round", units::seconds(s.warmup_s)),
        ("protocol", format!("RESP{}", s.protocol)),
        ("primaries", s.nodes.to_string()),
        ("replicas of each", s.replicas.to_string()),
        ("cluster mode", if s.cluster { "yes" } else { "no" }.to_owned()),
        (
            "servers",
            if s.launched {
                "launched for this run"
            } else {
                "an existing target"
            }
            .to_owned(),
        ),
    ]);
    rows
}

fn environment_rows(report: &Report) -> Vec<(&'static str, String)> {
    let e = &report.environment;
    let mut rows = vec![
        ("processor", e.cpu.clone()),
        ("cores", e.cores.to_string()),
        ("memory", units::bytes(e.memory_bytes)),
        ("system", format!("{}, kernel {}", e.os, e.kernel)),
    ];
    rows.extend(e.virtualization.clone().map(|v| ("virtualization", v)));
    rows.push((
        "loadgen",
        format!(
            "{}, commit {}, {} build",
            e.loadgen_version, e.commit, e.build_profile
        ),
    ));
    rows.extend(
        e.noise
            .load_average_before
            .map(|l| ("load average before", format!("{l:.2}"))),
    );
    rows.extend(
        e.noise
            .steal_share
            .map(|s| ("taken by the hypervisor", units::share(s))),
    );
    rows.extend(
        e.noise
            .other_cpu_share
            .map(|s| ("used by other processes", units::share(s))),
    );
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::stats;

    fn page(report: &Report) -> String {
        let picture = Rendered {
            stem: "x".to_owned(),
            title: "A picture".to_owned(),
            svg: "<svg></svg>".to_owned(),
        };
        let mut out = Vec::new();
        write(report, &[picture], &mut out).expect("memory does not fail");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn the_page_needs_nothing_but_itself() {
        for report in [
            sample::clean(),
            sample::comparison(),
            sample::sweep(),
            sample::troubled(),
        ] {
            let page = page(&report);
            for foreign in ["<script", "<link", "src=", "@import", "url(", "https://"] {
                assert!(!page.contains(foreign), "{foreign}");
            }
            assert!(page.contains("<svg></svg>"), "pictures are inlined, not escaped");
        }
    }

    #[test]
    fn what_a_user_wrote_is_escaped() {
        let mut report = sample::clean();
        report.workload.question = "<b>&\"".to_owned();
        report.engines[0].nodes[0].addr = "<script>".to_owned();
        let page = page(&report);
        assert!(page.contains("&lt;b&gt;&amp;&quot;"), "the question");
        assert!(!page.contains("<script>"));
    }

    #[test]
    fn conclusions_warnings_and_faults_are_on_the_page() {
        let mut report = sample::comparison();
        report.engines[1].errors.insert("CLUSTERDOWN".to_owned(), 12);
        report.ended = RunEnd::TargetLost {
            reason: "connection refused".to_owned(),
        };
        stats::conclude(&mut report);
        let page = page(&report);
        for expected in [
            "is better in throughput",
            "CLUSTERDOWN 12",
            "connection refused",
            "redis 7.0.15",
            "95&#37;",
        ] {
            let plain = expected.replace("&#37;", " %");
            assert!(page.contains(expected) || page.contains(&plain), "{expected}");
        }
    }
}

//! Several reports become one.

use super::engine::{self, Part};
use super::refuse;
use super::span::Span;
use super::{LITTLE_OVERLAP_SHARE, MergeError, Source};
use crate::report::model::{Environment, GeneratorRun, MergedFrom, Report, RunEnd, Settings, Warning};
use crate::report::{EngineLog, units};
use crate::stats;

/// Warnings that the sum does not repeat, since they are found in a generator's own threads, clock and machine.
const OF_ONE_GENERATOR: [&str; 6] = [
    "generator-saturated",
    "not-steady",
    "clock-drift",
    "debug-build",
    "noisy-machine",
    "generator-late",
];

/// The sum of several runs.
#[derive(Debug)]
pub struct Merged {
    pub report: Report,
    /// One for each engine, if every run had its log beside it.
    pub logs: Vec<EngineLog>,
}

/// Adds up runs; `command_line` is that of the adding. The order of the runs does not matter.
pub fn reports(mut sources: Vec<Source>, command_line: Vec<String>) -> Result<Merged, MergeError> {
    refuse::check(&sources)?;
    sources.sort_by_key(|s| {
        let first = generators(&s.report)
            .into_iter()
            .map(|g| (g.started_unix_ms, g.seed))
            .min();
        (first, s.report.workload.stream_hash.clone())
    });
    let mut report = sources[0].report.clone();
    let mut logs = Vec::new();
    let mut overlaps = Vec::new();
    report.engines.clear();
    for (index, run) in sources[0].report.engines.iter().enumerate() {
        let parts: Vec<Part<'_>> = sources
            .iter()
            .map(|source| Part {
                name: &source.name,
                run: &source.report.engines[index],
                intervals: source.intervals[index].as_deref(),
            })
            .collect();
        let (sum, log) = engine::merge(&run.info, &parts)?;
        overlaps.extend(
            parts
                .first()
                .into_iter()
                .flat_map(|p| 0..p.run.rounds.len())
                .map(|i| {
                    let spans: Vec<Span> = parts.iter().filter_map(|p| p.round_span(i)).collect();
                    let all = spans.len() == parts.len();
                    let union_s = Span::union(&spans).map_or(0.0, Span::length_s);
                    (if all { Span::overlap_s(&spans) } else { 0.0 }, union_s)
                }),
        );
        report.engines.push(sum);
        logs.extend(log);
    }
    if logs.len() < report.engines.len() {
        logs.clear();
    }
    let (both_s, all_s) = overlaps.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    let inner = sources.iter().filter_map(|s| s.report.merged.as_ref());
    let overlap_share = inner
        .map(|m| m.overlap_share)
        .fold(if all_s > 0.0 { both_s / all_s } else { 0.0 }, f64::min);

    let mut generators: Vec<GeneratorRun> = sources.iter().flat_map(|s| generators(&s.report)).collect();
    generators.sort_by_key(|g| (g.started_unix_ms, g.seed, g.ops));
    report.started_utc = generators
        .iter()
        .map(|g| g.started_utc.clone())
        .min()
        .unwrap_or_default();
    report.command_line = command_line;
    report.workload.seed = generators.iter().map(|g| g.seed).min().unwrap_or_default();
    report.workload.stream_hash = summed_hash(&generators);
    report.workload.preloaded_keys = sources
        .iter()
        .map(|s| s.report.workload.preloaded_keys)
        .max()
        .unwrap_or(0);
    report.settings = settings(&sources);
    report.environment = environment(&sources);
    report.ended = sources
        .iter()
        .map(|s| &s.report.ended)
        .find(|ended| **ended != RunEnd::Completed)
        .cloned()
        .unwrap_or(RunEnd::Completed);
    report.merged = Some(MergedFrom {
        overlap_share,
        generators,
    });
    stats::conclude(&mut report);
    let own: Vec<Warning> = warnings(&sources, &report, overlap_share, !logs.is_empty());
    report
        .warnings
        .retain(|w| !OF_ONE_GENERATOR.contains(&w.code.as_str()));
    report.warnings.extend(own);
    Ok(Merged { report, logs })
}

/// The runs that a report was added up from, or itself.
pub fn generators(report: &Report) -> Vec<GeneratorRun> {
    if let Some(merged) = &report.merged {
        return merged.generators.clone();
    }
    let rounds = || report.engines.iter().flat_map(|run| &run.rounds);
    vec![GeneratorRun {
        started_utc: report.started_utc.clone(),
        started_unix_ms: rounds().map(|r| r.started_unix_ms).min().unwrap_or(0),
        command_line: report.command_line.clone(),
        seed: report.workload.seed,
        stream_hash: report.workload.stream_hash.clone(),
        clients: report.settings.clients,
        threads: report.settings.threads,
        cpu: report.environment.cpu.clone(),
        cores: report.environment.cores,
        ops: report.engines.iter().map(|run| run.ops).sum(),
        seconds: report.engines.iter().map(|run| run.seconds).sum(),
    }]
}

/// Equal for equal sets of streams, in whatever order they were added up.
fn summed_hash(generators: &[GeneratorRun]) -> String {
    let hashes = generators
        .iter()
        .map(|g| u64::from_str_radix(&g.stream_hash, 16).unwrap_or(0));
    format!("{:016x}", hashes.fold(0u64, u64::wrapping_add))
}

fn settings(sources: &[Source]) -> Settings {
    let all = || sources.iter().map(|s| &s.report.settings);
    let longest = |f: fn(&Settings) -> Option<f64>| all().filter_map(f).reduce(f64::max);
    Settings {
        clients: all().map(|s| s.clients).fold(0, u32::saturating_add),
        threads: all().map(|s| s.threads).fold(0, u32::saturating_add),
        duration_s: longest(|s| s.duration_s),
        requests: all().map(|s| s.requests).sum(),
        rate: all().map(|s| s.rate).sum(),
        warmup_s: longest(|s| Some(s.warmup_s)).unwrap_or(0.0),
        ..sources[0].report.settings.clone()
    }
}

/// The first machine, with the names of all processors and the worst of the noise.
fn environment(sources: &[Source]) -> Environment {
    let all = || sources.iter().map(|s| &s.report.environment);
    let mut cpus: Vec<String> = Vec::new();
    for cpu in all().flat_map(|e| e.cpu.split(" + ")) {
        if !cpus.iter().any(|known| known == cpu) {
            cpus.push(cpu.to_owned());
        }
    }
    let mut environment = sources[0].report.environment.clone();
    environment.cpu = cpus.join(" + ");
    let worst = |f: fn(&Environment) -> Option<f64>| all().filter_map(f).reduce(f64::max);
    environment.noise.load_average_before = worst(|e| e.noise.load_average_before);
    environment.noise.steal_share = worst(|e| e.noise.steal_share);
    // To each generator the others on its machine are strangers, whose work counts as noise.
    environment.noise.other_cpu_share = worst(|e| e.noise.other_cpu_share);
    environment
}

fn warnings(sources: &[Source], report: &Report, overlap_share: f64, with_logs: bool) -> Vec<Warning> {
    let warning = |code: &str, text: String| Warning {
        code: code.to_owned(),
        engine: None,
        text,
    };
    let mut found = Vec::new();
    if overlap_share < LITTLE_OVERLAP_SHARE {
        found.push(warning(
            "little-overlap",
            format!(
                "all generators were at work for only {} of the time from the first one's start to the last one's end: \
                 rates are below what they put on together; start them at the same moment and let them run equally long",
                units::share(overlap_share)
            ),
        ));
    }
    let generators = report
        .merged
        .as_ref()
        .map(|m| m.generators.as_slice())
        .unwrap_or_default();
    let repeated = generators.iter().enumerate().find(|(i, g)| {
        generators[..*i]
            .iter()
            .any(|other| other.stream_hash == g.stream_hash)
    });
    if let Some((_, twin)) = repeated {
        found.push(warning(
            "same-stream",
            format!(
                "several generators sent the same operations (seed {}): the same keys came in step, which suits a cache; \
                 give each of them a --seed of its own",
                twin.seed
            ),
        ));
    }
    if let Some(odd) = sources
        .iter()
        .find(|s| nodes(&s.report) != nodes(&sources[0].report))
    {
        found.push(warning(
            "different-nodes",
            format!(
                "{} was answered by other nodes than {}: did they load the same target?",
                odd.name, sources[0].name
            ),
        ));
    }
    if !with_logs {
        found.push(warning(
            "interval-bounds",
            "not every run.json has its .hlog beside it: no log was written, and where intervals of several generators \
             meet, their percentiles are those of the slowest generator"
                .to_owned(),
        ));
    }
    let runs: Vec<(&str, &[Warning])> = sources
        .iter()
        .map(|s| (s.name.as_str(), s.report.warnings.as_slice()))
        .collect();
    found.extend(carried(&runs, |code| {
        OF_ONE_GENERATOR.contains(&code) || is_of_merge(code)
    }));
    found
}

/// What each of several runs was warned of, if its code is to be kept; what several have in common is said once.
pub fn carried(runs: &[(&str, &[Warning])], keep: impl Fn(&str) -> bool) -> Vec<Warning> {
    let mut grouped: Vec<(&Warning, Vec<&str>)> = Vec::new();
    for (name, warnings) in runs {
        for warning in warnings.iter().filter(|w| keep(&w.code)) {
            match grouped.iter_mut().find(|(known, _)| *known == warning) {
                Some((_, names)) => names.push(name),
                None => grouped.push((warning, vec![name])),
            }
        }
    }
    let named = |(warning, names): (&Warning, Vec<&str>)| Warning {
        text: format!("{}: {}", names.join(", "), warning.text),
        ..warning.clone()
    };
    grouped.into_iter().map(named).collect()
}

/// Warnings of an earlier adding up are kept.
fn is_of_merge(code: &str) -> bool {
    ["different-nodes", "interval-bounds"].contains(&code)
}

fn nodes(report: &Report) -> Vec<&str> {
    let mut nodes: Vec<&str> = report
        .engines
        .iter()
        .flat_map(|run| run.nodes.iter().map(|n| n.addr.as_str()))
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

//! Two finished runs against each other, engine by engine and step by step.

use serde::Serialize;
use thiserror::Error;

use super::bootstrap::MIN_PAIRS_BOOTSTRAP;
use super::gate::{Condition, Contest, Judged, Pairing, judge};
use super::unpaired::unpaired_ratio;
use crate::merge::{carried, difference};
use crate::report::Report;
use crate::report::model::{EngineRun, Metric, RatioInterval, Step, Verdict, Warning};

/// The value of [`RunComparison::schema`].
pub const SCHEMA: &str = "slotmark-compare/1";

/// The figures in the table, in its order; conditions may name others.
pub const SHOWN: [Metric; 7] = [
    Metric::Throughput,
    Metric::P50,
    Metric::P99,
    Metric::P999,
    Metric::HitRate,
    Metric::ServerCpu,
    Metric::Memory,
];

/// Keys of the workload's `[run]` that change how long is measured, not what.
const LENGTHS: [&str; 3] = ["duration_s", "requests", "warmup_s"];
/// Prose of a workload.
const PROSE: [&str; 4] = ["name", "question", "expectation", "reading"];

/// A run and the name of its file.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    pub name: &'a str,
    pub report: &'a Report,
}

/// Everything that a comparison of two runs comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunComparison {
    /// [`SCHEMA`].
    pub schema: String,
    pub baseline: RunName,
    pub candidate: RunName,
    /// False: the runs were not interleaved, so a change of the machine between them looks like one of the engine.
    pub interleaved: bool,
    pub steps: Vec<StepComparison>,
    /// What came of the conditions.
    pub conditions: Vec<Judged>,
    pub warnings: Vec<Warning>,
}

/// Which run it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunName {
    pub file: String,
    pub started_utc: String,
    /// Of loadgen.
    pub commit: String,
    pub workload: String,
    pub cpu: String,
    pub cores: u32,
}

/// One engine at one step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepComparison {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    pub baseline: String,
    pub candidate: String,
    pub metrics: Vec<UnpairedMetric>,
}

/// One figure of both runs; `ratio` is candidate / baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnpairedMetric {
    pub metric: Metric,
    pub baseline_value: f64,
    pub candidate_value: f64,
    /// Of the geometric means over the rounds.
    pub ratio: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<RatioInterval>,
    pub baseline_rounds: u32,
    pub candidate_rounds: u32,
    /// On the candidate.
    pub verdict: Verdict,
}

/// Why two runs cannot be compared.
#[derive(Debug, Error)]
#[error("{baseline} and {candidate} have no engine and step in common: {left} against {right}")]
pub struct NothingInCommon {
    baseline: String,
    candidate: String,
    left: String,
    right: String,
}

/// Compares a candidate with its baseline and judges the conditions.
pub fn compare(
    baseline: Named<'_>,
    candidate: Named<'_>,
    conditions: &[Condition],
) -> Result<RunComparison, NothingInCommon> {
    let pairs = pairs(baseline.report, candidate.report);
    if pairs.is_empty() {
        return Err(NothingInCommon {
            baseline: baseline.name.to_owned(),
            candidate: candidate.name.to_owned(),
            left: labels(baseline.report),
            right: labels(candidate.report),
        });
    }
    let seed = candidate.report.workload.seed;
    let contests: Vec<Contest<'_>> = pairs
        .iter()
        .map(|(old, new)| Contest {
            candidate: new,
            baseline: Some(old),
            pairing: Pairing::Unpaired,
            seed,
        })
        .collect();
    let step = |(old, new): &(&EngineRun, &EngineRun)| StepComparison {
        step: new.info.step.clone(),
        baseline: old.info.name(),
        candidate: new.info.name(),
        metrics: SHOWN
            .into_iter()
            .filter_map(|metric| figure(metric, old, new, seed))
            .collect(),
    };
    Ok(RunComparison {
        schema: SCHEMA.to_owned(),
        baseline: run_name(baseline),
        candidate: run_name(candidate),
        interleaved: false,
        steps: pairs.iter().map(step).collect(),
        conditions: judge(conditions, &contests),
        warnings: warnings(baseline, candidate, &pairs),
    })
}

fn run_name(run: Named<'_>) -> RunName {
    RunName {
        file: run.name.to_owned(),
        started_utc: run.report.started_utc.clone(),
        commit: run.report.environment.commit.clone(),
        workload: run.report.workload.name.clone(),
        cpu: run.report.environment.cpu.clone(),
        cores: run.report.environment.cores,
    }
}

fn labels(report: &Report) -> String {
    let labels: Vec<String> = report.engines.iter().map(|run| run.info.label()).collect();
    labels.join("; ")
}

/// Runs of the same engine at the same step. Two runs of one engine each are compared even if the engines differ.
fn pairs<'a>(baseline: &'a Report, candidate: &'a Report) -> Vec<(&'a EngineRun, &'a EngineRun)> {
    let one = |report: &Report| {
        report
            .engines
            .iter()
            .all(|run| run.info.engine == report.engines[0].info.engine)
    };
    let any_name = one(baseline) && one(candidate);
    let partner = |new: &'a EngineRun| {
        let fits = |old: &&EngineRun| {
            old.info.step == new.info.step && (any_name || old.info.engine == new.info.engine)
        };
        Some((baseline.engines.iter().find(fits)?, new))
    };
    candidate.engines.iter().filter_map(partner).collect()
}

fn figure(metric: Metric, old: &EngineRun, new: &EngineRun, seed: u64) -> Option<UnpairedMetric> {
    let rounds = |run: &EngineRun| -> Option<Vec<f64>> {
        run.rounds.iter().map(|round| metric.of_round(round)).collect()
    };
    let found = unpaired_ratio(&rounds(new)?, &rounds(old)?, seed)?;
    Some(UnpairedMetric {
        metric,
        baseline_value: metric.of_run(old)?,
        candidate_value: metric.of_run(new)?,
        ratio: found.ratio,
        interval: found.interval,
        candidate_rounds: found.rounds.0 as u32,
        baseline_rounds: found.rounds.1 as u32,
        verdict: metric.verdict(found.ratio, found.interval),
    })
}

/// The first place in which the work of two runs differs, with both values; what only one version knows is no difference.
pub fn workload_difference(a: &Report, b: &Report) -> Option<String> {
    let stripped = |report: &Report| {
        let mut spec = report.workload.spec.clone();
        if let Some(spec) = spec.as_object_mut() {
            spec.retain(|key, _| !PROSE.contains(&key.as_str()));
        }
        if let Some(run) = spec.get_mut("run").and_then(serde_json::Value::as_object_mut) {
            run.retain(|key, _| !LENGTHS.contains(&key.as_str()));
        }
        spec
    };
    let (key, left, right) = difference(&stripped(a), &stripped(b))?;
    Some(format!("{key} is {left} and {right}"))
}

/// How two machines differ in what decides figures.
pub fn machine_difference(a: &Report, b: &Report) -> Option<String> {
    let of = |report: &Report| {
        let e = &report.environment;
        format!("{}, {} cores", e.cpu, e.cores)
    };
    let (left, right) = (of(a), of(b));
    (left != right).then(|| format!("{left} and {right}"))
}

fn warnings(baseline: Named<'_>, candidate: Named<'_>, pairs: &[(&EngineRun, &EngineRun)]) -> Vec<Warning> {
    let (a, b) = (baseline.report, candidate.report);
    let mut found = Vec::new();
    let mut warn = |code: &str, text: String| {
        found.push(Warning {
            code: code.to_owned(),
            engine: None,
            text,
        });
    };
    if a == b {
        warn(
            "same-run",
            format!("{} and {} are the same run", baseline.name, candidate.name),
        );
    }
    if let Some(difference) = workload_difference(a, b) {
        warn(
            "different-workload",
            format!("the workloads differ: {difference}; figures of different work do not compare"),
        );
    } else if a.workload.stream_hash != b.workload.stream_hash {
        warn(
            "different-stream",
            format!(
                "the streams of operations differ (seeds {} and {})",
                a.workload.seed, b.workload.seed
            ),
        );
    }
    if let Some(difference) = machine_difference(a, b) {
        warn(
            "different-machine",
            format!("the machines differ: {difference}; a ratio between machines says nothing of the engine"),
        );
    }
    if let Some(difference) = settings_difference(a, b) {
        warn("different-settings", format!("the settings differ: {difference}"));
    }
    if a.environment.build_profile != b.environment.build_profile {
        let (left, right) = (&a.environment.build_profile, &b.environment.build_profile);
        warn(
            "different-build",
            format!("loadgen was a {left} build in one run and a {right} build in the other"),
        );
    }
    let others: Vec<String> = pairs
        .iter()
        .filter(|(old, new)| old.info.engine != new.info.engine)
        .map(|(old, new)| format!("{} and {}", old.info.name(), new.info.name()))
        .collect();
    if let Some(first) = others.first() {
        warn("different-engine", format!("two engines are compared: {first}"));
    }
    let missing: Vec<String> = a
        .engines
        .iter()
        .filter(|old| !pairs.iter().any(|(paired, _)| std::ptr::eq(*paired, *old)))
        .map(|old| old.info.label())
        .collect();
    if !missing.is_empty() {
        warn(
            "not-compared",
            format!("only in {}: {}", baseline.name, missing.join("; ")),
        );
    }
    let fewest = pairs
        .iter()
        .flat_map(|(old, new)| [old.rounds.len(), new.rounds.len()])
        .min();
    if fewest.is_some_and(|n| n < 2) {
        warn(
            "few-rounds",
            "one round gives no interval: the ratios are anecdotes, use --rounds 6 or more".to_owned(),
        );
    } else if fewest.is_some_and(|n| n < MIN_PAIRS_BOOTSTRAP) {
        warn(
            "few-rounds",
            format!(
                "the intervals rest on {} rounds, so they are wide",
                fewest.unwrap_or(0)
            ),
        );
    }
    found.extend(carried(
        &[(baseline.name, &a.warnings), (candidate.name, &b.warnings)],
        |code| code != "few-rounds",
    ));
    found
}

fn settings_difference(a: &Report, b: &Report) -> Option<String> {
    let of = |report: &Report| {
        let s = &report.settings;
        [
            ("threads", s.threads.to_string()),
            ("clients", s.clients.to_string()),
            ("protocol", s.protocol.to_string()),
            ("nodes", s.nodes.to_string()),
            ("replicas", s.replicas.to_string()),
            ("cluster mode", s.cluster.to_string()),
            ("preloaded keys", report.workload.preloaded_keys.to_string()),
        ]
    };
    let differing: Vec<String> = of(a)
        .into_iter()
        .zip(of(b))
        .filter(|(left, right)| left != right)
        .map(|((what, left), (_, right))| format!("{what} {left} and {right}"))
        .collect();
    (!differing.is_empty()).then(|| differing.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::stats::gate::Judgement;

    fn named<'a>(name: &'a str, report: &'a Report) -> Named<'a> {
        Named { name, report }
    }

    fn codes(comparison: &RunComparison) -> Vec<&str> {
        comparison.warnings.iter().map(|w| w.code.as_str()).collect()
    }

    #[test]
    fn a_run_does_not_differ_from_itself() {
        let report = sample::comparison();
        let got = compare(named("a", &report), named("b", &report), &[]).expect("the same engines");
        assert_eq!(got.steps.len(), 2);
        for metric in got.steps.iter().flat_map(|s| &s.metrics) {
            assert_eq!(
                (metric.verdict, metric.ratio),
                (Verdict::NoDifferenceFound, 1.0),
                "{metric:?}"
            );
        }
        assert_eq!(codes(&got), ["same-run"]);
        let without_cache = SHOWN.iter().filter(|metric| **metric != Metric::HitRate).count();
        assert_eq!(got.steps[0].metrics.len(), without_cache);
    }

    #[test]
    fn the_candidate_is_the_numerator_and_the_one_that_is_judged() {
        let report = sample::comparison();
        let of = |index: usize| {
            let mut one = report.clone();
            one.engines = vec![report.engines[index].clone()];
            one
        };
        let (fast, slow) = (of(0), of(1));
        let condition = "p99>+5%".parse().expect("a condition");
        let got = compare(named("fast", &fast), named("slow", &slow), &[condition]).expect("one engine each");
        assert!(got.steps[0].metrics[0].ratio < 0.5, "the candidate carries less");
        assert_eq!(got.steps[0].metrics[0].verdict, Verdict::Worse);
        assert_eq!(got.conditions[0].judgement, Judgement::Failed);
        assert_eq!(codes(&got), ["different-engine"]);
    }

    #[test]
    fn steps_are_compared_with_the_same_step() {
        let sweep = sample::sweep();
        let mut fewer = sweep.clone();
        fewer
            .engines
            .retain(|run| run.info.engine == "redis" && run.info.step.as_ref().is_some_and(|s| s.value > 1));
        let got = compare(named("a", &sweep), named("b", &fewer), &[]).expect("some in common");
        let steps: Vec<u64> = got
            .steps
            .iter()
            .filter_map(|s| s.step.as_ref())
            .map(|s| s.value)
            .collect();
        assert_eq!(steps, [4, 16, 64]);
        assert!(codes(&got).contains(&"not-compared"));
        let mut other = sample::comparison();
        other
            .engines
            .iter_mut()
            .for_each(|run| run.info.engine += "-other");
        assert!(compare(named("a", &sweep), named("b", &other), &[]).is_err());
    }

    #[test]
    fn what_is_written_satisfies_the_schema() {
        let schema = include_str!("../../../docs/compare.schema.json");
        let schema: serde_json::Value = serde_json::from_str(schema).expect("the schema is JSON");
        let schema = jsonschema::validator_for(&schema).expect("the schema compiles");
        let conditions = ["p99>+5%", "p999<-5%", "errors>0"].map(|c| c.parse().expect("a condition"));
        let mut short = sample::sweep();
        short.engines.iter_mut().for_each(|run| run.rounds.truncate(1));
        for (a, b) in [
            (sample::comparison(), sample::comparison()),
            (sample::sweep(), short),
        ] {
            let got = compare(named("a", &a), named("b", &b), &conditions).expect("the same engines");
            let value = serde_json::to_value(&got).expect("plain data");
            let faults: Vec<String> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
            assert!(faults.is_empty(), "{faults:#?}");
            let mut bad = value;
            bad["steps"][0]["metrics"][0]["verdict"] = "great".into();
            assert!(!schema.is_valid(&bad));
        }
    }

    #[test]
    fn what_makes_two_runs_unlike_is_said() {
        type Damage = fn(&mut Report);
        let cases: [(&str, Damage); 7] = [
            ("different-workload", |r| {
                r.workload.spec["traffic"]["share"] = 0.5.into()
            }),
            ("different-stream", |r| r.workload.stream_hash = "1".to_owned()),
            ("different-machine", |r| r.environment.cores = 64),
            ("different-settings", |r| r.settings.threads = 7),
            ("different-build", |r| {
                r.environment.build_profile = "debug".to_owned()
            }),
            ("few-rounds", |r| r.engines[0].rounds.truncate(2)),
            ("few-rounds", |r| r.engines[0].rounds.truncate(1)),
        ];
        let good = sample::comparison();
        for (code, damage) in cases {
            let mut bad = good.clone();
            damage(&mut bad);
            let got = compare(named("a", &good), named("b", &bad), &[]).expect("the same engines");
            assert_eq!(codes(&got), [code]);
        }
        let mut newer = good.clone();
        newer.workload.spec["run"]["timeout_s"] = 5.into();
        assert_eq!(
            workload_difference(&good, &newer),
            None,
            "an older version did not have it"
        );
    }
}

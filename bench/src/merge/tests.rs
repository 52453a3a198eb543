//! Sums of small runs whose every operation is known.

use std::time::Duration;

use hdrhistogram::Histogram;
use proptest::prelude::*;

use super::*;
use crate::load::{DeliveryOutcome, HoldsOutcome, StalenessOutcome};
use crate::report::arithmetic::LoggedInterval;
use crate::report::histogram::HistogramText;
use crate::report::hlog::{self, LogLine};
use crate::report::model::{EngineInfo, EngineRun, LatencyUs, Report, RoundContext, RunEnd, ServerUse, Step};
use crate::report::outcome::{CommandOutcome, Ended, Interval, NodeOutcome, OpenLoopOutcome, Outcome};
use crate::report::{EngineLog, sample};

const SLICE: Duration = Duration::from_millis(100);
/// Of every generator's measured time.
const SLICES: usize = 10;

/// What one generator saw: latencies in ns of GETs and SETs.
#[derive(Debug, Clone)]
struct Load {
    seed: u64,
    offset_ms: u64,
    gets: Vec<u64>,
    sets: Vec<u64>,
    errors: u64,
    open: bool,
}

fn histogram<'a>(values: impl Iterator<Item = &'a u64>) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).expect("three digits are allowed");
    for value in values {
        histogram.record(*value).expect("it grows");
    }
    histogram
}

impl Load {
    fn outcome(&self) -> Outcome {
        let both: Vec<u64> = self.gets.iter().chain(&self.sets).copied().collect();
        let mut slots = vec![0; 16384];
        for (i, _) in both.iter().enumerate() {
            slots[(i * 7 + self.seed as usize * 5) % 16384] += 1;
        }
        let node = |i: usize| {
            let own: Vec<u64> = both.iter().skip(i).step_by(2).copied().collect();
            NodeOutcome {
                addr: format!("10.0.0.{i}:7000"),
                id: None,
                ops: own.len() as u64,
                latency: histogram(own.iter()),
                service: self.service(&own),
            }
        };
        let interval = |i: usize| {
            let own: Vec<u64> = both.iter().skip(i).step_by(SLICES).copied().collect();
            Interval {
                start: SLICE * i as u32,
                length: SLICE,
                ops: own.len() as u64,
                errors: if i == 0 { self.errors } else { 0 },
                latency: histogram(own.iter()),
                service: self.service(&own),
            }
        };
        let command = |name: &str, values: &[u64]| CommandOutcome {
            name: name.to_owned(),
            ops: values.len() as u64,
            latency: histogram(values.iter()),
            service: self.service(values),
            replies: [("hit".to_owned(), values.len() as u64)].into(),
            reply_counts: Vec::new(),
        };
        Outcome {
            elapsed: SLICE * 12,
            measured: SLICE * SLICES as u32,
            commands: vec![command("GET", &self.gets), command("SET", &self.sets)],
            nodes: vec![node(0), node(1)],
            slots,
            intervals: (0..SLICES).map(interval).collect(),
            beside: None,
            shards: Vec::new(),
            writes: Vec::new(),
            unknown_scripts: 2,
            holds: Some(HoldsOutcome {
                taken: 6,
                released: 5,
                unreleased: 1,
                outlived: 0,
                overlaps: self.seed,
                held: histogram(self.gets.iter().take(5)),
            }),
            delivery: Some(DeliveryOutcome {
                takes: true,
                receivers: 4,
                sent: 9,
                expected: 9,
                delivered: 5,
                left_over: 3,
                lost: 1,
                repeated: 0,
                unacknowledged: 0,
                foreign: 0,
                failed: [("CLOSED".to_owned(), 1)].into(),
                latency: histogram(self.sets.iter().take(5)),
            }),
            staleness: self.open.then(|| StalenessOutcome {
                reads: 10 + self.seed,
                from_primary: 1,
                stale: self.gets.len() as u64,
                lag: histogram(self.gets.iter()),
            }),
            errors: [("CLUSTERDOWN".to_owned(), self.errors)].into(),
            moved: self.seed,
            ask: 2 * self.seed,
            retries: 1,
            reconnects: 1,
            misses: 3,
            cache: None,
            bytes_in: 100 * self.seed,
            bytes_out: 10 * self.seed,
            client_cpu: Duration::from_millis(self.seed % 100),
            clock_drift_ppm: 1.0,
            open: self.open.then(|| OpenLoopOutcome {
                scheduled: both.len() as u64 + self.errors + 7,
                missed: 7,
                late: 2,
                delay: histogram([1000 * self.seed].iter()),
            }),
            ended: Ended::Completed,
        }
    }

    /// In an open loop half of each latency.
    fn service(&self, values: &[u64]) -> Option<Histogram<u64>> {
        let halves: Vec<u64> = values.iter().map(|ns| ns / 2).collect();
        self.open.then(|| histogram(halves.iter()))
    }

    fn source(&self) -> Source {
        let outcomes = [self.outcome()];
        let server = ServerUse {
            addr: "10.0.0.0:7000".to_owned(),
            cpu: Duration::from_millis(500),
            rss_bytes: 1 << 20,
        };
        let contexts = [RoundContext {
            started_unix_ms: 1_795_000_000_000 + self.offset_ms,
            servers: vec![server],
            ..RoundContext::default()
        }];
        let info = EngineInfo {
            engine: "redis".to_owned(),
            version: "7.0.15".to_owned(),
            step: None,
        };
        let mut report = sample_report();
        report.workload.seed = self.seed;
        report.workload.stream_hash = format!("{:016x}", self.seed * 0x1234_5678_9abc);
        let log = EngineLog::from_outcomes(info.clone(), &outcomes, &contexts);
        report.engines = vec![EngineRun::from_outcomes(info, &outcomes, &contexts)];
        source(&format!("seed-{}", self.seed), report, Some(&log))
    }
}

/// Made once, since it is a large one.
fn sample_report() -> Report {
    use std::sync::OnceLock;
    static REPORT: OnceLock<Report> = OnceLock::new();
    let mut report = REPORT.get_or_init(sample::clean).clone();
    report.settings.launched = false;
    report.settings.rounds = 1;
    report.warnings.clear();
    report
}

fn source(name: &str, report: Report, log: Option<&EngineLog>) -> Source {
    let lines = |log: &EngineLog| log.intervals.iter().map(line).collect();
    Source {
        name: name.to_owned(),
        intervals: vec![log.map(lines); report.engines.len()],
        report,
    }
}

fn line(interval: &LoggedInterval) -> LogLine {
    LogLine {
        tag: None,
        start_unix_s: interval.start_unix_s,
        length_s: interval.length_s,
        latency: interval.latency.clone(),
    }
}

fn merge(loads: &[&Load]) -> Merged {
    reports(
        loads.iter().map(|l| l.source()).collect(),
        vec!["loadgen".to_owned()],
    )
    .expect("they belong together")
}

/// A merged report as the source of another sum.
fn again(merged: Merged) -> Source {
    source("sum", merged.report, merged.logs.first())
}

fn two() -> [Load; 2] {
    [
        Load {
            seed: 1,
            offset_ms: 0,
            gets: (1..=600).map(|i| i * 1000).collect(),
            sets: vec![5_000_000; 30],
            errors: 4,
            open: false,
        },
        Load {
            seed: 2,
            offset_ms: 30,
            gets: (1..=500).map(|i| i * 3000).collect(),
            sets: vec![90_000; 70],
            errors: 0,
            open: false,
        },
    ]
}

fn codes(report: &Report) -> Vec<&str> {
    report.warnings.iter().map(|w| w.code.as_str()).collect()
}

#[test]
fn every_count_is_the_sum_and_the_rate_is_over_the_time_of_all() {
    let [a, b] = two();
    let merged = merge(&[&a, &b]);
    let run = &merged.report.engines[0];
    assert_eq!((run.ops, run.error_count()), (1200, 4));
    assert_eq!(
        (run.redirects.moved, run.redirects.ask, run.retries, run.misses),
        (3, 6, 2, 6)
    );
    assert_eq!((run.bytes_in, run.bytes_out), (300, 30));
    assert_eq!(run.unknown_scripts, 4);
    for command in &run.commands {
        assert_eq!(command.replies["hit"], command.ops, "{}", command.name);
    }
    let holds = run.holds.as_ref().expect("holds");
    assert_eq!(
        (holds.taken, holds.released, holds.unreleased, holds.overlaps),
        (12, 10, 2, 3)
    );
    let delivery = run.delivery.as_ref().expect("a delivery");
    assert_eq!(
        (
            delivery.expected,
            delivery.delivered,
            delivery.left_over,
            delivery.lost
        ),
        (18, 10, 6, 2)
    );
    assert!(delivery.is_violated() && delivery.failed["CLOSED"] == 2);
    assert!(delivery.latency_us.max > 0.0 && holds.held_us.max > 0.0);
    assert!((run.seconds - 1.03).abs() < 1e-9 && (run.ops_per_sec - 1200.0 / 1.03).abs() < 1e-6);
    for total in [
        run.commands.iter().map(|c| c.ops).sum::<u64>(),
        run.nodes.iter().map(|n| n.ops).sum(),
        run.slots.iter().map(|s| s.ops).sum(),
        run.intervals.iter().map(|i| i.ops).sum(),
        run.rounds.iter().map(|r| r.ops).sum(),
        merged.logs[0].intervals.iter().map(|i| i.latency.len()).sum(),
    ] {
        assert_eq!(total, 1200);
    }
    assert_eq!(run.intervals.iter().map(|i| i.errors).sum::<u64>(), 4);
    assert!((run.client.cpu_s - 0.003).abs() < 1e-9, "summed");
    assert!(
        (run.server.cpu_s.expect("seen") - 0.5).abs() < 1e-9,
        "both read the same servers: not summed"
    );
    let from = merged.report.merged.as_ref().expect("merged");
    assert_eq!(from.generators.len(), 2);
    assert!(
        (from.overlap_share - 0.97 / 1.03).abs() < 1e-9,
        "{}",
        from.overlap_share
    );
    assert_eq!(
        (merged.report.settings.clients, merged.report.settings.threads),
        (32, 2)
    );
    assert_eq!(codes(&merged.report), ["errors"]);
}

#[test]
fn schedules_and_service_times_are_added_up_too() {
    let loads = two().map(|load| Load { open: true, ..load });
    let merged = merge(&[&loads[0], &loads[1]]);
    let run = &merged.report.engines[0];
    let open = run.open_loop.as_ref().expect("an open loop");
    assert_eq!((open.scheduled, open.missed, open.late), (1200 + 4 + 14, 14, 4));
    assert_eq!(open.delay_us, LatencyUs::from_ns(&histogram([1000, 2000].iter())));
    let halves: Vec<u64> = loads
        .iter()
        .flat_map(|l| l.gets.iter().chain(&l.sets))
        .map(|ns| ns / 2)
        .collect();
    assert_eq!(
        run.service_us,
        Some(LatencyUs::from_ns(&histogram(halves.iter())))
    );
    assert!(
        run.commands.iter().all(|c| c.service_us.is_some())
            && run.nodes.iter().all(|n| n.service_us.is_some())
    );
    let [closed, _] = two();
    let mut source = closed.source();
    source.report.settings.arrivals = "poisson".to_owned();
    let error = reports(vec![source, loads[1].source()], Vec::new()).expect_err("an open and a closed loop");
    assert!(
        error
            .to_string()
            .contains("differ in arrivals: poisson and closed"),
        "{error}"
    );
}

#[test]
fn intervals_are_laid_side_by_side_on_the_clock() {
    let [a, b] = two();
    let merged = merge(&[&a, &b]);
    let run = &merged.report.engines[0];
    assert_eq!(run.intervals.len(), SLICES, "30 ms later is the same slice");
    assert!(run.intervals.iter().all(|i| i.ops == 120), "{:?}", run.intervals);
    let late = Load { offset_ms: 500, ..b };
    let merged = merge(&[&a, &late]);
    let ops: Vec<u64> = merged.report.engines[0].intervals.iter().map(|i| i.ops).collect();
    assert_eq!(
        ops,
        [63, 63, 63, 63, 63, 120, 120, 120, 120, 120, 57, 57, 57, 57, 57]
    );
    assert!(codes(&merged.report).contains(&"little-overlap"));
}

/// An average of the two would be far from it.
#[test]
fn a_merged_percentile_is_that_of_all_operations() {
    let [a, b] = two();
    let all: Vec<u64> = [&a.gets, &a.sets, &b.gets, &b.sets]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    let merged = merge(&[&a, &b]);
    assert_eq!(
        merged.report.engines[0].latency_us,
        LatencyUs::from_ns(&histogram(all.iter()))
    );
}

#[test]
fn without_logs_the_percentiles_of_an_interval_are_bounds_and_that_is_said() {
    let [a, b] = two();
    let (mut with, without) = (a.source(), b.source());
    with.intervals = vec![None];
    let merged = reports(vec![with, without], Vec::new()).expect("they belong together");
    assert!(merged.logs.is_empty());
    assert!(codes(&merged.report).contains(&"interval-bounds"));
    let exact = merge(&[&a, &b]).report;
    for (bound, exact) in merged.report.engines[0]
        .intervals
        .iter()
        .zip(&exact.engines[0].intervals)
    {
        assert!(bound.p99_us >= exact.p99_us && bound.max_us == exact.max_us && bound.ops == exact.ops);
    }
    assert_eq!(merged.report.engines[0].latency_us, exact.engines[0].latency_us);
}

#[test]
fn what_does_not_belong_together_is_refused_by_name() {
    type Damage = fn(&mut Source);
    let step = || Step {
        parameter: "pipeline".to_owned(),
        value: 4,
    };
    let cases: [(&str, Damage); 9] = [
        ("differ in workload:", |s| {
            s.report.workload.name = "zipf".to_owned()
        }),
        ("the workload's traffic.share: 0.3 and 0.5", |s| {
            s.report.workload.spec["traffic"]["share"] = 0.5.into()
        }),
        (
            "differ in engines and steps: redis 7.0.15 and valkey 7.0.15",
            |s| s.report.engines[0].info.engine = "valkey".to_owned(),
        ),
        ("differ in rounds", |s| s.report.settings.rounds = 2),
        ("differ in protocol", |s| s.report.settings.protocol = 3),
        ("differ in cluster mode", |s| s.report.settings.cluster = false),
        ("b loaded a cluster of its own", |s| {
            s.report.settings.launched = true
        }),
        ("b was written by an older version", |s| {
            s.report.engines[0].histogram = None
        }),
        ("b does not say when", |s| {
            s.report.engines[0].rounds[0].started_unix_ms = 0
        }),
    ];
    let [a, b] = two();
    let sources = || {
        let (mut first, mut second) = (a.source(), b.source());
        (first.name, second.name) = ("a".to_owned(), "b".to_owned());
        [first, second]
    };
    for (text, damage) in cases {
        let [first, mut second] = sources();
        damage(&mut second);
        let error = reports(vec![first, second], Vec::new())
            .expect_err(text)
            .to_string();
        assert!(error.contains(text), "{error}");
    }
    let [first, mut second] = sources();
    second.report.engines[0].info.step = Some(step());
    assert!(reports(vec![first, second], Vec::new()).is_err(), "a step more");
    assert!(matches!(
        reports(vec![a.source()], Vec::new()),
        Err(MergeError::TooFew)
    ));
    let twice = reports(vec![a.source(), b.source(), a.source()], Vec::new());
    assert!(matches!(twice, Err(MergeError::SameRun { .. })));
    let inside = reports(vec![again(merge(&[&a, &b])), b.source()], Vec::new());
    assert!(
        matches!(inside, Err(MergeError::SameRun { .. })),
        "it is in the sum already"
    );
}

#[test]
fn shares_of_the_load_may_differ_and_equal_streams_are_worth_a_warning() {
    let [a, b] = two();
    let (mut first, mut second) = (a.source(), b.source());
    first.report.workload.spec["run"] =
        serde_json::json!({"clients": 10, "duration_s": 5.0, "pipeline": [1]});
    second.report.workload.spec["run"] = serde_json::json!({"clients": 20, "requests": 100, "pipeline": [1]});
    second.report.workload.stream_hash = first.report.workload.stream_hash.clone();
    second.report.engines[0].nodes[0].addr = "elsewhere:1".to_owned();
    second.report.warnings = vec![crate::report::model::Warning {
        code: "generator-saturated".to_owned(),
        engine: None,
        text: "busy".to_owned(),
    }];
    second.report.ended = RunEnd::Interrupted;
    let merged = reports(vec![first, second], Vec::new()).expect("they belong together");
    for code in ["same-stream", "different-nodes", "generator-saturated", "partial"] {
        assert!(
            codes(&merged.report).contains(&code),
            "{code}: {:?}",
            merged.report.warnings
        );
    }
    assert_eq!(merged.report.ended, RunEnd::Interrupted);
}

fn named(name: &str, load: &Load) -> NamedLog {
    let outcomes = [load.outcome()];
    let contexts = [RoundContext {
        started_unix_ms: 1_795_000_000_000 + load.offset_ms,
        ..RoundContext::default()
    }];
    let log = EngineLog::from_outcomes(load.source().report.engines[0].info.clone(), &outcomes, &contexts);
    let mut out = Vec::new();
    hlog::write(&log, &mut out).expect("memory does not fail");
    NamedLog {
        name: name.to_owned(),
        log: hlog::parse(&out, name).expect("readable"),
    }
}

#[test]
fn logs_are_added_up_by_tag() {
    let [a, b] = two();
    let merged = logs(&[named("a", &a), named("b", &b)]).expect("they belong together");
    let total = |tag: Option<&str>| {
        let found = merged.totals.iter().find(|(t, _)| t.as_deref() == tag);
        found.map(|(_, h)| h.clone()).expect("a tag")
    };
    assert_eq!(
        total(None),
        histogram([&a.gets, &a.sets, &b.gets, &b.sets].into_iter().flatten())
    );
    assert_eq!(total(Some("GET")), histogram(a.gets.iter().chain(&b.gets)));
    assert_eq!(merged.lines.iter().filter(|l| l.tag.is_none()).count(), SLICES);
    let get: Vec<_> = merged
        .lines
        .iter()
        .filter(|l| l.tag.as_deref() == Some("GET"))
        .collect();
    assert_eq!(get.len(), 1, "a line for the whole run");
    assert!((get[0].length_s - 1.03).abs() < 1e-6);
    assert_eq!(
        merged.label.as_deref(),
        Some("Service time of successful operations, redis 7.0.15")
    );
    assert!(merged.warnings.is_empty(), "{:?}", merged.warnings);
}

#[test]
fn logs_that_do_not_belong_together_are_refused() {
    let [a, b] = two();
    let (first, mut second) = (named("a", &a), named("b", &b));
    assert!(matches!(
        logs(std::slice::from_ref(&first)),
        Err(MergeError::TooFew)
    ));
    assert!(matches!(
        logs(&[first.clone(), first.clone()]),
        Err(MergeError::SameRun { .. })
    ));
    second.log.label = Some("valkey 8.1.0".to_owned());
    let error = logs(&[first.clone(), second])
        .expect_err("another engine")
        .to_string();
    assert!(error.contains("redis 7.0.15 and valkey 8.1.0"), "{error}");
    let mut late = named("b", &Load { offset_ms: 5000, ..b });
    late.log.lines.retain(|l| l.tag.as_deref() != Some("SET"));
    let merged = logs(&[first, late]).expect("only suspect");
    assert_eq!(merged.warnings.len(), 2, "{:?}", merged.warnings);
}

prop_compose! {
    fn load(seed: u64)(
        gets in prop::collection::vec(1u64..10_000_000_000, 0..60),
        sets in prop::collection::vec(1u64..10_000_000, 0..60),
        offset_ms in 0u64..1500,
        errors in 0u64..5,
    ) -> Load {
        Load { seed, offset_ms, gets, sets, errors, open: true }
    }
}

fn decoded(text: &Option<HistogramText>) -> Histogram<u64> {
    text.as_ref().expect("there").decode().expect("readable")
}

/// All that must not depend on the order of adding: every count, every histogram.
fn invariant(report: &Report) -> impl PartialEq + std::fmt::Debug + use<> {
    let run = &report.engines[0];
    let commands: Vec<_> = run
        .commands
        .iter()
        .map(|c| (c.name.clone(), c.ops, decoded(&c.histogram)))
        .collect();
    let nodes: Vec<_> = run
        .nodes
        .iter()
        .map(|n| (n.addr.clone(), n.ops, decoded(&n.histogram)))
        .collect();
    let rounds: Vec<_> = run
        .rounds
        .iter()
        .map(|r| (r.started_unix_ms, r.ops, decoded(&r.histogram)))
        .collect();
    let counts = (
        run.ops,
        run.errors.clone(),
        run.redirects.clone(),
        run.bytes_in,
        run.bytes_out,
        run.misses,
    );
    let rest = (
        [decoded(&run.histogram), decoded(&run.service_histogram)],
        run.open_loop
            .as_ref()
            .map(|open| (open.scheduled, open.missed, open.late)),
        run.slots.clone(),
        report.workload.clone(),
        report.merged.as_ref().map(|m| m.generators.clone()),
    );
    (counts, commands, nodes, rounds, rest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn adding_up_is_commutative_and_associative(a in load(1), b in load(2), c in load(3)) {
        let abc = invariant(&merge(&[&a, &b, &c]).report);
        prop_assert_eq!(&abc, &invariant(&merge(&[&c, &a, &b]).report));
        let left = reports(vec![again(merge(&[&a, &b])), c.source()], Vec::new()).expect("together");
        prop_assert_eq!(&abc, &invariant(&left.report));
        let right = reports(vec![a.source(), again(merge(&[&b, &c]))], Vec::new()).expect("together");
        prop_assert_eq!(&abc, &invariant(&right.report));
        for merged in [left, right] {
            let logged: u64 = merged.logs[0].intervals.iter().map(|i| i.latency.len()).sum();
            prop_assert_eq!(logged, merged.report.engines[0].ops);
        }
    }

    #[test]
    fn percentiles_of_the_sum_are_those_of_all_samples(a in load(1), b in load(2)) {
        let all: Vec<u64> = [&a.gets, &a.sets, &b.gets, &b.sets].into_iter().flatten().copied().collect();
        let run = merge(&[&a, &b]).report.engines.remove(0);
        prop_assert_eq!(run.latency_us, LatencyUs::from_ns(&histogram(all.iter())));
        let gets = LatencyUs::from_ns(&histogram(a.gets.iter().chain(&b.gets)));
        prop_assert_eq!(run.commands[0].latency_us, gets);
    }
}

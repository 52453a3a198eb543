//! Synthetic runs for tests: figures that look like a real machine's, made from a fixed seed.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::arithmetic::EngineLog;
use super::found::{FindMax, FoundRate, Purpose, Trial};
use super::model::{
    AuditRun, EngineInfo, EngineRun, Environment, FaultSeen, Noise, Report, RoundContext, RunEnd, SCHEMA,
    ServerUse, Settings, Step, WorkloadInfo,
};
use super::outcome::{
    BesideOutcome, CommandOutcome, Ended, Interval, NeighborOutcome, NodeOutcome, OpenLoopOutcome, Outcome,
    ShardOutcome, StormOutcome,
};
use crate::measure::ShardTrace;
use crate::stats;

mod received;

pub use received::received;

const SLOTS: usize = 16384;
const HOT_SLOT: usize = 12182;
const HOT_SHARE: f64 = 0.3;
const SAMPLES_PER_INTERVAL: u64 = 3000;

/// How fast the imagined engine is.
#[derive(Clone, Copy)]
pub struct Pace {
    pub ops_per_sec: f64,
    pub median_us: f64,
    pub cpu_ns_per_op: f64,
    pub rss_bytes: u64,
}

pub const FAST: Pace = Pace {
    ops_per_sec: 412_000.0,
    median_us: 310.0,
    cpu_ns_per_op: 1_450.0,
    rss_bytes: 148 << 20,
};
pub const SLOW: Pace = Pace {
    ops_per_sec: 176_000.0,
    median_us: 840.0,
    cpu_ns_per_op: 4_120.0,
    rss_bytes: 262 << 20,
};

/// `rounds` rounds of `seconds` intervals of one second each.
pub fn outcomes(pace: Pace, rounds: usize, seconds: usize, seed: u64) -> Vec<Outcome> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..rounds).map(|_| outcome(pace, seconds, &mut rng)).collect()
}

fn outcome(pace: Pace, seconds: usize, rng: &mut Xoshiro256PlusPlus) -> Outcome {
    let node_shares = [0.29, 0.24, 0.47];
    let mut commands = [histogram(), histogram()];
    let mut nodes = [histogram(), histogram(), histogram()];
    let mut intervals = Vec::new();
    let speed = 1.0 + 0.02 * normal(rng);
    for second in 0..seconds {
        let jitter = 1.0 + 0.03 * normal(rng);
        let weight = (pace.ops_per_sec * speed * jitter) as u64 / SAMPLES_PER_INTERVAL;
        let mut latency = histogram();
        for _ in 0..SAMPLES_PER_INTERVAL {
            let tail = if uniform(rng) < 0.004 {
                6.0 * uniform(rng)
            } else {
                0.0
            };
            let us = pace.median_us / (speed * jitter) * (0.25 * normal(rng) + tail / 2.0).exp();
            let ns = (us * 1e3) as u64;
            for histogram in [
                &mut latency,
                &mut commands[usize::from(uniform(rng) < 0.2)],
                &mut nodes[choose(&node_shares, uniform(rng))],
            ] {
                histogram.record_n(ns, weight).expect("the histogram grows");
            }
        }
        intervals.push(Interval {
            start: Duration::from_secs(second as u64),
            length: Duration::from_secs(1),
            ops: weight * SAMPLES_PER_INTERVAL,
            errors: 0,
            latency,
            service: None,
        });
    }
    let ops: u64 = intervals.iter().map(|i| i.ops).sum();
    let [get, set] = commands;
    Outcome {
        elapsed: Duration::from_secs(seconds as u64 + 1),
        measured: Duration::from_secs(seconds as u64),
        commands: [("GET", get), ("SET", set)]
            .map(|(name, latency)| CommandOutcome {
                name: name.to_owned(),
                ops: latency.len(),
                latency,
                service: None,
                replies: BTreeMap::new(),
                reply_counts: Vec::new(),
            })
            .into(),
        nodes: (0..3)
            .zip(nodes)
            .map(|(i, latency)| NodeOutcome {
                addr: addr(i),
                id: None,
                ops: latency.len(),
                latency,
                service: None,
            })
            .collect(),
        slots: hot_slots(ops, rng),
        intervals,
        open: None,
        beside: None,
        writes: Vec::new(),
        staleness: None,
        holds: None,
        delivery: None,
        shards: Vec::new(),
        errors: BTreeMap::new(),
        moved: 3,
        ask: 0,
        retries: 3,
        unknown_scripts: 0,
        reconnects: 0,
        misses: 0,
        cache: None,
        bytes_in: ops * 73,
        bytes_out: ops * 54,
        client_cpu: Duration::from_nanos(ops * 900).min(Duration::from_millis(seconds as u64 * 880)),
        clock_drift_ppm: 1.5,
        ended: Ended::Completed,
    }
}

/// The hot slot's share, and the rest spread evenly with the scatter of counting.
fn hot_slots(ops: u64, rng: &mut Xoshiro256PlusPlus) -> Vec<u64> {
    let each = ops as f64 * (1.0 - HOT_SHARE) / (SLOTS - 1) as f64;
    let mut slots: Vec<u64> = (0..SLOTS)
        .map(|_| (each + each.sqrt() * normal(rng)).round().max(0.0) as u64)
        .collect();
    slots[HOT_SLOT] = 0;
    slots[HOT_SLOT] = ops - slots.iter().sum::<u64>().min(ops);
    slots
}

/// Contexts that go with `outcomes`: rounds `gap_s` apart, CPU by the pace.
pub fn contexts(pace: Pace, outcomes: &[Outcome], offset_s: u64, gap_s: u64) -> Vec<RoundContext> {
    let of_round = |(i, outcome): (usize, &Outcome)| {
        let ops: u64 = outcome.commands.iter().map(|c| c.ops).sum();
        // A little of each round's own, so that intervals have a width.
        let wobble = 1.0 + 0.01 * ((i * 7 % 5) as f64 - 2.0);
        let cpu = Duration::from_nanos((ops as f64 * pace.cpu_ns_per_op * wobble / 3.0) as u64);
        let rss_bytes = pace.rss_bytes / 3 + (i as u64) * 4096;
        RoundContext {
            started_unix_ms: 1_795_000_000_000 + (offset_s + i as u64 * gap_s) * 1000,
            servers: (0..3)
                .map(|n| ServerUse {
                    addr: addr(n),
                    cpu,
                    rss_bytes,
                })
                .collect(),
            faults: Vec::new(),
            audit: None,
            evicted_keys: None,
        }
    };
    outcomes.iter().enumerate().map(of_round).collect()
}

/// A finished run of one engine that nothing is wrong with.
pub fn clean() -> Report {
    report("hotslot", vec![engine("slotmark", "0.1.0", None, FAST, 3, 8).0])
}

/// Two engines over five paired rounds.
pub fn comparison() -> Report {
    comparison_with_logs().0
}

/// [`comparison`], with the histograms.
pub fn comparison_with_logs() -> (Report, Vec<EngineLog>) {
    let (fast, fast_log) = engine("slotmark", "0.1.0", None, FAST, 5, 8);
    let (slow, slow_log) = engine("redis", "7.0.15", None, SLOW, 5, 8);
    (report("hotslot", vec![fast, slow]), vec![fast_log, slow_log])
}

/// Two engines over four pipeline depths.
pub fn sweep() -> Report {
    let mut engines = Vec::new();
    for (name, version, pace) in [("slotmark", "0.1.0", FAST), ("redis", "7.0.15", SLOW)] {
        for depth in [1u64, 4, 16, 64] {
            let gain = (depth as f64).powf(if name == "redis" { 0.45 } else { 0.75 });
            let pace = Pace {
                ops_per_sec: pace.ops_per_sec / 10.0 * gain,
                median_us: pace.median_us * depth as f64 / gain / 4.0,
                cpu_ns_per_op: pace.cpu_ns_per_op * 6.0 / gain,
                ..pace
            };
            let step = Step {
                parameter: "pipeline".to_owned(),
                value: depth,
            };
            engines.push(engine(name, version, Some(step), pace, 5, 3).0);
        }
    }
    report("pipeline-sweep", engines)
}

/// A calm half and one with a neighbour, who slows its slot down by ten and its node by two.
pub fn noisy() -> Report {
    let mut outcome = outcomes(FAST, 1, 8, 5).remove(0);
    let scaled = |histogram: &Histogram<u64>, factor: u64, share: u64| {
        let mut scaled = self::histogram();
        for value in histogram.iter_recorded() {
            let count = value.count_at_value() * share / 10;
            scaled
                .record_n(value.value_iterated_to() * factor, count)
                .expect("the histogram grows");
        }
        scaled
    };
    let traced = |addr: String, slots: u16, factor: u64, share: u64, outcome: &Outcome| {
        let slice = |(i, interval): (usize, &Interval)| {
            scaled(&interval.latency, if i < 4 { 1 } else { factor }, share)
        };
        let slices = outcome.intervals.iter().enumerate().map(slice).collect();
        ShardOutcome {
            addr,
            slots,
            trace: ShardTrace {
                slices,
                ..ShardTrace::default()
            },
        }
    };
    let mut latency = histogram();
    latency.record_n(9_000_000, 400).expect("the histogram grows");
    outcome.beside = Some(BesideOutcome {
        from: Duration::from_secs(4),
        groups: vec![
            traced(addr(0), 5461, 1, 3, &outcome),
            traced(addr(1), 5461, 2, 3, &outcome),
            traced(addr(2), 5461, 1, 2, &outcome),
            traced(addr(1), 1, 10, 2, &outcome),
        ],
        own_slot: Some((7777, 1)),
        storm: None,
        neighbor: Some(NeighborOutcome {
            length: Duration::from_secs(4),
            commands: 400,
            bytes: 400_000_000,
            failed: BTreeMap::from([("TIMEOUT".to_owned(), 2)]),
            latency,
        }),
    });
    let info = EngineInfo {
        engine: "redis".to_owned(),
        version: "7.0.15".to_owned(),
        step: None,
    };
    report(
        "noisy-neighbor",
        vec![EngineRun::from_outcomes(info, &[outcome], &[])],
    )
}

/// A calm half and one with a storm.
pub fn stormy() -> Report {
    let mut outcome = outcomes(FAST, 1, 8, 6).remove(0);
    let mut connect = histogram();
    connect.record_n(180_000, 1150).expect("the histogram grows");
    outcome.beside = Some(BesideOutcome {
        from: Duration::from_secs(4),
        storm: Some(StormOutcome {
            length: Duration::from_secs(4),
            due: 1200,
            connected: 1150,
            answered: 1150,
            missed: 20,
            failed: BTreeMap::from([("REFUSED".to_owned(), 30)]),
            most_open: 64,
            answer: connect.clone(),
            connect,
        }),
        ..BesideOutcome::default()
    });
    let info = EngineInfo {
        engine: "redis".to_owned(),
        version: "7.0.15".to_owned(),
        step: None,
    };
    report(
        "reconnect-storm",
        vec![EngineRun::from_outcomes(info, &[outcome], &[])],
    )
}

/// A search of rates on two engines, queues whose tail goes up with the rate.
pub fn search() -> Report {
    const LIMIT_US: f64 = 1000.0;
    let mut engines = Vec::new();
    let mut found = Vec::new();
    for (name, version, answer, ceiling, pace) in [
        ("slotmark", "0.1.0", 61_200u64, 74_600.0, FAST),
        ("redis", "7.0.15", 45_000, 55_000.0, SLOW),
    ] {
        let at = |factor: f64| (answer as f64 * factor).round() as u64;
        let p99_us = |rate: u64| LIMIT_US * (1.22 - 1.005) / (1.22 - (rate as f64 / answer as f64)).max(0.01);
        let trials: Vec<Trial> = [
            (Purpose::Bracket, 0.61),
            (Purpose::Bracket, 1.22),
            (Purpose::Bisect, 0.86),
            (Purpose::Bisect, 1.03),
            (Purpose::Bisect, 1.0),
            (Purpose::ConfirmBelow, 0.9),
            (Purpose::ConfirmAbove, 1.2),
        ]
        .map(|(purpose, factor)| {
            let rate = at(factor);
            let (p50_us, p99_us) = (p99_us(rate) / 4.0, p99_us(rate));
            let holds = p99_us < LIMIT_US;
            let verdict = format!("p99 {}", crate::report::units::latency(p99_us));
            Trial {
                rate,
                purpose,
                reached_share: 1.0,
                p50_us,
                p99_us,
                values: vec![p99_us],
                holds,
                verdict: if holds { "holds".to_owned() } else { verdict },
            }
        })
        .into();
        let mut rates: Vec<&Trial> = trials.iter().collect();
        rates.sort_by_key(|trial| trial.rate);
        for trial in rates {
            let pace = Pace {
                ops_per_sec: trial.rate as f64,
                median_us: trial.p50_us,
                ..pace
            };
            let step = Step {
                parameter: "rate".to_owned(),
                value: trial.rate,
            };
            let (mut run, _) = engine(name, version, Some(step), pace, 1, 3);
            run.latency_us.p99 = trial.p99_us;
            engines.push(run);
        }
        found.push(FoundRate {
            engine: format!("{name} {version}"),
            ceiling,
            answer: Some(answer),
            confirmed: true,
            trials,
        });
    }
    let mut report = report("uniform", engines);
    report.find_max = Some(FindMax {
        objectives: vec!["p99<1ms".to_owned()],
        resolution: 0.05,
        ratio: Some(61_200.0 / 45_000.0),
        engines: found,
    });
    stats::conclude(&mut report);
    report
}

/// A run against twelve existing nodes that stood still for a while: Zipf's slots, errors, no servers to be seen.
pub fn troubled() -> Report {
    let mut outcome = outcomes(FAST, 1, 30, 3).remove(0);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let shares: Vec<f64> = (0..12).map(|i| 1.0 / 12.0 + 0.004 * f64::from(i - 6)).collect();
    let whole = outcome.commands[0].latency.clone();
    outcome.nodes = (0..12u64)
        .map(|i| NodeOutcome {
            addr: format!("node-{i}.cluster.example.org:6379"),
            id: None,
            ops: (outcome.intervals.iter().map(|v| v.ops).sum::<u64>() as f64 * shares[i as usize]) as u64,
            latency: whole.clone(),
            service: None,
        })
        .collect();
    for interval in &mut outcome.intervals[12..15] {
        interval.ops /= 90;
        interval.errors = 400;
        interval
            .latency
            .record_n(1_400_000_000, interval.ops)
            .expect("the histogram grows");
    }
    outcome.errors = BTreeMap::from([("CLUSTERDOWN".to_owned(), 1150), ("TRYAGAIN".to_owned(), 50)]);
    outcome.moved = 1234;
    outcome.ask = 56;
    for slot in &mut outcome.slots {
        *slot = (30_000.0 / (1.0 + uniform(&mut rng) * 16384.0).powf(0.9)) as u64;
    }
    let info = EngineInfo {
        engine: "valkey".to_owned(),
        version: "8.1.0".to_owned(),
        step: None,
    };
    report("zipf", vec![EngineRun::from_outcomes(info, &[outcome], &[])])
}

fn engine(
    name: &str,
    version: &str,
    step: Option<Step>,
    pace: Pace,
    rounds: usize,
    seconds: usize,
) -> (EngineRun, EngineLog) {
    let info = EngineInfo {
        engine: name.to_owned(),
        version: version.to_owned(),
        step,
    };
    let outcomes = outcomes(pace, rounds, seconds, pace.median_us as u64);
    let contexts = contexts(pace, &outcomes, 0, 20);
    (
        EngineRun::from_outcomes(info.clone(), &outcomes, &contexts),
        EngineLog::from_outcomes(info, &outcomes, &contexts),
    )
}

fn report(workload: &str, engines: Vec<EngineRun>) -> Report {
    let mut report = Report {
        schema: SCHEMA.to_owned(),
        started_utc: "2026-11-21T10:00:00Z".to_owned(),
        command_line: ["loadgen", "--workload", workload].map(str::to_owned).into(),
        workload: WorkloadInfo {
            name: workload.to_owned(),
            question: "What does one hot slot do to its node, and to the others?".to_owned(),
            expectation: "The node that owns the hot slot answers more and slower; the others do not notice."
                .to_owned(),
            seed: 1,
            stream_hash: "9f3c0a6be21d4475".to_owned(),
            preloaded_keys: 1_000_000,
            spec: serde_json::json!({ "traffic": { "distribution": "hotslot", "share": HOT_SHARE } }),
        },
        settings: Settings {
            clients: 16,
            threads: 1,
            pipeline: 8,
            rounds: engines[0].rounds.len() as u32,
            duration_s: Some(engines[0].rounds[0].seconds),
            requests: None,
            warmup_s: 1.0,
            arrivals: "closed".to_owned(),
            rate: None,
            protocol: 2,
            nodes: 3,
            replicas: 0,
            cluster: true,
            launched: true,
        },
        environment: Environment {
            cpu: "Imagined Processor 9000".to_owned(),
            cores: 2,
            memory_bytes: 24 << 30,
            os: "Debian GNU/Linux 12".to_owned(),
            kernel: "6.1.0".to_owned(),
            virtualization: Some("kvm".to_owned()),
            loadgen_version: "0.1.0".to_owned(),
            commit: "0123456789ab".to_owned(),
            build_profile: "release".to_owned(),
            noise: Noise {
                load_average_before: Some(0.2),
                steal_share: Some(0.004),
                other_cpu_share: Some(0.01),
            },
        },
        engines,
        comparisons: Vec::new(),
        warnings: Vec::new(),
        ended: RunEnd::Completed,
        find_max: None,
        merged: None,
    };
    stats::conclude(&mut report);
    report
}

fn addr(node: usize) -> String {
    format!("127.0.0.1:{}", 30001 + node)
}

fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are allowed")
}

fn uniform(rng: &mut Xoshiro256PlusPlus) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// The sum of twelve uniforms is normal enough.
fn normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
    (0..12).map(|_| uniform(rng)).sum::<f64>() - 6.0
}

fn choose(shares: &[f64], at: f64) -> usize {
    let mut sum = 0.0;
    shares
        .iter()
        .position(|s| {
            sum += s;
            at < sum
        })
        .unwrap_or(shares.len() - 1)
}

/// An open loop of 12 s with a fault at 3 s, an outage of 0.4 s at the first shard, and an audit.
pub fn failover() -> Report {
    let mut report = clean();
    report.settings.arrivals = "constant".to_owned();
    report.settings.rate = Some(3000.0);
    let mut outcomes = outcomes(FAST, 1, 12, 7);
    let mut contexts = contexts(FAST, &outcomes, 0, 13);
    let outcome = &mut outcomes[0];
    outcome.open = Some(OpenLoopOutcome {
        scheduled: 36_000,
        missed: 5,
        late: 420,
        delay: outcome.intervals[0].latency.clone(),
    });
    for command in &mut outcome.commands {
        command.service = Some(command.latency.clone());
    }
    for interval in &mut outcome.intervals {
        interval.service = Some(interval.latency.clone());
    }
    for shard in 0..3 {
        let mut trace = ShardTrace::default();
        let out = |ms: usize| shard == 0 && (3000..3400).contains(&ms);
        trace.reads.ok = (0..12_000).map(|ms| u32::from(ms % 2 == 0 && !out(ms))).collect();
        trace.writes.ok = (0..12_000).map(|ms| u32::from(ms % 2 == 1 && !out(ms))).collect();
        trace.writes.failed = (0..3010).map(|ms| u32::from(shard == 0 && ms > 3005)).collect();
        trace.slices = outcome.intervals.iter().map(|i| i.latency.clone()).collect();
        outcome.shards.push(ShardOutcome {
            addr: addr(shard),
            slots: 5461,
            trace,
        });
    }
    contexts[0].faults.push(FaultSeen {
        kind: "kill".to_owned(),
        shard: 0,
        addr: addr(0),
        at_s: 3.0,
        ended_s: Some(8.0),
        suspected_s: Some(3.21),
        failed_s: Some(3.3),
        promoted_s: Some(3.38),
        promoted_addr: Some("127.0.0.1:7003".to_owned()),
        note: Some("done in a way that was not asked for".to_owned()),
        problem: None,
    });
    contexts[0].audit = Some(AuditRun {
        round: 0,
        keys: 9000,
        writes: 18_000,
        acknowledged: 17_990,
        kept: 17_987,
        lost: 3,
        unacknowledged: 10,
        applied_unacknowledged: 2,
        stale_keys: 2,
        missing_keys: 1,
        ..AuditRun::default()
    });
    let info = report.engines[0].info.clone();
    report.engines = vec![EngineRun::from_outcomes(info, &outcomes, &contexts)];
    report.workload.name = "failover".to_owned();
    stats::conclude(&mut report);
    report
}

//! What makes a figure suspect, said in so many words.

use crate::report::model::{EngineRun, Environment, Report, RunEnd, Settings, Verdict, Warning};

/// Share of its threads' wall time above which the generator itself is taken for the limit.
pub const GENERATOR_SATURATED_SHARE: f64 = 0.95;
/// Change of throughput from the first to the last interval of a round that counts as a trend.
pub const TREND_SHARE: f64 = 0.10;
/// The same of the median latency in an open loop.
pub const LATENCY_TREND_SHARE: f64 = 0.25;
/// Share of operations sent late above which the rate counts as not reached.
pub const LATE_SHARE: f64 = 0.05;
/// The generator's own delay below which nobody minds, µs.
const GENERATOR_LATE_US: f64 = 200.0;
/// Pairs below which an interval says little.
pub const FEW_PAIRS: u32 = 5;
/// Redirected share of operations that is worth a word.
pub const REDIRECT_SHARE: f64 = 0.01;
/// Share of operations that found no key.
pub const MISS_SHARE: f64 = 0.01;
/// Error of the clock: a thousandth shows in the last of a latency's three digits.
pub const CLOCK_DRIFT_PPM: f64 = 1000.0;
const STEAL_SHARE: f64 = 0.02;
const OTHER_CPU_SHARE: f64 = 0.10;
/// Intervals below which a trend cannot be told from chance.
const MIN_TREND_INTERVALS: usize = 5;

/// Everything suspect about a report, the gravest first.
pub fn warnings(report: &Report) -> Vec<Warning> {
    let mut found = Vec::new();
    found.extend(unfinished(&report.ended));
    found.extend(debug_build(&report.environment));
    found.extend(super::found::warnings(report));
    for run in report
        .engines
        .iter()
        .filter(|run| super::found::is_quoted(report, run))
    {
        found.extend(errors(run));
        found.extend(clamped(run));
        found.extend(saturated(run, &report.settings));
        found.extend(rate_not_reached(run));
        found.extend(generator_late(run));
        found.extend(unsteady(run, &report.workload.spec));
        found.extend(redirected(run));
        found.extend(missed(run));
        found.extend(drifted(run));
    }
    found.extend(few_rounds(report));
    found.extend(noisy(&report.environment));
    found
}

fn warning(code: &str, run: Option<&EngineRun>, text: String) -> Warning {
    Warning {
        code: code.to_owned(),
        engine: run.map(|r| r.info.label()),
        text,
    }
}

fn unfinished(ended: &RunEnd) -> Option<Warning> {
    let what = match ended {
        RunEnd::Completed => return None,
        RunEnd::Interrupted => "the run was interrupted".to_owned(),
        RunEnd::TargetLost { reason } => format!("the target was lost ({reason})"),
    };
    Some(warning(
        "partial",
        None,
        format!("{what}: all figures are of the part measured until then"),
    ))
}

fn debug_build(environment: &Environment) -> Option<Warning> {
    let profile = &environment.build_profile;
    let text = format!(
        "this is a {profile} build: generator and embedded node are several times slower than in a release build; \
         build with --release"
    );
    matches!(profile.as_str(), "debug" | "dev").then(|| warning("debug-build", None, text))
}

fn errors(run: &EngineRun) -> Option<Warning> {
    let failed = run.error_count();
    if failed == 0 {
        return None;
    }
    let classes: Vec<String> = run
        .errors
        .iter()
        .map(|(class, count)| format!("{class} {count}"))
        .collect();
    let share = 100.0 * failed as f64 / (failed + run.ops) as f64;
    let text = format!(
        "{failed} operations failed ({share:.2} %): {}; they are in no throughput or latency figure",
        classes.join(", ")
    );
    Some(warning("errors", Some(run), text))
}

fn clamped(run: &EngineRun) -> Option<Warning> {
    let limit_us = run
        .latency_limit_us
        .filter(|limit| run.latency_us.max >= *limit)?;
    let text = format!(
        "at least one operation took longer than the histogram holds ({:.0} s): the maximum, and percentiles that \
         reach it, are too low",
        limit_us / 1e6
    );
    Some(warning("histogram-clamped", Some(run), text))
}

fn saturated(run: &EngineRun, settings: &Settings) -> Option<Warning> {
    let busy = run.client.cpu_s / (run.seconds * f64::from(settings.threads.max(1)));
    // A NaN (nothing measured) is no warning.
    let text = || {
        format!(
            "the generator's {} thread(s) used {:.0} % of their time: throughput is the generator's limit and latency \
             includes waiting for it; compare server CPU per operation, or give it more --threads on free cores",
            settings.threads,
            100.0 * busy
        )
    };
    (busy > GENERATOR_SATURATED_SHARE).then(|| warning("generator-saturated", Some(run), text()))
}

fn rate_not_reached(run: &EngineRun) -> Option<Warning> {
    let open = run.open_loop.as_ref()?;
    let unsent = open.missed as f64 / open.scheduled.max(1) as f64;
    let late = open.late as f64 / open.scheduled.max(1) as f64;
    let text = if open.missed > 0 {
        format!(
            "{} of {} operations that were due were never sent: the target did not keep up with the rate, and the latency \
             figures lack those that would have waited longest",
            open.missed, open.scheduled
        )
    } else {
        format!(
            "{:.0} % of the operations were sent more than 1 ms after they were due: the connections were full, so the \
             rate was not reached at every moment (their waiting is in the latency); more --clients or a deeper --pipeline \
             tells a slow server from too few connections",
            100.0 * late
        )
    };
    (unsent > 0.0 || late > LATE_SHARE).then(|| warning("rate-not-reached", Some(run), text))
}

/// The generator's own delay is part of the response time: it must be small beside it.
fn generator_late(run: &EngineRun) -> Option<Warning> {
    let open = run.open_loop.as_ref()?;
    let text = || {
        format!(
            "the generator took operations up late itself (p99 {:.0} µs, of a response time of p99 {:.0} µs): give it a \
             free core or more --threads",
            open.delay_us.p99, run.latency_us.p99
        )
    };
    is_late(run).then(|| warning("generator-late", Some(run), text()))
}

/// Whether the generator's own delay is a noticeable part of the response time.
pub fn is_late(run: &EngineRun) -> bool {
    run.open_loop.as_ref().is_some_and(|open| {
        open.delay_us.p99 > 0.25 * run.latency_us.p99 && open.delay_us.p99 > GENERATOR_LATE_US
    })
}

/// Looks for a round whose throughput drifts from begin to end more than chance explains; in an open loop, whose rate
/// is given, for one whose median latency does.
fn unsteady(run: &EngineRun, spec: &serde_json::Value) -> Option<Warning> {
    // What has been harmed on purpose is not expected to be.
    if !run.faults.is_empty() || run.beside.is_some() {
        return None;
    }
    if run.open_loop.is_some() {
        return unsteady_latency(run, spec);
    }
    let drifts =
        (0..run.rounds.len() as u32).filter_map(|round| drift(&throughputs(run, round), TREND_SHARE));
    let worst = drifts.max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    let text = format!(
        "throughput {} by {:.0} % from the beginning of a round to its end: it was not in a steady state, so use a \
         longer --warmup or --duration",
        if worst > 0.0 { "rose" } else { "fell" },
        100.0 * worst.abs()
    );
    Some(warning("not-steady", Some(run), text))
}

fn unsteady_latency(run: &EngineRun, spec: &serde_json::Value) -> Option<Warning> {
    // Where the rate changes, latency may.
    let shape = spec["arrival"]["shape"].as_str();
    if shape.is_some_and(|shape| shape != "steady") {
        return None;
    }
    let medians = |round: u32| -> Vec<f64> {
        let of_round = run.intervals.iter().filter(|i| i.round == round && i.ops > 0);
        of_round.map(|i| i.p50_us).collect()
    };
    let drifts = (0..run.rounds.len() as u32).filter_map(|round| drift(&medians(round), LATENCY_TREND_SHARE));
    let worst = drifts.max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    let text = format!(
        "the median latency {} by {:.0} % from the beginning of a round to its end, at a rate that did not change: the \
         target was not in a steady state",
        if worst > 0.0 { "rose" } else { "fell" },
        100.0 * worst.abs()
    );
    Some(warning("not-steady", Some(run), text))
}

fn throughputs(run: &EngineRun, round: u32) -> Vec<f64> {
    let of_round = || run.intervals.iter().filter(|i| i.round == round);
    let longest_s = of_round().map(|i| i.length_s).fold(0.0, f64::max);
    // The last interval may be a sliver, too short to have a rate.
    of_round()
        .filter(|i| i.length_s > 0.5 * longest_s)
        .map(|i| i.ops_per_sec)
        .collect()
}

/// Relative change from first to last value by the Theil-Sen slope, if it exceeds `least` and Mann and Kendall's
/// test (two-sided, 1 %) rules out chance.
fn drift(values: &[f64], least: f64) -> Option<f64> {
    let n = values.len();
    if n < MIN_TREND_INTERVALS {
        return None;
    }
    let mut slopes = Vec::with_capacity(n * (n - 1) / 2);
    let mut concordance = 0i64;
    for (i, a) in values.iter().enumerate() {
        for (j, b) in values.iter().enumerate().skip(i + 1) {
            slopes.push((b - a) / (j - i) as f64);
            concordance += if b > a { 1 } else { -i64::from(b < a) };
        }
    }
    let count = n as f64;
    let deviation = (count * (count - 1.0) * (2.0 * count + 5.0) / 18.0).sqrt();
    let z = ((concordance.abs() - 1).max(0)) as f64 / deviation;
    // With five values even a perfect order reaches only z = 2.2 (chance 1.7 %), so the bound bends there.
    let significant = z > 2.576 || concordance.unsigned_abs() as usize == slopes.len();
    let change = median(&mut slopes) * (count - 1.0) / median(&mut values.to_vec());
    (significant && change.abs() > least).then_some(change)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

fn redirected(run: &EngineRun) -> Option<Warning> {
    let redirects = run.redirects.moved + run.redirects.ask;
    let share = redirects as f64 / run.ops.max(1) as f64;
    let text = || {
        format!(
            "{redirects} redirects for {} operations ({:.1} %): slots moved during the run, or the slot map was wrong; \
             a redirected operation pays two round trips",
            run.ops,
            100.0 * share
        )
    };
    (share > REDIRECT_SHARE).then(|| warning("redirects", Some(run), text()))
}

fn missed(run: &EngineRun) -> Option<Warning> {
    let share = run.misses as f64 / run.ops.max(1) as f64;
    let text = || {
        format!(
            "{} operations ({:.1} %) asked for keys that were not there, which is cheaper than reading a value: was the \
             target preloaded, does it evict, or does the workload delete?",
            run.misses,
            100.0 * share
        )
    };
    // A workload that fills a cache misses on purpose, and has its hit rate.
    (share > MISS_SHARE && run.cache.is_none()).then(|| warning("misses", Some(run), text()))
}

fn drifted(run: &EngineRun) -> Option<Warning> {
    let text = || {
        format!(
            "the clock that latencies are taken with was off by {:.0} parts per million against the system's: the \
             processor's counter is not steady here",
            run.clock_drift_ppm
        )
    };
    (run.clock_drift_ppm.abs() > CLOCK_DRIFT_PPM).then(|| warning("clock-drift", Some(run), text()))
}

fn few_rounds(report: &Report) -> Option<Warning> {
    let fewest = report
        .comparisons
        .iter()
        .flat_map(|c| &c.metrics)
        .map(|m| m.pairs)
        .min()?;
    let undecided = report
        .comparisons
        .iter()
        .flat_map(|c| &c.metrics)
        .any(|m| m.verdict == Verdict::Undecided);
    let text = if undecided {
        format!("{fewest} paired round(s) give no interval: the ratios are anecdotes, use more --rounds")
    } else {
        format!(
            "the intervals rest on {fewest} paired rounds and assume normally distributed noise; {FEW_PAIRS} or more \
             --rounds need no such assumption"
        )
    };
    (fewest < FEW_PAIRS).then(|| warning("few-rounds", None, text))
}

fn noisy(environment: &Environment) -> Option<Warning> {
    let noise = &environment.noise;
    let mut signs = Vec::new();
    if let Some(share) = noise.steal_share.filter(|s| *s > STEAL_SHARE) {
        signs.push(format!(
            "the hypervisor took {:.0} % of the processor time",
            100.0 * share
        ));
    }
    if let Some(share) = noise.other_cpu_share.filter(|s| *s > OTHER_CPU_SHARE) {
        signs.push(format!("other processes used {:.0} % of it", 100.0 * share));
    }
    // The load average tells of the minute before, often of our own build: it stands in only where nothing better is
    // known.
    let load = noise
        .load_average_before
        .filter(|_| noise.other_cpu_share.is_none());
    if let Some(load) = load.filter(|l| *l > 0.5 * f64::from(environment.cores.max(1))) {
        signs.push(format!(
            "the load average was {load:.1} on {} cores before the start",
            environment.cores
        ));
    }
    (!signs.is_empty()).then(|| {
        warning(
            "noisy-machine",
            None,
            format!("{}: figures will vary from run to run", signs.join(", ")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn codes(report: &Report) -> Vec<String> {
        warnings(report).into_iter().map(|w| w.code).collect()
    }

    #[test]
    fn a_clean_run_has_no_warnings() {
        assert_eq!(codes(&sample::clean()), [""; 0]);
    }

    #[test]
    fn each_fault_has_its_own_warning() {
        type Damage = fn(&mut Report);
        let cases: [(&str, Damage); 11] = [
            ("debug-build", |r| {
                r.environment.build_profile = "debug".to_owned()
            }),
            ("partial", |r| r.ended = RunEnd::Interrupted),
            ("partial", |r| {
                r.ended = RunEnd::TargetLost {
                    reason: "refused".to_owned(),
                }
            }),
            ("errors", |r| {
                *r.engines[0].errors.entry("TRYAGAIN".to_owned()).or_default() += 3
            }),
            ("histogram-clamped", |r| {
                r.engines[0].latency_limit_us = Some(r.engines[0].latency_us.max)
            }),
            ("generator-saturated", |r| {
                r.engines[0].client.cpu_s = 0.97 * r.engines[0].seconds
            }),
            ("redirects", |r| {
                r.engines[0].redirects.moved = r.engines[0].ops / 20
            }),
            ("noisy-machine", |r| r.environment.noise.steal_share = Some(0.05)),
            ("noisy-machine", |r| {
                r.environment.noise.other_cpu_share = Some(0.3)
            }),
            ("noisy-machine", |r| {
                r.environment.noise.load_average_before = Some(1.8);
                r.environment.noise.other_cpu_share = None;
            }),
            ("not-steady", |r| {
                for interval in r.engines[0].intervals.iter_mut().filter(|i| i.round == 1) {
                    interval.ops_per_sec *= 1.0 + 0.05 * interval.start_s;
                }
            }),
        ];
        for (code, damage) in cases {
            let mut report = sample::clean();
            damage(&mut report);
            assert_eq!(codes(&report), [code]);
        }
    }

    #[test]
    fn few_rounds_are_named_only_in_a_comparison() {
        let mut report = sample::comparison();
        assert!(!codes(&report).contains(&"few-rounds".to_owned()));
        report.engines.iter_mut().for_each(|e| e.rounds.truncate(3));
        crate::stats::conclude(&mut report);
        assert!(codes(&report).contains(&"few-rounds".to_owned()));
    }

    #[test]
    fn noise_is_no_drift_and_a_slope_is() {
        assert_eq!(
            drift(&[100.0, 130.0, 80.0, 120.0, 90.0, 110.0, 100.0], TREND_SHARE),
            None
        );
        assert_eq!(
            drift(&[100.0, 101.0, 102.0, 103.0, 104.0], TREND_SHARE),
            None,
            "significant, but small"
        );
        let rising = drift(&[100.0, 110.0, 120.0, 130.0, 140.0], TREND_SHARE).expect("a trend");
        assert!((rising - 40.0 / 120.0).abs() < 1e-9);
        assert!(drift(&[5.0, 4.0, 3.0, 2.0, 1.0], TREND_SHARE).is_some_and(|d| d < 0.0));
        assert_eq!(drift(&[1.0, 2.0, 3.0], TREND_SHARE), None, "too short to tell");
        assert_eq!(drift(&[0.0; 9], TREND_SHARE), None, "a standstill");
    }
}

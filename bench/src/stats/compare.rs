//! One engine against another, figure by figure.

use super::bootstrap::{Estimate, paired_ratio};
use crate::report::model::{
    Comparison, EngineRun, LatencyUs, Metric, MetricComparison, RatioInterval, Report, RoundRun, Verdict,
};

/// A ratio closer to 1 than this is not called a difference, however narrow its interval: order within a pair, memory
/// layout and process identity alone make as much.
pub const NEGLIGIBLE: f64 = 0.01;

impl Metric {
    /// Those of an interleaved comparison, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::Throughput,
        Self::P99,
        Self::HitRate,
        Self::ServerCpu,
        Self::Memory,
    ];

    /// What a person calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::P50 => "p50 latency",
            Self::P90 => "p90 latency",
            Self::P95 => "p95 latency",
            Self::P99 => "p99 latency",
            Self::P999 => "p99.9 latency",
            Self::Max => "longest latency",
            Self::Mean => "mean latency",
            Self::ServerCpu => "server CPU/op",
            Self::Memory => "server memory",
            Self::HitRate => "hit rate",
        }
    }

    /// Whether a larger figure is the better one.
    pub fn higher_is_better(self) -> bool {
        matches!(self, Self::Throughput | Self::HitRate)
    }

    /// The figure of one round; runs of older versions lack the histograms that some need.
    pub fn of_round(self, round: &RoundRun) -> Option<f64> {
        match self {
            Self::Throughput => Some(round.ops_per_sec),
            Self::P50 => Some(round.p50_us),
            Self::P99 => Some(round.p99_us),
            Self::P90 | Self::P95 | Self::P999 | Self::Max | Self::Mean => {
                let histogram = round.histogram.as_ref()?.decode().ok()?;
                self.of_latency(&LatencyUs::from_ns(&histogram))
            }
            Self::ServerCpu => round.server_cpu_ns_per_op,
            Self::Memory => round.server_rss_bytes.map(|bytes| bytes as f64),
            Self::HitRate => round.cache.map(|cache| cache.hit_rate),
        }
    }

    /// The figure over all rounds, in the unit named at [`Metric`].
    pub fn of_run(self, run: &EngineRun) -> Option<f64> {
        match self {
            Self::Throughput => Some(run.ops_per_sec),
            Self::ServerCpu => run.server.cpu_ns_per_op,
            Self::Memory => run.server.rss_bytes.map(|bytes| bytes as f64),
            Self::HitRate => run.cache.map(|cache| cache.hit_rate),
            _ => self.of_latency(&run.latency_us),
        }
    }

    fn of_latency(self, latency: &LatencyUs) -> Option<f64> {
        match self {
            Self::P50 => Some(latency.p50),
            Self::P90 => Some(latency.p90),
            Self::P95 => Some(latency.p95),
            Self::P99 => Some(latency.p99),
            Self::P999 => Some(latency.p999),
            Self::Max => Some(latency.max),
            Self::Mean => Some(latency.mean),
            Self::Throughput | Self::ServerCpu | Self::Memory | Self::HitRate => None,
        }
    }

    /// What an interval says about a ratio of engine to baseline.
    pub fn verdict(self, ratio: f64, interval: Option<RatioInterval>) -> Verdict {
        match interval {
            None => Verdict::Undecided,
            Some(interval) if interval.low <= 1.0 && 1.0 <= interval.high => Verdict::NoDifferenceFound,
            Some(_) if (ratio - 1.0).abs() < NEGLIGIBLE => Verdict::NoDifferenceFound,
            Some(_) if (ratio > 1.0) == self.higher_is_better() => Verdict::Better,
            Some(_) => Verdict::Worse,
        }
    }
}

/// Compares round `i` of `engine` with round `i` of `baseline`; rounds without a partner are left out, and so are
/// figures that one of the two lacks.
pub fn compare(engine: &EngineRun, baseline: &EngineRun, seed: u64) -> Comparison {
    let metrics = Metric::ALL
        .into_iter()
        .filter_map(|metric| compare_metric(metric, engine, baseline, seed));
    Comparison {
        step: engine.info.step.clone(),
        engine: engine.info.name(),
        baseline: baseline.info.name(),
        metrics: metrics.collect(),
    }
}

/// Every step of the first engine against the same step of the second; empty unless there are exactly two engines.
pub fn all(report: &Report) -> Vec<Comparison> {
    let mut steps: Vec<Vec<&EngineRun>> = Vec::new();
    for run in &report.engines {
        match steps.iter_mut().find(|runs| runs[0].info.step == run.info.step) {
            Some(runs) => runs.push(run),
            None => steps.push(vec![run]),
        }
    }
    let pairs = steps.iter().filter_map(|runs| match runs.as_slice() {
        [engine, baseline] => Some(compare(engine, baseline, report.workload.seed)),
        _ => None,
    });
    pairs.collect()
}

fn compare_metric(
    metric: Metric,
    engine: &EngineRun,
    baseline: &EngineRun,
    seed: u64,
) -> Option<MetricComparison> {
    let estimate = paired(metric, engine, baseline, seed)?;
    Some(MetricComparison {
        metric,
        engine_value: metric.of_run(engine)?,
        baseline_value: metric.of_run(baseline)?,
        ratio: estimate.ratio,
        interval: estimate.interval,
        pairs: estimate.pairs as u32,
        verdict: metric.verdict(estimate.ratio, estimate.interval),
    })
}

/// The ratio of one figure over paired rounds; none if one of the two lacks it.
pub fn paired(metric: Metric, engine: &EngineRun, baseline: &EngineRun, seed: u64) -> Option<Estimate> {
    let pairs: Vec<(f64, f64)> = engine
        .rounds
        .iter()
        .zip(&baseline.rounds)
        .filter_map(|(a, b)| Some((metric.of_round(a)?, metric.of_round(b)?)))
        .collect();
    paired_ratio(&pairs, seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn verdicts(comparison: &Comparison) -> Vec<(Metric, Verdict)> {
        comparison.metrics.iter().map(|m| (m.metric, m.verdict)).collect()
    }

    #[test]
    fn better_and_worse_follow_the_metric() {
        let report = sample::comparison();
        let [comparison] = report.comparisons.as_slice() else {
            panic!("one step")
        };
        assert_eq!(
            verdicts(comparison),
            [
                (Metric::Throughput, Verdict::Better),
                (Metric::P99, Verdict::Better),
                (Metric::ServerCpu, Verdict::Better),
                (Metric::Memory, Verdict::Better),
            ]
        );
        let turned = compare(&report.engines[1], &report.engines[0], 1);
        assert!(turned.metrics.iter().all(|m| m.verdict == Verdict::Worse));
        for (there, back) in comparison.metrics.iter().zip(&turned.metrics) {
            assert!((there.ratio * back.ratio - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn an_engine_does_not_differ_from_itself() {
        let report = sample::comparison();
        let same = compare(&report.engines[0], &report.engines[0], 1);
        assert!(
            same.metrics
                .iter()
                .all(|m| m.verdict == Verdict::NoDifferenceFound && m.ratio == 1.0)
        );
    }

    #[test]
    fn a_hair_is_not_a_difference() {
        let report = sample::comparison();
        let mut faster = report.engines[0].clone();
        faster.rounds.iter_mut().for_each(|r| r.ops_per_sec *= 1.004);
        let got = compare(&faster, &report.engines[0], 1);
        assert_eq!(got.metrics[0].verdict, Verdict::NoDifferenceFound);
        assert!(
            got.metrics[0].interval.is_some_and(|i| i.low > 1.0),
            "the interval itself is not bent"
        );
    }

    #[test]
    fn one_round_is_undecided_and_unseen_servers_are_left_out() {
        let report = sample::comparison();
        let mut once = report.engines[0].clone();
        once.rounds.truncate(1);
        once.rounds[0].server_cpu_ns_per_op = None;
        let got = compare(&once, &report.engines[1], 1);
        assert!(
            got.metrics
                .iter()
                .all(|m| m.verdict == Verdict::Undecided && m.pairs == 1)
        );
        assert!(got.metrics.iter().all(|m| m.metric != Metric::ServerCpu));
    }

    #[test]
    fn a_sweep_is_compared_step_by_step() {
        let report = sample::sweep();
        let steps: Vec<u64> = report
            .comparisons
            .iter()
            .filter_map(|c| c.step.as_ref())
            .map(|s| s.value)
            .collect();
        assert_eq!(steps, [1, 4, 16, 64]);
    }
}

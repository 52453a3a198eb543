//! Whether a condition holds.
//!
//! An absolute condition holds when the candidate's figure over all its rounds is beyond the bound. A relative one holds
//! when the ratio is beyond the bound and chance is ruled out: the interval of the ratio, as wide as all conditions
//! together need it, lies on that side of 1. So a run that is as its baseline was raises a false alarm in at most one
//! of twenty cases, however many conditions there are; a condition that cannot be judged counts as failed.

use serde::Serialize;

use super::condition::{Bound, Condition, Figure};
use crate::report::model::{EngineRun, Metric, RatioInterval};
use crate::report::text::metric_value;
use crate::report::units;
use crate::stats::compare::paired;
use crate::stats::student;
use crate::stats::unpaired::unpaired_ratio;

/// False alarms that all relative conditions of a gate may raise together.
pub const ALARM_SHARE: f64 = 0.05;
/// Chance of one condition alone: that of one side of the printed interval.
const ALARM_SHARE_OF_ONE: f64 = 0.025;

/// How the rounds of two runs belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// Run in turns: round i with round i.
    Paired,
    /// Two runs, one after the other.
    Unpaired,
}

/// One engine (at one step) and, for relative conditions, what it is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Contest<'a> {
    pub candidate: &'a EngineRun,
    pub baseline: Option<&'a EngineRun>,
    pub pairing: Pairing,
    /// Of the resampling.
    pub seed: u64,
}

/// What came of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// The condition does not hold: good.
    Passed,
    /// It holds.
    Failed,
    /// A figure or an interval is missing. A gate must not pass on it.
    Unknown,
}

/// A condition and one engine (at one step).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    pub condition: String,
    /// Label of the engine.
    pub engine: String,
    pub judgement: Judgement,
    /// The figures behind it.
    pub text: String,
}

/// Judges every condition on every engine and step.
pub fn judge(conditions: &[Condition], contests: &[Contest<'_>]) -> Vec<Judged> {
    let relative = conditions.iter().filter(|c| c.is_relative()).count() * contests.len();
    // Bonferroni: the chances of false alarms add up at most.
    let tail = (ALARM_SHARE / relative.max(1) as f64).min(ALARM_SHARE_OF_ONE);
    let each = |contest| {
        move |condition: &Condition| {
            let (judgement, text) = match condition.bound {
                Bound::Absolute(bound) => absolute(condition, bound, contest),
                Bound::Relative(change) => against_baseline(condition, change, contest, tail),
            };
            Judged {
                condition: condition.to_string(),
                engine: contest.candidate.info.label(),
                judgement,
                text,
            }
        }
    };
    contests
        .iter()
        .flat_map(|contest| conditions.iter().map(each(contest)))
        .collect()
}

fn absolute(condition: &Condition, bound: f64, contest: &Contest<'_>) -> (Judgement, String) {
    let (value, text) = match condition.figure {
        Figure::Errors => {
            let errors = contest.candidate.error_count();
            (
                errors as f64,
                format!("{} operations failed", units::count(errors)),
            )
        }
        Figure::Metric(metric) => match metric.of_run(contest.candidate) {
            Some(value) => (
                value,
                format!("{} {}", metric.title(), metric_value(metric, value)),
            ),
            None => return (Judgement::Unknown, format!("{} was not measured", metric.title())),
        },
    };
    let judgement = if condition.is_beyond(value, bound) {
        Judgement::Failed
    } else {
        Judgement::Passed
    };
    (judgement, text)
}

/// A ratio with an interval as wide as asked for.
struct Evidence {
    ratio: f64,
    interval: Option<RatioInterval>,
    degrees: f64,
}

impl Evidence {
    fn of(metric: Metric, baseline: &EngineRun, contest: &Contest<'_>) -> Option<Self> {
        match contest.pairing {
            Pairing::Paired => paired(metric, contest.candidate, baseline, contest.seed).map(|found| Self {
                ratio: found.ratio,
                interval: found.interval,
                degrees: found.pairs as f64 - 1.0,
            }),
            Pairing::Unpaired => {
                let of = |run: &EngineRun| -> Option<Vec<f64>> {
                    run.rounds.iter().map(|round| metric.of_round(round)).collect()
                };
                let found = unpaired_ratio(&of(contest.candidate)?, &of(baseline)?, contest.seed)?;
                Some(Self {
                    ratio: found.ratio,
                    interval: found.interval,
                    degrees: found.degrees,
                })
            }
        }
    }

    /// The interval's bounds, widened from 95 % to `tail` on each side as t widens.
    fn bounds(&self, tail: f64) -> Option<(f64, f64)> {
        let interval = self.interval?;
        let usual = student::quantile(0.5 + 0.5 * interval.confidence, self.degrees);
        let factor = (student::quantile(1.0 - tail, self.degrees) / usual).max(1.0);
        let widened = |bound: f64| self.ratio * (bound / self.ratio).powf(factor);
        Some((widened(interval.low), widened(interval.high)))
    }
}

fn against_baseline(
    condition: &Condition,
    change: f64,
    contest: &Contest<'_>,
    tail: f64,
) -> (Judgement, String) {
    let Figure::Metric(metric) = condition.figure else {
        return (Judgement::Unknown, "errors are counted, not compared".to_owned());
    };
    let Some(baseline) = contest.baseline else {
        return (
            Judgement::Unknown,
            "there is nothing to compare it with".to_owned(),
        );
    };
    let (Some(value), Some(other)) = (metric.of_run(contest.candidate), metric.of_run(baseline)) else {
        return (
            Judgement::Unknown,
            format!("{} was not measured in both runs", metric.title()),
        );
    };
    let Some(evidence) = Evidence::of(metric, baseline, contest) else {
        return (
            Judgement::Unknown,
            format!(
                "{} is not known round by round in both runs: runs of older versions have no histograms",
                metric.title()
            ),
        );
    };
    let figures = format!(
        "{} {} against {}, {}",
        metric.title(),
        metric_value(metric, value),
        metric_value(metric, other),
        percent(evidence.ratio)
    );
    let Some((low, high)) = evidence.bounds(tail) else {
        return (
            Judgement::Unknown,
            format!("{figures}: one round has no interval, so use --rounds 6 or more"),
        );
    };
    let beyond = condition.is_beyond(evidence.ratio - 1.0, change);
    let certain = if condition.above { low > 1.0 } else { high < 1.0 };
    let shown = format!("{figures} [{}, {}]", percent(low), percent(high));
    match (beyond, certain) {
        (true, true) => (Judgement::Failed, shown),
        (true, false) => (
            Judgement::Passed,
            format!("{shown}: beyond the bound, but chance is not ruled out"),
        ),
        (false, _) => (Judgement::Passed, shown),
    }
}

/// "+4.2%" for a ratio of 1.042, as a condition has it.
fn percent(ratio: f64) -> String {
    format!("{:+.1}%", 100.0 * (ratio - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn conditions(texts: &[&str]) -> Vec<Condition> {
        texts
            .iter()
            .map(|t| t.parse().unwrap_or_else(|e| panic!("{e}")))
            .collect()
    }

    fn judgements(
        texts: &[&str],
        candidate: &EngineRun,
        baseline: &EngineRun,
        pairing: Pairing,
    ) -> Vec<Judgement> {
        let contest = Contest {
            candidate,
            baseline: Some(baseline),
            pairing,
            seed: 1,
        };
        judge(&conditions(texts), &[contest])
            .into_iter()
            .map(|j| j.judgement)
            .collect()
    }

    #[test]
    fn a_slower_engine_fails_and_the_same_one_passes() {
        let report = sample::comparison();
        let [fast, slow] = report.engines.as_slice() else {
            panic!("two engines")
        };
        let texts = [
            "throughput<-3%",
            "p99>+5%",
            "p999>+5%",
            "mean>+5%",
            "server-cpu>+5%",
            "memory>+5%",
            "errors>0",
        ];
        for pairing in [Pairing::Paired, Pairing::Unpaired] {
            let worse = judgements(&texts, slow, fast, pairing);
            assert_eq!(worse[..6], [Judgement::Failed; 6], "{pairing:?}");
            assert_eq!(worse[6], Judgement::Passed, "no errors");
            assert_eq!(judgements(&texts, fast, fast, pairing), [Judgement::Passed; 7]);
            assert_eq!(
                judgements(&texts, fast, slow, pairing),
                [Judgement::Passed; 7],
                "better is not worse"
            );
        }
    }

    #[test]
    fn absolute_bounds_are_of_the_candidate_alone() {
        let report = sample::clean();
        let run = &report.engines[0];
        let contest = Contest {
            candidate: run,
            baseline: None,
            pairing: Pairing::Unpaired,
            seed: 1,
        };
        let got = judge(
            &conditions(&[
                "p99>1us",
                "p99>10s",
                "throughput<1m",
                "throughput<1",
                "errors>=0",
                "p99>+1%",
            ]),
            &[contest],
        );
        let expected = [
            Judgement::Failed,
            Judgement::Passed,
            Judgement::Failed,
            Judgement::Passed,
            Judgement::Failed,
            Judgement::Unknown,
        ];
        assert_eq!(got.iter().map(|j| j.judgement).collect::<Vec<_>>(), expected);
    }

    /// A gate that silently passes what it cannot see is none.
    #[test]
    fn what_cannot_be_judged_does_not_pass() {
        let report = sample::comparison();
        let (fast, mut slow) = (report.engines[0].clone(), report.engines[1].clone());
        for round in &mut slow.rounds {
            round.histogram = None;
            round.server_cpu_ns_per_op = None;
        }
        slow.server.cpu_ns_per_op = None;
        let texts = ["p90>+5%", "server-cpu>+5%", "p99>+5%"];
        let got = judgements(&texts, &slow, &fast, Pairing::Unpaired);
        assert_eq!(got, [Judgement::Unknown, Judgement::Unknown, Judgement::Failed]);
        slow.rounds.truncate(1);
        assert_eq!(
            judgements(&["p99>+5%"], &slow, &fast, Pairing::Unpaired),
            [Judgement::Unknown]
        );
    }

    #[test]
    fn more_conditions_need_wider_intervals() {
        let evidence = Evidence {
            ratio: 1.1,
            interval: Some(RatioInterval {
                low: 1.01,
                high: 1.2,
                confidence: 0.95,
                method: crate::report::model::IntervalMethod::Bootstrap,
            }),
            degrees: 8.0,
        };
        let (low, _) = evidence.bounds(0.025).expect("an interval");
        assert!((low - 1.01).abs() < 1e-6, "one condition: the printed interval");
        let (low, _) = evidence.bounds(0.05 / 24.0).expect("an interval");
        assert!(low < 1.0, "{low}");
    }
}

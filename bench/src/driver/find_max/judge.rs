//! Whether a trial holds: first of all the rate must have been carried, then every objective counts.

use super::search::Reading;
use crate::report::model::EngineRun;
use crate::report::units;
use crate::stats::slo::{Figure, Objective};

/// A rate is reached when so much of it is.
const REACHED_SHARE: f64 = 0.98;
/// Without an objective for errors at most this share of the operations may fail.
const MOST_FAILED: f64 = 0.001;

/// A trial's figures, judged.
#[derive(Debug)]
pub struct Judgement {
    pub reading: Reading,
    pub reached_share: f64,
    /// What each objective bounds.
    pub values: Vec<f64>,
    /// "holds", or what does not.
    pub words: String,
}

/// Judges the figures of one trial.
pub fn judge(run: &EngineRun, objectives: &[Objective]) -> Judgement {
    let values: Vec<f64> = objectives.iter().map(|objective| objective.value(run)).collect();
    let reached_share = reached_share(run);
    let mut broken = Vec::new();
    let mut margin = 0.0f64;
    let missed = run.open_loop.as_ref().map_or(0, |open| open.missed);
    if missed > 0 {
        broken.push(format!("{} never sent", units::count(missed)));
        margin = f64::INFINITY;
    } else if reached_share < REACHED_SHARE {
        broken.push(format!("reached {}", units::share(reached_share)));
        margin = f64::INFINITY;
    }
    for (objective, &value) in objectives.iter().zip(&values) {
        let holds = objective.holds(value);
        margin = margin.max(match (objective.limit > 0.0, holds) {
            (true, _) => value / objective.limit,
            (false, true) => 0.0,
            (false, false) => f64::INFINITY,
        });
        if !holds {
            broken.push(format!("{} {}", objective.figure.name(), objective.shown(value)));
        }
    }
    let failed = run.error_count() as f64 / (run.error_count() + run.ops).max(1) as f64;
    let has_limit = objectives
        .iter()
        .any(|objective| objective.figure == Figure::Errors);
    if failed > MOST_FAILED && !has_limit {
        broken.push(format!("{} failed", units::share(failed)));
        margin = margin.max(failed / MOST_FAILED);
    }
    if run.ops == 0 {
        broken.push("nothing answered".to_owned());
        margin = f64::INFINITY;
    }
    Judgement {
        reading: Reading {
            holds: broken.is_empty(),
            margin,
        },
        reached_share,
        values,
        words: if broken.is_empty() {
            "holds".to_owned()
        } else {
            broken.join(", ")
        },
    }
}

/// The part of the rate that was kept up with.
///
/// Every operation that is due is sent in the end, so counting them says nothing about a queue that grows all the time.
/// But what is answered last has waited as long as that queue takes to be worked off: by so much more time the same
/// operations would have come to be done at the rate that was carried.
fn reached_share(run: &EngineRun) -> f64 {
    let Some(last) = run.intervals.last() else {
        return 0.0;
    };
    // An answer takes some time however short the queue is.
    let least_us = run.service_us.as_ref().map_or(0.0, |service| service.min);
    let waited_s = ((last.p50_us - least_us) / 1e6).max(0.0);
    run.seconds / (run.seconds + waited_s).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::{LatencyUs, OpenLoopRun};
    use crate::report::sample;

    fn run() -> EngineRun {
        let mut run = sample::clean().engines.remove(0);
        run.open_loop = Some(OpenLoopRun {
            scheduled: run.ops,
            scheduled_per_sec: run.ops_per_sec,
            missed: 0,
            late: 0,
            delay_us: LatencyUs::default(),
            delay_histogram: None,
        });
        run
    }

    fn objectives(texts: &[&str]) -> Vec<Objective> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_trial_holds_when_all_objectives_do() {
        let run = run();
        let all = judge(&run, &objectives(&["p99<1s", "errors<1%", "max<100s"]));
        assert_eq!((all.reading.holds, all.words.as_str()), (true, "holds"));
        assert_eq!(all.values, [run.latency_us.p99, 0.0, run.latency_us.max]);
        assert!(all.reading.margin < 0.5);
        let one = judge(&run, &objectives(&["p99<1us", "errors<1%"]));
        assert!(!one.reading.holds && one.words.starts_with("p99 "), "{one:?}");
        assert_eq!(one.reading.margin, run.latency_us.p99);
    }

    #[test]
    fn what_was_never_sent_does_not_hold() {
        let mut run = run();
        run.open_loop.as_mut().unwrap().missed = 1;
        let judged = judge(&run, &objectives(&["p99<1s"]));
        assert_eq!(
            (judged.reading.holds, judged.words.as_str()),
            (false, "1 never sent")
        );
        assert_eq!(judged.reading.margin, f64::INFINITY);
    }

    #[test]
    fn failed_operations_have_a_limit_of_their_own_unless_one_is_given() {
        let mut run = run();
        run.errors.insert("OOM".to_owned(), run.ops / 100);
        assert!(!judge(&run, &objectives(&["p99<1s"])).reading.holds);
        assert!(judge(&run, &objectives(&["errors<2%"])).reading.holds);
        assert!(!judge(&run, &objectives(&["errors<=0%"])).reading.holds);
    }

    #[test]
    fn a_queue_that_grows_is_a_rate_that_is_not_reached() {
        let mut run = run();
        run.seconds = 3.0;
        run.intervals.last_mut().unwrap().p50_us = 600_000.0;
        let judged = judge(&run, &objectives(&["errors<1%"]));
        assert!((judged.reached_share - 3.0 / 3.6).abs() < 1e-3, "{judged:?}");
        assert_eq!(
            (judged.reading.holds, judged.words.as_str()),
            (false, "reached 83.3 %")
        );
    }
}

//! `loadgen find-max`: the highest rate at which the objectives hold. Servers are launched and filled once; then trials
//! follow each other, those of two engines in turns.
//!
//! | file | holds |
//! |---|---|
//! | `search` | which rate is tried next: no servers, no clock |
//! | `judge` | whether a trial holds |

mod judge;
pub mod search;
#[cfg(test)]
mod search_tests;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use workloads::Workload;
use workloads::spec::{Arrival, MAX_RATE, OpenLoop, Shape};

use self::judge::judge;
use self::search::{Answer, Bounds, Purpose, Search};
use super::progress::Progress;
use super::session::{Measured, Session, SessionError};
use super::signals::StopFlag;
use super::subject::{Rounds, Subject};
use crate::load::{Ended, Outcome, Plan, Until};
use crate::report::found::{self, FoundRate, Trial};
use crate::report::model::{EngineRun, RoundContext, RunEnd, Step};
use crate::report::units;
use crate::stats;
use crate::stats::slo::Objective;

/// A trial has at least so many operations, or its figures mean nothing.
const LEAST_OPERATIONS: f64 = 100.0;
/// Length of the closed loop that tells where to begin.
const LONGEST_PROBE: Duration = Duration::from_secs(1);

/// What is to be searched for.
#[derive(Clone, Debug)]
pub struct FindMax {
    /// Its spec's arrival is an open loop whose rate means nothing, and its duration that of a trial.
    pub session: Session,
    pub objectives: Vec<Objective>,
    /// As a share: 0.05.
    pub resolution: f64,
}

/// One engine's search.
struct Hunt {
    search: Search,
    ceiling: f64,
    trials: Vec<Trial>,
}

impl FindMax {
    /// Runs the whole search. What was launched has ended when this returns.
    pub fn run(&self, stop: &StopFlag, progress: Progress) -> Result<Measured, SessionError> {
        let mut hunts = Vec::new();
        let mut measured = self.session.run_with(stop, progress, |_, subjects, _| {
            let ended = self.hunt(subjects, &mut hunts, stop, progress);
            for subject in subjects {
                subject
                    .steps
                    .sort_by_key(|rounds| rounds.step.as_ref().map(|step| step.value));
            }
            ended
        })?;
        let report = &mut measured.report;
        let mut names: Vec<String> = report.engines.iter().map(|run| run.info.name()).collect();
        names.dedup();
        let engines: Vec<FoundRate> = names
            .into_iter()
            .zip(hunts)
            .map(|(name, hunt)| hunt.found(name))
            .collect();
        let confirmed: Vec<f64> = engines
            .iter()
            .filter(|found| found.confirmed)
            .filter_map(|found| found.answer.map(|rate| rate as f64))
            .collect();
        let answer = engines.first().and_then(|found| found.answer);
        if let (Some(rate), Arrival::Open(open)) = (answer, self.session.spec.arrival) {
            let mut spec = self.session.spec.clone();
            spec.arrival = at_rate(open, rate as f64);
            report.workload.spec = serde_json::to_value(&spec).context("the workload as JSON")?;
        }
        report.settings.rate = answer.map(|rate| rate as f64);
        report.find_max = Some(found::FindMax {
            objectives: self.objectives.iter().map(ToString::to_string).collect(),
            resolution: self.resolution,
            ratio: match confirmed.as_slice() {
                [first, second] => Some(first / second),
                _ => None,
            },
            engines,
        });
        stats::conclude(report);
        Ok(measured)
    }

    fn hunt(
        &self,
        subjects: &mut [Subject],
        hunts: &mut Vec<Hunt>,
        stop: &StopFlag,
        progress: Progress,
    ) -> Result<RunEnd, SessionError> {
        for subject in subjects.iter_mut() {
            let label = format!("probing {} with a closed loop", subject.engine);
            let plan = self.probe(subject)?;
            let (outcome, _) = self
                .session
                .one_round(&plan, subject, stop, progress, &label)
                .with_context(|| format!("the load on {} failed", subject.engine))?;
            if let Some(end) = end_of(&outcome, subject, stop) {
                return Ok(end);
            }
            let operations: u64 = outcome.commands.iter().map(|command| command.ops).sum();
            let ceiling = operations as f64 / outcome.measured.as_secs_f64().max(f64::MIN_POSITIVE);
            hunts.push(Hunt {
                search: Search::new(self.bounds(ceiling)),
                ceiling,
                trials: Vec::new(),
            });
        }
        for pass in 0.. {
            let mut order: Vec<usize> = (0..subjects.len()).collect();
            if pass % 2 == 1 {
                order.reverse();
            }
            let mut any = false;
            for index in order {
                let Some((rate, purpose)) = hunts[index].search.next() else {
                    continue;
                };
                any = true;
                if let Some(end) = self.trial(
                    &mut subjects[index],
                    &mut hunts[index],
                    (rate, purpose),
                    stop,
                    progress,
                )? {
                    return Ok(end);
                }
            }
            if !any {
                break;
            }
        }
        Ok(RunEnd::Completed)
    }

    fn bounds(&self, ceiling: f64) -> Bounds {
        let floor = (LEAST_OPERATIONS / self.session.spec.run.duration.as_secs_f64()).max(1.0);
        Bounds {
            start: ceiling / 2.0,
            floor,
            cap: MAX_RATE,
            resolution: self.resolution,
        }
    }

    fn trial(
        &self,
        subject: &mut Subject,
        hunt: &mut Hunt,
        (rate, purpose): (f64, Purpose),
        stop: &StopFlag,
        progress: Progress,
    ) -> Result<Option<RunEnd>, SessionError> {
        let Arrival::Open(open) = self.session.spec.arrival else {
            return Err(anyhow::anyhow!("a search of rates needs an open loop").into());
        };
        let workload = self.workload(at_rate(open, rate))?;
        let number = hunt.trials.len() as u32;
        let label = format!(
            "trial {} of {}: {} a second",
            number + 1,
            subject.engine,
            units::count(rate as u64)
        );
        let depth = self.session.spec.run.pipeline.first().copied().unwrap_or(1);
        let plan = self.session.plan(&workload, subject, depth, number);
        let (outcome, context) = self
            .session
            .one_round(&plan, subject, stop, progress, &label)
            .with_context(|| format!("the load on {} failed", subject.engine))?;
        let end = end_of(&outcome, subject, stop);
        // A trial that was broken off says nothing about its rate.
        if end.is_none() {
            let step = Step {
                parameter: "rate".to_owned(),
                value: rate as u64,
            };
            let info = subject.info(Some(step.clone()));
            let run = EngineRun::from_outcomes(
                info,
                std::slice::from_ref(&outcome),
                std::slice::from_ref(&context),
            );
            let judgement = judge(&run, &self.objectives);
            hunt.search.tell(judgement.reading);
            progress.say(format_args!(
                "  p50 {}, p99 {}: {}",
                units::latency(run.latency_us.p50),
                units::latency(run.latency_us.p99),
                judgement.words
            ));
            hunt.trials.push(Trial {
                rate: step.value,
                purpose: purpose.into(),
                reached_share: judgement.reached_share,
                p50_us: run.latency_us.p50,
                p99_us: run.latency_us.p99,
                values: judgement.values,
                holds: judgement.reading.holds,
                verdict: judgement.words,
            });
            keep(subject, step, outcome, context);
        }
        Ok(end)
    }

    fn probe(&self, subject: &Subject) -> Result<Plan, SessionError> {
        let workload = self.workload(Arrival::Closed)?;
        let depth = self.session.spec.run.pipeline.first().copied().unwrap_or(1);
        let plan = self.session.plan(&workload, subject, depth, 0);
        Ok(Plan {
            until: match plan.until {
                Until::Duration(length) => Until::Duration(length.min(LONGEST_PROBE)),
                requests => requests,
            },
            ..plan
        })
    }

    fn workload(&self, arrival: Arrival) -> Result<Arc<Workload>, SessionError> {
        let mut spec = self.session.spec.clone();
        spec.arrival = arrival;
        Ok(spec.compile(self.session.seed)?)
    }
}

impl Hunt {
    fn found(self, engine: String) -> FoundRate {
        let (answer, confirmed) = match self.search.answer() {
            Some(Answer::Confirmed(rate)) => (Some(rate), true),
            Some(Answer::Unconfirmed(rate)) => (Some(rate), false),
            Some(Answer::Nothing) => (None, false),
            // Broken off: the best that is known.
            None => (self.search.bracket().0, false),
        };
        FoundRate {
            engine,
            ceiling: self.ceiling,
            answer: answer.map(|rate| rate as u64),
            confirmed,
            trials: self.trials,
        }
    }
}

impl From<Purpose> for found::Purpose {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Bracket => Self::Bracket,
            Purpose::Bisect => Self::Bisect,
            Purpose::ConfirmBelow => Self::ConfirmBelow,
            Purpose::ConfirmAbove => Self::ConfirmAbove,
        }
    }
}

fn at_rate(open: OpenLoop, rate: f64) -> Arrival {
    Arrival::Open(OpenLoop {
        rate,
        shape: Shape::Steady,
        ..open
    })
}

/// Repeated trials of one rate are rounds of one step.
fn keep(subject: &mut Subject, step: Step, outcome: Outcome, context: RoundContext) {
    let place = subject
        .steps
        .iter()
        .position(|rounds| rounds.step.as_ref() == Some(&step));
    let place = place.unwrap_or_else(|| {
        subject.steps.push(Rounds {
            step: Some(step),
            ..Rounds::default()
        });
        subject.steps.len() - 1
    });
    subject.steps[place].outcomes.push(outcome);
    subject.steps[place].contexts.push(context);
}

/// Why the search cannot go on after this round, if it cannot.
fn end_of(outcome: &Outcome, subject: &mut Subject, stop: &StopFlag) -> Option<RunEnd> {
    if let Some(reason) = subject.dead_node() {
        return Some(RunEnd::TargetLost { reason });
    }
    match &outcome.ended {
        Ended::TargetLost(reason) => Some(RunEnd::TargetLost {
            reason: reason.clone(),
        }),
        Ended::Interrupted => Some(RunEnd::Interrupted),
        Ended::Completed => stop.is_raised().then_some(RunEnd::Interrupted),
    }
}

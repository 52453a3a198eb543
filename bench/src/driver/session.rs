//! One run from its start to its report: launch or inspect, preload, rounds in turns, arithmetic.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use thiserror::Error;
use workloads::spec::{Fault, FaultKind};
use workloads::{Spec, SpecError, Workload};

use super::cluster::{LaunchError, LaunchPlan};
use super::engine::Engine;
use super::environment;
use super::existing;
use super::network::Network;
use super::noise::NoiseMeter;
use super::order::interleaved;
use super::prepare;
use super::process::Bond;
use super::progress::Progress;
use super::shape::Shape;
use super::signals::StopFlag;
use super::subject::{Rounds, Subject};
use super::workspace::Workspace;
use crate::load::{Auth, Ended, HostPort};
use crate::report::EngineLog;
use crate::report::model::{EngineRun, LostKey, Report, RunEnd, SCHEMA, Settings, WorkloadInfo};
use crate::stats;

mod plan;
mod rounds;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Session {
    /// With the flags of the command line applied.
    pub spec: Spec,
    pub seed: u64,
    pub against: Against,
    /// Rounds on each engine; the spec's duration, operations and warm-up are divided among them.
    pub rounds: u32,
    /// Generator threads.
    pub threads: u32,
    pub resp3: bool,
    /// Store every key before measuring.
    pub preload: bool,
    /// Read every key after each round, and tell what became of the writes.
    pub audit: bool,
    /// Follow every write by WAIT for so many replicas.
    pub wait: Option<u32>,
    /// For the report, passwords left out.
    pub command_line: Vec<String>,
    /// The path of this binary.
    pub loadgen: PathBuf,
}

/// Whom the load is for.
#[derive(Clone, Debug)]
pub enum Against {
    /// One engine, or two to be compared.
    Launched {
        engines: Vec<Engine>,
        shape: Shape,
        node_threads: u32,
        directives: Vec<String>,
    },
    Existing {
        seeds: Vec<HostPort>,
        auth: Option<Auth>,
    },
}

/// What a session leaves.
#[derive(Debug)]
pub struct Measured {
    pub report: Report,
    pub logs: Vec<EngineLog>,
    pub workload: Arc<Workload>,
    /// Of each engine, with its label: keys that have lost acknowledged writes.
    pub lost_keys: Vec<(String, Vec<LostKey>)>,
}

/// Why there is nothing to report.
#[derive(Debug, Error)]
pub enum SessionError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error("interrupted before anything was measured")]
    Interrupted,
    #[error(transparent)]
    CannotRun(#[from] anyhow::Error),
}

impl From<LaunchError> for SessionError {
    fn from(error: LaunchError) -> Self {
        match error {
            LaunchError::Interrupted => Self::Interrupted,
            other => Self::CannotRun(other.into()),
        }
    }
}

impl Session {
    /// Runs everything. What was launched has ended when this returns.
    pub fn run(&self, stop: &StopFlag, progress: Progress) -> Result<Measured, SessionError> {
        self.run_with(stop, progress, |workload, subjects, workspace| {
            self.measure(workload, subjects, workspace, stop, progress)
        })
    }

    /// Runs everything, with rounds of the caller's choice between preload and report.
    pub(super) fn run_with(
        &self,
        stop: &StopFlag,
        progress: Progress,
        measure: impl FnOnce(&Arc<Workload>, &mut [Subject], Option<&Workspace>) -> Result<RunEnd, SessionError>,
    ) -> Result<Measured, SessionError> {
        let workload = self.spec.compile(self.seed)?;
        let started_utc = environment::utc_now();
        let mut environment = environment::describe();
        // Declared before the subjects, and so dropped after them: their files are in it.
        let mut workspace = None;
        let (mut subjects, settings) = match &self.against {
            Against::Launched {
                engines,
                shape,
                node_threads,
                directives,
            } => {
                let workspace = workspace
                    .insert(Workspace::create(&self.loadgen).context("cannot make a temporary directory")?);
                let plan = |engine: &Engine| LaunchPlan {
                    engine: engine.clone(),
                    shape: *shape,
                    node_threads: *node_threads,
                    directives: directives.clone(),
                    first_port: None,
                    namespaces: self.spec.fault.iter().any(is_partition) && Network::permitted(),
                    bond: Bond::DiesWithUs,
                    core: None,
                };
                let subjects = prepare::launch(
                    engines.iter().map(plan),
                    self.resp3,
                    &self.loadgen,
                    workspace,
                    stop,
                    progress,
                )?;
                let replicas = shape.replicas_each;
                (
                    subjects,
                    Settings {
                        launched: true,
                        ..self.settings(shape.primaries, replicas, shape.cluster)
                    },
                )
            }
            Against::Existing { seeds, auth } => {
                let found = existing::inspect(seeds, auth.as_ref())?;
                let primaries = u32::try_from(found.primaries.len()).unwrap_or(u32::MAX);
                let settings = self.settings(primaries, found.replicas / primaries.max(1), found.cluster);
                (
                    vec![Subject::existing(&found, seeds, auth.clone(), self.resp3)],
                    settings,
                )
            }
        };
        let preloaded = if self.preload {
            prepare::preload(&workload, &subjects, self.threads, stop, progress)?
        } else {
            0
        };

        let noise = NoiseMeter::start(&subjects);
        let ended = measure(&workload, &mut subjects, workspace.as_ref())?;
        environment.noise = noise.finish(&subjects, self.knows_servers());

        let mut report = Report {
            schema: SCHEMA.to_owned(),
            started_utc,
            command_line: self.command_line.clone(),
            workload: WorkloadInfo {
                name: self.spec.name.clone(),
                question: self.spec.question.clone(),
                expectation: self.spec.expectation.clone(),
                seed: self.seed,
                stream_hash: format!("{:016x}", workload.stream_hash()),
                preloaded_keys: preloaded,
                spec: serde_json::to_value(&self.spec).context("the workload as JSON")?,
            },
            settings,
            environment,
            engines: Vec::new(),
            comparisons: Vec::new(),
            warnings: Vec::new(),
            ended,
            find_max: None,
            merged: None,
        };
        let mut logs = Vec::new();
        for subject in &subjects {
            for (index, rounds) in subject.steps.iter().enumerate() {
                if rounds.outcomes.is_empty() {
                    continue;
                }
                let step = rounds.step.clone().or_else(|| self.step(index));
                let info = subject.info(step);
                report.engines.push(EngineRun::from_outcomes(
                    info.clone(),
                    &rounds.outcomes,
                    &rounds.contexts,
                ));
                logs.push(EngineLog::from_outcomes(info, &rounds.outcomes, &rounds.contexts));
            }
        }
        if report.engines.is_empty() {
            return Err(match &report.ended {
                RunEnd::TargetLost { reason } => anyhow::anyhow!("nothing was measured: {reason}").into(),
                _ => SessionError::Interrupted,
            });
        }
        stats::conclude(&mut report);
        let lost_keys = subjects
            .iter_mut()
            .map(|subject| (subject.engine.clone(), std::mem::take(&mut subject.lost_keys)))
            .filter(|(_, keys)| !keys.is_empty())
            .collect();
        Ok(Measured {
            lost_keys,
            report,
            logs,
            workload,
        })
    }

    fn measure(
        &self,
        workload: &Arc<Workload>,
        subjects: &mut [Subject],
        workspace: Option<&Workspace>,
        stop: &StopFlag,
        progress: Progress,
    ) -> Result<RunEnd, SessionError> {
        let depths = &self.spec.run.pipeline;
        for subject in subjects.iter_mut() {
            subject.steps.resize_with(depths.len(), Rounds::default);
        }
        for (step, &depth) in depths.iter().enumerate() {
            for (round, index) in interleaved(subjects.len(), self.rounds) {
                if self.has_faults()
                    && (round > 0 || step > 0)
                    && let Some(workspace) = workspace
                {
                    self.start_over(&mut subjects[index], workload, workspace, stop, progress)?;
                }
                let subject = &mut subjects[index];
                subject.enter_network()?;
                let label = self.label(&subject.engine, step, round);
                let plan = self.plan(workload, subject, depth, round);
                let (outcome, context) = self
                    .one_round(&plan, subject, stop, progress, &label)
                    .with_context(|| format!("the load on {} failed", subject.engine))?;
                let ended = outcome.ended.clone();
                let (outcome, context) = self.audited(workload, subject, round, outcome, context, progress);
                // A round that was broken off before its measured time began has nothing to add.
                if outcome.measured > Duration::ZERO {
                    subject.steps[step].outcomes.push(outcome);
                    subject.steps[step].contexts.push(context);
                }
                if !self.has_faults()
                    && let Some(reason) = subject.dead_node()
                {
                    return Ok(RunEnd::TargetLost { reason });
                }
                match ended {
                    Ended::TargetLost(reason) => return Ok(RunEnd::TargetLost { reason }),
                    Ended::Interrupted => return Ok(RunEnd::Interrupted),
                    Ended::Completed if stop.is_raised() => return Ok(RunEnd::Interrupted),
                    Ended::Completed => {}
                }
            }
        }
        Ok(RunEnd::Completed)
    }

    fn has_faults(&self) -> bool {
        !self.spec.fault.is_empty()
    }
}

fn is_partition(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Partition { .. })
}

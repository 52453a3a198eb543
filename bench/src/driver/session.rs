//! One run from its start to its report: launch or inspect, preload, rounds in turns, arithmetic.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use thiserror::Error;
use workloads::spec::{Fault, FaultKind};
use workloads::{Spec, SpecError, Workload};

use super::audit;
use super::cluster::{LaunchError, LaunchPlan, LocalCluster};
use super::engine::Engine;
use super::existing;
use super::faults::{self, Director};
use super::network::Network;
use super::noise::NoiseMeter;
use super::order::interleaved;
use super::process::Bond;
use super::progress::Progress;
use super::shape::Shape;
use super::signals::StopFlag;
use super::subject::{Rounds, Subject};
use super::watcher::{Goal, attend};
use super::workspace::Workspace;
use super::{environment, watcher};
use crate::load::{self, Auth, Ended, HostPort, Plan, PreloadPlan, Until, Watch};
use crate::report::model::{EngineRun, LostKey, Report, RunEnd, SCHEMA, Settings, Step, WorkloadInfo};
use crate::report::{EngineLog, RoundContext, units};
use crate::stats;

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

/// A round shorter than this measures its own edges.
const SHORTEST_ROUND: Duration = Duration::from_millis(100);
/// From this length of a round on its slices are a second long, below a tenth of one.
const LONG_ROUND: Duration = Duration::from_secs(8);
/// Each slice keeps a histogram, so a long round has longer ones instead of more.
const MOST_SLICES: u64 = 900;

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
                };
                let subjects = self.launch(engines.iter().map(plan), workspace, stop, progress)?;
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
            self.preload(&workload, &subjects, stop, progress)?
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

    fn launch(
        &self,
        plans: impl Iterator<Item = LaunchPlan>,
        workspace: &Workspace,
        stop: &StopFlag,
        progress: Progress,
    ) -> Result<Vec<Subject>, SessionError> {
        let mut subjects: Vec<Subject> = Vec::new();
        for plan in plans {
            let (name, version) = (plan.engine.name(), plan.engine.version());
            let _shown = progress.waiting(&format!("starting {name} {version} ({})", plan.shape));
            // Two engines of the same name, say two builds of one server, still need two names for their files.
            let taken = subjects.iter().any(|s| s.engine == name);
            let label = if taken {
                format!("{name}-2")
            } else {
                name.to_owned()
            };
            let dir = workspace
                .subdirectory(&label)
                .context("cannot make a temporary directory")?;
            let cluster = LocalCluster::launch(&plan, &dir, &self.loadgen, stop)?;
            subjects.push(Subject::launched(label, &plan, cluster, self.resp3));
        }
        Ok(subjects)
    }

    /// Stores every key in every subject; returns how many keys that are.
    fn preload(
        &self,
        workload: &Arc<Workload>,
        subjects: &[Subject],
        stop: &StopFlag,
        progress: Progress,
    ) -> Result<u64, SessionError> {
        let keys = workload.preload_len();
        for subject in subjects {
            let plan = PreloadPlan {
                workload: Arc::clone(workload),
                target: subject.target.clone(),
                threads: self.threads,
            };
            let watch = Watch::new();
            let goal = Goal::Operations(keys);
            let shown = progress.phase(
                &format!("storing {} keys in {}", units::count(keys), subject.engine),
                goal.total(),
            );
            let (loaded, _) = attend(&watch, stop, None, goal, &shown, || load::preload(&plan, &watch));
            let loaded = loaded.with_context(|| format!("cannot store the keys in {}", subject.engine))?;
            match loaded.ended {
                Ended::Interrupted => return Err(SessionError::Interrupted),
                Ended::TargetLost(reason) => {
                    return Err(anyhow::anyhow!(
                        "{} was lost while its keys were stored: {reason}",
                        subject.engine
                    )
                    .into());
                }
                Ended::Completed if !loaded.errors.is_empty() => {
                    let classes: Vec<String> = loaded
                        .errors
                        .iter()
                        .map(|(class, n)| format!("{class} {n}"))
                        .collect();
                    let (engine, stored) = (&subject.engine, loaded.stored);
                    let text = format!(
                        "{engine} took {stored} of {keys} keys, the others failed: {}",
                        classes.join(", ")
                    );
                    return Err(anyhow::anyhow!(text).into());
                }
                Ended::Completed => {}
            }
        }
        Ok(keys)
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

    /// A cluster as new, with its keys: what faults have left of the last one is gone.
    fn start_over(
        &self,
        subject: &mut Subject,
        workload: &Arc<Workload>,
        workspace: &Workspace,
        stop: &StopFlag,
        progress: Progress,
    ) -> Result<(), SessionError> {
        {
            let _shown = progress.waiting(&format!("starting {} again", subject.engine));
            let dir = workspace
                .subdirectory(&subject.engine)
                .context("cannot make a temporary directory")?;
            subject.relaunch(&dir, &self.loadgen, stop)?;
        }
        if self.preload {
            self.preload(workload, std::slice::from_ref(subject), stop, progress)?;
        }
        Ok(())
    }

    /// Reads what was written, if that is asked for, and forgets the record of the writes, which is large.
    fn audited(
        &self,
        workload: &Workload,
        subject: &mut Subject,
        round: u32,
        mut outcome: load::Outcome,
        mut context: RoundContext,
        progress: Progress,
    ) -> (load::Outcome, RoundContext) {
        if self.audit {
            let _shown = progress.waiting(&format!("reading what was written to {}", subject.engine));
            let logs = std::mem::take(&mut outcome.writes);
            let (run, lost) = audit::audit(round, workload, &subject.target, &subject.all_nodes(), &logs);
            context.audit = Some(run);
            subject.lost_keys.extend(lost);
        }
        (outcome, context)
    }

    pub(super) fn one_round(
        &self,
        plan: &Plan,
        subject: &mut Subject,
        stop: &StopFlag,
        progress: Progress,
        label: &str,
    ) -> anyhow::Result<(load::Outcome, RoundContext)> {
        let goal = match plan.until {
            Until::Requests(n) => Goal::Operations(n),
            Until::Duration(d) => Goal::Time(d),
        };
        let watch = Watch::new();
        let shown = progress.phase(label, goal.total());
        let (target, probe, cluster) = subject.parts();
        if !self.has_faults() {
            let (outcome, context) = watcher::attend(&watch, stop, Some(probe), goal, &shown, || {
                load::run(plan, &watch)
            });
            return Ok((outcome?, context));
        }
        let shards = faults::shards(target, &[]);
        let planned = faults::plan(&self.spec.fault, shards.len());
        anyhow::ensure!(
            !planned.is_empty(),
            "the fault is for shard {}, and the target has {} (a fault needs a cluster)",
            self.spec.fault[0].shard,
            shards.len()
        );
        let kills = planned
            .iter()
            .any(|fault| matches!(fault.kind, FaultKind::Kill { .. } | FaultKind::Term { .. }));
        let director = Director::new(target, cluster, shards, planned);
        let ((outcome, seen), mut context) = watcher::attend(&watch, stop, Some(probe), goal, &shown, || {
            // The faults are directed from this thread, which has started the nodes; the load has others.
            std::thread::scope(|scope| {
                let load = scope.spawn(|| load::run(plan, &watch));
                let seen = director.direct(&watch, stop, &|| load.is_finished());
                (load.join(), seen)
            })
        });
        context.faults = seen;
        if kills {
            // What a killed process has used cannot be read any more; figures of the others alone would mislead.
            context.servers.clear();
        }
        let outcome = outcome.map_err(|_| anyhow::anyhow!("the load's thread panicked"))?;
        Ok((outcome?, context))
    }

    pub(super) fn plan(
        &self,
        workload: &Arc<Workload>,
        subject: &Subject,
        pipeline: u32,
        round: u32,
    ) -> Plan {
        let clients = self.spec.run.clients;
        let length = self.round_length();
        Plan {
            workload: Arc::clone(workload),
            target: subject.target.clone(),
            clients,
            threads: self.threads.min(clients),
            pipeline,
            until: length,
            warmup: self.spec.run.warmup / self.rounds,
            // Every round goes on where a new set of clients begins; in the same round both engines get the same.
            client_base: round.saturating_mul(clients),
            interval: slice_length(length),
            trace_shards: self.has_faults(),
            audit: self.audit.then_some(round),
            wait: self.wait,
            pin: Vec::new(),
        }
    }

    fn round_length(&self) -> Until {
        match self.spec.run.requests {
            Some(requests) => Until::Requests(requests.div_ceil(u64::from(self.rounds))),
            None => Until::Duration((self.spec.run.duration / self.rounds).max(SHORTEST_ROUND)),
        }
    }

    fn label(&self, engine: &str, step: usize, round: u32) -> String {
        let mut label = format!("measuring {engine}");
        if let Some(step) = self.step(step) {
            label += &format!(", {step}");
        }
        if self.rounds > 1 {
            label += &format!(", round {} of {}", round + 1, self.rounds);
        }
        label
    }

    fn step(&self, index: usize) -> Option<Step> {
        let depths = &self.spec.run.pipeline;
        (depths.len() > 1).then(|| Step {
            parameter: "pipeline".to_owned(),
            value: u64::from(depths[index]),
        })
    }

    /// Whether every server on this machine is known to be one: its work is not taken for that of strangers.
    fn knows_servers(&self) -> bool {
        match &self.against {
            Against::Launched { .. } => true,
            Against::Existing { seeds, .. } => !existing::is_local(seeds),
        }
    }

    fn settings(&self, nodes: u32, replicas: u32, cluster: bool) -> Settings {
        let (duration_s, requests) = match self.round_length() {
            Until::Duration(d) => (Some(d.as_secs_f64()), None),
            Until::Requests(n) => (None, Some(n)),
        };
        Settings {
            clients: self.spec.run.clients,
            threads: self.threads.min(self.spec.run.clients),
            pipeline: self.spec.run.pipeline.first().copied().unwrap_or(1),
            rounds: self.rounds,
            duration_s,
            requests,
            warmup_s: (self.spec.run.warmup / self.rounds).as_secs_f64(),
            arrivals: self.spec.arrival.name().to_owned(),
            rate: self.spec.arrival.rate(),
            protocol: if self.resp3 { 3 } else { 2 },
            nodes,
            replicas,
            cluster,
            launched: false,
        }
    }
}

/// How long the slices of a round are in which its course is shown.
fn slice_length(round: Until) -> Duration {
    match round {
        Until::Duration(length) if length < LONG_ROUND => Duration::from_millis(100),
        Until::Duration(length) => Duration::from_secs(length.as_secs().div_ceil(MOST_SLICES).max(1)),
        Until::Requests(_) => Duration::from_secs(1),
    }
}

fn is_partition(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Partition { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_show_the_course_and_stay_few() {
        let of = |seconds| slice_length(Until::Duration(Duration::from_secs(seconds)));
        assert_eq!(of(2), Duration::from_millis(100));
        assert_eq!(
            (of(10), of(900)),
            (Duration::from_secs(1), Duration::from_secs(1))
        );
        assert_eq!(of(24 * 3600), Duration::from_secs(96));
    }
}

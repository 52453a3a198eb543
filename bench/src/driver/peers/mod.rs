//! Several engines under the same loads, in turns: what each makes of a second of processor time, and of memory.
//!
//! Every engine is one node, bound to one core, in cluster mode where it has one; the generator is bound to another. All
//! of them hold the data at the same time, and only one has a load at a time.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use workloads::Workload;

use super::admin::{Admin, field};
use super::cluster::LaunchPlan;
use super::engine::Engine;
use super::environment;
use super::names::told_apart;
use super::order::interleaved;
use super::prepare;
use super::progress::Progress;
use super::session::SessionError;
use super::signals::StopFlag;
use super::subject::{Rounds, Subject};
use super::watcher::{Goal, attend};
use super::workspace::Workspace;
use crate::load::{self, Ended, Plan, Until, Watch};
use crate::report::EngineRun;
use crate::report::peers::{Cell, CellRun, Data, DataRun, MemoryUse, PeersReport, SCHEMA};

mod grid;

pub use grid::{Effort, Grid, Mix};

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct PeerBench {
    /// The first is compared with each of the others.
    pub engines: Vec<Engine>,
    pub grid: Grid,
    pub effort: Effort,
    pub server_core: usize,
    pub client_core: usize,
    pub seed: u64,
    pub command_line: Vec<String>,
    /// The path of this binary.
    pub loadgen: PathBuf,
}

/// What an entry costs besides key and value, in the most generous of engines: to see whether all will fit.
const ENTRY_BYTES: u64 = 150;
const ASK_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);

impl PeerBench {
    /// Measures everything. A signal ends it with what there is until then.
    pub fn run(&self, stop: &StopFlag, progress: Progress) -> Result<PeersReport, SessionError> {
        self.check_memory()?;
        let mut report = PeersReport {
            schema: SCHEMA,
            started_utc: environment::utc_now(),
            command_line: self.command_line.clone(),
            environment: environment::describe(),
            clients: self.effort.clients,
            rounds: self.effort.rounds,
            round_s: self.effort.round.as_secs_f64(),
            warmup_s: self.effort.warmup.as_secs_f64(),
            engines: self.names(),
            data: Vec::new(),
            interrupted: false,
        };
        report.environment.noise.load_average_before = environment::load_average();
        for (data, mixes) in self.grid.data() {
            match self.measure(data, &mixes, stop, progress) {
                Ok(run) => report.data.push(run),
                Err(SessionError::Interrupted) if !report.data.is_empty() => {}
                Err(error) => return Err(error),
            }
            if stop.is_raised() {
                report.interrupted = true;
                break;
            }
        }
        Ok(report)
    }

    fn names(&self) -> Vec<String> {
        told_apart(self.engines.iter().map(Engine::title))
    }

    fn check_memory(&self) -> Result<(), SessionError> {
        let Some(free) = environment::available_bytes() else {
            return Ok(());
        };
        let of = |(data, _): &(Data, Vec<Mix>)| {
            data.keys * (u64::from(data.value_bytes) + ENTRY_BYTES) * self.engines.len() as u64
        };
        let needed = self.grid.data().iter().map(of).max().unwrap_or(0);
        if needed > free {
            let (needed, free) = (needed >> 20, free >> 20);
            return Err(anyhow!(
                "{} engines with the largest data need about {needed} MiB, and {free} MiB are free: take fewer --keys, a \
                 smaller --data-size, or fewer engines (--peer)",
                self.engines.len()
            )
            .into());
        }
        Ok(())
    }

    fn measure(
        &self,
        data: Data,
        mixes: &[Mix],
        stop: &StopFlag,
        progress: Progress,
    ) -> Result<DataRun, SessionError> {
        // Declared before the subjects, and so dropped after them: their files are in it.
        let workspace = Workspace::create(&self.loadgen).context("cannot make a temporary directory")?;
        let plans = self
            .engines
            .iter()
            .map(|engine| LaunchPlan::one_node(engine, true, self.server_core));
        let mut subjects = prepare::launch(plans, false, &self.loadgen, &workspace, stop, progress)?;
        let workload = |mix| -> Result<Arc<Workload>, SessionError> {
            Ok(grid::spec(data, mix, self.effort)?.compile(self.seed)?)
        };
        let empty: Vec<Memory> = subjects.iter().map(memory).collect();
        prepare::preload(&workload(mixes[0])?, &subjects, 1, stop, progress)?;
        let names = self.names();
        let memory = subjects
            .iter()
            .zip(&empty)
            .zip(&names)
            .map(|((subject, empty), name)| memory(subject).over(empty, data.keys, name));
        let mut run = DataRun {
            data,
            memory: memory.collect(),
            cells: Vec::new(),
        };
        for &mix in mixes {
            let workload = workload(mix)?;
            for &pipeline in &self.grid.pipelines {
                progress.say(format_args!("{data}: {mix}, pipeline {pipeline}"));
                match self.cell(&workload, mix, pipeline, &mut subjects, stop)? {
                    Some(cell) => run.cells.push(cell),
                    None => return Ok(run),
                }
            }
        }
        Ok(run)
    }

    /// One load on all engines; none if a signal came.
    fn cell(
        &self,
        workload: &Arc<Workload>,
        mix: Mix,
        pipeline: u32,
        subjects: &mut [Subject],
        stop: &StopFlag,
    ) -> Result<Option<Cell>, SessionError> {
        let mut rounds: Vec<Rounds> = subjects.iter().map(|_| Rounds::default()).collect();
        for (round, index) in interleaved(subjects.len(), self.effort.rounds) {
            let subject = &mut subjects[index];
            let plan = self.plan(workload, subject, pipeline, round);
            let watch = Watch::new();
            let shown = Progress::Silent.phase("", 0);
            let goal = Goal::Time(self.effort.round);
            let (outcome, context) = attend(&watch, stop, Some(&subject.probe), goal, &shown, || {
                load::run(&plan, &watch)
            });
            let outcome = outcome.with_context(|| format!("the load on {} failed", subject.engine))?;
            if stop.is_raised() {
                return Ok(None);
            }
            if let Some(reason) = subject.dead_node() {
                return Err(anyhow!("{}: {reason}", subject.engine).into());
            }
            if let Ended::TargetLost(reason) = &outcome.ended {
                return Err(anyhow!("{} was lost: {reason}", subject.engine).into());
            }
            if let Some((class, count)) = outcome.errors.iter().next() {
                return Err(anyhow!(
                    "{} answers {mix} with errors ({class}, {count} times)",
                    subject.engine
                )
                .into());
            }
            rounds[index].outcomes.push(outcome);
            rounds[index].contexts.push(context);
        }
        let runs: Vec<EngineRun> = subjects
            .iter()
            .zip(&rounds)
            .map(|(subject, rounds)| {
                EngineRun::from_outcomes(subject.info(None), &rounds.outcomes, &rounds.contexts)
            })
            .collect();
        let cells = runs
            .iter()
            .zip(self.names())
            .map(|(run, name)| CellRun::new(name, run, &runs[0], self.seed));
        Ok(Some(Cell {
            mix: mix.to_string(),
            pipeline,
            runs: cells.collect(),
        }))
    }

    fn plan(&self, workload: &Arc<Workload>, subject: &Subject, pipeline: u32, round: u32) -> Plan {
        Plan {
            workload: Arc::clone(workload),
            target: subject.target.clone(),
            clients: self.effort.clients,
            threads: 1,
            pipeline,
            until: Until::Duration(self.effort.round),
            warmup: self.effort.warmup,
            client_base: round.saturating_mul(self.effort.clients),
            interval: self.effort.round,
            trace_shards: false,
            audit: None,
            wait: None,
            pin: vec![self.client_core],
        }
    }
}

/// What a node says it uses, and what the kernel says; none of what cannot be read.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    used_bytes: Option<u64>,
    rss_bytes: Option<u64>,
}

impl Memory {
    fn over(self, empty: &Self, keys: u64, engine: &str) -> MemoryUse {
        let each = |full: Option<u64>, empty: Option<u64>| {
            Some(full?.saturating_sub(empty?) as f64 / keys.max(1) as f64)
        };
        MemoryUse {
            engine: engine.to_owned(),
            used_bytes_a_key: each(self.used_bytes, empty.used_bytes),
            rss_bytes_a_key: each(self.rss_bytes, empty.rss_bytes),
        }
    }
}

fn memory(subject: &Subject) -> Memory {
    let used = |addr: &load::HostPort| -> Option<u64> {
        let mut admin = Admin::connect(addr, None, ASK_TIMEOUT).ok()?;
        let info = admin.text(&["INFO", "memory"]).ok()?;
        field(&info, "used_memory")?.trim().parse().ok()
    };
    Memory {
        used_bytes: subject.all_nodes().iter().map(used).sum(),
        rss_bytes: subject
            .probe
            .read()
            .values()
            .map(|usage| Some(usage.rss_bytes))
            .sum(),
    }
}

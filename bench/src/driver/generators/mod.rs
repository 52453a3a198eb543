//! Several generators before one server, in turns: what each makes of a second of its own processor time.
//!
//! A generator is measured as a user runs it: its program, from its start to its end. What it does once, such as asking
//! for the slots or writing a report, is no part of an operation's cost; so each round runs it with N operations and with
//! 3 N, and takes the difference. How many operations there were is asked of the server.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};

use super::admin::{Admin, field};
use super::cluster::LaunchPlan;
use super::engine::Engine;
use super::environment;
use super::names::told_apart;
use super::order::interleaved;
use super::peers::Mix;
use super::prepare;
use super::progress::Progress;
use super::session::SessionError;
use super::signals::StopFlag;
use super::subject::Subject;
use super::workspace::Workspace;
use crate::load::HostPort;
use crate::report::generators::{Cell, CellRun, GeneratorsReport, Mode, Round, SCHEMA};

mod child;
mod generator;

use child::{Runner, Took};
pub use generator::{Generator, check};

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct GeneratorBench {
    pub engine: Engine,
    /// The first is compared with each of the others.
    pub generators: Vec<Generator>,
    pub modes: Vec<Mode>,
    pub mixes: Vec<Mix>,
    pub pipelines: Vec<u32>,
    pub clients: u32,
    pub keys: u64,
    pub value_bytes: u32,
    pub rounds: u32,
    /// How long the operations of a round that count shall take.
    pub round: Duration,
    pub server_core: usize,
    pub client_core: usize,
    pub seed: u64,
    pub command_line: Vec<String>,
    /// The path of this binary.
    pub loadgen: PathBuf,
}

const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// Writes to random keys, for each key there is: all but one in three thousand are there then.
const WRITES_A_KEY: u64 = 8;
const FILL_PIPELINE: u32 = 64;
/// The operations of the shortest run there is.
const FEW: u64 = 20_000;
/// What the first trial of a generator's speed has more than that.
const TRIAL: u64 = 100_000;
/// A trial that takes less than this longer than the shortest run tells of chance rather than of speed.
const TRIAL_TIME: Duration = Duration::from_millis(250);
/// No trial is longer.
const MAX_TRIAL: u64 = 100_000_000;
/// How often a round is tried.
const ATTEMPTS: u32 = 5;
/// The long run of a round has so many times the operations of the short one.
const LONG: u64 = 3;

/// One mode of the server, with what is needed to run generators before it.
struct Stage<'a> {
    bench: &'a GeneratorBench,
    mode: Mode,
    server: HostPort,
    runner: Runner<'a>,
    scratch: PathBuf,
}

/// A generator's run, and the operations that the server has seen of it.
#[derive(Clone, Copy, Debug)]
struct Run {
    took: Took,
    ops: u64,
}

impl GeneratorBench {
    /// Measures everything. A signal ends it with what there is until then.
    pub fn run(&self, stop: &StopFlag, progress: Progress) -> Result<GeneratorsReport, SessionError> {
        let mut report = GeneratorsReport {
            schema: SCHEMA,
            started_utc: environment::utc_now(),
            command_line: self.command_line.clone(),
            environment: environment::describe(),
            server: self.engine.title(),
            keys: self.keys,
            value_bytes: self.value_bytes,
            clients: self.clients,
            rounds: self.rounds,
            round_s: self.round.as_secs_f64(),
            generators: self.names(),
            cells: Vec::new(),
            interrupted: false,
        };
        report.environment.noise.load_average_before = environment::load_average();
        for &mode in &self.modes {
            match self.measure(mode, &mut report.cells, stop, progress) {
                Err(SessionError::Interrupted) if !report.cells.is_empty() => {
                    report.interrupted = true;
                    break;
                }
                other => other?,
            }
        }
        Ok(report)
    }

    fn names(&self) -> Vec<String> {
        told_apart(self.generators.iter().map(Generator::title))
    }

    fn measure(
        &self,
        mode: Mode,
        cells: &mut Vec<Cell>,
        stop: &StopFlag,
        progress: Progress,
    ) -> Result<(), SessionError> {
        // Declared before the subjects, and so dropped after them: their files are in it.
        let workspace = Workspace::create(&self.loadgen).context("cannot make a temporary directory")?;
        let plans = std::iter::once(LaunchPlan::one_node(
            &self.engine,
            mode == Mode::Cluster,
            self.server_core,
        ));
        let mut subjects = prepare::launch(plans, false, &self.loadgen, &workspace, stop, progress)?;
        let subject = subjects.first_mut().context("one server was launched")?;
        let scratch = workspace
            .subdirectory("generators")
            .context("cannot make a temporary directory")?;
        let stage = Stage {
            bench: self,
            mode,
            server: subject.target.seeds.first().context("it has an address")?.clone(),
            runner: Runner {
                loadgen: &self.loadgen,
                core: self.client_core,
                log: scratch.join("said"),
                stop,
            },
            scratch: scratch.join("results"),
        };
        stage.fill(progress)?;
        for &mix in &self.mixes {
            for &pipeline in &self.pipelines {
                progress.say(format_args!("{mode}: {mix}, pipeline {pipeline}"));
                cells.push(stage.cell(mix, pipeline, subject)?);
            }
        }
        Ok(())
    }
}

impl Stage<'_> {
    /// Generators name their keys differently: each stores its own.
    fn fill(&self, progress: Progress) -> Result<(), SessionError> {
        let writes = self.bench.keys * WRITES_A_KEY;
        for generator in &self.bench.generators {
            progress.say(format_args!(
                "{}: storing the keys of {}",
                self.mode,
                generator.title()
            ));
            self.generate(generator, Mix::Set, FILL_PIPELINE, writes)?;
        }
        Ok(())
    }

    /// One load by all generators.
    fn cell(&self, mix: Mix, pipeline: u32, subject: &mut Subject) -> Result<Cell, SessionError> {
        let generators = &self.bench.generators;
        let mut sizes = Vec::new();
        for generator in generators {
            sizes.push(self.size(generator, mix, pipeline)?);
        }
        let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); generators.len()];
        for (_, index) in interleaved(generators.len(), self.bench.rounds) {
            let generator = &generators[index];
            let round = self.round(generator, mix, pipeline, sizes[index])?;
            rounds[index].push(round);
            if let Some(reason) = subject.dead_node() {
                return Err(anyhow!("{}: {reason}", subject.engine).into());
            }
        }
        let names = self.bench.names();
        let runs = names
            .into_iter()
            .zip(&rounds)
            .map(|(name, of_it)| CellRun::new(name, of_it, &rounds[0], self.bench.seed));
        Ok(Cell {
            server_mode: self.mode,
            load: mix.to_string(),
            pipeline,
            runs: runs.collect(),
        })
    }

    /// A short run and a long one; both again if others had the machine for so long that the long one took no longer.
    fn round(
        &self,
        generator: &Generator,
        mix: Mix,
        pipeline: u32,
        size: u64,
    ) -> Result<Round, SessionError> {
        for _ in 0..ATTEMPTS {
            let short = self.generate(generator, mix, pipeline, size)?;
            let long = self.generate(generator, mix, pipeline, size * LONG)?;
            if let Some(round) = difference(&short, &long) {
                return Ok(round);
            }
        }
        Err(anyhow!(
            "{}: {mix}, pipeline {pipeline}: {ATTEMPTS} times a run of {} operations took no longer than one of a third, so \
             nothing can be said; give it a longer --duration",
            generator.title(),
            size * LONG
        )
        .into())
    }

    /// How many operations the short run of a round has, so that those by which the long one has more take a round.
    fn size(&self, generator: &Generator, mix: Mix, pipeline: u32) -> Result<u64, SessionError> {
        let short = self.generate(generator, mix, pipeline, FEW)?;
        let mut more = TRIAL;
        loop {
            let long = self.generate(generator, mix, pipeline, FEW + more)?;
            let took = long.took.time.saturating_sub(short.took.time);
            if took >= TRIAL_TIME || more >= MAX_TRIAL {
                return Ok(short_size(more, took, self.bench.round));
            }
            more *= 4;
        }
    }

    fn generate(
        &self,
        generator: &Generator,
        mix: Mix,
        pipeline: u32,
        operations: u64,
    ) -> Result<Run, SessionError> {
        let command = generator.command(&generator::Job {
            server: &self.server,
            mode: self.mode,
            mix,
            pipeline,
            clients: self.bench.clients,
            keys: self.bench.keys,
            value_bytes: self.bench.value_bytes,
            operations,
            scratch: &self.scratch,
        })?;
        let before = self.commands_processed()?;
        let took = self.runner.run(&command)?;
        let ops = self.commands_processed()?.saturating_sub(before);
        if ops < operations {
            return Err(anyhow!(
                "{} was to send {operations} operations, the server has seen {ops}",
                generator.title()
            )
            .into());
        }
        Ok(Run { took, ops })
    }

    fn commands_processed(&self) -> anyhow::Result<u64> {
        let mut admin = Admin::connect(&self.server, None, ASK_TIMEOUT)?;
        let info = admin.text(&["INFO", "stats"])?;
        let count = field(&info, "total_commands_processed").and_then(|text| text.trim().parse().ok());
        count.context("the server does not say how many commands it has processed (INFO stats)")
    }
}

/// What the long run had more than the short one; none if that is nothing.
fn difference(short: &Run, long: &Run) -> Option<Round> {
    let cpu_s = long.took.cpu.checked_sub(short.took.cpu)?.as_secs_f64();
    let time_s = long.took.time.checked_sub(short.took.time)?.as_secs_f64();
    let ops = long.ops.checked_sub(short.ops)?;
    (ops > 0 && cpu_s > 0.0 && time_s > 0.0).then_some(Round { ops, cpu_s, time_s })
}

/// See [`Stage::size`]; `ops` operations have taken so long.
fn short_size(ops: u64, took: Duration, round: Duration) -> u64 {
    let of_round = ops as f64 * round.as_secs_f64() / took.max(TRIAL_TIME / 100).as_secs_f64();
    (of_round as u64 / (LONG - 1)).max(FEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ops: u64, cpu_ms: u64, time_ms: u64) -> Run {
        Run {
            took: Took {
                cpu: Duration::from_millis(cpu_ms),
                time: Duration::from_millis(time_ms),
            },
            ops,
        }
    }

    #[test]
    fn what_is_done_once_is_in_no_figure() {
        // 200 ms of start and report, and 10 us an operation.
        let round = difference(&run(10_005, 300, 400), &run(30_005, 500, 600)).unwrap();
        assert_eq!(round.ops, 20_000);
        assert!((round.ops_per_cpu_sec() - 100_000.0).abs() < 1e-6);
        assert!((round.ops_per_sec() - 100_000.0).abs() < 1e-6);
        assert_eq!(difference(&run(10, 300, 400), &run(30, 300, 500)), None);
        assert_eq!(difference(&run(10, 300, 400), &run(30, 200, 500)), None);
    }

    #[test]
    fn the_difference_lasts_a_round() {
        let second = Duration::from_secs(1);
        // 100 k/s: the long run has 100 k operations more than the short one.
        assert_eq!(short_size(100_000, second, second), 50_000);
        assert_eq!(short_size(100_000, second, second / 100), FEW);
        assert!(
            short_size(100_000, Duration::ZERO, second) >= FEW,
            "a trial that took no time"
        );
    }
}

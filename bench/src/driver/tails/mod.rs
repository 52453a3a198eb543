//! Engines through events that hurt: what clients that come at a steady rate see of each.
//!
//! Every engine is one node, bound to one core, in cluster mode where it has one; the generator, and whoever makes the
//! events happen, are bound to another. A round on one engine:
//!
//! ```text
//!   prepare     FLUSHALL, store what the event needs, wait until the node has no work left
//!   load        ├ warm-up ┤├─ a quarter ─┤ event ├──────────── three quarters ────────────┤
//!   prober                 PING every millisecond, on a connection of its own
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `event` | the events, the load of each |
//! | `prepare` | what an engine gets before a round |
//! | `round` | one round: load, event and prober at once |
//! | `moment`, `prober` | where the load is; the longest wait for an answer |

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};

use super::cluster::LaunchPlan;
use super::engine::Engine;
use super::environment;
use super::names::told_apart;
use super::order::interleaved;
use super::process::stay_on;
use super::progress::Progress;
use super::session::SessionError;
use super::signals::StopFlag;
use super::subject::Subject;
use super::workspace::Workspace;
use crate::report::tails::{EngineRounds, Figures, SCHEMA, TailsCase, TailsReport};
use crate::report::units;

mod event;
mod moment;
mod prepare;
mod prober;
mod round;

pub use event::{Event, Sizes};
use event::{Load, VALUE_BYTES};
use round::Round;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct TailBench {
    pub engines: Vec<Engine>,
    pub events: Vec<Event>,
    pub sizes: Sizes,
    pub clients: u32,
    /// Operations a second; none is half of what the engine carries that is the slowest at SET.
    pub rate: Option<f64>,
    pub rounds: u32,
    /// Length of a round, but of growth, which lasts until all keys are there.
    pub round: Duration,
    pub warmup: Duration,
    pub server_core: usize,
    pub client_core: usize,
    pub seed: u64,
    pub command_line: Vec<String>,
    /// The path of this binary.
    pub loadgen: PathBuf,
}

/// What a key or a field costs besides its value, in the most generous of engines: to see whether all will fit.
const ENTRY_BYTES: u64 = 150;
/// How long it is looked what an engine carries.
const CALIBRATION: Duration = Duration::from_secs(2);

impl TailBench {
    /// Measures everything. A signal ends it with what there is until then.
    pub fn run(&self, stop: &StopFlag, progress: Progress) -> Result<TailsReport, SessionError> {
        self.check_memory()?;
        let mut report = TailsReport {
            schema: SCHEMA,
            started_utc: environment::utc_now(),
            command_line: self.command_line.clone(),
            environment: environment::describe(),
            clients: self.clients,
            rate_ops: 0.0,
            rounds: self.rounds,
            round_s: self.round.as_secs_f64(),
            engines: self.names(),
            cases: Vec::new(),
            interrupted: false,
        };
        report.environment.noise.load_average_before = environment::load_average();
        // Everything that is started from here on inherits it, but for the nodes, which are bound to a core of their own.
        // Where it is not permitted the run still is right, only noisier.
        let _ = stay_on(self.client_core);
        // Declared before the subjects, and so dropped after them: their files are in it.
        let workspace = Workspace::create(&self.loadgen).context("cannot make a temporary directory")?;
        let plans = self
            .engines
            .iter()
            .map(|engine| LaunchPlan::one_node(engine, true, self.server_core));
        let mut subjects = super::prepare::launch(plans, false, &self.loadgen, &workspace, stop, progress)?;
        report.rate_ops = match self.rate {
            Some(rate) => rate,
            None => self.half_of_the_slowest(&mut subjects, stop, progress)?,
        };
        for &event in &self.events {
            match self.case(event, report.rate_ops, &mut subjects, stop, progress) {
                Ok(case) => report.cases.push(case),
                Err(SessionError::Interrupted) if !report.cases.is_empty() => {
                    report.interrupted = true;
                    break;
                }
                Err(error) => return Err(error),
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
        let of = |event: &Event| {
            let keys = event.held_keys(self.sizes) * (u64::from(VALUE_BYTES) + ENTRY_BYTES);
            let fields = if event.has_hash() { self.sizes.fields } else { 0 };
            (keys + fields * ENTRY_BYTES) * self.engines.len() as u64
        };
        let needed = self.events.iter().map(of).max().unwrap_or(0);
        if needed > free {
            let (needed, free) = (needed >> 20, free >> 20);
            return Err(anyhow!(
                "{} engines need about {needed} MiB for the largest event, and {free} MiB are free: take fewer --keys, \
                 --expiring or --fields, or fewer engines (--peer)",
                self.engines.len()
            )
            .into());
        }
        Ok(())
    }

    /// What every engine carries while it still has as much time left.
    fn half_of_the_slowest(
        &self,
        subjects: &mut [Subject],
        stop: &StopFlag,
        progress: Progress,
    ) -> Result<f64, SessionError> {
        let mut slowest = f64::INFINITY;
        for subject in subjects {
            let load = Load {
                clients: self.clients,
                rate: None,
                length: CALIBRATION.min(self.round),
                warmup: self.warmup,
            };
            let spec = event::spec(Event::ControlSet, self.sizes, load)?;
            let workload = spec.compile(self.seed)?;
            self.store(&workload, subject, stop)?;
            let round = Round {
                event: Event::ControlSet,
                workload: &workload,
                load,
                number: 0,
                expire_at: None,
            };
            let figures = self.measure(&round, subject, stop)?;
            progress.say(format_args!(
                "{} carries {} SETs a second",
                subject.engine,
                units::rate(figures.ops_per_sec)
            ));
            slowest = slowest.min(figures.ops_per_sec);
        }
        Ok((slowest / 2.0).floor().max(1.0))
    }

    /// One event, all rounds on all engines.
    fn case(
        &self,
        event: Event,
        rate: f64,
        subjects: &mut [Subject],
        stop: &StopFlag,
        progress: Progress,
    ) -> Result<TailsCase, SessionError> {
        progress.say(format_args!("{event}: {}", event.title(self.sizes)));
        let load = Load {
            clients: self.clients,
            rate: Some(rate),
            length: match event {
                Event::Growth => {
                    Duration::from_secs_f64(self.sizes.keys as f64 / f64::from(self.rounds) / rate)
                }
                _ => self.round,
            },
            // New keys count from the first on.
            warmup: if event == Event::Growth {
                Duration::ZERO
            } else {
                self.warmup
            },
        };
        let workload = event::spec(event, self.sizes, load)?.compile(self.seed)?;
        let mut all: Vec<Vec<Figures>> = subjects.iter().map(|_| Vec::new()).collect();
        for (number, index) in interleaved(subjects.len(), self.rounds) {
            let subject = &mut subjects[index];
            let round = Round {
                event,
                workload: &workload,
                load,
                number,
                expire_at: self.make_ready(event, number, &workload, subject, stop)?,
            };
            all[index].push(self.measure(&round, subject, stop)?);
            prepare::check(event, subject)?;
        }
        Ok(TailsCase {
            event: event.to_string(),
            title: event.title(self.sizes),
            runs: self
                .names()
                .into_iter()
                .zip(all)
                .map(|(engine, rounds)| EngineRounds::new(engine, rounds))
                .collect(),
        })
    }
}

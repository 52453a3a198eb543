//! One round: the load, the event on its way, and a prober beside them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, anyhow};
use hdrhistogram::Histogram;
use workloads::Workload;

use super::TailBench;
use super::event::{BYSTANDERS, Event, Load};
use super::moment::Moment;
use super::prepare::{admin, unix_ms};
use super::prober::{self, Gap};
use crate::driver::admin::{Admin, AdminError};
use crate::driver::progress::Progress;
use crate::driver::session::SessionError;
use crate::driver::signals::StopFlag;
use crate::driver::subject::Subject;
use crate::driver::watcher::{Goal, attend};
use crate::load::{self, Ended, Plan, RaiseOnDrop, Until, Watch};
use crate::measure::empty_histogram;
use crate::report::outcome::Outcome;
use crate::report::tails::Figures;

/// Operations that may wait for their replies on one connection: with one alone, what was due during a stall would be
/// made up for at the pace of one answer at a time.
const WINDOW: u32 = 16;
/// How often it is looked whether all keys that expired are gone.
const LOOK: Duration = Duration::from_millis(20);

/// From the beginning of the measured time to the event.
pub fn event_at(round: Duration) -> Duration {
    round / 4
}

/// What a round is about.
pub struct Round<'a> {
    pub event: Event,
    pub workload: &'a Arc<Workload>,
    pub load: Load,
    /// Which of the rounds.
    pub number: u32,
    /// When keys expire, if that is the event: unix time in milliseconds.
    pub expire_at: Option<u64>,
}

impl TailBench {
    pub(super) fn measure(
        &self,
        round: &Round<'_>,
        subject: &mut Subject,
        stop: &StopFlag,
    ) -> Result<Figures, SessionError> {
        let plan = self.plan(round, subject);
        let (mut actor, mut prober) = (admin(subject)?, admin(subject)?);
        let watch = Watch::new();
        let over = AtomicBool::new(false);
        let moment = Moment {
            watch: &watch,
            over: &over,
        };
        let (outcome, done, gap) = thread::scope(|scope| {
            let acting = scope.spawn(|| act(&mut actor, round, moment));
            let probing = scope.spawn(|| prober::longest_gap(&mut prober, moment));
            let outcome = {
                // Also when the load panics: the scope waits for the other threads.
                let _over = RaiseOnDrop(&over);
                let shown = Progress::Silent.phase("", 0);
                let goal = Goal::Time(round.load.length);
                attend(&watch, stop, None, goal, &shown, || load::run(&plan, &watch)).0
            };
            (outcome, acting.join(), probing.join())
        });
        if stop.is_raised() {
            return Err(SessionError::Interrupted);
        }
        if let Some(reason) = subject.dead_node() {
            return Err(anyhow!("{}: {reason}", subject.engine).into());
        }
        let outcome = outcome.with_context(|| format!("the load on {} failed", subject.engine))?;
        if let Ended::TargetLost(reason) = &outcome.ended {
            return Err(anyhow!("{} was lost: {reason}", subject.engine).into());
        }
        let panicked = |_| anyhow!("a thread beside the load panicked");
        let done = done.map_err(panicked)?.context("making the event happen")?;
        let gap = gap.map_err(panicked)?.context("probing")?;
        Ok(figures(&outcome, gap, done))
    }

    fn plan(&self, round: &Round<'_>, subject: &Subject) -> Plan {
        Plan {
            workload: Arc::clone(round.workload),
            target: subject.target.clone(),
            clients: self.clients,
            threads: 1,
            pipeline: if round.load.rate.is_some() { WINDOW } else { 1 },
            until: Until::Duration(round.load.length),
            warmup: round.load.warmup,
            client_base: round.number.saturating_mul(self.clients),
            interval: round.load.length,
            trace_shards: false,
            audit: None,
            wait: None,
            pin: vec![self.client_core],
        }
    }
}

/// Makes the event happen; returns how long it took: until the reply to its command, or until keys that expired were
/// no longer counted. None if there is no event, or its end was not seen while the load lasted.
fn act(admin: &mut Admin, round: &Round<'_>, moment: Moment<'_>) -> Result<Option<Duration>, AdminError> {
    if !moment.wait_for(event_at(round.load.length)) {
        return Ok(None);
    }
    if let Some(command) = round.event.command() {
        let began = Instant::now();
        admin.call(command)?;
        return Ok(Some(began.elapsed()));
    }
    let Some(expire_at) = round.expire_at else {
        return Ok(None);
    };
    while !moment.is_past() {
        let keys = admin.call(&["DBSIZE"])?.as_integer();
        if keys.is_some_and(|keys| keys <= BYSTANDERS as i64) {
            let now = unix_ms(SystemTime::now());
            return Ok(Some(Duration::from_millis(now.saturating_sub(expire_at))));
        }
        thread::sleep(LOOK);
    }
    Ok(None)
}

fn figures(outcome: &Outcome, gap: Gap, done: Option<Duration>) -> Figures {
    let mut latency: Histogram<u64> = empty_histogram();
    for command in &outcome.commands {
        // The sum grows as needed, so adding cannot fail.
        let added = latency.add(&command.latency);
        debug_assert!(added.is_ok());
    }
    let us = |ns: u64| ns as f64 / 1e3;
    let at = |quantile| us(latency.value_at_quantile(quantile));
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    Figures {
        ops: latency.len(),
        ops_per_sec: latency.len() as f64 / outcome.measured.as_secs_f64().max(1e-9),
        missed: outcome.open.as_ref().map_or(0, |open| open.missed),
        failed: outcome.errors.values().sum(),
        absent: outcome.misses,
        p50_us: at(0.5),
        p99_us: at(0.99),
        p999_us: at(0.999),
        max_us: us(latency.max()),
        gap_ms: ms(gap.length),
        gap_at_ms: ms(gap.at),
        done_ms: done.map(ms),
    }
}

//! Runs a piece of load on this thread while another looks on: it passes a signal on, reads what the servers use
//! at the edges of the measured time, and paints the progress bar.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::progress::Phase as Shown;
use super::signals::StopFlag;
use super::usage::{Usage, UsageProbe, between};
use crate::load::{Phase, RaiseOnDrop, Watch};
use crate::report::model::RoundContext;

/// What the bar counts.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    Operations(u64),
    Time(Duration),
}

impl Goal {
    /// The total in the bar's own unit.
    pub fn total(self) -> u64 {
        match self {
            Self::Operations(n) => n,
            Self::Time(time) => time.as_millis() as u64,
        }
    }
}

/// Until the measured time begins every moment counts, afterwards a late look costs nothing: the servers are
/// idle by then.
const POLL_BEFORE: Duration = Duration::from_millis(1);
const POLL_DURING: Duration = Duration::from_millis(20);
const PAINT: Duration = Duration::from_millis(120);

/// Calls `work`; returns what it does, and what was seen meanwhile.
pub fn attend<T>(
    watch: &Watch,
    stop: &StopFlag,
    probe: Option<&UsageProbe>,
    goal: Goal,
    shown: &Shown,
    work: impl FnOnce() -> T,
) -> (T, RoundContext) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| look_on(watch, stop, probe, goal, shown, &over));
        let result = {
            // Also when `work` panics: the scope waits for the other thread.
            let _over = RaiseOnDrop(&over);
            work()
        };
        (result, looking.join().unwrap_or_default())
    })
}

fn look_on(
    watch: &Watch,
    stop: &StopFlag,
    probe: Option<&UsageProbe>,
    goal: Goal,
    shown: &Shown,
    over: &AtomicBool,
) -> RoundContext {
    let mut context = RoundContext::default();
    let mut before: Option<(Instant, BTreeMap<String, Usage>)> = None;
    let mut sampled = false;
    let mut painted = Instant::now();
    loop {
        let is_over = over.load(Ordering::Acquire);
        if stop.is_raised() {
            watch.stop();
        }
        let measuring = watch.phase() == Phase::Measuring;
        if before.is_none() && (measuring || is_over) {
            context.started_unix_ms = unix_ms();
            let usage = probe.map(UsageProbe::read).unwrap_or_default();
            // A round that is over by now was too short to be read: no figure is better than a wrong one.
            let in_time = watch.phase() == Phase::Measuring;
            before = Some((Instant::now(), if in_time { usage } else { BTreeMap::new() }));
        }
        if let Some((began, usage)) = &before {
            if !sampled && (!measuring || is_over) {
                context.servers = probe.map(|p| between(usage, &p.read())).unwrap_or_default();
                sampled = true;
            }
            if painted.elapsed() >= PAINT {
                paint(watch, goal, shown, *began);
                painted = Instant::now();
            }
        }
        if before.is_none()
            && watch.phase() == Phase::WarmingUp
            && shown.is_painted()
            && painted.elapsed() >= PAINT
        {
            shown.at(0, "warming up");
            painted = Instant::now();
        }
        if is_over {
            return context;
        }
        std::thread::sleep(if before.is_none() {
            POLL_BEFORE
        } else {
            POLL_DURING
        });
    }
}

fn paint(watch: &Watch, goal: Goal, shown: &Shown, began: Instant) {
    if !shown.is_painted() {
        return;
    }
    let (ops, elapsed) = (watch.ops(), began.elapsed());
    let position = match goal {
        Goal::Operations(_) => ops,
        Goal::Time(_) => elapsed.as_millis() as u64,
    };
    let rate = ops as f64 / elapsed.as_secs_f64().max(1e-3);
    let errors = match watch.errors() {
        0 => String::new(),
        n => format!(", {n} errors"),
    };
    shown.at(
        position.min(goal.total()),
        format!("{:.0} k ops/s{errors}", rate / 1e3),
    );
}

/// Milliseconds since 1970.
pub fn unix_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::progress::Progress;

    #[test]
    fn a_round_that_ends_before_the_first_reading_has_no_figures_of_the_servers() {
        let probe = UsageProbe::Processes(vec![("127.0.0.1:1".to_owned(), std::process::id())]);
        let shown = Progress::detect(true).phase("measuring", 1);
        let goal = Goal::Operations(1);
        let seen = |work: fn(&Watch)| {
            let watch = Watch::new();
            let stop = StopFlag::default();
            attend(&watch, &stop, Some(&probe), goal, &shown, || work(&watch))
                .1
                .servers
        };
        assert!(seen(|_| {}).is_empty());
        assert!(seen(|watch| watch.enter(Phase::Done)).is_empty());
        // How long a reading takes to come depends on the machine's load, so a round may have to be longer.
        let rounds: [fn(&Watch); 3] = [
            |watch| measure_for(watch, Duration::from_millis(200)),
            |watch| measure_for(watch, Duration::from_secs(2)),
            |watch| measure_for(watch, Duration::from_secs(20)),
        ];
        assert!(rounds.into_iter().any(|round| seen(round).len() == 1));
    }

    fn measure_for(watch: &Watch, span: Duration) {
        watch.enter(Phase::Measuring);
        let began = Instant::now();
        while began.elapsed() < span {
            // May return early: the end of a thread of the round before has left it a token.
            std::thread::park_timeout(Duration::from_millis(10));
        }
        watch.enter(Phase::Done);
    }
}

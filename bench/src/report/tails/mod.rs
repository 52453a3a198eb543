//! Engines through events that hurt: the model (tails.json), and the tables of it.

use serde::Serialize;

use super::model::Environment;

mod csv;
mod markdown;

pub use csv::write_csv;
pub use markdown::markdown;

/// The value of [`TailsReport::schema`].
pub const SCHEMA: &str = "slotmark-tails/1";

/// One run of `loadgen bench-tails`.
#[derive(Clone, Debug, Serialize)]
pub struct TailsReport {
    pub schema: &'static str,
    /// RFC 3339 in UTC.
    pub started_utc: String,
    pub command_line: Vec<String>,
    pub environment: Environment,
    pub clients: u32,
    /// Operations that are due in a second, of all clients together.
    pub rate_ops: f64,
    /// Rounds of each event on each engine, in turns.
    pub rounds: u32,
    /// Length of a round of all events but growth.
    pub round_s: f64,
    /// With their versions.
    pub engines: Vec<String>,
    pub cases: Vec<TailsCase>,
    /// A signal ended it before all was measured.
    pub interrupted: bool,
}

/// One event on all engines.
#[derive(Clone, Debug, Serialize)]
pub struct TailsCase {
    pub event: String,
    /// The event in words.
    pub title: String,
    pub runs: Vec<EngineRounds>,
}

/// One event on one engine.
#[derive(Clone, Debug, Serialize)]
pub struct EngineRounds {
    pub engine: String,
    /// Of each figure by itself, as the other two. What an engine does every time is in its best round as well; what the
    /// machine does to it now and then is not.
    pub best: Figures,
    pub median: Figures,
    pub worst: Figures,
    pub rounds: Vec<Figures>,
}

/// What one round measured. Latencies are response times: from when an operation was due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    pub ops: u64,
    pub ops_per_sec: f64,
    /// Operations that were due and never sent.
    pub missed: u64,
    /// Operations that were sent and not answered, or by an error.
    pub failed: u64,
    /// Operations whose key was not there, which is an answer.
    pub absent: u64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    pub max_us: f64,
    /// The longest wait of a prober that asks every millisecond.
    pub gap_ms: f64,
    /// When that wait began, since the measured time did. Of the best, median and worst: 0.
    pub gap_at_ms: f64,
    /// How long the event took: until its command was answered, or until all keys that expired were gone. None if
    /// there is none, or it was not over when the round was.
    pub done_ms: Option<f64>,
}

impl EngineRounds {
    /// # Panics
    /// Without any rounds, which no engine has.
    pub fn new(engine: String, rounds: Vec<Figures>) -> Self {
        Self {
            engine,
            best: of_each(&rounds, |sorted| sorted[0]),
            median: of_each(&rounds, |sorted| sorted[sorted.len() / 2]),
            worst: of_each(&rounds, |sorted| sorted[sorted.len() - 1]),
            rounds,
        }
    }
}

/// Puts together what `choose` takes of each figure, given those of all rounds, the best first.
fn of_each(rounds: &[Figures], choose: impl Fn(&[f64]) -> f64) -> Figures {
    let figure = |of: &dyn Fn(&Figures) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        choose(&all)
    };
    let count = |of: &dyn Fn(&Figures) -> u64| figure(&|round| of(round) as f64) as u64;
    // Fewer are worse.
    let fewer = |of: &dyn Fn(&Figures) -> f64| -figure(&|round| -of(round));
    // What was not over in its round is the worst there is.
    let done = figure(&|round| round.done_ms.unwrap_or(f64::INFINITY));
    Figures {
        ops: fewer(&|round| round.ops as f64) as u64,
        ops_per_sec: fewer(&|round| round.ops_per_sec),
        missed: count(&|round| round.missed),
        failed: count(&|round| round.failed),
        absent: count(&|round| round.absent),
        p50_us: figure(&|round| round.p50_us),
        p99_us: figure(&|round| round.p99_us),
        p999_us: figure(&|round| round.p999_us),
        max_us: figure(&|round| round.max_us),
        gap_ms: figure(&|round| round.gap_ms),
        // It belongs to one gap and is no better or worse than another.
        gap_at_ms: 0.0,
        done_ms: done.is_finite().then_some(done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_the_median_and_the_worst_are_of_each_figure_by_itself() {
        let round = |ops, p999_us, max_us, done_ms| Figures {
            ops,
            ops_per_sec: ops as f64,
            p999_us,
            max_us,
            done_ms,
            ..Figures::default()
        };
        let rounds = vec![
            round(90, 5.0, 9.0, Some(1.0)),
            round(100, 1.0, 30.0, None),
            round(95, 2.0, 20.0, Some(3.0)),
        ];
        let run = EngineRounds::new("a".to_owned(), rounds);
        assert_eq!(run.median, round(95, 2.0, 20.0, Some(3.0)));
        assert_eq!(run.best, round(100, 1.0, 9.0, Some(1.0)));
        assert_eq!(run.worst, round(90, 5.0, 30.0, None));
        let even = vec![round(1, 1.0, 1.0, None), round(2, 2.0, 2.0, None)];
        // Of an even number of rounds the median is the worse one of the middle.
        assert_eq!(EngineRounds::new("b".to_owned(), even).median.p999_us, 2.0);
    }
}

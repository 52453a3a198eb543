//! When operations are due in an open loop: a rate that may change over time, and arrivals drawn from it.
//!
//! The schedule is made before anything is sent and asks nobody: what a server does cannot move it. Arrivals are
//! computed in units of operations and mapped to time through the integral of the rate, so a constant stream and a
//! Poisson stream follow a ramp or a burst alike.

use std::sync::Arc;
use std::time::Duration;

use rand::rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::spec::{Arrival, OpenLoop, Process, Shape};

/// The rate over time, in operations a second of all clients together.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    segments: Vec<Segment>,
    /// After the last segment the first comes again.
    repeats: bool,
}

/// A stretch of time in which the rate is constant or changes evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Segment {
    start_s: f64,
    /// Infinite for the last segment of a schedule that does not repeat.
    length_s: f64,
    from: f64,
    to: f64,
    /// Operations due before it.
    before: f64,
}

impl Segment {
    fn ops(&self) -> f64 {
        self.length_s * (self.from + self.to) / 2.0
    }

    /// Seconds from its start until so many operations of it are due.
    fn time_of(&self, ops: f64) -> f64 {
        // With an infinite length the rate is constant.
        if self.length_s.is_infinite() || self.from == self.to {
            return ops / self.from;
        }
        // from·t + (to - from)/(2·length)·t² = ops, in the form that stays exact when the slope is small.
        let slope = (self.to - self.from) / self.length_s;
        let root = (self.from * self.from + 2.0 * slope * ops).max(0.0).sqrt();
        2.0 * ops / (self.from + root)
    }

    fn ops_until(&self, seconds: f64) -> f64 {
        if self.length_s.is_infinite() || self.from == self.to {
            return self.from * seconds;
        }
        let slope = (self.to - self.from) / self.length_s;
        self.from * seconds + slope * seconds * seconds / 2.0
    }
}

impl Schedule {
    /// The schedule of a run of this length. After its end the last rate goes on.
    pub fn new(open: &OpenLoop, length: Duration) -> Self {
        let rate = open.rate;
        let length_s = length.as_secs_f64();
        let (pieces, repeats) = match open.shape {
            Shape::Steady => (vec![(f64::INFINITY, rate, rate)], false),
            Shape::Ramp { to } => (vec![(length_s, rate, to), (f64::INFINITY, to, to)], false),
            Shape::Step { to, steps } => {
                let each_s = length_s / f64::from(steps);
                let level = |step: u32| match steps {
                    1 => rate,
                    _ => rate + (to - rate) * f64::from(step) / f64::from(steps - 1),
                };
                let last = level(steps - 1);
                let steps = (0..steps).map(|step| (each_s, level(step), level(step)));
                (steps.chain([(f64::INFINITY, last, last)]).collect(), false)
            }
            Shape::Burst { to, every, length } => {
                let (every_s, burst_s) = (every.as_secs_f64(), length.as_secs_f64());
                (vec![(every_s - burst_s, rate, rate), (burst_s, to, to)], true)
            }
        };
        let mut segments: Vec<Segment> = Vec::with_capacity(pieces.len());
        let (mut start_s, mut before) = (0.0, 0.0);
        for (length_s, from, to) in pieces {
            let segment = Segment {
                start_s,
                length_s,
                from,
                to,
                before,
            };
            start_s += length_s;
            before += segment.ops();
            segments.push(segment);
        }
        Self { segments, repeats }
    }

    /// A constant rate for ever.
    fn steady(rate: f64) -> Self {
        Self {
            segments: vec![Segment {
                start_s: 0.0,
                length_s: f64::INFINITY,
                from: rate,
                to: rate,
                before: 0.0,
            }],
            repeats: false,
        }
    }

    /// Length of one pass and the operations in it.
    fn pass(&self) -> (f64, f64) {
        let last = &self.segments[self.segments.len() - 1];
        (last.start_s + last.length_s, last.before + last.ops())
    }

    /// When so many operations are due, in seconds from the start; infinite when that never happens.
    pub fn time_of(&self, ops: f64) -> f64 {
        let (mut offset_s, mut ops) = (0.0, ops);
        if self.repeats {
            let (pass_s, pass_ops) = self.pass();
            let passes = (ops / pass_ops).floor();
            offset_s = passes * pass_s;
            ops -= passes * pass_ops;
        }
        let at = self.segments.partition_point(|segment| segment.before <= ops);
        // The first segment begins with zero, so there is one before; stretches without operations are passed over.
        let segment = &self.segments[at.max(1) - 1];
        let left = ops - segment.before;
        if left == 0.0 && segment.from == 0.0 && segment.to == 0.0 {
            return f64::INFINITY;
        }
        if left == 0.0 {
            return offset_s + segment.start_s;
        }
        offset_s + segment.start_s + segment.time_of(left)
    }

    /// How many operations are due in the first `seconds`.
    pub fn ops_until(&self, seconds: f64) -> f64 {
        let (mut before, mut seconds) = (0.0, seconds);
        if self.repeats {
            let (pass_s, pass_ops) = self.pass();
            let passes = (seconds / pass_s).floor();
            before = passes * pass_ops;
            seconds -= passes * pass_s;
        }
        let at = self
            .segments
            .partition_point(|segment| segment.start_s <= seconds);
        let segment = &self.segments[at.max(1) - 1];
        before + segment.before + segment.ops_until(seconds - segment.start_s)
    }
}

/// The moments at which one client's operations are due.
#[derive(Debug, Clone)]
pub struct Arrivals {
    schedule: Arc<Schedule>,
    clients: f64,
    /// In operations of all clients.
    at: f64,
    /// `None` for a constant stream.
    rng: Option<Xoshiro256PlusPlus>,
}

impl Arrivals {
    /// Those of client number `client` of `clients`.
    pub(crate) fn new(
        schedule: Arc<Schedule>,
        process: Process,
        client: u32,
        clients: u32,
        seed: u64,
    ) -> Self {
        let clients_f = f64::from(clients.max(1));
        match process {
            // All clients together send at even distances, each in its turn.
            Process::Constant => Self {
                schedule,
                clients: clients_f,
                at: f64::from(client),
                rng: None,
            },
            // Independent streams add up to a Poisson stream of the whole rate.
            Process::Poisson => {
                let mut arrivals = Self {
                    schedule,
                    clients: clients_f,
                    at: 0.0,
                    rng: Some(Xoshiro256PlusPlus::seed_from_u64(seed)),
                };
                arrivals.advance();
                arrivals
            }
        }
    }

    /// When the next operation is due, in nanoseconds from the start; `None` when there will be no more.
    pub fn next_ns(&mut self) -> Option<u64> {
        let due_s = self.schedule.time_of(self.at);
        self.advance();
        // More than 500 years are as good as never.
        (due_s < 1.8e10).then_some((due_s * 1e9) as u64)
    }

    fn advance(&mut self) {
        self.at += match &mut self.rng {
            None => self.clients,
            Some(rng) => {
                // Uniform in (0, 1]: the logarithm of zero is none.
                let uniform = ((rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64;
                -uniform.ln() * self.clients
            }
        };
    }
}

impl Arrival {
    /// "closed", "constant" or "poisson".
    pub fn name(&self) -> &'static str {
        match self {
            Arrival::Closed => "closed",
            Arrival::Open(open) => match open.process {
                Process::Constant => "constant",
                Process::Poisson => "poisson",
            },
        }
    }

    /// Operations a second at the start of an open loop.
    pub fn rate(&self) -> Option<f64> {
        match self {
            Arrival::Closed => None,
            Arrival::Open(open) => Some(open.rate),
        }
    }

    /// The schedule of a round of this length; `None` in a closed loop.
    pub fn schedule(&self, length: Duration) -> Option<Arc<Schedule>> {
        match self {
            Arrival::Closed => None,
            Arrival::Open(open) => Some(Arc::new(Schedule::new(open, length))),
        }
    }

    /// The schedule of a warm-up: the rate with which the measured part begins.
    pub fn warmup_schedule(&self) -> Option<Arc<Schedule>> {
        match self {
            Arrival::Closed => None,
            Arrival::Open(open) => Some(Arc::new(Schedule::steady(open.rate))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LENGTH: Duration = Duration::from_secs(10);

    fn open(rate: f64, process: Process, shape: Shape) -> OpenLoop {
        OpenLoop { process, rate, shape }
    }

    fn all(open: &OpenLoop, clients: u32, until_s: f64) -> Vec<u64> {
        let schedule = Arc::new(Schedule::new(open, LENGTH));
        let mut due: Vec<u64> = (0..clients)
            .flat_map(|client| {
                let mut arrivals = Arrivals::new(
                    Arc::clone(&schedule),
                    open.process,
                    client,
                    clients,
                    u64::from(client) + 7,
                );
                std::iter::from_fn(move || arrivals.next_ns())
                    .take_while(|&due| (due as f64) < until_s * 1e9)
                    .collect::<Vec<_>>()
            })
            .collect();
        due.sort_unstable();
        due
    }

    fn between(due: &[u64], from_s: f64, to_s: f64) -> usize {
        let ns = |s: f64| (s * 1e9) as u64;
        due.iter()
            .filter(|&&due| due >= ns(from_s) && due < ns(to_s))
            .count()
    }

    #[test]
    fn constant_arrivals_are_evenly_spaced_at_any_number_of_clients() {
        for clients in [1, 3, 50] {
            let due = all(&open(1000.0, Process::Constant, Shape::Steady), clients, 10.0);
            assert_eq!(due.len(), 10_000, "{clients} clients");
            assert!(
                due.windows(2)
                    .all(|pair| (pair[1] - pair[0]).abs_diff(1_000_000) <= 1),
                "{clients} clients"
            );
        }
    }

    /// Gaps of a Poisson stream are exponential: Kolmogorov and Smirnov's distance is below its 0.1 % bound.
    #[test]
    fn poisson_gaps_are_exponential() {
        let due = all(&open(2000.0, Process::Poisson, Shape::Steady), 8, 10.0);
        let n = due.len() as f64;
        assert!((n - 20_000.0).abs() < 5.0 * 20_000f64.sqrt(), "{n}");
        let mut gaps: Vec<f64> = due
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) as f64 * 2000.0 / 1e9)
            .collect();
        gaps.sort_by(f64::total_cmp);
        let count = gaps.len() as f64;
        let distance = gaps
            .iter()
            .enumerate()
            .map(|(i, gap)| {
                let cdf = 1.0 - (-gap).exp();
                (cdf - i as f64 / count)
                    .abs()
                    .max((cdf - (i + 1) as f64 / count).abs())
            })
            .fold(0.0, f64::max);
        assert!(distance < 1.95 / count.sqrt(), "distance {distance}");
    }

    #[test]
    fn a_ramp_grows_evenly() {
        let due = all(&open(0.0, Process::Constant, Shape::Ramp { to: 1000.0 }), 4, 10.0);
        assert!(due.len().abs_diff(5000) <= 1, "{}", due.len());
        // A quarter of them in the first half.
        assert!(between(&due, 0.0, 5.0).abs_diff(1250) <= 1);
        let down = all(&open(1000.0, Process::Constant, Shape::Ramp { to: 0.0 }), 4, 30.0);
        assert!(
            down.len().abs_diff(5000) <= 1,
            "none after the end: {}",
            down.len()
        );
    }

    #[test]
    fn steps_are_equally_long_and_high() {
        let due = all(
            &open(100.0, Process::Constant, Shape::Step { to: 500.0, steps: 5 }),
            3,
            10.0,
        );
        let counts: Vec<usize> = (0..5)
            .map(|step| between(&due, f64::from(step) * 2.0, f64::from(step + 1) * 2.0))
            .collect();
        assert_eq!(counts, [200, 400, 600, 800, 1000]);
    }

    #[test]
    fn bursts_come_again() {
        let shape = Shape::Burst {
            to: 5000.0,
            every: Duration::from_secs(2),
            length: Duration::from_millis(500),
        };
        let due = all(&open(100.0, Process::Constant, shape), 7, 10.0);
        for cycle in 0..5 {
            let start = f64::from(cycle) * 2.0;
            assert!(between(&due, start, start + 1.5).abs_diff(150) <= 1);
            assert!(between(&due, start + 1.5, start + 2.0).abs_diff(2500) <= 1);
        }
    }

    fn shapes() -> impl Strategy<Value = Shape> {
        prop_oneof![
            Just(Shape::Steady),
            (0.0..5000.0f64).prop_map(|to| Shape::Ramp { to }),
            (0.0..5000.0f64, 1u32..20).prop_map(|(to, steps)| Shape::Step { to, steps }),
            (1.0..5000.0f64, 10u64..3000, 1u64..9).prop_map(|(to, every, part)| Shape::Burst {
                to,
                every: Duration::from_millis(every),
                length: Duration::from_millis(every) * part as u32 / 10,
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn time_and_operations_are_inverse_and_ascend(shape in shapes(), rate in 1.0..2000.0f64) {
            let schedule = Schedule::new(&open(rate, Process::Constant, shape), LENGTH);
            let mut last = 0.0;
            for op in 0..2000 {
                let at = schedule.time_of(f64::from(op));
                prop_assert!(at >= last, "{at} after {last}");
                last = at;
                if at.is_finite() && at < 1e6 {
                    let back = schedule.ops_until(at);
                    prop_assert!((back - f64::from(op)).abs() < 1e-3 * f64::from(op).max(1.0), "{op} became {back}");
                }
            }
        }
    }
}

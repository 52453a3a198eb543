//! The promises of a gate, on hundreds of imagined pairs of runs: no alarm where there is nothing, and one where there is.
//!
//! The noise of rounds is what a shared machine shows: a few percent each, some rounds hit by a neighbour, and rounds
//! that follow each other alike (a first-order autoregression). Seeded, so that the outcome is always the same.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::{Condition, Contest, Judgement, Pairing, judge};
use crate::report::model::{EngineRun, RoundRun};
use crate::report::sample;

const RUNS: u64 = 200;

/// How a machine disturbs the rounds.
#[derive(Debug, Clone, Copy)]
struct Noise {
    /// Standard deviation of a round's throughput and median latency; p99 has twice as much.
    deviation: f64,
    /// Correlation of a round with the one before it.
    memory: f64,
    /// Share of rounds that a neighbour slows down by up to six deviations.
    hit_share: f64,
}

const STEADY: Noise = Noise {
    deviation: 0.02,
    memory: 0.0,
    hit_share: 0.0,
};
const DISTURBED: Noise = Noise {
    deviation: 0.03,
    memory: 0.0,
    hit_share: 0.1,
};
const SLUGGISH: Noise = Noise {
    deviation: 0.03,
    memory: 0.5,
    hit_share: 0.05,
};

fn uniform(rng: &mut Xoshiro256PlusPlus) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

fn normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
    (0..12).map(|_| uniform(rng)).sum::<f64>() - 6.0
}

impl Noise {
    /// Logarithms of how much slower each of some rounds is.
    fn slowdowns(self, rounds: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<f64> {
        let mut state = normal(rng);
        (0..rounds)
            .map(|_| {
                state = self.memory * state + (1.0 - self.memory.powi(2)).sqrt() * normal(rng);
                let hit = if uniform(rng) < self.hit_share {
                    6.0 * uniform(rng)
                } else {
                    0.0
                };
                self.deviation * (state + hit)
            })
            .collect()
    }
}

/// A run whose rounds are slowed down so, and whose operations take `delay` times as long.
fn run(template: &EngineRun, slowdowns: &[f64], delay: f64, rng: &mut Xoshiro256PlusPlus) -> EngineRun {
    let round = |slowdown: &f64| RoundRun {
        ops_per_sec: 150_000.0 / delay * (-slowdown).exp(),
        p50_us: 200.0 * delay * slowdown.exp(),
        p99_us: 800.0 * delay * (2.0 * slowdown + 0.02 * normal(rng)).exp(),
        ..template.rounds[0].clone()
    };
    EngineRun {
        rounds: slowdowns.iter().map(round).collect(),
        ..template.clone()
    }
}

/// Nothing but what a condition reads: the sample's tables are long.
fn template() -> EngineRun {
    let mut run = sample::clean().engines.remove(0);
    run.slots.clear();
    run.intervals.clear();
    run.latency_curve.clear();
    run.rounds.iter_mut().for_each(|round| round.histogram = None);
    run
}

/// Share of comparisons in which the gate fails.
fn failed_share(conditions: &[&str], noise: Noise, rounds: usize, delay: f64, pairing: Pairing) -> f64 {
    let conditions: Vec<Condition> = conditions
        .iter()
        .map(|c| c.parse().expect("a condition"))
        .collect();
    let template = template();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(20_261_127);
    let failed = (0..RUNS).filter(|seed| {
        let (a, b) = match pairing {
            Pairing::Unpaired => (
                noise.slowdowns(rounds, &mut rng),
                noise.slowdowns(rounds, &mut rng),
            ),
            // In turns: what disturbs a round disturbs its pair, but for a little.
            Pairing::Paired => {
                let common = noise.slowdowns(rounds, &mut rng);
                let other = common.iter().map(|s| s + 0.01 * normal(&mut rng)).collect();
                (common, other)
            }
        };
        let baseline = run(&template, &a, 1.0, &mut rng);
        let candidate = run(&template, &b, delay, &mut rng);
        let contest = Contest {
            candidate: &candidate,
            baseline: Some(&baseline),
            pairing,
            seed: *seed,
        };
        judge(&conditions, &[contest])
            .iter()
            .any(|j| j.judgement != Judgement::Passed)
    });
    failed.count() as f64 / RUNS as f64
}

#[test]
fn a_run_against_itself_raises_at_most_one_false_alarm_in_twenty() {
    for noise in [STEADY, DISTURBED, SLUGGISH] {
        // Bounds of nothing leave the interval alone to hold the promise.
        for (rounds, conditions) in [
            (3, &["throughput<0%"][..]),
            (6, &["throughput<0%"]),
            (12, &["throughput<0%"]),
            (6, &["throughput<0%", "p50>0%", "p99>0%"]),
            (6, &["throughput<-3%", "p99>+5%"]),
        ] {
            let share = failed_share(conditions, noise, rounds, 1.0, Pairing::Unpaired);
            assert!(
                share <= 0.05,
                "{noise:?}, {rounds} rounds, {conditions:?}: {share}"
            );
        }
    }
}

#[test]
fn rounds_in_turns_raise_no_more() {
    for noise in [STEADY, SLUGGISH] {
        for conditions in [&["throughput<0%"][..], &["throughput<-3%", "p99>+5%"]] {
            let share = failed_share(conditions, noise, 6, 1.0, Pairing::Paired);
            assert!(share <= 0.05, "{noise:?}, {conditions:?}: {share}");
        }
    }
}

/// Every operation takes a tenth longer.
#[test]
fn a_delay_of_ten_percent_is_found() {
    for (noise, rounds, pairing, least) in [
        (STEADY, 6, Pairing::Unpaired, 0.95),
        (DISTURBED, 12, Pairing::Unpaired, 0.8),
        (SLUGGISH, 12, Pairing::Unpaired, 0.8),
        (SLUGGISH, 6, Pairing::Paired, 0.99),
    ] {
        let share = failed_share(&["p50>+5%", "throughput<-3%"], noise, rounds, 1.1, pairing);
        assert!(share >= least, "{noise:?}, {rounds} rounds, {pairing:?}: {share}");
    }
}

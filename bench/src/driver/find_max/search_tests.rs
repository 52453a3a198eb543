//! The search against a model of a server, whose true answer is known.

use proptest::prelude::*;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::search::{ABOVE, Answer, BELOW, Bounds, MOST_TRIALS, Reading, Search};

/// One queue with independent arrivals (M/M/1): the response time's percentile p is -ln(1 - p) / (capacity - rate).
struct Server {
    capacity: f64,
    /// Objective on p99, in seconds.
    limit: f64,
    /// Standard deviation of the logarithm of a measured p99.
    noise: f64,
    rng: Xoshiro256PlusPlus,
}

const LN_100: f64 = 4.605_170_185_988_091;

impl Server {
    fn new(capacity: f64, limit: f64, noise: f64, seed: u64) -> Self {
        let rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self {
            capacity,
            limit,
            noise,
            rng,
        }
    }

    /// The highest rate that holds.
    fn truth(&self) -> f64 {
        self.capacity - LN_100 / self.limit
    }

    fn try_rate(&mut self, rate: f64) -> Reading {
        let spare = self.capacity - rate;
        if spare <= 0.0 {
            return Reading {
                holds: false,
                margin: f64::INFINITY,
            };
        }
        let p99 = LN_100 / spare * (self.noise * self.normal()).exp();
        Reading {
            holds: p99 < self.limit,
            margin: p99 / self.limit,
        }
    }

    /// The sum of twelve uniforms is normal enough.
    fn normal(&mut self) -> f64 {
        (0..12)
            .map(|_| (self.rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64)
            .sum::<f64>()
            - 6.0
    }
}

struct Found {
    answer: Answer,
    trials: Vec<(f64, bool)>,
}

fn search(bounds: Bounds, mut reading: impl FnMut(f64) -> Reading) -> Found {
    let mut search = Search::new(bounds);
    let mut trials = Vec::new();
    while let Some((rate, _)) = search.next() {
        assert!(trials.len() < MOST_TRIALS as usize, "the search does not end");
        let reading = reading(rate);
        trials.push((rate, reading.holds));
        search.tell(reading);
    }
    Found {
        answer: search.answer().expect("a search that is over has an answer"),
        trials,
    }
}

fn bounds(start: f64) -> Bounds {
    Bounds {
        start,
        floor: 30.0,
        cap: 1e8,
        resolution: 0.05,
    }
}

fn rate_of(answer: Answer) -> Option<f64> {
    match answer {
        Answer::Confirmed(rate) | Answer::Unconfirmed(rate) => Some(rate),
        Answer::Nothing => None,
    }
}

#[test]
fn the_answer_is_within_the_resolution_in_nineteen_of_twenty_searches() {
    const SEEDS: u64 = 2000;
    let (mut good, mut confirmed, mut trials) = (0, 0, 0);
    for seed in 0..SEEDS {
        // Where the objective bends a fifth to a half of the capacity away, and p99 is read to 5 %.
        let capacity = 1_000.0 * (1.0 + (seed % 97) as f64);
        let limit = LN_100 / (capacity * (0.2 + 0.003 * (seed % 100) as f64));
        let mut server = Server::new(capacity, limit, 0.05, seed);
        let truth = server.truth();
        let start = capacity * [0.05, 0.4, 0.5, 3.0][(seed % 4) as usize];
        let found = search(bounds(start), |rate| server.try_rate(rate));
        trials += found.trials.len();
        confirmed += u64::from(matches!(found.answer, Answer::Confirmed(_)));
        let off = (rate_of(found.answer).expect("a rate holds") / truth).ln().abs();
        good += u64::from(off <= 1.05f64.ln());
    }
    assert!(good * 100 >= SEEDS * 95, "{good} of {SEEDS}");
    assert!(confirmed * 100 >= SEEDS * 95, "{confirmed} of {SEEDS} confirmed");
    assert!(trials as u64 <= SEEDS * 20, "{trials} trials in {SEEDS} searches");
}

#[test]
fn without_noise_the_answer_is_exact_and_few_trials_are_needed() {
    let mut server = Server::new(100_000.0, LN_100 / 30_000.0, 0.0, 1);
    let found = search(bounds(50_000.0), |rate| server.try_rate(rate));
    let Answer::Confirmed(rate) = found.answer else {
        panic!("{:?}", found.answer)
    };
    assert!((70_000.0 / 1.05..70_000.0).contains(&rate), "{rate}");
    assert!(found.trials.len() <= 15, "{:?}", found.trials);
}

#[test]
fn a_server_that_holds_nothing_is_said_to() {
    let never = Reading {
        holds: false,
        margin: 9.0,
    };
    let found = search(bounds(50_000.0), |_| never);
    assert_eq!(found.answer, Answer::Nothing);
    assert_eq!(found.trials.last().map(|t| t.0), Some(30.0));
}

#[test]
fn a_server_that_holds_everything_has_no_confirmed_answer() {
    let always = Reading {
        holds: true,
        margin: 0.1,
    };
    let found = search(bounds(50_000.0), |_| always);
    assert_eq!(found.answer, Answer::Unconfirmed(1e8));
}

/// It gets slower as the search goes on: what held does not hold again.
#[test]
fn a_server_that_decays_is_searched_again_and_again_but_not_for_ever() {
    let mut capacity = 100_000.0;
    let found = search(bounds(50_000.0), |rate| {
        capacity *= 0.7;
        Reading {
            holds: rate < capacity,
            margin: if rate < capacity { 0.1 } else { 9.0 },
        }
    });
    assert!(
        !matches!(found.answer, Answer::Confirmed(_)),
        "{:?}",
        found.answer
    );
}

proptest! {
    /// Whatever trials say, the search ends, and its answer is a rate that held and, when confirmed, that was
    /// confirmed by its last two verdicts.
    #[test]
    fn no_answer_is_above_what_held(
        seed in any::<u64>(),
        start in 1.0f64..1e7,
        chaos in 0.0f64..1.0,
        resolution in 0.005f64..0.5,
    ) {
        let mut server = Server::new(50_000.0, LN_100 / 20_000.0, 0.2, seed);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let bounds = Bounds { resolution, ..bounds(start) };
        let found = search(bounds, |rate| {
            let reading = server.try_rate(rate);
            let turned = ((rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64) < 0.3 * chaos;
            Reading { holds: reading.holds != turned, ..reading }
        });
        prop_assert!(found.trials.len() <= MOST_TRIALS as usize);
        let tried = |rate: f64, holds: bool| found.trials.contains(&(rate, holds));
        if let Some(rate) = rate_of(found.answer) {
            prop_assert!(tried(rate, true), "{rate} never held");
        }
        if let Answer::Confirmed(rate) = found.answer {
            let near = |tried: f64, wanted: f64| (tried / wanted - 1.0).abs() < 0.001 || (tried - wanted).abs() <= 1.0;
            let last = found.trials.last().expect("trials");
            prop_assert!(near(last.0, rate * ABOVE) && !last.1, "{last:?} for {rate}");
            prop_assert!(found.trials.iter().any(|t| near(t.0, rate * BELOW) && t.1));
        }
    }
}

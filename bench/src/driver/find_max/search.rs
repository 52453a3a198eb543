//! The search itself, without servers and without a clock: which rate to try next, given what the trials so far said.
//!
//! ```text
//!   bracket   double while the objectives hold, halve while they fail, until one rate holds and a higher one fails
//!   bisect    try the geometric middle, until the two are closer than half the resolution: the other half is for noise
//!   confirm   the lower of the two is the answer, if 0.9 of it holds and 1.2 of it fails;
//!             if not, what was learnt by that stands, and the search goes on from there, a few times
//! ```
//!
//! Measured latency is noisy, so a trial whose figures are near their limits, or one that contradicts an
//! answer, is repeated and the majority counts.

/// A trial that is repeated is so until two agree.
const MAJORITY: u32 = 2;
/// A figure within this factor of its limit is near.
const NEAR: f64 = 1.25;
/// What is confirmed, as factors of the answer.
pub const BELOW: f64 = 0.9;
pub const ABOVE: f64 = 1.2;
/// After so many failed confirmations the answer stays unconfirmed.
const MOST_RESTARTS: u32 = 3;
/// Trials of one search.
pub const MOST_TRIALS: u32 = 80;

/// Bounds of a search, in operations a second.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The first rate to try.
    pub start: f64,
    /// No lower rate is tried.
    pub floor: f64,
    /// No higher rate is tried.
    pub cap: f64,
    /// How close the answer is to be to the highest rate that holds, as a share: 0.05.
    pub resolution: f64,
}

/// What one trial said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    pub holds: bool,
    /// The figure nearest to its limit, or furthest beyond it, divided by that limit; infinite when the rate itself was
    /// not reached.
    pub margin: f64,
}

impl Reading {
    fn is_near(&self) -> bool {
        (1.0 / NEAR..=NEAR).contains(&self.margin)
    }
}

/// Why a rate is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Bracket,
    Bisect,
    ConfirmBelow,
    ConfirmAbove,
}

/// How a search ended; rates in operations a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// The highest rate that holds, confirmed on both sides.
    Confirmed(f64),
    /// This rate held, but the confirmation did not, again and again.
    Unconfirmed(f64),
    /// Not even the lowest rate holds.
    Nothing,
}

/// A search under way.
#[derive(Clone, Debug)]
pub struct Search {
    bounds: Bounds,
    /// The rate under trial, and what for.
    at: f64,
    purpose: Purpose,
    held_votes: u32,
    failed_votes: u32,
    /// Rates by verdict, those that a later trial contradicts left out: every held one is below every failed one.
    held: Vec<f64>,
    failed: Vec<f64>,
    restarts: u32,
    trials: u32,
    answer: Option<Answer>,
}

impl Search {
    pub fn new(bounds: Bounds) -> Self {
        let start = bounds.start.clamp(bounds.floor, bounds.cap);
        Self {
            bounds,
            at: whole(start),
            purpose: Purpose::Bracket,
            held_votes: 0,
            failed_votes: 0,
            held: Vec::new(),
            failed: Vec::new(),
            restarts: 0,
            trials: 0,
            answer: None,
        }
    }

    /// The rate to try now and why; `None` when the search is over.
    pub fn next(&self) -> Option<(f64, Purpose)> {
        self.answer.is_none().then_some((self.at, self.purpose))
    }

    /// The end of the search, if it has ended.
    pub fn answer(&self) -> Option<Answer> {
        self.answer
    }

    /// The highest rate that held and the lowest that failed, so far.
    pub fn bracket(&self) -> (Option<f64>, Option<f64>) {
        (highest(&self.held), lowest(&self.failed))
    }

    /// Takes in what the trial of [`Search::next`] said.
    pub fn tell(&mut self, reading: Reading) {
        if self.answer.is_some() {
            return;
        }
        self.trials += 1;
        if reading.holds {
            self.held_votes += 1;
        } else {
            self.failed_votes += 1;
        }
        let first = self.held_votes + self.failed_votes == 1;
        let decided = (first && !reading.is_near() && !self.is_surprise(reading))
            || self.held_votes.max(self.failed_votes) >= MAJORITY;
        if decided {
            let holds = self.held_votes > self.failed_votes;
            (self.held_votes, self.failed_votes) = (0, 0);
            self.settle(holds);
        }
        if self.answer.is_none() && self.trials >= MOST_TRIALS {
            self.give_up();
        }
    }

    /// A confirmation that fails would throw away what many trials have found: one trial is not enough for that.
    fn is_surprise(&self, reading: Reading) -> bool {
        match self.purpose {
            Purpose::ConfirmBelow => !reading.holds,
            Purpose::ConfirmAbove => reading.holds,
            Purpose::Bracket | Purpose::Bisect => false,
        }
    }

    fn settle(&mut self, holds: bool) {
        let rate = self.at;
        if holds {
            self.held.push(rate);
        } else {
            self.failed.push(rate);
        }
        match (self.purpose, holds) {
            (Purpose::Bracket | Purpose::Bisect, _) => self.narrow(),
            (Purpose::ConfirmBelow, true) => {
                let above = whole(highest(&self.held).unwrap_or(rate) * ABOVE);
                self.attempt(above, Purpose::ConfirmAbove);
            }
            (Purpose::ConfirmAbove, false) => {
                self.answer = highest(&self.held).map(Answer::Confirmed);
            }
            (Purpose::ConfirmBelow, false) => {
                self.held.retain(|held| *held < rate);
                self.restart();
            }
            (Purpose::ConfirmAbove, true) => {
                self.failed.retain(|failed| *failed > rate);
                self.restart();
            }
        }
    }

    fn restart(&mut self) {
        self.restarts += 1;
        if self.restarts > MOST_RESTARTS {
            self.give_up();
        } else {
            self.narrow();
        }
    }

    /// Tries the next rate between what holds and what fails, or outside if there is nothing on one side.
    fn narrow(&mut self) {
        let Bounds {
            floor,
            cap,
            resolution,
            ..
        } = self.bounds;
        match self.bracket() {
            (Some(held), Some(failed)) => {
                let middle = whole((held * failed).sqrt());
                if failed <= held * (1.0 + resolution / 2.0) || middle <= held || middle >= failed {
                    self.attempt(whole(held * BELOW), Purpose::ConfirmBelow);
                } else {
                    self.attempt(middle, Purpose::Bisect);
                }
            }
            // Whatever is asked for holds: nothing was found, and nothing can be confirmed.
            (Some(held), None) if held >= cap => self.give_up(),
            (Some(held), None) => self.attempt(whole((held * 2.0).min(cap)), Purpose::Bracket),
            (None, Some(failed)) if failed <= floor => self.answer = Some(Answer::Nothing),
            (None, Some(failed)) => self.attempt(whole((failed / 2.0).max(floor)), Purpose::Bracket),
            (None, None) => self.attempt(self.at, Purpose::Bracket),
        }
    }

    fn attempt(&mut self, rate: f64, purpose: Purpose) {
        (self.at, self.purpose) = (rate, purpose);
    }

    fn give_up(&mut self) {
        self.answer = Some(highest(&self.held).map_or(Answer::Nothing, Answer::Unconfirmed));
    }
}

fn highest(rates: &[f64]) -> Option<f64> {
    rates.iter().copied().max_by(f64::total_cmp)
}

fn lowest(rates: &[f64]) -> Option<f64> {
    rates.iter().copied().min_by(f64::total_cmp)
}

/// A whole rate of at most four digits that are not zero: as good as any other, and easier to read.
fn whole(rate: f64) -> f64 {
    let unit = 10f64.powf((rate.max(1.0).log10().floor() - 3.0).max(0.0));
    ((rate / unit).round() * unit).max(1.0)
}

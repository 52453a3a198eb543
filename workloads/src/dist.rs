//! Draws of key numbers: every number alike, or a few of them most of the time.

use rand::rand_core::Rng;

/// Maps 64 random bits to 0..n. The bias is below n / 2^64, which no run is long enough to see.
#[inline]
pub fn below(bits: u64, n: u64) -> u64 {
    ((u128::from(bits) * u128::from(n)) >> 64) as u64
}

/// Maps 64 random bits to [0, 1).
#[inline]
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A distribution over 0..n.
#[derive(Debug, Clone)]
pub enum Dist {
    Uniform { n: u64 },
    Zipf(Zipf),
}

impl Dist {
    /// Draws a number.
    #[inline]
    pub fn sample(&self, rng: &mut impl Rng) -> u64 {
        match self {
            Dist::Uniform { n } => below(rng.next_u64(), *n),
            Dist::Zipf(zipf) => zipf.sample(rng),
        }
    }
}

/// Ranks whose probabilities are kept exactly.
const HEAD: usize = 64;

/// Zipf's law: rank r (from 0) comes in proportion to (r + 1)^-theta.
///
/// One uniform draw is inverted, as in Gray et al., "Quickly Generating Billion-Record Synthetic Databases" (SIGMOD
/// 1994), and like there without a table of n entries. Their closed form is exact for the first two ranks and a few
/// percent off for the next; here the first 64 are exact, and behind them the sum of k^-theta is the integral between
/// the half numbers, which is off by less than theta (theta + 1) / (24 * 64^2) of it: 2 in 100,000 at theta 1. Any
/// theta above 0 will do.
#[derive(Debug, Clone)]
pub struct Zipf {
    n: u64,
    /// `1 - theta`.
    power: f64,
    /// Sum of all weights.
    total: f64,
    /// Weight of all ranks up to and including rank i.
    head: Box<[f64]>,
    /// The antiderivative of the weight where the tail begins.
    tail_from: f64,
}

impl Zipf {
    /// # Panics
    /// If there are no ranks, or theta is not above 0.
    pub fn new(n: u64, theta: f64) -> Self {
        assert!(
            n > 0 && theta > 0.0 && theta.is_finite(),
            "a Zipf distribution over {n} ranks at {theta}"
        );
        let power = 1.0 - theta;
        let mut sum = 0.0;
        let head: Box<[f64]> = (1..=n.min(HEAD as u64))
            .map(|rank| {
                sum += (rank as f64).powf(-theta);
                sum
            })
            .collect();
        let mut zipf = Self {
            n,
            power,
            total: sum,
            head,
            tail_from: 0.0,
        };
        zipf.tail_from = zipf.antiderivative(HEAD as f64 + 0.5);
        if n > HEAD as u64 {
            zipf.total = sum + zipf.antiderivative(n as f64 + 0.5) - zipf.tail_from;
        }
        zipf
    }

    /// Of x^-theta.
    fn antiderivative(&self, x: f64) -> f64 {
        if self.power == 0.0 {
            x.ln()
        } else {
            x.powf(self.power) / self.power
        }
    }

    #[inline]
    fn inverse(&self, y: f64) -> f64 {
        if self.power == 0.0 {
            y.exp()
        } else {
            (y * self.power).powf(1.0 / self.power)
        }
    }

    /// Draws a rank, from 0.
    #[inline]
    pub fn sample(&self, rng: &mut impl Rng) -> u64 {
        let target = unit(rng.next_u64()) * self.total;
        let head_sum = self.head[self.head.len() - 1];
        if target < head_sum || self.n <= HEAD as u64 {
            return self
                .head
                .partition_point(|&sum| sum <= target)
                .min(self.head.len() - 1) as u64;
        }
        let x = self.inverse(self.tail_from + (target - head_sum));
        ((x + 0.5) as u64).clamp(HEAD as u64 + 1, self.n) - 1
    }
}

//! A confidence interval for the ratio of two runs that were not interleaved, so that no round of one belongs to a
//! round of the other.
//!
//! The logarithms of each run's rounds are averaged, and the difference is the ratio's logarithm. With five or more
//! rounds on both sides the interval is a bootstrap of both samples apart, with the deviations scaled and the
//! percentiles moved as for a t interval (see `bootstrap`); with fewer it is Welch's t.
//!
//! Rounds that follow each other resemble each other: a neighbour's work lasts longer than one round. Then the scatter
//! of the rounds says too little about that of their mean. So the interval is never narrower than the slow part of the
//! scatter allows: the variance at the lowest frequencies of the rounds (their cosine transform), with the few degrees
//! of freedom that it has (Lazarus, Lewis, Stock and Watson, "HAR Inference", 2018).

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::bootstrap::{CONFIDENCE, MIN_PAIRS_BOOTSTRAP, RESAMPLES, below, mean, normal_cdf};
use super::student;
use crate::report::model::{IntervalMethod, RatioInterval};

/// A ratio of two runs and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unpaired {
    /// Of the geometric means, candidate / baseline.
    pub ratio: f64,
    /// None if one of them has a single round.
    pub interval: Option<RatioInterval>,
    /// Degrees of freedom behind the interval; 0 without one.
    pub degrees: f64,
    /// Usable rounds of candidate and baseline.
    pub rounds: (usize, usize),
}

/// Ratio of two runs' rounds. Rounds without a positive number are left out; none is returned if a run has no other.
pub fn unpaired_ratio(candidate: &[f64], baseline: &[f64], seed: u64) -> Option<Unpaired> {
    let (a, b) = (logs(candidate), logs(baseline));
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let center = mean(&a) - mean(&b);
    let mut estimate = Unpaired {
        ratio: center.exp(),
        interval: None,
        degrees: 0.0,
        rounds: (a.len(), b.len()),
    };
    if a.len() < 2 || b.len() < 2 {
        return Some(estimate);
    }
    let quick = Scatter::sum(Scatter::of_rounds(&a), Scatter::of_rounds(&b));
    let slow = Scatter::sum(Scatter::of_slow_part(&a), Scatter::of_slow_part(&b));
    let t = quick.t();
    let (half, slow_half) = (t * quick.variance.sqrt(), slow.t() * slow.variance.sqrt());
    let (mut low, mut high, method) = if a.len().min(b.len()) < MIN_PAIRS_BOOTSTRAP {
        (center - half, center + half, IntervalMethod::StudentT)
    } else {
        let (low, high) = bootstrap(&a, &b, t, seed);
        (low, high, IntervalMethod::Bootstrap)
    };
    estimate.degrees = quick.degrees;
    if slow_half > half {
        estimate.degrees = slow.degrees;
        (low, high) = (low.min(center - slow_half), high.max(center + slow_half));
    }
    estimate.interval = Some(RatioInterval {
        low: low.exp(),
        high: high.exp(),
        confidence: CONFIDENCE,
        method,
    });
    Some(estimate)
}

fn logs(values: &[f64]) -> Vec<f64> {
    let usable = values.iter().filter(|v| v.is_finite() && **v > 0.0);
    usable.map(|v| v.ln()).collect()
}

/// The variance of a mean, and on how many degrees of freedom it rests.
#[derive(Debug, Clone, Copy)]
struct Scatter {
    variance: f64,
    degrees: f64,
}

impl Scatter {
    /// If the rounds are independent.
    fn of_rounds(values: &[f64]) -> Self {
        let (n, center) = (values.len() as f64, mean(values));
        let squares: f64 = values.iter().map(|v| (v - center).powi(2)).sum();
        Self {
            variance: squares / (n - 1.0) / n,
            degrees: n - 1.0,
        }
    }

    /// From the lowest frequencies alone, which tell what independent rounds would and also what neighbours share.
    fn of_slow_part(values: &[f64]) -> Self {
        let n = values.len();
        // More rounds have more low frequencies; of 6 rounds two, of 20 four.
        let frequencies = ((0.6 * (n as f64).powf(2.0 / 3.0)).round() as usize).clamp(1, n - 1);
        let center = mean(values);
        let power = |frequency: usize| {
            let angle = std::f64::consts::PI * frequency as f64 / n as f64;
            let wave = values.iter().enumerate();
            let sum: f64 = wave
                .map(|(i, v)| (v - center) * (angle * (i as f64 + 0.5)).cos())
                .sum();
            2.0 / n as f64 * sum * sum
        };
        let average = (1..=frequencies).map(power).sum::<f64>() / frequencies as f64;
        Self {
            variance: average / n as f64,
            degrees: frequencies as f64,
        }
    }

    /// Of a difference, with Welch's and Satterthwaite's degrees of freedom.
    fn sum(a: Self, b: Self) -> Self {
        let variance = a.variance + b.variance;
        let spread = a.variance.powi(2) / a.degrees + b.variance.powi(2) / b.degrees;
        Self {
            variance,
            degrees: if spread > 0.0 {
                variance.powi(2) / spread
            } else {
                a.degrees.min(b.degrees)
            },
        }
    }

    /// Half the width of the interval, in standard deviations of the mean.
    fn t(self) -> f64 {
        student::quantile(0.5 + 0.5 * CONFIDENCE, self.degrees)
    }
}

/// Percentiles of the difference of resampled means, as far out as `t` is on the normal scale.
fn bootstrap(a: &[f64], b: &[f64], t: f64, seed: u64) -> (f64, f64) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (center_a, center_b) = (mean(a), mean(b));
    let mut resampled = |values: &[f64], center: f64| {
        let n = values.len();
        // A resample varies less than a new sample would, by this.
        let scale = (n as f64 / (n as f64 - 1.0)).sqrt();
        let sum: f64 = (0..n).map(|_| values[below(&mut rng, n)] - center).sum();
        center + scale * sum / n as f64
    };
    let mut differences: Vec<f64> = (0..RESAMPLES)
        .map(|_| resampled(a, center_a) - resampled(b, center_b))
        .collect();
    let skipped = (normal_cdf(-t) * RESAMPLES as f64) as usize;
    let mut ranked = |place: usize| *differences.select_nth_unstable_by(place, f64::total_cmp).1;
    (ranked(skipped), ranked(RESAMPLES - 1 - skipped))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interval(a: &[f64], b: &[f64]) -> RatioInterval {
        unpaired_ratio(a, b, 1)
            .and_then(|e| e.interval)
            .expect("enough rounds")
    }

    #[test]
    fn equal_rounds_have_ratio_one_and_no_width() {
        let got = unpaired_ratio(&[5.0; 6], &[5.0; 8], 1).expect("rounds");
        assert_eq!(got.rounds, (6, 8));
        assert!((got.ratio - 1.0).abs() < 1e-12);
        let interval = got.interval.expect("enough rounds");
        assert!((interval.low - 1.0).abs() < 1e-12 && (interval.high - 1.0).abs() < 1e-12);
    }

    #[test]
    fn one_round_has_a_ratio_but_no_interval() {
        let got = unpaired_ratio(&[3.0], &[2.0, 2.0, 2.0], 1).expect("rounds");
        assert!((got.ratio - 1.5).abs() < 1e-12 && got.interval.is_none());
        assert_eq!(unpaired_ratio(&[0.0, f64::NAN], &[1.0], 1), None);
    }

    #[test]
    fn few_rounds_use_welch() {
        // Two of each, ln 2 apart: standard error ln 2 / sqrt 2 twice, two degrees of freedom; the slow part of two
        // rounds is all there is of them.
        let got = interval(&[2.0, 4.0], &[1.0, 2.0]);
        assert_eq!(got.method, IntervalMethod::StudentT);
        let half = 4.3027 * std::f64::consts::LN_2 / std::f64::consts::SQRT_2;
        assert!(
            (got.high.ln() - (std::f64::consts::LN_2 + half)).abs() < 1e-3,
            "{got:?}"
        );
    }

    #[test]
    fn rounds_that_drift_have_a_wider_interval_than_the_same_in_disorder() {
        let drifting = [100.0, 102.0, 104.0, 106.0, 108.0, 110.0];
        let mixed = [106.0, 100.0, 110.0, 102.0, 108.0, 104.0];
        let width = |i: RatioInterval| (i.high / i.low).ln();
        assert!(width(interval(&drifting, &drifting)) > 1.5 * width(interval(&mixed, &mixed)));
    }

    prop_compose! {
        fn rounds()(rounds in prop::collection::vec(0.1f64..1e6, 2..12)) -> Vec<f64> { rounds }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]

        #[test]
        fn the_interval_encloses_the_ratio_and_units_do_not_matter(a in rounds(), b in rounds(), unit in 0.001f64..1000.0) {
            let ratio = unpaired_ratio(&a, &b, 1).expect("rounds").ratio;
            let got = interval(&a, &b);
            prop_assert!(got.low <= ratio * (1.0 + 1e-9) && got.high >= ratio * (1.0 - 1e-9));
            let scaled = |values: &[f64]| values.iter().map(|v| v * unit).collect::<Vec<_>>();
            prop_assert!((interval(&scaled(&a), &scaled(&b)).low / got.low - 1.0).abs() < 1e-6);
        }
    }
}

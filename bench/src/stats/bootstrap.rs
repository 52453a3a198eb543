//! A confidence interval for the ratio of paired measurements.
//!
//! Rounds of two engines are run next to each other in time, so what disturbs one (a noisy neighbour, a warm cache)
//! disturbs its pair as well. The ratio is therefore taken within each pair, and its logarithm is averaged: a ratio of
//! 2 and one of 1/2 cancel, and swapping the engines inverts the result exactly.
//!
//! With five or more pairs the interval is the expanded percentile interval (Hesterberg, "What Teachers Should Know
//! About the Bootstrap", 2015, section 4.2): the plain percentile interval of so few values is too narrow, since a
//! resample varies less than a new sample would. With two to four there is nothing to resample from, and Student's t
//! on the log-ratios is used.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::report::model::{IntervalMethod, RatioInterval};

/// The only confidence offered: the tables below are made for it.
pub const CONFIDENCE: f64 = 0.95;
/// Pairs from which on there is enough to resample.
pub const MIN_PAIRS_BOOTSTRAP: usize = 5;
/// Resamples of an interval.
pub(super) const RESAMPLES: usize = 10_000;

/// 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom.
const T_975: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// A ratio and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Geometric mean of the pairs' ratios.
    pub ratio: f64,
    /// None with fewer than two pairs.
    pub interval: Option<RatioInterval>,
    pub pairs: usize,
}

/// Ratio of `pairs` of (numerator, denominator). Pairs in which either is not a positive number say nothing about a
/// ratio and are left out; none is returned if none is left.
pub fn paired_ratio(pairs: &[(f64, f64)], seed: u64) -> Option<Estimate> {
    let usable = |v: f64| v.is_finite() && v > 0.0;
    let logs: Vec<f64> = pairs
        .iter()
        .filter(|(a, b)| usable(*a) && usable(*b))
        .map(|(a, b)| a.ln() - b.ln())
        .collect();
    if logs.is_empty() {
        return None;
    }
    let center = mean(&logs);
    let bounds = match logs.len() {
        1 => None,
        n if n < MIN_PAIRS_BOOTSTRAP => Some((student_t(&logs), IntervalMethod::StudentT)),
        _ => Some((bootstrap(&logs, seed), IntervalMethod::Bootstrap)),
    };
    let interval = bounds.map(|((low, high), method)| RatioInterval {
        low: low.exp(),
        high: high.exp(),
        confidence: CONFIDENCE,
        method,
    });
    Some(Estimate {
        ratio: center.exp(),
        interval,
        pairs: logs.len(),
    })
}

/// Interval of the mean by Student's t.
fn student_t(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let center = mean(values);
    let variance = values.iter().map(|v| (v - center).powi(2)).sum::<f64>() / (n - 1.0);
    let half = t_975(values.len() - 1) * (variance / n).sqrt();
    (center - half, center + half)
}

/// Expanded percentile interval of the mean.
fn bootstrap(values: &[f64], seed: u64) -> (f64, f64) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let n = values.len();
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| (0..n).map(|_| values[below(&mut rng, n)]).sum::<f64>() / n as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    let pairs = n as f64;
    let tail = normal_cdf(-(pairs / (pairs - 1.0)).sqrt() * t_975(n - 1));
    let skipped = (tail * RESAMPLES as f64) as usize;
    (means[skipped], means[RESAMPLES - 1 - skipped])
}

/// A uniform index below `n`; the bias of the multiplication is below n / 2^64.
pub(super) fn below(rng: &mut impl Rng, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn t_975(degrees: usize) -> f64 {
    // Beyond the table the first term of the Cornish-Fisher expansion is right to three digits.
    T_975
        .get(degrees - 1)
        .copied()
        .unwrap_or(1.959_964 + 2.372 / degrees as f64)
}

/// Standard normal distribution function (Abramowitz and Stegun 26.2.17, absolute error below 7.5e-8).
pub(super) fn normal_cdf(z: f64) -> f64 {
    const COEFFICIENTS: [f64; 5] = [
        0.319_381_53,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = COEFFICIENTS.iter().rev().fold(0.0, |sum, c| (sum + c) * t);
    let upper = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * series;
    if z < 0.0 { upper } else { 1.0 - upper }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interval(pairs: &[(f64, f64)], seed: u64) -> RatioInterval {
        paired_ratio(pairs, seed)
            .and_then(|e| e.interval)
            .expect("enough pairs")
    }

    /// A rough normal sample: the sum of twelve uniforms.
    fn normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
        (0..12)
            .map(|_| rng.next_u64() as f64 / u64::MAX as f64)
            .sum::<f64>()
            - 6.0
    }

    #[test]
    fn normal_cdf_matches_known_values() {
        for (z, expected) in [
            (0.0, 0.5),
            (-1.959_964, 0.025),
            (1.644_854, 0.95),
            (-3.104, 0.000_955),
        ] {
            assert!((normal_cdf(z) - expected).abs() < 1e-6, "{z}: {}", normal_cdf(z));
        }
    }

    #[test]
    fn equal_engines_have_ratio_one_and_no_width() {
        let pairs = [(5.0, 5.0); 6];
        let estimate = paired_ratio(&pairs, 1).expect("six pairs");
        assert_eq!(estimate.ratio, 1.0);
        assert_eq!(estimate.interval.map(|i| (i.low, i.high)), Some((1.0, 1.0)));
    }

    #[test]
    fn one_pair_has_a_ratio_but_no_interval() {
        let estimate = paired_ratio(&[(3.0, 2.0)], 1).expect("one pair");
        assert!((estimate.ratio - 1.5).abs() < 1e-12);
        assert_eq!(estimate.interval, None);
    }

    #[test]
    fn unusable_pairs_are_left_out() {
        assert_eq!(paired_ratio(&[], 1), None);
        assert_eq!(
            paired_ratio(&[(0.0, 1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0)], 1),
            None
        );
        assert_eq!(
            paired_ratio(&[(0.0, 1.0), (4.0, 2.0)], 1).map(|e| e.pairs),
            Some(1)
        );
    }

    #[test]
    fn few_pairs_use_student_t() {
        // ln 2 and ln 8: mean ln 4, standard error ln 2, times 12.706.
        let got = interval(&[(2.0, 1.0), (8.0, 1.0)], 1);
        assert_eq!(got.method, IntervalMethod::StudentT);
        let half = 12.706 * std::f64::consts::LN_2;
        assert!((got.high.ln() - (4.0f64.ln() + half)).abs() < 1e-9);
        assert!((got.low.ln() - (4.0f64.ln() - half)).abs() < 1e-9);
    }

    /// The promise itself: of many experiments with a known ratio, about 95 % have it within their interval.
    #[test]
    fn the_interval_holds_the_truth_as_often_as_it_says() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        for pairs in [3, 5, 8] {
            let runs = 300;
            let held = (0..runs)
                .filter(|run| {
                    let rounds: Vec<_> = (0..pairs)
                        .map(|_| ((0.4 + 0.1 * normal(&mut rng)).exp(), 1.0))
                        .collect();
                    let got = interval(&rounds, *run);
                    got.low <= 0.4f64.exp() && 0.4f64.exp() <= got.high
                })
                .count();
            let share = held as f64 / runs as f64;
            assert!((0.90..=0.99).contains(&share), "{pairs} pairs: {share}");
        }
    }

    prop_compose! {
        fn rounds()(pairs in prop::collection::vec((0.1f64..1e6, 0.1f64..1e6), 2..12)) -> Vec<(f64, f64)> { pairs }
    }

    fn close(a: f64, b: f64) -> bool {
        (a / b - 1.0).abs() < 1e-9
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn the_interval_encloses_the_ratio(pairs in rounds(), seed: u64) {
            let estimate = paired_ratio(&pairs, seed).expect("positive pairs");
            let got = interval(&pairs, seed);
            prop_assert!(got.low <= estimate.ratio * (1.0 + 1e-9));
            prop_assert!(got.high >= estimate.ratio * (1.0 - 1e-9));
        }

        #[test]
        fn units_do_not_matter(pairs in rounds(), seed: u64, unit in 0.001f64..1000.0) {
            let scaled: Vec<_> = pairs.iter().map(|(a, b)| (a * unit, b * unit)).collect();
            prop_assert!(close(interval(&pairs, seed).low, interval(&scaled, seed).low));
            prop_assert!(close(interval(&pairs, seed).high, interval(&scaled, seed).high));
        }

        #[test]
        fn swapping_the_engines_inverts_the_interval(pairs in rounds(), seed: u64) {
            let swapped: Vec<_> = pairs.iter().map(|(a, b)| (*b, *a)).collect();
            let (got, inverse) = (interval(&pairs, seed), interval(&swapped, seed));
            prop_assert!(close(got.low, 1.0 / inverse.high));
            prop_assert!(close(got.high, 1.0 / inverse.low));
        }

        #[test]
        fn the_same_seed_gives_the_same_interval(pairs in rounds(), seed: u64) {
            prop_assert_eq!(paired_ratio(&pairs, seed), paired_ratio(&pairs, seed));
        }
    }
}

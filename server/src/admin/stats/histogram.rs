//! Latency histograms: 128 buckets for each power of two, so a value is known to better than 1 %.
//!
//! This is the layout of HdrHistogram with two significant digits, and so are the figures that it shows.

use super::counter::Counter;

/// Longest latency told apart, in nanoseconds; longer ones count as this.
const MAX_NS: u64 = 1_000_000_000;
/// Buckets below this value are one nanosecond wide.
const LINEAR: u64 = 256;
/// Buckets in each power of two above.
const PER_OCTAVE: usize = 128;
const BUCKETS: usize = bucket_of(MAX_NS) + 1;
/// First step of the coarse view, in nanoseconds; the next ones double it.
const FIRST_STEP_NS: u64 = 1024;

const fn bucket_of(ns: u64) -> usize {
    if ns < LINEAR {
        return ns as usize;
    }
    let exponent = 63 - ns.leading_zeros();
    let shift = exponent - 7;
    // The mantissa is 128..256, the octaves start at 256.
    (exponent - 7) as usize * PER_OCTAVE + (ns >> shift) as usize
}

/// Smallest value of a bucket.
fn lowest(bucket: usize) -> u64 {
    if (bucket as u64) < LINEAR {
        return bucket as u64;
    }
    let octave = bucket / PER_OCTAVE - 1;
    ((bucket % PER_OCTAVE + PER_OCTAVE) as u64) << octave
}

/// Largest value of a bucket.
fn highest(bucket: usize) -> u64 {
    lowest(bucket + 1) - 1
}

/// A histogram that one thread fills.
#[derive(Debug)]
pub struct Histogram(Box<[Counter]>);

impl Default for Histogram {
    fn default() -> Self {
        Histogram((0..BUCKETS).map(|_| Counter::default()).collect())
    }
}

impl Histogram {
    /// Counts one latency.
    #[inline]
    pub fn record(&self, ns: u64) {
        self.0[bucket_of(ns.min(MAX_NS))].add(1);
    }
}

/// A copy of histograms, added up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// Empty, or one count per bucket.
    counts: Vec<u64>,
    total: u64,
}

impl Distribution {
    /// Adds what a histogram has counted.
    pub fn add(&mut self, histogram: &Histogram) {
        self.counts.resize(BUCKETS, 0);
        for (count, counter) in self.counts.iter_mut().zip(&histogram.0) {
            let n = counter.get();
            *count += n;
            self.total += n;
        }
    }

    /// Takes away what was there before.
    pub fn subtract(&mut self, before: &Distribution) {
        for (count, old) in self.counts.iter_mut().zip(&before.counts) {
            *count = count.saturating_sub(*old);
        }
        self.total = self.counts.iter().sum();
    }

    /// How many latencies there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The latency in nanoseconds that `percent` of all do not exceed: the upper end of its bucket.
    pub fn percentile(&self, percent: f64) -> u64 {
        let wanted = ((percent / 100.0 * self.total as f64 + 0.5) as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return if percent == 0.0 {
                    lowest(bucket)
                } else {
                    highest(bucket)
                };
            }
        }
        0
    }

    /// How many latencies there are up to about 1, 2, 4, 8... microseconds; steps that add none are left out.
    pub fn steps(&self) -> Vec<(u64, u64)> {
        let mut steps = Vec::new();
        let (mut seen, mut shown, mut bucket) = (0, 0, 0);
        let mut level = FIRST_STEP_NS;
        while shown < self.total {
            while bucket < BUCKETS && lowest(bucket) <= level {
                seen += self.counts[bucket];
                bucket += 1;
            }
            if seen > shown {
                steps.push((highest(bucket_of(level)) / 1000, seen));
                shown = seen;
            }
            level *= 2;
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn distribution(values: &[u64]) -> Distribution {
        let histogram = Histogram::default();
        values.iter().for_each(|v| histogram.record(*v));
        let mut sum = Distribution::default();
        sum.add(&histogram);
        sum
    }

    #[test]
    fn figures_are_those_of_a_two_digit_hdr_histogram() {
        for (us, shown) in [(1, 1003), (2, 2007), (5, 5023), (6, 6015), (7, 7007), (65, 65023)] {
            assert_eq!(distribution(&[us * 1000]).percentile(50.0), shown);
        }
        assert_eq!(
            distribution(&[900, 1900, 8000, 60_000, 130_000, 33_000_000]).steps(),
            [(1, 1), (2, 2), (8, 3), (66, 4), (132, 5), (33816, 6)]
        );
    }

    #[test]
    fn percentiles_of_many() {
        let all: Vec<u64> = (1..=1000).map(|n| n * 1000).collect();
        let d = distribution(&all);
        for (p, expected) in [(50.0, 500_000.0), (99.0, 990_000.0), (99.9, 999_000.0)] {
            let got = d.percentile(p) as f64;
            assert!((got / expected - 1.0).abs() < 0.01, "p{p} {got}");
        }
        assert_eq!(Distribution::default().percentile(50.0), 0);
        assert_eq!(Distribution::default().steps(), []);
    }

    #[test]
    fn what_was_there_before_can_be_taken_away() {
        let mut later = distribution(&[1, 1, 5000]);
        later.subtract(&distribution(&[1]));
        assert_eq!(later, distribution(&[1, 5000]));
    }

    proptest! {
        #[test]
        fn buckets_hold_their_values(ns in 0..=MAX_NS) {
            let bucket = bucket_of(ns);
            prop_assert!(lowest(bucket) <= ns && ns <= highest(bucket));
            prop_assert!(highest(bucket) - lowest(bucket) <= ns / 100);
        }
    }
}

//! Rates of the last moments, from samples taken now and then.

/// Samples that a rate is the mean of.
const SAMPLES: usize = 16;

/// The rate of a growing count.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    last: Option<(u64, u64)>,
    samples: [f64; SAMPLES],
    next: usize,
}

impl Rate {
    /// Takes a sample: the count at an instant in milliseconds. A count that shrank, after a reset, starts anew.
    pub fn sample(&mut self, now_ms: u64, count: u64) {
        if let Some((then_ms, before)) = self.last {
            if now_ms <= then_ms {
                return;
            }
            let grown = count.saturating_sub(before) as f64;
            self.samples[self.next] = grown * 1000.0 / (now_ms - then_ms) as f64;
            self.next = (self.next + 1) % SAMPLES;
        }
        self.last = Some((now_ms, count));
    }

    /// Per second, the mean of the last samples.
    pub fn per_second(&self) -> f64 {
        self.samples.iter().sum::<f64>() / SAMPLES as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_count_has_its_rate() {
        let mut rate = Rate::default();
        for i in 0..=SAMPLES as u64 {
            rate.sample(1000 + i * 100, i * 50);
        }
        assert_eq!(rate.per_second(), 500.0);
        rate.sample(9000, 0);
        assert!(
            rate.per_second() < 500.0 && rate.per_second() > 400.0,
            "a reset is no negative rate"
        );
    }
}

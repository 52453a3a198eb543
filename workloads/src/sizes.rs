//! Lengths that follow published distributions: of values a table and a generalized Pareto tail, of keys a generalized
//! extreme value distribution. Both are drawn by inverting one uniform number.

use serde::Serialize;

/// Lengths of values: `small[n]` is the probability of n bytes; what is left of 1 is `location` and more bytes, by a
/// generalized Pareto distribution.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParetoSizes {
    pub small: Vec<f64>,
    pub location: u32,
    pub scale: f64,
    pub shape: f64,
    /// A longer one is cut to this.
    pub max: u32,
}

impl ParetoSizes {
    /// The length at a uniform number within [0, 1).
    pub fn at(&self, mut unit: f64) -> u32 {
        for (length, &share) in (0u32..).zip(&self.small) {
            if unit < share {
                return length;
            }
            unit -= share;
        }
        let rest = 1.0 - self.small.iter().sum::<f64>();
        let tail = (1.0 - unit / rest).clamp(f64::MIN_POSITIVE, 1.0);
        let beyond = if self.shape == 0.0 {
            -self.scale * tail.ln()
        } else {
            self.scale / self.shape * (tail.powf(-self.shape) - 1.0)
        };
        (f64::from(self.location) + beyond).min(f64::from(self.max)) as u32
    }

    /// The probability of `length` bytes or less, before the cut at `max`.
    pub fn cumulative(&self, length: u32) -> f64 {
        let small: f64 = self.small.iter().take(length as usize + 1).sum();
        let rest = 1.0 - self.small.iter().sum::<f64>();
        // Lengths are whole: everything below the next one counts as this one.
        let beyond = (f64::from(length) + 1.0 - f64::from(self.location)).max(0.0);
        let tail = if self.shape == 0.0 {
            (-beyond / self.scale).exp()
        } else {
            (1.0 + self.shape * beyond / self.scale).powf(-1.0 / self.shape)
        };
        small + rest * (1.0 - tail)
    }

    /// The shortest length that may come.
    pub fn min(&self) -> u32 {
        let first = self.small.iter().position(|&share| share > 0.0);
        first.map_or(self.location, |length| length as u32)
    }
}

/// Lengths of keys: generalized extreme value, rounded, and kept within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct KeySizes {
    pub location: f64,
    pub scale: f64,
    pub shape: f64,
    pub min: u32,
    pub max: u32,
}

impl KeySizes {
    /// The length at a uniform number within [0, 1).
    pub fn at(&self, unit: f64) -> u32 {
        let depth = -unit.clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON).ln();
        let length = if self.shape == 0.0 {
            self.location - self.scale * depth.ln()
        } else {
            self.location + self.scale / self.shape * (depth.powf(-self.shape) - 1.0)
        };
        length.round().clamp(f64::from(self.min), f64::from(self.max)) as u32
    }

    /// The probability of `length` bytes or less, within the bounds.
    pub fn cumulative(&self, length: u32) -> f64 {
        if length < self.min {
            return 0.0;
        }
        if length >= self.max {
            return 1.0;
        }
        let x = (f64::from(length) + 0.5 - self.location) / self.scale;
        if self.shape == 0.0 {
            return (-(-x).exp()).exp();
        }
        let base = 1.0 + self.shape * x;
        if base <= 0.0 {
            // Beyond the end of the distribution, on whichever side it has one.
            return if self.shape > 0.0 { 0.0 } else { 1.0 };
        }
        (-base.powf(-1.0 / self.shape)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETC_KEYS: KeySizes = KeySizes {
        location: 30.7984,
        scale: 8.20449,
        shape: 0.078688,
        min: 16,
        max: 250,
    };

    fn values(small: &[f64]) -> ParetoSizes {
        ParetoSizes {
            small: small.to_vec(),
            location: 15,
            scale: 214.476,
            shape: 0.348238,
            max: 1_000_000,
        }
    }

    #[test]
    fn lengths_invert_their_probabilities() {
        let values = values(&[0.1, 0.0, 0.2]);
        assert_eq!((values.at(0.0), values.at(0.05), values.at(0.15)), (0, 0, 2));
        assert_eq!((values.at(0.300001), values.min()), (15, 0));
        assert_eq!(values.at(1.0 - f64::EPSILON), 1_000_000);
        for unit in [0.31, 0.5, 0.75, 0.9, 0.99, 0.9999] {
            let length = values.at(unit);
            assert!(
                values.cumulative(length) >= unit && values.cumulative(length - 1) <= unit,
                "{unit}"
            );
            let key = ETC_KEYS.at(unit);
            assert!(
                ETC_KEYS.cumulative(key) >= unit && ETC_KEYS.cumulative(key - 1) <= unit,
                "{unit}"
            );
        }
        assert_eq!((ETC_KEYS.at(0.0), ETC_KEYS.at(1.0)), (16, 250));
    }

    #[test]
    fn an_exponential_tail_is_the_limit_of_shape_zero() {
        let mut limit = values(&[]);
        limit.shape = 0.0;
        let mut near = limit.clone();
        near.shape = 1e-9;
        for unit in [0.1, 0.5, 0.99] {
            assert!(limit.at(unit).abs_diff(near.at(unit)) <= 1);
        }
    }
}

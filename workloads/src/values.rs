//! Values that do not compress, at the price of a copy.
//!
//! A pool of random bytes is filled once from the seed; a value is a window into it, which wraps around. Windows at
//! different places differ, and no compressor with a window below the pool's size finds anything in one.

use rand::rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::dist::{below, unit};
use crate::keys::digits;
use crate::spec::{self, Size};

/// Places a value may start at.
const PLACES: usize = 256 * 1024;
/// Values up to this length are one copy.
const SLACK: usize = 64 * 1024;

/// The values of one workload.
#[derive(Debug)]
pub struct Values {
    size: Size,
    pool: Vec<u8>,
    /// `$64\r\n`, when every value has the same length.
    header: Option<Vec<u8>>,
}

impl Values {
    /// How far apart the values of one operation start.
    pub(crate) const STEP: u32 = 4099;

    pub(crate) fn new(spec: &spec::Values, seed: u64) -> Self {
        let mut pool = vec![0; PLACES];
        Xoshiro256PlusPlus::seed_from_u64(seed).fill_bytes(&mut pool);
        // The slack repeats the start of the pool: a value that begins near its end still is one copy.
        pool.extend_from_within(..SLACK);
        let header = match &spec.size {
            Size::Fixed(size) => Some(format!("${size}\r\n").into_bytes()),
            Size::Range { .. } | Size::Pareto(_) => None,
        };
        Self {
            size: spec.size.clone(),
            pool,
            header,
        }
    }

    /// Draws a place and a length.
    #[inline]
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> (u32, u32) {
        let bits = rng.next_u64();
        let place = bits as u32 % PLACES as u32;
        match &self.size {
            Size::Fixed(size) => (place, *size),
            Size::Range { min, max } => (
                place,
                min + below(rng.next_u64(), u64::from(max - min) + 1) as u32,
            ),
            Size::Pareto(sizes) => (place, sizes.at(unit(rng.next_u64()))),
        }
    }

    /// Appends the value as a bulk string.
    #[inline]
    pub(crate) fn encode(&self, place: u32, len: u32, out: &mut Vec<u8>) {
        match &self.header {
            Some(header) => out.extend_from_slice(header),
            None => {
                let start = out.len() + 1;
                out.extend_from_slice(b"$000000000");
                out.truncate(start + digits::width(u64::from(len)));
                digits::write(u64::from(len), &mut out[start..]);
                out.extend_from_slice(b"\r\n");
            }
        }
        self.append(place, len, out);
        out.extend_from_slice(b"\r\n");
    }

    /// Appends the bytes of the value alone.
    #[inline]
    pub fn append(&self, place: u32, len: u32, out: &mut Vec<u8>) {
        let (place, mut left) = (place as usize % PLACES, len as usize);
        if left <= SLACK {
            out.extend_from_slice(&self.pool[place..place + left]);
            return;
        }
        let mut at = place;
        while left > 0 {
            let run = left.min(PLACES - at);
            out.extend_from_slice(&self.pool[at..at + run]);
            left -= run;
            at = 0;
        }
    }

    /// The random bytes behind all values.
    pub(crate) fn pool(&self) -> &[u8] {
        &self.pool[..PLACES]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ValueKind;

    fn values(size: Size, seed: u64) -> Values {
        Values::new(
            &spec::Values {
                size,
                kind: ValueKind::Random,
            },
            seed,
        )
    }

    #[test]
    fn values_are_those_of_the_seed() {
        let (a, b, c) = (
            values(Size::Fixed(64), 1),
            values(Size::Fixed(64), 1),
            values(Size::Fixed(64), 2),
        );
        assert_eq!(a.pool(), b.pool());
        assert_ne!(a.pool(), c.pool());
    }

    #[test]
    fn a_long_value_is_the_pool_from_its_place_on() {
        let values = values(Size::Fixed(1), 3);
        for (place, len) in [
            (0, 10),
            (PLACES - 1, SLACK),
            (PLACES - 5, SLACK + 1),
            (7, PLACES * 2 + 3),
        ] {
            let mut out = Vec::new();
            values.append(place as u32, len as u32, &mut out);
            let expected: Vec<u8> = (0..len).map(|i| values.pool()[(place + i) % PLACES]).collect();
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn lengths_reach_both_bounds_and_no_further() {
        let values = values(Size::Range { min: 3, max: 5 }, 4);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let lens: std::collections::BTreeSet<u32> = (0..1000).map(|_| values.draw(&mut rng).1).collect();
        assert_eq!(lens.into_iter().collect::<Vec<_>>(), [3, 4, 5]);
    }

    #[test]
    fn bytes_are_spread_evenly() {
        let values = values(Size::Fixed(1), 5);
        let mut counts = [0u32; 256];
        values
            .pool()
            .iter()
            .for_each(|&byte| counts[usize::from(byte)] += 1);
        let expected = PLACES as f64 / 256.0;
        let chi2: f64 = counts
            .iter()
            .map(|&n| (f64::from(n) - expected).powi(2) / expected)
            .sum();
        assert!(chi2 < 255.0 + 5.0 * (2.0 * 255.0f64).sqrt(), "chi2 {chi2}");
    }
}

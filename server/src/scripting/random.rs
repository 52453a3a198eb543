//! The random numbers of scripts: those of POSIX' `lrand48`, so that a script that seeds them sees what it sees in stock.

/// A linear congruential generator of 48 bits.
pub struct Random(u64);

const MASK: u64 = (1 << 48) - 1;
const MAX: u32 = 0x7fff_ffff;

impl Default for Random {
    /// The state that a process starts with.
    fn default() -> Self {
        Self(0x1234_abcd_330e)
    }
}

impl Random {
    pub fn seed(&mut self, seed: i32) {
        self.0 = (u64::from(seed as u32) << 16) + 0x330e;
    }

    /// A number of [0, 1).
    pub fn next_unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & MASK;
        f64::from((self.0 >> 17) as u32 % MAX) / f64::from(MAX)
    }
}

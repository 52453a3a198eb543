//! HyperLogLog: estimates of how many different elements were added, in strings of redis-server's layout.
//!
//! ```text
//! | "HYLL" | form: 1 | 0 0 0 | estimate, or stale: 8, little endian | registers |
//!   dense (0): 16384 registers of 6 bits, the lowest bits of a byte first
//!   sparse (1): runs of registers, see `sparse`
//! ```

mod add;
mod count;
mod debug;
mod dense;
mod estimate;
mod hash;
mod layout;
mod merge;
mod sparse;

use super::call::{Binding, Locks};

pub const HANDLERS: &[Binding] = &[
    ("pfadd", add::pfadd, Locks::Keys),
    ("pfcount", count::pfcount, Locks::Keys),
    ("pfdebug", debug::pfdebug, Locks::Keys),
    ("pfmerge", merge::pfmerge, Locks::Keys),
    ("pfselftest", debug::pfselftest, Locks::None),
];

//! Taking the time of operations without disturbing them.
//!
//! Nothing here is shared between threads: each generator thread has a clock, a recorder and its slices of time, which
//! are put together when all have ended.
//!
//! | file | holds |
//! |---|---|
//! | `clock` | nanoseconds from the processor's counter, checked against the system's clock |
//! | `recorder` | one histogram for each command and node; operations by slot, errors by class |
//! | `interval` | slices of the measured time |
//! | `shards` | replies by shard and millisecond, for runs with faults |
//! | `cpu` | processor time of the calling thread |

mod clock;
mod cpu;
mod interval;
mod recorder;
mod shards;

pub use clock::Clock;
pub use cpu::thread_cpu;
pub use interval::Slice;
pub(crate) use recorder::empty_histogram;
pub use recorder::{CacheCount, Recorded, Recorder};
pub use shards::{ShardMap, ShardTrace, ShardTraces, Trace};

//! HdrHistogram's log format 1.3, for the viewers and mergers that exist for it.
//!
//! | file | holds |
//! |---|---|
//! | `write` | one engine's log, and a merged one |
//! | `read` | any such log, line by line |

mod read;
mod write;

use hdrhistogram::Histogram;

pub use read::{Log, LogError, parse, read};
pub use write::{MAX_VALUE_DIVISOR, write, write_lines};

/// A histogram at its place in time.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    pub tag: Option<String>,
    /// Unix time of its beginning.
    pub start_unix_s: f64,
    pub length_s: f64,
    pub latency: Histogram<u64>,
}

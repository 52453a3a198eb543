//! What an operator sees of the node.
//!
//! ```text
//! stats     counters per worker and command, latency histograms, rates        INFO, LATENCY HISTOGRAM
//! clients   every connection as others see it                                 CLIENT LIST, CLIENT KILL
//! slowlog   the latest slow commands                                          SLOWLOG
//! latency   the latest spikes by event                                        LATENCY LATEST, HISTORY
//! memory    where memory is                                                   INFO memory, MEMORY STATS
//! process   memory, processor time and machine, from /proc
//! info      the text of INFO
//! ```

pub mod clients;
pub mod info;
pub mod latency;
pub mod memory;
pub mod monitor;
pub mod process;
pub mod secrets;
pub mod slowlog;
pub mod stats;

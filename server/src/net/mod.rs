//! The only place that knows sockets.
//!
//! ```text
//!  listener ── accept ──► least loaded worker ──► one task a connection, which stays there
//!
//!  connection:   read ─► batch: parse ─► hash, prefetch ─► lock, execute, append reply ─► one write
//! ```

mod batch;
mod blocked;
mod connection;
mod delivery;
mod listener;
mod worker;

pub use batch::{Scratch, Stop};
pub use listener::{Listeners, bind};
pub use worker::Workers;

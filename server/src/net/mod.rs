//! The only place that knows sockets.
//!
//! ```text
//!  listener ── accept ──► least loaded worker: an event loop over its connections, which stay there
//!
//!  connection:   read ─► batch: parse ─► hash, prefetch ─► lock, execute, append reply ─► one write
//! ```

mod batch;
mod blocked;
mod connection;
mod delivery;
mod doorbell;
mod event_loop;
mod listener;
mod socket;
mod worker;

pub use batch::{Scratch, Stop};
pub use listener::{Listeners, bind};
pub use worker::Workers;

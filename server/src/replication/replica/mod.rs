//! The replica's side.
//!
//! ```text
//! connect ─► introduce ─► PSYNC ─┬─ +CONTINUE ────────────────────────────────► stream ─► lost ─► connect
//!            handshake           └─ +FULLRESYNC ─► receive the RDB ─► load it ──┘ apply
//!                                                  transfer, spool    load
//! ```

mod apply;
mod backoff;
mod channel;
mod error;
mod fault;
mod handshake;
mod link;
mod load;
mod loading;
#[cfg(test)]
mod scripted;
mod spool;
mod stream;
mod transfer;
mod wire;

pub use error::failed;
pub use link::start;
pub use loading::{Loading, LoadingFacts, LoadingState};

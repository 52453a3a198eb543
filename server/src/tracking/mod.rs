//! Client-side caching: a connection that tracks is told which of the keys that it may have a copy of are stale.
//!
//! ```text
//!  GET by a tracking connection ─► its number beside the key, in the slot (keyspace::observe), under the slot's lock
//!  a change of the key          ─► Stale { key, readers } in the slot ─► Table: who are they ─► mailbox (pubsub)
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `mode` | [`Mode`]: what one connection has asked for |
//! | `table` | [`Tracking`]: all who track, prefixes, limits; sends what they are to be told |
//! | `session` | what a command of a tracking connection leaves behind |
//! | `observer` | what the keyspace tells on its own: expiry, slots that leave, floods of new data |
//!
//! With BCAST the slots report every change, and it is compared with the prefixes. What a command changes is told when it,
//! or the transaction that it is part of, has its reply; to its own connection too, behind that reply.

mod mode;
mod observer;
mod session;
mod table;

pub use mode::{Choice, Mode};
pub use observer::observe;
pub use session::{after_command, tell_stale};
pub use table::Tracking;

//! Publish and subscribe: who listens to what, and how a message gets to them.
//!
//! ```text
//!  PUBLISH (any worker) ─┐            ┌─ lock of the channel's part ─┐
//!  cluster bus ──────────┼─► Registry ┤  Frame ─► mailbox A ─ wake   ├─► connection A: writes to its socket
//!  a key's notification ─┘            └─ Frame ─► mailbox B ─ wake   ┘
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `frame` | a message as it goes on the wire; all its receivers share the bytes |
//! | `subscriber` | one connection's subscriptions, and the mailbox that publishers put frames into |
//! | `channels` | names and who listens to them, in parts with a lock each |
//! | `registry` | channels, patterns and shard channels: subscribe, publish, forget |
//! | `outcome` | whom a publisher has to wake, and whom to end for being too slow |
//!
//! Locks are taken in this order, and no socket is touched under any: a slot's, the part's of a channel, the patterns',
//! a mailbox's. Since a message is put into all mailboxes under the lock of its channel's part, all subscribers of a
//! channel see its messages in one order.

mod channels;
mod frame;
mod outcome;
mod registry;
mod subscriber;

pub use frame::{Frame, SLICES_PER_FRAME};
pub use outcome::Outcome;
pub use registry::{Counts, Moved, Registry};
pub use subscriber::{Kind, Subscriber};

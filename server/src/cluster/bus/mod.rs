//! The cluster bus: the thread that drives [`Member`](super::protocol::Member) with real time and real links.
//!
//! ```text
//!   peers ══ links ── Received ──▶ ┌────────┐ ── orders ──▶ role, pause, keys of the node
//!        ══ dials ── Connected ──▶ │ member │
//!   clock ────────────── Tick ───▶ └────────┘ ── send ────▶ outboxes of the links ══▶ peers
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `codec` | [`Message`](super::message::Message) to bytes and back |
//! | `host` | the thread: inputs in, orders carried out |
//! | `links` | all connections, by the names that the member gives them |
//! | `link` | one connection: reading, writing |
//! | `traffic` | what CLUSTER LINKS tells of the connections |
//!
//! It is a thread of its own, so that no command of a client delays a heartbeat; only DEBUG SLEEP, which imitates a
//! process that hangs, stops it too.

pub mod codec;
mod host;
mod link;
mod links;
mod traffic;

pub use host::start;
pub use traffic::{LinkGauge, Traffic};

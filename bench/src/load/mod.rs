//! Putting a target under load: [`run`] for a round, [`preload`] to store the keys first.
//!
//! ```text
//!  round ──▶ scout (one thread: the slot map) ◀─ asks for a refresh ─┐
//!    │            └────── newer map ──────────────────────────────┐  │
//!    ├──▶ worker 0 (a generator thread) ── clients 0, 2, 4.. ──┐   ▼  │
//!    └──▶ worker 1                      ── clients 1, 3, 5.. ──┴─ routes, connections ──▶ nodes
//!              └── recorder ──▶ merge ──▶ Outcome
//! ```
//!
//! A client is what it is in an application: one connection to each primary, and a window of operations outstanding
//! over all of them, drawn in the order of its stream. A node that stalls fills the window, and the client waits: the
//! mix of keys that is asked for does not depend on how fast which node answers.
//!
//! | file | holds |
//! |---|---|
//! | `plan` | what to do, and the watch through which another thread looks on |
//! | `round` | discovery, threads, a common start |
//! | `job` | what the threads of a round share |
//! | `worker/` | the event loop |
//! | `client` | where a client's operations come from |
//! | `connection` | a socket, bytes to write, replies that are due |
//! | `division` | the slots by who owned them at the start, for traced rounds |
//! | `groups` | operations in several parts |
//! | `holds` | who held which key when, for the audit of locks |
//! | `timers` | what is to be done later |
//! | `routes` | slots to nodes, in one thread |
//! | `discover`, `scout` | the slot map: asked for, and kept fresh |
//! | `scripts` | making a workload's scripts known to all nodes |
//! | `beside/` | storms, neighbours, receivers: what runs beside the load |
//! | `staleness` | what replicas answer, compared with what was acknowledged |
//! | `writes` | a record of every write, for the audit |
//! | `merge` | the counts of all threads as one outcome |

mod beside;
mod client;
mod connection;
mod discover;
mod division;
mod groups;
mod holds;
mod job;
mod merge;
mod plan;
mod round;
mod routes;
mod scout;
mod scripts;
mod staleness;
mod timers;
mod worker;
mod writes;

#[cfg(test)]
mod tests;

pub use crate::report::outcome::{
    BesideOutcome, CommandOutcome, Ended, Interval, NodeOutcome, OpenLoopOutcome, Outcome, ShardOutcome,
};
pub use beside::DeliveryOutcome;
pub use holds::HoldsOutcome;
pub(crate) use plan::RaiseOnDrop;
pub use plan::{Auth, HostPort, Phase, Plan, PreloadOutcome, PreloadPlan, Target, Until, Watch};
pub use round::{preload, run};
pub use staleness::StalenessOutcome;
pub use writes::{STAMP_LEN, Write, WriteId, WriteLog};

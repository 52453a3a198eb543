//! What this node knows of its cluster, and how that changes.
//!
//! ```text
//!   workers ── view() ───────────────▶ ClusterView   one immutable snapshot; a command loads it once
//!                                          ▲
//!   CLUSTER MEET, CONFIG SET ...           │ publish, only after
//!        └─ command(|member| ...) ─▶ Member ─▶ nodes.conf   temporary file, fsync, rename, fsync of the directory
//!   peers, time ── step(input) ────▶        └─▶ orders for the bus thread: role, messages, links
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `handle` | [`Cluster`]: opens, steps, saves, publishes |
//! | `protocol` | [`protocol::Member`]: the rules, without I/O |
//! | `message` | what nodes say to each other |
//! | `bus` | the thread that drives the rules: links, codec, orders |
//! | `data` | [`ClusterData`]: nodes, owners, epochs; to and from nodes.conf and topologies |
//! | `admin` | what CLUSTER's administrative subcommands do to it, without I/O |
//! | `view` | [`ClusterView`]: the data with all that follows from it, asked by `slotcore::route` |
//! | `nodes_conf` | the file: lock, load, save |
//! | `publications` | what clients publish, on its way to the bus thread |
//! | `settings` | the directives that matter here |
//!
mod admin;
pub mod bus;
mod data;
mod handle;
pub mod message;
mod nodes_conf;
pub mod protocol;
mod publications;
mod settings;
#[cfg(test)]
mod tests;
mod view;

pub use admin::{AdminError, Bump, Claim};
pub use data::{ClusterData, ClusterNode, NodeLive};
pub use handle::{ChangeError, Cluster, random_id};
pub use nodes_conf::{NodesFile, NodesFileError};
pub use publications::{Publication, PublishError};
pub use settings::ClusterSettings;
pub use view::{ClusterState, ClusterView};

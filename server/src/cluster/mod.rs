//! What this node knows of its cluster, and how that changes.
//!
//! ```text
//!   workers ── view() ──────────────▶ ClusterView   one immutable snapshot; a batch loads it once
//!                                         ▲
//!   CLUSTER ADDSLOTS, CONFIG SET ...      │ publish, only after
//!        └─ change(|data| ...) ─▶ ClusterData ─▶ nodes.conf   temporary file, fsync, rename, fsync of the directory
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `handle` | [`Cluster`]: opens, changes, publishes |
//! | `data` | [`ClusterData`]: nodes, owners, epochs; to and from nodes.conf and topologies |
//! | `admin` | what CLUSTER's administrative subcommands do to it, without I/O |
//! | `view` | [`ClusterView`]: the data with all that follows from it, asked by `slotcore::route` |
//! | `nodes_conf` | the file: lock, load, save |
//! | `settings` | the directives that matter here |
//!
//! # What is trusted while there is no cluster bus
//!
//! Nothing measures yet whether another node is alive. The nodes that nodes.conf names are taken to be up: they are
//! shown as `connected`, since clients leave out nodes that are not; a `fail` or `fail?` that nodes.conf carries is
//! dropped, since nobody could ever take it back; and the cluster's state is ok as soon as every slot has an owner. A
//! node that nodes.conf calls a replica has no data and no way to get any, so it redirects every request to its primary,
//! also those of clients that said READONLY. What the bus will learn has its place already: opinions and epochs in
//! [`ClusterData`], pings and offsets, which change without a new snapshot, in [`NodeLive`].

mod admin;
pub mod bus;
mod data;
mod handle;
pub mod message;
mod nodes_conf;
pub mod protocol;
mod settings;
#[cfg(test)]
mod tests;
mod view;

pub use admin::{AdminError, Bump, Claim};
pub use data::{ClusterData, ClusterNode, NodeLive};
pub use handle::{ChangeError, Cluster, random_id};
pub use nodes_conf::{NodesFile, NodesFileError};
pub use settings::ClusterSettings;
pub use view::{ClusterState, ClusterView};

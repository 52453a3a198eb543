//! Who is in a cluster and who owns which slot, and the texts and replies that carry it.
//!
//! ```text
//!   CLUSTER NODES, nodes.conf   <->  nodes.rs   \
//!   CLUSTER SLOTS               <->  slots.rs    >  Topology  ->  SlotMap (slot_map.rs)
//!   CLUSTER SHARDS              <->  shards.rs  /
//! ```
//!
//! [`Topology`] is the common description: the node builds one from its state and writes it, a client reads one and
//! makes its [`SlotMap`](crate::slot_map::SlotMap) from it.

mod model;
mod node_id;
pub mod nodes;
mod ranges;
mod reply;
pub mod shards;
pub mod slots;
#[cfg(test)]
mod tests;

pub use model::{Endpoint, Health, Link, NodeFlags, OpenSlot, Topology, TopologyNode};
pub use node_id::{BadNodeId, NodeId};
pub use ranges::{SlotRange, SlotRanges};
pub use reply::ShapeError;

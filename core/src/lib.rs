//! What a slot-sharded node and its clients must agree on.
//!
//! A cluster node and a load generator look at the same things from two sides: which slot a key belongs to, who owns
//! that slot, what a request and a reply look like on the wire. This crate holds each of those once, so that the two
//! programs cannot disagree.
//!
//! Everything here is sans-IO: functions from bytes and state to decisions and bytes. There is no socket, no clock,
//! no thread and no unsafe code, which is why all of it can be tested, fuzzed and simulated without a running node.
//!
//! | module | holds |
//! |---|---|
//! | [`slot`] | CRC16, hash tags, the slot of a key |
//! | [`command`] | the command table: names, arity, flags, where the keys are |
//! | [`resp`] | RESP2 and RESP3: requests, replies, encoders |
//! | [`topology`] | who is in a cluster: CLUSTER NODES, SLOTS, SHARDS and nodes.conf, both ways |
//! | [`slot_map`] | the owner of every slot, as a client keeps it |
//! | [`route`] | who serves a request: here, MOVED, ASK, TRYAGAIN, CROSSSLOT, CLUSTERDOWN |
//! | [`redirect`] | the error replies of a cluster |
//! | [`hex`] | bytes as hexadecimal digits |
//! | [`limits`] | every bound on what a peer may make us hold |
#![forbid(unsafe_code)]

pub mod command;
pub mod hex;
pub mod limits;
pub mod redirect;
pub mod resp;
pub mod route;
pub mod slot;
pub mod slot_map;
pub mod topology;

pub use slot::{SLOT_COUNT, Slot, slot_of};

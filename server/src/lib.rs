//! A high-throughput cluster node, wire-compatible with redis-server in cluster mode.

pub mod admin;
pub mod cluster;
pub mod config;
pub mod glob;
pub mod log;

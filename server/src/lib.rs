//! A high-throughput cluster node, wire-compatible with redis-server in cluster mode.
//!
//! ```text
//!  main thread          accepts, waits for signals
//!  worker threads       connections: read, parse, prefetch, run under slot locks, write      net/, command/
//!  cluster-bus thread   heartbeats, elections                                                cluster/
//!  primary-link thread  on a replica: the copy and the stream of its primary                 replication/replica/
//!  replication thread   on a primary: copies and the stream for its replicas                 replication/primary/
//!  housekeeping thread  expiry, idle clients, samples, pings to replicas
//!  eviction thread      evicts what commands had no time for                                 eviction/
//!
//!  Node (leaked, 'static): keyspace/  cluster/  config/  admin/ (clients, statistics, slow log)
//! ```

pub mod acl;
pub mod admin;
pub mod boot;
pub mod cluster;
pub mod command;
pub mod config;
mod daemon;
pub mod events;
pub mod eviction;
pub mod glob;
mod housekeeping;
pub mod keyspace;
pub mod log;
pub mod memory;
pub mod net;
pub mod node;
pub mod persistence;
pub mod pubsub;
pub mod replication;
pub mod scripting;
pub mod session;
pub mod tracking;
pub mod waiting;

pub use boot::main_from_args;

/// Counts what is in use: see [`memory`].
#[global_allocator]
static ALLOCATOR: memory::Counted = memory::Counted;

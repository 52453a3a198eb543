//! Where memory is: the figures of INFO memory, MEMORY STATS and MEMORY DOCTOR.

use crate::admin::clients::{ClientKind, ClientRegistry};
use crate::admin::process;
use crate::config::Config;
use crate::eviction;
use crate::memory::{self, FromSystem};
use crate::node::Node;

/// Bytes, unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryFacts {
    /// In use, as allocated.
    pub used: u64,
    /// In use at most so far.
    pub peak: u64,
    /// In use when the node had started.
    pub startup: u64,
    /// Of the whole process, in memory.
    pub resident: u64,
    /// What the allocator has taken.
    pub allocator: FromSystem,
    /// The stream of effects: backlog, and what replicas have yet to read.
    pub stream: u64,
    /// The part of it that does not count against maxmemory.
    pub not_counted: u64,
    /// Buffers of clients.
    pub clients: u64,
    /// Buffers of connections to replicas.
    pub replicas: u64,
    /// Texts of cached scripts, without what Lua has made of them.
    pub scripts: u64,
    /// Texts of libraries of functions.
    pub functions: u64,
    /// How many scripts, libraries and functions there are.
    pub script_counts: [usize; 3],
    /// The hash tables of the slots, without their entries.
    pub tables: u64,
    /// Number of keys.
    pub keys: u64,
}

impl MemoryFacts {
    /// Takes stock of this moment. It looks at every slot, though not at its lock.
    pub fn gather(node: &Node, config: &Config) -> Self {
        let used = node.memory.sample();
        let allocator = memory::from_system();
        let (clients, replicas) = buffers(&node.clients);
        let (scripts, script_bytes) = node.scripts.cache.size();
        let catalog = node.scripts.functions.catalog();
        Self {
            used,
            peak: node.memory.peak(),
            startup: node.memory.startup(),
            resident: process::memory().map_or(allocator.resident, |memory| memory.resident),
            allocator,
            stream: node.replication.log.backlog().len,
            not_counted: eviction::not_counted(node, config),
            clients,
            replicas,
            scripts: script_bytes as u64,
            functions: catalog.text_len() as u64,
            script_counts: [scripts, catalog.libraries.len(), catalog.function_count()],
            tables: node.keyspace.table_bytes() as u64,
            keys: node.keyspace.key_count() as u64,
        }
    }

    /// What is in use and is no data.
    pub fn overhead(&self) -> u64 {
        self.startup
            + self.stream
            + self.clients
            + self.replicas
            + self.scripts
            + self.functions
            + self.tables
    }

    /// What is in use and is data.
    pub fn dataset(&self) -> u64 {
        self.used.saturating_sub(self.overhead())
    }

    /// What has been taken into use since the start.
    pub fn since_startup(&self) -> u64 {
        self.used.saturating_sub(self.startup)
    }

    /// The data's share of it, in percent.
    pub fn dataset_percent(&self) -> f64 {
        percent(self.dataset(), self.since_startup())
    }

    /// What is in use in percent of the most that was.
    pub fn peak_percent(&self) -> f64 {
        percent(self.used, self.peak)
    }

    /// What the process holds for each byte in use, and how many bytes more that is.
    pub fn fragmentation(&self) -> (f64, i64) {
        between(self.resident, self.used)
    }

    /// What the allocator has taken for each byte in use, and how many bytes more that is.
    pub fn allocator_fragmentation(&self) -> (f64, i64) {
        between(self.allocator.committed, self.used)
    }

    /// What is in memory for each byte that the allocator has taken, and how many bytes more that is.
    pub fn allocator_resident(&self) -> (f64, i64) {
        between(self.allocator.resident, self.allocator.committed)
    }

    /// What the process holds for each byte of the allocator that is in memory, and how many bytes more that is.
    pub fn rss_overhead(&self) -> (f64, i64) {
        between(self.resident, self.allocator.resident)
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

fn between(more: u64, less: u64) -> (f64, i64) {
    let ratio = if less == 0 { 0.0 } else { more as f64 / less as f64 };
    (ratio, more as i64 - less as i64)
}

fn buffers(clients: &ClientRegistry) -> (u64, u64) {
    clients
        .all()
        .iter()
        .fold((0, 0), |(normal, replicas), client| match client.kind() {
            ClientKind::Replica => (normal, replicas + client.held_bytes() as u64),
            _ => (normal + client.held_bytes() as u64, replicas),
        })
}

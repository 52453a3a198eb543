//! The directives that shape the cluster's state.

use slotcore::topology::Endpoint;

use crate::config::{Config, EndpointType};

/// The directives that shape the cluster's state; CONFIG SET may change most of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSettings {
    /// The port for clients that others are told.
    pub port: u16,
    /// The port of the bus that others are told.
    pub bus_port: u16,
    /// cluster-announce-ip: the address that others are told.
    pub announce_ip: Option<String>,
    /// cluster-announce-hostname
    pub announce_hostname: Option<String>,
    /// cluster-preferred-endpoint-type
    pub endpoint: Endpoint,
    /// cluster-require-full-coverage
    pub require_full_coverage: bool,
    /// cluster-allow-reads-when-down
    pub allow_reads_when_down: bool,
    /// cluster-allow-pubsubshard-when-down
    pub allow_shard_channels_when_down: bool,
    /// cluster-node-timeout, ms
    pub node_timeout_ms: u64,
    /// cluster-replica-validity-factor; 0: a replica's data is never too old for an election
    pub replica_validity_factor: u64,
    /// cluster-replica-no-failover
    pub replica_no_failover: bool,
    /// cluster-allow-replica-migration
    pub allow_replica_migration: bool,
    /// cluster-migration-barrier: replicas that a primary keeps when one of its own moves to an orphaned primary
    pub migration_barrier: usize,
    /// repl-ping-replica-period, ms: a replica's link may be silent for so long
    pub repl_ping_period_ms: u64,
    /// slotmark-refused-means-failed: a peer whose bus refuses connections is thought to be down at once
    pub refused_means_failed: bool,
}

impl Default for ClusterSettings {
    /// The defaults of the directives; the ports are not known.
    fn default() -> Self {
        Self {
            port: 0,
            bus_port: 0,
            announce_ip: None,
            announce_hostname: None,
            endpoint: Endpoint::default(),
            require_full_coverage: true,
            allow_reads_when_down: false,
            allow_shard_channels_when_down: true,
            node_timeout_ms: 15_000,
            replica_validity_factor: 10,
            replica_no_failover: false,
            allow_replica_migration: true,
            migration_barrier: 1,
            repl_ping_period_ms: 10_000,
            refused_means_failed: true,
        }
    }
}

impl ClusterSettings {
    /// What the node's configuration says.
    pub fn from_config(config: &Config) -> Self {
        let announced = |announced: u16, real: u16| if announced == 0 { real } else { announced };
        Self {
            port: announced(config.cluster_announce_port, config.port),
            bus_port: announced(config.cluster_announce_bus_port, config.bus_port().unwrap_or(0)),
            announce_ip: config.cluster_announce_ip.clone(),
            announce_hostname: config.cluster_announce_hostname.clone(),
            endpoint: match config.cluster_preferred_endpoint_type {
                EndpointType::Ip => Endpoint::Ip,
                EndpointType::Hostname => Endpoint::Hostname,
                EndpointType::Unknown => Endpoint::Unknown,
            },
            require_full_coverage: config.cluster_require_full_coverage,
            allow_reads_when_down: config.cluster_allow_reads_when_down,
            allow_shard_channels_when_down: config.cluster_allow_pubsubshard_when_down,
            node_timeout_ms: config.cluster_node_timeout_ms,
            replica_validity_factor: u64::from(config.cluster_replica_validity_factor),
            replica_no_failover: config.cluster_replica_no_failover,
            allow_replica_migration: config.cluster_allow_replica_migration,
            migration_barrier: config.cluster_migration_barrier as usize,
            repl_ping_period_ms: config.primary.ping_period_s.saturating_mul(1000),
            refused_means_failed: config.refused_means_failed,
        }
    }
}

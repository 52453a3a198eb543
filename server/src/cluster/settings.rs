//! The directives that shape the cluster's state.

use slotcore::topology::Endpoint;

use crate::config::{Config, EndpointType};

/// The directives that shape the cluster's state; CONFIG SET may change most of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
        }
    }
}

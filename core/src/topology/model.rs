//! The common description of a cluster.

use bitflags::bitflags;

use super::{NodeId, SlotRanges};
use crate::slot::Slot;

bitflags! {
    /// What is known of a node. The bits are those of the cluster bus.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct NodeFlags: u16 {
        /// Owns slots, or may.
        const PRIMARY = 1;
        /// Copies a primary.
        const REPLICA = 2;
        /// We think that it is down; written `fail?`.
        const PFAIL = 4;
        /// A majority of the primaries thinks that it is down.
        const FAIL = 8;
        /// The node that says so.
        const MYSELF = 16;
        /// Not yet known by its own name.
        const HANDSHAKE = 32;
        /// Its address is not known.
        const NOADDR = 64;
        /// Owes us a MEET; never written.
        const MEET = 128;
        /// Its primary may take orphaned primaries' replicas; never written.
        const MIGRATE_TO = 256;
        /// Never starts an election.
        const NOFAILOVER = 512;
    }
}

impl NodeFlags {
    /// The written names, in the order in which they are written.
    pub(super) const NAMES: [(&'static str, Self); 8] = [
        ("myself", Self::MYSELF),
        ("master", Self::PRIMARY),
        ("slave", Self::REPLICA),
        ("fail?", Self::PFAIL),
        ("fail", Self::FAIL),
        ("handshake", Self::HANDSHAKE),
        ("noaddr", Self::NOADDR),
        ("nofailover", Self::NOFAILOVER),
    ];
}

/// Whether the node that says so has a link to this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// `connected`
    #[default]
    Connected,
    /// `disconnected`
    Disconnected,
}

/// As CLUSTER SHARDS tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Serves.
    #[default]
    Online,
    /// A replica that has not got its first copy yet.
    Loading,
    /// Down.
    Fail,
}

/// Which name of a node a cluster tells its clients: `cluster-preferred-endpoint-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Endpoint {
    /// The IP address.
    #[default]
    Ip,
    /// The announced hostname; `?` where a node has none.
    Hostname,
    /// No name: the client keeps the host by which it reached the cluster and changes the port only.
    Unknown,
}

impl Endpoint {
    /// The name that clients are told of a node with this address and hostname.
    pub fn of<'a>(self, ip: &'a str, hostname: Option<&'a str>) -> &'a str {
        match self {
            Self::Ip => ip,
            Self::Hostname => hostname.unwrap_or("?"),
            Self::Unknown => "",
        }
    }
}

/// A slot on its way from one node to another, from the point of view of the node that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSlot {
    /// The slot.
    pub slot: Slot,
    /// Where it goes to, or where it comes from.
    pub node: NodeId,
}

/// One node of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopologyNode {
    /// `None` when the server is too old, or too different, to tell 40 digits.
    pub id: Option<NodeId>,
    /// IP address; empty when it is not known (a node that nobody has met yet).
    pub ip: String,
    /// The port for clients: TLS in a TLS cluster.
    pub port: u16,
    /// The second port for clients, when a node listens with and without TLS and the reply tells both.
    pub tls_port: Option<u16>,
    /// The port of the cluster bus; 0 when the reply does not tell it.
    pub bus_port: u16,
    /// The announced hostname.
    pub hostname: Option<String>,
    /// What the sender wants its clients to dial. `None`: the host by which the sender was reached.
    pub endpoint: Option<String>,
    /// What is known of it.
    pub flags: NodeFlags,
    /// The primary that this replica copies.
    pub primary: Option<NodeId>,
    /// When the ping that waits for its pong was sent, unix ms; 0: none waits.
    pub ping_ms: u64,
    /// When the last pong came, unix ms.
    pub pong_ms: u64,
    /// Configuration epoch; a replica shows its primary's.
    pub epoch: u64,
    /// The sender's link to it.
    pub link: Link,
    /// What it owns.
    pub slots: SlotRanges,
    /// Slots that leave this node, ascending; told by the node itself only.
    pub migrating: Vec<OpenSlot>,
    /// Slots that come to this node, ascending; told by the node itself only.
    pub importing: Vec<OpenSlot>,
    /// Bytes of the replication stream that it has.
    pub replication_offset: u64,
    /// As CLUSTER SHARDS tells it.
    pub health: Health,
}

impl TopologyNode {
    /// Whether it is a replica.
    pub fn is_replica(&self) -> bool {
        self.flags.contains(NodeFlags::REPLICA)
    }

    /// The name that clients are told.
    pub fn preferred_endpoint(&self, endpoint: Endpoint) -> &str {
        endpoint.of(&self.ip, self.hostname.as_deref())
    }
}

/// A cluster as one node sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// In the order of the text or reply.
    pub nodes: Vec<TopologyNode>,
}

impl Topology {
    /// The node of this name.
    pub fn node(&self, id: NodeId) -> Option<&TopologyNode> {
        self.nodes.iter().find(|node| node.id == Some(id))
    }

    /// The node that says so.
    pub fn myself(&self) -> Option<&TopologyNode> {
        self.nodes
            .iter()
            .find(|node| node.flags.contains(NodeFlags::MYSELF))
    }

    /// The replicas of a primary, in order.
    pub fn replicas_of(&self, primary: NodeId) -> impl Iterator<Item = &TopologyNode> {
        self.nodes
            .iter()
            .filter(move |node| node.is_replica() && node.primary == Some(primary))
    }

    /// How many slots have an owner.
    pub fn coverage(&self) -> usize {
        self.nodes.iter().map(|node| node.slots.len()).sum()
    }
}

/// What a name in a reply tells a client to dial: nothing when it is empty or the `?` of a missing hostname.
pub(super) fn dialable(host: &str) -> Option<String> {
    (!host.is_empty() && host != "?").then(|| host.to_owned())
}

//! The node's knowledge of its cluster, as data.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use slotcore::slot_map::{NodeIndex, OwnerTable};
use slotcore::topology::nodes::NodesConf;
use slotcore::topology::{Health, Link, NodeFlags, NodeId, OpenSlot, Topology, TopologyNode};
use slotcore::{SLOT_COUNT, Slot};

use super::settings::ClusterSettings;

/// What changes with every heartbeat, shared by all snapshots, so that a heartbeat makes no new one.
#[derive(Debug, Default)]
pub struct NodeLive {
    /// When the ping that waits for its pong was sent, unix ms; 0: none waits.
    pub ping_ms: AtomicU64,
    /// When the last pong came, unix ms.
    pub pong_ms: AtomicU64,
    /// We have a link to it.
    pub linked: AtomicBool,
    /// Bytes of the replication stream that it has.
    pub replication_offset: AtomicU64,
}

/// One node of the cluster.
#[derive(Clone, Debug)]
pub struct ClusterNode {
    /// Its name.
    pub id: NodeId,
    /// IP address; empty when unknown, as our own is until another node has told us.
    pub ip: String,
    /// The port for clients.
    pub port: u16,
    /// The port of the bus.
    pub bus_port: u16,
    /// Its announced hostname.
    pub hostname: Option<String>,
    /// What is known of it.
    pub flags: NodeFlags,
    /// The primary that it copies.
    pub primary: Option<NodeIndex>,
    /// Its own configuration epoch.
    pub epoch: u64,
    /// What changes all the time.
    pub live: Arc<NodeLive>,
}

impl ClusterNode {
    /// A primary without slots that nobody knows but itself.
    pub fn alone(id: NodeId) -> Self {
        Self {
            id,
            ip: String::new(),
            port: 0,
            bus_port: 0,
            hostname: None,
            flags: NodeFlags::MYSELF | NodeFlags::PRIMARY,
            primary: None,
            epoch: 0,
            live: Arc::default(),
        }
    }
}

/// The node's knowledge of its cluster. A change copies it, and the copy becomes the next snapshot.
#[derive(Clone, Debug)]
pub struct ClusterData {
    /// All known nodes; a [`NodeIndex`] is a place in it.
    pub nodes: Vec<ClusterNode>,
    /// This node's place.
    pub myself: NodeIndex,
    /// Who owns each slot.
    pub owners: OwnerTable,
    /// Slots of ours on their way to another node.
    pub migrating: BTreeMap<Slot, NodeIndex>,
    /// Slots of others on their way to us.
    pub importing: BTreeMap<Slot, NodeIndex>,
    /// The largest epoch seen in the cluster.
    pub current_epoch: u64,
    /// The epoch of our last vote.
    pub last_vote_epoch: u64,
    /// Whether the cluster serves, by the rules that [`super::protocol`] applies over time.
    pub state_ok: bool,
    /// The directives that matter here.
    pub settings: ClusterSettings,
}

impl ClusterData {
    /// A node that is a cluster of its own, without slots.
    pub fn alone(id: NodeId, settings: ClusterSettings) -> Self {
        let mut data = Self {
            nodes: vec![ClusterNode::alone(id)],
            myself: NodeIndex::new(0).expect("0 is below the limit"),
            owners: OwnerTable::new(),
            migrating: BTreeMap::new(),
            importing: BTreeMap::new(),
            current_epoch: 0,
            last_vote_epoch: 0,
            state_ok: false,
            settings: ClusterSettings::default(),
        };
        data.apply(settings);
        data
    }

    /// What nodes.conf holds. That a majority took a node to be down is kept; that we alone did is not, we look anew.
    pub fn from_conf(conf: &NodesConf, settings: ClusterSettings) -> Option<Self> {
        let place = |at: usize| NodeIndex::new(at);
        let places: HashMap<NodeId, NodeIndex> = conf
            .topology
            .nodes
            .iter()
            .enumerate()
            .filter_map(|(at, node)| Some((node.id?, place(at)?)))
            .collect();
        let mut owners = OwnerTable::new();
        let mut nodes = Vec::with_capacity(conf.topology.nodes.len());
        let mut myself = None;
        let (mut migrating, mut importing) = (BTreeMap::new(), BTreeMap::new());
        for (at, node) in conf.topology.nodes.iter().enumerate() {
            let index = place(at)?;
            for slot in node.slots.slots() {
                owners.set(slot, Some(index));
            }
            if node.flags.contains(NodeFlags::MYSELF) {
                myself = Some(index);
                let open = |list: &[OpenSlot]| {
                    list.iter()
                        .filter_map(|open| Some((open.slot, *places.get(&open.node)?)))
                        .collect()
                };
                (migrating, importing) = (open(&node.migrating), open(&node.importing));
            }
            nodes.push(ClusterNode {
                id: node.id?,
                ip: node.ip.clone(),
                port: node.port,
                bus_port: node.bus_port,
                hostname: node.hostname.clone(),
                flags: node.flags - NodeFlags::PFAIL,
                primary: node.primary.and_then(|id| places.get(&id).copied()),
                epoch: node.epoch,
                live: Arc::new(NodeLive {
                    pong_ms: AtomicU64::new(node.pong_ms),
                    ..NodeLive::default()
                }),
            });
        }
        let current_epoch = nodes
            .iter()
            .map(|node| node.epoch)
            .fold(conf.current_epoch, u64::max);
        let mut data = Self {
            nodes,
            myself: myself?,
            owners,
            migrating,
            importing,
            current_epoch,
            last_vote_epoch: conf.last_vote_epoch,
            state_ok: false,
            settings: ClusterSettings::default(),
        };
        data.apply(settings);
        Some(data)
    }

    /// Takes directives over, and what they say of this node.
    pub fn apply(&mut self, settings: ClusterSettings) {
        let announced_before = self.settings.announce_ip.is_some();
        let node = self.myself_mut();
        node.port = settings.port;
        node.bus_port = settings.bus_port;
        node.hostname = settings.announce_hostname.clone();
        match &settings.announce_ip {
            Some(ip) => node.ip = ip.clone(),
            // What was announced holds no longer; the next node that meets us tells what it sees.
            None if announced_before => node.ip.clear(),
            None => {}
        }
        self.settings = settings;
    }

    /// A node by an index of this data.
    pub fn node(&self, index: NodeIndex) -> &ClusterNode {
        &self.nodes[index.get()]
    }

    /// This node.
    pub fn me(&self) -> &ClusterNode {
        self.node(self.myself)
    }

    /// This node, to change.
    pub fn myself_mut(&mut self) -> &mut ClusterNode {
        &mut self.nodes[self.myself.get()]
    }

    /// The node of this name, as a client wrote it.
    pub fn find(&self, id: &[u8]) -> Option<NodeIndex> {
        let id = NodeId::parse(id).ok()?;
        self.nodes
            .iter()
            .position(|node| node.id == id)
            .and_then(NodeIndex::new)
    }

    /// The owner of our slots: ourselves, or our primary.
    pub fn my_shard(&self) -> NodeIndex {
        self.me().primary.unwrap_or(self.myself)
    }

    /// The configuration epoch that counts for a node's slots: a replica's is its primary's.
    pub fn epoch_of(&self, node: &ClusterNode) -> u64 {
        node.primary
            .map_or(node.epoch, |primary| self.node(primary).epoch)
    }

    /// Whether a majority of the primaries is there and, if that is asked for, every slot has an owner that works: what
    /// the state follows, with the delays that [`super::protocol`] puts in between.
    pub fn could_serve(&self) -> bool {
        let mut owns = vec![0; self.nodes.len()];
        for owner in (0..SLOT_COUNT as Slot).filter_map(|slot| self.owners.get(slot)) {
            owns[owner.get()] += 1;
        }
        let count = |without: NodeFlags| {
            let primaries = self.nodes.iter().zip(&owns).filter(|(_, owns)| **owns > 0);
            primaries.filter(move |(node, _)| !node.flags.intersects(without))
        };
        let covered: usize = count(NodeFlags::FAIL).map(|(_, owns)| owns).sum();
        let majority = count(NodeFlags::empty()).count() / 2 + 1;
        count(NodeFlags::FAIL | NodeFlags::PFAIL).count() >= majority
            && (covered == SLOT_COUNT || !self.settings.require_full_coverage)
    }

    /// The cluster as others are told it.
    pub fn topology(&self) -> Topology {
        let slots = self.owners.slots_by_node(self.nodes.len());
        let nodes = self
            .nodes
            .iter()
            .zip(slots)
            .enumerate()
            .map(|(at, (node, slots))| {
                let myself = at == self.myself.get();
                let open = |list: &BTreeMap<Slot, NodeIndex>| match myself {
                    true => list
                        .iter()
                        .map(|(slot, to)| OpenSlot {
                            slot: *slot,
                            node: self.node(*to).id,
                        })
                        .collect(),
                    false => Vec::new(),
                };
                let replication_offset = node.live.replication_offset.load(Relaxed);
                let health = if node.flags.contains(NodeFlags::FAIL) {
                    Health::Fail
                } else if node.flags.contains(NodeFlags::REPLICA) && replication_offset == 0 {
                    Health::Loading
                } else {
                    Health::Online
                };
                let linked = myself || node.live.linked.load(Relaxed);
                TopologyNode {
                    id: Some(node.id),
                    ip: node.ip.clone(),
                    port: node.port,
                    tls_port: None,
                    bus_port: node.bus_port,
                    hostname: node.hostname.clone(),
                    endpoint: None,
                    flags: node.flags,
                    primary: node.primary.map(|primary| self.node(primary).id),
                    ping_ms: node.live.ping_ms.load(Relaxed),
                    pong_ms: node.live.pong_ms.load(Relaxed),
                    epoch: self.epoch_of(node),
                    link: if linked {
                        Link::Connected
                    } else {
                        Link::Disconnected
                    },
                    slots,
                    migrating: open(&self.migrating),
                    importing: open(&self.importing),
                    replication_offset,
                    health,
                }
            });
        Topology {
            nodes: nodes.collect(),
        }
    }

    /// What nodes.conf is to hold.
    pub fn to_conf(&self) -> NodesConf {
        NodesConf {
            topology: self.topology(),
            current_epoch: self.current_epoch,
            last_vote_epoch: self.last_vote_epoch,
        }
    }
}

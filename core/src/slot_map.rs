//! Who owns each slot, as a client keeps it.

use crate::route::{RouteView, Service};
use crate::slot::{SLOT_COUNT, Slot};
use crate::topology::{NodeFlags, NodeId, SlotRanges, Topology};

/// A node, by its place in the list of nodes that gave the index out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(u16);

impl NodeIndex {
    /// The most nodes that a map can hold; far above what a cluster of 16384 slots can use.
    pub const MAX_NODES: usize = u16::MAX as usize;

    /// The node at this place; `None` from [`Self::MAX_NODES`] on.
    pub fn new(place: usize) -> Option<Self> {
        u16::try_from(place)
            .ok()
            .filter(|place| *place != NOBODY)
            .map(Self)
    }

    /// The place in the list.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

/// In an owner table: the slot has no owner.
const NOBODY: u16 = u16::MAX;

/// The owner of every slot: 32 KiB, one load a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerTable(Box<[u16; SLOT_COUNT]>);

impl OwnerTable {
    /// Nobody owns anything.
    pub fn new() -> Self {
        Self(Box::new([NOBODY; SLOT_COUNT]))
    }

    /// The owner of a slot. A number that is no slot has none.
    #[inline]
    pub fn get(&self, slot: Slot) -> Option<NodeIndex> {
        match self.0.get(usize::from(slot)) {
            Some(&owner) if owner != NOBODY => Some(NodeIndex(owner)),
            _ => None,
        }
    }

    /// Changes the owner of a slot. Panics on a number that is no slot: a bug of the caller.
    pub fn set(&mut self, slot: Slot, owner: Option<NodeIndex>) {
        self.0[usize::from(slot)] = owner.map_or(NOBODY, |owner| owner.0);
    }

    /// How many slots have an owner.
    pub fn coverage(&self) -> usize {
        self.0.iter().filter(|owner| **owner != NOBODY).count()
    }

    /// What a node owns.
    pub fn slots_of(&self, node: NodeIndex) -> SlotRanges {
        self.0
            .iter()
            .enumerate()
            .filter(|(_, owner)| **owner == node.0)
            .map(|(slot, _)| slot as Slot)
            .collect()
    }

    /// What every node owns, by index, for `nodes` nodes, in one pass.
    pub fn slots_by_node(&self, nodes: usize) -> Vec<SlotRanges> {
        let mut slots: Vec<Vec<Slot>> = vec![Vec::new(); nodes];
        for (slot, owner) in self.0.iter().enumerate() {
            if let Some(list) = slots.get_mut(usize::from(*owner)) {
                list.push(slot as Slot);
            }
        }
        slots.into_iter().map(|list| list.into_iter().collect()).collect()
    }
}

impl Default for OwnerTable {
    fn default() -> Self {
        Self::new()
    }
}

/// What a node does in its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Owns its slots.
    Primary,
    /// Copies a primary.
    Replica,
}

/// Where to reach a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddr {
    /// `None` when only a redirect has named it, or its server tells none.
    pub id: Option<NodeId>,
    /// IP address or hostname to dial.
    pub host: String,
    /// Port for clients.
    pub port: u16,
    /// What it does in its shard.
    pub role: Role,
}

/// The nodes of a cluster and who owns each slot, as a client keeps it: made from a [`Topology`], corrected by MOVED.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotMap {
    nodes: Vec<NodeAddr>,
    /// By the index of the primary.
    replicas: Vec<Vec<NodeIndex>>,
    owners: OwnerTable,
}

impl SlotMap {
    /// No nodes, no owners.
    pub fn new() -> Self {
        Self {
            nodes: Vec::new(),
            replicas: Vec::new(),
            owners: OwnerTable::new(),
        }
    }

    /// One server that owns every slot: a server that is no cluster.
    pub fn standalone(host: &str, port: u16) -> Self {
        let mut map = Self::new();
        let node = NodeAddr {
            id: None,
            host: host.to_owned(),
            port,
            role: Role::Primary,
        };
        let node = map.add_node(node).expect("an empty map has room for a node");
        for slot in 0..SLOT_COUNT as Slot {
            map.owners.set(slot, Some(node));
        }
        map
    }

    /// The map that a server's topology draws. `asked_host` is the host by which that server was reached; it stands in
    /// where the topology names none. Nodes without an address, in handshake or marked as failed are left out, unless
    /// they own slots.
    pub fn from_topology(topology: &Topology, asked_host: &str) -> Self {
        let mut map = Self::new();
        let out_of_use = NodeFlags::NOADDR | NodeFlags::HANDSHAKE | NodeFlags::FAIL;
        for node in &topology.nodes {
            if node.port == 0 || (node.flags.intersects(out_of_use) && node.slots.is_empty()) {
                continue;
            }
            let role = if node.is_replica() {
                Role::Replica
            } else {
                Role::Primary
            };
            let host = node.endpoint.as_deref().unwrap_or(asked_host).to_owned();
            let addr = NodeAddr {
                id: node.id,
                host,
                port: node.port,
                role,
            };
            let Some(index) = map.add_node(addr) else { break };
            for slot in node.slots.slots() {
                map.owners.set(slot, Some(index));
            }
        }
        for node in topology.nodes.iter().filter(|node| node.is_replica()) {
            let (Some(id), Some(primary)) = (node.id, node.primary) else {
                continue;
            };
            if let (Some(replica), Some(primary)) = (map.node_by_id(id), map.node_by_id(primary)) {
                map.replicas[primary.get()].push(replica);
            }
        }
        map
    }

    /// Adds a node; `None` when [`NodeIndex::MAX_NODES`] are there already.
    pub fn add_node(&mut self, node: NodeAddr) -> Option<NodeIndex> {
        let index = NodeIndex::new(self.nodes.len())?;
        self.nodes.push(node);
        self.replicas.push(Vec::new());
        Some(index)
    }

    /// All nodes; [`NodeIndex::get`] is the place in it.
    pub fn nodes(&self) -> &[NodeAddr] {
        &self.nodes
    }

    /// A node by an index that this map gave out.
    pub fn node(&self, index: NodeIndex) -> &NodeAddr {
        &self.nodes[index.get()]
    }

    /// The owner of a slot.
    #[inline]
    pub fn owner(&self, slot: Slot) -> Option<NodeIndex> {
        self.owners.get(slot)
    }

    /// Corrects the owner of a slot, as a MOVED tells it.
    pub fn set_owner(&mut self, slot: Slot, node: NodeIndex) {
        self.owners.set(slot, Some(node));
    }

    /// The replicas of a slot's owner.
    pub fn replicas(&self, slot: Slot) -> &[NodeIndex] {
        self.owner(slot).map_or(&[], |primary| self.replicas_of(primary))
    }

    /// The replicas of a primary.
    pub fn replicas_of(&self, primary: NodeIndex) -> &[NodeIndex] {
        &self.replicas[primary.get()]
    }

    /// The node at this address, as a redirect names it.
    pub fn node_by_addr(&self, host: &str, port: u16) -> Option<NodeIndex> {
        let place = self
            .nodes
            .iter()
            .position(|node| node.port == port && node.host == host)?;
        NodeIndex::new(place)
    }

    /// The node of this name.
    pub fn node_by_id(&self, id: NodeId) -> Option<NodeIndex> {
        let place = self.nodes.iter().position(|node| node.id == Some(id))?;
        NodeIndex::new(place)
    }

    /// The nodes that own at least one slot, ascending.
    pub fn owners(&self) -> Vec<NodeIndex> {
        let mut owns = vec![false; self.nodes.len()];
        for slot in 0..SLOT_COUNT as Slot {
            if let Some(owner) = self.owner(slot) {
                owns[owner.get()] = true;
            }
        }
        owns.iter()
            .enumerate()
            .filter(|(_, owns)| **owns)
            .filter_map(|(place, _)| NodeIndex::new(place))
            .collect()
    }

    /// What a node owns.
    pub fn slots_of(&self, node: NodeIndex) -> SlotRanges {
        self.owners.slots_of(node)
    }

    /// How many slots have an owner; 16384 when the map is whole.
    pub fn coverage(&self) -> usize {
        self.owners.coverage()
    }
}

impl Default for SlotMap {
    fn default() -> Self {
        Self::new()
    }
}

/// A client is no node of its cluster: for it, [`route`](crate::route::route) never says `Local`, and `Moved` names the
/// node to send to.
impl RouteView for SlotMap {
    fn owner(&self, slot: Slot) -> Option<NodeIndex> {
        self.owners.get(slot)
    }

    fn myself(&self) -> Option<NodeIndex> {
        None
    }

    fn my_primary(&self) -> Option<NodeIndex> {
        None
    }

    fn migrating_to(&self, _slot: Slot) -> Option<NodeIndex> {
        None
    }

    fn importing_from(&self, _slot: Slot) -> Option<NodeIndex> {
        None
    }

    fn service(&self) -> Service {
        Service::Full
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::nodes::parse_nodes;

    const NODES: &str = "\
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-8191
bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 10.0.0.2:7001@17001,two.example master - 0 5 2 connected 8192-16383
cccccccccccccccccccccccccccccccccccccccc 10.0.0.3:7002@17002 slave bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 0 5 2 connected
dddddddddddddddddddddddddddddddddddddddd 10.0.0.4:7003@17003 slave,fail bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 0 5 2 connected
eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee :0@0 master,noaddr - 0 5 0 disconnected
";

    #[test]
    fn draws_owners_and_replicas() {
        let map = SlotMap::from_topology(&parse_nodes(NODES).unwrap(), "asked");
        assert_eq!(map.coverage(), SLOT_COUNT);
        assert_eq!(map.nodes().len(), 3, "failed and unreachable nodes are left out");
        let two = map.node_by_addr("10.0.0.2", 7001).unwrap();
        assert_eq!(map.owner(8192), Some(two));
        assert_eq!(map.owner(8191), NodeIndex::new(0));
        assert_eq!(map.owner(16384), None);
        let replicas: Vec<_> = map
            .replicas(16383)
            .iter()
            .map(|index| map.node(*index).port)
            .collect();
        assert_eq!(replicas, [7002]);
        assert!(map.replicas(0).is_empty());
        assert_eq!(map.owners(), [NodeIndex::new(0).unwrap(), two]);
        assert_eq!(map.slots_of(two).to_owned().len(), 8192);
    }

    #[test]
    fn a_moved_changes_one_slot() {
        let mut map = SlotMap::from_topology(&parse_nodes(NODES).unwrap(), "asked");
        let addr = NodeAddr {
            id: None,
            host: "10.0.0.9".into(),
            port: 7009,
            role: Role::Primary,
        };
        let new = map.add_node(addr).unwrap();
        map.set_owner(5, new);
        assert_eq!(map.owner(5), Some(new));
        assert_eq!(map.owner(6), NodeIndex::new(0));
        assert_eq!(map.coverage(), SLOT_COUNT);
    }

    #[test]
    fn a_node_without_a_name_is_where_we_asked() {
        let text =
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa :7000@17000 myself,master - 0 0 1 connected 0-16383\n";
        let map = SlotMap::from_topology(&parse_nodes(text).unwrap(), "seed.example");
        assert_eq!(map.node(map.owner(0).unwrap()).host, "seed.example");
    }

    #[test]
    fn standalone_owns_all() {
        let map = SlotMap::standalone("::1", 6379);
        assert_eq!(map.coverage(), SLOT_COUNT);
        assert_eq!(map.owners().len(), 1);
    }
}

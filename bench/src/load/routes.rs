//! Who owns each slot, as one generator thread sees it.

use std::net::SocketAddr;

use slotcore::Slot;
use slotcore::slot_map::{NodeIndex, OwnerTable, SlotMap};

use super::discover::resolve;
use super::plan::HostPort;

/// Number of a node in this thread. Numbers are given once and never taken back, so counts may be kept by them.
pub(super) type NodeNo = usize;

/// The owners of all slots, and the nodes ever seen.
#[derive(Debug, Default)]
pub(super) struct Routes {
    owners: OwnerTable,
    nodes: Vec<Node>,
    /// Of each node by its number, those that copy it.
    replicas: Vec<Vec<NodeNo>>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub at: HostPort,
    pub id: Option<String>,
    /// Looked up once, when the node is first seen; empty if its name has no address.
    pub addresses: Vec<SocketAddr>,
}

impl Routes {
    /// Takes over a whole map.
    pub fn apply(&mut self, map: &SlotMap) {
        let numbers: Vec<NodeNo> = map
            .nodes()
            .iter()
            .map(|node| {
                let number = self.node_at(&node.host, node.port);
                if let Some(id) = &node.id {
                    self.nodes[number].id = Some(id.as_str().to_owned());
                }
                number
            })
            .collect();
        self.replicas = vec![Vec::new(); self.nodes.len()];
        for owner in map.owners() {
            self.replicas[numbers[owner.get()]] = map
                .replicas_of(owner)
                .iter()
                .map(|replica| numbers[replica.get()])
                .collect();
        }
        for slot in 0..slotcore::SLOT_COUNT as Slot {
            let owner = map
                .owner(slot)
                .and_then(|owner| NodeIndex::new(numbers[owner.get()]));
            self.owners.set(slot, owner);
        }
    }

    /// Learns one slot's owner, as a MOVED tells it.
    pub fn learn(&mut self, slot: Slot, host: &str, port: u16) -> NodeNo {
        let number = self.node_at(host, port);
        self.owners.set(slot, NodeIndex::new(number));
        number
    }

    /// The node at an address, which may be a new one.
    pub fn node_at(&mut self, host: &str, port: u16) -> NodeNo {
        let known = self
            .nodes
            .iter()
            .position(|node| node.at.port == port && node.at.host == host);
        known.unwrap_or_else(|| {
            let at = HostPort::new(host, port);
            let addresses = resolve(&at).unwrap_or_default();
            self.nodes.push(Node {
                at,
                id: None,
                addresses,
            });
            self.nodes.len() - 1
        })
    }

    /// Where to send what concerns a slot. For a slot without an owner that is any node: its error tells why.
    #[inline]
    pub fn owner(&self, slot: Slot) -> NodeNo {
        self.owners.get(slot).map_or(0, NodeIndex::get)
    }

    /// Where to read what a slot holds, if not from its owner: its replicas, as far as they are known.
    pub fn replicas(&self, slot: Slot) -> &[NodeNo] {
        let owner = self.owner(slot);
        self.replicas.get(owner).map_or(&[], Vec::as_slice)
    }

    /// The replicas of all owners of slots.
    pub fn all_replicas(&self) -> impl Iterator<Item = NodeNo> + '_ {
        self.replicas.iter().flatten().copied()
    }

    /// The nodes that own slots, ascending.
    pub fn owners(&self) -> Vec<NodeNo> {
        let mut owners: Vec<NodeNo> = (0..slotcore::SLOT_COUNT as Slot)
            .filter_map(|slot| self.owners.get(slot))
            .map(NodeIndex::get)
            .collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_keep_their_numbers() {
        let mut routes = Routes::default();
        routes.apply(&SlotMap::standalone("10.0.0.1", 7000));
        assert_eq!(
            (routes.owner(0), routes.owner(16383), routes.owners()),
            (0, 0, vec![0])
        );
        assert_eq!(routes.learn(5, "10.0.0.2", 7001), 1);
        assert_eq!((routes.owner(4), routes.owner(5)), (0, 1));
        routes.apply(&SlotMap::standalone("10.0.0.2", 7001));
        assert_eq!((routes.owner(4), routes.owners()), (1, vec![1]));
        routes.apply(&SlotMap::new());
        assert_eq!((routes.owner(4), routes.nodes().len()), (0, 2));
    }
}

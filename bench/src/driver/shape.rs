//! The shape of a launched cluster, and the nodes.conf that makes its nodes a cluster from their first breath:
//! even, contiguous slot ranges, primaries first, then the replicas of each.

use rand::RngExt;
use slotcore::slot::SLOT_COUNT;
use slotcore::topology::nodes::{NodesConf, write_conf};
use slotcore::topology::{NodeFlags, NodeId, SlotRange, Topology, TopologyNode};

/// How many nodes, and how they hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub primaries: u32,
    pub replicas_each: u32,
    /// `false`: one plain server without cluster mode.
    pub cluster: bool,
}

impl Shape {
    pub fn node_count(&self) -> u32 {
        self.primaries * (1 + self.replicas_each)
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.cluster, self.primaries, self.replicas_each) {
            (false, ..) => write!(f, "standalone"),
            (true, 1, 0) => write!(f, "1 node"),
            (true, n, 0) => write!(f, "{n} nodes"),
            (true, n, r) => write!(
                f,
                "{n} primaries with {r} replica{} each",
                if r == 1 { "" } else { "s" }
            ),
        }
    }
}

/// One node of a cluster that does not run yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedNode {
    pub id: NodeId,
    pub port: u16,
    /// Index of its primary when it is a replica.
    pub primary: Option<usize>,
    /// What it owns when it is a primary.
    pub slots: Option<SlotRange>,
}

/// Gives every port a node; `ports` holds `shape.node_count()` of them.
pub fn plan(shape: &Shape, ports: &[u16]) -> Vec<PlannedNode> {
    let primaries = shape.primaries as usize;
    debug_assert_eq!(ports.len(), shape.node_count() as usize);
    ports
        .iter()
        .enumerate()
        .map(|(index, &port)| PlannedNode {
            id: NodeId::from_random(rand::rng().random()),
            port,
            primary: (index >= primaries).then_some(index % primaries),
            slots: if index < primaries {
                slot_range(index, primaries)
            } else {
                None
            },
        })
        .collect()
}

/// The `index`-th of `count` even, contiguous ranges over all slots; none if there are more ranges than slots.
fn slot_range(index: usize, count: usize) -> Option<SlotRange> {
    let edge = |i: usize| u16::try_from(i * SLOT_COUNT / count).ok();
    SlotRange::new(edge(index)?, edge(index + 1)?.checked_sub(1)?)
}

/// The nodes.conf with which `nodes[myself]` starts; `hosts` are their addresses.
pub fn nodes_conf(nodes: &[PlannedNode], hosts: &[String], myself: usize) -> String {
    let describe = |(index, node): (usize, &PlannedNode)| {
        let role = if node.primary.is_some() {
            NodeFlags::REPLICA
        } else {
            NodeFlags::PRIMARY
        };
        let mut described = TopologyNode {
            id: Some(node.id),
            ip: hosts[index].clone(),
            port: node.port,
            bus_port: bus_port(node.port),
            flags: if index == myself {
                role | NodeFlags::MYSELF
            } else {
                role
            },
            primary: node.primary.map(|primary| nodes[primary].id),
            // A replica has its primary's epoch; two primaries never share one.
            epoch: node.primary.unwrap_or(index) as u64 + 1,
            ..TopologyNode::default()
        };
        if let Some(range) = node.slots {
            described.slots.insert(range);
        }
        described
    };
    let topology = Topology {
        nodes: nodes.iter().enumerate().map(describe).collect(),
    };
    let current_epoch = nodes.iter().filter(|n| n.primary.is_none()).count() as u64;
    write_conf(&NodesConf {
        topology,
        current_epoch,
        last_vote_epoch: 0,
    })
}

/// Where a node that serves clients on `port` has its bus.
pub fn bus_port(port: u16) -> u16 {
    port + BUS_OFFSET
}

/// A node's bus port is its client port plus this, by default in every implementation.
pub const BUS_OFFSET: u16 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_exactly_one_owner() {
        for primaries in [1, 2, 3, 5, 7, 100, 16384] {
            let mut next = 0usize;
            for index in 0..primaries {
                let range = slot_range(index, primaries).unwrap();
                assert_eq!(usize::from(range.start()), next);
                next = usize::from(range.end()) + 1;
            }
            assert_eq!(next, SLOT_COUNT);
        }
    }

    #[test]
    fn replicas_hang_on_their_primaries() {
        let shape = Shape {
            primaries: 2,
            replicas_each: 2,
            cluster: true,
        };
        let nodes = plan(&shape, &[7000, 7001, 7002, 7003, 7004, 7005]);
        let primary_of: Vec<_> = nodes.iter().map(|n| n.primary).collect();
        assert_eq!(primary_of, [None, None, Some(0), Some(1), Some(0), Some(1)]);
        let text = nodes_conf(&nodes, &vec!["127.0.0.1".to_owned(); 6], 2);
        let mut lines = text.lines();
        let (id_0, id_2) = (nodes[0].id.as_str(), nodes[2].id.as_str());
        assert_ne!(id_0, id_2);
        let first = format!("{id_0} 127.0.0.1:7000@17000 master - 0 0 1 connected 0-8191");
        assert_eq!(lines.next(), Some(first.as_str()));
        let third = format!("{id_2} 127.0.0.1:7002@17002 myself,slave {id_0} 0 0 1 connected");
        assert_eq!(lines.nth(1), Some(third.as_str()));
        assert_eq!(lines.last(), Some("vars currentEpoch 2 lastVoteEpoch 0"));
    }
}

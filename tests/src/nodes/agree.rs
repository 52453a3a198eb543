//! What the nodes say of each other, and waiting until they say the same.

use std::time::{Duration, Instant};

use slotcore::Slot;
use slotcore::topology::{Link, NodeFlags, NodeId, Topology, TopologyNode};

use super::{Node, Nodes, SOON};
use crate::wait_for;

/// What nodes that agree say alike of another one.
type Said = (Option<NodeId>, Option<NodeId>, Vec<Slot>);

fn said(topology: &Topology) -> Vec<Said> {
    let slots = |node: &TopologyNode| node.slots.slots().collect();
    let mut said: Vec<Said> = topology
        .nodes
        .iter()
        .map(|node| (node.id, node.primary, slots(node)))
        .collect();
    said.sort();
    said
}

impl Nodes {
    /// Waits until all nodes that run are well, agree on everything, serve all slots, and the replicas' streams flow.
    pub fn wait_until_settled(&self) {
        let start = Instant::now();
        while let Err(why) = self.settled() {
            assert!(start.elapsed() < SOON, "the cluster does not settle: {why}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What keeps the nodes from being settled.
    fn settled(&self) -> Result<(), String> {
        let mut first = None;
        for (at, node) in self.running() {
            let why = |what: &str| format!("node {at}: {what}");
            let topology = node.topology().ok_or_else(|| why("does not answer"))?;
            if topology.coverage() != slotcore::SLOT_COUNT {
                return Err(why("knows no owner of some slots"));
            }
            for (other, _) in self.running() {
                self.sees_well(&topology, other).map_err(|what| why(&what))?;
            }
            if node.field(&["CLUSTER", "INFO"], "cluster_state") != "ok" {
                return Err(why("is not in state ok"));
            }
            if topology.myself().is_some_and(TopologyNode::is_replica)
                && node.field(&["INFO", "replication"], "master_link_status") != "up"
            {
                return Err(why("has no link to its primary"));
            }
            let said = said(&topology);
            if *first.get_or_insert_with(|| said.clone()) != said {
                return Err(why("disagrees"));
            }
        }
        Ok(())
    }

    /// Does this view hold a node to be well?
    fn sees_well(&self, topology: &Topology, other: usize) -> Result<(), String> {
        let seen = self
            .find(topology, other)
            .ok_or_else(|| format!("does not know node {other}"))?;
        let unwell = NodeFlags::PFAIL | NodeFlags::FAIL | NodeFlags::HANDSHAKE | NodeFlags::NOADDR;
        match seen.flags.intersects(unwell) || seen.link != Link::Connected {
            true => Err(format!("sees node {other} as {:?}, {:?}", seen.flags, seen.link)),
            false => Ok(()),
        }
    }

    fn find<'a>(&self, topology: &'a Topology, at: usize) -> Option<&'a TopologyNode> {
        let port = self.node(at).port();
        topology.nodes.iter().find(|node| node.port == port)
    }

    /// Waits until every node that runs has this opinion of node `at`.
    pub fn wait_until_all_see(&self, what: &str, at: usize, opinion: impl Fn(&TopologyNode) -> bool) {
        wait_for(what, SOON, || {
            let sees = |node: &Node| {
                let topology = node.topology()?;
                self.find(&topology, at).map(&opinion)
            };
            self.running()
                .all(|(_, node)| sees(node) == Some(true))
                .then_some(())
        });
    }

    /// Waits until every node that runs says that node `at` is a primary with slots, and serves them.
    pub fn wait_until_promoted(&self, at: usize) {
        self.wait_until_all_see("a replica to be promoted", at, |node| {
            node.flags.contains(NodeFlags::PRIMARY) && !node.slots.is_empty()
        });
        wait_for("the cluster to serve all slots", SOON, || {
            self.running()
                .all(|(_, node)| node.field(&["CLUSTER", "INFO"], "cluster_state") == "ok")
                .then_some(())
        });
    }

    /// What a node that runs says.
    pub fn topology(&self) -> Topology {
        let (_, node) = self.running().next().expect("a node runs");
        node.topology().expect("it answers")
    }

    fn place(&self, port: u16) -> Option<usize> {
        self.ports().iter().position(|known| *known == port)
    }

    /// The primary of a slot.
    pub fn primary_of(&self, slot: Slot) -> usize {
        let topology = self.topology();
        let owner = topology.nodes.iter().find(|node| node.slots.contains(slot));
        owner
            .and_then(|node| self.place(node.port))
            .expect("every slot has an owner")
    }

    /// Every primary with each of its replicas that run.
    pub fn pairs(&self) -> Vec<(usize, usize)> {
        let topology = self.topology();
        let pair = |node: &TopologyNode| {
            let primary = topology.node(node.primary?)?;
            Some((self.place(primary.port)?, self.place(node.port)?))
        };
        let mut pairs: Vec<(usize, usize)> = topology.nodes.iter().filter_map(pair).collect();
        pairs.retain(|(_, replica)| self.node(*replica).runs());
        pairs.sort_unstable();
        pairs
    }

    /// The one replica of node `primary`.
    pub fn replica_of(&self, primary: usize) -> usize {
        let pairs = self.pairs();
        let mut replicas = pairs.iter().filter(|pair| pair.0 == primary);
        let replica = replicas.next().expect("it has a replica").1;
        assert!(
            replicas.next().is_none(),
            "node {primary} has several replicas: {pairs:?}"
        );
        replica
    }

    /// Every replica has all of its primary's stream and the same data.
    pub fn assert_replicas_are_copies(&self) {
        for (primary, replica) in self.pairs() {
            let (primary, replica) = (self.node(primary), self.node(replica));
            // What expires meanwhile changes both, one after the other: the stream must stand still.
            let digests = wait_for("a replica to have the whole stream", SOON, || {
                let before = [primary.offset(), replica.offset()];
                let digests = [primary.digest(), replica.digest()];
                let after = [primary.offset(), replica.offset()];
                (before == after && before[0] == before[1]).then_some(digests)
            });
            assert_eq!(
                digests[0],
                digests[1],
                "port {} and its replica, port {}",
                primary.port(),
                replica.port()
            );
        }
    }
}

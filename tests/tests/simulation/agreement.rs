//! Whether all nodes see the same cluster, and a good one.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;

use slotcore::topology::nodes::write_nodes;
use slotcore::topology::{NodeFlags, NodeId};
use slotcore::{SLOT_COUNT, Slot};
use slotmark_server::cluster::ClusterData;
use slotmark_server::cluster::protocol::PrimaryLink;

use super::node::Role;
use super::world::World;

impl World {
    /// Lets time pass without faults until all agree. What the protocol leaves to people, people do.
    pub fn settle(&mut self) -> Result<(), String> {
        let patience = 15_000 + 12 * self.shape.timeout_ms;
        let strangers = self.strangers();
        for round in 0..4 {
            let over = self.now
                + if strangers && round == 0 {
                    2 * self.shape.timeout_ms
                } else {
                    patience
                };
            while self.now < over {
                self.run(500)?;
                if self.agree().is_ok() {
                    return Ok(());
                }
            }
            if !strangers && self.judge.moved.is_empty() && !self.judge.forgot {
                break;
            }
            self.repair();
        }
        let why = self.agree().err().unwrap_or_default();
        for at in 0..self.nodes.len() {
            self.note(|world| {
                let mut text = format!("node {at} knows\n");
                if let Some(data) = world.nodes[at].data() {
                    write_nodes(&data.topology(), &mut text);
                }
                text
            });
        }
        Err(format!(
            "after {} ms without faults: {why}",
            self.now - self.faults.healed_at
        ))
    }

    /// A node has come back under another name, so people are needed.
    fn strangers(&self) -> bool {
        self.nodes.iter().any(|node| {
            node.data().is_some_and(|data| {
                data.nodes
                    .iter()
                    .any(|known| self.nodes.iter().all(|other| other.id != known.id))
            })
        })
    }

    /// Whether all nodes agree, and on what they do not.
    pub fn agree(&self) -> Result<(), String> {
        let Some(first) = self.nodes[0].data() else {
            return Err("node 0 does not run".into());
        };
        for (at, node) in self.nodes.iter().enumerate() {
            let Some(data) = node.data() else {
                return Err(format!("node {at} does not run"));
            };
            if !data.state_ok {
                return Err(format!("node {at} is in state fail"));
            }
            if data.current_epoch != first.current_epoch {
                return Err(format!("nodes 0 and {at} know different epochs"));
            }
            if data.nodes.len() != self.nodes.len() {
                return Err(format!("node {at} knows {} nodes", data.nodes.len()));
            }
            for other in 0..self.nodes.len() {
                self.agree_on(at, data, first, other)?;
            }
            self.agree_with_data_side(at, data)?;
        }
        let primaries = first.nodes.iter().filter(|node| node.primary.is_none());
        let epochs: Vec<u64> = primaries.map(|node| node.epoch).collect();
        if BTreeSet::from_iter(&epochs).len() != epochs.len() {
            return Err(format!("primaries share an epoch: {epochs:?}"));
        }
        let owners = |data: &ClusterData| -> Vec<Option<NodeId>> {
            let slots = 0..SLOT_COUNT as Slot;
            slots
                .map(|slot| data.owners.get(slot).map(|owner| data.node(owner).id))
                .collect()
        };
        let known = owners(first);
        if let Some(slot) = known.iter().position(Option::is_none) {
            return Err(format!("slot {slot} has no owner"));
        }
        for (at, node) in self.nodes.iter().enumerate().skip(1) {
            if node.data().is_none_or(|data| owners(data) != known) {
                return Err(format!("nodes 0 and {at} see different owners"));
            }
        }
        Ok(())
    }

    /// What a node thinks of another, or of itself, is what that one thinks of itself.
    fn agree_on(
        &self,
        at: usize,
        data: &ClusterData,
        first: &ClusterData,
        other: usize,
    ) -> Result<(), String> {
        let id = self.nodes[other].id;
        let (Some(seen), Some(owner)) = (data.find(id.as_bytes()), first.find(id.as_bytes())) else {
            return Err(format!("node {at} does not know {other}"));
        };
        let node = data.node(seen);
        let bad = NodeFlags::FAIL | NodeFlags::PFAIL | NodeFlags::HANDSHAKE | NodeFlags::NOADDR;
        if node.flags.intersects(bad) {
            return Err(format!("node {at} sees {other} as {:?}", node.flags));
        }
        if other != at && !node.live.linked.load(Relaxed) {
            return Err(format!("node {at} has no link to {other}"));
        }
        let primary = |data: &ClusterData, index| {
            let node = data.node(index);
            node.primary.map(|primary| data.node(primary).id)
        };
        let Some(own) = self.nodes[other].data() else {
            return Err(format!("node {other} does not run"));
        };
        let theirs = primary(own, own.myself);
        if primary(data, seen) != theirs || primary(first, owner) != theirs {
            return Err(format!(
                "node {at} takes {other} for a replica of {:?}, and it is one of {theirs:?}",
                primary(data, seen)
            ));
        }
        let is_primary = node.flags.contains(NodeFlags::PRIMARY);
        if is_primary != theirs.is_none() || node.flags.contains(NodeFlags::REPLICA) == is_primary {
            return Err(format!("node {at} sees {other} as {:?}", node.flags));
        }
        if data.epoch_of(node) != own.epoch_of(own.me()) {
            let (seen, is) = (data.epoch_of(node), own.epoch_of(own.me()));
            return Err(format!(
                "node {at} sees {other} at epoch {seen}, and it is at {is}"
            ));
        }
        if let Some(index) = node.primary
            && data.node(index).primary.is_some()
        {
            return Err(format!("node {other} is a replica of a replica"));
        }
        Ok(())
    }

    /// The data side does what the member says.
    fn agree_with_data_side(&self, at: usize, data: &ClusterData) -> Result<(), String> {
        let side = &self.nodes[at].side;
        let fits = match (&side.role, data.me().primary) {
            (Role::Primary, None) => true,
            (Role::Replica { of, ip }, Some(primary)) => {
                let primary = data.node(primary);
                *of == primary.id && *ip == primary.ip && matches!(side.link, PrimaryLink::Up { .. })
            }
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => Err(format!(
                "the data of node {at} is {:?} with its link {:?}",
                side.role, side.link
            )),
        }
    }
}

//! The nodes that a member knows, and who owns which slot: every change of either goes through here, so that the owner
//! table, the sets of slots by node and the index of names always say the same.

use std::sync::atomic::Ordering::Relaxed;

use rand_xoshiro::rand_core::Rng;
use slotcore::slot_map::NodeIndex;
use slotcore::topology::{NodeFlags, NodeId};
use slotcore::{SLOT_COUNT, Slot};

use super::effects::Save;
use super::input::LinkId;
use super::member::Member;
use super::peer::{OutLink, Peer};
use super::turn::Turn;
use crate::cluster::data::ClusterNode;
use crate::cluster::message::SlotBitmap;

/// Nodes that a member gets to know; what names more is not believed.
pub const MAX_NODES: usize = 10_000;

/// Down, in our own or in everybody's opinion.
pub(super) const DOWN: NodeFlags = NodeFlags::PFAIL.union(NodeFlags::FAIL);

impl Member {
    pub(super) fn node(&self, index: NodeIndex) -> &ClusterNode {
        self.data.node(index)
    }

    pub(super) fn node_mut(&mut self, index: NodeIndex) -> &mut ClusterNode {
        &mut self.data.nodes[index.get()]
    }

    pub(super) fn peer(&self, index: NodeIndex) -> &Peer {
        &self.peers[index.get()]
    }

    pub(super) fn peer_mut(&mut self, index: NodeIndex) -> &mut Peer {
        &mut self.peers[index.get()]
    }

    pub(super) fn flags(&self, index: NodeIndex) -> NodeFlags {
        self.node(index).flags
    }

    /// The node of this name. One in handshake has a name that nobody else knows.
    pub(super) fn lookup(&self, id: &NodeId) -> Option<NodeIndex> {
        self.ids.get(id).copied()
    }

    /// All nodes but ourselves.
    pub(super) fn others(&self) -> impl Iterator<Item = NodeIndex> + use<> {
        let myself = self.data.myself;
        indices(self.data.nodes.len()).filter(move |index| *index != myself)
    }

    /// All nodes but ourselves that are known by their own name.
    pub(super) fn known(&self) -> impl Iterator<Item = NodeIndex> + '_ {
        self.others()
            .filter(|index| !self.flags(*index).contains(NodeFlags::HANDSHAKE))
    }

    /// The replicas of a primary, ourselves among them.
    pub(super) fn replicas_of(&self, primary: NodeIndex) -> impl Iterator<Item = NodeIndex> + '_ {
        indices(self.data.nodes.len()).filter(move |index| self.node(*index).primary == Some(primary))
    }

    /// Replicas of a primary that nobody doubts.
    pub(super) fn working_replicas(&self, primary: NodeIndex) -> usize {
        self.replicas_of(primary)
            .filter(|replica| !self.flags(*replica).intersects(DOWN))
            .count()
    }

    pub(super) fn is_primary(&self, index: NodeIndex) -> bool {
        self.flags(index).contains(NodeFlags::PRIMARY)
    }

    pub(super) fn am_primary(&self) -> bool {
        self.is_primary(self.data.myself)
    }

    /// A primary that owns slots: it counts in a majority, it reports and it votes.
    pub(super) fn is_voter(&self, index: NodeIndex) -> bool {
        self.is_primary(index) && self.peer(index).slot_count > 0
    }

    /// How many primaries own slots. Stock takes a shard for gone while it is between two owners: when a primary says
    /// that it is a replica now, before its successor has claimed the slots here. A majority of what remains may then be
    /// none of the whole, and two nodes be elected in one epoch.
    pub(super) fn size(&self) -> usize {
        let owners = indices(self.data.nodes.len()).filter(|index| self.is_voter(*index));
        let between = self.vacated.iter().filter(|slots| self.is_vacant(slots));
        owners.count() + between.count()
    }

    fn is_vacant(&self, slots: &SlotBitmap) -> bool {
        slots.slots().any(|slot| self.data.owners.get(slot).is_none())
    }

    /// Takes all slots from a primary that is one no more.
    pub(super) fn vacate(&mut self, index: NodeIndex) {
        let slots = self.peer(index).slots.clone();
        self.take_slots(index);
        let mut vacated = std::mem::take(&mut self.vacated);
        vacated.retain(|slots| self.is_vacant(slots));
        if !slots.is_empty() {
            vacated.push(slots);
        }
        self.vacated = vacated;
    }

    /// How many of them are a majority.
    pub(super) fn quorum(&self) -> usize {
        self.size() / 2 + 1
    }

    /// A name for a node that has not told its own.
    pub(super) fn random_id(&mut self) -> NodeId {
        let mut bytes = [0; 20];
        self.rng.fill_bytes(&mut bytes);
        NodeId::from_random(bytes)
    }

    /// Adds a node; `None` when too many are known.
    pub(super) fn add_node(&mut self, turn: &mut Turn<'_>, mut node: ClusterNode) -> Option<NodeIndex> {
        let index = NodeIndex::new(self.data.nodes.len()).filter(|_| self.data.nodes.len() < MAX_NODES)?;
        node.flags -= NodeFlags::MYSELF;
        self.ids.insert(node.id, index);
        self.data.nodes.push(node);
        self.peers.push(Peer::new(turn.now));
        turn.changed(Save::Lazy);
        Some(index)
    }

    /// Forgets a node other than ourselves, and all that hangs on it.
    pub(super) fn remove_node(&mut self, turn: &mut Turn<'_>, gone: NodeIndex) {
        self.close_out(turn, gone);
        let id = self.node(gone).id;
        // The links by which it talks to us stay: they are anybody's now.
        self.data.remove(gone);
        self.peers.remove(gone.get());
        for link in self.links.values_mut() {
            link.node = match link.node {
                Some(node) if node == gone => None,
                Some(node) if node > gone => NodeIndex::new(node.get() - 1),
                same => same,
            };
        }
        for peer in &mut self.peers {
            peer.reports.retain(|report| report.from != id);
        }
        self.reindex();
        self.recount();
        turn.changed(Save::Lazy);
    }

    /// Gives a node its own name.
    pub(super) fn rename(&mut self, index: NodeIndex, id: NodeId) {
        let before = self.node(index).id;
        self.ids.remove(&before);
        self.node_mut(index).id = id;
        self.ids.insert(id, index);
    }

    pub(super) fn reindex(&mut self) {
        self.ids = self
            .data
            .nodes
            .iter()
            .enumerate()
            .filter_map(|(at, node)| Some((node.id, NodeIndex::new(at)?)))
            .collect();
    }

    /// Makes the sets of slots anew from the owner table, after it was changed by other means than [`Self::set_owner`].
    pub(super) fn recount(&mut self) {
        let mut sets = vec![SlotBitmap::empty(); self.peers.len()];
        for slot in 0..SLOT_COUNT as Slot {
            match self.data.owners.get(slot) {
                Some(owner) => sets[owner.get()].insert(slot),
                None if self.unclaimed.contains(slot) => self.unclaimed.remove(slot),
                None => {}
            }
        }
        for (peer, slots) in self.peers.iter_mut().zip(sets) {
            peer.slot_count = slots.len();
            if peer.slots != slots {
                peer.slots = slots;
            }
        }
    }

    /// Gives a slot to a node, or to nobody.
    pub(super) fn set_owner(&mut self, slot: Slot, owner: Option<NodeIndex>) {
        let before = self.data.owners.get(slot);
        if before == owner {
            return;
        }
        if let Some(before) = before {
            let peer = self.peer_mut(before);
            peer.slots.remove(slot);
            peer.slot_count -= 1;
        }
        if let Some(owner) = owner {
            let peer = self.peer_mut(owner);
            peer.slots.insert(slot);
            peer.slot_count += 1;
        }
        self.data.owners.set(slot, owner);
        if self.unclaimed.contains(slot) {
            self.unclaimed.remove(slot);
        }
    }

    /// Takes all slots from a node.
    fn take_slots(&mut self, index: NodeIndex) {
        let slots = self.peer(index).slots.clone();
        for slot in slots.slots() {
            self.set_owner(slot, None);
        }
    }

    /// The node copies that primary now. A primary that has had replicas may get others' when it is left without any.
    pub(super) fn set_primary(&mut self, turn: &mut Turn<'_>, replica: NodeIndex, primary: NodeIndex) {
        let before = self.node(replica).primary;
        let node = self.node_mut(replica);
        node.flags = (node.flags - NodeFlags::PRIMARY - NodeFlags::MIGRATE_TO) | NodeFlags::REPLICA;
        node.primary = Some(primary);
        self.left(before);
        self.node_mut(primary).flags |= NodeFlags::MIGRATE_TO;
        turn.changed(Save::Lazy);
    }

    /// The node is a primary now.
    pub(super) fn set_as_primary(&mut self, turn: &mut Turn<'_>, index: NodeIndex) {
        if self.is_primary(index) && self.node(index).primary.is_none() {
            return;
        }
        let migrate_to = match index == self.data.myself {
            true => NodeFlags::empty(),
            false => NodeFlags::MIGRATE_TO,
        };
        let node = self.node_mut(index);
        let before = node.primary.take();
        node.flags = (node.flags - NodeFlags::REPLICA) | NodeFlags::PRIMARY | migrate_to;
        self.left(before);
        turn.changed(Save::Lazy);
    }

    /// A replica has left this primary.
    fn left(&mut self, primary: Option<NodeIndex>) {
        if let Some(primary) = primary
            && self.replicas_of(primary).next().is_none()
        {
            self.node_mut(primary).flags -= NodeFlags::MIGRATE_TO;
        }
    }

    /// When the ping that waits for its pong was sent; 0: none waits.
    pub(super) fn ping_ms(&self, index: NodeIndex) -> u64 {
        self.node(index).live.ping_ms.load(Relaxed)
    }

    pub(super) fn set_ping_ms(&self, index: NodeIndex, at: u64) {
        self.node(index).live.ping_ms.store(at, Relaxed);
    }

    pub(super) fn pong_ms(&self, index: NodeIndex) -> u64 {
        self.node(index).live.pong_ms.load(Relaxed)
    }

    pub(super) fn set_pong_ms(&self, index: NodeIndex, at: u64) {
        self.node(index).live.pong_ms.store(at, Relaxed);
    }

    /// How much of the stream a node has, as it last said.
    pub(super) fn offset(&self, index: NodeIndex) -> u64 {
        self.node(index).live.replication_offset.load(Relaxed)
    }

    /// The node's link by which it can be told something.
    pub(super) fn reach(&self, index: NodeIndex) -> Option<LinkId> {
        self.peer(index).reach()
    }

    /// Ends our link to a node and dials it anew.
    pub(super) fn close_out(&mut self, turn: &mut Turn<'_>, index: NodeIndex) {
        let now = turn.now;
        let out = std::mem::replace(&mut self.peer_mut(index).out, OutLink::Down { redial_ms: now });
        if let OutLink::Dialling { link } | OutLink::Up { link, .. } = out {
            self.links.remove(&link);
            turn.out.close.push(link);
        }
        self.node(index).live.linked.store(false, Relaxed);
    }
}

pub(super) fn indices(count: usize) -> impl Iterator<Item = NodeIndex> {
    (0..count).map(|at| NodeIndex::new(at).expect("there are fewer nodes than an index counts"))
}

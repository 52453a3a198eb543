//! What to believe of what a known node says of third ones.

use std::net::IpAddr;

use slotcore::slot_map::NodeIndex;
use slotcore::topology::NodeFlags;

use super::effects::Save;
use super::member::Member;
use super::nodes::DOWN;
use super::turn::Turn;
use crate::cluster::data::ClusterNode;
use crate::cluster::message::Gossip;

/// A pong may be so much (ms) in the future by our clock and still be believed.
const CLOCK_SKEW_MS: u64 = 500;

impl Member {
    pub(super) fn hear_gossip(&mut self, turn: &mut Turn<'_>, sender: NodeIndex, gossip: &[Gossip]) {
        for entry in gossip {
            match self.lookup(&entry.node) {
                Some(node) if node == self.data.myself || node == sender => {}
                Some(node) if self.flags(node).contains(NodeFlags::HANDSHAKE) => {}
                Some(node) => self.hear_of(turn, sender, node, entry),
                None => self.hear_of_new(turn, entry),
            }
        }
    }

    fn hear_of(&mut self, turn: &mut Turn<'_>, sender: NodeIndex, node: NodeIndex, entry: &Gossip) {
        let down = entry.flags.intersects(DOWN);
        if self.is_primary(sender) {
            self.report(turn, node, sender, down);
        }
        let fine = !down && !self.flags(node).intersects(DOWN) && self.ping_ms(node) == 0;
        if fine && self.peer(node).reports.is_empty() {
            let pong_ms = u64::from(entry.pong_s) * 1000;
            if pong_ms > self.pong_ms(node) && pong_ms <= turn.now + CLOCK_SKEW_MS {
                self.set_pong_ms(node, pong_ms);
            }
        }
        if !down && self.flags(node).intersects(DOWN | NodeFlags::NOADDR) {
            self.try_other_address(turn, node, entry);
        }
    }

    /// A node that we cannot reach, and the sender can, may have moved.
    fn try_other_address(&mut self, turn: &mut Turn<'_>, index: NodeIndex, entry: &Gossip) {
        let node = self.node(index);
        let same = (&node.ip, node.port, node.bus_port) == (&entry.ip, entry.port, entry.bus_port);
        if same || !has_address(entry) {
            return;
        }
        self.close_out(turn, index);
        let node = self.node_mut(index);
        node.ip.clone_from(&entry.ip);
        node.port = entry.port;
        node.bus_port = entry.bus_port;
        node.flags -= NodeFlags::NOADDR;
        turn.changed(Save::Lazy);
    }

    /// A node that the sender knows and we do not: it is taken in under that name, without a handshake. Its address may
    /// be another node's by now, and a handshake would let that one in.
    fn hear_of_new(&mut self, turn: &mut Turn<'_>, entry: &Gossip) {
        self.blacklist.retain(|(_, until)| *until > turn.now);
        let banned = self.blacklist.iter().any(|(id, _)| *id == entry.node);
        if banned || !has_address(entry) {
            return;
        }
        let mut node = ClusterNode::alone(entry.node);
        // Our own opinion is what we find out ourselves; what a majority found out holds here as well.
        let told = NodeFlags::PRIMARY | NodeFlags::REPLICA | NodeFlags::FAIL | NodeFlags::NOFAILOVER;
        node.flags = entry.flags & told;
        node.ip.clone_from(&entry.ip);
        (node.port, node.bus_port) = (entry.port, entry.bus_port);
        let failed = node.flags.contains(NodeFlags::FAIL);
        if let Some(index) = self.add_node(turn, node)
            && failed
        {
            self.peer_mut(index).fail_ms = turn.now;
        }
    }
}

fn has_address(entry: &Gossip) -> bool {
    let unknown = NodeFlags::NOADDR | NodeFlags::HANDSHAKE;
    !entry.flags.intersects(unknown) && entry.bus_port != 0 && entry.ip.parse::<IpAddr>().is_ok()
}

//! How a node becomes known by its own name.
//!
//! ```text
//!   A: CLUSTER MEET B       B
//!   node "?" (handshake) ── MEET ──▶  unknown: node "??" (handshake) with A's address
//!   "?" is called B      ◀── PONG ──
//!                        ◀── PING ──  on B's own link
//!                         ── PONG ─▶  "??" is called A
//! ```

use std::net::IpAddr;

use slotcore::slot_map::NodeIndex;
use slotcore::topology::NodeFlags;

use super::effects::Save;
use super::input::LinkId;
use super::member::Member;
use super::turn::Turn;
use crate::cluster::data::ClusterNode;
use crate::cluster::message::Header;

/// Handshakes under way at once; whoever is beyond asks again.
const MAX_HANDSHAKES: usize = 1024;

impl Member {
    /// Begins to talk to the node at this address; MEET tells it to get to know us as well. `false`: too many nodes.
    pub(super) fn begin_handshake(
        &mut self,
        turn: &mut Turn<'_>,
        ip: String,
        port: u16,
        bus_port: u16,
        meet: bool,
    ) -> bool {
        let under_way = |member: &Self, index: NodeIndex| {
            let node = member.node(index);
            node.flags.contains(NodeFlags::HANDSHAKE)
                && (&node.ip, node.port, node.bus_port) == (&ip, port, bus_port)
        };
        if let Some(index) = self.others().find(|index| under_way(self, *index)) {
            if meet {
                self.node_mut(index).flags |= NodeFlags::MEET;
            }
            return true;
        }
        let handshakes = self
            .others()
            .filter(|index| self.flags(*index).contains(NodeFlags::HANDSHAKE))
            .count();
        if handshakes >= MAX_HANDSHAKES {
            return false;
        }
        let mut node = ClusterNode::alone(self.random_id());
        node.flags = NodeFlags::HANDSHAKE;
        node.flags.set(NodeFlags::MEET, meet);
        (node.ip, node.port, node.bus_port) = (ip, port, bus_port);
        self.add_node(turn, node).is_some()
    }

    /// A node that we do not know wants to be known.
    pub(super) fn begin_handshake_with(&mut self, turn: &mut Turn<'_>, link: LinkId, header: &Header) {
        if let Some(ip) = self.address_of(link, header)
            && header.bus_port != 0
        {
            self.begin_handshake(turn, ip, header.port, header.bus_port, false);
        }
    }

    /// Whoever answers on our own link is the node that we dialled, or tells its name now. On an error nothing of the
    /// message is to be believed, and the link is gone.
    pub(super) fn check_name(
        &mut self,
        turn: &mut Turn<'_>,
        link: LinkId,
        sender: Option<NodeIndex>,
        header: &Header,
    ) -> Result<NodeIndex, ()> {
        let index = self.node_of(link).ok_or(())?;
        if self.flags(index).contains(NodeFlags::HANDSHAKE) {
            if sender.is_some() || header.sender == self.data.me().id {
                if let Some(sender) = sender {
                    self.move_node(turn, link, sender, header);
                }
                self.remove_node(turn, index);
                return Err(());
            }
            self.rename(index, header.sender);
            let node = self.node_mut(index);
            node.flags = node.flags - NodeFlags::HANDSHAKE - NodeFlags::MEET;
            // What it is now decides what its slots mean; whose replica it is comes with the rest of the header.
            node.flags |= header.flags & (NodeFlags::PRIMARY | NodeFlags::REPLICA);
            turn.changed(Save::Lazy);
            self.hear(turn, link, index, header);
            return Ok(index);
        }
        if self.node(index).id != header.sender {
            turn.notice(format!(
                "{}:{} is node {} and not {}: the latter's address is not known any more",
                self.node(index).ip,
                self.node(index).port,
                header.sender,
                self.node(index).id
            ));
            self.close_out(turn, index);
            let node = self.node_mut(index);
            node.flags |= NodeFlags::NOADDR;
            node.ip.clear();
            (node.port, node.bus_port) = (0, 0);
            turn.changed(Save::Lazy);
            return Err(());
        }
        Ok(index)
    }

    /// Whoever has not told its name by now will not do so.
    pub(super) fn expire_handshakes(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        let patience = self.data.settings.node_timeout_ms.max(1000);
        let expired = |member: &Self, index: &NodeIndex| {
            member.flags(*index).contains(NodeFlags::HANDSHAKE)
                && now.saturating_sub(member.peer(*index).created_ms) > patience
        };
        while let Some(index) = self.others().find(|index| expired(self, index)) {
            self.remove_node(turn, index);
        }
    }

    /// MEET's address must be one that can be dialled.
    pub(super) fn dialable(ip: IpAddr, port: u16, bus_port: u16) -> bool {
        !ip.is_unspecified() && port != 0 && bus_port != 0
    }
}

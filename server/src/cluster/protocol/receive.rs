//! A message comes in: who says it, and to which rule it goes.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use slotcore::slot_map::NodeIndex;
use slotcore::topology::NodeFlags;

use super::effects::Save;
use super::input::LinkId;
use super::member::Member;
use super::turn::Turn;
use crate::cluster::message::{Body, Gossip, Header, Heartbeat, Message};

impl Member {
    pub(super) fn received(&mut self, turn: &mut Turn<'_>, link: LinkId, message: Message) {
        if !self.links.contains_key(&link) {
            return;
        }
        self.counters.count_received(&message.body);
        let Message { header, body } = message;
        let sender = self
            .lookup(&header.sender)
            .filter(|node| *node != self.data.myself);
        if let Some(sender) = sender {
            self.hear(turn, link, sender, &header);
        }
        match body {
            Body::Heartbeat {
                kind,
                gossip,
                hostname,
            } => {
                self.beat(turn, link, sender, &header, kind, &gossip, hostname);
            }
            Body::Fail(failed) => self.told_of_failure(turn, sender, &header, failed),
            Body::Publish {
                shard,
                channel,
                payload,
            } => {
                if sender.is_some() {
                    turn.out.deliver.push((shard, channel, payload));
                }
            }
            Body::AuthRequest => {
                if let Some(sender) = sender {
                    self.heard_rival(turn, sender);
                    self.asked_for_vote(turn, sender, &header);
                }
            }
            Body::AuthAck => {
                if let Some(sender) = sender {
                    self.got_vote(turn, sender, &header);
                }
            }
            Body::Update {
                config_epoch,
                node,
                slots,
            } => {
                if sender.is_some() {
                    self.told_of_slots(turn, config_epoch, node, &slots);
                }
            }
            Body::ManualStart => {
                if let Some(sender) = sender {
                    self.asked_to_pause(turn, sender);
                }
            }
        }
    }

    /// What any message of a known node tells.
    pub(super) fn hear(&mut self, turn: &mut Turn<'_>, link: LinkId, sender: NodeIndex, header: &Header) {
        if let LinkId::In(_) = link {
            self.belongs(turn, link, sender);
        }
        let peer = self.peer_mut(sender);
        peer.data_ms = turn.now;
        if self.flags(sender).contains(NodeFlags::HANDSHAKE) {
            return;
        }
        self.peer_mut(sender).offset_ms = turn.now;
        self.node(sender)
            .live
            .replication_offset
            .store(header.offset, Relaxed);
        if header.current_epoch > self.data.current_epoch {
            self.data.current_epoch = header.current_epoch;
            turn.changed(Save::Lazy);
        }
        if header.config_epoch > self.node(sender).epoch {
            self.node_mut(sender).epoch = header.config_epoch;
            turn.changed(Save::Synced);
        }
        self.heard_pause(turn, sender, header);
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "a heartbeat's parts, taken apart where it came in"
    )]
    fn beat(
        &mut self,
        turn: &mut Turn<'_>,
        link: LinkId,
        sender: Option<NodeIndex>,
        header: &Header,
        kind: Heartbeat,
        gossip: &[Gossip],
        hostname: Option<String>,
    ) {
        if kind != Heartbeat::Pong {
            self.learn_my_ip(turn, link, kind);
            if kind == Heartbeat::Meet && sender.is_none() && header.sender != self.data.me().id {
                self.begin_handshake_with(turn, link, header);
            }
        }
        let sender = match link {
            LinkId::Out(_) => match self.check_name(turn, link, sender, header) {
                Ok(sender) => Some(sender),
                Err(()) => return,
            },
            LinkId::In(_) => sender,
        };
        if let Some(sender) = sender {
            self.believe(turn, link, sender, header, kind, hostname);
            self.hear_gossip(turn, sender, gossip);
        }
        if kind != Heartbeat::Pong && self.links.contains_key(&link) {
            let to = self.node_of(link);
            let pong = self.heartbeat(turn, Heartbeat::Pong, to);
            self.send(turn, link, Arc::new(pong));
        }
    }

    /// What a heartbeat of a known node says of the node itself.
    fn believe(
        &mut self,
        turn: &mut Turn<'_>,
        link: LinkId,
        sender: NodeIndex,
        header: &Header,
        kind: Heartbeat,
        hostname: Option<String>,
    ) {
        let nofailover = header.flags & NodeFlags::NOFAILOVER;
        let node = self.node_mut(sender);
        if node.flags & NodeFlags::NOFAILOVER != nofailover || node.hostname != hostname {
            node.flags = (node.flags - NodeFlags::NOFAILOVER) | nofailover;
            node.hostname = hostname;
            turn.changed(Save::Lazy);
        }
        if kind == Heartbeat::Ping {
            self.check_address(turn, link, sender, header);
        }
        if let (LinkId::Out(_), Heartbeat::Pong) = (link, kind) {
            self.set_pong_ms(sender, turn.now);
            self.set_ping_ms(sender, 0);
            self.answered(turn, sender);
        }
        self.check_role(turn, sender, header);
        self.check_claims(turn, link, sender, header);
        self.peer_mut(sender).heard = true;
    }

    /// The sender is what it says that it is.
    fn check_role(&mut self, turn: &mut Turn<'_>, sender: NodeIndex, header: &Header) {
        self.take_over_role(turn, sender, header);
        // A replica of a replica would miss a failover. Stock looks at this only when slots change hands; a primary
        // without slots may become a replica as well.
        if let Some(primary) = self.data.me().primary
            && let Some(above) = self.node(primary).primary
            && above != self.data.myself
            && self.is_primary(above)
        {
            self.follow(turn, above);
        }
    }

    fn take_over_role(&mut self, turn: &mut Turn<'_>, sender: NodeIndex, header: &Header) {
        let Some(primary) = header.primary else {
            self.set_as_primary(turn, sender);
            return;
        };
        if self.is_primary(sender) {
            // A primary that copies another now has no slots of its own.
            self.vacate(sender);
            let node = self.node_mut(sender);
            node.flags = (node.flags - NodeFlags::PRIMARY - NodeFlags::MIGRATE_TO) | NodeFlags::REPLICA;
            turn.changed(Save::Lazy);
        }
        let primary = self.lookup(&primary).filter(|primary| *primary != sender);
        if let Some(primary) = primary
            && self.node(sender).primary != Some(primary)
        {
            self.set_primary(turn, sender, primary);
        }
    }

    /// The address by which others reach us is our own, unless the configuration announces one.
    fn learn_my_ip(&mut self, turn: &mut Turn<'_>, link: LinkId, kind: Heartbeat) {
        let LinkId::In(_) = link else { return };
        if self.data.settings.announce_ip.is_some()
            || (kind != Heartbeat::Meet && !self.data.me().ip.is_empty())
        {
            return;
        }
        let Some(local) = self.links.get(&link).map(|state| state.local.clone()) else {
            return;
        };
        if !local.is_empty() && self.data.me().ip != local {
            turn.warn(format!("IP address for this node updated to {local}"));
            self.data.myself_mut().ip = local;
            turn.changed(Save::Lazy);
        }
    }

    /// Where the sender of this header is to be dialled.
    pub(super) fn address_of(&self, link: LinkId, header: &Header) -> Option<String> {
        if !header.ip.is_empty() {
            // What is no address would be dialled in vain for ever.
            return header.ip.parse::<IpAddr>().ok().map(|ip| ip.to_string());
        }
        self.links
            .get(&link)
            .map(|state| state.peer.clone())
            .filter(|ip| !ip.is_empty())
    }

    /// A known node pings from another address than the one that we dial: it has moved.
    fn check_address(&mut self, turn: &mut Turn<'_>, link: LinkId, sender: NodeIndex, header: &Header) {
        let LinkId::In(_) = link else { return };
        self.move_node(turn, link, sender, header);
    }

    /// Takes over the address in a header.
    pub(super) fn move_node(
        &mut self,
        turn: &mut Turn<'_>,
        link: LinkId,
        sender: NodeIndex,
        header: &Header,
    ) {
        let Some(ip) = self.address_of(link, header) else {
            return;
        };
        let node = self.node(sender);
        if (&node.ip, node.port, node.bus_port) == (&ip, header.port, header.bus_port) {
            return;
        }
        turn.warn(format!(
            "Address updated for node {}, now {ip}:{}",
            node.id, header.port
        ));
        let node = self.node_mut(sender);
        node.ip = ip;
        node.port = header.port;
        node.bus_port = header.bus_port;
        node.flags -= NodeFlags::NOADDR;
        self.close_out(turn, sender);
        turn.changed(Save::Lazy);
    }
}

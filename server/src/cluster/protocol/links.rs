//! Links come and go. A member keeps one of its own to every node whose address it knows, and hears from each on another.

use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;

use rand_xoshiro::rand_core::Rng;
use slotcore::slot_map::NodeIndex;
use slotcore::topology::{NodeFlags, NodeId};

use super::effects::Dial;
use super::input::{CloseReason, LinkId};
use super::member::Member;
use super::peer::{LinkState, MAX_INBOUND, OutLink};
use super::turn::Turn;
use crate::cluster::message::Heartbeat;

/// What CLUSTER LINKS tells of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkInfo {
    /// Which; an [`LinkId::Out`] goes "to" the node, an [`LinkId::In`] comes "from" it.
    pub link: LinkId,
    /// Whose.
    pub node: NodeId,
    /// When it was made, unix ms.
    pub created_ms: u64,
}

/// A dial that failed is repeated after so long (ms), and up to as much again.
const REDIAL_MS: u64 = 50;
/// The same for a node that has been down for a while.
const SLOW_REDIAL_MS: u64 = 250;
/// For so long (ms) a peer must refuse connections to be thought down: a restart may be quicker.
const REFUSED_MS: u64 = 150;

impl Member {
    /// The links whose other end is known: node after node, the one to it before those from it.
    pub fn links(&self) -> Vec<LinkInfo> {
        let up = |link: &LinkId, node: NodeIndex| match link {
            LinkId::Out(_) => self.peer(node).up() == Some(*link),
            LinkId::In(_) => true,
        };
        let links = self.links.iter();
        let mut known: Vec<LinkInfo> = links
            .filter_map(|(link, state)| {
                let node = state.node.filter(|node| up(link, *node))?;
                Some(LinkInfo {
                    link: *link,
                    node: self.node(node).id,
                    created_ms: state.created_ms,
                })
            })
            .collect();
        known.sort_by_key(|info| (info.node, info.link));
        known
    }

    pub(super) fn accepted(&mut self, turn: &mut Turn<'_>, link: LinkId, peer: IpAddr, local: IpAddr) {
        let state = LinkState {
            node: None,
            created_ms: turn.now,
            peer: peer.to_canonical().to_string(),
            local: local.to_canonical().to_string(),
        };
        self.links.insert(link, state);
    }

    /// An inbound link's messages are this node's.
    pub(super) fn belongs(&mut self, turn: &mut Turn<'_>, link: LinkId, node: NodeIndex) {
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        let before = state.node.replace(node);
        if before == Some(node) {
            return;
        }
        if let Some(before) = before {
            self.peer_mut(before).inbound.retain(|other| *other != link);
        }
        let inbound = &mut self.peer_mut(node).inbound;
        inbound.push(link);
        if inbound.len() > MAX_INBOUND {
            let oldest = inbound.remove(0);
            self.links.remove(&oldest);
            turn.out.close.push(oldest);
        }
    }

    /// Dials whoever is due.
    pub(super) fn dial_due(&mut self, turn: &mut Turn<'_>) {
        for index in self.others() {
            let node = self.node(index);
            let due = matches!(self.peer(index).out, OutLink::Down { redial_ms } if redial_ms <= turn.now);
            // A node that cannot be reached at all must fail like one that does not answer.
            if due && self.ping_ms(index) == 0 {
                self.set_ping_ms(index, turn.now);
            }
            if !due || node.flags.contains(NodeFlags::NOADDR) || node.ip.is_empty() {
                continue;
            }
            let (ip, port) = (node.ip.clone(), node.bus_port);
            self.next_link += 1;
            let link = LinkId::Out(self.next_link);
            turn.out.dial.push(Dial {
                link,
                ip: ip.clone(),
                port,
            });
            self.peer_mut(index).out = OutLink::Dialling { link };
            let state = LinkState {
                node: Some(index),
                created_ms: turn.now,
                peer: ip,
                local: String::new(),
            };
            self.links.insert(link, state);
        }
    }

    pub(super) fn connected(&mut self, turn: &mut Turn<'_>, link: LinkId) {
        let Some(index) = self.links.get(&link).and_then(|state| state.node) else {
            return;
        };
        let peer = self.peer_mut(index);
        if peer.out != (OutLink::Dialling { link }) {
            return;
        }
        peer.out = OutLink::Up {
            link,
            since_ms: turn.now,
        };
        peer.was_linked = true;
        peer.refused = None;
        self.node(index).live.linked.store(true, Relaxed);
        let kind = match self.flags(index).contains(NodeFlags::MEET) {
            true => Heartbeat::Meet,
            false => Heartbeat::Ping,
        };
        // A new link makes an old question no younger.
        let asked = self.ping_ms(index);
        self.ping(turn, index, kind);
        if asked != 0 {
            self.set_ping_ms(index, asked);
        }
    }

    pub(super) fn closed(&mut self, turn: &mut Turn<'_>, link: LinkId, reason: CloseReason) {
        let Some(index) = self.links.remove(&link).and_then(|state| state.node) else {
            return;
        };
        if let LinkId::In(_) = link {
            self.peer_mut(index).inbound.retain(|other| *other != link);
            return;
        }
        let out = self.peer(index).out;
        if out != (OutLink::Dialling { link }) && self.peer(index).up() != Some(link) {
            return;
        }
        self.node(index).live.linked.store(false, Relaxed);
        let redial_ms = match out {
            // It worked a moment ago: ask at once whether anybody is still there.
            OutLink::Up { .. } => turn.now,
            _ => turn.now + self.redial_delay_ms(turn, index),
        };
        self.peer_mut(index).out = OutLink::Down { redial_ms };
        if reason == CloseReason::Refused {
            self.refused(turn, index);
        }
    }

    fn redial_delay_ms(&mut self, turn: &Turn<'_>, index: NodeIndex) -> u64 {
        let peer = self.peer(index);
        let long_gone = peer.fail_ms != 0
            && self.flags(index).contains(NodeFlags::FAIL)
            && turn.now.saturating_sub(peer.fail_ms) > self.data.settings.node_timeout_ms;
        let delay = if long_gone { SLOW_REDIAL_MS } else { REDIAL_MS };
        delay + self.rng.next_u64() % delay
    }

    /// The peer's host lives and says that nobody listens there.
    fn refused(&mut self, turn: &mut Turn<'_>, index: NodeIndex) {
        let peer = self.peer_mut(index);
        let (since, times) = peer.refused.unwrap_or((turn.now, 0));
        peer.refused = Some((since, times + 1));
        // A peer that we hear of on its own link, or never had a link to, may just not be reached or not be there yet.
        let gone = peer.was_linked
            && times >= 1
            && turn.now.saturating_sub(since) >= REFUSED_MS
            && peer.data_ms <= since
            && peer.inbound.is_empty();
        let fresh = !self
            .flags(index)
            .intersects(super::nodes::DOWN | NodeFlags::HANDSHAKE);
        if gone && fresh && self.data.settings.refused_means_failed {
            turn.notice(format!(
                "Node {} refuses connections: it is taken to be down",
                self.node(index).id
            ));
            self.suspect(turn, index);
        }
    }
}

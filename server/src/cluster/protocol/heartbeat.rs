//! Heartbeats: whom to ping and when, and what gossip to put in.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rand_xoshiro::rand_core::Rng;
use slotcore::slot_map::NodeIndex;
use slotcore::topology::NodeFlags;

use super::input::LinkId;
use super::member::Member;
use super::nodes::indices;
use super::peer::OutLink;
use super::turn::Turn;
use crate::cluster::message::{Body, Gossip, Header, Heartbeat, Message};

/// How often (ms) everything is looked at that has no moment of its own.
pub(super) const CRON_MS: u64 = 100;
/// Pings that a member sends in a second at most, over all peers, beside those that the node timeout demands.
const PINGS_PER_SECOND: u64 = 200;

impl Member {
    /// How often (ms) a peer is pinged. Twice in a node timeout, as stock does, is what failure detection needs to be
    /// right; a tenth of it makes detection quicker by the difference, where the number of nodes allows that.
    fn ping_interval_ms(&self) -> u64 {
        let timeout = self.data.settings.node_timeout_ms;
        let spread = self.data.nodes.len() as u64 * 1000 / PINGS_PER_SECOND;
        (timeout / 10).max(CRON_MS).max(spread).min(timeout / 2)
    }

    /// What is due every [`CRON_MS`].
    pub(super) fn cron(&mut self, turn: &mut Turn<'_>) {
        self.expire_handshakes(turn);
        self.drop_silent_links(turn);
        let interval = self.ping_interval_ms();
        let paused_for = self.manual_replica();
        let others: Vec<NodeIndex> = self.others().collect();
        for index in others {
            let peer = self.peer(index);
            if self.flags(index).contains(NodeFlags::HANDSHAKE) || peer.up().is_none() {
                continue;
            }
            let waiting = self.ping_ms(index) != 0;
            let due = !waiting && turn.now.saturating_sub(peer.pinged_ms) >= interval;
            if due || paused_for == Some(index) {
                self.ping(turn, index, Heartbeat::Ping);
            }
        }
        self.migrate(turn);
    }

    /// A link that has been silent for half a node timeout, with a question waiting, may be broken without our knowing.
    /// After a whole one it is, though the peer may speak to us on its own link: a machine that went down after it had
    /// taken the question in will never answer it, and never reset the link either.
    fn drop_silent_links(&mut self, turn: &mut Turn<'_>) {
        let timeout = self.data.settings.node_timeout_ms;
        let late = |at: u64| turn.now.saturating_sub(at) > timeout / 2;
        let silent: Vec<NodeIndex> = self
            .known()
            .filter(|index| {
                let peer = self.peer(*index);
                let asked = self.ping_ms(*index);
                let settled = match peer.out {
                    OutLink::Up { since_ms, .. } => turn.now.saturating_sub(since_ms) > timeout,
                    _ => false,
                };
                let overdue = turn.now.saturating_sub(asked) > timeout;
                settled && asked != 0 && late(asked) && (overdue || late(peer.data_ms))
            })
            .collect();
        for index in silent {
            self.close_out(turn, index);
        }
    }

    /// Asks a node for a pong, on our own link.
    pub(super) fn ping(&mut self, turn: &mut Turn<'_>, index: NodeIndex, kind: Heartbeat) {
        let Some(link) = self.peer(index).up() else {
            return;
        };
        if self.ping_ms(index) == 0 {
            self.set_ping_ms(index, turn.now);
        }
        self.peer_mut(index).pinged_ms = turn.now;
        let message = self.heartbeat(turn, kind, self.node_of(link));
        self.send(turn, link, Arc::new(message));
    }

    /// Tells everybody unasked that something about us has changed.
    pub(super) fn announce_myself(&mut self, turn: &mut Turn<'_>) {
        let nodes: Vec<NodeIndex> = self.known().collect();
        for index in nodes {
            if let Some(link) = self.reach(index) {
                let message = self.heartbeat(turn, Heartbeat::Pong, Some(index));
                self.send(turn, link, Arc::new(message));
            }
        }
    }

    pub(super) fn node_of(&self, link: LinkId) -> Option<NodeIndex> {
        self.links.get(&link).and_then(|state| state.node)
    }

    /// A heartbeat with gossip for this node.
    pub(super) fn heartbeat(&mut self, turn: &Turn<'_>, kind: Heartbeat, to: Option<NodeIndex>) -> Message {
        let gossip = self.gossip_for(to);
        Message {
            header: self.header(turn),
            body: Body::Heartbeat {
                kind,
                gossip,
                hostname: self.data.settings.announce_hostname.clone(),
            },
        }
    }

    /// What every message of ours says of us. A replica speaks for its primary where slots are concerned.
    pub(super) fn header(&self, turn: &Turn<'_>) -> Header {
        let shard = self.data.my_shard();
        let me = self.data.me();
        Header {
            sender: me.id,
            flags: me.flags | self.my_nofailover(),
            current_epoch: self.data.current_epoch,
            config_epoch: self.node(shard).epoch,
            offset: turn.facts.offset,
            slots: self.peer(shard).slots.clone(),
            primary: me.primary.map(|primary| self.node(primary).id),
            ip: self.data.settings.announce_ip.clone().unwrap_or_default(),
            port: me.port,
            bus_port: me.bus_port,
            cluster_ok: self.data.state_ok,
            paused: self.has_paused(),
            force_ack: false,
        }
    }

    fn my_nofailover(&self) -> NodeFlags {
        match self.data.settings.replica_no_failover {
            true => NodeFlags::NOFAILOVER,
            false => NodeFlags::empty(),
        }
    }

    /// A tenth of the nodes, at least three, drawn at random; and all that we think to be down, so that a majority
    /// learns of it soon.
    fn gossip_for(&mut self, to: Option<NodeIndex>) -> Vec<Gossip> {
        let count = self.data.nodes.len();
        let told = |member: &Self, index: NodeIndex| {
            let untold = NodeFlags::HANDSHAKE | NodeFlags::MYSELF;
            !member.flags(index).intersects(untold) && Some(index) != to
        };
        let wanted = (count / 10).max(3).min(count.saturating_sub(2));
        let start = match count {
            0 => 0,
            _ => (self.rng.next_u64() % count as u64) as usize,
        };
        // From a random node on; a stride that shares no factor with the count would shuffle more, and cost a table.
        let candidates = (0..count)
            .map(|step| (start + step) % count)
            .flat_map(slotcore::slot_map::NodeIndex::new);
        let mut chosen: Vec<NodeIndex> = candidates
            .filter(|index| {
                let (peer, flags) = (self.peer(*index), self.flags(*index));
                let idle = peer.up().is_none() && peer.slot_count == 0;
                let skipped = flags.intersects(NodeFlags::PFAIL | NodeFlags::NOADDR);
                told(self, *index) && !idle && !skipped
            })
            .take(wanted)
            .collect();
        let suspects = indices(count)
            .filter(|index| self.flags(*index).contains(NodeFlags::PFAIL) && told(self, *index));
        chosen.extend(suspects);
        chosen.into_iter().map(|index| self.gossip_of(index)).collect()
    }

    fn gossip_of(&self, index: NodeIndex) -> Gossip {
        let node = self.node(index);
        let seconds = |ms: u64| u32::try_from(ms / 1000).unwrap_or(u32::MAX);
        Gossip {
            node: node.id,
            ping_s: seconds(node.live.ping_ms.load(Relaxed)),
            pong_s: seconds(node.live.pong_ms.load(Relaxed)),
            ip: node.ip.clone(),
            port: node.port,
            bus_port: node.bus_port,
            flags: node.flags,
        }
    }
}

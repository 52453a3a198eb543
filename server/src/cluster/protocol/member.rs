//! One node of the cluster, as the rules see it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering::Relaxed;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use slotcore::slot_map::NodeIndex;
use slotcore::topology::{NodeFlags, NodeId};

use super::counters::Counters;
use super::effects::{Effects, RoleChange, Save};
use super::election::Election;
use super::heartbeat::CRON_MS;
use super::input::{Facts, Input, LinkId};
use super::manual::Manual;
use super::nodes::indices;
use super::peer::{LinkState, OutLink, Peer};
use super::turn::Turn;
use crate::cluster::data::ClusterData;
use crate::cluster::message::{Message, SharedMessage, SlotBitmap};

/// One node of the cluster: what it knows, and how it acts on what reaches it.
///
/// It never reads a clock: every call brings the time in ms, which never goes back by more than the host's clock does.
#[derive(Clone, Debug)]
pub struct Member {
    pub(super) data: ClusterData,
    /// Beside `data.nodes`, index by index; our own entry holds our slots.
    pub(super) peers: Vec<Peer>,
    pub(super) ids: HashMap<NodeId, NodeIndex>,
    pub(super) links: BTreeMap<LinkId, LinkState>,
    /// The number of the last link that we dialled.
    pub(super) next_link: u64,
    pub(super) rng: Xoshiro256PlusPlus,
    /// Slots whose owner no longer says that it owns them.
    pub(super) unclaimed: SlotBitmap,
    /// Slots that were left without an owner by a primary that became a replica, each such primary's on their own: until
    /// another claims them, that primary still counts where a majority is asked for.
    pub(super) vacated: Vec<SlotBitmap>,
    /// Names that FORGET has banned from gossip, and until when (ms).
    pub(super) blacklist: Vec<(NodeId, u64)>,
    /// When we started, or woke from a long sleep (ms).
    pub(super) started_ms: u64,
    /// When we last were on the smaller side of a partition (ms).
    pub(super) minority_ms: Option<u64>,
    pub(super) last_step_ms: u64,
    pub(super) next_cron_ms: u64,
    /// When everybody is to be told whom we think to be down (ms).
    pub(super) announce_ms: Option<u64>,
    pub(super) announced_ms: u64,
    /// What the data side was last told to be.
    pub(super) told: Option<RoleChange>,
    pub(super) election: Option<Election>,
    /// When another replica of our primary last asked for votes (ms).
    pub(super) rival_asked_ms: u64,
    pub(super) manual: Option<Manual>,
    pub(super) counters: Counters,
    wake_ms: u64,
}

impl Member {
    /// A member with what nodes.conf held, at this time (ms). `seed` drives all of its chances.
    pub fn new(data: ClusterData, now: u64, seed: u64) -> Self {
        let mut peers = vec![Peer::new(now); data.nodes.len()];
        for (node, peer) in data.nodes.iter().zip(&mut peers) {
            node.live.ping_ms.store(0, Relaxed);
            node.live.linked.store(false, Relaxed);
            if node.flags.contains(NodeFlags::FAIL) {
                peer.fail_ms = now;
            }
        }
        let mut member = Self {
            data,
            peers,
            ids: HashMap::new(),
            links: BTreeMap::new(),
            next_link: 0,
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            unclaimed: SlotBitmap::empty(),
            vacated: Vec::new(),
            blacklist: Vec::new(),
            started_ms: now,
            minority_ms: None,
            last_step_ms: now,
            next_cron_ms: now,
            announce_ms: None,
            announced_ms: 0,
            told: None,
            election: None,
            rival_asked_ms: 0,
            manual: None,
            counters: Counters::default(),
            wake_ms: now,
        };
        member.reindex();
        member.recount();
        // Every primary that has replicas may be given more, once it has lost them.
        for index in indices(member.data.nodes.len()) {
            if let Some(primary) = member.node(index).primary {
                member.node_mut(primary).flags |= NodeFlags::MIGRATE_TO;
            }
        }
        member
    }

    /// What it knows.
    pub fn data(&self) -> &ClusterData {
        &self.data
    }

    /// How many messages came and went.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// When it wants a [`Input::Tick`] at the latest (ms).
    pub fn deadline(&self) -> u64 {
        self.wake_ms
    }

    /// Takes an input in.
    pub fn step(&mut self, now: u64, facts: Facts, input: Input, out: &mut Effects) {
        let mut turn = Turn { now, facts, out };
        self.begin(&mut turn);
        self.announce_manual(&mut turn);
        match input {
            Input::Tick => {}
            Input::Accepted { link, peer, local } => self.accepted(&mut turn, link, peer, local),
            Input::Published(publications) => self.publish(&mut turn, publications),
            Input::Connected { link } => self.connected(&mut turn, link),
            Input::Closed { link, reason } => self.closed(&mut turn, link, reason),
            Input::Received { link, message } => self.received(&mut turn, link, message),
        }
        self.finish(&mut turn);
    }

    /// An administrator's command, between what comes before and after every input.
    pub(super) fn command<T>(
        &mut self,
        now: u64,
        facts: Facts,
        out: &mut Effects,
        run: impl FnOnce(&mut Self, &mut Turn<'_>) -> T,
    ) -> T {
        let mut turn = Turn { now, facts, out };
        self.begin(&mut turn);
        let outcome = run(self, &mut turn);
        self.finish(&mut turn);
        outcome
    }

    fn begin(&mut self, turn: &mut Turn<'_>) {
        self.notice_sleep(turn);
        self.last_step_ms = turn.now;
        let me = self.data.me();
        me.live.replication_offset.store(turn.facts.offset, Relaxed);
    }

    /// What follows from whatever has happened, and from time.
    fn finish(&mut self, turn: &mut Turn<'_>) {
        if turn.now >= self.next_cron_ms {
            self.next_cron_ms = turn.now + CRON_MS;
            self.cron(turn);
        }
        self.check_timeouts(turn);
        self.announce_suspects(turn);
        self.run_manual(turn);
        self.run_election(turn);
        self.update_state(turn);
        self.tell_role(turn);
        self.dial_due(turn);
        self.wake_ms = self.next_wake(turn.now);
    }

    /// The data side follows whom we follow, at the address that it has now.
    fn tell_role(&mut self, turn: &mut Turn<'_>) {
        let wanted = match self.data.me().primary {
            None => RoleChange::Promote,
            Some(primary) => {
                let node = self.node(primary);
                if node.ip.is_empty() || node.flags.contains(NodeFlags::NOADDR) {
                    return;
                }
                RoleChange::Follow {
                    id: node.id,
                    host: node.ip.clone(),
                    port: node.port,
                }
            }
        };
        // The data side starts as a primary.
        let told = self.told.get_or_insert(RoleChange::Promote);
        if *told != wanted {
            *told = wanted.clone();
            turn.out.role = Some(wanted);
        }
    }

    /// Everything that is due at a moment of its own, or else the next round.
    fn next_wake(&self, now: u64) -> u64 {
        let timeout = self.data.settings.node_timeout_ms;
        let mut wake = self.next_cron_ms;
        for index in self.others() {
            let peer = self.peer(index);
            if let OutLink::Down { redial_ms } = peer.out
                && !self.node(index).ip.is_empty()
                && !self.flags(index).contains(NodeFlags::NOADDR)
            {
                wake = wake.min(redial_ms);
            }
            let asked = self.ping_ms(index);
            if asked != 0
                && !self
                    .flags(index)
                    .intersects(super::nodes::DOWN | NodeFlags::HANDSHAKE)
            {
                wake = wake.min(asked.max(peer.data_ms) + timeout + 1);
            }
        }
        let soon = [self.announce_ms, self.election_wake(now), self.manual_wake(now)];
        soon.into_iter().flatten().fold(wake, u64::min)
    }

    /// Sends a message by a link.
    pub(super) fn send(&mut self, turn: &mut Turn<'_>, link: LinkId, message: SharedMessage) {
        self.counters.count_sent(&message.body);
        turn.out.send.push((link, message));
    }

    /// Sends a message to a node, if there is any link to it.
    pub(super) fn send_to(&mut self, turn: &mut Turn<'_>, index: NodeIndex, message: SharedMessage) {
        if let Some(link) = self.reach(index) {
            self.send(turn, link, message);
        }
    }

    /// Sends a message to all known nodes.
    pub(super) fn broadcast(&mut self, turn: &mut Turn<'_>, message: Message) {
        let message = SharedMessage::new(message);
        let nodes: Vec<NodeIndex> = self.known().collect();
        for index in nodes {
            self.send_to(turn, index, message.clone());
        }
    }

    /// Copies another primary from now on.
    pub(super) fn follow(&mut self, turn: &mut Turn<'_>, primary: NodeIndex) {
        if self.am_primary() {
            self.data.migrating.clear();
            self.data.importing.clear();
        }
        let myself = self.data.myself;
        self.set_primary(turn, myself, primary);
        self.end_manual(turn);
        self.election = None;
        turn.changed(Save::Synced);
    }
}

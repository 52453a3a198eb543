//! What must hold after every step, whatever happens.
//!
//! Elections are judged by what was sent, not by what members think: a vote is an AUTH_ACK that left a node.

use std::collections::{BTreeMap, BTreeSet};

use slotcore::topology::{NodeFlags, NodeId};
use slotcore::{SLOT_COUNT, Slot};
use slotmark_server::cluster::ClusterData;
use slotmark_server::cluster::message::{Body, Message, SlotBitmap};
use slotmark_server::cluster::protocol::Effects;

use super::node::Role;
use super::world::World;

/// Why a member acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was told that a majority holds this node to be down.
    Told(NodeId),
    /// Its administrator wants something.
    Command,
    Other,
}

impl Cause {
    pub fn of(message: &Message) -> Self {
        match &message.body {
            Body::Fail(id) => Self::Told(*id),
            _ => Self::Other,
        }
    }
}

/// How a primary came by its configuration epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// A majority has voted for it.
    Elected,
    /// By command, or to resolve a collision: nobody was asked.
    Alone,
}

/// What a node is, in its own opinion.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    id: NodeId,
    primary: bool,
    epoch: u64,
    current_epoch: u64,
    vote_epoch: u64,
}

impl Standing {
    pub fn of(data: &ClusterData) -> Self {
        let me = data.me();
        Self {
            id: me.id,
            primary: me.primary.is_none(),
            epoch: me.epoch,
            current_epoch: data.current_epoch,
            vote_epoch: data.last_vote_epoch,
        }
    }
}

#[derive(Default)]
pub struct Judge {
    /// In which epoch who has voted for whom.
    votes: BTreeMap<(NodeId, u64), NodeId>,
    /// Who has voted for a candidate in an epoch.
    voters: BTreeMap<(u64, NodeId), BTreeSet<NodeId>>,
    /// Who was elected in an epoch.
    won: BTreeMap<u64, NodeId>,
    origins: BTreeMap<(NodeId, u64), Origin>,
    /// When (its clock) each node last heard a third one of a second one being down: listener, reporter, subject.
    reports: BTreeMap<(usize, NodeId, NodeId), u64>,
    /// Nothing fails: nobody may be taken to be down, and nobody elected.
    pub calm: bool,
    pub elections: u64,
    pub verdicts: u64,
    pub collisions: u64,
    pub graceful: u64,
    /// Slots that may have got lost: they were on their way, or their owner came back as somebody else.
    pub moved: BTreeSet<Slot>,
    /// Slots that people had to give to a new owner.
    pub lost: BTreeSet<Slot>,
    /// Some node was told to forget another.
    pub forgot: bool,
}

impl World {
    /// A message is about to reach a node.
    pub fn heard(&mut self, at: usize, message: &Message) {
        if let Body::Heartbeat { gossip, .. } = &message.body {
            let clock = self.clock(at);
            let down = NodeFlags::PFAIL | NodeFlags::FAIL;
            for entry in gossip.iter().filter(|entry| entry.flags.intersects(down)) {
                let key = (at, message.header.sender, entry.node);
                self.judge.reports.insert(key, clock);
            }
        }
    }

    pub fn judge_step(&mut self, at: usize, cause: Cause, before: Standing, after: Standing, out: &Effects) {
        let backwards = after.current_epoch < before.current_epoch
            || after.vote_epoch < before.vote_epoch
            || after.epoch < before.epoch;
        if backwards {
            self.fail(format!(
                "node {at}: an epoch went back from {before:?} to {after:?}"
            ));
        }
        let risen = !before.primary && after.primary;
        if risen && cause != Cause::Command {
            self.judge_election(at, after);
        } else if after.primary && (risen || after.epoch != before.epoch) {
            self.judge.origins.insert((after.id, after.epoch), Origin::Alone);
        }
        if out.publish {
            self.judge_verdicts(at, cause);
        }
    }

    /// A replica has become a primary without a command: a majority must have voted for it.
    fn judge_election(&mut self, at: usize, after: Standing) {
        self.judge.elections += 1;
        if self.judge.calm {
            self.fail(format!("node {at} was elected though nothing had failed"));
        }
        let Some(data) = self.nodes[at].data() else { return };
        let quorum = primaries_with_slots(data).len() / 2 + 1;
        let votes = self.judge.voters.get(&(after.epoch, after.id));
        let count = votes.map_or(0, BTreeSet::len);
        if count < quorum {
            self.fail(format!(
                "node {at} was elected in epoch {} with {count} votes of {quorum}",
                after.epoch
            ));
        }
        let other = self.judge.won.insert(after.epoch, after.id);
        if other.is_some_and(|other| other != after.id) {
            self.fail(format!("two nodes were elected in epoch {}", after.epoch));
        }
        self.judge
            .origins
            .insert((after.id, after.epoch), Origin::Elected);
        if self.nodes[at].graceful && self.nodes[at].forced_epoch == after.epoch {
            self.judge_graceful(at);
        }
        self.nodes[at].graceful = false;
    }

    /// A graceful failover loses nothing: the old primary holds its clients' writes back, and all of its stream is here.
    fn judge_graceful(&mut self, at: usize) {
        let Role::Replica { ip, .. } = &self.nodes[at].side.role else {
            return;
        };
        let Some(old) = self.nodes.iter().position(|node| node.ip == *ip) else {
            return;
        };
        let alive = self.nodes[old].runs() && self.nodes[old].life == self.nodes[at].side.copied_life;
        if !alive || !self.net.open(at, old) {
            return;
        }
        self.judge.graceful += 1;
        let (here, there) = (self.nodes[at].side.offset, self.nodes[old].side.offset);
        if here < there || self.nodes[old].side.paused_until <= self.clock(old) {
            self.fail(format!(
                "a graceful failover to node {at} at {here} loses what node {old} has at {there}"
            ));
        }
    }

    /// A node that is newly held to be down was reported by a majority, or the node was told so.
    fn judge_verdicts(&mut self, at: usize, cause: Cause) {
        let clock = self.clock(at);
        let Some(data) = self.nodes[at].data() else { return };
        let failed = data
            .nodes
            .iter()
            .filter(|node| node.flags.contains(NodeFlags::FAIL));
        let failed: BTreeSet<NodeId> = failed.map(|node| node.id).collect();
        let known = self.nodes[at].failed.clone();
        for id in failed.difference(&known) {
            self.judge.verdicts += 1;
            if self.judge.calm {
                self.fail(format!(
                    "node {at} holds {id} to be down though nothing had failed"
                ));
            }
            if cause == Cause::Told(*id) {
                continue;
            }
            let Some(data) = self.nodes[at].data() else { return };
            let voters = primaries_with_slots(data);
            let worth_ms = 2 * self.shape.timeout_ms;
            let fresh = |voter: &&NodeId| {
                let said = self.judge.reports.get(&(at, **voter, *id));
                **voter == data.me().id || said.is_some_and(|said| clock.saturating_sub(*said) <= worth_ms)
            };
            let count = voters.iter().filter(fresh).count();
            // Gossip brings new nodes along with what a majority holds of them.
            let new = !self.nodes[at].known.contains(id);
            if count < voters.len() / 2 + 1 && !new {
                let quorum = voters.len() / 2 + 1;
                self.fail(format!(
                    "node {at} holds {id} to be down on {count} opinions of {quorum}"
                ));
            }
        }
        self.nodes[at].failed = failed;
        self.remember(at);
    }

    fn remember(&mut self, at: usize) {
        let Some(data) = self.nodes[at].data() else { return };
        let known = data.nodes.iter().map(|node| node.id).collect();
        self.nodes[at].known = known;
    }

    /// A node has started with what it had saved.
    pub fn judge_start(&mut self, at: usize) {
        let Some(data) = self.nodes[at].data() else { return };
        let failed = data
            .nodes
            .iter()
            .filter(|node| node.flags.contains(NodeFlags::FAIL));
        let failed = failed.map(|node| node.id).collect();
        self.nodes[at].failed = failed;
        self.remember(at);
        // What it had heard before it died counts no more.
        self.judge.reports.retain(|(listener, ..), _| *listener != at);
    }

    /// A node is about to send something.
    pub fn judge_message(&mut self, at: usize, to: usize, message: &Message) {
        let header = &message.header;
        match message.body {
            Body::AuthAck => self.judge_vote(at, to, header.sender, header.current_epoch),
            Body::AuthRequest => {
                if header.force_ack {
                    self.nodes[at].forced_epoch = header.current_epoch;
                }
                let saved = self.nodes[at].disk.as_ref().map_or(0, |disk| disk.current_epoch);
                if saved < header.current_epoch {
                    self.fail(format!(
                        "node {at} asks for votes in an epoch that is not on its disk"
                    ));
                }
            }
            _ => {}
        }
        if !header.flags.contains(NodeFlags::PRIMARY) {
            self.nodes[at].claim = None;
            return;
        }
        let claim = (header.config_epoch, &header.slots);
        let known = self.nodes[at]
            .claim
            .as_ref()
            .map(|(epoch, slots)| (*epoch, slots));
        if known != Some(claim) {
            self.nodes[at].claim = Some((header.config_epoch, header.slots.clone()));
            self.nodes[at].claims_slots = !header.slots.is_empty();
            self.judge_claim(at);
        }
    }

    fn judge_vote(&mut self, at: usize, to: usize, voter: NodeId, epoch: u64) {
        let candidate = self.nodes[to].id;
        let saved = self.nodes[at]
            .disk
            .as_ref()
            .map_or(0, |disk| disk.last_vote_epoch);
        if saved < epoch {
            self.fail(format!(
                "node {at} votes in epoch {epoch}, which is not on its disk"
            ));
        }
        if self.judge.votes.insert((voter, epoch), candidate).is_some() {
            self.fail(format!("node {at} votes twice in epoch {epoch}"));
        }
        self.judge
            .voters
            .entry((epoch, candidate))
            .or_default()
            .insert(voter);
        let votes = self.nodes[at].data().is_some_and(|data| {
            data.me().primary.is_none() && primaries_with_slots(data).contains(&data.me().id)
        });
        if !votes {
            self.fail(format!("node {at} votes and is no primary with slots"));
        }
    }

    /// A primary claims slots: no other may claim one of them under the same epoch, unless one of the two has its epoch
    /// from nobody but itself. Stock allows that for a moment (SET-CONFIG-EPOCH, TAKEOVER, BUMPEPOCH, SETSLOT NODE, and
    /// the collision rule itself give out epochs without asking), and the rule for collisions ends it.
    fn judge_claim(&mut self, at: usize) {
        let Some((epoch, slots)) = self.nodes[at].claim.clone() else {
            return;
        };
        let disk = self.nodes[at].disk.as_ref();
        let saved = disk.is_some_and(|disk| disk.me().epoch == epoch && disk.me().primary.is_none());
        if !saved {
            self.fail(format!(
                "node {at} claims slots in epoch {epoch}, which is not on its disk"
            ));
        }
        let alone = |world: &Self, node: usize| {
            let key = (world.nodes[node].id, epoch);
            world.judge.origins.get(&key) == Some(&Origin::Alone)
        };
        if epoch != 0 && !slots.is_empty() && !self.judge.origins.contains_key(&(self.nodes[at].id, epoch)) {
            self.fail(format!(
                "node {at} claims slots in epoch {epoch}, which nobody gave to it"
            ));
        }
        for other in 0..self.nodes.len() {
            let Some((theirs, claimed)) = &self.nodes[other].claim else {
                continue;
            };
            if other != at && *theirs == epoch && overlap(&slots, claimed) {
                self.judge.collisions += 1;
                if !alone(self, at) && !alone(self, other) {
                    self.fail(format!(
                        "nodes {at} and {other} claim a slot in the same epoch {epoch}"
                    ));
                }
            }
        }
    }
}

fn overlap(one: &SlotBitmap, other: &SlotBitmap) -> bool {
    one.as_bytes()
        .iter()
        .zip(other.as_bytes())
        .any(|(one, other)| one & other != 0)
}

/// Who counts in a majority, by what a node knows.
pub fn primaries_with_slots(data: &ClusterData) -> BTreeSet<NodeId> {
    let mut owns = vec![false; data.nodes.len()];
    for owner in (0..SLOT_COUNT as Slot).filter_map(|slot| data.owners.get(slot)) {
        owns[owner.get()] = true;
    }
    let owners = data.nodes.iter().zip(owns).filter(|(_, owns)| *owns);
    owners
        .filter(|(node, _)| node.primary.is_none())
        .map(|(node, _)| node.id)
        .collect()
}

//! Who is down: our own opinion (PFAIL), others' reports, and a majority's verdict (FAIL).

use slotcore::slot_map::NodeIndex;
use slotcore::topology::{NodeFlags, NodeId};

use super::effects::Save;
use super::member::Member;
use super::nodes::DOWN;
use super::peer::Report;
use super::turn::Turn;
use crate::cluster::message::{Body, Header, Heartbeat, Message};

/// Everybody is told of a suspect at once, but not more often than this (ms).
const ANNOUNCE_MS: u64 = 50;

impl Member {
    /// Nobody answers for longer than the node timeout: neither a pong to our ping, nor anything else. That holds as well
    /// for a node whose address is another's by now, as when it has lost its nodes.conf and come back under a new name:
    /// stock leaves such a one in place, slots and all; here its replica gets to replace it.
    pub(super) fn check_timeouts(&mut self, turn: &mut Turn<'_>) {
        let timeout = self.data.settings.node_timeout_ms;
        for index in self.others() {
            let asked = self.ping_ms(index);
            let quiet_since = asked.max(self.peer(index).data_ms);
            if asked != 0
                && turn.now.saturating_sub(quiet_since) > timeout
                && !self.flags(index).intersects(DOWN | NodeFlags::HANDSHAKE)
            {
                self.suspect(turn, index);
            }
        }
    }

    /// We think that a node is down: everybody is told soon.
    pub(super) fn suspect(&mut self, turn: &mut Turn<'_>, index: NodeIndex) {
        self.node_mut(index).flags |= NodeFlags::PFAIL;
        turn.changed(Save::Lazy);
        self.judge(turn, index);
        let soonest = (self.announced_ms + ANNOUNCE_MS).max(turn.now);
        self.announce_ms.get_or_insert(soonest);
    }

    /// A heartbeat to all, with all suspects in its gossip.
    pub(super) fn announce_suspects(&mut self, turn: &mut Turn<'_>) {
        if self.announce_ms.is_none_or(|at| at > turn.now) {
            return;
        }
        self.announce_ms = None;
        self.announced_ms = turn.now;
        if !self
            .others()
            .any(|index| self.flags(index).contains(NodeFlags::PFAIL))
        {
            return;
        }
        let listeners: Vec<NodeIndex> = self
            .known()
            .filter(|index| !self.flags(*index).intersects(DOWN))
            .collect();
        for index in listeners {
            self.ping(turn, index, Heartbeat::Ping);
        }
    }

    /// A primary says that a node is down, or that it is not.
    pub(super) fn report(&mut self, turn: &mut Turn<'_>, about: NodeIndex, from: NodeIndex, down: bool) {
        let from_id = self.node(from).id;
        let about_id = self.node(about).id;
        let reports = &mut self.peer_mut(about).reports;
        let known = reports.iter_mut().find(|report| report.from == from_id);
        match (down, known) {
            (true, Some(report)) => report.at_ms = turn.now,
            (true, None) => {
                reports.push(Report {
                    from: from_id,
                    at_ms: turn.now,
                });
                turn.verbose(format!(
                    "Node {from_id} reported node {about_id} as not reachable."
                ));
            }
            (false, Some(_)) => {
                reports.retain(|report| report.from != from_id);
                turn.verbose(format!("Node {from_id} reported node {about_id} is back online."));
            }
            (false, None) => {}
        }
        if down {
            self.judge(turn, about);
        }
    }

    /// How many primaries hold this node to be down; reports are worth something for two node timeouts.
    pub fn failure_reports(&self, id: &NodeId, now: u64) -> usize {
        self.lookup(id)
            .map_or(0, |index| self.reporters(index, now).count())
    }

    fn reporters(&self, index: NodeIndex, now: u64) -> impl Iterator<Item = NodeIndex> + '_ {
        let worth_ms = self.data.settings.node_timeout_ms * 2;
        self.peer(index)
            .reports
            .iter()
            .filter(move |report| now.saturating_sub(report.at_ms) <= worth_ms)
            .filter_map(|report| self.lookup(&report.from))
    }

    /// A suspect is down when a majority of the primaries says so, and we with them.
    pub(super) fn judge(&mut self, turn: &mut Turn<'_>, index: NodeIndex) {
        let flags = self.flags(index);
        if !flags.contains(NodeFlags::PFAIL) || flags.contains(NodeFlags::FAIL) {
            return;
        }
        let worth_ms = self.data.settings.node_timeout_ms * 2;
        self.peer_mut(index)
            .reports
            .retain(|report| turn.now.saturating_sub(report.at_ms) <= worth_ms);
        // The majority is one of primaries with slots, so only theirs are counted; stock counts any primary's.
        let voters = self
            .reporters(index, turn.now)
            .filter(|from| self.is_voter(*from))
            .count()
            + usize::from(self.is_voter(self.data.myself));
        if voters < self.quorum() {
            return;
        }
        let id = self.node(index).id;
        turn.notice(format!("Marking node {id} as failing (quorum reached)."));
        self.mark_failed(turn, index);
        let message = Message {
            header: self.header(turn),
            body: Body::Fail(id),
        };
        self.broadcast(turn, message);
    }

    fn mark_failed(&mut self, turn: &mut Turn<'_>, index: NodeIndex) {
        let node = self.node_mut(index);
        node.flags = (node.flags - NodeFlags::PFAIL) | NodeFlags::FAIL;
        self.peer_mut(index).fail_ms = turn.now;
        turn.changed(Save::Lazy);
    }

    /// A known node says that a majority holds that one to be down.
    pub(super) fn told_of_failure(
        &mut self,
        turn: &mut Turn<'_>,
        sender: Option<NodeIndex>,
        header: &Header,
        failed: NodeId,
    ) {
        if sender.is_none() {
            turn.notice(format!(
                "Ignoring FAIL message from unknown node {} about {failed}",
                header.sender
            ));
            return;
        }
        let failing = self
            .lookup(&failed)
            .filter(|index| *index != self.data.myself && !self.flags(*index).contains(NodeFlags::FAIL));
        if let Some(index) = failing {
            turn.notice(format!(
                "FAIL message received from {} about {failed}",
                header.sender
            ));
            self.mark_failed(turn, index);
        }
    }

    /// A node has answered our ping.
    pub(super) fn answered(&mut self, turn: &mut Turn<'_>, index: NodeIndex) {
        let flags = self.flags(index);
        if flags.contains(NodeFlags::PFAIL) {
            self.node_mut(index).flags -= NodeFlags::PFAIL;
            turn.changed(Save::Lazy);
        }
        if flags.contains(NodeFlags::FAIL)
            && let Some(why) = self.may_be_cleared(index, turn.now)
        {
            turn.notice(format!(
                "Clear FAIL state for node {}: {why}",
                self.node(index).id
            ));
            self.node_mut(index).flags -= NodeFlags::FAIL;
            self.peer_mut(index).fail_ms = 0;
            turn.changed(Save::Lazy);
        }
    }

    /// A failed node that is back may be taken as working when nobody is about to take its place.
    fn may_be_cleared(&self, index: NodeIndex, now: u64) -> Option<&'static str> {
        if !self.is_primary(index) {
            return Some("replica is reachable again.");
        }
        if self.peer(index).slot_count == 0 {
            return Some("master without slots is reachable again.");
        }
        if now.saturating_sub(self.peer(index).fail_ms) > self.data.settings.node_timeout_ms * 2 {
            return Some("is reachable again and nobody is serving its slots after some time.");
        }
        // Stock waits here as well; but what it waits for cannot come.
        let heirless = self
            .replicas_of(index)
            .all(|replica| self.flags(replica).contains(NodeFlags::NOFAILOVER));
        heirless.then_some("is reachable again and has no replica that could take its place.")
    }
}

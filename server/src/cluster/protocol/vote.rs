//! The voter's side of an election.

use slotcore::slot_map::NodeIndex;
use slotcore::topology::NodeFlags;

use super::effects::Save;
use super::member::Member;
use super::turn::Turn;
use crate::cluster::message::{Body, Header, Message, SharedMessage};

impl Member {
    /// A replica asks for our vote. It gets it if we may vote, have not voted in this epoch, and nothing that we know
    /// speaks against it. The vote is on the disk before it leaves.
    pub(super) fn asked_for_vote(&mut self, turn: &mut Turn<'_>, candidate: NodeIndex, request: &Header) {
        if !self.is_voter(self.data.myself) {
            return;
        }
        let primary = match self.why_not(turn.now, candidate, request) {
            Ok(primary) => primary,
            Err(why) => {
                turn.warn(format!(
                    "Failover auth denied to {}: {why}",
                    self.node(candidate).id
                ));
                return;
            }
        };
        self.data.last_vote_epoch = self.data.current_epoch;
        let id = self.node(candidate).id;
        let peer = self.peer_mut(primary);
        peer.voted_ms = turn.now;
        peer.voted_for = Some(id);
        turn.save(Save::Synced);
        turn.warn(format!(
            "Failover auth granted to {} for epoch {}",
            self.node(candidate).id,
            self.data.current_epoch
        ));
        let message = Message {
            header: self.header(turn),
            body: Body::AuthAck,
        };
        self.send_to(turn, candidate, SharedMessage::new(message));
    }

    /// The candidate's primary, if it may have our vote.
    fn why_not(&self, now: u64, candidate: NodeIndex, request: &Header) -> Result<NodeIndex, String> {
        let epoch = self.data.current_epoch;
        if request.current_epoch < epoch {
            return Err(format!(
                "reqEpoch ({}) < curEpoch({epoch})",
                request.current_epoch
            ));
        }
        if self.data.last_vote_epoch == epoch {
            return Err(format!("already voted for epoch {epoch}"));
        }
        if self.is_primary(candidate) {
            return Err("it is a master node".into());
        }
        let Some(primary) = self.node(candidate).primary else {
            return Err("I don't know its master".into());
        };
        if !self.flags(primary).contains(NodeFlags::FAIL) && !request.force_ack {
            return Err("its master is up".into());
        }
        let patience = self.data.settings.node_timeout_ms * 2;
        let voted = self.peer(primary).voted_ms;
        let since = now.saturating_sub(voted);
        // The limit keeps replicas of a failed primary from outbidding each other; one that asks again outbids nobody.
        // With the primary's consent there is one candidate, and its writes wait for our vote.
        let outbids = self.peer(primary).voted_for != Some(self.node(candidate).id) && !request.force_ack;
        if voted != 0 && since < patience && outbids {
            return Err(format!(
                "can't vote about this master before {} milliseconds",
                patience - since
            ));
        }
        let newer = request
            .slots
            .slots()
            .find(|slot| !self.yields(*slot, request.config_epoch.saturating_add(1)));
        if let Some(slot) = newer {
            let owner = self.data.owners.get(slot);
            return Err(format!(
                "slot {slot} epoch ({}) > reqEpoch ({})",
                owner.map_or(0, |owner| self.node(owner).epoch),
                request.config_epoch
            ));
        }
        Ok(primary)
    }
}

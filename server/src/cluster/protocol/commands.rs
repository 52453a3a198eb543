//! What administrators want: CLUSTER MEET, FORGET, REPLICATE, FAILOVER, RESET, SETSLOT and the rest. The errors are
//! stock's, to the letter.

use std::net::IpAddr;

use slotcore::Slot;
use slotcore::slot_map::NodeIndex;
use slotcore::topology::NodeId;

use super::effects::{Effects, Save};
use super::input::Facts;
use super::member::Member;
use super::nodes::MAX_NODES;
use super::turn::Turn;
use crate::cluster::admin::{AdminError, Bump, Claim};
use crate::cluster::settings::ClusterSettings;

/// CLUSTER FAILOVER's three forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailoverKind {
    /// With the primary's consent: it pauses, we catch up, nothing is lost.
    Graceful,
    /// Without the primary, with the others' votes.
    Force,
    /// Without anybody.
    Takeover,
}

/// CLUSTER SETSLOT's four forms.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "as the command spells them; each carries the other node's name as the client wrote it"
)]
pub enum SetSlot {
    Migrating(Vec<u8>),
    Importing(Vec<u8>),
    Node(Vec<u8>),
    Stable,
}

/// FORGET bans a name from gossip for so long (ms): the time to tell it to all the others.
const BAN_MS: u64 = 60_000;
/// Names banned at once; the oldest ban ends early when there are more.
const MAX_BANS: usize = 1024;

impl Member {
    /// MEET: begins a handshake with the node at this address.
    #[allow(clippy::too_many_arguments, reason = "an address is three things")]
    pub fn meet(
        &mut self,
        now: u64,
        facts: Facts,
        ip: IpAddr,
        port: u16,
        bus_port: u16,
        out: &mut Effects,
    ) -> Result<(), AdminError> {
        self.command(now, facts, out, |member, turn| {
            if !Self::dialable(ip, port, bus_port) {
                return Err(AdminError::BadAddress(format!("{ip}:{port}")));
            }
            let ip = ip.to_canonical().to_string();
            match member.begin_handshake(turn, ip, port, bus_port, true) {
                true => Ok(()),
                false => Err(AdminError::TooManyNodes(MAX_NODES)),
            }
        })
    }

    /// FORGET: as if we had never heard of the node, and for a minute deaf to gossip about it.
    pub fn forget(&mut self, now: u64, facts: Facts, id: &[u8], out: &mut Effects) -> Result<(), AdminError> {
        self.command(now, facts, out, |member, turn| {
            let gone = member.find(id).ok_or_else(|| AdminError::UnknownNode(text(id)))?;
            if gone == member.data.myself {
                return Err(AdminError::ForgetMyself);
            }
            if member.data.me().primary == Some(gone) {
                return Err(AdminError::ForgetMyPrimary);
            }
            let id = member.node(gone).id;
            member.blacklist.retain(|(banned, _)| *banned != id);
            if member.blacklist.len() == MAX_BANS {
                member.blacklist.remove(0);
            }
            member.blacklist.push((id, turn.now + BAN_MS));
            member.remove_node(turn, gone);
            Ok(())
        })
    }

    /// REPLICATE: copy that primary from now on. `holds_keys`: there is data here.
    pub fn replicate(
        &mut self,
        now: u64,
        facts: Facts,
        id: &[u8],
        holds_keys: bool,
        out: &mut Effects,
    ) -> Result<(), AdminError> {
        self.command(now, facts, out, |member, turn| {
            let primary = member.find(id).ok_or_else(|| AdminError::UnknownNode(text(id)))?;
            let myself = member.data.myself;
            if primary == myself {
                return Err(AdminError::ReplicateMyself);
            }
            if !member.is_primary(primary) {
                return Err(AdminError::ReplicateReplica);
            }
            if member.am_primary() && (member.peer(myself).slot_count != 0 || holds_keys) {
                return Err(AdminError::NotEmpty);
            }
            member.follow(turn, primary);
            Ok(())
        })
    }

    /// FAILOVER: take our primary's place.
    pub fn failover(
        &mut self,
        now: u64,
        facts: Facts,
        kind: FailoverKind,
        out: &mut Effects,
    ) -> Result<(), AdminError> {
        self.command(now, facts, out, |member, turn| {
            if member.am_primary() {
                return Err(AdminError::FailoverOnPrimary);
            }
            let primary = member.data.me().primary.ok_or(AdminError::PrimaryUnknown)?;
            let failed = member
                .flags(primary)
                .contains(slotcore::topology::NodeFlags::FAIL);
            if kind == FailoverKind::Graceful && (failed || member.reach(primary).is_none()) {
                return Err(AdminError::PrimaryDown);
            }
            match kind {
                FailoverKind::Takeover => {
                    turn.warn("Taking over the master (user request).".into());
                    member.new_epoch(turn);
                    member.take_over(turn, primary);
                }
                FailoverKind::Force => {
                    turn.warn("Forced failover user request accepted.".into());
                    member.begin_taking(turn, primary, true);
                }
                FailoverKind::Graceful => {
                    turn.warn("Manual failover user request accepted.".into());
                    member.begin_taking(turn, primary, false);
                }
            }
            Ok(())
        })
    }

    /// RESET: alone again, a primary without slots; HARD brings a new name and takes the epochs. Whether a primary still
    /// holds keys is asked by the command, which also empties a replica.
    pub fn reset(&mut self, now: u64, facts: Facts, new_id: Option<NodeId>, out: &mut Effects) {
        self.command(now, facts, out, |member, turn| {
            member.end_manual(turn);
            member.election = None;
            let others: Vec<NodeIndex> = member.others().collect();
            for index in others {
                member.close_out(turn, index);
            }
            let me = member.peers.swap_remove(member.data.myself.get());
            member.peers = vec![me];
            member.vacated.clear();
            member.data.reset(new_id);
            for link in member.links.values_mut() {
                link.node = None;
            }
            member.reindex();
            member.recount();
            if let Some(id) = new_id {
                turn.notice("configEpoch set to 0 after hard reset".into());
                turn.notice(format!("Node hard reset, now I'm {id}"));
            }
            turn.changed(Save::Synced);
        });
    }

    /// SETSLOT: a slot is on its way, or has arrived. `keys_in_slot`: how many of its keys are here.
    #[allow(
        clippy::too_many_arguments,
        reason = "what the command says and what it finds"
    )]
    pub fn set_slot(
        &mut self,
        now: u64,
        facts: Facts,
        slot: Slot,
        set: SetSlot,
        keys_in_slot: usize,
        out: &mut Effects,
    ) -> Result<(), AdminError> {
        self.command(now, facts, out, |member, turn| {
            if !member.am_primary() {
                return Err(AdminError::SetSlotOnReplica);
            }
            let mine = member.data.owners.get(slot) == Some(member.data.myself);
            match set {
                SetSlot::Stable => {
                    member.data.migrating.remove(&slot);
                    member.data.importing.remove(&slot);
                }
                SetSlot::Migrating(_) if !mine => return Err(AdminError::NotOwner(slot)),
                SetSlot::Importing(_) if mine => return Err(AdminError::AlreadyOwner(slot)),
                SetSlot::Migrating(id) => {
                    let to = member.target(&id, AdminError::DontKnowNode)?;
                    member.data.migrating.insert(slot, to);
                }
                SetSlot::Importing(id) => {
                    let from = member.target(&id, AdminError::DontKnowNode)?;
                    member.data.importing.insert(slot, from);
                }
                SetSlot::Node(id) => {
                    let to = member.target(&id, AdminError::UnknownNode)?;
                    member.assign(turn, slot, to, keys_in_slot)?;
                }
            }
            turn.changed(Save::Synced);
            Ok(())
        })
    }

    fn target(&self, id: &[u8], unknown: fn(String) -> AdminError) -> Result<NodeIndex, AdminError> {
        let index = self.find(id).ok_or_else(|| unknown(text(id)))?;
        match self.data.node(index).primary.is_some() || !self.is_primary(index) {
            true => Err(AdminError::TargetNotPrimary),
            false => Ok(index),
        }
    }

    /// SETSLOT NODE: the end of a slot's way, told to each node by itself.
    fn assign(
        &mut self,
        turn: &mut Turn<'_>,
        slot: Slot,
        to: NodeIndex,
        keys: usize,
    ) -> Result<(), AdminError> {
        let myself = self.data.myself;
        let was_mine = self.data.owners.get(slot) == Some(myself);
        if was_mine && to != myself && keys != 0 {
            return Err(AdminError::StillHoldsKeys(slot));
        }
        if keys == 0 {
            self.data.migrating.remove(&slot);
        }
        self.set_owner(slot, Some(to));
        let gone = was_mine && to != myself && self.peer(myself).slot_count == 0;
        if gone && self.data.settings.allow_replica_migration {
            turn.warn(format!(
                "Configuration change detected. Reconfiguring myself as a replica of {}",
                self.node(to).id
            ));
            self.follow(turn, to);
        }
        if to == myself && self.data.importing.remove(&slot).is_some() {
            // Under a new epoch the claim wins against the old owner's. Nobody is asked for it; should two nodes take
            // the same one, the collision is resolved.
            if self.new_epoch(turn) {
                turn.warn(format!("configEpoch updated after importing slot {slot}"));
            }
            self.announce_myself(turn);
        }
        Ok(())
    }

    /// ADDSLOTS, DELSLOTS and their RANGE kin.
    pub fn claim(
        &mut self,
        now: u64,
        facts: Facts,
        claim: Claim,
        slots: impl IntoIterator<Item = Slot>,
        out: &mut Effects,
    ) -> Result<(), AdminError> {
        self.command(now, facts, out, |member, turn| {
            member.data.claim(claim, slots)?;
            member.recount();
            turn.changed(Save::Synced);
            Ok(())
        })
    }

    /// FLUSHSLOTS: we own nothing any more.
    pub fn flush_slots(&mut self, now: u64, facts: Facts, out: &mut Effects) {
        self.command(now, facts, out, |member, turn| {
            member.data.flush_slots();
            member.recount();
            turn.changed(Save::Synced);
        });
    }

    /// SET-CONFIG-EPOCH
    pub fn set_config_epoch(
        &mut self,
        now: u64,
        facts: Facts,
        epoch: i64,
        out: &mut Effects,
    ) -> Result<(), AdminError> {
        self.command(now, facts, out, |member, turn| {
            member.data.set_config_epoch(epoch)?;
            turn.warn(format!("configEpoch set to {epoch} via CLUSTER SET-CONFIG-EPOCH"));
            turn.changed(Save::Synced);
            Ok(())
        })
    }

    /// BUMPEPOCH: a new configuration epoch without asking anybody.
    pub fn bump_epoch(&mut self, now: u64, facts: Facts, out: &mut Effects) -> Bump {
        self.command(now, facts, out, |member, turn| {
            let bumped = member.new_epoch(turn);
            let epoch = member.data.me().epoch;
            match bumped {
                true => Bump::Bumped(epoch),
                false => Bump::Still(epoch),
            }
        })
    }

    /// Whether our epoch had to be raised to be the largest.
    fn new_epoch(&mut self, turn: &mut Turn<'_>) -> bool {
        match self.data.bump_epoch() {
            Bump::Still(_) => false,
            Bump::Bumped(epoch) => {
                turn.changed(Save::Synced);
                turn.warn(format!("New configEpoch set to {epoch}"));
                true
            }
        }
    }

    /// Takes directives over that CONFIG SET has changed.
    pub fn apply_settings(&mut self, now: u64, facts: Facts, settings: ClusterSettings, out: &mut Effects) {
        self.command(now, facts, out, |member, turn| {
            if member.data.settings != settings {
                member.data.apply(settings);
                turn.changed(Save::Synced);
            }
        });
    }

    /// The node of this name, as a client wrote it.
    fn find(&self, id: &[u8]) -> Option<NodeIndex> {
        self.lookup(&NodeId::parse(id).ok()?)
    }
}

fn text(id: &[u8]) -> String {
    String::from_utf8_lossy(id).into_owned()
}

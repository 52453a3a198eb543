//! What CLUSTER's administrative subcommands do to the data. No I/O: [`super::Cluster::change`] saves and publishes.

use slotcore::slot_map::{NodeIndex, OwnerTable};
use slotcore::topology::{NodeFlags, NodeId};
use slotcore::{SLOT_COUNT, Slot};

use super::data::ClusterData;

/// Why an administrative command is refused; its text is the error reply, to the letter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each one's text says what it is
pub enum AdminError {
    #[error("ERR Slot {0} is already busy")]
    SlotBusy(Slot),
    #[error("ERR Slot {0} is already unassigned")]
    SlotUnassigned(Slot),
    #[error("ERR Slot {0} specified multiple times")]
    SlotTwice(Slot),
    #[error("ERR Invalid config epoch specified: {0}")]
    InvalidEpoch(i64),
    #[error("ERR The user can assign a config epoch only when the node does not know any other node.")]
    EpochNotAlone,
    #[error("ERR Node config epoch is already non-zero")]
    EpochSet,
    #[error("ERR Unknown node {0}")]
    UnknownNode(String),
    #[error("ERR I tried hard but I can't forget myself...")]
    ForgetMyself,
    #[error("ERR Can't forget my master!")]
    ForgetMyPrimary,
    #[error("ERR Invalid node address specified: {0}")]
    BadAddress(String),
    #[error("ERR {0} nodes are known already, and no more can be")]
    TooManyNodes(usize),
    #[error("ERR Can't replicate myself")]
    ReplicateMyself,
    #[error("ERR I can only replicate a master, not a replica.")]
    ReplicateReplica,
    #[error("ERR To set a master the node must be empty and without assigned slots.")]
    NotEmpty,
    #[error("ERR You should send CLUSTER FAILOVER to a replica")]
    FailoverOnPrimary,
    #[error("ERR I'm a replica but my master is unknown to me")]
    PrimaryUnknown,
    #[error("ERR Master is down or failed, please use CLUSTER FAILOVER FORCE")]
    PrimaryDown,
    #[error("ERR You can use SETSLOT only with masters.")]
    SetSlotOnReplica,
    #[error("ERR I'm not the owner of hash slot {0}")]
    NotOwner(Slot),
    #[error("ERR I'm already the owner of hash slot {0}")]
    AlreadyOwner(Slot),
    #[error("ERR I don't know about node {0}")]
    DontKnowNode(String),
    #[error("ERR Target node is not a master")]
    TargetNotPrimary,
    #[error("ERR Can't assign hashslot {0} to a different node while I still hold keys for this hash slot.")]
    StillHoldsKeys(Slot),
}

/// What BUMPEPOCH did; both carry our configuration epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bump {
    /// It is a new one.
    Bumped(u64),
    /// It was the largest already.
    Still(u64),
}

/// ADDSLOTS or DELSLOTS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Unowned slots become ours.
    Add,
    /// Owned slots become unowned.
    Delete,
}

impl ClusterData {
    /// ADDSLOTS, DELSLOTS and their RANGE kin: all of the slots, or none. The slots are looked at in order, so that
    /// the error names the one that stock names: a wrong owner before a repetition.
    pub fn claim(&mut self, claim: Claim, slots: impl IntoIterator<Item = Slot>) -> Result<(), AdminError> {
        let mut named = Box::new([false; SLOT_COUNT]);
        let mut list = Vec::new();
        for slot in slots {
            match (claim, self.owners.get(slot)) {
                (Claim::Add, Some(_)) => return Err(AdminError::SlotBusy(slot)),
                (Claim::Delete, None) => return Err(AdminError::SlotUnassigned(slot)),
                _ if std::mem::replace(&mut named[usize::from(slot)], true) => {
                    return Err(AdminError::SlotTwice(slot));
                }
                _ => list.push(slot),
            }
        }
        for slot in list {
            match claim {
                Claim::Add => {
                    self.owners.set(slot, Some(self.myself));
                    // We are its owner now, so nothing of it is still to come.
                    self.importing.remove(&slot);
                }
                Claim::Delete => self.owners.set(slot, None),
            }
        }
        Ok(())
    }

    /// FLUSHSLOTS: we own nothing any more.
    pub fn flush_slots(&mut self) {
        for slot in 0..SLOT_COUNT as Slot {
            if self.owners.get(slot) == Some(self.myself) {
                self.owners.set(slot, None);
            }
        }
    }

    /// SET-CONFIG-EPOCH
    pub fn set_config_epoch(&mut self, epoch: i64) -> Result<(), AdminError> {
        let wanted = u64::try_from(epoch).map_err(|_| AdminError::InvalidEpoch(epoch))?;
        if self.nodes.len() > 1 {
            return Err(AdminError::EpochNotAlone);
        }
        if self.me().epoch != 0 {
            return Err(AdminError::EpochSet);
        }
        self.myself_mut().epoch = wanted;
        self.current_epoch = self.current_epoch.max(wanted);
        Ok(())
    }

    /// BUMPEPOCH: a new configuration epoch without asking anybody.
    pub fn bump_epoch(&mut self) -> Bump {
        let max = self
            .nodes
            .iter()
            .map(|node| node.epoch)
            .fold(self.current_epoch, u64::max);
        let mine = self.me().epoch;
        if mine != 0 && mine == max {
            return Bump::Still(mine);
        }
        self.current_epoch += 1;
        self.myself_mut().epoch = self.current_epoch;
        Bump::Bumped(self.current_epoch)
    }

    /// RESET: alone again, a primary without slots. With `new_id` (HARD) also under a new name and without epochs.
    pub fn reset(&mut self, new_id: Option<NodeId>) {
        let mut me = self.nodes.swap_remove(self.myself.get());
        me.flags = (me.flags - NodeFlags::REPLICA) | NodeFlags::PRIMARY;
        me.primary = None;
        if let Some(id) = new_id {
            me.id = id;
            me.epoch = 0;
            self.current_epoch = 0;
            self.last_vote_epoch = 0;
        }
        self.nodes = vec![me];
        self.myself = NodeIndex::new(0).expect("0 is below the limit");
        self.owners = OwnerTable::new();
        self.migrating.clear();
        self.importing.clear();
    }

    /// FORGET: as if we had never heard of the node.
    pub fn forget(&mut self, id: &[u8]) -> Result<(), AdminError> {
        let gone = self
            .find(id)
            .ok_or_else(|| AdminError::UnknownNode(String::from_utf8_lossy(id).into_owned()))?;
        if gone == self.myself {
            return Err(AdminError::ForgetMyself);
        }
        if self.me().primary == Some(gone) {
            return Err(AdminError::ForgetMyPrimary);
        }
        self.remove(gone);
        Ok(())
    }

    /// Takes a node other than ourselves out: its slots have no owner, its replicas no primary then, and the indices of
    /// the nodes behind it count down by one.
    pub fn remove(&mut self, gone: NodeIndex) {
        self.nodes.remove(gone.get());
        // Those behind it move up by one.
        let moved = |index: NodeIndex| match index.get() {
            place if place > gone.get() => NodeIndex::new(place - 1),
            _ if index == gone => None,
            _ => Some(index),
        };
        self.myself = moved(self.myself).expect("we are not the one that is gone");
        for node in &mut self.nodes {
            node.primary = node.primary.and_then(moved);
        }
        for slot in 0..SLOT_COUNT as Slot {
            self.owners.set(slot, self.owners.get(slot).and_then(moved));
        }
        for open in [&mut self.migrating, &mut self.importing] {
            *open = open
                .iter()
                .filter_map(|(slot, node)| Some((*slot, moved(*node)?)))
                .collect();
        }
    }
}

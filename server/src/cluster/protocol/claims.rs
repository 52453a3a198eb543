//! Who owns which slot: claims in heartbeats, UPDATE for those who missed a change, and two primaries with one epoch.

use slotcore::Slot;
use slotcore::slot_map::NodeIndex;
use slotcore::topology::NodeId;

use super::effects::Save;
use super::input::LinkId;
use super::member::Member;
use super::turn::Turn;
use crate::cluster::message::{Body, Header, Message, SharedMessage, SlotBitmap};

impl Member {
    /// What a heartbeat says of the slots of its sender, or of the sender's primary.
    pub(super) fn check_claims(
        &mut self,
        turn: &mut Turn<'_>,
        link: LinkId,
        sender: NodeIndex,
        header: &Header,
    ) {
        let owner = match self.is_primary(sender) {
            true => Some(sender),
            false => self.node(sender).primary,
        };
        let differs = owner.is_some_and(|owner| self.peer(owner).slots != header.slots);
        if differs {
            if self.is_primary(sender) {
                self.adopt(turn, sender, header.config_epoch, &header.slots);
            }
            self.correct(turn, link, sender, header);
        }
        let collides = self.am_primary()
            && self.is_primary(sender)
            && header.config_epoch == self.data.me().epoch
            && self.data.me().id < self.node(sender).id;
        if collides {
            self.data.current_epoch = self.data.current_epoch.saturating_add(1);
            self.data.myself_mut().epoch = self.data.current_epoch;
            turn.changed(Save::Synced);
            turn.warn(format!(
                "WARNING: configEpoch collision with node {}. configEpoch set to {}",
                self.node(sender).id,
                self.data.current_epoch
            ));
        }
    }

    /// Whether a claim of this epoch takes the slot from whom we know as its owner.
    pub(super) fn yields(&self, slot: Slot, epoch: u64) -> bool {
        self.data
            .owners
            .get(slot)
            .is_none_or(|owner| self.unclaimed.contains(slot) || self.node(owner).epoch < epoch)
    }

    /// A primary claims slots under an epoch: those that are free, or claimed under an older one, are its own now.
    fn adopt(&mut self, turn: &mut Turn<'_>, claimer: NodeIndex, epoch: u64, claimed: &SlotBitmap) {
        let shard = self.data.my_shard();
        let (mut lost, mut taken) = (Vec::new(), 0);
        for slot in claimed.slots() {
            let owner = self.data.owners.get(slot);
            if owner == Some(claimer) || !self.yields(slot, epoch) {
                if owner == Some(claimer) && self.unclaimed.contains(slot) {
                    self.unclaimed.remove(slot);
                }
                continue;
            }
            if owner == Some(shard) {
                lost.push(slot);
            }
            self.set_owner(slot, Some(claimer));
            self.data.migrating.remove(&slot);
            // A slot on its way here comes from its new owner now. Stock keeps the old one, which may be gone for good.
            if let Some(from) = self.data.importing.get_mut(&slot) {
                *from = claimer;
            }
            taken += 1;
        }
        // What the claimer owned by our table and no longer claims keeps it as owner for the clients' sake, and is
        // free for the next one that claims it.
        let owned = self.peer(claimer).slots.clone();
        for slot in owned.slots().filter(|slot| !claimed.contains(*slot)) {
            self.unclaimed.insert(slot);
        }
        if taken > 0 {
            turn.changed(Save::Synced);
        }
        if !lost.is_empty() {
            self.lose(turn, claimer, shard, lost, claimed.len());
        }
    }

    /// Slots of our shard have gone to another: with the last one we do as well.
    fn lose(
        &mut self,
        turn: &mut Turn<'_>,
        to: NodeIndex,
        shard: NodeIndex,
        lost: Vec<Slot>,
        claimed: usize,
    ) {
        let allowed = self.data.settings.allow_replica_migration || claimed == lost.len();
        if self.peer(shard).slot_count == 0 && allowed {
            turn.notice(format!(
                "Configuration change detected. Reconfiguring myself as a replica of {}",
                self.node(to).id
            ));
            self.follow(turn, to);
        } else if shard == self.data.myself {
            // Whatever was written here since another took the slots is lost with them.
            turn.out.drop_keys.extend(lost);
        }
    }

    /// The sender claims a slot that another has taken under a newer epoch: it is told.
    fn correct(&mut self, turn: &mut Turn<'_>, link: LinkId, sender: NodeIndex, header: &Header) {
        let newer = header.slots.slots().find_map(|slot| {
            let owner = self.data.owners.get(slot)?;
            let stale = owner != sender
                && !self.unclaimed.contains(slot)
                && self.node(owner).epoch > header.config_epoch;
            stale.then_some(owner)
        });
        let Some(owner) = newer else { return };
        turn.verbose(format!(
            "Node {} has old slots configuration, sending an UPDATE message about {}",
            self.node(sender).id,
            self.node(owner).id
        ));
        let message = Message {
            header: self.header(turn),
            body: Body::Update {
                config_epoch: self.node(owner).epoch,
                node: self.node(owner).id,
                slots: self.peer(owner).slots.clone(),
            },
        };
        let link = self.peer(sender).up().unwrap_or(link);
        self.send(turn, link, SharedMessage::new(message));
    }

    /// A known node says what slots a third one owns, since we seemed not to know.
    pub(super) fn told_of_slots(
        &mut self,
        turn: &mut Turn<'_>,
        epoch: u64,
        owner: NodeId,
        slots: &SlotBitmap,
    ) {
        let Some(owner) = self.lookup(&owner) else { return };
        if owner == self.data.myself || self.node(owner).epoch >= epoch {
            return;
        }
        self.set_as_primary(turn, owner);
        self.node_mut(owner).epoch = epoch;
        turn.changed(Save::Synced);
        self.adopt(turn, owner, epoch, slots);
    }
}

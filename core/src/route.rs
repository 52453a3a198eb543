//! The one decision of a slot-sharded store: who serves this request.
//!
//! A node asks it before it runs a command, a load generator before it sends one. The order of the questions is that of
//! redis-server 7.0, and visible to clients where several answers are true at once:
//!
//! ```text
//!  no keys                                              -> NoKeys      run here
//!  nobody owns the first key's slot                     -> ClusterDown Unbound
//!  keys of several slots                                -> CrossSlot
//!  the cluster is down (and the request not excepted)   -> ClusterDown State | ReadOnlyState
//!  MIGRATE, and the slot is open                        -> Local
//!  the slot leaves, and keys are missing                -> Ask, or TryAgain if some are still here
//!  the slot comes, and the client said ASKING           -> Local, or TryAgain if of several keys some are missing
//!  READONLY client, no write, the owner is my primary   -> Local
//!  I own the slot                                       -> Local
//!  otherwise                                            -> Moved
//! ```

use crate::slot::Slot;
use crate::slot_map::NodeIndex;

/// What the cluster serves at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// State ok: everything.
    Full,
    /// State fail.
    Down {
        /// cluster-allow-reads-when-down
        allow_reads: bool,
        /// cluster-allow-pubsubshard-when-down
        allow_shard_channels: bool,
    },
}

/// What the decision must know of the cluster.
pub trait RouteView {
    /// The owner of a slot.
    fn owner(&self, slot: Slot) -> Option<NodeIndex>;
    /// The node that decides; `None` for a client.
    fn myself(&self) -> Option<NodeIndex>;
    /// The primary of the node that decides, when it is a replica.
    fn my_primary(&self) -> Option<NodeIndex>;
    /// Where a slot of ours is on its way to.
    fn migrating_to(&self, slot: Slot) -> Option<NodeIndex>;
    /// From where a slot is on its way to us.
    fn importing_from(&self, slot: Slot) -> Option<NodeIndex>;
    /// What the cluster serves at present.
    fn service(&self) -> Service;
}

/// The slots of a request's keys. For EXEC: of the keys of all queued commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySlots {
    /// It has no keys.
    None,
    /// All keys hash to this slot.
    One(Slot),
    /// The keys hash to several slots; this is the first key's.
    Several(Slot),
}

impl KeySlots {
    /// The slots of the keys, in the order of the request.
    #[inline]
    pub fn of(slots: impl IntoIterator<Item = Slot>) -> Self {
        let mut slots = slots.into_iter();
        match slots.next() {
            None => Self::None,
            Some(first) if slots.all(|slot| slot == first) => Self::One(first),
            Some(first) => Self::Several(first),
        }
    }
}

/// What the decision must know of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteRequest {
    /// The slots of its keys (of its channels, for SPUBLISH and SSUBSCRIBE).
    pub slots: KeySlots,
    /// The command may write, or replicate (flags WRITE and MAY_REPLICATE); for EXEC: any queued command.
    pub write: bool,
    /// The client has just said ASKING, or the command carries it (flag ASKING).
    pub asking: bool,
    /// The client has said READONLY.
    pub readonly: bool,
    /// The command is MIGRATE.
    pub migrate: bool,
    /// The command is about shard channels, not keys.
    pub shard_channel: bool,
}

impl RouteRequest {
    /// A plain read of these slots.
    pub fn read(slots: KeySlots) -> Self {
        Self {
            slots,
            write: false,
            asking: false,
            readonly: false,
            migrate: false,
            shard_channel: false,
        }
    }

    /// A plain write to these slots.
    pub fn write(slots: KeySlots) -> Self {
        Self {
            write: true,
            ..Self::read(slots)
        }
    }
}

/// How much of a request is here, asked only when its slot is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyPresence {
    /// Keys that exist here.
    pub existing: usize,
    /// Keys that do not.
    pub missing: usize,
    /// At least two of the keys differ.
    pub several: bool,
}

/// Why a slot is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterDownReason {
    /// The cluster is in state fail.
    State,
    /// Nobody owns the slot.
    Unbound,
    /// The cluster is in state fail and takes reads only.
    ReadOnlyState,
}

/// Who serves a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// We do.
    Local,
    /// Whoever got it: it has no keys.
    NoKeys,
    /// Another node does: a node replies MOVED, a client sends it there.
    Moved {
        /// The slot of the keys.
        slot: Slot,
        /// Its owner.
        node: NodeIndex,
    },
    /// The keys have moved on already.
    Ask {
        /// The slot of the keys.
        slot: Slot,
        /// Where it is on its way to.
        node: NodeIndex,
    },
    /// Some of the keys have moved on already.
    TryAgain,
    /// Nobody can: keys of several slots.
    CrossSlot,
    /// Nobody does at present.
    ClusterDown(ClusterDownReason),
}

/// Decides who serves a request. `presence` looks the keys up without touching them; it is called only for a slot on
/// its way, and not for shard channels.
#[inline]
pub fn route(
    view: &impl RouteView,
    request: &RouteRequest,
    presence: impl FnOnce() -> KeyPresence,
) -> Decision {
    let (slot, one) = match request.slots {
        KeySlots::None => return Decision::NoKeys,
        KeySlots::One(slot) => (slot, true),
        KeySlots::Several(slot) => (slot, false),
    };
    let Some(owner) = view.owner(slot) else {
        return Decision::ClusterDown(ClusterDownReason::Unbound);
    };
    if !one {
        return Decision::CrossSlot;
    }
    if let Service::Down {
        allow_reads,
        allow_shard_channels,
    } = view.service()
        && let Some(reason) = refused(request, allow_reads, allow_shard_channels)
    {
        return Decision::ClusterDown(reason);
    }
    let mine = view.myself() == Some(owner);
    if let Some(decision) = open_slot(view, request, slot, mine, presence) {
        return decision;
    }
    let served_here = mine
        || ((request.readonly || request.shard_channel)
            && !request.write
            && view.my_primary() == Some(owner));
    if served_here {
        Decision::Local
    } else {
        Decision::Moved { slot, node: owner }
    }
}

/// Why a cluster in state fail does not serve this request.
#[cold]
fn refused(
    request: &RouteRequest,
    allow_reads: bool,
    allow_shard_channels: bool,
) -> Option<ClusterDownReason> {
    let allowed = if request.shard_channel {
        allow_shard_channels
    } else {
        allow_reads
    };
    if !allowed {
        Some(ClusterDownReason::State)
    } else if request.write && !request.shard_channel {
        Some(ClusterDownReason::ReadOnlyState)
    } else {
        None
    }
}

/// The decision for a slot on its way; `None` when it is not, or when that makes no difference.
#[inline]
fn open_slot(
    view: &impl RouteView,
    request: &RouteRequest,
    slot: Slot,
    mine: bool,
    presence: impl FnOnce() -> KeyPresence,
) -> Option<Decision> {
    let to = if mine { view.migrating_to(slot) } else { None };
    if to.is_none() && view.importing_from(slot).is_none() {
        return None;
    }
    if request.migrate {
        return Some(Decision::Local);
    }
    let here = if request.shard_channel {
        KeyPresence::default()
    } else {
        presence()
    };
    match to {
        Some(_) if here.missing == 0 => None,
        Some(_) if here.existing > 0 => Some(Decision::TryAgain),
        Some(node) => Some(Decision::Ask { slot, node }),
        None if !request.asking => None,
        None if here.several && here.missing > 0 => Some(Decision::TryAgain),
        None => Some(Decision::Local),
    }
}

#[cfg(test)]
mod tests;

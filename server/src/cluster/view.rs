//! The snapshot that a batch of commands is judged by.

use std::borrow::Cow;

use slotcore::redirect::{self, Redirect};
use slotcore::route::{ClusterDownReason, Decision, KeyPresence, RouteRequest, RouteView, Service, route};
use slotcore::slot_map::NodeIndex;
use slotcore::topology::{NodeFlags, NodeId};
use slotcore::{SLOT_COUNT, Slot};

use super::data::{ClusterData, ClusterNode};

/// Whether the cluster serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterState {
    /// It does.
    Ok,
    /// Slots are not covered, or most primaries are out of reach.
    Fail,
}

impl ClusterState {
    /// As CLUSTER INFO and the log spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "fail",
        }
    }
}

/// How many slots, and of which owners; for CLUSTER INFO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotCounts {
    /// With an owner.
    pub assigned: usize,
    /// With an owner that nobody doubts.
    pub ok: usize,
    /// Whose owner we think to be down.
    pub pfail: usize,
    /// Whose owner is down.
    pub fail: usize,
}

/// One state of the cluster, and all that follows from it. It never changes; a newer one takes its place.
#[derive(Debug)]
pub struct ClusterView {
    data: ClusterData,
    version: u64,
    state: ClusterState,
    service: Service,
    slots: SlotCounts,
    /// Primaries with slots.
    size: usize,
}

impl ClusterView {
    /// What follows from the data. `version` counts snapshots up.
    pub(super) fn new(data: ClusterData, version: u64) -> Self {
        let mut counts = SlotCounts::default();
        let mut owns = vec![false; data.nodes.len()];
        for owner in (0..SLOT_COUNT as Slot).filter_map(|slot| data.owners.get(slot)) {
            let flags = data.node(owner).flags;
            owns[owner.get()] = true;
            counts.assigned += 1;
            if flags.contains(NodeFlags::FAIL) {
                counts.fail += 1;
            } else if flags.contains(NodeFlags::PFAIL) {
                counts.pfail += 1;
            } else {
                counts.ok += 1;
            }
        }
        let size = owns.iter().filter(|owns| **owns).count();
        let failed = !data.state_ok;
        let service = match failed {
            false => Service::Full,
            true => Service::Down {
                allow_reads: data.settings.allow_reads_when_down,
                allow_shard_channels: data.settings.allow_shard_channels_when_down,
            },
        };
        let state = if failed {
            ClusterState::Fail
        } else {
            ClusterState::Ok
        };
        Self {
            data,
            version,
            state,
            service,
            slots: counts,
            size,
        }
    }

    /// The data.
    pub fn data(&self) -> &ClusterData {
        &self.data
    }

    /// How many snapshots came before, so that a holder of things derived from one can see that they are stale.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether the cluster serves.
    pub fn state(&self) -> ClusterState {
        self.state
    }

    /// How many slots, and of which owners.
    pub fn slot_counts(&self) -> SlotCounts {
        self.slots
    }

    /// How many primaries own slots.
    pub fn size(&self) -> usize {
        self.size
    }

    /// This node.
    pub fn me(&self) -> &ClusterNode {
        self.data.me()
    }

    /// Whether the slot is ours, or our primary's.
    pub fn is_of_my_shard(&self, slot: Slot) -> bool {
        self.data.owners.get(slot) == Some(self.data.my_shard())
    }

    /// The name of the slot's owner.
    pub fn owner_id(&self, slot: Slot) -> Option<NodeId> {
        self.data.owners.get(slot).map(|owner| self.data.node(owner).id)
    }

    /// Who serves the request; see [`slotcore::route::route`].
    #[inline]
    pub fn route(&self, request: &RouteRequest, presence: impl FnOnce() -> KeyPresence) -> Decision {
        route(self, request, presence)
    }

    /// The text of the error reply for a decision, without its `-`; `None` when we are to serve the request.
    pub fn refusal(&self, decision: Decision) -> Option<Cow<'static, str>> {
        let endpoint = self.data.settings.endpoint;
        let target = |node: NodeIndex| {
            let node = self.data.node(node);
            (endpoint.of(&node.ip, node.hostname.as_deref()), node.port)
        };
        Some(match decision {
            Decision::Local | Decision::NoKeys => return None,
            Decision::Moved { slot, node } => {
                let (host, port) = target(node);
                Redirect::Moved { slot, host, port }.to_string().into()
            }
            Decision::Ask { slot, node } => {
                let (host, port) = target(node);
                Redirect::Ask { slot, host, port }.to_string().into()
            }
            Decision::TryAgain => redirect::TRY_AGAIN.into(),
            Decision::CrossSlot => redirect::CROSS_SLOT.into(),
            Decision::ClusterDown(ClusterDownReason::Unbound) => redirect::CLUSTER_DOWN_UNBOUND.into(),
            Decision::ClusterDown(ClusterDownReason::State) => redirect::CLUSTER_DOWN_STATE.into(),
            Decision::ClusterDown(ClusterDownReason::ReadOnlyState) => {
                redirect::CLUSTER_DOWN_READ_ONLY.into()
            }
        })
    }
}

impl RouteView for ClusterView {
    #[inline]
    fn owner(&self, slot: Slot) -> Option<NodeIndex> {
        self.data.owners.get(slot)
    }

    #[inline]
    fn myself(&self) -> Option<NodeIndex> {
        Some(self.data.myself)
    }

    #[inline]
    fn my_primary(&self) -> Option<NodeIndex> {
        self.data.me().primary
    }

    #[inline]
    fn migrating_to(&self, slot: Slot) -> Option<NodeIndex> {
        self.data.migrating.get(&slot).copied()
    }

    #[inline]
    fn importing_from(&self, slot: Slot) -> Option<NodeIndex> {
        self.data.importing.get(&slot).copied()
    }

    #[inline]
    fn service(&self) -> Service {
        self.service
    }
}

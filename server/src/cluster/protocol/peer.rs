//! What a member keeps of each other node beside [`ClusterNode`](crate::cluster::ClusterNode).

use slotcore::topology::NodeId;

use super::input::LinkId;
use crate::cluster::message::SlotBitmap;

/// Inbound links that one peer may have; a peer has one, and for a moment two when it dials anew.
pub(super) const MAX_INBOUND: usize = 8;

/// Our own link to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutLink {
    /// None; dialled at this time (ms).
    Down { redial_ms: u64 },
    /// Asked for.
    Dialling { link: LinkId },
    /// It works, since this time (ms).
    Up { link: LinkId, since_ms: u64 },
}

/// A primary has told us that it cannot reach the peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub from: NodeId,
    pub at_ms: u64,
}

/// What is known of a peer, beyond what clients are told. Times are ms; 0: never.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// When we first heard of it.
    pub created_ms: u64,
    /// What it owns: the owner table, seen from here.
    pub slots: SlotBitmap,
    /// How many slots that are.
    pub slot_count: usize,
    pub out: OutLink,
    /// Links by which it talks to us, oldest first.
    pub inbound: Vec<LinkId>,
    /// When the last ping was sent, whether or not its pong came.
    pub pinged_ms: u64,
    /// When anything of it last came in.
    pub data_ms: u64,
    /// A heartbeat of it, and with it its claims, came in since we started.
    pub heard: bool,
    /// We have had a link to it since we started.
    pub was_linked: bool,
    /// Since when it refuses connections, and how often it did.
    pub refused: Option<(u64, u32)>,
    /// When it became FAIL.
    pub fail_ms: u64,
    /// Since when it is a primary without a working replica.
    pub orphaned_ms: u64,
    /// When we last voted for a replica of it.
    pub voted_ms: u64,
    /// For which.
    pub voted_for: Option<NodeId>,
    /// When it last told its offset.
    pub offset_ms: u64,
    /// Who reported it, a primary at most once.
    pub reports: Vec<Report>,
}

impl Peer {
    pub fn new(now: u64) -> Self {
        Self {
            created_ms: now,
            slots: SlotBitmap::empty(),
            slot_count: 0,
            out: OutLink::Down { redial_ms: now },
            inbound: Vec::new(),
            pinged_ms: 0,
            data_ms: 0,
            heard: false,
            was_linked: false,
            refused: None,
            fail_ms: 0,
            orphaned_ms: 0,
            voted_ms: 0,
            voted_for: None,
            offset_ms: 0,
            reports: Vec::new(),
        }
    }

    /// Our link to it, if it works.
    pub fn up(&self) -> Option<LinkId> {
        match self.out {
            OutLink::Up { link, .. } => Some(link),
            _ => None,
        }
    }

    /// Any link over which it can be told something; ours if there is a choice.
    pub fn reach(&self) -> Option<LinkId> {
        self.up().or(self.inbound.last().copied())
    }
}

/// A link, seen from the link.
#[derive(Clone, Debug)]
pub(super) struct LinkState {
    /// Whose it is; an inbound one's is known when its first message has come.
    pub node: Option<slotcore::slot_map::NodeIndex>,
    /// When it was made.
    pub created_ms: u64,
    /// The address of its other end, and of our end if it is inbound; else that is empty.
    pub peer: String,
    pub local: String,
}

//! What nodes say to each other over the cluster bus, decoded. [`super::bus`] turns it into bytes and back.

use std::sync::Arc;

use slotcore::topology::{NodeFlags, NodeId};
use slotcore::{SLOT_COUNT, Slot};

/// A set of slots as the bus carries it: bit `slot % 8`, least significant first, of byte `slot / 8`. A copy shares the
/// bytes until one of the two is changed, since every heartbeat carries one.
#[derive(Clone, PartialEq, Eq)]
pub struct SlotBitmap(Arc<[u8; SLOT_COUNT / 8]>);

impl SlotBitmap {
    /// No slot.
    pub fn empty() -> Self {
        Self(Arc::new([0; SLOT_COUNT / 8]))
    }

    /// From the bytes of a packet.
    pub fn from_bytes(bytes: &[u8; SLOT_COUNT / 8]) -> Self {
        Self(Arc::new(*bytes))
    }

    /// As a packet carries it.
    pub fn as_bytes(&self) -> &[u8; SLOT_COUNT / 8] {
        &self.0
    }

    /// Is the slot in it?
    #[inline]
    pub fn contains(&self, slot: Slot) -> bool {
        self.0[usize::from(slot) / 8] & 1 << (slot % 8) != 0
    }

    /// Adds a slot.
    pub fn insert(&mut self, slot: Slot) {
        Arc::make_mut(&mut self.0)[usize::from(slot) / 8] |= 1 << (slot % 8);
    }

    /// Takes a slot out.
    pub fn remove(&mut self, slot: Slot) {
        Arc::make_mut(&mut self.0)[usize::from(slot) / 8] &= !(1 << (slot % 8));
    }

    /// How many slots are in it.
    pub fn len(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// Whether no slot is in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// The slots, ascending.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.0.iter().enumerate().flat_map(|(at, byte)| {
            (0..8u16)
                .filter(move |bit| byte & 1 << bit != 0)
                .map(move |bit| at as Slot * 8 + bit)
        })
    }
}

impl FromIterator<Slot> for SlotBitmap {
    fn from_iter<T: IntoIterator<Item = Slot>>(slots: T) -> Self {
        let mut bitmap = Self::empty();
        slots.into_iter().for_each(|slot| bitmap.insert(slot));
        bitmap
    }
}

impl std::fmt::Debug for SlotBitmap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SlotBitmap({} slots)", self.len())
    }
}

/// What every message says of its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub sender: NodeId,
    /// What it is, as it sees itself.
    pub flags: NodeFlags,
    /// The largest epoch that it has seen.
    pub current_epoch: u64,
    /// Its configuration epoch; a replica's is its primary's.
    pub config_epoch: u64,
    /// How much of the replication stream it has.
    pub offset: u64,
    /// The slots that it owns, or its primary if it is a replica.
    pub slots: SlotBitmap,
    /// The primary that it copies.
    pub primary: Option<NodeId>,
    /// The address that it announces; empty: the one that its packets come from.
    pub ip: String,
    /// The port for clients.
    pub port: u16,
    /// The port of the bus.
    pub bus_port: u16,
    /// Whether the cluster's state is ok, as it sees it.
    pub cluster_ok: bool,
    /// The sender has paused its clients' writes for a manual failover.
    pub paused: bool,
    /// An election that no primary's failure has to justify: a manual failover.
    pub force_ack: bool,
}

/// One entry of a gossip section: what the sender knows of a third node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gossip {
    /// Of whom.
    pub node: NodeId,
    /// When the ping that waits for its pong was sent, unix time in seconds; 0: none waits.
    pub ping_s: u32,
    /// When the last pong came, unix time in seconds.
    pub pong_s: u32,
    /// Its address.
    pub ip: String,
    /// Its port for clients.
    pub port: u16,
    /// Its port of the bus.
    pub bus_port: u16,
    /// What the sender thinks that it is.
    pub flags: NodeFlags,
}

/// The three messages that carry gossip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    /// Asks for a pong.
    Ping,
    /// Answers a ping or a meet, or announces a change unasked.
    Pong,
    /// A ping of one who wants to be known.
    Meet,
}

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A heartbeat, with gossip and the sender's hostname if it announces one.
    Heartbeat {
        /// Which.
        kind: Heartbeat,
        /// Of other nodes.
        gossip: Vec<Gossip>,
        /// The sender's.
        hostname: Option<String>,
    },
    /// A majority of the primaries holds this node to be down.
    Fail(NodeId),
    /// PUBLISH or SPUBLISH.
    Publish {
        /// SPUBLISH.
        shard: bool,
        /// The channel.
        channel: Vec<u8>,
        /// What is published.
        payload: Vec<u8>,
    },
    /// A replica asks for votes.
    AuthRequest,
    /// A vote.
    AuthAck,
    /// Your knowledge of this node's slots is old.
    Update {
        /// The configuration epoch of the claim.
        config_epoch: u64,
        /// Whose slots.
        node: NodeId,
        /// All of them.
        slots: SlotBitmap,
    },
    /// A replica asks its primary to pause for a manual failover.
    ManualStart,
}

impl Body {
    /// The number of the message's type on the wire.
    pub fn type_number(&self) -> u16 {
        match self {
            Self::Heartbeat { kind, .. } => match kind {
                Heartbeat::Ping => 0,
                Heartbeat::Pong => 1,
                Heartbeat::Meet => 2,
            },
            Self::Fail(_) => 3,
            Self::Publish { shard: false, .. } => 4,
            Self::AuthRequest => 5,
            Self::AuthAck => 6,
            Self::Update { .. } => 7,
            Self::ManualStart => 8,
            Self::Publish { shard: true, .. } => 10,
        }
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Of its sender.
    pub header: Header,
    /// The rest.
    pub body: Body,
}

/// A message to several nodes is made once.
pub type SharedMessage = Arc<Message>;

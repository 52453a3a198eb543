//! What reaches a member.

use std::net::IpAddr;

use crate::cluster::message::Message;
use crate::cluster::publications::Publication;

/// A connection of the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkId {
    /// We dialled it; the member numbers these.
    Out(u64),
    /// A peer dialled us; the bus numbers these.
    In(u64),
}

/// Why a link ended, or never came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Nobody listens there: the host answered, the process did not.
    Refused,
    /// The peer's host reset it, or the peer closed it.
    Reset,
    /// No route, no answer to the dial, or any other error.
    Unreachable,
    /// It had more to send than cluster-link-sendbuf-limit allows.
    Overflow,
    /// The peer sent what is no message of the bus.
    Protocol,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time has passed: nothing else.
    Tick,
    /// A peer dialled us.
    Accepted {
        /// The new link.
        link: LinkId,
        /// Its address.
        peer: IpAddr,
        /// The address by which it reached us.
        local: IpAddr,
    },
    /// A dial has succeeded.
    Connected {
        /// The link that was asked for.
        link: LinkId,
    },
    /// A link has ended, or a dial failed.
    Closed {
        /// Which; nothing more is heard of it.
        link: LinkId,
        /// Why.
        reason: CloseReason,
    },
    /// Clients have published something that other nodes must hear of.
    Published(Vec<Publication>),
    /// A message came in.
    Received {
        /// From where.
        link: LinkId,
        /// Well-formed, but not yet believed.
        message: Message,
    },
}

/// A replica's link to its primary, as replication sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrimaryLink {
    /// We are a primary.
    #[default]
    None,
    /// Never synchronised since we follow this primary.
    Never,
    /// The stream flows; last data at this time (ms).
    Up {
        /// When the last byte came, the member's clock in ms.
        last_io_ms: u64,
    },
    /// Broken since this time (ms); the data is that old.
    Down {
        /// When it broke, the member's clock in ms.
        since_ms: u64,
    },
}

/// What the rest of the node knows and the member needs, read anew for every step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Bytes of the replication stream that we have: written as a primary, applied as a replica.
    pub offset: u64,
    /// The replica's link.
    pub primary_link: PrimaryLink,
}

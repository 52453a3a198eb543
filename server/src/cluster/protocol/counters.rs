//! How many messages of each type came and went, for CLUSTER INFO.

use crate::cluster::message::Body;

/// Messages by type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages sent, by the number of the type on the wire.
    pub sent: [u64; Self::NAMES.len()],
    /// Messages received, in the same way.
    pub received: [u64; Self::NAMES.len()],
}

impl Counters {
    /// The types, as CLUSTER INFO names them; the place is the type's number on the wire.
    pub const NAMES: [&'static str; 11] = [
        "ping",
        "pong",
        "meet",
        "fail",
        "publish",
        "auth-req",
        "auth-ack",
        "update",
        "mfstart",
        "module",
        "publishshard",
    ];

    pub(super) fn count_sent(&mut self, body: &Body) {
        self.sent[usize::from(body.type_number())] += 1;
    }

    pub(super) fn count_received(&mut self, body: &Body) {
        self.received[usize::from(body.type_number())] += 1;
    }
}

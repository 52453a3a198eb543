//! What clients publish here and other nodes must hear of, on its way to the bus thread.
//!
//! A publisher leaves its message here and goes on: it waits neither for the rules of the cluster nor for nodes.conf.

use parking_lot::Mutex;

use super::bus::codec::{HEADER_LEN, MAX_FRAME};

/// Beyond so many bytes that wait for the bus, publishers should wait as well.
const FULL_BYTES: usize = 16 << 20;
/// Bytes of channel and payload that fit into one message.
const MAX_BYTES: usize = MAX_FRAME - HEADER_LEN - 8;

/// PUBLISH or SPUBLISH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// SPUBLISH: to the nodes of our shard only.
    pub shard: bool,
    /// The channel.
    pub channel: Vec<u8>,
    /// What is published.
    pub payload: Vec<u8>,
}

/// Why a message is not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Other nodes would end the link that it comes by.
    #[error("a channel and its message may have {MAX_BYTES} bytes in a cluster")]
    TooLong,
}

#[derive(Debug, Default)]
struct Waiting {
    list: Vec<Publication>,
    bytes: usize,
}

/// Messages that the bus thread has not taken yet, in their order.
#[derive(Debug, Default)]
pub(super) struct Publications(Mutex<Waiting>);

impl Publications {
    /// Adds one. Returns whether the publisher should wait before it goes on.
    pub fn push(&self, shard: bool, channel: &[u8], payload: &[u8]) -> bool {
        let publication = Publication {
            shard,
            channel: channel.into(),
            payload: payload.into(),
        };
        let mut waiting = self.0.lock();
        waiting.bytes += channel.len() + payload.len() + size_of::<Publication>();
        waiting.list.push(publication);
        waiting.bytes > FULL_BYTES
    }

    /// Should publishers wait?
    pub fn is_full(&self) -> bool {
        self.0.lock().bytes > FULL_BYTES
    }

    /// All of them.
    pub fn take(&self) -> Vec<Publication> {
        std::mem::take(&mut *self.0.lock()).list
    }
}

/// Does it fit into a message of the bus?
pub(super) fn check_length(channel: &[u8], payload: &[u8]) -> Result<(), PublishError> {
    match channel.len().saturating_add(payload.len()) <= MAX_BYTES {
        true => Ok(()),
        false => Err(PublishError::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::bus::codec;
    use crate::cluster::message::{Body, Header, Message, SlotBitmap};
    use slotcore::topology::{NodeFlags, NodeId};

    #[test]
    fn what_waits_is_taken_in_order_and_makes_room() {
        let publications = Publications::default();
        assert!(!publications.push(false, b"a", b"1"));
        assert!(publications.push(true, b"b", &vec![b'x'; FULL_BYTES]));
        assert!(publications.is_full());
        let taken = publications.take();
        assert_eq!((taken.len(), taken[0].channel.as_slice()), (2, &b"a"[..]));
        assert!(taken[1].shard && !publications.is_full() && publications.take().is_empty());
    }

    #[test]
    fn the_longest_message_is_one_that_peers_take() {
        let payload = vec![0; MAX_BYTES - 2];
        assert_eq!(check_length(b"ch", &payload), Ok(()));
        assert_eq!(check_length(b"cha", &payload), Err(PublishError::TooLong));
        let mut frame = Vec::new();
        let header = Header {
            sender: NodeId::from_random([1; 20]),
            flags: NodeFlags::MYSELF,
            current_epoch: 0,
            config_epoch: 0,
            offset: 0,
            slots: SlotBitmap::empty(),
            primary: None,
            ip: String::new(),
            port: 0,
            bus_port: 0,
            cluster_ok: true,
            paused: false,
            force_ack: false,
        };
        let body = Body::Publish {
            shard: false,
            channel: b"ch".to_vec(),
            payload,
        };
        codec::encode(&Message { header, body }, &mut frame);
        assert_eq!(codec::frame_len(&frame), Ok(Some(MAX_FRAME)));
    }
}

//! What clients publish goes to all nodes, or to those of our shard.

use slotcore::slot_map::NodeIndex;
use slotcore::topology::NodeFlags;

use super::member::Member;
use super::turn::Turn;
use crate::cluster::message::{Body, Message, SharedMessage};
use crate::cluster::publications::Publication;

impl Member {
    /// Sends what was published, in its order.
    pub(super) fn publish(&mut self, turn: &mut Turn<'_>, publications: Vec<Publication>) {
        let header = self.header(turn);
        let all: Vec<NodeIndex> = self.known().collect();
        let shard = self.shard_mates();
        for publication in publications {
            let nodes = if publication.shard { &shard } else { &all };
            let message = SharedMessage::new(Message {
                header: header.clone(),
                body: Body::Publish {
                    shard: publication.shard,
                    channel: publication.channel,
                    payload: publication.payload,
                },
            });
            for index in nodes {
                self.send_to(turn, *index, message.clone());
            }
        }
    }

    /// The other nodes of our shard.
    fn shard_mates(&self) -> Vec<NodeIndex> {
        let primary = self.data.my_shard();
        std::iter::once(primary)
            .chain(self.replicas_of(primary))
            .filter(|index| *index != self.data.myself && !self.flags(*index).contains(NodeFlags::HANDSHAKE))
            .collect()
    }
}

//! What a member wants done. The host carries it out in the order of the fields of [`Effects`].

use slotcore::Slot;
use slotcore::topology::NodeId;

use super::input::LinkId;
use crate::cluster::message::SharedMessage;
use crate::log::Level;

/// Whether nodes.conf must be written, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Save {
    /// Nothing that it holds has changed.
    #[default]
    No,
    /// Written soon; a crash may lose it.
    Lazy,
    /// On the disk before anything else of these effects happens: a vote, an epoch, a claim.
    Synced,
}

/// The data side changes its role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleChange {
    /// Copy this primary (also: it has another address now).
    Follow {
        /// Its name.
        id: NodeId,
        /// Its address.
        host: String,
        /// Its client port.
        port: u16,
    },
    /// Be a primary with the data that is here.
    Promote,
}

/// A connection to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dial {
    /// The name that the link will have.
    pub link: LinkId,
    /// Where to.
    pub ip: String,
    /// The bus port.
    pub port: u16,
}

/// What one step wants done.
#[derive(Debug, Default)]
pub struct Effects {
    /// Lines for the log.
    pub log: Vec<(Level, String)>,
    /// nodes.conf. If a synced save fails, nothing that follows may happen.
    pub save: Save,
    /// The data side's role.
    pub role: Option<RoleChange>,
    /// The data has changed in a way that clients can see: make a new view of it.
    pub publish: bool,
    /// Hold back clients' writes until this time (ms), so that the offset stands still; `Some(0)` ends it. The member
    /// tells nobody that it has paused before the next [`Member::step`](super::Member::step), when the offset is final:
    /// the host must have carried this out by then.
    pub pause_writes_until: Option<u64>,
    /// Slots that are no longer ours while we stay a primary: their keys go.
    pub drop_keys: Vec<Slot>,
    /// Messages published by other nodes for the subscribers here: shard, channel, payload.
    pub deliver: Vec<(bool, Vec<u8>, Vec<u8>)>,
    /// Links to end. Nothing more is heard of them.
    pub close: Vec<LinkId>,
    /// Links to make.
    pub dial: Vec<Dial>,
    /// Messages, in order. One for a link that is gone is dropped.
    pub send: Vec<(LinkId, SharedMessage)>,
}

impl Effects {
    /// Whether anything is left to do once the log, the file and the view have their part.
    pub fn has_orders(&self) -> bool {
        self.role.is_some()
            || self.pause_writes_until.is_some()
            || !(self.drop_keys.is_empty()
                && self.deliver.is_empty()
                && self.close.is_empty()
                && self.dial.is_empty()
                && self.send.is_empty())
    }
}

//! One connection that listens: its subscriptions, and its mailbox.
//!
//! Publishers put frames into the mailbox and never touch the socket; the connection's own task takes them out when the
//! socket takes them. What waits there counts towards the client's output limit, and a client that passes the hard one
//! loses its mailbox at once, so that nobody holds memory for it until its task has run.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use slotcore::resp::Proto;

use super::frame::Frame;
use super::outcome::Outcome;
use crate::admin::clients::ClientShared;

/// What one can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SUBSCRIBE.
    Channel,
    /// PSUBSCRIBE.
    Pattern,
    /// SSUBSCRIBE.
    Shard,
}

/// A connection as publishers see it.
#[derive(Debug)]
pub struct Subscriber {
    client: Arc<ClientShared>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By [`Kind`].
    names: [HashSet<Arc<[u8]>>; 3],
    mailbox: VecDeque<Frame>,
    /// It was too slow, or is gone: nothing is kept for it.
    closed: bool,
}

impl Subscriber {
    /// One that listens to nothing yet.
    pub fn new(client: Arc<ClientShared>) -> Arc<Self> {
        Arc::new(Self {
            client,
            inner: Mutex::default(),
        })
    }

    /// The connection's number.
    pub fn id(&self) -> u64 {
        self.client.id()
    }

    /// The connection.
    pub fn client(&self) -> &Arc<ClientShared> {
        &self.client
    }

    /// Is it subscribed to anything?
    #[inline]
    pub fn is_subscribed(&self) -> bool {
        self.client.subscription_count() > 0
    }

    /// Takes note of a subscription; false if it was there.
    pub(super) fn insert(&self, kind: Kind, name: &Arc<[u8]>) -> bool {
        let mut inner = self.inner.lock();
        let is_new = inner.names[kind as usize].insert(name.clone());
        self.show(&inner);
        is_new
    }

    /// Forgets a subscription; false if there was none.
    pub(super) fn remove(&self, kind: Kind, name: &[u8]) -> bool {
        let mut inner = self.inner.lock();
        let was_there = inner.names[kind as usize].remove(name);
        self.show(&inner);
        was_there
    }

    /// Is it subscribed to this?
    pub fn has(&self, kind: Kind, name: &[u8]) -> bool {
        self.inner.lock().names[kind as usize].contains(name)
    }

    /// All subscriptions of a kind.
    pub fn names(&self, kind: Kind) -> Vec<Arc<[u8]>> {
        self.inner.lock().names[kind as usize].iter().cloned().collect()
    }

    /// What the confirmation of a subscription of this kind says: how many there are. Channels and patterns are counted
    /// together.
    pub fn count(&self, kind: Kind) -> usize {
        let inner = self.inner.lock();
        match kind {
            Kind::Shard => inner.names[Kind::Shard as usize].len(),
            Kind::Channel | Kind::Pattern => {
                inner.names[Kind::Channel as usize].len() + inner.names[Kind::Pattern as usize].len()
            }
        }
    }

    fn show(&self, inner: &Inner) {
        let [channels, patterns, shards] = [0, 1, 2].map(|kind| inner.names[kind].len() as u32);
        self.client.set_subscriptions(channels, patterns, shards);
    }

    /// Puts a frame into the mailbox. `hard_limit` is in bytes; 0: none.
    pub fn push(&self, frame: Frame, hard_limit: u64, outcome: &mut Outcome) {
        let mut inner = self.inner.lock();
        if inner.closed {
            return;
        }
        let unread = self.client.queue(frame.cost());
        if hard_limit > 0 && unread as u64 >= hard_limit {
            // For as long as the connection is not gone, its line in CLIENT LIST says why.
            inner.closed = true;
            inner.mailbox = VecDeque::new();
            drop(inner);
            outcome.end(&self.client);
            return;
        }
        if inner.mailbox.is_empty() {
            outcome.wake(&self.client);
        }
        inner.mailbox.push_back(frame);
    }

    /// Moves all frames behind those of `taken`. They still count as unread until [`Subscriber::sent`] says otherwise.
    pub fn take(&self, taken: &mut VecDeque<Frame>) {
        let mut inner = self.inner.lock();
        if taken.is_empty() {
            std::mem::swap(&mut inner.mailbox, taken);
        } else {
            taken.append(&mut inner.mailbox);
        }
        inner.mailbox.shrink_to(KEPT_FRAMES);
    }

    /// Is anything in the mailbox?
    pub fn has_mail(&self) -> bool {
        self.client.queued() > 0 && !self.inner.lock().mailbox.is_empty()
    }

    /// A frame is the socket's now.
    pub fn sent(&self, frame: &Frame) {
        self.client.unqueue(frame.cost());
    }

    /// Writes all frames behind the replies in `out`.
    pub fn flush(&self, proto: Proto, out: &mut Vec<u8>) {
        if self.client.queued() == 0 {
            return;
        }
        let mut frames = VecDeque::new();
        self.take(&mut frames);
        for frame in &frames {
            frame.write(proto, out);
            self.sent(frame);
        }
    }

    /// The connection is gone: nothing is kept for it any more.
    pub(super) fn close(&self) {
        let mut inner = self.inner.lock();
        inner.closed = true;
        inner.mailbox = VecDeque::new();
    }
}

/// Places of a mailbox that stay when it is empty.
const KEPT_FRAMES: usize = 64;

//! Names and who listens to them, in parts with a lock each, so that publishers to different channels do not meet.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use slotcore::topology::NodeId;

use super::subscriber::Subscriber;

const PARTS: usize = 64;

/// A channel that somebody listens to.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// By the number of the connection.
    pub listeners: BTreeMap<u64, Arc<Subscriber>>,
    /// Who owned a shard channel's slot when it was subscribed to.
    pub owner: Option<NodeId>,
}

pub(super) type Part = HashMap<Arc<[u8]>, Channel>;

/// Channels by name. One without listeners is not kept.
#[derive(Debug)]
pub(super) struct Channels {
    parts: Vec<Mutex<Part>>,
    hasher: RandomState,
    count: AtomicUsize,
}

impl Default for Channels {
    fn default() -> Self {
        Self {
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            count: AtomicUsize::new(0),
        }
    }
}

impl Channels {
    /// How many there are. Whoever has seen a subscription confirmed finds it counted.
    #[inline]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Locks the part of a name.
    pub fn part(&self, name: &[u8]) -> MutexGuard<'_, Part> {
        self.parts[self.hasher.hash_one(name) as usize % PARTS].lock()
    }

    /// Adds a listener.
    pub fn add(
        &self,
        part: &mut Part,
        name: &Arc<[u8]>,
        owner: Option<NodeId>,
        subscriber: &Arc<Subscriber>,
    ) {
        let channel = part.entry(name.clone()).or_insert_with(|| {
            self.count.fetch_add(1, Ordering::Release);
            Channel {
                owner,
                ..Channel::default()
            }
        });
        channel.listeners.insert(subscriber.id(), subscriber.clone());
    }

    /// Takes a listener out, and the channel with its last one.
    pub fn remove(&self, part: &mut Part, name: &[u8], subscriber: &Subscriber) {
        let Some(channel) = part.get_mut(name) else {
            return;
        };
        channel.listeners.remove(&subscriber.id());
        if channel.listeners.is_empty() {
            part.remove(name);
            self.forget_one(part);
        }
    }

    /// A channel was taken out of this part.
    pub fn forget_one(&self, part: &mut Part) {
        self.count.fetch_sub(1, Ordering::Release);
        if part.len() < part.capacity() / 8 {
            part.shrink_to_fit();
        }
    }

    /// All parts, one after the other.
    pub fn parts(&self) -> impl Iterator<Item = MutexGuard<'_, Part>> {
        self.parts.iter().map(|part| part.lock())
    }
}

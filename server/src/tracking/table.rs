//! All connections that track, and what they are told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use parking_lot::RwLock;
use slotcore::resp::{Proto, encode_bulk, encode_header};
use slotcore::{SLOT_COUNT, Slot};

use super::mode::Mode;
use crate::admin::clients::{ClientRegistry, ClientShared};
use crate::config::Config;
use crate::keyspace::{Forgotten, Keyspace, Stale};
use crate::pubsub::{Frame, Outcome, Registry};

/// Words of slots that may have tracked keys.
const WORDS: usize = SLOT_COUNT / 64;

/// A connection that tracks, as others see it.
#[derive(Debug)]
struct Tracker {
    client: Arc<ClientShared>,
    mode: Mode,
}

#[derive(Debug, Default)]
struct Trackers {
    by_id: BTreeMap<u64, Arc<Tracker>>,
    /// Who listens to which prefix.
    by_prefix: BTreeMap<Arc<[u8]>, BTreeMap<u64, Arc<Tracker>>>,
}

/// What every command looks at: a cache line of its own, so that it stays with all workers.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Active(AtomicBool);

/// Who tracks what.
#[derive(Debug)]
pub struct Tracking {
    /// Somebody tracks.
    active: Active,
    /// Connections with BCAST.
    broadcasts: AtomicUsize,
    trackers: RwLock<Trackers>,
    keys: AtomicUsize,
    items: AtomicUsize,
    max_keys: AtomicU64,
    /// Slots that may have tracked keys.
    slots: Box<[AtomicU64]>,
    /// Where the search for a key to forget begins.
    hand: AtomicUsize,
}

impl Default for Tracking {
    fn default() -> Self {
        Self {
            active: Active::default(),
            broadcasts: AtomicUsize::new(0),
            trackers: RwLock::default(),
            keys: AtomicUsize::new(0),
            items: AtomicUsize::new(0),
            max_keys: AtomicU64::new(0),
            slots: (0..WORDS).map(|_| AtomicU64::new(0)).collect(),
            hand: AtomicUsize::new(0),
        }
    }
}

/// What somebody is told.
enum News<'a> {
    Keys(&'a [&'a [u8]]),
    Flushed,
}

impl Tracking {
    /// Takes over tracking-table-max-keys.
    pub fn configure(&self, config: &Config) {
        self.max_keys.store(config.tracking_table_max_keys, Relaxed);
    }

    /// Does anybody track?
    #[inline]
    pub fn is_active(&self) -> bool {
        self.active.0.load(Relaxed)
    }

    /// Must slots report every change?
    pub fn wants_reports(&self) -> bool {
        self.broadcasts.load(Relaxed) > 0
    }

    /// How many connections track.
    pub fn clients(&self) -> usize {
        self.trackers.read().by_id.len()
    }

    /// Keys that are remembered to have been read, by how many readers in sum, and prefixes.
    pub fn sizes(&self) -> [usize; 3] {
        let prefixes = self.trackers.read().by_prefix.len();
        [self.keys.load(Relaxed), self.items.load(Relaxed), prefixes]
    }

    /// A connection tracks from now on, or in another way. Returns whether slots must now report, and did not before.
    pub fn begin(&self, client: &Arc<ClientShared>, mode: Mode) -> bool {
        let mut trackers = self.trackers.write();
        let before = self.wants_reports();
        remove(&mut trackers, client.id());
        let tracker = Arc::new(Tracker {
            client: client.clone(),
            mode,
        });
        for prefix in &tracker.mode.prefixes {
            let listeners = trackers.by_prefix.entry(prefix.clone()).or_default();
            listeners.insert(client.id(), tracker.clone());
        }
        trackers.by_id.insert(client.id(), tracker);
        self.count(&trackers);
        !before && self.wants_reports()
    }

    /// A connection tracks no more. Returns whether slots need no longer report.
    pub fn end(&self, id: u64) -> bool {
        let mut trackers = self.trackers.write();
        let before = self.wants_reports();
        remove(&mut trackers, id);
        self.count(&trackers);
        before && !self.wants_reports()
    }

    fn count(&self, trackers: &Trackers) {
        let broadcasts = trackers.by_id.values().filter(|tracker| tracker.mode.bcast);
        self.broadcasts.store(broadcasts.count(), Relaxed);
        // Keys may be remembered for those who have gone. When they change, the slots' locks see to it.
        self.active.0.store(!trackers.by_id.is_empty(), Relaxed);
    }

    /// Tells a connection's number beside a key that it has read. The caller holds the key's slot.
    pub fn remembered(&self, slot: Slot, added: Forgotten) {
        self.keys.fetch_add(added.keys, Relaxed);
        self.items.fetch_add(added.items, Relaxed);
        let (word, bit) = (usize::from(slot) / 64, 1 << (slot % 64));
        if added.keys > 0 && self.slots[word].load(Relaxed) & bit == 0 {
            self.slots[word].fetch_or(bit, Relaxed);
        }
    }

    fn forgot(&self, keys: usize, items: usize) {
        self.keys.fetch_sub(keys, Relaxed);
        self.items.fetch_sub(items, Relaxed);
    }

    /// Tells all whom it concerns of changed keys. `origin` is the connection that has changed them.
    pub fn tell(&self, clients: &ClientRegistry, registry: &Registry, stale: &[Stale], origin: Option<u64>) {
        let keys = stale.iter().filter(|stale| !stale.readers.is_empty()).count();
        self.forgot(keys, stale.iter().map(|stale| stale.readers.len()).sum());
        let mut outcome = Outcome::default();
        let trackers = self.trackers.read();
        for Stale {
            key,
            readers,
            by_itself,
        } in stale
        {
            for id in readers {
                if let Some(tracker) = trackers.by_id.get(id)
                    && !tracker.mode.bcast
                    && !(tracker.mode.noloop && origin == Some(*id) && !by_itself)
                {
                    send(clients, registry, tracker, &News::Keys(&[key]), &mut outcome);
                }
            }
        }
        for (prefix, listeners) in &trackers.by_prefix {
            let under = |stale: &&Stale| stale.key.starts_with(prefix);
            let mut found: Vec<(&[u8], bool)> = stale
                .iter()
                .filter(under)
                .map(|stale| (&*stale.key, stale.by_itself))
                .collect();
            found.sort_unstable();
            found.dedup_by_key(|(key, _)| *key);
            for tracker in listeners.values() {
                let own = tracker.mode.noloop && origin == Some(tracker.client.id());
                let told = found.iter().filter(|(_, by_itself)| !own || *by_itself);
                let told: Vec<&[u8]> = told.map(|(key, _)| *key).collect();
                if !told.is_empty() {
                    send(clients, registry, tracker, &News::Keys(&told), &mut outcome);
                }
            }
        }
    }

    /// All keys have gone: everybody who tracks is told.
    pub fn tell_flushed(&self, clients: &ClientRegistry, registry: &Registry, forgotten: Forgotten) {
        self.forgot(forgotten.keys, forgotten.items);
        let mut outcome = Outcome::default();
        for tracker in self.trackers.read().by_id.values() {
            send(clients, registry, tracker, &News::Flushed, &mut outcome);
        }
    }

    /// Are more keys remembered than may be?
    pub fn is_over_limit(&self) -> bool {
        let max = self.max_keys.load(Relaxed);
        max > 0 && self.keys.load(Relaxed) as u64 > max
    }

    /// Forgets keys until no more are remembered than may be; their readers are told that they have changed. The caller
    /// holds no slot.
    pub fn enforce_limit(&self, keyspace: &Keyspace, clients: &ClientRegistry, registry: &Registry) {
        while self.is_over_limit() {
            let Some(slot) = self.next_slot() else { return };
            let stale = keyspace.lock(slot).evict_tracked();
            match stale {
                Some(stale) => self.tell_readers(clients, registry, &stale),
                None => {
                    self.slots[usize::from(slot) / 64].fetch_and(!(1 << (slot % 64)), Relaxed);
                }
            }
        }
    }

    /// The key is as it was: nobody but its readers needs to hear of it.
    fn tell_readers(&self, clients: &ClientRegistry, registry: &Registry, stale: &Stale) {
        self.forgot(1, stale.readers.len());
        let mut outcome = Outcome::default();
        let trackers = self.trackers.read();
        let readers = stale.readers.iter().filter_map(|id| trackers.by_id.get(id));
        for tracker in readers.filter(|tracker| !tracker.mode.bcast) {
            send(
                clients,
                registry,
                tracker,
                &News::Keys(&[&stale.key]),
                &mut outcome,
            );
        }
    }

    /// The next slot that may have tracked keys. Takes turns among them.
    fn next_slot(&self) -> Option<Slot> {
        let first = self.hand.fetch_add(1, Relaxed);
        (0..WORDS).find_map(|step| {
            let word = (first + step) % WORDS;
            let bits = self.slots[word].load(Relaxed);
            (bits != 0).then(|| (word * 64) as Slot + bits.trailing_zeros() as Slot)
        })
    }
}

fn remove(trackers: &mut Trackers, id: u64) {
    let Some(tracker) = trackers.by_id.remove(&id) else {
        return;
    };
    for prefix in &tracker.mode.prefixes {
        if let Some(listeners) = trackers.by_prefix.get_mut(prefix) {
            listeners.remove(&id);
            if listeners.is_empty() {
                trackers.by_prefix.remove(prefix);
            }
        }
    }
}

/// Puts the news into the mailbox of the tracker, or of the connection that it has named in its place.
fn send(
    clients: &ClientRegistry,
    registry: &Registry,
    tracker: &Tracker,
    news: &News<'_>,
    outcome: &mut Outcome,
) {
    let named = match tracker.mode.redirect {
        None => None,
        Some(id) => match clients.get(id) {
            Some(client) => Some(client),
            None => return tell_broken(registry, tracker, id, outcome),
        },
    };
    let client = named.as_ref().unwrap_or(&tracker.client);
    let proto = client.proto();
    let head: &'static [u8] = match proto {
        Proto::Resp3 => b"2\r\n$10\r\ninvalidate\r\n",
        Proto::Resp2 if named.is_some() && client.subscription_count() > 0 => {
            b"3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"
        }
        // Without push messages there is no way to tell it.
        Proto::Resp2 => return,
    };
    let mut tail = Vec::new();
    match (news, proto) {
        (News::Flushed, Proto::Resp2) => tail.extend_from_slice(b"$-1\r\n"),
        (News::Flushed, Proto::Resp3) => tail.extend_from_slice(b"_\r\n"),
        (News::Keys(keys), _) => {
            encode_header(&mut tail, keys.len());
            keys.iter().for_each(|key| encode_bulk(&mut tail, key));
        }
    }
    push(registry, client, Frame::fixed(head, tail.into()), outcome);
}

/// The connection that was named is gone.
fn tell_broken(registry: &Registry, tracker: &Tracker, id: u64, outcome: &mut Outcome) {
    tracker.client.set_broken_redirect(true);
    if tracker.client.proto() == Proto::Resp3 {
        let tail = format!(":{id}\r\n").into_bytes();
        let frame = Frame::fixed(b"2\r\n$21\r\ntracking-redir-broken\r\n", tail.into());
        push(registry, &tracker.client, frame, outcome);
    }
}

fn push(registry: &Registry, client: &Arc<ClientShared>, frame: Frame, outcome: &mut Outcome) {
    if let Some(subscriber) = client.listen() {
        let limit = registry.hard_limit(&subscriber);
        subscriber.push(frame, limit, outcome);
    }
}

//! Who copies this node: what INFO, ROLE and CLIENT LIST tell of replicas, and how many have acknowledged what.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::admin::clients::ClientShared;

/// How far a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReplicaPhase {
    /// Its copy is not ready yet.
    Waiting,
    /// A full copy is on its way.
    Sending,
    /// It gets the stream.
    Online,
}

impl ReplicaPhase {
    /// The word in INFO.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "wait_bgsave",
            Self::Sending => "send_bulk",
            Self::Online => "online",
        }
    }
}

/// One replica.
#[derive(Debug)]
pub struct Replica {
    /// Its connection.
    pub client: Arc<ClientShared>,
    /// The address under which it serves clients.
    pub ip: String,
    /// The port under which it serves clients; 0: not told.
    pub port: u16,
    phase: AtomicU8,
    acked: AtomicU64,
    /// It has acknowledged something: what it was sent before is loaded.
    has_acked: AtomicBool,
    /// When it was last heard of, unix milliseconds.
    acked_ms: AtomicU64,
}

impl Replica {
    /// One that has just asked for the stream.
    pub fn new(client: Arc<ClientShared>, ip: String, port: u16, now_ms: u64) -> Self {
        Self {
            client,
            ip,
            port,
            phase: AtomicU8::new(ReplicaPhase::Waiting as u8),
            acked: AtomicU64::new(0),
            has_acked: AtomicBool::new(false),
            acked_ms: AtomicU64::new(now_ms),
        }
    }

    /// How far it is.
    pub fn phase(&self) -> ReplicaPhase {
        match self.phase.load(Relaxed) {
            0 => ReplicaPhase::Waiting,
            1 => ReplicaPhase::Sending,
            _ => ReplicaPhase::Online,
        }
    }

    /// Whether it gets the stream.
    pub fn is_online(&self) -> bool {
        self.phase() == ReplicaPhase::Online
    }

    /// The offset that it has acknowledged.
    pub fn acked(&self) -> u64 {
        self.acked.load(Relaxed)
    }

    /// Whether it holds the stream up to this offset. One that has been sent a copy and has not acknowledged anything
    /// since may not even have loaded it.
    fn holds(&self, offset: u64) -> bool {
        self.is_online() && self.has_acked.load(Relaxed) && self.acked() >= offset
    }

    /// Seconds since it was heard of.
    pub fn lag_s(&self, now_ms: u64) -> u64 {
        // Whole seconds on both sides, as stock counts: a lag of 0 means within this second.
        (now_ms / 1000).saturating_sub(self.acked_ms.load(Relaxed) / 1000)
    }

    /// It has said something: while it loads, that is empty lines.
    pub fn heard(&self, now_ms: u64) {
        self.acked_ms.store(now_ms, Relaxed);
    }

    /// It is further now.
    pub fn set_phase(&self, phase: ReplicaPhase, now_ms: u64) {
        self.phase.store(phase as u8, Relaxed);
        self.acked_ms.store(now_ms, Relaxed);
    }
}

/// A connection in WAIT.
#[derive(Debug)]
struct Waiter {
    client: Arc<ClientShared>,
    offset: u64,
    count: usize,
}

/// All replicas.
#[derive(Debug, Default)]
pub struct Replicas {
    list: Mutex<Vec<Arc<Replica>>>,
    waiters: Mutex<Vec<Waiter>>,
    /// Those of `min-replicas-to-write`: online, and heard of within `min-replicas-max-lag`.
    good: AtomicUsize,
    /// Connections that have said that they are a replica, and have not yet asked for the stream.
    coming: AtomicUsize,
    /// What was done for replicas.
    pub syncs: Syncs,
}

/// What INFO stats counts of replication.
#[derive(Debug, Default)]
pub struct Syncs {
    full: AtomicU64,
    partial_ok: AtomicU64,
    partial_err: AtomicU64,
    sent_bytes: AtomicU64,
}

impl Syncs {
    /// A replica needs a full copy.
    pub fn full(&self) {
        self.full.fetch_add(1, Relaxed);
    }

    /// A replica goes on where it was.
    pub fn partial_ok(&self) {
        self.partial_ok.fetch_add(1, Relaxed);
    }

    /// A replica wanted to, and cannot.
    pub fn partial_err(&self) {
        self.partial_err.fetch_add(1, Relaxed);
    }

    /// So many bytes went to a replica.
    pub fn sent(&self, bytes: usize) {
        self.sent_bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// Full copies, resumed streams, refused resumptions, bytes.
    pub fn counts(&self) -> [u64; 4] {
        self.all().map(|count| count.load(Relaxed))
    }

    /// CONFIG RESETSTAT.
    pub fn reset(&self) {
        self.all().iter().for_each(|count| count.store(0, Relaxed));
    }

    fn all(&self) -> [&AtomicU64; 4] {
        [&self.full, &self.partial_ok, &self.partial_err, &self.sent_bytes]
    }
}

impl Replicas {
    /// All of them, in the order in which they came.
    pub fn all(&self) -> Vec<Arc<Replica>> {
        self.list.lock().clone()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.lock().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes one up.
    pub fn add(&self, replica: Arc<Replica>) {
        self.list.lock().push(replica);
    }

    /// Forgets one.
    pub fn remove(&self, replica: &Arc<Replica>) {
        self.list.lock().retain(|known| !Arc::ptr_eq(known, replica));
    }

    /// A replica has acknowledged this offset: whoever waited for it is woken.
    pub fn ack(&self, replica: &Replica, offset: u64) {
        replica.has_acked.store(true, Relaxed);
        replica.acked.fetch_max(offset, Relaxed);
        self.wake_waiters();
    }

    /// How many online replicas have acknowledged this offset.
    pub fn acked(&self, offset: u64) -> usize {
        self.list
            .lock()
            .iter()
            .filter(|replica| replica.holds(offset))
            .count()
    }

    /// Counts the good ones anew.
    pub fn count_good(&self, now_ms: u64, max_lag_s: u64) {
        let good = self
            .list
            .lock()
            .iter()
            .filter(|replica| replica.is_online() && replica.lag_s(now_ms) <= max_lag_s)
            .count();
        self.good.store(good, Relaxed);
    }

    /// How many are good, as of the last count.
    pub fn good(&self) -> usize {
        self.good.load(Relaxed)
    }

    /// A connection has said that it is a replica (`true`), or has asked for the stream or ended (`false`).
    pub fn announce(&self, coming: bool) {
        if coming {
            self.coming.fetch_add(1, Relaxed);
        } else {
            self.coming.fetch_sub(1, Relaxed);
        }
    }

    /// How many will ask for the stream soon.
    pub fn coming(&self) -> usize {
        self.coming.load(Relaxed)
    }

    /// This connection wants to be woken when `count` replicas have acknowledged `offset`.
    pub fn wait_for(&self, client: Arc<ClientShared>, offset: u64, count: usize) {
        self.waiters.lock().push(Waiter {
            client,
            offset,
            count,
        });
    }

    /// This connection waits no more.
    pub fn forget_waiter(&self, client: &Arc<ClientShared>) {
        self.waiters
            .lock()
            .retain(|waiter| !Arc::ptr_eq(&waiter.client, client));
    }

    fn wake_waiters(&self) {
        let mut waiters = self.waiters.lock();
        if waiters.is_empty() {
            return;
        }
        let replicas = self.list.lock();
        waiters.retain(|waiter| {
            let enough = replicas
                .iter()
                .filter(|replica| replica.holds(waiter.offset))
                .count()
                >= waiter.count;
            if enough {
                waiter.client.wake();
            }
            !enough
        });
    }
}

//! Replication: the stream of effects, its history, and both ends of it.
//!
//! ```text
//!  a client's write ─ gate ─► runs under its slot's lock ─ effect ─► Log ─┬─► feed of replica 1      primary/
//!  our primary's stream ─► applied by the link's thread ─ raw bytes ─►    └─► feed of replica 2
//! ```
//!
//! [`log`] is the stream, [`history`] its names; [`gate`] is what a write looks at; [`effect`] turns what a command did
//! into what the stream says; [`role`] and this file change the role; [`link`] is what is known of our primary;
//! [`replicas`] who copies us, and WAIT; [`primary`] serves them, and
//! [`replica`] copies another node.
//!
//! Locks are taken in this order: `change`, `apply_lock`, slots, the member of the cluster, the log.

pub mod effect;
mod gate;
mod history;
mod link;
mod log;
pub mod primary;
pub mod replica;
mod replicas;
mod role;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::cluster::protocol::PrimaryLink;
use crate::keyspace::{Departure, Mode};
use crate::log as journal;
use crate::node::Node;

pub use gate::Gate;
pub use history::History;
pub use link::{LinkPhase, LinkState};
pub use log::{Backlog, Gone, Log, ReaderId};
pub use replicas::{Replica, ReplicaPhase, Replicas};
pub use role::{Following, Role};

/// All that the node knows of replication.
#[derive(Debug)]
pub struct Replication {
    /// The stream.
    pub log: Log,
    /// What every write looks at.
    pub gate: Gate,
    /// The link to our primary.
    pub link: LinkState,
    /// Held by the link's thread while it applies a chunk of the stream and appends it to the log; taken by whoever
    /// needs both at one moment.
    pub apply_lock: Mutex<()>,
    /// Who copies us.
    pub replicas: Replicas,
    /// One change of role at a time.
    change: Mutex<()>,
    following: Mutex<Option<Following>>,
    generation: AtomicU64,
    changes: watch::Sender<u64>,
    feeder: OnceLock<primary::Feeder>,
}

impl Default for Replication {
    fn default() -> Self {
        Self {
            log: Log::default(),
            gate: Gate::default(),
            link: LinkState::default(),
            apply_lock: Mutex::new(()),
            replicas: Replicas::default(),
            change: Mutex::new(()),
            following: Mutex::new(None),
            generation: AtomicU64::new(0),
            changes: watch::Sender::new(0),
            feeder: OnceLock::new(),
        }
    }
}

impl Replication {
    /// What the node is.
    pub fn role(&self) -> Role {
        match self.following() {
            None => Role::Primary,
            Some(Following { host, port, .. }) => Role::Replica { host, port },
        }
    }

    /// Is the node a replica? One load.
    #[inline]
    pub fn is_replica(&self) -> bool {
        self.gate.is_replica()
    }

    /// Whom it copies.
    pub fn following(&self) -> Option<Following> {
        self.following.lock().clone()
    }

    /// The number of role changes so far.
    pub fn generation(&self) -> u64 {
        self.generation.load(SeqCst)
    }

    /// Wakes at every change of the role.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Bytes received from primaries and sent to replicas, since the start or CONFIG RESETSTAT.
    pub fn net_bytes(&self) -> [u64; 2] {
        let [.., sent] = self.replicas.syncs.counts();
        [self.link.received.load(Relaxed), sent]
    }

    /// Bytes of the stream: written as a primary, applied as a replica.
    pub fn offset(&self) -> u64 {
        self.log.end()
    }

    /// Names of the stream.
    pub fn history(&self) -> History {
        self.log.history()
    }

    /// The link to the primary, as the cluster's rules see it.
    pub fn link_facts(&self) -> PrimaryLink {
        if self.is_replica() {
            self.link.facts()
        } else {
            PrimaryLink::None
        }
    }

    /// Takes up the role that the configuration gives the node at its start.
    pub fn start(&self, node: &'static Node) {
        node.keyspace.on_gone(Box::new(|key, why| {
            let config = node.config.load();
            let lazily = match why {
                Departure::Expired => config.lazyfree_lazy_expire,
                Departure::Evicted => config.eviction.lazily,
            };
            effect::gone(&node.replication.log, key, lazily);
        }));
        // In a cluster the bus says whom to follow.
        if let Some((host, port)) = &node.config.load().replicaof {
            self.follow(node, host, *port);
        }
    }

    /// Makes the node a replica of this primary. When it returns, no write of a client runs any more.
    pub fn follow(&self, node: &'static Node, host: &str, port: u16) {
        let _change = self.change.lock();
        if matches!(&*self.following.lock(), Some(now) if now.host == host && now.port == port) {
            return;
        }
        // New writes are refused from here on; those that were admitted before end, or see the gate.
        self.gate.set_replica(true);
        let apply = self.apply_lock.lock();
        // This takes every slot's lock.
        node.keyspace.set_mode(Mode::Following);
        self.gate.set_records(false);
        self.gate.set_paused(false);
        // Our own stream, by its name and end, is what we offer to the new primary.
        self.log.activate(false);
        self.link.reset();
        self.announce(Some((host, port)));
        drop(apply);
        // Nobody will acknowledge anything to us, and writes that somebody waits for happen elsewhere.
        node.clients.unblock_all();
        journal::set_role('S');
        journal::notice(format_args!("Following {host}:{port}"));
    }

    /// Makes the node a primary with the data that it has. When it returns, the offset that it was promoted at is
    /// final: nothing of the old primary is applied any more.
    pub fn promote(&self, node: &'static Node) {
        let _change = self.change.lock();
        if self.following.lock().is_none() {
            return;
        }
        self.announce(None);
        let apply = self.apply_lock.lock();
        self.log.new_history();
        self.link.reset();
        self.gate.set_records(true);
        node.keyspace.set_mode(Mode::Recording);
        self.gate.set_replica(false);
        drop(apply);
        journal::set_role('M');
        let history = self.history();
        journal::notice(format_args!(
            "Promoted to primary at offset {}: the stream is {} now, and was {}",
            history.second_offset - 1,
            history.id,
            history.previous_id
        ));
    }

    /// The offset stands still until `until_ms`, or until [`Replication::resume`]: all writes of clients are held back.
    pub fn pause(&self, node: &'static Node, until_ms: u64) {
        let _change = self.change.lock();
        if self.is_replica() {
            return;
        }
        node.pause.hold_writes(until_ms);
        self.gate.set_paused(true);
        // This takes every slot's lock, and keeps expiry from adding to the stream.
        node.keyspace.set_mode(Mode::Following);
        // A PING that looked at the gate before it closed is in the log now, and counted.
        self.log.append_if(b"", || false);
    }

    /// Ends [`Replication::pause`].
    pub fn resume(&self, node: &'static Node) {
        let _change = self.change.lock();
        if self.gate.is_paused() {
            // Before the first write runs: one that met an expired key in the mode of the pause would take it for
            // absent, and the stream would not say that it is gone.
            node.keyspace.set_mode(if self.gate.records() {
                Mode::Recording
            } else {
                Mode::Alone
            });
            self.gate.set_paused(false);
        }
        node.pause.hold_writes(0);
    }

    /// Starts to record what writes do, because somebody copies us. From the next cut of the data on the stream is whole.
    pub fn start_recording(&self, node: &'static Node) {
        let _change = self.change.lock();
        if self.is_replica() || self.gate.records() {
            return;
        }
        self.log.activate(true);
        self.gate.set_records(true);
        if !self.gate.is_paused() {
            node.keyspace.set_mode(Mode::Recording);
        }
    }

    /// Nobody has copied us for long: the stream is given up, and writes are not recorded any more.
    pub fn stop_recording(&self, node: &'static Node) {
        let _change = self.change.lock();
        // Whoever has come since it was last looked is among the replicas before it asks for the stream to be kept.
        if self.is_replica() || self.gate.is_paused() || !self.replicas.is_empty() || !self.log.deactivate() {
            return;
        }
        self.gate.set_records(false);
        node.keyspace.set_mode(Mode::Alone);
    }

    fn announce(&self, primary: Option<(&str, u16)>) {
        let generation = self.generation.fetch_add(1, SeqCst) + 1;
        *self.following.lock() = primary.map(|(host, port)| Following {
            host: host.into(),
            port,
            generation,
        });
        self.changes.send_replace(generation);
    }
}

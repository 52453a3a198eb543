//! The one place through which the cluster's state is read and changed.
//!
//! ```text
//!   bus thread: step ──┐                ┌─▶ nodes.conf   on the disk before anything else happens, where it must be
//!   worker: command ───┴─ Member ─ settle ─▶ ClusterView   what commands are judged by
//!                                       └─▶ orders ─▶ bus thread: role, pause, keys, links, messages
//! ```
//!
//! The member's lock is the last of all: whoever holds it takes no other lock but the log's. A worker may hold slots
//! while it takes it (EXEC does); so what needs slots' locks, like a change of role, is an order for the bus thread.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use parking_lot::{Condvar, Mutex};
use slotcore::topology::NodeId;
use tokio::sync::Notify;

use super::admin::AdminError;
use super::bus::Traffic;
use super::data::ClusterData;
use super::nodes_conf::{NodesFile, NodesFileError};
use super::protocol::{Effects, Facts, Input, Member, RoleChange, Save};
use super::publications::{self, Publication, Publications, PublishError};
use super::settings::ClusterSettings;
use super::view::ClusterView;
use crate::log;
use crate::node::unix_ms;

/// The cluster's state: the snapshot that is in force, the rules behind it, and the file that outlives the process.
#[derive(Debug)]
pub struct Cluster {
    view: ArcSwap<ClusterView>,
    /// The version of `view`.
    version: AtomicU64,
    state: Mutex<State>,
    /// The bus thread has something to do.
    pub(super) woken: Notify,
    /// Orders have been carried out.
    carried_out: Condvar,
    /// What the links carry.
    pub traffic: Traffic,
    publications: Publications,
}

#[derive(Debug)]
struct State {
    member: Member,
    file: NodesFile,
    /// What nodes.conf lacks.
    unsaved: Save,
    /// The view lacks something.
    unpublished: bool,
    /// Orders to become a primary that are not carried out: until they are, no view may say that we are one.
    promotions: u32,
    /// What the bus thread is to do, in this order.
    orders: VecDeque<Effects>,
    given: u64,
    done: u64,
}

/// A reply waits so long for the bus thread; DEBUG SLEEP may hold that up for longer.
const ORDERS_PATIENCE: Duration = Duration::from_secs(1);

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The change makes no sense.
    #[error(transparent)]
    Refused(#[from] AdminError),
    /// It could not be written down, so it did not happen.
    #[error("ERR error saving the cluster node config: {0}")]
    NotSaved(#[from] NodesFileError),
}

impl Cluster {
    /// Locks and loads nodes.conf. Without one the node starts alone, under a new name, with no slots.
    pub fn open(path: &Path, settings: ClusterSettings) -> Result<Self, NodesFileError> {
        let mut file = NodesFile::lock(path)?;
        let data = match file.load()? {
            Some(conf) => {
                let data = ClusterData::from_conf(&conf, settings)
                    .expect("parse_conf passes no file without one myself, nor one with more nodes than an index counts");
                log::notice(format_args!("Node configuration loaded, I'm {}", data.me().id));
                data
            }
            None => {
                let data = ClusterData::alone(random_id(), settings);
                log::notice(format_args!(
                    "No cluster configuration found, I'm {}",
                    data.me().id
                ));
                data
            }
        };
        // The configuration may have given us another address than the file had.
        file.save(&data.to_conf())?;
        let view = ClusterView::new(data.clone(), 0);
        let state = State {
            member: Member::new(data, unix_ms(), rand::random()),
            file,
            unsaved: Save::No,
            unpublished: false,
            promotions: 0,
            orders: VecDeque::new(),
            given: 0,
            done: 0,
        };
        Ok(Self {
            view: ArcSwap::from_pointee(view),
            version: AtomicU64::new(0),
            state: Mutex::new(state),
            woken: Notify::new(),
            carried_out: Condvar::new(),
            traffic: Traffic::default(),
            publications: Publications::default(),
        })
    }

    /// The snapshot that is in force. One load; hold it for a batch, not longer.
    #[inline]
    pub fn view(&self) -> Guard<Arc<ClusterView>> {
        self.view.load()
    }

    /// The version of the view that is in force. Who holds a slot's lock and finds the version by which it has judged a
    /// request knows that nobody who changed the view has passed through that lock since.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version.load(Relaxed)
    }

    /// Asks the rules something.
    pub fn ask<T>(&self, question: impl FnOnce(&Member) -> T) -> T {
        question(&self.state.lock().member)
    }

    /// Has something happen to the member, and says when it wants to hear of the time again (unix ms).
    pub fn step(&self, facts: Facts, input: Input) -> u64 {
        let mut state = self.state.lock();
        let mut effects = Effects::default();
        state.member.step(unix_ms(), facts, input, &mut effects);
        if let Err(error) = self.settle(&mut state, effects) {
            log::warning(format_args!(
                "Nothing is said to the cluster before this is saved: {error}"
            ));
        }
        state.member.deadline()
    }

    /// An administrator's command. It is in nodes.conf when this returns, and in force unless the node becomes a primary
    /// by it; for that see [`Cluster::wait_for_orders`]. On an error nothing has changed.
    ///
    /// `facts` are asked for in the command's turn: those of an earlier moment could carry an offset from before a pause
    /// into a message that calls it final.
    pub fn command<T>(
        &self,
        facts: impl FnOnce() -> Facts,
        run: impl FnOnce(&mut Member, u64, Facts, &mut Effects) -> Result<T, AdminError>,
    ) -> Result<T, ChangeError> {
        let mut state = self.state.lock();
        let before = (
            state.member.clone(),
            state.unsaved,
            state.unpublished,
            state.promotions,
            state.given,
        );
        let orders = state.orders.len();
        let mut effects = Effects::default();
        let outcome = run(&mut state.member, unix_ms(), facts(), &mut effects);
        if let Err(error) = self.settle(&mut state, effects) {
            (
                state.member,
                state.unsaved,
                state.unpublished,
                state.promotions,
                state.given,
            ) = before;
            state.orders.truncate(orders);
            return Err(error.into());
        }
        // Also when nothing is ordered: the time at which the member wants to be called may be another now.
        self.woken.notify_one();
        Ok(outcome?)
    }

    /// Takes over directives that CONFIG SET has changed.
    pub fn reconfigure(
        &self,
        facts: impl FnOnce() -> Facts,
        settings: ClusterSettings,
    ) -> Result<(), ChangeError> {
        self.command(facts, |member, now, facts, out| {
            member.apply_settings(now, facts, settings, out);
            Ok(())
        })
    }

    /// SAVECONFIG: writes nodes.conf once more.
    pub fn save(&self) -> Result<(), ChangeError> {
        Ok(self.state.lock().save()?)
    }

    /// Writes what was not urgent.
    pub(super) fn save_lazily(&self) {
        let mut state = self.state.lock();
        if state.unsaved != Save::No
            && let Err(error) = state.save()
        {
            log::warning(format_args!("{error}"));
        }
    }

    /// Whether nodes.conf lacks something.
    pub(super) fn is_unsaved(&self) -> bool {
        self.state.lock().unsaved != Save::No
    }

    /// The next thing to do for the bus thread. Nothing is done while something that had to be saved is not.
    pub(super) fn next_order(&self) -> Option<Effects> {
        let mut state = self.state.lock();
        if state.unsaved == Save::Synced {
            state.save().ok()?;
            self.publish(&mut state);
        }
        state.orders.pop_front()
    }

    /// The order that was taken last has been carried out.
    pub(super) fn order_done(&self) {
        self.state.lock().done += 1;
        self.carried_out.notify_all();
    }

    /// Waits until all that was ordered so far has been carried out. The caller holds no lock.
    pub fn wait_for_orders(&self) {
        let deadline = Instant::now() + ORDERS_PATIENCE;
        let mut state = self.state.lock();
        let given = state.given;
        while state.done < given && !self.carried_out.wait_until(&mut state, deadline).timed_out() {}
    }

    /// Has the other nodes hear of a message: all of them, or for a shard channel those of our shard. It leaves soon.
    /// Returns whether the publisher should wait before it publishes more, until [`Cluster::is_bus_full`] says otherwise.
    ///
    /// # Errors
    /// The message is too long for the bus; nobody hears of it.
    pub fn spread(&self, shard: bool, channel: &[u8], payload: &[u8]) -> Result<bool, PublishError> {
        publications::check_length(channel, payload)?;
        if self.view().data().nodes.len() < 2 {
            return Ok(false);
        }
        let is_full = self.publications.push(shard, channel, payload);
        self.woken.notify_one();
        Ok(is_full)
    }

    /// Do more messages wait for the bus than should?
    pub fn is_bus_full(&self) -> bool {
        self.publications.is_full()
    }

    /// What was published since this was asked last.
    pub(super) fn take_publications(&self) -> Vec<Publication> {
        self.publications.take()
    }

    /// The node's data are its own now, as an order has asked: what the member knows is in force.
    pub(super) fn promoted(&self) {
        let mut state = self.state.lock();
        state.promotions = state.promotions.saturating_sub(1);
        self.publish(&mut state);
    }

    fn publish(&self, state: &mut State) {
        // A new primary takes writes only when its data are its own, whatever else happens before that.
        if state.promotions == 0 && std::mem::take(&mut state.unpublished) {
            let version = self.view.load().version() + 1;
            let view = ClusterView::new(state.member.data().clone(), version);
            self.view.store(Arc::new(view));
            self.version.store(version, Relaxed);
        }
    }

    /// Saves, publishes, and orders the rest. On an error, what had to be saved is not, and nothing is said to others.
    fn settle(&self, state: &mut State, mut effects: Effects) -> Result<(), NodesFileError> {
        for (level, text) in effects.log.drain(..) {
            log::write(level, format_args!("{text}"));
        }
        state.unsaved = state.unsaved.max(effects.save);
        state.unpublished |= effects.publish;
        state.promotions += u32::from(effects.role == Some(RoleChange::Promote));
        let saved = match state.unsaved {
            Save::Synced => state.save(),
            Save::Lazy | Save::No => Ok(()),
        };
        if saved.is_err() {
            // They would wait for a disk that may stay full for days. Whoever matters asks again.
            effects.send.clear();
        } else {
            self.publish(state);
        }
        if effects.has_orders() {
            state.orders.push_back(effects);
            state.given += 1;
        }
        saved
    }
}

impl State {
    /// Always synced: an unsynced file in a synced one's place could take a vote with it when the system crashes.
    fn save(&mut self) -> Result<(), NodesFileError> {
        self.file.save(&self.member.data().to_conf())?;
        self.unsaved = Save::No;
        Ok(())
    }
}

/// A name that no other node has, but for a chance of 2^-160.
pub fn random_id() -> NodeId {
    NodeId::from_random(rand::random())
}

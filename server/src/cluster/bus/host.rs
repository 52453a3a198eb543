//! The bus thread: everything that happens goes into the member, and what it orders is carried out.

use std::rc::Rc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use slotcore::slot_of;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::{LocalSet, yield_now};
use tokio::time::{Instant, sleep};

use super::links::Links;
use crate::cluster::Cluster;
use crate::cluster::protocol::{Effects, Input, RoleChange};
use crate::net::Listeners;
use crate::node::{Node, unix_ms};

/// Inputs that wait; whoever has more waits itself.
const MAX_WAITING: usize = 1024;
/// What need not be saved at once is saved after so long.
const LAZY_SAVE: Duration = Duration::from_millis(500);

/// Starts the thread. The node's role is that of nodes.conf when this returns.
///
/// # Errors
/// The system refuses a thread.
pub fn start(node: &'static Node, cluster: &'static Cluster, listeners: Listeners) -> anyhow::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new()
        .name("cluster-bus".into())
        .spawn(move || LocalSet::new().block_on(&runtime, run(node, cluster, listeners)))
        .context("cannot start the thread of the cluster bus")?;
    Ok(())
}

struct Host {
    node: &'static Node,
    cluster: &'static Cluster,
    links: Rc<Links>,
    inputs: Receiver<Input>,
    /// The version of the view by which shard channels were looked through.
    seen_version: u64,
    /// When the member wants to hear of the time, unix ms.
    wake_ms: u64,
    /// Since when something waits to be saved.
    unsaved_since: Option<Instant>,
}

async fn run(node: &'static Node, cluster: &'static Cluster, listeners: Listeners) {
    let (sender, inputs) = channel(MAX_WAITING);
    let mut host = Host {
        node,
        cluster,
        links: Links::new(&cluster.traffic, sender),
        inputs,
        seen_version: 0,
        wake_ms: 0,
        unsaved_since: None,
    };
    host.step(Input::Tick);
    for listener in listeners.into_inner() {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                tokio::task::spawn_local(host.links.clone().accept_from(listener));
            }
            Err(error) => crate::log::warning(format_args!("Can't listen to the cluster bus: {error}")),
        }
    }
    loop {
        host.turn().await;
    }
}

impl Host {
    /// Waits for something to happen, and deals with it.
    async fn turn(&mut self) {
        // A moment that has passed while we were busy must not keep the links from their turn.
        let patience = Duration::from_millis(self.wake_ms.saturating_sub(unix_ms()).max(1));
        let input = tokio::select! {
            biased;
            input = self.inputs.recv() => input,
            () = self.cluster.woken.notified() => {
                // Commands that come one after the other must not keep the links from their turn.
                yield_now().await;
                Some(Input::Tick)
            }
            () = sleep(patience) => Some(Input::Tick),
        };
        self.node.stall.wait();
        // The links hold a sender for as long as this thread lives.
        if let Some(input) = input {
            self.step(input);
        }
        let published = self.cluster.take_publications();
        if !published.is_empty() {
            self.step(Input::Published(published));
        }
        self.drop_moved_channels();
        self.save_lazily();
    }

    /// Ends subscriptions to shard channels whose slots have left this node.
    fn drop_moved_channels(&mut self) {
        let version = self.cluster.version();
        if version != self.seen_version {
            self.seen_version = version;
            let view = self.cluster.view();
            let owner = |channel: &[u8]| view.owner_id(slot_of(channel));
            self.node.pubsub.drop_moved(owner, view.me().id);
        }
    }

    fn step(&mut self, input: Input) {
        self.wake_ms = self.cluster.step(self.node.cluster_facts(), input);
        self.carry_out_all();
    }

    fn carry_out_all(&mut self) {
        while let Some(orders) = self.cluster.next_order() {
            let overflows = self.carry_out(orders);
            self.cluster.order_done();
            for overflow in overflows {
                self.wake_ms = self.cluster.step(self.node.cluster_facts(), overflow);
            }
        }
    }

    /// In the order of the fields of [`Effects`]. Returns what the member must hear of it.
    fn carry_out(&self, orders: Effects) -> Vec<Input> {
        match orders.role {
            Some(RoleChange::Follow { host, port, .. }) => {
                self.node.replication.follow(self.node, &host, port);
            }
            Some(RoleChange::Promote) => {
                self.node.replication.promote(self.node);
                self.cluster.promoted();
            }
            None => {}
        }
        if let Some(until_ms) = orders.pause_writes_until {
            self.node.pause_for_failover(until_ms);
        }
        for slot in orders.drop_keys {
            self.node.keyspace.drop_slot(slot);
        }
        for (shard, channel, payload) in orders.deliver {
            if shard {
                self.node.pubsub.publish_shard(&channel, &payload);
            } else {
                self.node.pubsub.publish(&channel, &payload);
            }
        }
        for link in orders.close {
            self.links.close(link);
        }
        for dial in orders.dial {
            self.links.dial(dial);
        }
        let limit = self.node.config.load().cluster_link_sendbuf_limit;
        let sent = orders.send.iter();
        sent.filter_map(|(link, message)| self.links.send(*link, message, limit))
            .collect()
    }

    fn save_lazily(&mut self) {
        let since = self
            .unsaved_since
            .or_else(|| self.cluster.is_unsaved().then(Instant::now));
        self.unsaved_since = since;
        if since.is_some_and(|since| since.elapsed() >= LAZY_SAVE) {
            self.cluster.save_lazily();
            self.unsaved_since = None;
        }
    }
}

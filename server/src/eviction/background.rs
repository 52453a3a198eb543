//! The thread that goes on evicting when a command had no more time for it, or when the limit was lowered.

use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::room::{Room, make_room};
use crate::log;
use crate::node::Node;

/// Starts with the first need.
#[derive(Debug, Default)]
pub(super) struct Background(OnceLock<Option<SyncSender<()>>>);

impl Background {
    /// Has it look whether there is something to do. It costs nothing if it is at work.
    pub fn wake(&self, node: &'static Node) {
        let orders = self.0.get_or_init(|| start(node));
        if let Some(orders) = orders {
            // A full queue means that it will look.
            let _ = orders.try_send(());
        }
    }
}

fn start(node: &'static Node) -> Option<SyncSender<()>> {
    let (orders, waiting) = sync_channel(1);
    let thread = thread::Builder::new()
        .name("eviction".into())
        .spawn(move || run(node, &waiting));
    match thread {
        Ok(_) => Some(orders),
        Err(error) => {
            // Commands evict all the same, each for its time.
            log::warning(format_args!("Can't start the eviction thread: {error}"));
            None
        }
    }
}

fn run(node: &'static Node, orders: &Receiver<()>) {
    while orders.recv().is_ok() {
        // Each round takes as long as a command may take; the configuration may have changed by the next one.
        while make_room(node, &node.config.snapshot()) == Room::Soon {
            thread::yield_now();
        }
    }
}

//! What the keyspace tells without a command.

use crate::keyspace::{Forgotten, KeyEvent, Observer, Stale};
use crate::node::Node;

struct NodeObserver(&'static Node);

impl Observer for NodeObserver {
    fn event(&self, event: KeyEvent, key: &[u8]) {
        self.0.events.tell_unnamed(&self.0.pubsub, event, key);
    }

    fn stale(&self, stale: Vec<Stale>) {
        let node = self.0;
        node.tracking.tell(&node.clients, &node.pubsub, &stale, None);
    }

    fn flushed(&self, forgotten: Forgotten) {
        let node = self.0;
        node.tracking.tell_flushed(&node.clients, &node.pubsub, forgotten);
    }
}

/// Has the node hear of its keys. Before the first command.
pub fn observe(node: &'static Node) {
    node.keyspace.observe(Box::new(NodeObserver(node)));
    if node.events.wants_unnamed() {
        node.keyspace.set_observed(true, false);
    }
}

//! In a cluster: who waits for a key that is not ours any more is told where it is.

use slotcore::redirect::CLUSTER_DOWN_STATE;
use slotcore::route::{KeyPresence, KeySlots, RouteRequest};

use crate::admin::clients::Unblock;
use crate::cluster::ClusterState;
use crate::node::Node;

/// Ends the waits for keys whose slot has gone, and all waits for keys if the cluster is down, as redis-server does from
/// its timer. To be called now and then, at least after every change of the cluster's view.
pub fn redirect_waiters(node: &'static Node) {
    let Some(cluster) = &node.cluster else { return };
    let view = cluster.view();
    let is_down = view.state() == ClusterState::Fail;
    for client in node.clients.all() {
        let Some(place) = client.waits_at() else { continue };
        if is_down {
            // Also reads that the settings allow: what they wait for is a write.
            client.unblock(Unblock::Redirected(CLUSTER_DOWN_STATE.into()));
            continue;
        }
        let request = RouteRequest {
            slots: KeySlots::of([place.slot]),
            write: place.writes,
            // A slot that is coming in is waited for here.
            asking: true,
            readonly: place.readonly,
            migrate: false,
            shard_channel: false,
        };
        // One that is going out is ours until it is gone, whether the key is there or not.
        let here = || KeyPresence {
            existing: 1,
            missing: 0,
            several: false,
        };
        if let Some(text) = view.refusal(view.route(&request, here)) {
            client.unblock(Unblock::Redirected(text.into_owned()));
        }
    }
}

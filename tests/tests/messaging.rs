//! Messages from the node to those who did not ask at that moment: publish/subscribe, keyspace notifications, the
//! invalidations of client-side caching. On raw sockets, beside stock redis-server, in both protocols.

#[path = "messaging/channels.rs"]
mod channels;
#[path = "messaging/cluster.rs"]
mod cluster;
#[path = "messaging/delivery.rs"]
mod delivery;
#[path = "messaging/events.rs"]
mod events;
#[path = "messaging/families.rs"]
mod families;
#[path = "messaging/sides.rs"]
mod sides;
#[path = "messaging/tracking.rs"]
mod tracking;
#[path = "messaging/waiting.rs"]
mod waiting;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");

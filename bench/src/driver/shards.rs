//! Who owns which slots now, as any node that answers tells it.

use std::time::{Duration, Instant};

use slotcore::resp::Reply;
use slotcore::slot_map::SlotMap;
use slotcore::topology::slots::parse_slots;
use slotcore::topology::{ShapeError, SlotRanges};

use super::admin::{Admin, field};
use crate::load::{Auth, HostPort, Target};

/// A stopped node takes a question and never answers it; the next one is asked then.
const ASK_TIMEOUT: Duration = Duration::from_millis(300);
const POLL: Duration = Duration::from_millis(50);

/// The slots that one node owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    pub first_slot: u16,
    pub slots: SlotRanges,
    pub primary: HostPort,
    pub replicas: Vec<HostPort>,
}

/// The shards in the order of their slots; empty when no node answers, or the target is no cluster.
pub fn shards(target: &Target, also: &[HostPort]) -> Vec<Shard> {
    let nodes = target.seeds.iter().chain(also);
    nodes
        .map(|node| ask(node, target.auth.as_ref()))
        .find(|shards| !shards.is_empty())
        .unwrap_or_default()
}

fn ask(node: &HostPort, auth: Option<&Auth>) -> Vec<Shard> {
    let Ok(mut admin) = Admin::connect(node, auth, ASK_TIMEOUT) else {
        return Vec::new();
    };
    let Ok(reply) = admin.call(&["CLUSTER", "SLOTS"]) else {
        return Vec::new();
    };
    Shard::all_in(&reply, &node.host).unwrap_or_default()
}

impl Shard {
    /// The shards that a reply to CLUSTER SLOTS tells of, in the order of their slots. `host` is whom it was asked of.
    fn all_in(reply: &Reply, host: &str) -> Result<Vec<Self>, ShapeError> {
        let map = SlotMap::from_topology(&parse_slots(reply)?, host);
        let address = |index| {
            let node = map.node(index);
            HostPort::new(node.host.clone(), node.port)
        };
        let owners = map.owners().into_iter();
        let mut shards: Vec<Self> = owners
            .filter_map(|owner| {
                let slots = map.slots_of(owner);
                let first_slot = slots.slots().next()?;
                Some(Self {
                    first_slot,
                    primary: address(owner),
                    replicas: map
                        .replicas_of(owner)
                        .iter()
                        .map(|&replica| address(replica))
                        .collect(),
                    slots,
                })
            })
            .collect();
        shards.sort_by_key(|shard| shard.first_slot);
        Ok(shards)
    }
}

/// Waits until a node says that the cluster serves all its slots again, at most for `patience`.
pub fn settled(target: &Target, nodes: &[HostPort], patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        let says_ok = |node: &HostPort| {
            let mut admin = Admin::connect(node, target.auth.as_ref(), ASK_TIMEOUT).ok()?;
            let info = admin.text(&["CLUSTER", "INFO"]).ok()?;
            let whole =
                field(&info, "cluster_state")? == "ok" && field(&info, "cluster_slots_ok")? == "16384";
            whole.then_some(())
        };
        if target
            .seeds
            .iter()
            .chain(nodes)
            .any(|node| says_ok(node).is_some())
        {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(POLL);
    }
}

//! The slots of a round by who owned them when it began: what its replies are traced by.

use slotcore::slot_map::SlotMap;
use slotcore::{SLOT_COUNT, Slot};

use super::plan::HostPort;
use crate::measure::ShardMap;

/// The shards, and behind them a slot that is a group of its own.
#[derive(Debug)]
pub(super) struct Division {
    pub map: ShardMap,
    /// Address of each group's owner, and how many slots it has.
    pub groups: Vec<(String, u16)>,
    /// How many of the groups are shards.
    pub shards: usize,
    /// The slot of its own, and the place of the shard that it is taken from.
    pub own_slot: Option<(Slot, usize)>,
}

impl Division {
    /// Of the slots as one map has them; shard 0 has the lowest.
    pub fn of(slots: &SlotMap, own_slot: Option<Slot>) -> Self {
        let mut owners = slots.owners();
        owners.sort_by_key(|&owner| slots.slots_of(owner).slots().next());
        let shard = |slot: Slot| {
            let owner = slots.owner(slot)?;
            owners.iter().position(|&other| other == owner)
        };
        let group = |slot: Slot| match own_slot {
            Some(own) if own == slot => Some(owners.len()),
            _ => shard(slot),
        };
        let map = ShardMap::new((0..SLOT_COUNT).map(|slot| group(slot as Slot).map(|group| group as u16)));
        let mut groups: Vec<(String, u16)> = owners
            .iter()
            .map(|&owner| {
                let node = slots.node(owner);
                let address = HostPort::new(node.host.clone(), node.port).to_string();
                (address, slots.slots_of(owner).len() as u16)
            })
            .collect();
        let own_slot = own_slot.and_then(|slot| Some((slot, shard(slot)?)));
        if let Some((_, place)) = own_slot {
            groups.push((groups[place].0.clone(), 1));
        }
        Self {
            map,
            shards: owners.len(),
            groups,
            own_slot,
        }
    }
}

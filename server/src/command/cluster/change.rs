//! How a command changes the cluster's state. The change is in nodes.conf before the reply is written.

use slotcore::Slot;
use slotcore::topology::SlotRange;

use super::cluster;
use crate::cluster::protocol::{Effects, Facts, Member};
use crate::cluster::{AdminError, ChangeError};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::SlotTable;

/// Changes the state, and has the node be what it is by it when this returns, but for a transaction: that holds slots,
/// which a change of role must pass through. A slot that is not ours any more loses its statistics: should it come back,
/// they begin anew.
pub(super) fn change<T>(
    call: &mut Call<'_>,
    change: impl FnOnce(&mut Member, u64, Facts, &mut Effects) -> Result<T, AdminError>,
) -> Result<T, ErrorReply> {
    let (cluster, node) = (cluster(call)?, call.node);
    bring_into_force(call, |_| cluster.command(|| node.cluster_facts(), change))
}

/// The same for what depends on how many keys a slot has: none comes or goes before the change is in force.
pub(super) fn change_by_keys<T>(
    call: &mut Call<'_>,
    slot: Slot,
    change: impl FnOnce(&mut Member, u64, Facts, usize, &mut Effects) -> Result<T, AdminError>,
) -> Result<T, ErrorReply> {
    let (cluster, node) = (cluster(call)?, call.node);
    bring_into_force(call, |call| {
        call.with_slot(slot, |table| {
            let keys = table.len();
            cluster.command(
                || node.cluster_facts(),
                |member, now, facts, out| change(member, now, facts, keys, out),
            )
        })
    })
}

fn bring_into_force<T>(
    call: &mut Call<'_>,
    commit: impl FnOnce(&mut Call<'_>) -> Result<T, ChangeError>,
) -> Result<T, ErrorReply> {
    let cluster = cluster(call)?;
    let before = cluster.view();
    let outcome = commit(call)?;
    if !call.session.in_exec {
        cluster.wait_for_orders();
    }
    let after = cluster.view();
    for slot in SlotRange::ALL.slots() {
        if before.is_of_my_shard(slot) && !after.is_of_my_shard(slot) {
            call.with_slot(slot, SlotTable::reset_stats);
        }
    }
    Ok(outcome)
}

/// Asked slot by slot: what a transaction has written before this command is not in the keyspace's sums yet.
pub(super) fn holds_keys(call: &mut Call<'_>) -> bool {
    SlotRange::ALL
        .slots()
        .any(|slot| call.with_slot(slot, |table| !table.is_empty()))
}

//! CLUSTER, and the three commands that tell a connection how to meet redirects.
//!
//! | file | holds |
//! |---|---|
//! | `describe` | NODES SLOTS SHARDS INFO LINKS REPLICAS: the cluster as this node sees it |
//! | `slots` | ADDSLOTS ... SETSLOT, BUMPEPOCH: who owns what |
//! | `membership` | MEET FORGET REPLICATE FAILOVER RESET: who is what |
//! | `change` | how either changes the state |
//! | `slot_keys` | COUNTKEYSINSLOT GETKEYSINSLOT |
//! | `slot_stats` | SLOT-STATS |

mod change;
mod describe;
mod membership;
mod slot_keys;
mod slot_stats;
mod slots;

use slotcore::resp::parse_i64;
use slotcore::{SLOT_COUNT, Slot, slot_of};

use crate::cluster::{AdminError, ChangeError, Cluster};
use crate::command::call::{Binding, Call, Locks};
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;

/// The commands of this family.
pub const HANDLERS: &[Binding] = &[
    ("asking", asking, Locks::None),
    ("readonly", readonly, Locks::None),
    ("readwrite", readwrite, Locks::None),
    ("cluster|addslots", slots::add_slots, Locks::Each),
    ("cluster|addslotsrange", slots::add_slots_range, Locks::Each),
    ("cluster|bumpepoch", slots::bump_epoch, Locks::None),
    (
        "cluster|count-failure-reports",
        describe::count_failure_reports,
        Locks::None,
    ),
    ("cluster|countkeysinslot", slot_keys::count, Locks::Each),
    ("cluster|delslots", slots::del_slots, Locks::Each),
    ("cluster|delslotsrange", slots::del_slots_range, Locks::Each),
    ("cluster|failover", membership::failover, Locks::None),
    ("cluster|flushslots", slots::flush_slots, Locks::Each),
    ("cluster|forget", membership::forget, Locks::None),
    ("cluster|getkeysinslot", slot_keys::get, Locks::Each),
    ("cluster|help", help_in_cluster_mode, Locks::None),
    ("cluster|info", describe::info, Locks::None),
    ("cluster|keyslot", key_slot, Locks::None),
    ("cluster|links", describe::links, Locks::None),
    ("cluster|meet", membership::meet, Locks::None),
    ("cluster|myid", describe::my_id, Locks::None),
    ("cluster|nodes", describe::nodes, Locks::None),
    ("cluster|replicas", describe::replicas, Locks::None),
    ("cluster|replicate", membership::replicate, Locks::Each),
    ("cluster|reset", membership::reset, Locks::Each),
    ("cluster|saveconfig", slots::save_config, Locks::None),
    ("cluster|set-config-epoch", slots::set_config_epoch, Locks::None),
    ("cluster|setslot", slots::set_slot, Locks::Each),
    ("cluster|shards", describe::shards, Locks::None),
    ("cluster|slaves", describe::replicas, Locks::None),
    ("cluster|slot-stats", slot_stats::slot_stats, Locks::Each),
    ("cluster|slots", describe::slots, Locks::None),
];

const DISABLED: ErrorReply = ErrorReply::fixed("ERR This instance has cluster support disabled");

const INVALID_SLOT: ErrorReply = ErrorReply::fixed("ERR Invalid or out of range slot");

impl From<AdminError> for ErrorReply {
    fn from(error: AdminError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<ChangeError> for ErrorReply {
    fn from(error: ChangeError) -> Self {
        Self::new(error.to_string())
    }
}

/// The cluster, in cluster mode.
fn cluster(call: &Call<'_>) -> Result<&'static Cluster, ErrorReply> {
    call.node.cluster.as_ref().ok_or(DISABLED)
}

/// An argument that must be a slot.
fn slot_arg(arg: &[u8]) -> Result<Slot, ErrorReply> {
    parse_i64(arg)
        .and_then(|slot| Slot::try_from(slot).ok())
        .filter(|slot| usize::from(*slot) < SLOT_COUNT)
        .ok_or(INVALID_SLOT)
}

/// The error of a subcommand whose arguments, beyond their number, make no sense; it quotes the name as it was written.
fn bad_subcommand(call: &Call<'_>) -> ErrorReply {
    let mut text = b"ERR unknown subcommand or wrong number of arguments for '".to_vec();
    let name = call.args.at(1);
    text.extend_from_slice(&name[..name.len().min(128)]);
    text.extend_from_slice(b"'. Try CLUSTER HELP.");
    ErrorReply::from_bytes(text)
}

/// ASKING: the next command may touch a slot that is on its way here.
fn asking(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    call.session.asking = true;
    call.out.ok();
    Ok(())
}

/// READONLY: a replica may serve this connection's reads itself.
fn readonly(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    call.session.readonly = true;
    call.out.ok();
    Ok(())
}

/// READWRITE: a replica redirects this connection's reads again.
fn readwrite(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    call.session.readonly = false;
    call.out.ok();
    Ok(())
}

fn help_in_cluster_mode(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    help(call)
}

fn key_slot(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    call.out.integer(i64::from(slot_of(call.args.at(2))));
    Ok(())
}

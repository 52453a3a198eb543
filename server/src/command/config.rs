//! CONFIG GET, SET, REWRITE, RESETSTAT.

use crate::cluster::ClusterSettings;
use crate::command::call::{Binding, Call, Locks};
use crate::command::client::observe_slots;
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;
use crate::config::{ApplyError, Config};
use crate::keyspace::{SlotTable, lazy_free};
use crate::log;
use crate::memory;
use crate::node::Node;
use slotcore::resp::Args;
use slotcore::topology::SlotRange;
use std::sync::atomic::Ordering::Relaxed;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("config|get", get, Locks::None),
    ("config|set", set, Locks::Each),
    ("config|rewrite", rewrite, Locks::None),
    ("config|resetstat", resetstat, Locks::Each),
    ("config|help", help, Locks::None),
];

fn get(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let patterns: Vec<_> = call.args.from(2).iter().collect();
    let found = call.node.config.get(&patterns);
    call.out.map(found.len());
    for (name, value) in found {
        call.out.bulk(&name);
        call.out.bulk(&value);
    }
    Ok(())
}

fn set(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let args: Args<'_> = call.args.from(2);
    if args.len() % 2 == 1 {
        return Err(ErrorReply::SYNTAX);
    }
    let pairs: Vec<_> = (0..args.len())
        .step_by(2)
        .map(|at| (args.at(at), args.at(at + 1)))
        .collect();
    let allow_protected = call
        .node
        .config
        .load()
        .enable_protected_configs
        .admits(call.session.local);
    let node = call.node;
    let warnings = node
        .config
        .set(&pairs, allow_protected, |old, new| apply(node, old, new))
        .map_err(|error| ErrorReply::new(error.to_string()))?;
    for warning in warnings {
        log::warning(format_args!("{warning}"));
    }
    let names = |name: &str| {
        pairs
            .iter()
            .any(|(given, _)| given.eq_ignore_ascii_case(name.as_bytes()))
    };
    if names("maxmemory") || names("maxmemory-policy") {
        lower_use(node, node.config.load().maxmemory);
    }
    if names("notify-keyspace-events") {
        observe_slots(call);
    }
    call.out.ok();
    Ok(())
}

/// Lets the parts of the node that keep something of the configuration know what it is now.
fn apply(node: &'static Node, old: &Config, new: &Config) -> Result<(), ApplyError> {
    let failed = |directive, reason: String| ApplyError { directive, reason };
    if old.dir != new.dir
        && let Some(dir) = &new.dir
    {
        std::env::set_current_dir(dir).map_err(|error| failed("dir", error.to_string()))?;
    }
    if let Some(cluster) = &node.cluster
        && ClusterSettings::from_config(old) != ClusterSettings::from_config(new)
    {
        cluster
            .reconfigure(|| node.cluster_facts(), ClusterSettings::from_config(new))
            .map_err(|error| failed("cluster-config-file", error.to_string()))?;
    }
    if new.maxclients > old.maxclients && !crate::boot::raise_fd_limit(new) {
        return Err(failed(
            "maxclients",
            "The operating system is not able to handle the specified number of clients".into(),
        ));
    }
    if old.requirepass != new.requirepass {
        node.acl.set_default_password(new.requirepass.as_deref());
    }
    node.configure(new);
    Ok(())
}

/// More may be in use than is allowed (0: any number) from now on.
fn lower_use(node: &'static Node, allowed: u64) {
    let used = memory::used();
    if allowed == 0 {
        return;
    }
    if used > allowed {
        log::warning(format_args!(
            "maxmemory is set to {allowed} now, but {used} bytes are in use: keys will be evicted, or writes refused, as \
             maxmemory-policy says"
        ));
    }
    node.eviction.wake(node);
}

fn rewrite(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let acl = &call.node.acl;
    let users = (!acl.has_file()).then(|| acl.lines());
    match call.node.config.rewrite(users.as_deref()) {
        Ok(()) => {
            log::warning(format_args!("CONFIG REWRITE executed with success."));
            call.out.ok();
            Ok(())
        }
        Err(error) => {
            log::warning(format_args!("CONFIG REWRITE failed: {error}"));
            Err(ErrorReply::new(error.to_string()))
        }
    }
}

fn resetstat(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.node.stats.reset(call.node.keyspace.expired_count());
    call.node.replication.replicas.syncs.reset();
    call.node.replication.link.received.store(0, Relaxed);
    call.node.clients.reset_stats();
    call.node.eviction.reset();
    lazy_free::reset();
    for slot in SlotRange::ALL.slots() {
        call.with_slot(slot, SlotTable::reset_stats);
    }
    call.out.ok();
    Ok(())
}

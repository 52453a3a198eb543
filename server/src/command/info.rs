//! INFO.

use crate::admin::info::{InfoFacts, KeyspaceFacts, Section, Sections, render};
use crate::admin::memory::MemoryFacts;
use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::node::unix_ms;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[("info", info, Locks::None)];

fn info(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let node = call.node;
    let keyspace = &node.keyspace;
    let config = node.config.load();
    let sections = Sections::parse(call.args.from(1).iter());
    let facts = InfoFacts {
        config: &config,
        config_file: node.config.file(),
        stats: &node.stats,
        clients: &node.clients,
        run_id: &node.run_id,
        replication: &node.replication,
        loading: node.loading.facts(),
        workers: config.worker_count(),
        started_ms: node.started_ms,
        now_ms: unix_ms(),
        tracking: &node.tracking,
        pubsub: node.pubsub.counts(),
        bus_links: node
            .cluster
            .as_ref()
            .map_or(0, |cluster| (cluster.view().data().nodes.len() - 1) * 2),
        keyspace: KeyspaceFacts {
            keys: keyspace.key_count() as u64,
            expires: keyspace.expiring_count() as u64,
            avg_ttl_ms: keyspace.avg_ttl_ms(),
            expired: node.stats.expired_since_reset(keyspace.expired_count()),
        },
        memory: if sections.iter().any(|section| section == Section::Memory) {
            MemoryFacts::gather(node, &config)
        } else {
            MemoryFacts::default()
        },
        eviction: &node.eviction,
    };
    let text = render(&sections, &facts);
    call.out.verbatim(text.as_bytes());
    Ok(())
}

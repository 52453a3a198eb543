//! The section on replication, field by field as stock prints it.

use std::sync::atomic::Ordering::Relaxed;

use super::text::{InfoFacts, Text};
use crate::config::Config;
use crate::replication::{LinkPhase, Replication, Role};

pub(super) fn replication(text: &mut Text, facts: &InfoFacts<'_>) {
    let replication = facts.replication;
    match replication.role() {
        Role::Primary => text.field("role", "master"),
        Role::Replica { host, port } => {
            text.field("role", "slave");
            text.field("master_host", host);
            text.field("master_port", port);
            link(text, replication, facts.now_ms);
            let settings = &facts.config.replica;
            text.field("slave_priority", settings.priority);
            text.field("slave_read_only", u8::from(settings.read_only));
            text.field("replica_announced", u8::from(settings.announced));
        }
    }
    replicas(text, replication, facts.config, facts.now_ms);
    text.field("master_failover_state", "no-failover");
    let history = replication.history();
    text.field("master_replid", history.id);
    text.field("master_replid2", history.previous_id);
    text.field("master_repl_offset", replication.offset());
    text.field("second_repl_offset", history.second_offset);
    let backlog = replication.log.backlog();
    text.field("repl_backlog_active", u8::from(backlog.active));
    text.field("repl_backlog_size", facts.config.primary.backlog_size);
    text.field("repl_backlog_first_byte_offset", backlog.first_byte);
    text.field("repl_backlog_histlen", backlog.len);
}

/// The link of a replica to its primary.
fn link(text: &mut Text, replication: &Replication, now_ms: u64) {
    let link = &replication.link;
    let seconds_since = |time_ms: u64| match time_ms {
        0 => -1,
        time_ms => (now_ms.saturating_sub(time_ms) / 1000) as i64,
    };
    let phase = link.phase();
    let up = phase == LinkPhase::Connected;
    let last_io = seconds_since(link.last_io_ms.load(Relaxed));
    text.field("master_link_status", if up { "up" } else { "down" });
    text.field("master_last_io_seconds_ago", if up { last_io } else { -1 });
    text.field("master_sync_in_progress", u8::from(phase == LinkPhase::Sync));
    text.field("slave_read_repl_offset", replication.offset());
    text.field("slave_repl_offset", replication.offset());
    if phase == LinkPhase::Sync {
        let total = link.sync_total.load(Relaxed);
        let read = link.sync_read.load(Relaxed) as i64;
        // Without a length announced beforehand stock knows none of these but what it has read.
        let percent = if total > 0 {
            read as f64 * 100.0 / total as f64
        } else {
            0.0
        };
        text.field("master_sync_total_bytes", total.max(0));
        text.field("master_sync_read_bytes", read);
        text.field("master_sync_left_bytes", total.max(0) - read);
        text.field("master_sync_perc", format_args!("{percent:.2}"));
        text.field("master_sync_last_io_seconds_ago", last_io);
    }
    if !up {
        let down = seconds_since(link.down_since_ms.load(Relaxed));
        text.field("master_link_down_since_seconds", down);
        // Not in stock, which tells it in its log alone.
        let fault = link.fault();
        if !fault.is_empty() {
            text.field("slotmark_master_link_fault", fault);
        }
    }
}

fn replicas(text: &mut Text, replication: &Replication, config: &Config, now_ms: u64) {
    let replicas = replication.replicas.all();
    text.field("connected_slaves", replicas.len());
    if config.primary.wanted_replicas() > 0 {
        text.field("min_slaves_good_slaves", replication.replicas.good());
    }
    for (index, replica) in replicas.iter().enumerate() {
        let lag = if replica.is_online() {
            replica.lag_s(now_ms)
        } else {
            0
        };
        text.line(format_args!(
            "slave{index}:ip={},port={},state={},offset={},lag={lag}",
            replica.ip,
            replica.port,
            replica.phase().name(),
            replica.acked(),
        ));
    }
}

//! The cluster as this node sees it.

use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

use slotcore::topology::nodes::{write_node, write_nodes};
use slotcore::topology::shards::write_shards;
use slotcore::topology::slots::write_slots;

use super::cluster;
use crate::cluster::protocol::{Counters, LinkId, Member};
use crate::cluster::{AdminError, Cluster};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::node::unix_ms;

pub(super) fn my_id(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let view = cluster(call)?.view();
    call.out.bulk(view.me().id.as_bytes());
    Ok(())
}

pub(super) fn nodes(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let view = cluster(call)?.view();
    let mut text = String::new();
    write_nodes(&view.data().topology(), &mut text);
    call.out.verbatim(text.as_bytes());
    Ok(())
}

pub(super) fn slots(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let view = cluster(call)?.view();
    write_slots(
        &view.data().topology(),
        view.data().settings.endpoint,
        &mut call.out,
    );
    Ok(())
}

pub(super) fn shards(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let view = cluster(call)?.view();
    write_shards(
        &view.data().topology(),
        view.data().settings.endpoint,
        &mut call.out,
    );
    Ok(())
}

pub(super) fn info(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let text = info_text(cluster(call)?);
    call.out.verbatim(text.as_bytes());
    Ok(())
}

fn info_text(cluster: &Cluster) -> String {
    let view = cluster.view();
    let counters = cluster.ask(|member| member.counters().clone());
    let (data, slots) = (view.data(), view.slot_counts());
    let mut text = String::new();
    let mut line = |name: &str, value: &dyn std::fmt::Display| {
        write!(text, "{name}:{value}\r\n").expect("writing to a string cannot fail");
    };
    line("cluster_state", &view.state().name());
    line("cluster_slots_assigned", &slots.assigned);
    line("cluster_slots_ok", &slots.ok);
    line("cluster_slots_pfail", &slots.pfail);
    line("cluster_slots_fail", &slots.fail);
    line("cluster_known_nodes", &data.nodes.len());
    line("cluster_size", &view.size());
    line("cluster_current_epoch", &data.current_epoch);
    line("cluster_my_epoch", &data.epoch_of(data.me()));
    for (direction, counts) in [("sent", &counters.sent), ("received", &counters.received)] {
        for (kind, count) in Counters::NAMES
            .iter()
            .zip(counts)
            .filter(|(_, count)| **count != 0)
        {
            line(&format!("cluster_stats_messages_{kind}_{direction}"), count);
        }
        let sum: u64 = counts.iter().sum();
        line(&format!("cluster_stats_messages_{direction}"), &sum);
    }
    line(
        "total_cluster_links_buffer_limit_exceeded",
        &cluster.traffic.overflows(),
    );
    text
}

/// The links of the bus whose other end is known, each with its direction, age, and what waits to be sent.
pub(super) fn links(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let cluster = cluster(call)?;
    let links = cluster.ask(Member::links);
    call.out.array(links.len());
    for info in &links {
        let gauge = cluster.traffic.gauge(info.link);
        let (used, allocated) = gauge.map_or((0, 0), |gauge| {
            (gauge.used.load(Relaxed), gauge.allocated.load(Relaxed))
        });
        let (direction, events) = match (info.link, used) {
            (LinkId::Out(_), 0) => ("to", "r"),
            (LinkId::Out(_), _) => ("to", "rw"),
            (LinkId::In(_), 0) => ("from", "r"),
            (LinkId::In(_), _) => ("from", "rw"),
        };
        call.out.map(6);
        for (name, value) in [("direction", direction), ("node", info.node.as_str())] {
            call.out.bulk(name.as_bytes());
            call.out.bulk(value.as_bytes());
        }
        call.out.bulk(b"create-time");
        call.out.integer(info.created_ms as i64);
        call.out.bulk(b"events");
        call.out.bulk(events.as_bytes());
        for (name, value) in [("send-buffer-allocated", allocated), ("send-buffer-used", used)] {
            call.out.bulk(name.as_bytes());
            call.out.integer(value as i64);
        }
    }
    Ok(())
}

pub(super) fn replicas(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let view = cluster(call)?.view();
    let (data, id) = (view.data(), call.args.at(2));
    let primary = data.node(data.find(id).ok_or_else(|| unknown_node(id))?);
    if primary.primary.is_some() {
        return Err(ErrorReply::fixed("ERR The specified node is not a master"));
    }
    let topology = data.topology();
    let replicas: Vec<_> = topology.replicas_of(primary.id).collect();
    call.out.array(replicas.len());
    for replica in replicas {
        let mut text = String::new();
        write_node(replica, &mut text);
        call.out.bulk(text.as_bytes());
    }
    Ok(())
}

pub(super) fn count_failure_reports(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let cluster = cluster(call)?;
    let id = call.args.at(2);
    let view = cluster.view();
    let node = view.data().find(id).ok_or_else(|| unknown_node(id))?;
    let id = view.data().node(node).id;
    let count = cluster.ask(|member| member.failure_reports(&id, unix_ms()));
    call.out.integer(count as i64);
    Ok(())
}

fn unknown_node(id: &[u8]) -> ErrorReply {
    ErrorReply::new(AdminError::UnknownNode(String::from_utf8_lossy(id).into_owned()).to_string())
}

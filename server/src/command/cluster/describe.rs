//! The cluster as this node sees it.

use std::fmt::Write;

use slotcore::topology::nodes::{write_node, write_nodes};
use slotcore::topology::shards::write_shards;
use slotcore::topology::slots::write_slots;

use super::cluster;
use crate::cluster::{AdminError, ClusterView};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;

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
    let view = cluster(call)?.view();
    call.out.verbatim(info_text(&view).as_bytes());
    Ok(())
}

/// The messages are those of the cluster bus: there is none, so none were sent.
fn info_text(view: &ClusterView) -> String {
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
    line("cluster_stats_messages_sent", &0);
    line("cluster_stats_messages_received", &0);
    line("total_cluster_links_buffer_limit_exceeded", &0);
    text
}

/// There is no cluster bus, so there are no links.
pub(super) fn links(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    call.out.array(0);
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

/// Reports come over the cluster bus, so nobody has made any.
pub(super) fn count_failure_reports(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let view = cluster(call)?.view();
    let id = call.args.at(2);
    view.data().find(id).ok_or_else(|| unknown_node(id))?;
    call.out.integer(0);
    Ok(())
}

fn unknown_node(id: &[u8]) -> ErrorReply {
    ErrorReply::new(AdminError::UnknownNode(String::from_utf8_lossy(id).into_owned()).to_string())
}

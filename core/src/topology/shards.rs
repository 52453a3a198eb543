//! The reply of CLUSTER SHARDS, both ways: `[{slots: [start, end, ...], nodes: [{id, port, ip, ...}, ...]}, ...]`.

use super::model::dialable;
use super::reply::{ShapeError, fields, number};
use super::{Endpoint, Health, NodeFlags, SlotRange, SlotRanges, Topology, TopologyNode};
use crate::resp::{Reply, ReplyWriter};

const fn shape(expected: &'static str) -> ShapeError {
    ShapeError {
        command: "CLUSTER SHARDS",
        expected,
    }
}

/// Reads the reply. A shard's slots are its primary's; a shard without one owns nothing that could be served.
pub fn parse_shards(reply: &Reply) -> Result<Topology, ShapeError> {
    let mut topology = Topology::default();
    for shard in reply.as_array().ok_or(shape("an array of shards"))? {
        let (mut slots, mut nodes) = (None, None);
        fields(shard, |name, value| {
            match name {
                "slots" => slots = Some(value),
                "nodes" => nodes = Some(value),
                _ => {}
            }
            Some(())
        })
        .ok_or(shape("names and values for each shard"))?;
        let mut slots = slots
            .and_then(read_ranges)
            .ok_or(shape("pairs of slots for each shard"))?;
        let nodes = nodes
            .and_then(Reply::as_array)
            .ok_or(shape("an array of nodes for each shard"))?;
        let mut nodes = nodes.iter().map(read_node).collect::<Result<Vec<_>, _>>()?;
        // After a failover a shard may still name its dead primary; the slots are the living one's.
        let primaries = || nodes.iter().enumerate().filter(|(_, node)| !node.is_replica());
        let primary = primaries()
            .find(|(_, node)| node.health == Health::Online)
            .or_else(|| primaries().next());
        let primary = primary.map(|(at, node)| (at, node.id));
        for (at, node) in nodes.iter_mut().enumerate() {
            match primary {
                Some((primary, _)) if at == primary => node.slots = std::mem::take(&mut slots),
                Some((_, id)) if node.is_replica() => node.primary = id,
                _ => {}
            }
        }
        topology.nodes.append(&mut nodes);
    }
    Ok(topology)
}

fn read_ranges(reply: &Reply) -> Option<SlotRanges> {
    let (pairs, rest) = reply.as_array()?.as_chunks::<2>();
    rest.is_empty().then_some(())?;
    pairs
        .iter()
        .map(|[start, end]| SlotRange::new(number(start)?, number(end)?))
        .collect()
}

fn read_node(reply: &Reply) -> Result<TopologyNode, ShapeError> {
    let mut node = TopologyNode {
        flags: NodeFlags::PRIMARY,
        ..TopologyNode::default()
    };
    let (mut port, mut tls_port) = (None, None);
    let known = fields(reply, |name, value| {
        match name {
            "id" => node.id = value.as_str()?.parse().ok(),
            "port" => port = Some(number(value)?),
            "tls-port" => tls_port = Some(number(value)?),
            "ip" => node.ip = value.as_str()?.to_owned(),
            "endpoint" => node.endpoint = value.as_str().and_then(dialable),
            "hostname" => node.hostname = value.as_str().filter(|name| !name.is_empty()).map(str::to_owned),
            "role" if matches!(value.as_str()?, "replica" | "slave") => node.flags = NodeFlags::REPLICA,
            "replication-offset" => node.replication_offset = number(value)?,
            "health" => {
                node.health = match value.as_str()? {
                    "fail" | "failed" => Health::Fail,
                    "loading" => Health::Loading,
                    _ => Health::Online,
                }
            }
            _ => {}
        }
        Some(())
    });
    known.ok_or(shape("the fields of a node"))?;
    if node.health == Health::Fail {
        node.flags |= NodeFlags::FAIL;
    }
    node.port = port.or(tls_port).ok_or(shape("a port for each node"))?;
    node.tls_port = port.and(tls_port);
    Ok(node)
}

/// Writes the reply: a shard for each primary, also for one without slots.
pub fn write_shards(topology: &Topology, endpoint: Endpoint, out: &mut ReplyWriter<'_>) {
    let primaries = || {
        topology
            .nodes
            .iter()
            .filter(|node| node.flags.contains(NodeFlags::PRIMARY))
    };
    out.array(primaries().count());
    for primary in primaries() {
        out.map(2);
        out.bulk(b"slots");
        out.array(primary.slots.ranges().len() * 2);
        for range in primary.slots.ranges() {
            out.integer(i64::from(range.start()));
            out.integer(i64::from(range.end()));
        }
        let replicas: Vec<_> = primary
            .id
            .map(|id| topology.replicas_of(id).collect())
            .unwrap_or_default();
        out.bulk(b"nodes");
        out.array(1 + replicas.len());
        write_node(primary, endpoint, out);
        for replica in replicas {
            write_node(replica, endpoint, out);
        }
    }
}

fn write_node(node: &TopologyNode, endpoint: Endpoint, out: &mut ReplyWriter<'_>) {
    let text = |out: &mut ReplyWriter<'_>, name: &str, value: &str| {
        out.bulk(name.as_bytes());
        out.bulk(value.as_bytes());
    };
    out.map(7 + usize::from(node.tls_port.is_some()) + usize::from(node.hostname.is_some()));
    text(out, "id", node.id.as_ref().map_or("", |id| id.as_str()));
    out.bulk(b"port");
    out.integer(i64::from(node.port));
    if let Some(port) = node.tls_port {
        out.bulk(b"tls-port");
        out.integer(i64::from(port));
    }
    text(out, "ip", &node.ip);
    text(out, "endpoint", node.preferred_endpoint(endpoint));
    if let Some(hostname) = &node.hostname {
        text(out, "hostname", hostname);
    }
    text(out, "role", if node.is_replica() { "replica" } else { "master" });
    out.bulk(b"replication-offset");
    out.integer(i64::try_from(node.replication_offset).unwrap_or(i64::MAX));
    let health = match node.health {
        Health::Online => "online",
        Health::Loading => "loading",
        Health::Fail => "fail",
    };
    text(out, "health", health);
}

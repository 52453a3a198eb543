//! The reply of CLUSTER SLOTS, both ways: `[[start, end, primary, replica...], ...]`, where a node is
//! `[endpoint or nil, port, id, {more about it}]`.

use std::collections::HashMap;

use super::model::dialable;
use super::reply::{ShapeError, fields, number};
use super::{Endpoint, Health, NodeFlags, NodeId, SlotRange, Topology, TopologyNode};
use crate::resp::{Reply, ReplyWriter};

const fn shape(expected: &'static str) -> ShapeError {
    ShapeError {
        command: "CLUSTER SLOTS",
        expected,
    }
}

/// Reads the reply. Nodes come in the order in which they are named first; servers before 4.0 tell no ids.
pub fn parse_slots(reply: &Reply) -> Result<Topology, ShapeError> {
    let mut nodes = NodeTable::default();
    for entry in reply.as_array().ok_or(shape("an array of ranges"))? {
        let [start, end, primary, replicas @ ..] =
            entry.as_array().ok_or(shape("an array for each range"))?
        else {
            return Err(shape("start, end and a node for each range"));
        };
        let ends = number(start).zip(number(end));
        let range = ends
            .and_then(|(start, end)| SlotRange::new(start, end))
            .ok_or(shape("a range of slots"))?;
        let primary = nodes.place(read_node(primary)?);
        nodes.list[primary].slots.insert(range);
        nodes.list[primary].flags = NodeFlags::PRIMARY;
        let primary_id = nodes.list[primary].id;
        for replica in replicas {
            let replica = nodes.place(read_node(replica)?);
            let replica = &mut nodes.list[replica];
            if replica.slots.is_empty() {
                replica.flags = NodeFlags::REPLICA;
                replica.primary = primary_id;
            }
        }
    }
    Ok(Topology { nodes: nodes.list })
}

/// The nodes so far, each of them once.
#[derive(Default)]
struct NodeTable {
    list: Vec<TopologyNode>,
    places: HashMap<(Option<NodeId>, String, u16), usize>,
}

impl NodeTable {
    fn place(&mut self, node: TopologyNode) -> usize {
        // An id names its node whatever the address; without one the address has to do.
        let key = match node.id {
            Some(id) => (Some(id), String::new(), 0),
            None => (None, node.endpoint.clone().unwrap_or_default(), node.port),
        };
        *self.places.entry(key).or_insert_with(|| {
            self.list.push(node);
            self.list.len() - 1
        })
    }
}

fn read_node(reply: &Reply) -> Result<TopologyNode, ShapeError> {
    let [host, port, more @ ..] = reply.as_array().ok_or(shape("an array for each node"))? else {
        return Err(shape("host and port for each node"));
    };
    let endpoint = match host {
        Reply::Nil => None,
        host => dialable(host.as_str().ok_or(shape("text or nil as a host"))?),
    };
    let mut node = TopologyNode {
        endpoint,
        port: number(port).ok_or(shape("a port number"))?,
        id: more
            .first()
            .and_then(Reply::as_str)
            .and_then(|id| id.parse().ok()),
        ..TopologyNode::default()
    };
    let mut ip = None;
    if let Some(details) = more.get(1) {
        fields(details, |name, value| {
            match name {
                "ip" => ip = value.as_str().map(str::to_owned),
                "hostname" => {
                    node.hostname = value.as_str().filter(|name| !name.is_empty()).map(str::to_owned)
                }
                _ => {}
            }
            Some(())
        })
        .ok_or(shape("names and values as a node's details"))?;
    }
    match ip {
        // Told apart from the endpoint, so the endpoint is a hostname, or nothing.
        Some(ip) => {
            node.hostname = node.hostname.or_else(|| node.endpoint.clone());
            node.ip = ip;
        }
        None => node.ip = node.endpoint.clone().unwrap_or_default(),
    }
    Ok(node)
}

/// Writes the reply. As in stock, a replica that is down or has no data yet (offset 0) is not named.
pub fn write_slots(topology: &Topology, endpoint: Endpoint, out: &mut ReplyWriter<'_>) {
    let mut ranges: Vec<(SlotRange, &TopologyNode)> = Vec::new();
    let mut replicas: HashMap<NodeId, Vec<&TopologyNode>> = HashMap::new();
    for node in &topology.nodes {
        ranges.extend(node.slots.ranges().iter().map(|range| (*range, node)));
        let serves = node.is_replica() && node.health == Health::Online && node.replication_offset != 0;
        if let (true, Some(primary)) = (serves, node.primary) {
            replicas.entry(primary).or_default().push(node);
        }
    }
    ranges.sort_unstable_by_key(|(range, _)| *range);
    out.array(ranges.len());
    for (range, primary) in ranges {
        let replicas = primary
            .id
            .and_then(|id| replicas.get(&id))
            .map_or(&[][..], |replicas| replicas);
        out.array(3 + replicas.len());
        out.integer(i64::from(range.start()));
        out.integer(i64::from(range.end()));
        write_node(primary, endpoint, out);
        for replica in replicas {
            write_node(replica, endpoint, out);
        }
    }
}

fn write_node(node: &TopologyNode, endpoint: Endpoint, out: &mut ReplyWriter<'_>) {
    out.array(4);
    match endpoint {
        Endpoint::Unknown => out.nil(),
        named => out.bulk(node.preferred_endpoint(named).as_bytes()),
    }
    out.integer(i64::from(node.port));
    match &node.id {
        Some(id) => out.bulk(id.as_bytes()),
        None => out.bulk(b""),
    }
    let ip = (endpoint != Endpoint::Ip).then_some(node.ip.as_str());
    let hostname = node
        .hostname
        .as_deref()
        .filter(|_| endpoint != Endpoint::Hostname);
    out.map(usize::from(ip.is_some()) + usize::from(hostname.is_some()));
    for (name, value) in [("ip", ip), ("hostname", hostname)] {
        if let Some(value) = value {
            out.bulk(name.as_bytes());
            out.bulk(value.as_bytes());
        }
    }
}

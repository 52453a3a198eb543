//! One line of CLUSTER NODES, both ways.

use std::fmt::{self, Write};

use super::NodesReason;
use crate::slot::Slot;
use crate::topology::model::dialable;
use crate::topology::{Link, NodeFlags, NodeId, OpenSlot, SlotRange, TopologyNode};

/// A node's own file, or what a server of any make says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Strict,
    Lenient,
}

/// Distance of the bus port from the port where a text tells the latter only.
const BUS_PORT_OFFSET: u16 = 10000;

pub(super) fn vars(fields: &[&str], [current, last_vote]: &mut [u64; 2]) -> Result<(), NodesReason> {
    let (pairs, rest) = fields[1..].as_chunks::<2>();
    if !rest.is_empty() {
        return Err(NodesReason::Vars);
    }
    for &[name, value] in pairs {
        match name {
            "currentEpoch" => *current = number("currentEpoch", value)?,
            "lastVoteEpoch" => *last_vote = number("lastVoteEpoch", value)?,
            // Newer servers may write more; stock passes over them too.
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn node(fields: &[&str], reading: Reading) -> Result<TopologyNode, NodesReason> {
    let &[
        id,
        address,
        flags,
        primary,
        ping,
        pong,
        epoch,
        link,
        ref slots @ ..,
    ] = fields
    else {
        return Err(NodesReason::TooFewFields(fields.len()));
    };
    let mut node = TopologyNode {
        id: Some(node_id(id)?),
        flags: node_flags(flags, reading)?,
        primary: if primary == "-" {
            None
        } else {
            Some(node_id(primary)?)
        },
        ping_ms: number("ping", ping)?,
        pong_ms: number("pong", pong)?,
        epoch: number("epoch", epoch)?,
        link: if link == "connected" {
            Link::Connected
        } else {
            Link::Disconnected
        },
        ..TopologyNode::default()
    };
    read_address(address, &mut node).ok_or_else(|| NodesReason::Address(address.to_owned()))?;
    for text in slots {
        read_slots(text, &mut node)?;
    }
    Ok(node)
}

fn number(field: &'static str, text: &str) -> Result<u64, NodesReason> {
    text.parse().map_err(|_| NodesReason::Number {
        field,
        text: text.to_owned(),
    })
}

fn node_id(text: &str) -> Result<NodeId, NodesReason> {
    text.parse().map_err(|_| NodesReason::NodeId(text.to_owned()))
}

fn node_flags(text: &str, reading: Reading) -> Result<NodeFlags, NodesReason> {
    let mut flags = NodeFlags::empty();
    for name in text.split(',').filter(|&name| name != "noflags") {
        match NodeFlags::NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, flag)) => flags |= *flag,
            None if name == "replica" => flags |= NodeFlags::REPLICA,
            None if reading == Reading::Lenient => {}
            None => return Err(NodesReason::Flag(name.to_owned())),
        }
    }
    Ok(flags)
}

/// `ip:port[@bus-port][,hostname][,name=value ...]`; the ip may be empty, or an IPv6 address without brackets.
fn read_address(text: &str, node: &mut TopologyNode) -> Option<()> {
    let (address, more) = text
        .split_once(',')
        .map_or((text, None), |(address, more)| (address, Some(more)));
    let (ip, ports) = address.rsplit_once(':')?;
    let (port, bus_port) = ports
        .split_once('@')
        .map_or((ports, None), |(port, bus)| (port, Some(bus)));
    node.ip = ip.to_owned();
    node.port = port.parse().ok()?;
    node.bus_port = match bus_port {
        Some(bus_port) => bus_port.parse().ok()?,
        None => node.port.saturating_add(BUS_PORT_OFFSET),
    };
    // Newer servers write an empty hostname before their named fields.
    let hostname = more
        .and_then(|more| more.split(',').next())
        .filter(|name| !name.is_empty() && !name.contains('='));
    node.hostname = hostname.map(str::to_owned);
    node.endpoint = dialable(ip);
    Some(())
}

/// `5`, `5-9`, `[5->-id]` (leaves) or `[5-<-id]` (comes).
fn read_slots(text: &str, node: &mut TopologyNode) -> Result<(), NodesReason> {
    let bad = || NodesReason::Slots(text.to_owned());
    let slot = |text: &str| text.parse::<Slot>().ok();
    if let Some(open) = text.strip_prefix('[') {
        let open = open.strip_suffix(']').ok_or_else(bad)?;
        let (number, rest) = open.split_once('-').ok_or_else(bad)?;
        let (list, id) = match rest.strip_prefix(">-") {
            Some(id) => (&mut node.migrating, id),
            None => (&mut node.importing, rest.strip_prefix("<-").ok_or_else(bad)?),
        };
        let slot = slot(number)
            .and_then(|slot| SlotRange::new(slot, slot))
            .ok_or_else(bad)?
            .start();
        let open = OpenSlot {
            slot,
            node: id.parse().map_err(|_| bad())?,
        };
        // By slot, so that equal sets compare equal; what comes later counts, as in stock.
        match list.binary_search_by_key(&slot, |open| open.slot) {
            Ok(at) => list[at] = open,
            Err(at) => list.insert(at, open),
        }
        return Ok(());
    }
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    let range = slot(start)
        .zip(slot(end))
        .and_then(|(start, end)| SlotRange::new(start, end))
        .ok_or_else(bad)?;
    if node.slots.insert(range) {
        Ok(())
    } else {
        Err(NodesReason::SlotTwice(range.start()))
    }
}

pub(super) fn write(node: &TopologyNode, out: &mut String) -> fmt::Result {
    match &node.id {
        Some(id) => out.push_str(id.as_str()),
        // Only a topology read from a server that tells no ids has none; it is never a node's own.
        None => out.extend(std::iter::repeat_n('0', NodeId::LEN)),
    }
    write!(out, " {}:{}@{}", node.ip, node.port, node.bus_port)?;
    if let Some(hostname) = &node.hostname {
        write!(out, ",{hostname}")?;
    }
    out.push(' ');
    let before = out.len();
    for (name, _) in NodeFlags::NAMES
        .iter()
        .filter(|(_, flag)| node.flags.contains(*flag))
    {
        if out.len() > before {
            out.push(',');
        }
        out.push_str(name);
    }
    if out.len() == before {
        out.push_str("noflags");
    }
    out.push(' ');
    out.push_str(node.primary.as_ref().map_or("-", NodeId::as_str));
    let link = match node.link {
        Link::Connected => "connected",
        Link::Disconnected => "disconnected",
    };
    write!(out, " {} {} {} {link}", node.ping_ms, node.pong_ms, node.epoch)?;
    for range in node.slots.ranges() {
        write!(out, " {range}")?;
    }
    write_open(node, out)
}

/// By slot, as stock does, whichever way each of them goes.
fn write_open(node: &TopologyNode, out: &mut String) -> fmt::Result {
    let leaves = node.migrating.iter().map(|open| (open, "->-"));
    let mut open: Vec<_> = leaves
        .chain(node.importing.iter().map(|open| (open, "-<-")))
        .collect();
    open.sort_by_key(|(open, _)| open.slot);
    open.iter()
        .try_for_each(|(open, arrow)| write!(out, " [{}{arrow}{}]", open.slot, open.node))
}

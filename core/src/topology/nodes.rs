//! The text of CLUSTER NODES, and nodes.conf, which is the same with one more line.
//!
//! ```text
//! <id> <ip>:<port>@<bus port>[,<hostname>] <flags> <primary id or -> <ping> <pong> <epoch> <link> [<slots> ...]
//! vars currentEpoch <n> lastVoteEpoch <n>
//! ```
//!
//! A client reads what any engine writes and passes over what it does not know; a node reads its nodes.conf strictly,
//! since what it does not understand there it would lose with its next save.

mod line;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt::Write;

use super::{NodeFlags, NodeId, Topology, TopologyNode};
use crate::slot::SLOT_COUNT;
use crate::slot_map::NodeIndex;

/// What nodes.conf holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodesConf {
    /// The nodes; exactly one is `myself`.
    pub topology: Topology,
    /// The largest epoch seen in the cluster.
    pub current_epoch: u64,
    /// The epoch of the last vote given.
    pub last_vote_epoch: u64,
}

/// A text that is no CLUSTER NODES, or no nodes.conf.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct NodesError {
    /// Counted from 1; for what is missing in the whole text, the last line.
    pub line: usize,
    /// What is wrong there.
    pub reason: NodesReason,
}

/// What is wrong with a line of CLUSTER NODES or nodes.conf.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each one's text says what it is
pub enum NodesReason {
    #[error("a node has at least 8 fields, this line has {0}")]
    TooFewFields(usize),
    #[error("the node id {0:?} is not 40 lowercase hexadecimal digits")]
    NodeId(String),
    #[error("the address {0:?} is not ip:port@bus-port[,hostname]")]
    Address(String),
    #[error("unknown flag {0:?}")]
    Flag(String),
    #[error("{field} {text:?} is not a number")]
    Number { field: &'static str, text: String },
    #[error("{0:?} is not a slot, a range of slots or an open slot")]
    Slots(String),
    #[error("slot {0} has two owners")]
    SlotTwice(u16),
    #[error("node {0} is described twice")]
    NodeTwice(super::NodeId),
    #[error("node {0} is named, but not described")]
    NodeMissing(super::NodeId),
    #[error("vars wants pairs of a name and a number")]
    Vars,
    #[error("no node is myself")]
    NoMyself,
    #[error("two nodes are myself")]
    TwoMyself,
    #[error("more than {0} nodes")]
    TooManyNodes(usize),
    #[error("only myself has open slots")]
    ForeignOpenSlot,
}

/// Reads the reply of CLUSTER NODES. Unknown flags, further address fields and `vars` are passed over.
pub fn parse_nodes(text: &str) -> Result<Topology, NodesError> {
    let lines = read(text, line::Reading::Lenient)?;
    Ok(Topology {
        nodes: lines.nodes.into_iter().map(|(_, node)| node).collect(),
    })
}

/// Reads nodes.conf. A text without `vars` is whole: both epochs are 0 then. Nodes in handshake are left out: the name
/// in the file is not theirs, and the handshake ended with the process that wrote it.
pub fn parse_conf(text: &str) -> Result<NodesConf, NodesError> {
    let mut lines = read(text, line::Reading::Strict)?;
    lines
        .nodes
        .retain(|(_, node)| !node.flags.contains(NodeFlags::HANDSHAKE));
    check(&lines.nodes, text.lines().count().max(1))?;
    let [current_epoch, last_vote_epoch] = lines.epochs;
    let nodes = lines.nodes.into_iter().map(|(_, node)| node).collect();
    Ok(NodesConf {
        topology: Topology { nodes },
        current_epoch,
        last_vote_epoch,
    })
}

/// A text's lines, understood.
#[derive(Default)]
struct Lines {
    /// With the number of the line, counted from 1.
    nodes: Vec<(usize, TopologyNode)>,
    /// currentEpoch, lastVoteEpoch
    epochs: [u64; 2],
}

fn read(text: &str, reading: line::Reading) -> Result<Lines, NodesError> {
    let mut lines = Lines::default();
    for (at, text) in text.lines().enumerate() {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let read = match fields.first() {
            None => Ok(()),
            Some(&"vars") if reading == line::Reading::Lenient => Ok(()),
            Some(&"vars") => line::vars(&fields, &mut lines.epochs),
            Some(_) => line::node(&fields, reading).map(|node| lines.nodes.push((at + 1, node))),
        };
        read.map_err(|reason| NodesError { line: at + 1, reason })?;
    }
    Ok(lines)
}

/// What holds between the lines of a nodes.conf.
fn check(nodes: &[(usize, TopologyNode)], last_line: usize) -> Result<(), NodesError> {
    let known: HashSet<NodeId> = nodes.iter().filter_map(|(_, node)| node.id).collect();
    let mut seen = HashSet::new();
    let mut owned = vec![false; SLOT_COUNT];
    let mut myself = false;
    for (line, node) in nodes {
        let fail = |reason| Err(NodesError { line: *line, reason });
        if seen.len() == NodeIndex::MAX_NODES {
            return fail(NodesReason::TooManyNodes(NodeIndex::MAX_NODES));
        }
        if let Some(id) = node.id
            && !seen.insert(id)
        {
            return fail(NodesReason::NodeTwice(id));
        }
        for slot in node.slots.slots() {
            if std::mem::replace(&mut owned[usize::from(slot)], true) {
                return fail(NodesReason::SlotTwice(slot));
            }
        }
        let open = || node.migrating.iter().chain(&node.importing);
        if let Some(id) = open()
            .map(|open| open.node)
            .chain(node.primary)
            .find(|id| !known.contains(id))
        {
            return fail(NodesReason::NodeMissing(id));
        }
        if node.flags.contains(NodeFlags::MYSELF) {
            if std::mem::replace(&mut myself, true) {
                return fail(NodesReason::TwoMyself);
            }
        } else if open().next().is_some() {
            return fail(NodesReason::ForeignOpenSlot);
        }
    }
    if myself {
        Ok(())
    } else {
        Err(NodesError {
            line: last_line,
            reason: NodesReason::NoMyself,
        })
    }
}

/// Writes the reply of CLUSTER NODES.
pub fn write_nodes(topology: &Topology, out: &mut String) {
    for node in &topology.nodes {
        write_node(node, out);
        out.push('\n');
    }
}

/// Writes one node as a line of CLUSTER NODES, without its line feed.
pub fn write_node(node: &TopologyNode, out: &mut String) {
    line::write(node, out).expect("writing to a string cannot fail");
}

/// Writes nodes.conf. Nodes in handshake are left out: their names are not their own yet.
pub fn write_conf(conf: &NodesConf) -> String {
    let mut out = String::new();
    for node in conf
        .topology
        .nodes
        .iter()
        .filter(|node| !node.flags.contains(NodeFlags::HANDSHAKE))
    {
        write_node(node, &mut out);
        out.push('\n');
    }
    writeln!(
        out,
        "vars currentEpoch {} lastVoteEpoch {}",
        conf.current_epoch, conf.last_vote_epoch
    )
    .expect("writing to a string cannot fail");
    out
}

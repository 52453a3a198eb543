//! The shape of a launched cluster, and the nodes.conf that makes its nodes a cluster from their first breath:
//! even, contiguous slot ranges, primaries first, then the replicas of each.

use std::fmt::Write as _;

use rand::RngExt;
use slotcore::slot::SLOT_COUNT;

/// How many nodes, and how they hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub primaries: u32,
    pub replicas_each: u32,
    /// `false`: one plain server without cluster mode.
    pub cluster: bool,
}

impl Shape {
    pub fn node_count(&self) -> u32 {
        self.primaries * (1 + self.replicas_each)
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.cluster, self.primaries, self.replicas_each) {
            (false, ..) => write!(f, "standalone"),
            (true, 1, 0) => write!(f, "1 node"),
            (true, n, 0) => write!(f, "{n} nodes"),
            (true, n, r) => write!(
                f,
                "{n} primaries with {r} replica{} each",
                if r == 1 { "" } else { "s" }
            ),
        }
    }
}

/// One node of a cluster that does not run yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedNode {
    /// 40 hexadecimal digits.
    pub id: String,
    pub port: u16,
    /// Index of its primary when it is a replica.
    pub primary: Option<usize>,
    /// First and last slot when it is a primary.
    pub slots: Option<(u16, u16)>,
}

/// Gives every port a node; `ports` holds `shape.node_count()` of them.
pub fn plan(shape: &Shape, ports: &[u16]) -> Vec<PlannedNode> {
    let primaries = shape.primaries as usize;
    debug_assert_eq!(ports.len(), shape.node_count() as usize);
    ports
        .iter()
        .enumerate()
        .map(|(index, &port)| PlannedNode {
            id: random_id(),
            port,
            primary: (index >= primaries).then_some(index % primaries),
            slots: (index < primaries).then(|| slot_range(index, primaries)),
        })
        .collect()
}

/// The `index`-th of `count` even, contiguous ranges over all slots.
fn slot_range(index: usize, count: usize) -> (u16, u16) {
    let edge = |i: usize| i * SLOT_COUNT / count;
    // Both are below SLOT_COUNT, as long as there are no more primaries than slots.
    (edge(index) as u16, (edge(index + 1) - 1) as u16)
}

/// The nodes.conf with which `nodes[myself]` starts.
pub fn nodes_conf(nodes: &[PlannedNode], myself: usize) -> String {
    let mut text = String::new();
    for (index, node) in nodes.iter().enumerate() {
        let myself = if index == myself { "myself," } else { "" };
        let (role, primary) = match node.primary {
            Some(primary) => ("slave", nodes[primary].id.as_str()),
            None => ("master", "-"),
        };
        // A replica has its primary's epoch; two primaries never share one.
        let epoch = node.primary.unwrap_or(index) + 1;
        let (id, port, bus) = (&node.id, node.port, bus_port(node.port));
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{id} 127.0.0.1:{port}@{bus} {myself}{role} {primary} 0 0 {epoch} connected"
        );
        match node.slots {
            Some((first, last)) if first == last => drop(write!(text, " {first}")),
            Some((first, last)) => drop(write!(text, " {first}-{last}")),
            None => {}
        }
        text.push('\n');
    }
    let primaries = nodes.iter().filter(|n| n.primary.is_none()).count();
    let _ = writeln!(text, "vars currentEpoch {primaries} lastVoteEpoch 0");
    text
}

/// Where a node that serves clients on `port` has its bus.
pub fn bus_port(port: u16) -> u16 {
    port + BUS_OFFSET
}

/// A node's bus port is its client port plus this, by default in every implementation.
pub const BUS_OFFSET: u16 = 10_000;

fn random_id() -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rng = rand::rng();
    (0..40)
        .map(|_| char::from(HEX[rng.random_range(0..HEX.len())]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_exactly_one_owner() {
        for primaries in [1, 2, 3, 5, 7, 100, 16384] {
            let mut next = 0usize;
            for index in 0..primaries {
                let (first, last) = slot_range(index, primaries);
                assert_eq!(usize::from(first), next);
                assert!(last >= first);
                next = usize::from(last) + 1;
            }
            assert_eq!(next, SLOT_COUNT);
        }
    }

    #[test]
    fn replicas_hang_on_their_primaries() {
        let shape = Shape {
            primaries: 2,
            replicas_each: 2,
            cluster: true,
        };
        let nodes = plan(&shape, &[7000, 7001, 7002, 7003, 7004, 7005]);
        let primary_of: Vec<_> = nodes.iter().map(|n| n.primary).collect();
        assert_eq!(primary_of, [None, None, Some(0), Some(1), Some(0), Some(1)]);
        let text = nodes_conf(&nodes, 2);
        let mut lines = text.lines();
        let first = format!(
            "{} 127.0.0.1:7000@17000 master - 0 0 1 connected 0-8191",
            nodes[0].id
        );
        assert_eq!(lines.next(), Some(first.as_str()));
        let third = format!(
            "{} 127.0.0.1:7002@17002 myself,slave {} 0 0 1 connected",
            nodes[2].id, nodes[0].id
        );
        assert_eq!(lines.nth(1), Some(third.as_str()));
        assert_eq!(lines.last(), Some("vars currentEpoch 2 lastVoteEpoch 0"));
    }

    #[test]
    fn ids_are_forty_hexadecimal_digits_and_differ() {
        let (a, b) = (random_id(), random_id());
        assert!(
            a.len() == 40
                && a.bytes()
                    .all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
        );
        assert_ne!(a, b);
    }
}

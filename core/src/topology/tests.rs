//! Topology to reply bytes and back, through the parser that a client uses.

use proptest::prelude::*;

use super::shards::{parse_shards, write_shards};
use super::slots::{parse_slots, write_slots};
use super::*;
use crate::resp::{Proto, Reply, ReplyLimits, ReplyWriter, parse_reply};

type Write = fn(&Topology, Endpoint, &mut ReplyWriter<'_>);

fn bytes(write: Write, topology: &Topology, endpoint: Endpoint, proto: Proto) -> Vec<u8> {
    let mut out = Vec::new();
    write(topology, endpoint, &mut ReplyWriter::new(&mut out, proto));
    out
}

fn reply(bytes: &[u8]) -> Reply {
    let (reply, consumed) = parse_reply(bytes, &ReplyLimits::default()).unwrap().unwrap();
    assert_eq!(consumed, bytes.len());
    reply
}

fn two_nodes() -> Topology {
    let text = "\
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 127.0.0.1:7000@17000,one.example myself,master - 0 0 1 connected 0-2 9
bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 127.0.0.2:7001@17001 slave aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0 0 1 connected
";
    nodes::parse_nodes(text).unwrap()
}

#[test]
fn slots_as_stock_writes_them() {
    let mut topology = two_nodes();
    let out = bytes(write_slots, &topology, Endpoint::Ip, Proto::Resp2);
    let node = "*4\r\n$9\r\n127.0.0.1\r\n:7000\r\n$40\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\
                *2\r\n$8\r\nhostname\r\n$11\r\none.example\r\n";
    let expected = format!("*2\r\n*3\r\n:0\r\n:2\r\n{node}*3\r\n:9\r\n:9\r\n{node}");
    assert_eq!(
        String::from_utf8(out).unwrap(),
        expected,
        "a replica without data is not named"
    );

    topology.nodes[1].replication_offset = 1;
    let out = bytes(write_slots, &topology, Endpoint::Unknown, Proto::Resp3);
    let node = "*4\r\n_\r\n:7000\r\n$40\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\
                %2\r\n$2\r\nip\r\n$9\r\n127.0.0.1\r\n$8\r\nhostname\r\n$11\r\none.example\r\n";
    let replica = "*4\r\n_\r\n:7001\r\n$40\r\nbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n\
                   %1\r\n$2\r\nip\r\n$9\r\n127.0.0.2\r\n";
    let expected = format!("*2\r\n*4\r\n:0\r\n:2\r\n{node}{replica}*4\r\n:9\r\n:9\r\n{node}{replica}");
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    assert_eq!(
        bytes(write_slots, &Topology::default(), Endpoint::Ip, Proto::Resp2),
        b"*0\r\n"
    );
}

#[test]
fn shards_as_stock_writes_them() {
    let mut topology = two_nodes();
    topology.nodes[1].health = Health::Loading;
    let out = bytes(write_shards, &topology, Endpoint::Hostname, Proto::Resp2);
    let expected = "*1\r\n*4\r\n$5\r\nslots\r\n*4\r\n:0\r\n:2\r\n:9\r\n:9\r\n$5\r\nnodes\r\n*2\r\n\
        *16\r\n$2\r\nid\r\n$40\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n$4\r\nport\r\n:7000\r\n\
        $2\r\nip\r\n$9\r\n127.0.0.1\r\n$8\r\nendpoint\r\n$11\r\none.example\r\n$8\r\nhostname\r\n$11\r\none.example\r\n\
        $4\r\nrole\r\n$6\r\nmaster\r\n$18\r\nreplication-offset\r\n:0\r\n$6\r\nhealth\r\n$6\r\nonline\r\n\
        *14\r\n$2\r\nid\r\n$40\r\nbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n$4\r\nport\r\n:7001\r\n\
        $2\r\nip\r\n$9\r\n127.0.0.2\r\n$8\r\nendpoint\r\n$1\r\n?\r\n\
        $4\r\nrole\r\n$7\r\nreplica\r\n$18\r\nreplication-offset\r\n:0\r\n$6\r\nhealth\r\n$7\r\nloading\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn slots_of_old_and_of_other_servers() {
    // Before 4.0 no id; some tell a node by nil.
    let old = parse_slots(&reply(
        b"*2\r\n*3\r\n:0\r\n:8000\r\n*2\r\n$2\r\nh1\r\n:1\r\n*3\r\n:8001\r\n:16383\r\n*2\r\n$-1\r\n:2\r\n",
    ));
    let old = old.unwrap();
    assert_eq!(old.coverage(), 16384);
    assert_eq!(
        (old.nodes[0].id, old.nodes[0].endpoint.as_deref()),
        (None, Some("h1"))
    );
    assert_eq!((old.nodes[1].id, old.nodes[1].endpoint.as_deref()), (None, None));
    // An id that is no hexadecimal number is as good as none.
    let odd = parse_slots(&reply(
        b"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$2\r\nh1\r\n:1\r\n$3\r\nabc\r\n",
    ))
    .unwrap();
    assert_eq!(odd.nodes[0].id, None);
}

#[test]
fn what_is_no_such_reply_is_refused() {
    let wrong: [&[u8]; 9] = [
        b"+OK\r\n",
        b"*1\r\n+OK\r\n",
        b"*1\r\n*2\r\n:1\r\n:2\r\n",
        b"*1\r\n*3\r\n:2\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n",
        b"*1\r\n*3\r\n:1\r\n:16384\r\n*2\r\n$1\r\nh\r\n:1\r\n",
        b"*1\r\n*3\r\n:1\r\n:2\r\n*1\r\n$1\r\nh\r\n",
        b"*1\r\n*3\r\n:1\r\n:2\r\n*2\r\n:1\r\n:1\r\n",
        b"*1\r\n*3\r\n:1\r\n:2\r\n*2\r\n$1\r\nh\r\n:65536\r\n",
        b"*1\r\n*4\r\n$5\r\nslots\r\n*1\r\n:1\r\n$5\r\nnodes\r\n*0\r\n",
    ];
    for bytes in wrong {
        assert!(parse_slots(&reply(bytes)).is_err(), "{}", bytes.escape_ascii());
        assert!(parse_shards(&reply(bytes)).is_err(), "{}", bytes.escape_ascii());
    }
}

/// A cluster such as a node may describe: primaries that own what they own, replicas that follow one of them.
fn any_topology() -> impl Strategy<Value = Topology> {
    let node = (
        any::<[u8; 20]>(),
        "[1-9]{1,2}\\.0\\.0\\.[1-9]",
        1..u16::MAX,
        prop::option::of("[a-z][a-z.-]{0,12}"),
        1..u64::MAX / 2,
        prop::option::of(any::<prop::sample::Index>()),
    );
    let owners = prop::collection::vec(any::<prop::sample::Index>(), 1..100);
    (prop::collection::vec(node, 1..10), owners).prop_map(|(rows, owners)| {
        let mut nodes: Vec<TopologyNode> = Vec::new();
        let mut primaries: Vec<usize> = Vec::new();
        for (id, ip, port, hostname, offset, follows) in rows {
            let id = Some(NodeId::from_random(id));
            let follows = follows.filter(|_| !primaries.is_empty());
            let primary = follows.map(|at: prop::sample::Index| nodes[*at.get(&primaries)].id.unwrap());
            let flags = if primary.is_some() {
                NodeFlags::REPLICA
            } else {
                NodeFlags::PRIMARY
            };
            if primary.is_none() {
                primaries.push(nodes.len());
            }
            let node = TopologyNode {
                id,
                ip,
                port,
                hostname,
                primary,
                flags,
                ..TopologyNode::default()
            };
            nodes.push(TopologyNode {
                replication_offset: offset,
                ..node
            });
        }
        for (at, owner) in owners.iter().enumerate() {
            let start = (at * 16384 / owners.len()) as u16;
            let end = ((at + 1) * 16384 / owners.len() - 1) as u16;
            nodes[*owner.get(&primaries)]
                .slots
                .insert(SlotRange::new(start, end).unwrap());
        }
        Topology { nodes }
    })
}

fn by_id(mut topology: Topology) -> Topology {
    topology.nodes.sort_by_key(|node| node.id);
    topology
}

fn any_endpoint() -> impl Strategy<Value = (Endpoint, Proto)> {
    let endpoint = prop::sample::select(vec![Endpoint::Ip, Endpoint::Hostname, Endpoint::Unknown]);
    (endpoint, prop::sample::select(vec![Proto::Resp2, Proto::Resp3]))
}

proptest! {
    #[test]
    fn slots_round_trip(topology in any_topology(), (endpoint, proto) in any_endpoint()) {
        let read = parse_slots(&reply(&bytes(write_slots, &topology, endpoint, proto))).unwrap();
        // SLOTS names owners and their replicas, and tells no offsets.
        let mut expected = topology.clone();
        let owns = |id| topology.node(id).is_some_and(|node| !node.slots.is_empty());
        expected.nodes.retain(|node| owns(node.primary.or(node.id).unwrap()));
        for node in &mut expected.nodes {
            node.replication_offset = 0;
            node.endpoint = model::dialable(node.preferred_endpoint(endpoint));
        }
        prop_assert_eq!(by_id(read), by_id(expected));
    }

    #[test]
    fn shards_round_trip(topology in any_topology(), (endpoint, proto) in any_endpoint()) {
        let read = parse_shards(&reply(&bytes(write_shards, &topology, endpoint, proto))).unwrap();
        let mut expected = topology;
        for node in &mut expected.nodes {
            node.endpoint = model::dialable(node.preferred_endpoint(endpoint));
        }
        prop_assert_eq!(by_id(read), by_id(expected));
    }

    #[test]
    fn damaged_replies_never_panic(topology in any_topology(), shards: bool, at: prop::sample::Index, byte: u8) {
        let write: Write = if shards { write_shards } else { write_slots };
        let mut bytes = bytes(write, &topology, Endpoint::Ip, Proto::Resp2);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(Some((reply, _))) = parse_reply(&bytes, &ReplyLimits::default()) {
            let _ = (parse_slots(&reply), parse_shards(&reply));
        }
    }
}

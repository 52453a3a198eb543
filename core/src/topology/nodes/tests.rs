use proptest::prelude::*;

use super::*;
use crate::topology::{Link, NodeId, OpenSlot, SlotRange};

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn reason(text: &str) -> (usize, String) {
    let error = parse_conf(text).unwrap_err();
    (error.line, error.reason.to_string())
}

#[test]
fn reads_all_that_stock_writes() {
    let text = format!(
        "{A} 127.0.0.1:7000@17000,one.example myself,master - 0 0 3 connected 0-5 7 [7->-{B}] [9-<-{B}]\n\
         {B} ::1:7001@17001 slave,fail?,nofailover {A} 1700000000001 1700000000002 3 disconnected\n\
         cccccccccccccccccccccccccccccccccccccccc :0@0 master,fail,noaddr - 0 0 0 disconnected 8\n\
         dddddddddddddddddddddddddddddddddddddddd 10.0.0.4:7003@17003 handshake - 1 0 0 connected\n\
         vars currentEpoch 9 lastVoteEpoch 8\n"
    );
    let conf = parse_conf(&text).unwrap();
    assert_eq!((conf.current_epoch, conf.last_vote_epoch), (9, 8));
    let topology = parse_nodes(&text).unwrap();
    let [one, two, three, four] = &topology.nodes[..] else {
        panic!("four nodes")
    };
    assert_eq!(
        (one.ip.as_str(), one.port, one.bus_port),
        ("127.0.0.1", 7000, 17000)
    );
    assert_eq!(one.hostname.as_deref(), Some("one.example"));
    assert_eq!(
        one.slots.ranges(),
        [SlotRange::new(0, 5).unwrap(), SlotRange::new(7, 7).unwrap()]
    );
    let b: NodeId = B.parse().unwrap();
    assert_eq!(one.migrating, [OpenSlot { slot: 7, node: b }]);
    assert_eq!(one.importing, [OpenSlot { slot: 9, node: b }]);
    assert_eq!(
        (two.ip.as_str(), two.port, two.link),
        ("::1", 7001, Link::Disconnected)
    );
    assert_eq!(
        two.flags,
        NodeFlags::REPLICA | NodeFlags::PFAIL | NodeFlags::NOFAILOVER
    );
    assert_eq!(two.primary, Some(A.parse().unwrap()));
    assert_eq!(
        three.flags,
        NodeFlags::PRIMARY | NodeFlags::FAIL | NodeFlags::NOADDR
    );
    assert_eq!(
        (three.ip.as_str(), three.endpoint.as_deref(), three.port),
        ("", None, 0)
    );
    assert_eq!(four.flags, NodeFlags::HANDSHAKE);

    let mut again = String::new();
    write_nodes(&topology, &mut again);
    let nodes: String = text
        .lines()
        .filter(|line| !line.starts_with("vars"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(again, nodes);
    let without_handshake: String = text
        .lines()
        .filter(|line| !line.contains("handshake"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(write_conf(&conf), without_handshake);
}

#[test]
fn a_client_reads_other_engines_and_older_ones() {
    let text = format!(
        "{A} 127.0.0.1:7000@17000,,tls-port=0,shard-id={A} myself,master - 0 0 1 connected 0-9\n\
         {B} 127.0.0.1:7001 replica,brand-new {A} 0 0 1 connected\n"
    );
    let topology = parse_nodes(&text).unwrap();
    assert_eq!(topology.nodes[0].hostname, None);
    assert_eq!(topology.nodes[1].bus_port, 17001);
    assert!(topology.nodes[1].is_replica());
    assert_eq!(reason(&text), (2, "unknown flag \"brand-new\"".to_owned()));
}

#[test]
fn a_fresh_stock_file_and_one_without_vars() {
    let fresh = format!("{A} :0@0 myself,master - 0 0 0 connected\nvars currentEpoch 0 lastVoteEpoch 0\n");
    assert_eq!(write_conf(&parse_conf(&fresh).unwrap()), fresh);
    let bare = format!("\n{A} :0@0 myself,master - 0 0 0 connected");
    assert_eq!(parse_conf(&bare).unwrap().current_epoch, 0);
}

#[test]
fn damage_is_told_with_its_line() {
    let good = format!("{A} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-9\n");
    let with = |line: &str| reason(&format!("{good}{line}\n"));
    assert_eq!(reason(""), (1, "no node is myself".into()));
    assert_eq!(
        reason("vars currentEpoch 1 lastVoteEpoch 0\n"),
        (1, "no node is myself".into())
    );
    assert_eq!(
        reason("\0\0\0\0"),
        (1, "a node has at least 8 fields, this line has 1".into())
    );
    assert_eq!(
        with("vars currentEpoch"),
        (2, "vars wants pairs of a name and a number".into())
    );
    assert_eq!(
        with("vars currentEpoch -1"),
        (2, "currentEpoch \"-1\" is not a number".into())
    );
    let line = |from: &str, to: &str| {
        with(&format!("{B} 127.0.0.1:7001@17001 master - 0 0 2 connected 10-11").replace(from, to)).1
    };
    assert_eq!(
        line(B, "B0"),
        "the node id \"B0\" is not 40 lowercase hexadecimal digits"
    );
    assert_eq!(line(B, A), format!("node {A} is described twice"));
    assert_eq!(
        line(":7001", ""),
        "the address \"127.0.0.1@17001\" is not ip:port@bus-port[,hostname]"
    );
    assert_eq!(
        line("7001@", "70010@"),
        "the address \"127.0.0.1:70010@17001\" is not ip:port@bus-port[,hostname]"
    );
    assert_eq!(
        line(" - ", " x "),
        "the node id \"x\" is not 40 lowercase hexadecimal digits"
    );
    assert_eq!(
        line(" - ", &format!(" {} ", B.replace('b', "c"))),
        format!("node {} is named, but not described", B.replace('b', "c"))
    );
    assert_eq!(line(" 2 ", " two "), "epoch \"two\" is not a number");
    assert_eq!(
        line("10-11", "11-10"),
        "\"11-10\" is not a slot, a range of slots or an open slot"
    );
    assert_eq!(
        line("10-11", "16384"),
        "\"16384\" is not a slot, a range of slots or an open slot"
    );
    assert_eq!(line("10-11", "9"), "slot 9 has two owners");
    assert_eq!(line("10-11", "10 10"), "slot 10 has two owners");
    assert_eq!(
        line("10-11", "[10->-x]"),
        "\"[10->-x]\" is not a slot, a range of slots or an open slot"
    );
    assert_eq!(line("10-11", &format!("[1->-{A}]")), "only myself has open slots");
    assert_eq!(line("master", "master,myself"), "two nodes are myself");
    for open in ["[", "[]", "[1", "[1]", "[-]", "[1->", "[1->-]", "[99999->-x]"] {
        assert!(
            line("10-11", open).ends_with("is not a slot, a range of slots or an open slot"),
            "{open}"
        );
    }
}

fn any_id() -> impl Strategy<Value = NodeId> {
    any::<[u8; 20]>().prop_map(NodeId::from_random)
}

fn any_conf() -> impl Strategy<Value = NodesConf> {
    let node = (
        any_id(),
        prop_oneof![
            Just(String::new()),
            "[0-9]{1,3}\\.[0-9]\\.0\\.1",
            "[0-9a-f]{1,4}::[0-9a-f]{1,4}"
        ],
        (
            any::<u16>(),
            any::<u16>(),
            prop::option::of("[a-z][a-z0-9.-]{0,20}"),
        ),
        (any::<u64>(), any::<u64>(), any::<u64>(), any::<bool>()),
        0..1024u16,
    );
    let owners = prop::collection::vec(prop::option::of(any::<prop::sample::Index>()), SLOT_COUNT / 64);
    (
        prop::collection::vec(node, 1..8),
        owners,
        any::<u64>(),
        any::<u64>(),
    )
        .prop_map(|(rows, owners, current, vote)| {
            let mut nodes: Vec<TopologyNode> = rows
                .into_iter()
                .map(
                    |(id, ip, (port, bus_port, hostname), (ping_ms, pong_ms, epoch, up), flags)| {
                        TopologyNode {
                            id: Some(id),
                            endpoint: (!ip.is_empty()).then(|| ip.clone()),
                            ip,
                            port,
                            bus_port,
                            hostname,
                            ping_ms,
                            pong_ms,
                            epoch,
                            link: if up { Link::Connected } else { Link::Disconnected },
                            flags: NodeFlags::from_bits_truncate(flags)
                                - NodeFlags::MYSELF
                                - NodeFlags::HANDSHAKE
                                - NodeFlags::MEET
                                - NodeFlags::MIGRATE_TO,
                            ..TopologyNode::default()
                        }
                    },
                )
                .collect();
            let first = nodes[0].id.unwrap();
            nodes[0].flags |= NodeFlags::MYSELF;
            for node in nodes[1..].iter_mut().filter(|node| node.is_replica()) {
                node.primary = Some(first);
            }
            for (at, owner) in owners.iter().enumerate() {
                let count = nodes.len();
                if let Some(owner) = owner {
                    let start = (at * 64) as u16;
                    nodes[owner.index(count)]
                        .slots
                        .insert(SlotRange::new(start, start + (at % 64) as u16).unwrap());
                }
            }
            nodes[0].migrating = vec![OpenSlot { slot: 3, node: first }];
            nodes[0].importing = vec![
                OpenSlot { slot: 2, node: first },
                OpenSlot { slot: 9, node: first },
            ];
            NodesConf {
                topology: Topology { nodes },
                current_epoch: current,
                last_vote_epoch: vote,
            }
        })
}

proptest! {
    #[test]
    fn conf_round_trip(conf in any_conf()) {
        let text = write_conf(&conf);
        prop_assert_eq!(&parse_conf(&text).unwrap(), &conf);
        prop_assert_eq!(&parse_nodes(&text).unwrap(), &conf.topology);
    }

    #[test]
    fn random_text_never_panics(text in "[ -~\n\\[\\]<>a0é-]{0,300}") {
        let _ = (parse_nodes(&text), parse_conf(&text));
    }

    #[test]
    fn damaged_files_never_panic_and_what_is_taken_is_kept(conf in any_conf(), at: prop::sample::Index, byte in 0..128u8) {
        let mut bytes = write_conf(&conf).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let text = String::from_utf8(bytes).unwrap();
        if let Ok(conf) = parse_conf(&text) {
            prop_assert_eq!(parse_conf(&write_conf(&conf)).map(|again| again.topology.myself().is_some()), Ok(true));
        }
    }
}

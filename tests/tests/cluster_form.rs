//! Clusters that redis-cli forms of our nodes, of stock redis-servers, and of both: redis-cli finds them to be right, a
//! client finds its data, replicas have copies and serve them to those who ask for that.

use e2e::{Kind, Nodes, Router, Sample};
use slotcore::resp::Reply;
use slotcore::slot::slot_of;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
const OURS: Kind = Kind::Slotmark;
const STOCK: Kind = Kind::Stock;

fn forms(kinds: [Kind; 6]) {
    let Some(nodes) = Nodes::create(NODE, &kinds) else {
        return;
    };
    nodes.check();
    let primaries: Vec<usize> = nodes.pairs().iter().map(|pair| pair.0).collect();
    assert_eq!(primaries, [0, 1, 2], "each has one replica");
    let mut sample = Sample::new(&nodes);
    sample.write(2000);
    sample.check();
    let mut router = Router::new(nodes.ports());
    for words in EFFECTS.iter().filter(|words| nodes.have(words[0])) {
        let reply = router.cmd(words);
        assert!(!matches!(reply, Reply::Error(_)), "{words:?}: {reply:?}");
    }
    nodes.assert_replicas_are_copies();
    for (_, replica) in nodes.pairs() {
        let digest = nodes.node(replica).digest();
        assert!(
            digest.bytes().any(|byte| byte != b'0'),
            "node {replica} has no data"
        );
    }
    replicas_serve_reads(&nodes);
}

/// Commands whose effects replicas get as something else, and types that the sample does not have.
const EFFECTS: &[&[&str]] = &[
    &["RPUSH", "list", "a", "b", "c"],
    &["LPOP", "list"],
    &["SADD", "set", "a", "b", "c", "d"],
    &["SPOP", "set", "2"],
    &["INCRBYFLOAT", "float", "3.25"],
    &["SET", "expires", "later", "EX", "1000"],
    &["GETEX", "expires", "PX", "1000000"],
    &["SET", "expired", "soon", "PX", "1"],
    &["APPEND", "appended", "text"],
    &["RENAME", "appended", "{appended}2"],
    &["XADD", "stream", "*", "field", "value"],
    &["PFADD", "log", "a", "b"],
    &["SETBIT", "bits", "1000", "1"],
    &["GEOADD", "geo", "13.36", "38.11", "Palermo"],
    &[
        "EVAL",
        "return redis.call('SET', KEYS[1], 'by script')",
        "1",
        "script",
    ],
];

fn replicas_serve_reads(nodes: &Nodes) {
    let key = "key:0";
    let primary = nodes.primary_of(slot_of(key.as_bytes()));
    let mut client = nodes.node(nodes.replica_of(primary)).client();
    let moved = Reply::Error(
        format!(
            "MOVED {} {}",
            slot_of(key.as_bytes()),
            nodes.node(primary).address()
        )
        .into_bytes(),
    );
    let value = Reply::Bulk(b"1".to_vec());
    let ok = Reply::Simple(b"OK".to_vec());
    assert_eq!(client.cmd(&["GET", key]), moved);
    assert_eq!(client.cmd(&["READONLY"]), ok);
    assert_eq!(client.cmd(&["GET", key]), value);
    assert_eq!(client.cmd(&["SET", key, "2"]), moved);
    assert_eq!(client.cmd(&["READWRITE"]), ok);
    assert_eq!(client.cmd(&["GET", key]), moved);
}

#[test]
fn stock_alone() {
    forms([STOCK; 6]);
}

#[test]
fn ours_alone() {
    forms([OURS; 6]);
}

#[test]
fn our_primaries_and_stock_replicas() {
    forms([OURS, OURS, OURS, STOCK, STOCK, STOCK]);
}

#[test]
fn stock_primaries_and_our_replicas() {
    forms([STOCK, STOCK, STOCK, OURS, OURS, OURS]);
}

#[test]
fn both_among_primaries_and_replicas() {
    forms([OURS, STOCK, OURS, STOCK, OURS, STOCK]);
}

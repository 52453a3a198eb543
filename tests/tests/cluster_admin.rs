//! The commands with which an administrator shapes a cluster, and their errors: three nodes, ours or stock, are brought
//! together, told whom to copy, forgotten, met again, reset, and replaced; all of them reply the same.

use std::time::Duration;

use e2e::nodes::SOON;
use e2e::{Client, Kind, Nodes, wait_for};
use slotcore::resp::Reply;
use slotcore::topology::NodeFlags;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
const OURS: Kind = Kind::Slotmark;
const STOCK: Kind = Kind::Stock;

/// Three nodes, and what they were called.
struct Scene {
    nodes: Nodes,
    ids: Vec<String>,
}

impl Scene {
    fn new(kinds: [Kind; 3]) -> Option<Self> {
        let nodes = Nodes::start(NODE, &kinds)?;
        let ids = (0..3).map(|at| nodes.node(at).id().to_string()).collect();
        Some(Self { nodes, ids })
    }

    /// A line of words; `<2>` is the name of node 2 and `<port2>` its port.
    fn ask(&self, client: &mut Client, line: &str) -> Reply {
        let mut line = line.to_owned();
        for (at, id) in self.ids.iter().enumerate() {
            let port = self.nodes.node(at).port().to_string();
            line = line
                .replace(&format!("<{at}>"), id)
                .replace(&format!("<port{at}>"), &port);
        }
        client.cmd(&line.split(' ').collect::<Vec<_>>())
    }

    /// Node `at` gets this line and gives this reply, both with names and ports as in [`Scene::ask`].
    #[track_caller]
    fn says(&self, at: usize, line: &str, expected: &str) {
        let reply = self.ask(&mut self.nodes.node(at).client(), line);
        let mut text = match reply {
            Reply::Simple(text) => format!("+{}", String::from_utf8_lossy(&text)),
            Reply::Error(text) => format!("-{}", String::from_utf8_lossy(&text)),
            Reply::Integer(number) => format!(":{number}"),
            other => format!("{other:?}"),
        };
        for (at, id) in self.ids.iter().enumerate() {
            text = text.replace(id, &format!("<{at}>"));
        }
        assert_eq!(text, expected, "node {at}: {line}");
    }

    /// All lines with their replies.
    #[track_caller]
    fn all(&self, at: usize, lines: &[(&str, &str)]) {
        for (line, expected) in lines {
            self.says(at, line, expected);
        }
    }

    /// How many nodes node `at` knows, those that have no name yet included.
    fn known(&self, at: usize) -> usize {
        self.nodes.node(at).topology().expect("it answers").nodes.len()
    }

    fn wait_until_known(&self, at: usize, count: usize) {
        wait_for("nodes to get to know each other", SOON, || {
            let topology = self.nodes.node(at).topology()?;
            let strangers = topology
                .nodes
                .iter()
                .any(|node| node.flags.contains(NodeFlags::HANDSHAKE));
            (topology.nodes.len() == count && !strangers).then_some(())
        });
    }

    /// Node 2, which lost its name or its memory, comes back as a primary without slots.
    fn meet_again(&mut self) {
        self.ids[2] = self.nodes.node(2).id().to_string();
        self.says(0, "CLUSTER MEET 127.0.0.1 <port2>", "+OK");
        for at in 0..3 {
            self.wait_until_known(at, 3);
        }
    }

    /// And becomes a replica of node 0.
    fn take_in_again(&mut self) {
        self.meet_again();
        self.says(2, "CLUSTER REPLICATE <0>", "+OK");
        self.nodes.wait_until_settled();
        self.nodes.assert_replicas_are_copies();
        assert_eq!(self.nodes.pairs(), [(0, 1), (0, 2)]);
    }

    /// The nodes 0 and 1 have found out that the node they knew as node 2 is not there any more, and forget it.
    fn forget_the_lost_one(&self) {
        for at in [0, 1] {
            wait_for("the name to be found gone", SOON, || {
                let topology = self.nodes.node(at).topology()?;
                let lost = topology
                    .nodes
                    .iter()
                    .find(|node| node.id.is_some_and(|id| id.as_str() == self.ids[2]))?;
                lost.flags
                    .intersects(NodeFlags::NOADDR | NodeFlags::FAIL)
                    .then_some(())
            });
            self.says(at, "CLUSTER FORGET <2>", "+OK");
        }
        for at in [0, 1] {
            self.wait_until_known(at, 2);
        }
    }
}

/// Three nodes that are strangers.
fn errors_of_strangers(scene: &Scene) {
    scene.all(
        0,
        &[
            (
                "CLUSTER MEET",
                "-ERR wrong number of arguments for 'cluster|meet' command",
            ),
            ("CLUSTER MEET x 1", "-ERR Invalid node address specified: x:1"),
            (
                "CLUSTER MEET 127.0.0.1 abc",
                "-ERR Invalid TCP base port specified: abc",
            ),
            (
                "CLUSTER MEET 127.0.0.1 1 abc",
                "-ERR Invalid TCP bus port specified: abc",
            ),
            (
                "CLUSTER MEET 127.0.0.1 70000",
                "-ERR Invalid node address specified: 127.0.0.1:70000",
            ),
            (
                "CLUSTER MEET 127.0.0.1 60000",
                "-ERR Invalid node address specified: 127.0.0.1:60000",
            ),
            (
                "CLUSTER MEET 127.0.0.1 0",
                "-ERR Invalid node address specified: 127.0.0.1:0",
            ),
            ("CLUSTER REPLICATE <1>", "-ERR Unknown node <1>"),
            ("CLUSTER REPLICATE short", "-ERR Unknown node short"),
            ("CLUSTER FORGET <1>", "-ERR Unknown node <1>"),
            ("CLUSTER REPLICAS <1>", "-ERR Unknown node <1>"),
            ("CLUSTER SLAVES <1>", "-ERR Unknown node <1>"),
            ("CLUSTER COUNT-FAILURE-REPORTS <1>", "-ERR Unknown node <1>"),
            (
                "CLUSTER FAILOVER",
                "-ERR You should send CLUSTER FAILOVER to a replica",
            ),
            ("CLUSTER FAILOVER NOW", "-ERR syntax error"),
            ("CLUSTER RESET NOW", "-ERR syntax error"),
            (
                "CLUSTER SET-CONFIG-EPOCH -1",
                "-ERR Invalid config epoch specified: -1",
            ),
        ],
    );
}

/// Node 0 gets all slots and the others as replicas.
fn bring_together(scene: &Scene) {
    for (at, epoch) in [":1", ":2", ":3"].iter().enumerate() {
        scene.says(at, &format!("CLUSTER SET-CONFIG-EPOCH {}", &epoch[1..]), "+OK");
    }
    scene.all(
        0,
        &[
            (
                "CLUSTER SET-CONFIG-EPOCH 9",
                "-ERR Node config epoch is already non-zero",
            ),
            ("CLUSTER ADDSLOTSRANGE 0 16383", "+OK"),
            ("CLUSTER MEET 127.0.0.1 <port1>", "+OK"),
            ("CLUSTER MEET 127.0.0.1 <port2>", "+OK"),
        ],
    );
    for at in 0..3 {
        scene.wait_until_known(at, 3);
    }
    // A replica needs to know that its primary is one, and which slots it has.
    scene.nodes.wait_until_settled();
    let knows_others =
        "-ERR The user can assign a config epoch only when the node does not know any other node.";
    scene.all(
        0,
        &[
            ("CLUSTER SET-CONFIG-EPOCH 9", knows_others),
            ("CLUSTER REPLICATE <0>", "-ERR Can't replicate myself"),
            (
                "CLUSTER REPLICATE <1>",
                "-ERR To set a master the node must be empty and without assigned slots.",
            ),
        ],
    );
    scene.says(1, "CLUSTER REPLICATE <0>", "+OK");
    scene.nodes.wait_until_settled();
    scene.all(
        2,
        &[
            (
                "CLUSTER REPLICATE <1>",
                "-ERR I can only replicate a master, not a replica.",
            ),
            ("CLUSTER REPLICATE <0>", "+OK"),
        ],
    );
    scene.nodes.wait_until_settled();
    assert_eq!(scene.nodes.pairs(), [(0, 1), (0, 2)]);
}

fn errors_of_a_cluster(scene: &Scene) {
    scene.says(0, "SET key value", "+OK");
    scene.nodes.assert_replicas_are_copies();
    scene.all(
        0,
        &[
            (
                "CLUSTER FLUSHSLOTS",
                "-ERR DB must be empty to perform CLUSTER FLUSHSLOTS.",
            ),
            (
                "CLUSTER RESET",
                "-ERR CLUSTER RESET can't be called with master nodes containing keys",
            ),
            (
                "CLUSTER RESET HARD",
                "-ERR CLUSTER RESET can't be called with master nodes containing keys",
            ),
            (
                "CLUSTER FORGET <0>",
                "-ERR I tried hard but I can't forget myself...",
            ),
            ("CLUSTER REPLICAS <1>", "-ERR The specified node is not a master"),
            ("CLUSTER COUNT-FAILURE-REPORTS <1>", ":0"),
            (
                "CLUSTER MYID extra",
                "-ERR wrong number of arguments for 'cluster|myid' command",
            ),
        ],
    );
    scene.all(
        1,
        &[
            ("CLUSTER FORGET <0>", "-ERR Can't forget my master!"),
            (
                "CLUSTER FORGET <1>",
                "-ERR I tried hard but I can't forget myself...",
            ),
            ("CLUSTER REPLICATE <1>", "-ERR Can't replicate myself"),
            (
                "CLUSTER REPLICATE <2>",
                "-ERR I can only replicate a master, not a replica.",
            ),
            ("CLUSTER REPLICATE <0>", "+OK"),
            ("CLUSTER FAILOVER NOW", "-ERR syntax error"),
            ("CLUSTER REPLICAS <2>", "-ERR The specified node is not a master"),
            ("CLUSTER ADDSLOTS 1", "-ERR Slot 1 is already busy"),
        ],
    );
    let Reply::Array(lines) = scene.ask(&mut scene.nodes.node(1).client(), "CLUSTER REPLICAS <0>") else {
        panic!("an array")
    };
    let mut names: Vec<&str> = lines
        .iter()
        .map(|line| &line.as_str().expect("text")[..40])
        .collect();
    names.sort_unstable();
    let mut expected = [scene.ids[1].as_str(), scene.ids[2].as_str()];
    expected.sort_unstable();
    assert_eq!(names, expected);
}

/// A node that was forgotten stays so, although it still talks to those who forgot it, until they meet it again.
fn forget_and_meet_again(scene: &Scene) {
    scene.says(0, "CLUSTER FORGET <2>", "+OK");
    scene.says(1, "CLUSTER FORGET <2>", "+OK");
    scene.says(0, "CLUSTER FORGET <2>", "-ERR Unknown node <2>");
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        assert_eq!(
            (scene.known(0), scene.known(1)),
            (2, 2),
            "it came back after {:?}",
            start.elapsed()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(scene.known(2), 3);
    scene.says(0, "CLUSTER MEET 127.0.0.1 <port2>", "+OK");
    // Gossip does not bring back what was forgotten less than a minute ago.
    scene.says(1, "CLUSTER MEET 127.0.0.1 <port2>", "+OK");
    scene.nodes.wait_until_settled();
    assert_eq!(scene.nodes.pairs(), [(0, 1), (0, 2)]);
}

fn reset(scene: &mut Scene) {
    scene.says(2, "CLUSTER RESET SOFT", "+OK");
    scene.says(2, "DBSIZE", ":0");
    assert_eq!(scene.known(2), 1);
    assert_eq!(
        scene.nodes.node(2).id().to_string(),
        scene.ids[2],
        "it keeps its name"
    );
    scene
        .nodes
        .wait_until_all_see("the reset node to be a primary", 2, |node| node.primary.is_none());
    scene.take_in_again();

    let mut client = scene.nodes.node(2).client();
    let replies = [
        "MULTI",
        "CLUSTER RESET HARD",
        "CLUSTER SET-CONFIG-EPOCH 5",
        "EXEC",
    ];
    let replies = replies.map(|line| scene.ask(&mut client, line));
    let simple = |text: &str| Reply::Simple(text.as_bytes().to_vec());
    assert_eq!(
        replies[3],
        Reply::Array(vec![simple("OK"), simple("OK")]),
        "{replies:?}"
    );
    let info = |name| scene.nodes.node(2).field(&["CLUSTER", "INFO"], name);
    // Our node changes its role when EXEC has given its slots back.
    wait_for("the epochs to be the new ones", SOON, || {
        let epochs = (info("cluster_current_epoch"), info("cluster_my_epoch"));
        (epochs == ("5".into(), "5".into())).then_some(())
    });
    assert_ne!(
        scene.nodes.node(2).id().to_string(),
        scene.ids[2],
        "it has a new name"
    );
    assert_eq!(scene.known(2), 1);
    scene.forget_the_lost_one();
    scene.take_in_again();
}

/// A node whose disk was replaced comes up on its old port under another name.
fn replace(scene: &mut Scene) {
    scene.nodes.node_mut(2).kill();
    scene.nodes.node_mut(2).restart_as_new();
    scene.forget_the_lost_one();
    scene.take_in_again();
}

/// A replica goes from one primary to another and back.
fn change_primaries(scene: &mut Scene) {
    // Not by RESET: a stock node that is reset keeps the name of the stream that it copied, and those who copied the
    // same one go on with their old data (seen in 7.0.15).
    scene.nodes.node_mut(2).kill();
    scene.nodes.node_mut(2).restart_as_new();
    scene.forget_the_lost_one();
    scene.meet_again();
    scene.nodes.wait_until_settled();
    scene.says(1, "CLUSTER REPLICATE <2>", "+OK");
    scene.nodes.wait_until_settled();
    assert_eq!(scene.nodes.pairs(), [(2, 1)]);
    scene.nodes.assert_replicas_are_copies();
    scene.says(1, "DBSIZE", ":0");
    scene.says(1, "CLUSTER REPLICATE <0>", "+OK");
    scene.nodes.wait_until_settled();
    assert_eq!(scene.nodes.pairs(), [(0, 1)]);
    scene.nodes.assert_replicas_are_copies();
    scene.says(1, "DBSIZE", ":1");

    scene.all(
        0,
        &[
            ("FLUSHALL", "+OK"),
            ("CLUSTER RESET HARD", "+OK"),
            ("CLUSTER COUNTKEYSINSLOT 0", ":0"),
        ],
    );
    assert_eq!(scene.known(0), 1);
    let info = |name| scene.nodes.node(0).field(&["CLUSTER", "INFO"], name);
    assert_eq!(
        (info("cluster_slots_assigned"), info("cluster_state")),
        ("0".into(), "fail".into())
    );
}

fn administer(kinds: [Kind; 3]) {
    let Some(mut scene) = Scene::new(kinds) else {
        return;
    };
    errors_of_strangers(&scene);
    bring_together(&scene);
    errors_of_a_cluster(&scene);
    forget_and_meet_again(&scene);
    reset(&mut scene);
    replace(&mut scene);
    change_primaries(&mut scene);
}

/// Whoever copied the stream that a node copied before it was reset gets all of its data anew: none of it is in there.
#[test]
fn a_reset_node_has_no_past() {
    let Some(scene) = Scene::new([STOCK, STOCK, OURS]) else {
        return;
    };
    bring_together(&scene);
    scene.says(0, "SET key value", "+OK");
    scene.nodes.assert_replicas_are_copies();
    scene.says(2, "CLUSTER RESET SOFT", "+OK");
    scene
        .nodes
        .wait_until_all_see("the reset node to be a primary", 2, |node| node.primary.is_none());
    scene.says(0, "CLUSTER MEET 127.0.0.1 <port2>", "+OK");
    scene.wait_until_known(2, 3);
    scene.nodes.wait_until_settled();
    scene.says(1, "CLUSTER REPLICATE <2>", "+OK");
    scene.nodes.wait_until_settled();
    assert_eq!(scene.nodes.pairs(), [(2, 1)]);
    scene.nodes.assert_replicas_are_copies();
    scene.says(1, "DBSIZE", ":0");
}

#[test]
fn stock_alone() {
    administer([STOCK; 3]);
}

#[test]
fn ours_alone() {
    administer([OURS; 3]);
}

#[test]
fn our_primary_and_mixed_replicas() {
    administer([OURS, STOCK, OURS]);
}

#[test]
fn stock_primary_and_mixed_replicas() {
    administer([STOCK, OURS, STOCK]);
}

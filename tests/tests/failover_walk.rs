//! What users do to a cluster to see whether it holds: a primary goes down, its replica takes over, nothing is lost, the
//! old primary comes back as a replica, and administrators move the role by hand.

use std::time::{Duration, Instant};

use e2e::nodes::SOON;
use e2e::{Kind, Nodes, Sample};
use slotcore::resp::Reply;
use slotcore::topology::NodeFlags;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
const OURS: Kind = Kind::Slotmark;
const STOCK: Kind = Kind::Stock;

/// How a primary goes down.
#[derive(Clone, Copy, Debug)]
enum Down {
    Terminated,
    Killed,
    Stopped,
}

fn walk(kinds: [Kind; 6]) {
    let Some(mut nodes) = Nodes::create(NODE, &kinds) else {
        return;
    };
    let mut sample = Sample::new(&nodes);
    sample.write(600);
    let ways = [Down::Terminated, Down::Killed, Down::Stopped];
    for (primary, down) in ways.into_iter().enumerate() {
        lose_and_regain(&mut nodes, &mut sample, primary, down);
    }
    // Each of the three has lost its role above, and gets it back.
    for (primary, options) in [["CLUSTER", "FAILOVER"].as_slice(), FORCE, TAKEOVER]
        .into_iter()
        .enumerate()
    {
        hand_over(&nodes, &mut sample, primary, options);
    }
    nodes.check();
}

const FORCE: &[&str] = &["CLUSTER", "FAILOVER", "FORCE"];
const TAKEOVER: &[&str] = &["CLUSTER", "FAILOVER", "TAKEOVER"];

fn lose_and_regain(nodes: &mut Nodes, sample: &mut Sample, primary: usize, down: Down) {
    let replica = nodes.replica_of(primary);
    // What has not been copied yet would be lost rightly.
    nodes.assert_replicas_are_copies();
    let start = Instant::now();
    match down {
        Down::Terminated => nodes.node_mut(primary).terminate(),
        Down::Killed => nodes.node_mut(primary).kill(),
        Down::Stopped => nodes.node_mut(primary).stop(),
    }
    nodes.wait_until_promoted(replica);
    let kinds = (nodes.node(primary).kind(), nodes.node(replica).kind());
    eprintln!(
        "{down:?} {:?}: {:?} took over in {:?}",
        kinds.0,
        kinds.1,
        start.elapsed()
    );
    nodes.wait_until_all_see("the old primary to be held failed", primary, |node| {
        node.flags.contains(NodeFlags::FAIL)
    });
    sample.check();
    sample.write(150);

    match down {
        Down::Stopped => nodes.node_mut(primary).go_on(),
        _ => nodes.node_mut(primary).restart(),
    }
    becomes_a_copy(nodes, primary, replica);
    sample.check();
}

/// Node `replica`, which was the primary of `primary`, follows it now, and has its data.
fn becomes_a_copy(nodes: &Nodes, replica: usize, primary: usize) {
    let id = nodes.node(primary).id();
    nodes.wait_until_all_see("the old primary to be a replica", replica, |node| {
        node.primary == Some(id)
    });
    nodes.wait_until_settled();
    nodes.assert_replicas_are_copies();
}

/// An administrator has node `replica` take its primary's place.
fn hand_over(nodes: &Nodes, sample: &mut Sample, replica: usize, options: &[&str]) {
    let primary = nodes
        .pairs()
        .iter()
        .find(|pair| pair.1 == replica)
        .expect("it is a replica")
        .0;
    nodes.assert_replicas_are_copies();
    let mut client = nodes.node(replica).client();
    assert_eq!(client.cmd(options), Reply::Simple(b"OK".to_vec()));
    let start = Instant::now();
    while nodes.node(replica).field(&["INFO", "replication"], "role") != "master" {
        assert!(start.elapsed() < SOON, "{options:?} does not succeed");
        match options {
            // Nothing is lost that was acknowledged while the role moved.
            ["CLUSTER", "FAILOVER"] => sample.write_one(),
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    eprintln!(
        "{options:?} of {:?}: {:?}",
        nodes.node(replica).kind(),
        start.elapsed()
    );
    nodes.wait_until_promoted(replica);
    becomes_a_copy(nodes, primary, replica);
    sample.check();
    sample.write(50);
}

#[test]
fn stock_alone() {
    walk([STOCK; 6]);
}

#[test]
fn ours_alone() {
    walk([OURS; 6]);
}

#[test]
fn our_primaries_and_stock_replicas() {
    walk([OURS, OURS, OURS, STOCK, STOCK, STOCK]);
}

#[test]
fn stock_primaries_and_our_replicas() {
    walk([STOCK, STOCK, STOCK, OURS, OURS, OURS]);
}

#[test]
fn both_among_primaries_and_replicas() {
    walk([OURS, STOCK, OURS, STOCK, OURS, STOCK]);
}

//! Messages in clusters of our nodes and stock's.

use std::time::Duration;

use e2e::{Client, Kind, Nodes, wait_for};
use slotcore::resp::Reply;
use slotcore::slot_of;

use crate::NODE;

const OURS: Kind = Kind::Slotmark;
const STOCK: Kind = Kind::Stock;

fn message(kind: &str, channel: &str, payload: &str) -> Reply {
    Reply::Array(
        [kind, channel, payload]
            .map(|part| Reply::Bulk(part.into()))
            .into(),
    )
}

fn subscribed(client: &mut Client, verb: &str, channel: &str) {
    let reply = client.cmd(&[verb, channel]);
    assert_eq!(
        reply.as_array().map(<[Reply]>::len),
        Some(3),
        "{verb} {channel}: {reply:?}"
    );
}

/// A channel whose slot this node's shard owns, and that begins with these words.
fn channel_of(nodes: &Nodes, primary: usize, words: &str) -> String {
    (0..)
        .map(|i| format!("{words} {i}"))
        .find(|channel| nodes.primary_of(slot_of(channel.as_bytes())) == primary)
        .expect("every primary has slots")
}

#[test]
fn messages_cross_a_mixed_cluster() {
    let Some(nodes) = Nodes::create(NODE, &[OURS, STOCK, OURS, STOCK, OURS, STOCK]) else {
        return;
    };
    let mut listeners: Vec<Client> = (0..nodes.len()).map(|at| nodes.node(at).client()).collect();
    let mut by_pattern: Vec<Client> = (0..nodes.len()).map(|at| nodes.node(at).client()).collect();
    listeners
        .iter_mut()
        .for_each(|client| subscribed(client, "SUBSCRIBE", "news"));
    by_pattern
        .iter_mut()
        .for_each(|client| subscribed(client, "PSUBSCRIBE", "n?ws"));
    let large = "x".repeat(1 << 20);
    for at in 0..nodes.len() {
        let mut publisher = nodes.node(at).client();
        for payload in [&format!("from {at}"), &large, &String::new()] {
            assert_eq!(
                publisher.cmd(&["PUBLISH", "news", payload]),
                Reply::Integer(2),
                "at {at}"
            );
        }
        publisher.cmd(&["MULTI"]);
        publisher.cmd(&["PUBLISH", "news", "in a transaction"]);
        assert_eq!(publisher.cmd(&["EXEC"]), Reply::Array(vec![Reply::Integer(2)]));
        for (there, client) in listeners.iter_mut().enumerate() {
            for payload in [&format!("from {at}"), &large, "", "in a transaction"] {
                assert!(
                    client.reply() == message("message", "news", payload),
                    "from {at} to {there}"
                );
            }
        }
        for client in &mut by_pattern {
            for _ in 0..4 {
                let reply = client.reply();
                assert_eq!(reply.as_array().map(<[Reply]>::len), Some(4));
            }
        }
    }
    shard_channels(&nodes);
    too_long(&nodes);
}

/// SPUBLISH reaches the primary and the replica of the channel's shard, whichever of them it is sent to; others redirect.
fn shard_channels(nodes: &Nodes) {
    for (primary, replica) in nodes.pairs() {
        let channel = channel_of(nodes, primary, "shard");
        let mut listeners = [primary, replica].map(|at| nodes.node(at).client());
        listeners
            .iter_mut()
            .for_each(|client| subscribed(client, "SSUBSCRIBE", &channel));
        for at in [primary, replica] {
            let payload = format!("from {at}");
            let reply = nodes.node(at).client().cmd(&["SPUBLISH", &channel, &payload]);
            assert_eq!(reply, Reply::Integer(1), "to {at}");
            for client in &mut listeners {
                assert_eq!(client.reply(), message("smessage", &channel, &payload));
            }
        }
    }
    // Redirects and errors are the same, whoever gives them.
    let foreign = [(0, 1), (1, 0), (2, 0), (4, 0), (5, 1)];
    for (at, primary) in foreign {
        let channel = channel_of(nodes, primary, "shard");
        let slot = slot_of(channel.as_bytes());
        if nodes.pairs().contains(&(primary, at)) {
            continue;
        }
        let moved = Reply::Error(format!("MOVED {slot} {}", nodes.node(primary).address()).into_bytes());
        let mut client = nodes.node(at).client();
        assert_eq!(client.cmd(&["SSUBSCRIBE", &channel]), moved, "at {at}");
        assert_eq!(client.cmd(&["SUNSUBSCRIBE", &channel]), moved, "at {at}");
        assert_eq!(client.cmd(&["SPUBLISH", &channel, "m"]), moved, "at {at}");
        assert_eq!(client.cmd(&["GET", &channel]), moved, "at {at}");
    }
    for at in [0, 1] {
        let mut client = nodes.node(at).client();
        let crossslot = Reply::Error(b"CROSSSLOT Keys in request don't hash to the same slot".to_vec());
        assert_eq!(client.cmd(&["SSUBSCRIBE", "a", "b"]), crossslot);
        let tagged = client.cmd(&["SSUBSCRIBE", "{a}1", "{a}2"]);
        assert!(
            !matches!(&tagged, Reply::Error(text) if text.starts_with(b"CROSSSLOT")),
            "{tagged:?}"
        );
        let none = Client::cmd(&mut nodes.node(at).client(), &["SUNSUBSCRIBE"]);
        assert_eq!(none.as_array().map(<[Reply]>::len), Some(3));
    }
}

/// What no node of ours could take in is refused before anybody hears of it.
fn too_long(nodes: &Nodes) {
    let mut client = nodes.node(0).client();
    client.set_patience(Duration::from_secs(30));
    let reply = client.cmd_bytes(&[b"PUBLISH", b"news", &vec![b'x'; 64 << 20]]);
    let expected = "ERR a channel and its message may have 67106600 bytes in a cluster";
    assert_eq!(reply, Reply::Error(expected.into()));
    assert_eq!(client.cmd(&["PUBLISH", "news", "short"]), Reply::Integer(2));
}

/// The last frame that tells a client of the end of its subscription.
fn gone(channel: &str, left: i64) -> Reply {
    Reply::Array(vec![
        Reply::Bulk(b"sunsubscribe".to_vec()),
        Reply::Bulk(channel.into()),
        Reply::Integer(left),
    ])
}

#[test]
fn shard_channels_end_when_their_slots_go() {
    let Some(nodes) = Nodes::create(NODE, &[OURS, STOCK, OURS, STOCK, OURS, STOCK]) else {
        return;
    };
    // A slot goes from one primary to another: subscribers at the old one and at its replica are told.
    for (from, to) in [(0, 1), (1, 0)] {
        let channel = channel_of(&nodes, from, &format!("from {from}"));
        let tag = format!("{{{channel}}}2");
        let slot = slot_of(channel.as_bytes()).to_string();
        let to_id = nodes.node(to).id().to_string();
        let mut at_primary = nodes.node(from).client();
        subscribed(&mut at_primary, "SSUBSCRIBE", &channel);
        subscribed(&mut at_primary, "SSUBSCRIBE", &tag);
        let mut at_replica = nodes.node(nodes.replica_of(from)).client();
        subscribed(&mut at_replica, "SSUBSCRIBE", &channel);
        // With the largest epoch first: else whoever hears of both claims keeps the old owner.
        nodes.node(to).client().cmd(&["CLUSTER", "BUMPEPOCH"]);
        for at in [to, from] {
            let reply = nodes
                .node(at)
                .client()
                .cmd(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
            assert_eq!(reply, Reply::Simple(b"OK".to_vec()));
        }
        let mut ends = [at_primary.reply(), at_primary.reply()];
        // Which of the two goes first is the table's choice.
        let expected = match ends[0]
            .as_array()
            .map(|parts| parts[1] == Reply::Bulk(channel.clone().into()))
        {
            Some(true) => [gone(&channel, 1), gone(&tag, 0)],
            _ => [gone(&tag, 1), gone(&channel, 0)],
        };
        assert_eq!(ends, expected, "from {from}");
        ends[0] = at_replica.reply();
        assert_eq!(ends[0], gone(&channel, 0), "at the replica of {from}");
        // It is out of subscribed mode, and redirected.
        let reply = at_primary.cmd(&["GET", &channel]);
        assert!(
            matches!(&reply, Reply::Error(text) if text.starts_with(b"MOVED")),
            "{reply:?}"
        );
        let counts = nodes.node(from).client().cmd(&["PUBSUB", "SHARDCHANNELS"]);
        assert_eq!(counts, Reply::Array(vec![]));
        // All know of it, and of the epoch, before there is a next one.
        let moved = Reply::Error(format!("MOVED {slot} {}", nodes.node(to).address()).into_bytes());
        let knows = |at: usize| at == to || nodes.node(at).client().cmd(&["GET", &channel]) == moved;
        wait_for("all nodes to know the new owner", Duration::from_secs(20), || {
            (0..nodes.len()).all(knows).then_some(())
        });
    }
    // A replica takes its primary's place: there the subscription goes on, at the old primary it ends.
    for (primary, replica) in nodes.pairs().into_iter().take(2) {
        let channel = channel_of(&nodes, primary, &format!("demoted {primary}"));
        let mut at_primary = nodes.node(primary).client();
        let mut at_replica = nodes.node(replica).client();
        subscribed(&mut at_primary, "SSUBSCRIBE", &channel);
        subscribed(&mut at_replica, "SSUBSCRIBE", &channel);
        wait_for("the failover to begin", Duration::from_secs(20), || {
            let reply = nodes.node(replica).client().cmd(&["CLUSTER", "FAILOVER"]);
            (reply == Reply::Simple(b"OK".to_vec())).then_some(())
        });
        assert_eq!(at_primary.reply(), gone(&channel, 0), "{primary} was demoted");
        nodes.wait_until_promoted(replica);
        assert_eq!(
            nodes.node(replica).client().cmd(&["SPUBLISH", &channel, "after"]),
            Reply::Integer(1)
        );
        assert_eq!(at_replica.reply(), message("smessage", &channel, "after"));
    }
}

/// Other replicas of the same primary learn of a failover as of slots that go elsewhere, stock's and ours alike.
#[test]
fn shard_channels_end_at_the_siblings_of_a_new_primary() {
    let Some(nodes) = Nodes::create(NODE, &[OURS, STOCK, OURS, STOCK, OURS, STOCK]) else {
        return;
    };
    // The heir is one of stock's two replicas, so that one of each is left.
    let mut pairs = nodes.pairs();
    pairs.sort_by_key(|(_, replica)| nodes.node(*replica).kind() == OURS);
    let (primary, heir) = pairs[0];
    let primary_id = nodes.node(primary).id().to_string();
    // All replicas follow one primary now; the others have none.
    let siblings = [pairs[1].1, pairs[2].1];
    let channel = channel_of(&nodes, primary, "siblings");
    let mut listeners: Vec<Client> = siblings
        .iter()
        .map(|at| {
            let mut client = nodes.node(*at).client();
            wait_for(
                "a replica to know its new primary",
                Duration::from_secs(20),
                || {
                    let reply = client.cmd(&["CLUSTER", "REPLICATE", &primary_id]);
                    (reply == Reply::Simple(b"OK".to_vec())).then_some(())
                },
            );
            subscribed(&mut client, "SSUBSCRIBE", &channel);
            client
        })
        .collect();
    let kinds: Vec<Kind> = siblings.iter().map(|at| nodes.node(*at).kind()).collect();
    assert!(kinds.contains(&OURS) && kinds.contains(&STOCK), "{kinds:?}");
    wait_for("the failover to begin", Duration::from_secs(20), || {
        let reply = nodes.node(heir).client().cmd(&["CLUSTER", "FAILOVER"]);
        (reply == Reply::Simple(b"OK".to_vec())).then_some(())
    });
    for client in &mut listeners {
        assert_eq!(client.reply(), gone(&channel, 0));
    }
}

//! The bus as redis-server 7.0.15 speaks it: stock understands every message of ours, and every message of its own is,
//! decoded and encoded again, the same bytes.
#![allow(clippy::unwrap_used)]

use e2e::bus_peer::BusPeer;
use e2e::{Client, Server};
use slotcore::resp::Reply;
use slotcore::topology::nodes::parse_nodes;
use slotcore::topology::{NodeFlags, NodeId, SlotRanges, TopologyNode};
use slotmark_server::cluster::message::{Body, Gossip, Heartbeat, SlotBitmap};

fn stock(directives: &[&str]) -> Option<Server> {
    let always = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
    Server::stock(&[&always, directives].concat())
}

fn id(byte: u8) -> NodeId {
    NodeId::from_random([byte; 20])
}

fn nodes(client: &mut Client) -> Vec<TopologyNode> {
    let Reply::Bulk(text) = client.cmd(&["CLUSTER", "NODES"]) else {
        panic!("a text")
    };
    parse_nodes(std::str::from_utf8(&text).unwrap()).unwrap().nodes
}

fn node(client: &mut Client, id: NodeId) -> Option<TopologyNode> {
    nodes(client).into_iter().find(|node| node.id == Some(id))
}

fn ok(reply: Reply) {
    assert_eq!(reply, Reply::Simple(b"OK".to_vec()));
}

/// A peer that the server has taken in under its own name.
fn met(server: &Server) -> BusPeer {
    let mut peer = BusPeer::dial(server.port(), id(0x11));
    let mut client = server.client();
    peer.send(peer.heartbeat(Heartbeat::Meet));
    peer.until_told("the answer to the meet", |message| match message.body {
        Body::Heartbeat {
            kind: Heartbeat::Pong,
            ..
        } => Some(()),
        _ => None,
    });
    peer.until("the server to know us", |_| {
        node(&mut client, id(0x11)).filter(|node| node.flags == NodeFlags::PRIMARY)
    });
    peer
}

#[test]
fn stock_meets_us_and_believes_what_we_say_of_ourselves() {
    let Some(server) = stock(&["--cluster-announce-hostname", "stock.example"]) else {
        return;
    };
    let mut client = server.client();
    let mut peer = met(&server);
    let (told, hostname) = peer.until_told("a ping", |message| match &message.body {
        Body::Heartbeat {
            kind: Heartbeat::Ping,
            hostname,
            ..
        } => Some((message.header.clone(), hostname.clone())),
        _ => None,
    });
    assert_eq!(hostname.as_deref(), Some("stock.example"));
    assert_eq!(
        Some(told.sender),
        nodes(&mut client)
            .iter()
            .find(|node| node.id != Some(id(0x11)))
            .unwrap()
            .id
    );
    assert_eq!(
        (told.port, told.bus_port),
        (server.port(), server.port() + 10_000)
    );
    assert_eq!(told.flags, NodeFlags::PRIMARY | NodeFlags::MYSELF);
    assert!(!told.cluster_ok && !told.paused && told.primary.is_none() && told.slots.is_empty());

    peer.header.slots = SlotBitmap::from_iter([0, 1, 2, 9, 16383]);
    (
        peer.header.config_epoch,
        peer.header.current_epoch,
        peer.header.offset,
    ) = (7, 8, 77);
    peer.header.flags |= NodeFlags::NOFAILOVER;
    peer.hostname = Some("ours.example".into());
    peer.send(peer.heartbeat(Heartbeat::Ping));
    let seen = peer.until("our slots", |_| {
        node(&mut client, id(0x11)).filter(|node| node.slots.len() == 5)
    });
    assert_eq!(seen.slots, SlotRanges::from_iter([0, 1, 2, 9, 16383]));
    assert_eq!((seen.epoch, seen.hostname.as_deref()), (7, Some("ours.example")));
    assert_eq!(seen.flags, NodeFlags::PRIMARY | NodeFlags::NOFAILOVER);
    assert_eq!(
        (seen.port, seen.bus_port),
        (peer.header.port, peer.header.bus_port)
    );
    peer.until_told("our epoch to come back", |message| {
        (message.header.current_epoch == 8).then_some(())
    });

    // Stock has slot 5 with the smaller epoch, and we claim what it holds with one that is smaller still.
    ok(client.cmd(&["CLUSTER", "ADDSLOTS", "100"]));
    let Reply::Simple(_) = client.cmd(&["CLUSTER", "BUMPEPOCH"]) else {
        panic!("an epoch")
    };
    peer.header.slots.insert(100);
    peer.send(peer.heartbeat(Heartbeat::Ping));
    let update = peer.until_told("an update", |message| match &message.body {
        Body::Update {
            config_epoch,
            node,
            slots,
        } => Some((*config_epoch, *node, slots.clone())),
        _ => None,
    });
    assert_eq!(update, (9, told.sender, SlotBitmap::from_iter([100])));
}

#[test]
fn stock_believes_what_we_say_of_others_and_tells_it() {
    let Some(server) = stock(&[]) else { return };
    let mut client = server.client();
    let mut peer = met(&server);
    peer.header.slots = SlotBitmap::from_iter([1]);
    ok(client.cmd(&["CLUSTER", "ADDSLOTS", "2"]));
    let nobody = e2e::server::free_port();
    peer.gossip = vec![Gossip {
        node: id(0x22),
        ping_s: 0,
        pong_s: 1,
        ip: "127.0.0.1".into(),
        port: nobody,
        bus_port: nobody + 10_000,
        flags: NodeFlags::PRIMARY,
    }];
    peer.send(peer.heartbeat(Heartbeat::Ping));
    let seen = peer.until("the third node", |_| node(&mut client, id(0x22)));
    assert_eq!(
        (seen.ip.as_str(), seen.port, seen.bus_port),
        ("127.0.0.1", nobody, nobody + 10_000)
    );

    // An update gives it a slot, both primaries hold it to be down, and stock tells the verdict.
    peer.send(Body::Update {
        config_epoch: 3,
        node: id(0x22),
        slots: SlotBitmap::from_iter([1, 3]),
    });
    peer.until("its slots", |_| {
        node(&mut client, id(0x22))
            .filter(|node| node.slots == SlotRanges::from_iter([1, 3]) && node.epoch == 3)
    });
    peer.header.slots = SlotBitmap::from_iter([5]);
    peer.gossip[0].flags |= NodeFlags::PFAIL;
    peer.until_told("gossip of a suspect", |message| match &message.body {
        Body::Heartbeat { gossip, .. } => gossip.iter().find(|entry| entry.node == id(0x22)).cloned(),
        _ => None,
    });
    peer.send(peer.heartbeat(Heartbeat::Ping));
    let failed = peer.until_told("a verdict", |message| match message.body {
        Body::Fail(node) => Some(node),
        _ => None,
    });
    assert_eq!(failed, id(0x22));
}

#[test]
fn a_verdict_of_ours_holds() {
    let Some(server) = stock(&[]) else { return };
    let mut client = server.client();
    let mut peer = met(&server);
    peer.gossip = vec![Gossip {
        node: id(0x33),
        ping_s: 0,
        pong_s: 0,
        ip: "::1".into(),
        port: 1,
        bus_port: 10_001,
        flags: NodeFlags::PRIMARY,
    }];
    peer.send(peer.heartbeat(Heartbeat::Ping));
    peer.until("the third node", |_| {
        node(&mut client, id(0x33)).filter(|node| node.ip == "::1")
    });
    peer.send(Body::Fail(id(0x33)));
    peer.until("the verdict", |_| {
        node(&mut client, id(0x33)).filter(|node| node.flags.contains(NodeFlags::FAIL))
    });
}

#[test]
fn published_text_goes_both_ways() {
    let Some(server) = stock(&[]) else { return };
    let mut peer = met(&server);
    let mut subscriber = server.client();
    subscriber.cmd(&["SUBSCRIBE", "news"]);
    peer.send(Body::Publish {
        shard: false,
        channel: b"news".to_vec(),
        payload: b"from the\0bus".to_vec(),
    });
    let Reply::Array(message) = subscriber.reply() else {
        panic!("a message")
    };
    assert_eq!(message[2], Reply::Bulk(b"from the\0bus".to_vec()));

    server.client().cmd(&["PUBLISH", "olds", ""]);
    let told = peer.until_told("a message", |message| match &message.body {
        Body::Publish {
            shard,
            channel,
            payload,
        } => Some((*shard, channel.clone(), payload.clone())),
        _ => None,
    });
    assert_eq!(told, (false, b"olds".to_vec(), Vec::new()));
}

/// Stock becomes our replica, asks us to pause, asks us for a vote, gets it and takes our slots; then we are its replica.
#[test]
fn stock_takes_over_from_us_with_our_vote() {
    let Some(server) = stock(&["--cluster-require-full-coverage", "no"]) else {
        return;
    };
    let mut client = server.client();
    let mut peer = met(&server);
    (peer.header.config_epoch, peer.header.current_epoch) = (1, 1);
    peer.header.slots = SlotBitmap::from_iter(0..16384);
    peer.send(peer.heartbeat(Heartbeat::Ping));
    let ours = id(0x11);
    peer.until("our slots", |_| {
        node(&mut client, ours).filter(|node| node.slots.len() == 16384)
    });
    ok(client.cmd(&["CLUSTER", "REPLICATE", ours.as_str()]));
    let header = peer.until_told("a replica's heartbeat", |message| {
        message.header.primary.map(|_| message.header.clone())
    });
    assert_eq!(header.primary, Some(ours));
    assert_eq!(header.flags, NodeFlags::REPLICA | NodeFlags::MYSELF);
    assert_eq!((header.slots.len(), header.config_epoch), (16384, 1));

    ok(client.cmd(&["CLUSTER", "FAILOVER"]));
    peer.until_told("a request to pause", |message| {
        (message.body == Body::ManualStart).then_some(())
    });
    ok(client.cmd(&["CLUSTER", "FAILOVER", "FORCE"]));
    let request = peer.until_told("a request for votes", |message| {
        (message.body == Body::AuthRequest).then(|| message.header.clone())
    });
    assert!(request.force_ack);
    assert_eq!(
        (request.current_epoch, request.config_epoch, request.slots.len()),
        (2, 1, 16384)
    );
    peer.header.current_epoch = 2;
    peer.send(Body::AuthAck);
    let winner = peer.until_told("the news", |message| {
        (message.header.primary.is_none() && message.header.slots.len() == 16384)
            .then(|| message.header.clone())
    });
    assert_eq!(winner.config_epoch, 2);

    peer.header.flags = NodeFlags::REPLICA | NodeFlags::MYSELF;
    peer.header.primary = Some(winner.sender);
    peer.send(peer.heartbeat(Heartbeat::Ping));
    peer.until("us to be its replica", |_| {
        node(&mut client, ours).filter(|node| node.primary == Some(winner.sender))
    });
    assert_eq!(client.cmd(&["SPUBLISH", "shard", "text"]), Reply::Integer(0));
    let told = peer.until_told("a message for the shard", |message| match &message.body {
        Body::Publish {
            shard,
            channel,
            payload,
        } => Some((*shard, channel.clone(), payload.clone())),
        _ => None,
    });
    assert_eq!(told, (true, b"shard".to_vec(), b"text".to_vec()));
    let mut subscriber = server.client();
    subscriber.cmd(&["SSUBSCRIBE", "shard"]);
    peer.send(Body::Publish {
        shard: true,
        channel: b"shard".to_vec(),
        payload: b"back".to_vec(),
    });
    let Reply::Array(message) = subscriber.reply() else {
        panic!("a message")
    };
    assert_eq!(message[2], Reply::Bulk(b"back".to_vec()));
}

/// What ends a link of stock's and what does not, so that a host of ours can do the same.
#[test]
fn stock_ignores_what_contradicts_itself_and_hangs_up_on_what_is_no_message() {
    let Some(server) = stock(&[]) else { return };
    let mut peer = BusPeer::dial(server.port(), id(0x11));
    let mut wrong = b"RCmb\0\0\x08\xd8\0\x01\0\0\0\0\0\x01".to_vec();
    wrong.resize(2264, 0);
    peer.send_raw(&wrong);
    peer.send(peer.heartbeat(Heartbeat::Meet));
    peer.until_told("an answer after a message of the wrong length", |_| Some(()));
    assert!(!peer.hung_up());
    peer.send_raw(b"RCmb\0\0\x08\xcf");
    peer.until("the end of the link", |peer| peer.hung_up().then_some(()));
}

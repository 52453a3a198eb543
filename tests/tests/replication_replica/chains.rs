//! Replicas of replicas, of both kinds.

use e2e::{Server, wait_for};
use slotcore::resp::Reply;

use super::{PATIENCE, follow, info, node, ok, stock, wait_for_link, wait_for_same_data};

/// Each follows the one before it; all end up with the data of the first, also after the chain was cut.
fn chain(servers: Vec<Server>) {
    let mut clients: Vec<_> = servers.iter().map(Server::client).collect();
    for i in 0..500 {
        assert_eq!(
            clients[0].cmd(&["SET", &format!("key:{i}"), &i.to_string()]),
            ok()
        );
    }
    for (index, primary) in servers.iter().enumerate().take(servers.len() - 1) {
        follow(&mut clients[index + 1], primary);
        wait_for_link(&mut clients[index + 1]);
    }
    let compare = |clients: &mut Vec<e2e::Client>| {
        let (first, rest) = clients.split_first_mut().expect("servers");
        rest.iter_mut()
            .for_each(|replica| wait_for_same_data(first, replica));
    };
    for i in 0..500 {
        assert!(matches!(
            clients[0].cmd(&["INCR", &format!("key:{i}")]),
            Reply::Integer(_)
        ));
    }
    compare(&mut clients);
    for index in 0..servers.len() - 1 {
        assert_eq!(
            clients[index].cmd(&["CLIENT", "KILL", "TYPE", "replica"]),
            Reply::Integer(1)
        );
        assert_eq!(clients[0].cmd(&["SET", "cut", &index.to_string()]), ok());
        wait_for("a partial resynchronisation", PATIENCE, || {
            (info(&mut clients[index], "sync_partial_ok") == "1").then_some(())
        });
        compare(&mut clients);
    }
    // The first goes, the second takes its place, and the rest stays where it is.
    let mut servers = servers;
    servers.remove(0);
    clients.remove(0);
    assert_eq!(clients[0].cmd(&["REPLICAOF", "NO", "ONE"]), ok());
    assert_eq!(clients[0].cmd(&["SET", "after", "1"]), ok());
    compare(&mut clients);
}

#[test]
fn slotmark_follows_slotmark() {
    chain(vec![node(&[]), node(&[])]);
}

#[test]
fn slotmark_follows_slotmark_follows_stock() {
    let Some(first) = stock(&[]) else { return };
    chain(vec![first, node(&[]), node(&[])]);
}

#[test]
fn slotmark_follows_stock_follows_slotmark() {
    let Some(second) = stock(&[]) else { return };
    chain(vec![node(&[]), second, node(&[])]);
}

#[test]
fn stock_follows_slotmark_follows_stock() {
    let (Some(first), Some(third)) = (stock(&[]), stock(&[])) else {
        return;
    };
    chain(vec![first, node(&[]), third]);
}

#[test]
fn a_former_primary_goes_on_as_a_replica_of_its_replica() {
    let (first, second) = (node(&[]), node(&[]));
    let (mut at_first, mut at_second) = (first.client(), second.client());
    follow(&mut at_second, &first);
    wait_for_link(&mut at_second);
    assert_eq!(at_first.cmd(&["SET", "a", "1"]), ok());
    wait_for_same_data(&mut at_first, &mut at_second);
    assert_eq!(at_second.cmd(&["REPLICAOF", "NO", "ONE"]), ok());
    follow(&mut at_first, &second);
    assert_eq!(at_second.cmd(&["SET", "b", "1"]), ok());
    wait_for_same_data(&mut at_second, &mut at_first);
    assert_eq!(info(&mut at_second, "sync_partial_ok"), "1");
    assert_eq!(info(&mut at_second, "sync_full"), "0");
}

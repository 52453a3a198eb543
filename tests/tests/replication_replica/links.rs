//! Links that break: a part of the stream is enough where it can be, and a full copy comes where it must.

use std::thread;
use std::time::Duration;

use e2e::wait_for;
use slotcore::resp::Reply;

use super::{PATIENCE, follow, info, node, ok, stock, wait_for_link, wait_for_same_data};

#[test]
fn a_killed_link_goes_on_where_it_was() {
    let Some(primary) = stock(&[]) else { return };
    let replica = node(&[]);
    let (mut at_primary, mut at_replica) = (primary.client(), replica.client());
    follow(&mut at_replica, &primary);
    wait_for_link(&mut at_replica);
    for round in 1..=5 {
        assert_eq!(
            at_primary.cmd(&["CLIENT", "KILL", "TYPE", "replica"]),
            Reply::Integer(1)
        );
        assert_eq!(at_primary.cmd(&["SET", "round", &round.to_string()]), ok());
        wait_for("a partial resynchronisation", PATIENCE, || {
            (info(&mut at_primary, "sync_partial_ok") == round.to_string()).then_some(())
        });
        wait_for_same_data(&mut at_primary, &mut at_replica);
    }
    // From our side as well.
    assert_eq!(
        at_replica.cmd(&["CLIENT", "KILL", "TYPE", "master"]),
        Reply::Integer(1)
    );
    wait_for("a partial resynchronisation", PATIENCE, || {
        (info(&mut at_primary, "sync_partial_ok") == "6").then_some(())
    });
    assert_eq!(info(&mut at_primary, "sync_full"), "1");
    assert!(
        super::text(at_replica.cmd(&["CLIENT", "LIST"])).contains(" flags=M "),
        "the link is among the clients"
    );
}

#[test]
fn a_silent_primary_is_given_up_and_taken_up_again() {
    let Some(mut primary) = stock(&[]) else { return };
    let replica = node(&["--repl-timeout", "2"]);
    let (mut at_primary, mut at_replica) = (primary.client(), replica.client());
    follow(&mut at_replica, &primary);
    wait_for_link(&mut at_replica);
    primary.process().signal("STOP");
    wait_for("the link to be given up", PATIENCE, || {
        (info(&mut at_replica, "master_link_status") == "down").then_some(())
    });
    assert!(info(&mut at_replica, "slotmark_master_link_fault").contains("timeout"));
    primary.process().signal("CONT");
    wait_for_link(&mut at_replica);
    assert_eq!(at_primary.cmd(&["SET", "a", "1"]), ok());
    wait_for_same_data(&mut at_primary, &mut at_replica);
    assert_eq!(info(&mut at_primary, "sync_full"), "1");
}

#[test]
fn too_long_an_absence_needs_a_full_copy() {
    let Some(primary) = stock(&["--repl-backlog-size", "16384"]) else {
        return;
    };
    let mut replica = node(&[]);
    let (mut at_primary, mut at_replica) = (primary.client(), replica.client());
    follow(&mut at_replica, &primary);
    wait_for_link(&mut at_replica);
    replica.process().signal("STOP");
    assert_eq!(
        at_primary.cmd(&["CLIENT", "KILL", "TYPE", "replica"]),
        Reply::Integer(1)
    );
    let value = "x".repeat(10_000);
    for i in 0..1000 {
        assert_eq!(at_primary.cmd(&["SET", &format!("key:{i}"), &value]), ok());
    }
    replica.process().signal("CONT");
    wait_for("a second full synchronisation", PATIENCE, || {
        (info(&mut at_primary, "sync_full") == "2").then_some(())
    });
    wait_for_same_data(&mut at_primary, &mut at_replica);
}

#[test]
fn a_primary_that_comes_up_late_is_found_soon() {
    let port = e2e::server::free_port();
    let replica = node(&[]);
    let mut at_replica = replica.client();
    assert_eq!(
        at_replica.cmd(&["REPLICAOF", "127.0.0.1", &port.to_string()]),
        ok()
    );
    wait_for("a refusal", PATIENCE, || {
        info(&mut at_replica, "slotmark_master_link_fault")
            .contains("Connection refused")
            .then_some(())
    });
    // The role can change at any time, also in the middle of all this.
    let Some(other) = stock(&[]) else { return };
    follow(&mut at_replica, &other);
    wait_for_link(&mut at_replica);
    assert_eq!(at_replica.cmd(&["REPLICAOF", "NO", "ONE"]), ok());
    assert_eq!(at_replica.cmd(&["SET", "mine", "1"]), ok());
    assert_eq!(info(&mut at_replica, "role"), "master");
    wait_for("the primary to lose its replica", PATIENCE, || {
        (info(&mut other.client(), "connected_slaves") == "0").then_some(())
    });
}

#[test]
fn a_replica_follows_a_promoted_sibling_without_a_copy() {
    let (Some(primary), Some(sibling)) = (stock(&[]), stock(&[])) else {
        return;
    };
    let replica = node(&[]);
    let (mut at_primary, mut at_sibling, mut at_replica) =
        (primary.client(), sibling.client(), replica.client());
    follow(&mut at_sibling, &primary);
    follow(&mut at_replica, &primary);
    wait_for_link(&mut at_replica);
    wait_for_link(&mut at_sibling);
    for i in 0..100 {
        assert_eq!(at_primary.cmd(&["SET", &format!("key:{i}"), "x"]), ok());
    }
    wait_for_same_data(&mut at_primary, &mut at_replica);
    wait_for_same_data(&mut at_primary, &mut at_sibling);
    // No ping may make one of them longer than the other after this.
    drop(at_primary);
    drop(primary);
    assert_eq!(at_sibling.cmd(&["REPLICAOF", "NO", "ONE"]), ok());
    follow(&mut at_replica, &sibling);
    assert_eq!(at_sibling.cmd(&["SET", "of the new", "1"]), ok());
    wait_for_same_data(&mut at_sibling, &mut at_replica);
    assert_eq!(info(&mut at_sibling, "sync_partial_ok"), "1");
    assert_eq!(info(&mut at_sibling, "sync_full"), "0");
    thread::sleep(Duration::from_millis(10));
}

//! What a replica refuses to its clients, and what it refuses to take from its primary.

use e2e::wait_for;
use slotcore::resp::Reply;

use super::{PATIENCE, follow, info, node, ok, stock, wait_for_link};

fn error(text: &str) -> Reply {
    Reply::Error(text.into())
}

#[test]
fn replies_of_a_replica_are_those_of_stock() {
    let Some(primary) = stock(&[]) else { return };
    let (Some(theirs), ours) = (stock(&[]), node(&[])) else {
        return;
    };
    let (mut theirs_client, mut ours_client) = (theirs.client(), ours.client());
    follow(&mut theirs_client, &primary);
    follow(&mut ours_client, &primary);
    wait_for_link(&mut theirs_client);
    wait_for_link(&mut ours_client);
    let same = |theirs: &mut e2e::Client, ours: &mut e2e::Client, commands: &[&[&str]]| {
        for command in commands {
            assert_eq!(ours.cmd(command), theirs.cmd(command), "{command:?}");
        }
    };
    let commands: &[&[&str]] = &[
        &["SET", "a", "1"],
        &["GET", "a"],
        &["DEL", "a"],
        &["FLUSHALL"],
        &["SET", "a"],
        &["MULTI"],
        &["SET", "a", "1"],
        &["EXEC"],
        &["MULTI"],
        &["GET", "a"],
        &["EXEC"],
        &["DBSIZE"],
    ];
    same(&mut theirs_client, &mut ours_client, commands);
    // A transaction that was begun as a primary ends as a replica.
    for client in [&mut theirs_client, &mut ours_client] {
        assert_eq!(client.cmd(&["REPLICAOF", "NO", "ONE"]), ok());
        assert_eq!(client.cmd(&["MULTI"]), ok());
        assert_eq!(client.cmd(&["SET", "a", "1"]), Reply::Simple("QUEUED".into()));
    }
    for server in [&theirs, &ours] {
        follow(&mut server.client(), &primary);
    }
    same(&mut theirs_client, &mut ours_client, &[&["EXEC"], &["GET", "a"]]);
    for client in [&mut theirs_client, &mut ours_client] {
        assert_eq!(
            client.cmd(&["CONFIG", "SET", "replica-serve-stale-data", "no"]),
            ok()
        );
    }
    drop(primary);
    for client in [&mut theirs_client, &mut ours_client] {
        wait_for("the link to be down", PATIENCE, || {
            (info(client, "master_link_status") == "down").then_some(())
        });
    }
    let commands: &[&[&str]] = &[
        &["GET", "a"],
        &["SET", "a", "1"],
        &["PING"],
        &["ECHO", "x"],
        &["MULTI"],
        &["GET", "a"],
        &["EXEC"],
        &["CONFIG", "GET", "replica-serve-stale-data"],
    ];
    same(&mut theirs_client, &mut ours_client, commands);
    for client in [&mut theirs_client, &mut ours_client] {
        assert_eq!(
            client.cmd(&["CONFIG", "SET", "replica-serve-stale-data", "yes"]),
            ok()
        );
        assert_eq!(client.cmd(&["CONFIG", "SET", "replica-read-only", "no"]), ok());
    }
    same(
        &mut theirs_client,
        &mut ours_client,
        &[&["SET", "mine", "1"], &["GET", "mine"], &["DEL", "mine"]],
    );
}

#[test]
fn what_cannot_be_held_is_refused_and_the_old_data_stay() {
    for load in ["disabled", "swapdb"] {
        let Some(primary) = stock(&[]) else { return };
        let replica = node(&["--repl-diskless-load", load]);
        let (mut at_primary, mut at_replica) = (primary.client(), replica.client());
        assert_eq!(at_primary.cmd(&["SET", "a", "1"]), ok());
        assert!(!matches!(
            at_primary.cmd(&["COPY", "a", "b", "DB", "5"]),
            Reply::Error(_)
        ));
        assert_eq!(at_replica.cmd(&["SET", "old", "1"]), ok());
        follow(&mut at_replica, &primary);
        wait_for("the refusal", PATIENCE, || {
            info(&mut at_replica, "slotmark_master_link_fault")
                .contains("database 5")
                .then_some(())
        });
        assert_eq!(at_replica.cmd(&["GET", "old"]), Reply::Bulk("1".into()));
        assert_eq!(at_replica.cmd(&["EXISTS", "a"]), Reply::Integer(0));
        // When the reason is gone, so is the refusal.
        assert_eq!(at_primary.cmd(&["FLUSHALL"]), ok());
        wait_for_link(&mut at_replica);
        assert_eq!(at_replica.cmd(&["DBSIZE"]), Reply::Integer(0));
        assert_eq!(info(&mut at_replica, "slotmark_master_link_fault"), "");
    }
}

#[test]
fn a_wrong_password_is_told() {
    let Some(primary) = stock(&["--requirepass", "right"]) else {
        return;
    };
    let replica = node(&["--masterauth", "wrong"]);
    let mut at_replica = replica.client();
    follow(&mut at_replica, &primary);
    wait_for("the reason to be told", PATIENCE, || {
        info(&mut at_replica, "slotmark_master_link_fault")
            .starts_with("Unable to AUTH to MASTER: -WRONGPASS")
            .then_some(())
    });
    assert_eq!(
        at_replica.cmd(&["SET", "a", "1"]),
        error("READONLY You can't write against a read only replica.")
    );
    assert_eq!(at_replica.cmd(&["CONFIG", "SET", "masterauth", "right"]), ok());
    wait_for_link(&mut at_replica);
}

//! Our node as a replica: of stock redis-server, of our own node, and of a primary that misbehaves.

#[path = "replication_replica/chains.rs"]
mod chains;
#[path = "replication_replica/false_primary.rs"]
mod false_primary;
#[path = "replication_replica/links.rs"]
mod links;
#[path = "replication_replica/refusals.rs"]
mod refusals;
#[path = "replication_replica/sync.rs"]
mod sync;

use std::time::Duration;

use e2e::{Client, Server, wait_for};
use slotcore::resp::Reply;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");

/// Long enough for a busy machine; nothing waits so long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stock primary that starts transfers at once and tells its digest.
fn stock(directives: &[&str]) -> Option<Server> {
    let mut all = vec![
        "--enable-debug-command",
        "yes",
        "--repl-diskless-sync-delay",
        "0",
        "--repl-ping-replica-period",
        "1",
    ];
    all.extend(directives);
    Server::stock(&all)
}

fn node(directives: &[&str]) -> Server {
    let mut all = vec![
        "--enable-debug-command",
        "yes",
        "--repl-diskless-sync-delay",
        "0",
        "--repl-ping-replica-period",
        "1",
    ];
    all.extend(directives);
    Server::slotmark(NODE, &all)
}

fn ok() -> Reply {
    Reply::Simple("OK".into())
}

fn text(reply: Reply) -> String {
    match reply {
        Reply::Bulk(bytes) | Reply::Verbatim(bytes) | Reply::Simple(bytes) | Reply::Error(bytes) => {
            String::from_utf8_lossy(&bytes).into_owned()
        }
        other => panic!("{other:?} is no text"),
    }
}

/// A field of INFO, empty if it is not there.
fn info(client: &mut Client, field: &str) -> String {
    text(client.cmd(&["INFO"]))
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':').map(str::to_owned))
        .unwrap_or_default()
}

fn digest(client: &mut Client) -> String {
    text(client.cmd(&["DEBUG", "DIGEST"]))
}

fn follow(replica: &mut Client, primary: &Server) {
    let port = primary.port().to_string();
    assert_eq!(replica.cmd(&["REPLICAOF", "127.0.0.1", &port]), ok());
}

fn wait_for_link(replica: &mut Client) {
    wait_for("the link to the primary", PATIENCE, || {
        (info(replica, "master_link_status") == "up").then_some(())
    });
}

/// Waits until the replica is as far as its primary, and compares all that they hold. A primary that still lets
/// keys expire moves on by itself, so what is compared is what both held while its offset stood still.
fn wait_for_same_data(primary: &mut Client, replica: &mut Client) {
    let (ours, theirs) = wait_for("the replica to stand where its primary stands", PATIENCE, || {
        let wanted = info(primary, "master_repl_offset");
        if info(replica, "master_link_status") != "up" || info(replica, "slave_repl_offset") != wanted {
            return None;
        }
        let digests = (digest(primary), digest(replica));
        (info(primary, "master_repl_offset") == wanted).then_some(digests)
    });
    assert_eq!(ours, theirs);
    assert_eq!(
        info(primary, "master_replid"),
        info(replica, "master_replid"),
        "both tell the same history"
    );
}

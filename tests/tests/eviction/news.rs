//! Who hears of an eviction.

use std::time::Duration;

use e2e::{Server, wait_for};
use slotcore::resp::Reply;

use super::NODE;
use super::sides::{all, both, info, set, text, words};

#[test]
fn subscribers_transactions_and_caches_hear_of_it() {
    let Some(sides) = both(&[
        "--maxmemory-policy",
        "allkeys-lru",
        "--notify-keyspace-events",
        "Ee",
    ]) else {
        return;
    };
    for (side, server) in &sides {
        let (mut client, mut listener, mut watcher) = (server.client(), server.client(), server.client());
        let mut cache = server.client();
        client.cmd(&["SET", "victim", "value"]);
        listener.cmd(&["SUBSCRIBE", "__keyevent@0__:evicted"]);
        watcher.cmd(&["WATCH", "victim"]);
        cache.cmd(&["HELLO", "3"]);
        cache.cmd(&["CLIENT", "TRACKING", "ON"]);
        cache.cmd(&["GET", "victim"]);
        set(&mut client, "maxmemory", "1");
        wait_for("the key to go", Duration::from_secs(10), || {
            (client.cmd(&["DBSIZE"]) == Reply::Integer(0)).then_some(())
        });
        assert_eq!(
            listener.reply(),
            Reply::Array(
                ["message", "__keyevent@0__:evicted", "victim"]
                    .map(|word| Reply::Bulk(word.into()))
                    .into()
            ),
            "{side}"
        );
        let told = format!("{:?}", cache.reply());
        assert!(told.contains("Push"), "{side}: {told}");
        set(&mut client, "maxmemory", "0");
        watcher.cmd(&["MULTI"]);
        watcher.cmd(&["PING"]);
        assert_eq!(watcher.cmd(&["EXEC"]), Reply::Nil, "{side}");
        assert_eq!(info(&mut client, "evicted_keys"), 1, "{side}");
        assert_eq!(info(&mut client, "expired_keys"), 0, "{side}");
    }
}

fn follow(replica: &Server, primary: &Server) {
    let mut client = replica.client();
    client.cmd(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]);
    wait_for("the copy", Duration::from_secs(20), || {
        text(client.cmd(&["INFO", "replication"]))
            .contains("master_link_status:up")
            .then_some(())
    });
}

/// Replicas hold what their primary holds, ours and stock's, and evict nothing themselves however little they may use.
#[test]
fn replicas_follow_and_evict_nothing_themselves() {
    let quick = ["--repl-diskless-sync-delay", "0"];
    let Some(stock) = Server::stock(&quick) else {
        return;
    };
    let primary = Server::slotmark(
        NODE,
        &[&quick[..], &["--maxmemory-policy", "allkeys-random"]].concat(),
    );
    let little = ["--maxmemory", "1mb", "--maxmemory-policy", "allkeys-random"];
    let own = Server::slotmark(NODE, &[&quick[..], &little[..]].concat());
    follow(&stock, &primary);
    follow(&own, &primary);
    let mut client = primary.client();
    let fill: Vec<_> = (0..2000)
        .map(|i| words(&["SET", &format!("key:{i}"), &"x".repeat(500)]))
        .collect();
    all(&mut client, &fill);
    let used = info(&mut client, "used_memory");
    set(&mut client, "maxmemory", &(used - 500_000).to_string());
    all(&mut client, &fill);
    assert!(info(&mut client, "evicted_keys") > 500);
    set(&mut client, "maxmemory", "0");
    for replica in [&stock, &own] {
        let mut copy = replica.client();
        wait_for(
            "the replica to have the same keys",
            Duration::from_secs(20),
            || (copy.cmd(&["DBSIZE"]) == client.cmd(&["DBSIZE"])).then_some(()),
        );
        assert_eq!(info(&mut copy, "evicted_keys"), 0);
    }
    // Once it is told to mind its own limit, it does, and its primary is none the worse.
    let mut copy = own.client();
    let Reply::Integer(keys) = client.cmd(&["DBSIZE"]) else {
        panic!("DBSIZE is a number");
    };
    set(&mut copy, "replica-ignore-maxmemory", "no");
    wait_for("the replica to evict", Duration::from_secs(10), || {
        (copy.cmd(&["DBSIZE"]) == Reply::Integer(0)).then_some(())
    });
    assert_eq!(client.cmd(&["DBSIZE"]), Reply::Integer(keys));
}

/// Idle times and frequencies pass through an RDB in both directions.
#[test]
fn copies_know_how_keys_were_used() {
    let quick = ["--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes"];
    for (policy, option, ask) in [
        ("allkeys-lru", "IDLETIME", "IDLETIME"),
        ("volatile-lfu", "FREQ", "FREQ"),
    ] {
        let Some(sides) = both(
            &[
                &quick[..],
                &["--maxmemory-policy", policy, "--lfu-decay-time", "0"],
            ]
            .concat(),
        ) else {
            return;
        };
        for order in [[0, 1], [1, 0]] {
            let [primary, replica] = order.map(|at| &sides[at].1);
            let mut client = primary.client();
            client.cmd(&["REPLICAOF", "NO", "ONE"]);
            client.cmd(&["FLUSHALL"]);
            client.cmd(&["SET", "a", "value"]);
            client.cmd(&["RPUSH", "l", "1", "2"]);
            for key in ["a", "l"] {
                let Reply::Bulk(payload) = client.cmd(&["DUMP", key]) else {
                    panic!("DUMP gives bytes");
                };
                let restore = [
                    b"RESTORE",
                    key.as_bytes(),
                    b"0",
                    &payload,
                    b"REPLACE",
                    option.as_bytes(),
                    b"200",
                ];
                assert_eq!(client.cmd_bytes(&restore), Reply::Simple("OK".into()));
            }
            follow(replica, primary);
            for key in ["a", "l"] {
                let Reply::Integer(told) = replica.client().cmd(&["OBJECT", ask, key]) else {
                    panic!("a number is told");
                };
                assert!((200..220).contains(&told), "{policy} {order:?} {key}: {told}");
            }
            replica.client().cmd(&["REPLICAOF", "NO", "ONE"]);
        }
    }
}

//! Client-side caching: who is told of which keys, beside stock.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use e2e::{Client, Server, wait_for};
use slotcore::resp::Reply;

use super::sides::Sides;
use crate::NODE;

#[test]
fn keys_that_were_read_are_told_of_once() {
    let Some(mut sides) = Sides::start(&[], &["3", "2", "3"]) else {
        return;
    };
    sides.same(
        0,
        &[
            &["CLIENT", "TRACKING", "on"],
            &["CLIENT", "TRACKINGINFO"],
            &["CLIENT", "GETREDIR"],
        ],
    );
    for words in [
        &["GET", "k"] as &[&str],
        &["MGET", "a", "b", "a"],
        &["STRLEN", "c"],
        &["TTL", "d"],
        &["EXISTS", "e"],
        &["GET", "own"],
        &["SET", "own", "1"],
    ] {
        sides.same(0, &[words]);
    }
    for words in [
        &["SET", "k", "1"] as &[&str],
        &["SET", "k", "2"],
        &["MSET", "b", "1", "z", "2", "a", "3"],
        &["SETNX", "c", "1"],
        &["APPEND", "d", "x"],
        &["SET", "e", "1", "EX", "100"],
    ] {
        sides.same(1, &[words]);
    }
    sides.same(0, &[&["MGET", "a", "b", "c", "d", "e"]]);
    for words in [
        &["EXPIRE", "a", "100"] as &[&str],
        &["PERSIST", "e"],
        &["DEL", "b", "none"],
        &["RENAME", "c", "d"],
        &["GETDEL", "a"],
        &["GET", "d"],
    ] {
        sides.same(1, &[words]);
    }
    // Of other types.
    sides.same(
        0,
        &[&["HGET", "h", "f"], &["SMEMBERS", "s"], &["SINTER", "s", "s2"]],
    );
    for words in [
        &["HSET", "h", "f", "1"] as &[&str],
        &["SADD", "s2", "1"],
        &["SADD", "s", "1"],
        &["HDEL", "h", "f"],
    ] {
        sides.same(1, &[words]);
    }
    sides.same(
        0,
        &[&["HGET", "h", "f"], &["SCARD", "s"], &["SISMEMBER", "s2", "1"]],
    );
    for words in [
        &["HDEL", "h", "f"] as &[&str],
        &["SREM", "s", "1"],
        &["SPOP", "s2"],
        &["SUNIONSTORE", "s", "s2"],
    ] {
        sides.same(1, &[words]);
    }
    // Its own changes, behind the reply.
    sides.same(0, &[&["GET", "k"], &["SET", "k", "own"], &["GET", "k"]]);
    sides.same(0, &[&["MULTI"], &["SET", "k", "x"], &["GET", "q"], &["EXEC"]]);
    sides.same(1, &[&["SET", "q", "1"]]);
    sides.same(
        0,
        &[
            &["GET", "r1"],
            &["GET", "r2"],
            &["SET", "r1", "1"],
            &["RENAME", "r1", "r2"],
        ],
    );
    sides.same(0, &[&["GET", "k"]]);
    sides.same(
        1,
        &[
            &["MULTI"],
            &["SET", "k", "1"],
            &["GET", "k"],
            &["DEL", "k"],
            &["EXEC"],
        ],
    );
    sides.same(0, &[&["GET", "k"]]);
    sides.same(1, &[&["FLUSHALL"]]);
    sides.same(1, &[&["SET", "k", "1"]]);
    sides.same(0, &[&["GET", "k"], &["FLUSHALL"]]);
    sides.same(
        0,
        &[
            &["GET", "k"],
            &["CLIENT", "TRACKING", "off"],
            &["CLIENT", "TRACKINGINFO"],
        ],
    );
    sides.same(1, &[&["SET", "k", "1"]]);
    // Two who track, and one of them leaves.
    for who in [0, 2] {
        sides.same(who, &[&["CLIENT", "TRACKING", "on"], &["GET", "k"]]);
    }
    sides.same(1, &[&["SET", "k", "2"]]);
    sides.same(2, &[&["GET", "k"], &["RESET"], &["CLIENT", "TRACKINGINFO"]]);
    sides.same(1, &[&["SET", "k", "3"]]);
    // Without push messages nobody is told.
    sides.same(
        1,
        &[&["CLIENT", "TRACKING", "on"], &["GET", "k"], &["SET", "k", "4"]],
    );
    sides.same(0, &[&["GET", "k"], &["SET", "k", "5"]]);
}

#[test]
fn options_are_checked_and_shown_as_in_stock() {
    let Some(mut sides) = Sides::start(&[], &["3", "2"]) else {
        return;
    };
    for words in [
        "CLIENT CACHING yes",
        "CLIENT CACHING maybe",
        "CLIENT TRACKING",
        "CLIENT TRACKING foo",
        "CLIENT TRACKING off",
        "CLIENT TRACKING on FOO",
        "CLIENT TRACKING on PREFIX a",
        "CLIENT TRACKING on REDIRECT",
        "CLIENT TRACKING on REDIRECT abc",
        "CLIENT TRACKING on REDIRECT 999999",
        "CLIENT TRACKING on REDIRECT 0",
        "CLIENT TRACKING on REDIRECT -1",
        "CLIENT TRACKING on BCAST OPTIN",
        "CLIENT TRACKING on OPTIN OPTOUT",
        "CLIENT TRACKING on BCAST PREFIX a PREFIX ab",
        "CLIENT TRACKING on BCAST PREFIX ab PREFIX a",
        "CLIENT TRACKING on",
        "CLIENT CACHING yes",
        "CLIENT CACHING no",
        "CLIENT TRACKING on BCAST",
        "CLIENT TRACKING on OPTIN",
        "CLIENT TRACKING on OPTOUT",
        "CLIENT TRACKINGINFO",
        "CLIENT CACHING no",
        "CLIENT CACHING maybe",
        "CLIENT CACHING yes",
        "CLIENT TRACKINGINFO",
        "GET k",
        "CLIENT TRACKINGINFO",
        "CLIENT TRACKING on NOLOOP",
        "CLIENT TRACKINGINFO",
        "CLIENT TRACKING off",
        "CLIENT TRACKING on OPTOUT NOLOOP",
        "CLIENT CACHING yes",
        "CLIENT CACHING no",
        "CLIENT TRACKINGINFO",
        "CLIENT TRACKING off",
        "CLIENT TRACKING on BCAST PREFIX b PREFIX a NOLOOP",
        "CLIENT TRACKINGINFO",
        "CLIENT TRACKING on BCAST PREFIX ab",
        "CLIENT TRACKING on BCAST PREFIX c",
        "CLIENT TRACKING on",
        "CLIENT TRACKINGINFO",
        "CLIENT TRACKING off",
        "CLIENT TRACKING on BCAST",
        "CLIENT TRACKINGINFO",
        "CLIENT NO-TOUCH on",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        sides.same(0, &[&words]);
        sides.same_fields(0, &["CLIENT", "INFO"], &["flags=", "redir=", "resp="]);
        sides.same_fields(1, &["INFO", "clients"], &["tracking"]);
        sides.same_fields(1, &["INFO", "stats"], &["tracking"]);
    }
}

#[test]
fn optin_and_optout_choose_reads() {
    let Some(mut sides) = Sides::start(&[], &["3", "2"]) else {
        return;
    };
    let write = |sides: &mut Sides| {
        for key in ["a", "b", "c", "d"] {
            sides.same(1, &[&["SET", key, "v"]]);
        }
    };
    for (choice, caching) in [("OPTIN", "yes"), ("OPTOUT", "no")] {
        sides.same(0, &[&["CLIENT", "TRACKING", "on", choice]]);
        sides.same(
            0,
            &[
                &["GET", "a"],
                &["CLIENT", "CACHING", caching],
                &["GET", "b"],
                &["GET", "c"],
            ],
        );
        write(&mut sides);
        sides.same(
            0,
            &[
                &["CLIENT", "CACHING", caching],
                &["MULTI"],
                &["GET", "a"],
                &["GET", "b"],
                &["EXEC"],
                &["GET", "c"],
            ],
        );
        write(&mut sides);
        sides.same(
            0,
            &[&["CLIENT", "CACHING", caching], &["SET", "d", "1"], &["GET", "d"]],
        );
        write(&mut sides);
        sides.same(0, &[&["CLIENT", "TRACKING", "off"]]);
    }
}

#[test]
fn prefixes_are_told_of_without_being_read() {
    let Some(mut sides) = Sides::start(&[], &["3", "2", "3"]) else {
        return;
    };
    sides.same(
        0,
        &[&["CLIENT", "TRACKING", "on", "BCAST", "PREFIX", "a", "PREFIX", "b"]],
    );
    sides.same(2, &[&["CLIENT", "TRACKING", "on", "BCAST", "NOLOOP"]]);
    for words in [
        &["MSET", "abc", "1", "b", "2", "z", "3", "c", "1", "a", "2"] as &[&str],
        &["SET", "a", "1"],
        &["EXPIRE", "a", "100"],
        &["GETEX", "a", "PERSIST"],
        &["GETEX", "a"],
        &["DEL", "a", "none", "b"],
        &["GET", "abc"],
        &["SETRANGE", "abc", "3", "x"],
        &["RENAME", "abc", "bcd"],
        &["INCR", "z"],
    ] {
        sides.same(1, &[words]);
    }
    sides.same(
        1,
        &[
            &["MULTI"],
            &["SET", "a", "1"],
            &["SET", "b", "1"],
            &["SET", "a", "2"],
            &["EXEC"],
        ],
    );
    sides.same(0, &[&["SET", "a", "own"]]);
    sides.same(2, &[&["SET", "a", "own, and noloop"]]);
    sides.same(1, &[&["FLUSHALL"]]);
    sides.same(0, &[&["CLIENT", "TRACKING", "off"]]);
    sides.same(2, &[&["CLIENT", "TRACKING", "off"]]);
    sides.same(1, &[&["SET", "a", "1"]]);
    sides.same(
        0,
        &[
            &["MULTI"],
            &["CLIENT", "TRACKING", "on", "BCAST"],
            &["GET", "a"],
            &["EXEC"],
        ],
    );
    sides.same(1, &[&["SET", "a", "1"]]);
}

#[test]
fn noloop_spares_a_client_its_own_changes() {
    let Some(mut sides) = Sides::start(&[], &["3", "2"]) else {
        return;
    };
    sides.same(
        0,
        &[
            &["CLIENT", "TRACKING", "on", "NOLOOP"],
            &["GET", "a"],
            &["SET", "a", "1"],
        ],
    );
    sides.same(1, &[&["SET", "a", "2"]]);
    sides.same(0, &[&["GET", "a"]]);
    sides.same(1, &[&["SET", "a", "3"]]);
}

#[test]
fn messages_go_where_they_are_redirected_to() {
    let Some(mut sides) = Sides::start(&[], &["3", "2", "2", "3", "2"]) else {
        return;
    };
    let old = sides.id(1);
    let new = sides.id(3);
    sides.same(1, &[&["SUBSCRIBE", "__redis__:invalidate"]]);
    for who in [0, 2] {
        sides.same(
            who,
            &[
                &["CLIENT", "TRACKING", "on", "REDIRECT", &old],
                &["CLIENT", "TRACKINGINFO"],
            ],
        );
        sides.same(who, &[&["CLIENT", "GETREDIR"], &["GET", "k"], &["GET", "k2"]]);
        sides.same_fields(who, &["CLIENT", "INFO"], &["flags=", "redir="]);
    }
    sides.same(4, &[&["SET", "k", "1"]]);
    // Of a flush stock tells in the protocol of the client that tracks, whatever the other one speaks.
    sides.same(0, &[&["CLIENT", "TRACKING", "off"]]);
    sides.same(4, &[&["FLUSHALL"]]);
    sides.same(0, &[&["CLIENT", "TRACKING", "on", "REDIRECT", &old]]);
    sides.same(2, &[&["GET", "k"], &["SET", "k", "own"]]);
    // To a client that never subscribed, but has push messages.
    sides.same(
        2,
        &[&["CLIENT", "TRACKING", "on", "REDIRECT", &new], &["GET", "k"]],
    );
    sides.same(4, &[&["SET", "k", "2"]]);
    sides.same(
        2,
        &[
            &["CLIENT", "TRACKING", "off"],
            &["CLIENT", "TRACKING", "on", "BCAST", "REDIRECT", &old],
        ],
    );
    sides.same(4, &[&["MSET", "k", "1", "l", "2"]]);
    // The other one unsubscribes, and then leaves.
    sides.same(1, &[&["UNSUBSCRIBE"]]);
    sides.same(4, &[&["SET", "l", "1"]]);
    sides.same(0, &[&["GET", "k"]]);
    sides.close(1, &old);
    sides.same(4, &[&["SET", "k", "3"]]);
    for who in [0, 2] {
        sides.same(
            who,
            &[
                &["CLIENT", "TRACKINGINFO"],
                &["CLIENT", "GETREDIR"],
                &["GET", "k"],
            ],
        );
        sides.same_fields(who, &["CLIENT", "INFO"], &["flags=", "redir="]);
    }
    sides.same(0, &[&["CLIENT", "TRACKING", "on"], &["CLIENT", "TRACKINGINFO"]]);
    sides.same_fields(0, &["CLIENT", "INFO"], &["flags=", "redir="]);
}

#[test]
fn expired_keys_are_stale() {
    let Some(mut sides) = Sides::start(&["--enable-debug-command", "yes"], &["3", "3", "2"]) else {
        return;
    };
    sides.same(2, &[&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]]);
    sides.same(0, &[&["CLIENT", "TRACKING", "on", "NOLOOP"]]);
    sides.same(1, &[&["CLIENT", "TRACKING", "on", "BCAST"]]);
    sides.same(0, &[&["SET", "e", "1", "PX", "40"], &["GET", "e"]]);
    thread::sleep(Duration::from_millis(60));
    sides.same(2, &[&["GET", "e"]]);
    sides.same(2, &[&["SET", "e", "1", "PX", "40"]]);
    sides.same(0, &[&["GET", "e"]]);
    sides.same(2, &[&["DEBUG", "SET-ACTIVE-EXPIRE", "1"]]);
    for who in [0, 1] {
        assert!(sides.next_messages(who, 1)[0].contains("invalidate"));
    }
}

fn field(client: &mut Client, section: &str, name: &str) -> usize {
    let info = client.cmd(&["INFO", section]);
    let text = info.as_str().expect("text");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|value| value.parse().ok()).expect("a number")
}

/// Which keys a client has to forget, up to the reply of a PING.
fn invalidated(client: &mut Client) -> Vec<String> {
    client.send(b"PING\r\n");
    let mut keys = Vec::new();
    loop {
        match client.reply() {
            Reply::Push(parts) => {
                let told = parts[1].as_array().expect("keys");
                keys.extend(told.iter().map(|key| key.as_str().expect("text").to_owned()));
            }
            _ => return keys,
        }
    }
}

#[test]
fn no_more_keys_are_remembered_than_may_be() {
    let node = Server::slotmark(NODE, &["--tracking-table-max-keys", "10"]);
    let mut client = node.client();
    client.cmd(&["HELLO", "3"]);
    client.cmd(&["CLIENT", "TRACKING", "on"]);
    let mut forgotten = 0;
    for i in 0..100 {
        client.send(format!("GET key:{i}\r\n").as_bytes());
        while let Reply::Push(_) = client.reply() {
            forgotten += 1;
        }
    }
    forgotten += invalidated(&mut client).len();
    assert_eq!(forgotten, 90);
    assert_eq!(field(&mut client, "stats", "tracking_total_keys"), 10);
    assert_eq!(field(&mut client, "stats", "tracking_total_items"), 10);
    let mut writer = node.client();
    for i in 0..100 {
        writer.cmd(&["SET", &format!("key:{i}"), "v"]);
    }
    assert_eq!(
        invalidated(&mut client).len(),
        10,
        "the others were told of before"
    );
    assert_eq!(field(&mut client, "stats", "tracking_total_keys"), 0);
}

/// A copy that nobody was told to throw away is what the node has, whatever happens at the same time.
#[test]
fn copies_are_never_stale_for_long() {
    const KEYS: usize = 20;
    let node = Server::slotmark(NODE, &["--slotmark-workers", "3"]);
    let stop = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        for writer in 0..2 {
            let (mut client, stop) = (node.client(), stop.clone());
            scope.spawn(move || {
                let mut i = writer;
                while !stop.load(Relaxed) {
                    i += 1;
                    client.cmd(&["INCR", &format!("key:{}", i % KEYS)]);
                }
            });
        }
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let mut client = node.client();
                let stop = stop.clone();
                scope.spawn(move || {
                    client.cmd(&["HELLO", "3"]);
                    client.cmd(&["CLIENT", "TRACKING", "on"]);
                    let mut copies: HashMap<String, Reply> = HashMap::new();
                    let mut i = 0;
                    while !stop.load(Relaxed) {
                        i += 1;
                        let key = format!("key:{}", i % KEYS);
                        if copies.contains_key(&key) {
                            invalidated(&mut client)
                                .iter()
                                .for_each(|key| drop(copies.remove(key)));
                            continue;
                        }
                        client.send(format!("GET {key}\r\n").as_bytes());
                        loop {
                            match client.reply() {
                                Reply::Push(parts) => {
                                    let told = parts[1].as_array().expect("keys");
                                    told.iter()
                                        .for_each(|key| drop(copies.remove(key.as_str().expect("text"))));
                                }
                                value => {
                                    copies.insert(key, value);
                                    break;
                                }
                            }
                        }
                    }
                    (client, copies)
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(500));
        stop.store(true, Relaxed);
        for reader in readers {
            let (mut client, mut copies) = reader.join().expect("it reads");
            let mut asker = node.client();
            // The writers' last commands may still be on their way.
            wait_for("the copies to be right", Duration::from_secs(5), || {
                invalidated(&mut client)
                    .iter()
                    .for_each(|key| drop(copies.remove(key)));
                let right = copies
                    .iter()
                    .all(|(key, value)| asker.cmd(&["GET", key]) == *value);
                right.then_some(())
            });
        }
    });
    // All have left; what is still remembered for them goes with the next change of each key.
    let mut client = node.client();
    wait_for("the trackers to be gone", Duration::from_secs(5), || {
        (field(&mut client, "clients", "tracking_clients") == 0).then_some(())
    });
    for i in 0..KEYS {
        client.cmd(&["DEL", &format!("key:{i}")]);
    }
    assert_eq!(field(&mut client, "stats", "tracking_total_keys"), 0);
    assert_eq!(field(&mut client, "stats", "tracking_total_items"), 0);
}

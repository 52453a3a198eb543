//! Order, slow readers, comings and goings, replicas.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use e2e::{Client, Server, wait_for};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use slotcore::resp::{Reply, encode_command};

use crate::NODE;

fn text(reply: &Reply) -> String {
    reply
        .as_str()
        .unwrap_or_else(|| panic!("no text: {reply:?}"))
        .into()
}

/// The payload of the next message.
fn payload(client: &mut Client) -> String {
    match client.reply() {
        Reply::Array(parts) | Reply::Push(parts) => text(parts.last().expect("a payload")),
        other => panic!("no message: {other:?}"),
    }
}

fn publish_all(client: &mut Client, channel: &str, payloads: impl Iterator<Item = String>) {
    let mut batch = Vec::new();
    let mut count = 0;
    for payload in payloads {
        encode_command(&mut batch, &[b"PUBLISH", channel.as_bytes(), payload.as_bytes()]);
        count += 1;
    }
    client.send(&batch);
    (0..count).for_each(|_| assert!(matches!(client.reply(), Reply::Integer(_))));
}

fn info_field(client: &mut Client, section: &str, name: &str) -> String {
    let info = text(&client.cmd(&["INFO", section]));
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {info}")).into()
}

#[test]
fn all_subscribers_see_one_order() {
    const PUBLISHERS: usize = 4;
    const EACH: usize = 2000;
    let node = Server::slotmark(NODE, &["--slotmark-workers", "4"]);
    let mut subscribers: Vec<Client> = (0..6).map(|_| node.client()).collect();
    for (i, client) in subscribers.iter_mut().enumerate() {
        let verb = if i % 2 == 0 { "SUBSCRIBE" } else { "PSUBSCRIBE" };
        client.cmd(&[verb, "order"]);
    }
    thread::scope(|scope| {
        for publisher in 0..PUBLISHERS {
            let mut client = node.client();
            scope.spawn(move || {
                for batch in 0..EACH / 100 {
                    let numbers = batch * 100..(batch + 1) * 100;
                    publish_all(&mut client, "order", numbers.map(|i| format!("{publisher}:{i}")));
                }
            });
        }
        let seen: Vec<Vec<String>> = subscribers
            .iter_mut()
            .map(|client| scope.spawn(move || (0..PUBLISHERS * EACH).map(|_| payload(client)).collect()))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|reader| reader.join().expect("it reads all"))
            .collect();
        for other in &seen[1..] {
            assert!(*other == seen[0], "two subscribers saw different orders");
        }
        for publisher in 0..PUBLISHERS {
            let of_one = |text: &&String| text.starts_with(&format!("{publisher}:"));
            let numbers: Vec<&String> = seen[0].iter().filter(of_one).collect();
            let expected: Vec<String> = (0..EACH).map(|i| format!("{publisher}:{i}")).collect();
            assert!(
                numbers.into_iter().eq(expected.iter()),
                "publisher {publisher}'s own order"
            );
        }
    });
}

fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a Linux /proc");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("VmRSS");
    let kib = line
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok());
    kib.expect("a number") * 1024
}

#[test]
fn a_slow_subscriber_is_ended_at_the_limit_and_nobody_waits_for_it() {
    let mut node = Server::slotmark(NODE, &["--client-output-buffer-limit", "pubsub", "4mb", "0", "0"]);
    let mut slow: Vec<Client> = (0..20).map(|_| node.client()).collect();
    slow.iter_mut().for_each(|client| {
        client.cmd(&["SUBSCRIBE", "news"]);
    });
    let mut quick = node.client();
    quick.cmd(&["SUBSCRIBE", "news"]);
    let before = resident_bytes(node.process().id());
    let mut publisher = node.client();
    let read = Arc::new(AtomicUsize::new(0));
    let progress = read.clone();
    let reader = thread::spawn(move || {
        for i in 0..4000 {
            assert!(payload(&mut quick).starts_with(&format!("{i}:")), "message {i}");
            progress.store(i + 1, Relaxed);
        }
    });
    let start = Instant::now();
    let filler = "x".repeat(8000);
    for batch in 0..400 {
        // The quick one stays within the limit.
        wait_for("the quick one", Duration::from_secs(10), || {
            (read.load(Relaxed) + 200 > batch * 10).then_some(())
        });
        publish_all(
            &mut publisher,
            "news",
            (batch * 10..(batch + 1) * 10).map(|i| format!("{i}:{filler}")),
        );
    }
    let took = start.elapsed();
    reader.join().expect("the quick one gets all");
    assert!(took < Duration::from_secs(10), "32 MB took {took:?}");
    // Twenty times 4 MB and the sockets' buffers would be more than the messages are: they are shared.
    let grown = resident_bytes(node.process().id()).saturating_sub(before);
    assert!(grown < 48 << 20, "the node grew by {grown} bytes");
    wait_for("the slow ones to be gone", Duration::from_secs(10), || {
        let reply = publisher.cmd(&["PUBSUB", "NUMSUB", "news"]);
        (reply.as_array()?.get(1)? == &Reply::Integer(0)).then_some(())
    });
    assert!(
        node.process()
            .log()
            .contains("closed for overcoming of output buffer limits")
    );
}

/// Whoever gets more than it can read can still say that it wants no more.
#[test]
fn a_flooded_subscriber_can_unsubscribe() {
    let node = Server::slotmark(NODE, &["--client-output-buffer-limit", "pubsub", "0", "0", "0"]);
    let mut flooded = node.client();
    flooded.cmd(&["SUBSCRIBE", "news"]);
    let stop = Arc::new(AtomicBool::new(false));
    let (mut publisher, told) = (node.client(), stop.clone());
    let thread = thread::spawn(move || {
        let filler = "x".repeat(50_000);
        let mut sent = 0;
        while !told.load(Relaxed) && sent < 4000 {
            publish_all(&mut publisher, "news", (0..20).map(|_| filler.clone()));
            sent += 20;
        }
    });
    let mut asker = node.client();
    wait_for("more than the sockets hold", Duration::from_secs(10), || {
        let list = text(&asker.cmd(&["CLIENT", "LIST", "TYPE", "pubsub"]));
        let omem = list.split(' ').find_map(|word| word.strip_prefix("omem="))?;
        (omem.parse::<usize>().ok()? > 2 << 20).then_some(())
    });
    flooded.send(b"UNSUBSCRIBE news\r\nPING all-read\r\n");
    // It has not read a byte of the flood when its wish is granted.
    wait_for("the subscription to end", Duration::from_secs(10), || {
        let reply = asker.cmd(&["PUBSUB", "NUMSUB", "news"]);
        (reply.as_array()?.get(1)? == &Reply::Integer(0)).then_some(())
    });
    stop.store(true, Relaxed);
    thread.join().expect("it publishes");
    flooded.read_until(b"$11\r\nunsubscribe\r\n$4\r\nnews\r\n:0\r\n");
    assert_eq!(flooded.read_until(b"all-read\r\n"), b"$8\r\nall-read\r\n");
}

#[test]
fn a_subscriber_above_the_soft_limit_is_ended_in_time() {
    let node = Server::slotmark(NODE, &["--client-output-buffer-limit", "pubsub", "0", "1mb", "1"]);
    let mut slow = node.client();
    slow.cmd(&["SUBSCRIBE", "news"]);
    let mut publisher = node.client();
    let filler = "x".repeat(100_000);
    publish_all(&mut publisher, "news", (0..200).map(|_| filler.clone()));
    let omem = |client: &mut Client| {
        let list = text(&client.cmd(&["CLIENT", "LIST", "TYPE", "pubsub"]));
        let field = list.split(' ').find_map(|word| word.strip_prefix("omem="))?;
        field.parse::<usize>().ok()
    };
    assert!(omem(&mut publisher).is_some_and(|bytes| bytes > 1 << 20));
    wait_for("the slow one to be gone", Duration::from_secs(10), || {
        omem(&mut publisher).is_none().then_some(())
    });
}

#[test]
fn nothing_is_left_of_those_who_come_and_go() {
    let node = Server::slotmark(NODE, &["--slotmark-workers", "3"]);
    let stop = Arc::new(AtomicBool::new(false));
    let publishers: Vec<_> = (0..2)
        .map(|_| {
            let (mut client, stop) = (node.client(), stop.clone());
            thread::spawn(move || {
                while !stop.load(Relaxed) {
                    for name in 0..20 {
                        client.cmd(&["PUBLISH", &format!("c{name}"), "m"]);
                        client.cmd(&["SPUBLISH", &format!("c{name}"), "m"]);
                    }
                }
            })
        })
        .collect();
    thread::scope(|scope| {
        for seed in 0..6 {
            let node = &node;
            scope.spawn(move || {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
                for _ in 0..40 {
                    let mut client = node.client();
                    let mut bytes = Vec::new();
                    for _ in 0..rng.random_range(1..30) {
                        let verb = [
                            "SUBSCRIBE",
                            "PSUBSCRIBE",
                            "SSUBSCRIBE",
                            "UNSUBSCRIBE",
                            "PUNSUBSCRIBE",
                            "SUNSUBSCRIBE",
                        ][rng.random_range(0..6)];
                        let name = format!("c{}", rng.random_range(0..20));
                        encode_command(&mut bytes, &[verb.as_bytes(), name.as_bytes()]);
                    }
                    if rng.random_ratio(1, 4) {
                        encode_command(&mut bytes, &[b"RESET"]);
                    }
                    encode_command(&mut bytes, &[b"PING", b"the-end"]);
                    client.send(&bytes);
                    client.read_until(b"the-end\r\n");
                }
            });
        }
    });
    stop.store(true, Relaxed);
    publishers
        .into_iter()
        .for_each(|thread| thread.join().expect("it publishes"));
    let mut client = node.client();
    wait_for("the registry to be empty", Duration::from_secs(10), || {
        ["pubsub_channels", "pubsub_patterns", "pubsubshard_channels"]
            .iter()
            .all(|name| info_field(&mut client, "stats", name) == "0")
            .then_some(())
    });
    assert_eq!(client.cmd(&["PUBSUB", "CHANNELS"]), Reply::Array(vec![]));
    assert_eq!(client.cmd(&["PUBSUB", "SHARDCHANNELS"]), Reply::Array(vec![]));
}

/// Outside of a cluster, messages follow the replication stream; within one, the bus carries them.
#[test]
fn messages_reach_the_subscribers_of_replicas() {
    let Some(stock) = Server::stock(&["--repl-diskless-sync-delay", "0"]) else {
        return;
    };
    let ours = Server::slotmark(NODE, &["--repl-diskless-sync-delay", "0"]);
    let follow = |port: u16| ["--replicaof".to_owned(), format!("127.0.0.1 {port}")];
    let directives = follow(ours.port());
    let Some(of_ours) = Server::stock(&directives.each_ref().map(String::as_str)) else {
        return;
    };
    let directives = follow(stock.port());
    let of_stock = Server::slotmark(NODE, &directives.each_ref().map(String::as_str));
    for (primary, replica) in [(&ours, &of_ours), (&stock, &of_stock)] {
        let mut reader = replica.client();
        wait_for("the replica to follow", Duration::from_secs(20), || {
            (info_field(&mut reader, "replication", "master_link_status") == "up").then_some(())
        });
        let mut subscriber = replica.client();
        subscriber.cmd(&["SUBSCRIBE", "news"]);
        let mut shard_subscriber = replica.client();
        shard_subscriber.cmd(&["SSUBSCRIBE", "news"]);
        let mut client = primary.client();
        assert_eq!(client.cmd(&["PUBLISH", "news", "one"]), Reply::Integer(0));
        assert_eq!(client.cmd(&["SPUBLISH", "news", "two"]), Reply::Integer(0));
        client.cmd(&["MULTI"]);
        client.cmd(&["SET", "k", "v"]);
        client.cmd(&["PUBLISH", "news", "three"]);
        client.cmd(&["EXEC"]);
        assert_eq!(payload(&mut subscriber), "one");
        assert_eq!(payload(&mut shard_subscriber), "two");
        assert_eq!(payload(&mut subscriber), "three");
        // What is published on a replica stays there.
        let mut at_primary = primary.client();
        at_primary.cmd(&["SUBSCRIBE", "news"]);
        assert_eq!(reader.cmd(&["PUBLISH", "news", "four"]), Reply::Integer(1));
        assert_eq!(payload(&mut subscriber), "four");
        client.cmd(&["PUBLISH", "news", "five"]);
        assert_eq!(payload(&mut at_primary), "five");
    }
}

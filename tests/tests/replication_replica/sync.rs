//! The data set comes in whole, however it is sent and loaded, and the stream after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use e2e::{Client, Server};
use slotcore::resp::encode_command;

use super::{digest, follow, node, ok, stock, wait_for_link, wait_for_same_data};

/// Values in every encoding that stock's RDB has for the types that both hold, with and without expiry.
fn fill(client: &mut Client) {
    for number in [
        "0",
        "127",
        "-128",
        "32767",
        "-32769",
        "2147483647",
        "-2147483649",
        "9223372036854775807",
    ] {
        assert_eq!(client.cmd(&["SET", &format!("number:{number}"), number]), ok());
    }
    let long = "compressible ".repeat(3000);
    let noise: Vec<u8> = (0..2_000_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    assert_eq!(client.cmd(&["SET", "compressed", &long]), ok());
    assert_eq!(client.cmd_bytes(&[b"SET", b"noise", &noise]), ok());
    assert_eq!(client.cmd_bytes(&[b"SET", b"bin\0ary\xff", b"\r\n\0"]), ok());
    assert_eq!(client.cmd(&["SET", "", ""]), ok());
    assert_eq!(client.cmd(&["SET", "soon", "x", "PX", "50"]), ok());
    e2e::collections::fill(client);
    for i in 0..2000 {
        assert_eq!(
            client.cmd(&["SET", &format!("key:{i}"), &format!("value {i}"), "EX", "1000"]),
            ok()
        );
    }
}

/// Writes pipelines of all kinds until told to stop.
fn write_until(server: &Server, stop: Arc<AtomicBool>) -> thread::JoinHandle<u64> {
    let mut client = server.client();
    thread::spawn(move || {
        let mut rounds = 0;
        while !stop.load(Relaxed) {
            let mut batch = Vec::new();
            let mut say = |words: &[&str]| {
                let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
                encode_command(&mut batch, &words);
            };
            let key = format!("key:{}", rounds % 3000);
            say(&["SET", &key, &format!("{rounds}")]);
            say(&["INCR", "counter"]);
            say(&["APPEND", "log", "0123456789"]);
            say(&[
                "HSET",
                "hash:large",
                &format!("field:{}", rounds % 5000),
                "changed",
            ]);
            say(&["HINCRBYFLOAT", "hash:small", "sum", "0.1"]);
            say(&["HDEL", "hash:large", &format!("field:{}", rounds % 700)]);
            say(&["SADD", "set:large", &key]);
            say(&["SPOP", "set:large", "2"]);
            say(&["SMOVE", "set:numbers", "set:other", &format!("{}", rounds % 300)]);
            say(&["SUNIONSTORE", "set:union", "set:numbers", "set:other"]);
            say(&["SET", "timed", "x", "PX", "3"]);
            say(&["GETEX", &key, "EX", "500"]);
            say(&["MULTI"]);
            say(&["INCRBYFLOAT", "{t}float", "0.5"]);
            say(&["SETRANGE", "{t}range", "10", "abc"]);
            say(&["DEL", "{t}gone"]);
            say(&["EXEC"]);
            client.send(&batch);
            (0..17).for_each(|_| drop(client.reply()));
            rounds += 1;
        }
        rounds
    })
}

#[test]
fn a_full_synchronisation_and_what_is_written_meanwhile() {
    for diskless_sync in ["yes", "no"] {
        for load in ["disabled", "on-empty-db", "swapdb"] {
            let Some(primary) = stock(&["--repl-diskless-sync", diskless_sync]) else {
                return;
            };
            let replica = node(&["--repl-diskless-load", load]);
            let (mut at_primary, mut at_replica) = (primary.client(), replica.client());
            fill(&mut at_primary);
            assert_eq!(at_replica.cmd(&["SET", "of the replica", "goes"]), ok());
            let stop = Arc::new(AtomicBool::new(false));
            let writer = write_until(&primary, stop.clone());
            follow(&mut at_replica, &primary);
            wait_for_link(&mut at_replica);
            thread::sleep(std::time::Duration::from_millis(300));
            stop.store(true, Relaxed);
            let rounds = writer.join().expect("the writer ends");
            assert!(rounds > 0, "something was written meanwhile");
            wait_for_same_data(&mut at_primary, &mut at_replica);
            assert_eq!(
                at_replica.cmd(&["EXISTS", "of the replica"]),
                slotcore::resp::Reply::Integer(0)
            );
        }
    }
}

#[test]
fn the_largest_values_come_through() {
    let Some(primary) = stock(&[]) else { return };
    let replica = node(&[]);
    let (mut at_primary, mut at_replica) = (primary.client(), replica.client());
    let large = vec![b'x'; 64 << 20];
    assert_eq!(at_primary.cmd_bytes(&[b"SET", b"before", &large]), ok());
    follow(&mut at_replica, &primary);
    wait_for_link(&mut at_replica);
    assert_eq!(at_primary.cmd_bytes(&[b"SET", b"after", &large]), ok());
    wait_for_same_data(&mut at_primary, &mut at_replica);
    assert!(digest(&mut at_replica).bytes().any(|byte| byte != b'0'));
}

#[test]
fn a_node_is_a_replica_from_its_start_on() {
    let Some(primary) = stock(&["--requirepass", "secret"]) else {
        return;
    };
    let mut at_primary = primary.client();
    assert_eq!(at_primary.cmd(&["AUTH", "secret"]), ok());
    assert_eq!(at_primary.cmd(&["SET", "a", "1"]), ok());
    let place = format!("127.0.0.1 {}", primary.port());
    let replica = node(&["--replicaof", &place, "--masterauth", "secret"]);
    let mut at_replica = replica.client();
    wait_for_same_data(&mut at_primary, &mut at_replica);
}

#[test]
fn an_expired_key_stays_until_its_primary_says_so() {
    let Some(primary) = stock(&[]) else { return };
    let replica = node(&[]);
    let (mut at_primary, mut at_replica) = (primary.client(), replica.client());
    assert_eq!(at_primary.cmd(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]), ok());
    follow(&mut at_replica, &primary);
    wait_for_link(&mut at_replica);
    assert_eq!(at_primary.cmd(&["SET", "short", "1", "PX", "1"]), ok());
    thread::sleep(std::time::Duration::from_millis(300));
    wait_for_same_data(&mut at_primary, &mut at_replica);
    // Nobody has met it at the primary, so it is there for both, and no client sees it.
    assert_eq!(at_replica.cmd(&["GET", "short"]), slotcore::resp::Reply::Nil);
    assert_eq!(at_replica.cmd(&["DBSIZE"]), slotcore::resp::Reply::Integer(1));
    assert_eq!(
        at_primary.cmd(&["INCR", "short"]),
        slotcore::resp::Reply::Integer(1)
    );
    wait_for_same_data(&mut at_primary, &mut at_replica);
    assert_eq!(
        at_replica.cmd(&["GET", "short"]),
        slotcore::resp::Reply::Bulk("1".into())
    );
    assert_eq!(
        at_replica.cmd(&["TTL", "short"]),
        slotcore::resp::Reply::Integer(-1)
    );
}

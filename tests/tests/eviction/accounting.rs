//! What is said to be in use is what is in use.

use std::time::Duration;

use e2e::{Client, Server, wait_for};
use slotcore::resp::Reply;

use super::NODE;
use super::sides::{all, both, info, set, text, words};

/// Counts of threads are summed up by steps, and buffers come and go.
const SLACK: u64 = 256 << 10;

fn fill(client: &mut Client, keys: usize, value: usize) {
    let value = "x".repeat(value);
    let commands: Vec<_> = (0..keys)
        .map(|i| words(&["SET", &format!("key:{i:06}"), &value]))
        .collect();
    all(client, &commands);
}

#[test]
fn values_count_with_what_they_take_and_not_a_quarter_more() {
    let node = Server::slotmark(NODE, &[]);
    let mut client = node.client();
    for (keys, value) in [(20_000, 100), (5000, 1000), (100, 100_000), (4, 5_000_000)] {
        fill(&mut client, 1, 10);
        let before = info(&mut client, "used_memory");
        fill(&mut client, keys, value);
        let taken = info(&mut client, "used_memory") - before;
        let least = (keys * value) as u64;
        // Header, key, word of the table, size class.
        let most = least + least / 4 + keys as u64 * 64 + SLACK;
        assert!(
            (least..most).contains(&taken),
            "{keys} x {value}: {taken}, {least} to {most}"
        );
        let usage = client.cmd(&["MEMORY", "USAGE", "key:000001"]);
        assert!(
            matches!(usage, Reply::Integer(bytes) if bytes as usize > value && (bytes as usize) < value + value / 4 + 64),
            "{value}: {usage:?}"
        );
        client.cmd(&["FLUSHALL"]);
        wait_for("memory to be given back", Duration::from_secs(10), || {
            (info(&mut client, "used_memory") < before + SLACK).then_some(())
        });
    }
}

#[test]
fn collections_count_and_come_back() {
    let node = Server::slotmark(NODE, &[]);
    let mut client = node.client();
    let before = info(&mut client, "used_memory");
    let kinds: [(&str, &[&str]); 4] = [
        ("RPUSH", &[]),
        ("SADD", &[]),
        ("HSET", &["field"]),
        ("ZADD", &["1"]),
    ];
    for (command, _) in kinds {
        let commands: Vec<_> = (0..20_000)
            .map(|i| {
                let member = format!("member:{i:08}:{}", "x".repeat(50));
                match command {
                    "HSET" => words(&[command, "key", &member, "1"]),
                    "ZADD" => words(&[command, "key", &i.to_string(), &member]),
                    _ => words(&[command, "key", &member]),
                }
            })
            .collect();
        all(&mut client, &commands);
        let taken = info(&mut client, "used_memory") - before;
        let Reply::Integer(told) = client.cmd(&["MEMORY", "USAGE", "key", "SAMPLES", "0"]) else {
            panic!("MEMORY USAGE is a number");
        };
        assert!(taken > 20_000 * 65, "{command}: {taken}");
        let (told, taken) = (told as f64, taken as f64);
        assert!(
            (0.8..1.2).contains(&(told / taken)),
            "{command}: {told} told, {taken} taken"
        );
        client.cmd(&["DEL", "key"]);
        wait_for("memory to be given back", Duration::from_secs(10), || {
            (info(&mut client, "used_memory") < before + SLACK).then_some(())
        });
    }
}

/// A client's unprocessed request is memory as well.
#[test]
fn buffers_of_clients_count() {
    let node = Server::slotmark(NODE, &[]);
    let mut client = node.client();
    let before = info(&mut client, "used_memory");
    let mut half = node.client();
    half.send(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$8000000\r\n");
    half.send(&vec![b'x'; 7_000_000]);
    wait_for("the buffer to count", Duration::from_secs(10), || {
        (info(&mut client, "used_memory") > before + 6_000_000).then_some(())
    });
    assert!(info(&mut client, "mem_clients_normal") > 6_000_000);
    drop(half);
    wait_for("the buffer to be given back", Duration::from_secs(10), || {
        (info(&mut client, "used_memory") < before + SLACK).then_some(())
    });
}

fn names(reply: &Reply) -> Vec<String> {
    let name = |reply: &Reply| text(reply.clone());
    match reply {
        Reply::Array(parts) => parts.iter().step_by(2).map(name).collect(),
        Reply::Map(pairs) => pairs.iter().map(|(key, _)| name(key)).collect(),
        other => panic!("{other:?} is no map"),
    }
}

#[test]
fn memory_replies_have_the_shapes_of_stock() {
    let Some([(_, node), (_, stock)]) = both(&[]) else {
        return;
    };
    for proto in ["2", "3"] {
        let (mut ours, mut theirs) = (node.client(), stock.client());
        for client in [&mut ours, &mut theirs] {
            client.cmd(&["HELLO", proto]);
            client.cmd(&["SET", "a", "b"]);
        }
        let [our, their] = [&mut ours, &mut theirs].map(|client| client.cmd(&["MEMORY", "STATS"]));
        assert_eq!(names(&our), names(&their), "RESP{proto}");
        let kind = |reply: &Reply| std::mem::discriminant(reply);
        match (&our, &their) {
            (Reply::Map(our), Reply::Map(their)) => {
                for ((name, our), (_, their)) in our.iter().zip(their) {
                    assert_eq!(kind(our), kind(their), "{name:?}");
                }
            }
            (Reply::Array(our), Reply::Array(their)) => {
                assert!(our.iter().map(kind).eq(their.iter().map(kind)));
            }
            other => panic!("{other:?}"),
        }
        for line in [
            "memory purge",
            "memory usage nosuch",
            "memory usage a samples",
            "memory usage a samples -1",
            "memory usage a samples x",
            "memory usage a samples 0 0",
            "memory usage a bogus 1",
            "memory doctor x",
            "memory stats x",
            "memory usage",
            "memory bogus",
        ] {
            let args: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            let [our, their] = [&mut ours, &mut theirs].map(|client| client.raw(&args));
            assert_eq!(
                String::from_utf8_lossy(&our),
                String::from_utf8_lossy(&their),
                "RESP{proto}: {line}"
            );
        }
        for command in ["DOCTOR", "MALLOC-STATS"] {
            let [our, their] = [&mut ours, &mut theirs].map(|client| client.cmd(&["MEMORY", command]));
            assert_eq!(kind(&our), kind(&their), "RESP{proto} {command}");
        }
    }
    let fields = |client: &mut Client| -> Vec<String> {
        let all = text(client.cmd(&["INFO", "memory"]));
        all.lines()
            .filter_map(|line| Some(line.split_once(':')?.0.to_owned()))
            .filter(|name| {
                !["lua", "scripts", "functions", "vm_"]
                    .iter()
                    .any(|part| name.contains(part))
            })
            .collect()
    };
    assert_eq!(fields(&mut node.client()), fields(&mut stock.client()));
    let mut client = node.client();
    set(&mut client, "maxmemory", "100mb");
    set(&mut client, "maxmemory-policy", "volatile-ttl");
    let memory = text(client.cmd(&["INFO", "memory"]));
    assert!(
        memory.contains("maxmemory:104857600\r\n") && memory.contains("maxmemory_policy:volatile-ttl\r\n")
    );
}

//! Bytes that a node may meet on its client port: split, malformed, endless. Replies and closings are stock's.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use e2e::{Client, Server, wait_for};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use slotcore::resp::{Reply, encode_command};

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");

fn bulk(text: &str) -> Reply {
    Reply::Bulk(text.into())
}

/// Sends bytes, then ends its side, and returns all that comes back until the server closes.
fn exchange(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout can be set");
    // The server may close before it has read everything, which is its right.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    reply
}

#[test]
fn malformed_requests_get_stocks_errors_and_closings() {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    let samples: &[&[u8]] = &[
        b"*abc\r\n",
        b"*1\r\n:3\r\nfoo\r\nPING\r\n",
        b"*2147483648\r\nPING\r\n",
        b"*1\r\n$abc\r\nPING\r\n",
        b"*1\r\n$-1\r\nPING\r\n",
        b"*1\r\n$536870913\r\n",
        b"*0\r\nPING\r\n",
        b"*-1\r\nPING\r\n",
        b"\r\n\r\nPING\r\n",
        b"PING\nPING\r\n",
        b"SET \"a key\" 'a value'\r\nGET \"a key\"\r\n",
        b"SET x \"\\x41\\n\"\r\nGET x\r\n",
        b"SET \"unbalanced\r\n",
        b"GET \"a\"b\r\n",
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
        b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
        b"nosuch 'a b' c\r\n",
        b"QUIT\r\nPING\r\n",
    ];
    for sample in samples {
        assert_eq!(
            exchange(node.port(), sample).escape_ascii().to_string(),
            exchange(stock.port(), sample).escape_ascii().to_string(),
            "to {}",
            sample.escape_ascii()
        );
    }
    let long_line = vec![b'a'; 70_000];
    assert_eq!(
        exchange(node.port(), &long_line).escape_ascii().to_string(),
        "-ERR Protocol error: too big inline request\\r\\n"
    );
}

#[test]
fn unauthenticated_clients_may_not_announce_much() {
    let Some(stock) = Server::stock(&["--requirepass", "secret"]) else {
        return;
    };
    let node = Server::slotmark(NODE, &["--requirepass", "secret"]);
    let samples: &[&[u8]] = &[
        b"*100\r\n",
        b"*1\r\n$16385\r\n",
        b"PING\r\n",
        b"AUTH secret\r\nPING\r\n",
        b"AUTH wrong\r\n",
    ];
    for sample in samples {
        assert_eq!(
            exchange(node.port(), sample).escape_ascii().to_string(),
            exchange(stock.port(), sample).escape_ascii().to_string(),
            "to {}",
            sample.escape_ascii()
        );
    }
}

#[test]
fn a_request_may_come_one_byte_at_a_time() {
    let node = Server::slotmark(NODE, &[]);
    let mut client = node.client();
    for byte in b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\nGET key\r\n" {
        client.send(&[*byte]);
    }
    assert_eq!(client.reply(), Reply::Simple(b"OK".to_vec()));
    assert_eq!(client.reply(), bulk("value"));
}

#[test]
fn a_pipeline_is_answered_in_order_however_it_is_cut() {
    let node = Server::slotmark(NODE, &[]);
    let mut client = node.client();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut bytes = Vec::new();
    for i in 0..2000 {
        bytes.extend_from_slice(
            format!("*3\r\n$3\r\nSET\r\n$4\r\nk{:03}\r\n$4\r\n{i:04}\r\n", i % 100).as_bytes(),
        );
        bytes.extend_from_slice(format!("GET k{:03}\r\n", i % 100).as_bytes());
    }
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rng.random_range(1..=rest.len().min(700)));
        client.send(piece);
        rest = behind;
    }
    for i in 0..2000 {
        assert_eq!(client.reply(), Reply::Simple(b"OK".to_vec()));
        assert_eq!(client.reply(), bulk(&format!("{i:04}")));
    }
}

/// Long commands are read in another way than short ones, and longer than what one read takes: what comes before them,
/// between them and behind them stays what it is.
#[test]
fn long_values_are_stored_whole_however_they_come() {
    let node = Server::slotmark(NODE, &[]);
    let mut client = node.client();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
    let kib = 1024;
    for len in [
        2 * kib,
        16 * kib,
        32 * kib,
        48 * kib,
        64 * kib,
        80 * kib,
        200 * kib,
        1024 * kib,
        3000 * kib,
    ] {
        for around in [len - 40, len - 1, len, len + 1, len + 40] {
            let value: Vec<u8> = (0..around).map(|_| rng.random()).collect();
            let mut bytes = b"GET nothing\r\n".to_vec();
            encode_command(&mut bytes, &[b"SET", b"long", &value]);
            encode_command(&mut bytes, &[b"SET", b"short", b"s"]);
            encode_command(&mut bytes, &[b"SETRANGE", b"long", b"1", &value[1..]]);
            encode_command(&mut bytes, &[b"MGET", b"short", b"long", b"short"]);
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let longest = rng.random_range(1..=rest.len().min(300 * kib));
                let (piece, behind) = rest.split_at(rng.random_range(1..=longest));
                client.send(piece);
                rest = behind;
            }
            assert_eq!(client.reply(), Reply::Nil);
            assert_eq!(client.reply(), Reply::Simple(b"OK".to_vec()));
            assert_eq!(client.reply(), Reply::Simple(b"OK".to_vec()));
            assert_eq!(client.reply(), Reply::Integer(around as i64));
            let all = [bulk("s"), Reply::Bulk(value), bulk("s")];
            assert_eq!(client.reply(), Reply::Array(all.into()));
        }
    }
}

#[test]
fn a_million_arguments_are_one_command() {
    let node = Server::slotmark(NODE, &[]);
    let mut client = node.client();
    let mut bytes = b"*1000001\r\n$4\r\nMGET\r\n".to_vec();
    for _ in 0..1_000_000 {
        bytes.extend_from_slice(b"$1\r\nk\r\n");
    }
    client.cmd(&["SET", "k", "v"]);
    client.send(&bytes);
    match client.reply() {
        Reply::Array(values) => {
            assert_eq!(values.len(), 1_000_000);
            assert!(values.iter().all(|value| *value == bulk("v")));
        }
        other => panic!("{other:?}"),
    }
}

/// What comes from many connections at once runs in groups. Each gets its own replies, and what is wrong with one, or
/// what it says that concerns others, does them no harm.
#[test]
fn connections_that_are_served_together_do_not_mix() {
    let node = Server::slotmark(NODE, &["--io-threads", "1", "--enable-debug-command", "local"]);
    let mut control = node.client();
    let mut clients: Vec<Client> = (0..100).map(|_| node.client()).collect();
    for round in 0..30 {
        // The node's only worker is held up, so that all of this waits for it when it goes on.
        control.send(b"DEBUG SLEEP 0.05\r\n");
        for (number, client) in clients.iter_mut().enumerate() {
            let more = "GET mine\r\n".repeat(number % 40);
            let text = match number % 10 {
                0 => format!("*2\r\n$4\r\nECHO\r\n$8\r\n{number:04}"),
                1 => "CLIENT KILL ID 0\r\nNOSUCH\r\n".into(),
                2 => format!("BLPOP nothing-{round} 0.01\r\n"),
                3 => format!("MULTI\r\nSET k{number} {round}\r\nGET k{number}\r\nEXEC\r\n"),
                _ => format!("SET k{number} {round}\r\n{more}GET k{number}\r\n"),
            };
            client.send(text.as_bytes());
        }
        assert_eq!(control.reply(), Reply::Simple(b"OK".to_vec()));
        for (number, client) in clients.iter_mut().enumerate() {
            let ok = Reply::Simple(b"OK".to_vec());
            let own = bulk(&round.to_string());
            match number % 10 {
                0 => {
                    client.send(format!("{number:04}\r\n").as_bytes());
                    assert_eq!(client.reply(), bulk(&format!("{number:04}{number:04}")));
                }
                1 => {
                    assert!(matches!(client.reply(), Reply::Error(_)));
                    assert!(matches!(client.reply(), Reply::Error(_)));
                }
                2 => assert_eq!(client.reply(), Reply::Nil),
                3 => {
                    let queued = Reply::Simple(b"QUEUED".to_vec());
                    assert_eq!(client.reply(), ok);
                    assert_eq!(client.reply(), queued);
                    assert_eq!(client.reply(), queued);
                    assert_eq!(client.reply(), Reply::Array(vec![ok, own]));
                }
                _ => {
                    assert_eq!(client.reply(), ok);
                    for _ in 0..number % 40 {
                        assert_eq!(client.reply(), Reply::Nil);
                    }
                    assert_eq!(client.reply(), own);
                }
            }
        }
    }
}

#[test]
fn large_replies_to_a_client_that_reads_slowly_do_not_pile_up() {
    let mut node = Server::slotmark(NODE, &[]);
    let mut client = node.client();
    let value = vec![b'v'; 1 << 20];
    client.cmd_bytes(&[b"SET", b"big", &value]);
    let before = resident_bytes(node.process().id());
    let mut slow = node.client();
    slow.send(b"GET big\r\n".repeat(2000).as_slice());
    let shows_output = |client: &mut Client| match client.cmd(&["CLIENT", "LIST"]) {
        Reply::Bulk(list) => String::from_utf8_lossy(&list).lines().any(|line| {
            let mut fields = line.split(' ').filter_map(|field| field.strip_prefix("obl="));
            fields.any(|bytes| bytes != "0")
        }),
        other => panic!("{other:?}"),
    };
    wait_for(
        "CLIENT LIST to show what is unread",
        Duration::from_secs(10),
        || shows_output(&mut client).then_some(()),
    );
    // The node works for others meanwhile, and does not hold 2000 MiB of replies.
    for _ in 0..200 {
        assert_eq!(client.cmd(&["PING"]), Reply::Simple(b"PONG".to_vec()));
    }
    let held = resident_bytes(node.process().id()).saturating_sub(before);
    assert!(
        held < 64 << 20,
        "the node holds {held} bytes for a client that does not read"
    );
    for _ in 0..2000 {
        assert_eq!(slow.reply(), Reply::Bulk(value.clone()));
    }
}

fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a Linux /proc");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("VmRSS");
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok())
        .expect("a number")
        * 1024
}

#[test]
fn random_bytes_neither_crash_nor_bloat_the_node() {
    let mut node = Server::slotmark(NODE, &[]);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let before = resident_bytes(node.process().id());
    for round in 0..300 {
        let mut bytes = vec![0; rng.random_range(1..4000)];
        rng.fill_bytes(&mut bytes);
        if round % 2 == 0 {
            bytes.splice(0..0, *b"*3\r\n$3\r\nSET\r\n$900000\r\n");
        }
        exchange(node.port(), &bytes);
    }
    assert!(
        node.process().ended().is_none(),
        "the node ended: {}",
        node.process().log()
    );
    assert_eq!(node.client().cmd(&["PING"]), Reply::Simple(b"PONG".to_vec()));
    let grown = resident_bytes(node.process().id()).saturating_sub(before);
    assert!(grown < 64 << 20, "the node grew by {grown} bytes");
}

#[test]
fn limits_on_clients_and_query_buffers_hold() {
    let node = Server::slotmark(NODE, &["--maxclients", "3", "--client-query-buffer-limit", "1mb"]);
    // The start-up probe's connection may still be open; it goes when the node has seen it close.
    wait_for(
        "the third connection to be let in",
        Duration::from_secs(5),
        || {
            let mut clients: Vec<Client> = (0..3).map(|_| node.client()).collect();
            let all_in = clients.iter_mut().all(|client| {
                client.send(b"PING\r\n");
                matches!(client.try_reply(), Ok(Reply::Simple(_)))
            });
            if !all_in {
                return None;
            }
            assert_eq!(
                exchange(node.port(), b""),
                b"-ERR max number of clients reached\r\n"
            );
            Some(())
        },
    );
    wait_for("the three to be gone", Duration::from_secs(5), || {
        let info = Client::try_connect(node.port())
            .ok()?
            .try_cmd(&["INFO", "clients"])
            .ok()?;
        info.as_str()?.contains("connected_clients:1\r\n").then_some(())
    });
    wait_for("the connections to be gone", Duration::from_secs(5), || {
        let mut client = node.client();
        client.send(b"*2\r\n$3\r\nGET\r\n$9000000\r\n");
        client.send(&[b'x'; 100]);
        // Beyond the limit the node closes; a write or the read then fails.
        let mut stream = TcpStream::connect(("127.0.0.1", node.port())).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        stream.write_all(b"*2\r\n$3\r\nGET\r\n$9000000\r\n").ok()?;
        let chunk = vec![b'x'; 65_536];
        let mut sent = 0;
        while sent < 8_000_000 && stream.write_all(&chunk).is_ok() {
            sent += chunk.len();
        }
        let mut byte = [0];
        matches!(stream.read(&mut byte), Ok(0) | Err(_)).then_some(())
    });
    assert_eq!(node.client().cmd(&["PING"]), Reply::Simple(b"PONG".to_vec()));
}

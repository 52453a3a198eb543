//! A primary that says whatever a test wants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use slotcore::resp::Reply;

use super::{PATIENCE, info, node, ok};
use e2e::wait_for;

const ID: &str = "00112233445566778899aabbccddeeff00112233";

/// An RDB without a key, with its checksum left out.
const EMPTY: &[u8] = b"REDIS0010\xff\0\0\0\0\0\0\0\0";

struct FalsePrimary(TcpListener);

/// A replica's connection to it.
struct Peer {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl FalsePrimary {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    fn port(&self) -> u16 {
        self.0.local_addr().expect("bound").port()
    }

    /// Takes the next connection through the handshake; returns it and the words of its PSYNC.
    fn accept(&self) -> (Peer, Vec<String>) {
        let (stream, _) = self.0.accept().expect("a replica");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout");
        let mut peer = Peer {
            lines: BufReader::new(stream.try_clone().expect("a socket")),
            stream,
        };
        loop {
            let command = peer.command();
            match command[0].as_str() {
                "PING" => peer.say(b"+PONG\r\n"),
                "REPLCONF" => peer.say(b"+OK\r\n"),
                "PSYNC" => return (peer, command),
                other => panic!("{other} in a handshake"),
            }
        }
    }
}

impl Peer {
    fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the replica reads");
    }

    fn command(&mut self) -> Vec<String> {
        let mut line = String::new();
        // Lines without anything are signs of life.
        while line.trim().is_empty() {
            line.clear();
            assert!(
                self.lines.read_line(&mut line).expect("a line") > 0,
                "the replica closed"
            );
        }
        let count: usize = line
            .trim()
            .strip_prefix('*')
            .expect("a command")
            .parse()
            .expect("a number");
        (0..count)
            .map(|_| {
                line.clear();
                self.lines.read_line(&mut line).expect("a length");
                let len: usize = line
                    .trim()
                    .strip_prefix('$')
                    .expect("a length")
                    .parse()
                    .expect("a number");
                let mut word = vec![0; len + 2];
                self.lines.read_exact(&mut word).expect("a word");
                String::from_utf8_lossy(&word[..len]).into_owned()
            })
            .collect()
    }

    /// Sends a whole copy without keys, as of this offset.
    fn copy(&mut self, offset: u64) {
        self.say(format!("+FULLRESYNC {ID} {offset}\r\n${}\r\n", EMPTY.len()).as_bytes());
        self.say(EMPTY);
    }

    /// Waits until the replica acknowledges this offset.
    fn expect_ack(&mut self, offset: u64) {
        loop {
            let command = self.command();
            assert_eq!(&command[..2], ["REPLCONF", "ACK"]);
            if command[2] == offset.to_string() {
                return;
            }
        }
    }
}

const SET_A: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";
const GETACK: &[u8] = b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n";

#[test]
fn half_a_transaction_leaves_nothing_behind() {
    let primary = FalsePrimary::new();
    let replica = node(&["--replicaof", &format!("127.0.0.1 {}", primary.port())]);
    let mut client = replica.client();
    let (mut peer, psync) = primary.accept();
    assert_eq!(psync[0], "PSYNC");
    peer.copy(1000);
    peer.expect_ack(1000);
    peer.say(SET_A);
    peer.say(GETACK);
    let mut offset = 1000 + (SET_A.len() + GETACK.len()) as u64;
    peer.expect_ack(offset);
    // A transaction, in pieces, cut off before its end.
    let group = [MULTI, b"*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n", EXEC].concat();
    let (front, back) = group.split_at(group.len() - 5);
    for piece in front.chunks(7) {
        peer.say(piece);
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(100));
    drop(peer);
    let (mut peer, psync) = primary.accept();
    assert_eq!(
        psync,
        ["PSYNC", ID, &(offset + 1).to_string()],
        "the place before the MULTI"
    );
    assert_eq!(client.cmd(&["EXISTS", "b"]), Reply::Integer(0));
    assert_eq!(client.cmd(&["GET", "a"]), Reply::Bulk("1".into()));
    peer.say(b"+CONTINUE\r\n");
    peer.say(front);
    peer.say(back);
    offset += group.len() as u64;
    peer.say(GETACK);
    offset += GETACK.len() as u64;
    peer.expect_ack(offset);
    assert_eq!(client.cmd(&["GET", "b"]), Reply::Bulk("1".into()));
    assert_eq!(info(&mut client, "slave_repl_offset"), offset.to_string());
}

#[test]
fn rubbish_ends_the_link_and_a_full_copy_is_asked_for() {
    for rubbish in [&b"hello\r\n"[..], b"*1\r\n+OK\r\n", b"*x\r\n"] {
        let primary = FalsePrimary::new();
        let replica = node(&["--replicaof", &format!("127.0.0.1 {}", primary.port())]);
        let (mut peer, _) = primary.accept();
        peer.copy(7);
        peer.expect_ack(7);
        peer.say(SET_A);
        peer.say(rubbish);
        let (_peer, psync) = primary.accept();
        assert_eq!(psync, ["PSYNC", "?", "-1"]);
        assert_eq!(replica.client().cmd(&["GET", "a"]), Reply::Bulk("1".into()));
    }
}

#[test]
fn another_name_and_another_database() {
    let primary = FalsePrimary::new();
    let replica = node(&["--replicaof", &format!("127.0.0.1 {}", primary.port())]);
    let mut client = replica.client();
    let (mut peer, _) = primary.accept();
    peer.copy(0);
    peer.expect_ack(0);
    drop(peer);
    let (mut peer, _) = primary.accept();
    let renamed = "f".repeat(40);
    peer.say(format!("+CONTINUE {renamed}\r\n").as_bytes());
    peer.expect_ack(0);
    assert_eq!(info(&mut client, "master_replid"), renamed);
    assert_eq!(info(&mut client, "master_replid2"), ID);
    assert_eq!(info(&mut client, "second_repl_offset"), "1");
    peer.say(b"*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n");
    peer.say(SET_A);
    let (_peer, psync) = primary.accept();
    assert_eq!(psync, ["PSYNC", "?", "-1"]);
    assert_eq!(
        client.cmd(&["EXISTS", "a"]),
        Reply::Integer(0),
        "it is not our database"
    );
    assert!(replica_log_has(&replica, "writes to database 5"));
}

fn replica_log_has(replica: &e2e::Server, text: &str) -> bool {
    std::fs::read_to_string(replica.dir().join("server.log"))
        .expect("a log")
        .contains(text)
}

#[test]
fn what_fails_here_is_told_and_counted() {
    let primary = FalsePrimary::new();
    let replica = node(&["--replicaof", &format!("127.0.0.1 {}", primary.port())]);
    let mut client = replica.client();
    let (mut peer, _) = primary.accept();
    peer.copy(0);
    peer.expect_ack(0);
    // In a transaction the other commands still run.
    peer.say(MULTI);
    peer.say(b"*5\r\n$4\r\nXADD\r\n$1\r\nl\r\n$1\r\nx\r\n$1\r\nf\r\n$1\r\nv\r\n");
    peer.say(SET_A);
    peer.say(EXEC);
    peer.say(b"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n");
    peer.say(b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\nm\r\n");
    wait_for("the stream to be applied", PATIENCE, || {
        (client.cmd(&["GET", "a"]) == Reply::Bulk("2".into())).then_some(())
    });
    assert_eq!(info(&mut client, "unexpected_error_replies"), "1");
    assert!(replica_log_has(&replica, "== CRITICAL =="));
}

#[test]
fn clients_are_told_of_a_load() {
    let primary = FalsePrimary::new();
    let replica = node(&["--repl-diskless-load", "swapdb"]);
    let mut client = replica.client();
    assert_eq!(client.cmd(&["SET", "old", "1"]), ok());
    assert_eq!(
        client.cmd(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]),
        ok()
    );
    let (mut peer, _) = primary.accept();
    let mark = "m".repeat(40);
    peer.say(format!("\n\n+FULLRESYNC {ID} 0\r\n\n$EOF:{mark}\r\n").as_bytes());
    peer.say(&EMPTY[..9]);
    wait_for("the load to be seen", PATIENCE, || {
        (info(&mut client, "loading") == "1").then_some(())
    });
    assert_eq!(
        client.cmd(&["GET", "old"]),
        Reply::Error("LOADING Redis is loading the dataset in memory".into())
    );
    assert_eq!(
        client.cmd(&["PING"]),
        Reply::Error("LOADING Redis is loading the dataset in memory".into())
    );
    assert_eq!(info(&mut client, "master_sync_in_progress"), "1");
    // The primary dies in the middle of it: the old data are there as if nothing had been.
    drop(peer);
    let (mut peer, _) = primary.accept();
    assert_eq!(client.cmd(&["GET", "old"]), Reply::Bulk("1".into()));
    peer.say(format!("+FULLRESYNC {ID} 0\r\n$EOF:{mark}\r\n").as_bytes());
    peer.say(EMPTY);
    peer.say(mark.as_bytes());
    peer.expect_ack(0);
    assert_eq!(client.cmd(&["DBSIZE"]), Reply::Integer(0));
}

#[test]
fn old_data_of_the_same_history_are_served_meanwhile() {
    let primary = FalsePrimary::new();
    let place = format!("127.0.0.1 {}", primary.port());
    let replica = node(&["--repl-diskless-load", "swapdb", "--replicaof", &place]);
    let mut client = replica.client();
    let (mut peer, _) = primary.accept();
    peer.copy(0);
    peer.expect_ack(0);
    peer.say(SET_A);
    peer.say(GETACK);
    peer.expect_ack((SET_A.len() + GETACK.len()) as u64);
    drop(peer);
    let (mut peer, _) = primary.accept();
    peer.say(format!("+FULLRESYNC {ID} 500\r\n${}\r\n", EMPTY.len()).as_bytes());
    peer.say(&EMPTY[..5]);
    wait_for("the load to be seen", PATIENCE, || {
        (info(&mut client, "async_loading") == "1").then_some(())
    });
    assert_eq!(client.cmd(&["GET", "a"]), Reply::Bulk("1".into()));
    peer.say(&EMPTY[5..]);
    peer.expect_ack(500);
    assert_eq!(client.cmd(&["GET", "a"]), Reply::Nil);
}

#[test]
fn an_expiry_that_arrives_late_removes_nothing() {
    let primary = FalsePrimary::new();
    let replica = node(&["--replicaof", &format!("127.0.0.1 {}", primary.port())]);
    let mut client = replica.client();
    let (mut peer, _) = primary.accept();
    peer.copy(0);
    peer.expect_ack(0);
    peer.say(SET_A);
    peer.say(b"*3\r\n$9\r\nPEXPIREAT\r\n$1\r\na\r\n$13\r\n1600000000000\r\n");
    let mut offset = (SET_A.len() + GETACK.len() + 46) as u64;
    peer.say(GETACK);
    peer.expect_ack(offset);
    assert_eq!(client.cmd(&["GET", "a"]), Reply::Nil, "clients do not see it");
    peer.say(b"*2\r\n$7\r\nPERSIST\r\n$1\r\na\r\n");
    peer.say(GETACK);
    offset += (GETACK.len() + 24) as u64;
    peer.expect_ack(offset);
    assert_eq!(
        client.cmd(&["GET", "a"]),
        Reply::Bulk("1".into()),
        "it was never gone"
    );
}

#[test]
fn a_damaged_copy_is_refused_and_the_old_data_stay() {
    for load in ["disabled", "swapdb"] {
        let primary = FalsePrimary::new();
        let replica = node(&["--repl-diskless-load", load]);
        let mut client = replica.client();
        assert_eq!(client.cmd(&["SET", "old", "1"]), ok());
        assert_eq!(
            client.cmd(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]),
            ok()
        );
        let (mut peer, _) = primary.accept();
        let mut damaged = EMPTY.to_vec();
        damaged[17] = 1;
        peer.say(format!("+FULLRESYNC {ID} 5\r\n${}\r\n", damaged.len()).as_bytes());
        peer.say(&damaged);
        wait_for("the reason to be told", PATIENCE, || {
            info(&mut client, "slotmark_master_link_fault")
                .contains("Wrong RDB checksum")
                .then_some(())
        });
        assert_eq!(client.cmd(&["GET", "old"]), Reply::Bulk("1".into()), "{load}");
    }
}

#[test]
fn a_replica_whose_data_are_gone_does_not_say_how_old_they_are() {
    let primary = FalsePrimary::new();
    let replica = node(&["--replicaof", &format!("127.0.0.1 {}", primary.port())]);
    let (mut peer, _) = primary.accept();
    peer.copy(7);
    peer.expect_ack(7);
    peer.say(SET_A);
    let mut client = replica.client();
    wait_for("the stream to be applied", PATIENCE, || {
        (client.cmd(&["GET", "a"]) == Reply::Bulk("1".into())).then_some(())
    });
    drop(peer);
    let (mut peer, _) = primary.accept();
    assert_eq!(info(&mut client, "master_link_down_since_seconds"), "0");
    // The checks find nothing wrong with a key that is there twice; by the time that the load does, the old data are gone.
    let twice = b"REDIS0010\0\x01b\x01x\0\x01b\x01y\xff\0\0\0\0\0\0\0\0";
    peer.say(format!("+FULLRESYNC {ID} 100\r\n${}\r\n", twice.len()).as_bytes());
    peer.say(twice);
    wait_for("the load to fail", PATIENCE, || {
        replica_log_has(&replica, "after it was checked").then_some(())
    });
    assert_eq!(client.cmd(&["DBSIZE"]), Reply::Integer(0));
    assert_eq!(
        info(&mut client, "master_link_down_since_seconds"),
        "-1",
        "a cluster must not elect it as one whose data are fresh"
    );
}

#[test]
fn nothing_is_continued_that_was_not_offered() {
    let primary = FalsePrimary::new();
    let _replica = node(&["--replicaof", &format!("127.0.0.1 {}", primary.port())]);
    let (mut peer, _) = primary.accept();
    peer.copy(7);
    peer.expect_ack(7);
    peer.say(b"hello\r\n");
    for _ in 0..2 {
        let (mut peer, psync) = primary.accept();
        assert_eq!(psync, ["PSYNC", "?", "-1"]);
        peer.say(b"+CONTINUE\r\n");
        let mut line = String::new();
        peer.lines.read_line(&mut line).expect("an end");
        assert_eq!(line, "", "the replica ends the link instead of going on");
    }
}

#[test]
fn a_stream_changes_data_and_not_the_role() {
    let primary = FalsePrimary::new();
    let replica = node(&["--replicaof", &format!("127.0.0.1 {}", primary.port())]);
    let (mut peer, _) = primary.accept();
    peer.copy(0);
    peer.expect_ack(0);
    let order = b"*3\r\n$9\r\nREPLICAOF\r\n$2\r\nNO\r\n$3\r\nONE\r\n";
    peer.say(order);
    peer.say(SET_A);
    peer.say(GETACK);
    peer.expect_ack((order.len() + SET_A.len() + GETACK.len()) as u64);
    let mut client = replica.client();
    assert_eq!(info(&mut client, "role"), "slave");
    assert_eq!(client.cmd(&["REPLICAOF", "NO", "ONE"]), ok());
}

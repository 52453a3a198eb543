//! A full copy goes out while clients write: no second copy of the data comes to be in memory. What may is what the
//! buffers are allowed to hold.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use e2e::{Client, Server, wait_for};
use slotcore::resp::encode_command;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
const KEYS: usize = 400_000;
const VALUE: usize = 200;
/// What a replica may be behind: from there on writers are slowed down, and at twice that they hardly get on.
const LIMIT_MB: f64 = 8.0;
/// The rest of what is bounded: the backlog, the copy's own buffers, the allocator's.
const SLACK_MB: f64 = 16.0;

fn resident_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}

/// Writes keys number `from`, `from + step` ... once, in batches.
fn fill(client: &mut Client, from: usize, step: usize, letter: u8, stop: &AtomicBool) {
    let value = [letter; VALUE];
    let numbers: Vec<usize> = (from..KEYS).step_by(step).collect();
    for batch in numbers.chunks(200) {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let mut out = Vec::new();
        for number in batch {
            encode_command(&mut out, &[b"SET", format!("key:{number:07}").as_bytes(), &value]);
        }
        client.send(&out);
        for _ in batch {
            client.reply();
        }
    }
}

#[test]
fn a_full_copy_takes_no_second_copy() {
    let mut primary = Server::slotmark(
        NODE,
        &[
            "--repl-diskless-sync-delay",
            "0",
            "--client-output-buffer-limit",
            &format!("replica {LIMIT_MB}mb {LIMIT_MB}mb 0"),
        ],
    );
    let replica = Server::slotmark(NODE, &[]);
    let stop = AtomicBool::new(false);
    fill(&mut primary.client(), 0, 1, b'a', &stop);
    // Once more, so that whatever rewriting leaves free is there before as well.
    fill(&mut primary.client(), 0, 1, b'b', &stop);
    let pid = primary.process().id();
    let before = resident_mb(pid);
    let (copied, most) = thread::scope(|scope| {
        for writer in 0..2 {
            let (client, stop) = (primary.client(), &stop);
            scope.spawn(move || {
                let mut client = client;
                for letter in (b'c'..=b'z').cycle() {
                    fill(&mut client, writer, 2, letter, stop);
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        replica
            .client()
            .cmd(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]);
        let mut most: f64 = 0.0;
        let mut watched = replica.client();
        // An Option, so that the writers end before a failure is told.
        let copied = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for("the copy to be done", Duration::from_secs(60), || {
                most = most.max(resident_mb(pid));
                let info = watched.cmd(&["INFO", "replication"]);
                info.as_str()?.contains("master_link_status:up").then_some(())
            });
        }));
        stop.store(true, Ordering::Relaxed);
        (copied.is_ok(), most)
    });
    assert!(copied, "the copy was not done in time");
    println!("resident memory: {before:.0} MB before, {most:.0} MB at most");
    assert!(
        most <= before * 1.1 + 2.0 * LIMIT_MB + SLACK_MB,
        "{before:.0} MB before the copy, and {most:.0} MB during it"
    );
}

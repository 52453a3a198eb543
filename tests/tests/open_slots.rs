//! A slot on its way to another node, and clients that write meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use e2e::{Client, Server, wait_for};
use slotcore::resp::{Reply, encode_command};

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");

/// Ourselves with every slot, and a primary that nobody can reach.
const CONF: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa :0@0 myself,master - 0 0 1 connected 0-16383\n\
                    bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 127.0.0.1:1@10001 master - 0 0 2 connected\n\
                    vars currentEpoch 2 lastVoteEpoch 0\n";
const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// The slot of the key `k`.
const SLOT: &str = "7629";

/// Writes `k` as fast as it can until it is told to stop.
fn write_all_the_time(mut client: Client, stop: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    let mut batch = Vec::new();
    for _ in 0..16 {
        encode_command(&mut batch, &[b"SET", b"k", b"v"]);
    }
    thread::spawn(move || {
        while !stop.load(Relaxed) {
            client.send(&batch);
            for _ in 0..16 {
                client.reply();
            }
        }
    })
}

/// What takes a key away under its slot's lock, as a move does, must be the last that is heard of it here: a write that
/// was judged while the key was there may not bring it back.
#[test]
fn a_key_that_has_left_does_not_come_back() {
    let prepare = |dir: &Path| std::fs::write(dir.join("nodes.conf"), CONF).expect("a writable directory");
    let directives = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"];
    let server = Server::start(Path::new(NODE), &directives, prepare);
    let mut client = server.client();
    let ok = Reply::Simple(b"OK".to_vec());
    wait_for("the cluster to serve", Duration::from_secs(20), || {
        (client.cmd(&["SET", "k", "v"]) == ok).then_some(())
    });
    let stop = Arc::new(AtomicBool::new(false));
    let writer = write_all_the_time(server.client(), stop.clone());
    let start = Instant::now();
    let mut rounds = 0;
    while rounds < 200 && start.elapsed() < Duration::from_secs(10) {
        assert_eq!(client.cmd(&["CLUSTER", "SETSLOT", SLOT, "STABLE"]), ok);
        assert_eq!(client.cmd(&["SET", "k", "v"]), ok);
        assert_eq!(client.cmd(&["CLUSTER", "SETSLOT", SLOT, "MIGRATING", OTHER]), ok);
        assert_eq!(client.cmd(&["DEL", "k"]), Reply::Integer(1));
        thread::sleep(Duration::from_millis(3));
        let left = client.cmd(&["CLUSTER", "COUNTKEYSINSLOT", SLOT]);
        assert_eq!(left, Reply::Integer(0), "after {rounds} rounds");
        rounds += 1;
    }
    stop.store(true, Relaxed);
    writer.join().expect("the writer sees replies only");
}

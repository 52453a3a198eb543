//! Scripts take the locks of slots as they go, while others hold several, too: nobody may wait for ever, and each script is
//! one moment for all others.

use std::path::Path;
use std::thread;
use std::time::Duration;

use e2e::{Client, Server, wait_for};
use slotcore::resp::Reply;

use super::NODE;

const ACCOUNTS: usize = 6;
const ROUNDS: usize = 300;
const PATIENCE: Duration = Duration::from_secs(60);

/// Ourselves with every slot.
const CONF: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa :0@0 myself,master - 0 0 1 connected 0-16383\n\
                    vars currentEpoch 1 lastVoteEpoch 0\n";

fn account(i: usize) -> String {
    format!("account:{}", i % ACCOUNTS)
}

/// Moves money between accounts whose keys it does not declare, in either order of their slots.
const TRANSFER: &str = "local from, to = ARGV[1], ARGV[2] \
                        redis.call('incrby', from, -7) redis.call('incrby', to, 7) return 1";
/// The sum of all, which is the same at every moment.
const SUM: &str =
    "local sum = 0 for i = 0, 5 do sum = sum + (redis.call('get', 'account:' .. i) or 0) end return sum";

fn run(server: &Server, in_cluster: bool) {
    let threads: Vec<_> = (0..6)
        .map(|thread_number| {
            let mut client = server.client();
            client.set_patience(PATIENCE);
            thread::spawn(move || work(&mut client, thread_number, in_cluster))
        })
        .collect();
    for thread in threads {
        thread.join().expect("no thread has failed");
    }
    let mut client = server.client();
    assert_eq!(client.cmd(&["EVAL", SUM, "0"]), Reply::Integer(0));
}

fn work(client: &mut Client, number: usize, in_cluster: bool) {
    for round in 0..ROUNDS {
        let (a, b) = (account(round + number), account(round * (number + 2) + 1));
        let reply = match (number % 6, in_cluster) {
            (0, _) => client.cmd(&["EVAL", SUM, "0"]),
            (1 | 2, _) => client.cmd(&["EVAL", TRANSFER, "0", &a, &b]),
            // A key is declared, and others are used.
            (3, _) => client.cmd(&["EVAL", TRANSFER, "1", &a, &a, &b]),
            (4, false) => {
                client.cmd(&["MSET", &format!("x{a}"), "1", &format!("x{b}"), "2"]);
                client.cmd(&["MULTI"]);
                client.cmd(&["INCRBY", &a, "3"]);
                client.cmd(&["EVAL", TRANSFER, "0", &b, &a]);
                client.cmd(&["INCRBY", &b, "-3"]);
                client.cmd(&["INCRBY", &b, "0"]);
                client.cmd(&["EXEC"])
            }
            (4, true) => client.cmd(&["INCRBY", &a, "0"]),
            (_, _) => client.cmd(&["EVAL", "return redis.call('dbsize')", "1", &a]),
        };
        match (&reply, number % 6) {
            (Reply::Integer(sum), 0) => assert_eq!(*sum, 0, "a script sees one moment"),
            // Said when two scripts of a kind that has never roamed before meet after their first write.
            (Reply::Error(text), 3) if in_cluster && text.starts_with(b"ERR the script has written") => {
                client.cmd(&["INCRBY", &a, "7"]);
            }
            (Reply::Error(text), _) => panic!("{}", String::from_utf8_lossy(text)),
            _ => {}
        }
    }
}

#[test]
fn scripts_that_roam_do_not_wait_for_each_other_for_ever() {
    let server = Server::slotmark(NODE, &["--slotmark-workers", "4"]);
    run(&server, false);
}

#[test]
fn nor_do_they_in_a_cluster() {
    let prepare = |dir: &Path| std::fs::write(dir.join("nodes.conf"), CONF).expect("a writable directory");
    let directives = [
        "--cluster-enabled",
        "yes",
        "--cluster-config-file",
        "nodes.conf",
        "--slotmark-workers",
        "4",
    ];
    let server = Server::start(Path::new(NODE), &directives, prepare);
    let mut client = server.client();
    wait_for("the cluster to serve", PATIENCE, || {
        matches!(client.cmd(&["SET", "k", "v"]), Reply::Simple(_)).then_some(())
    });
    run(&server, true);
}

//! SORT by what chance would hardly draw: orders of texts, patterns, and the limits of a cluster.

use e2e::Server;

use super::NODE;

const SAMPLE: &[&str] = &[
    "RPUSH words pear Apple fig apple Fig 10 9 _ b a",
    "RPUSH numbers 5 1 3 2 1e1 -7 0x10 inf -inf +2 .5 1. 3",
    "SADD set 5 1 3 20 100",
    "MSET w_1 9 w_2 8 w_3 7 w_5 x o_1 one o_3 three 1 self",
    "HSET h_1 f 4 g one",
    "HSET h_3 f 2",
    "HSET h_20 f 3 -> arrow",
    "RPUSH wrong a b",
    "RPUSH blank 1 2x",
    "SET text x",
];

const CASES: &[&str] = &[
    "SORT words ALPHA",
    "SORT words ALPHA DESC LIMIT 1 4",
    "SORT words",
    "SORT numbers",
    "SORT numbers DESC",
    "SORT numbers DESC ASC LIMIT 2 3",
    "SORT numbers LIMIT -5 2",
    "SORT numbers LIMIT 3 -1",
    "SORT numbers LIMIT 100 2",
    "SORT numbers LIMIT 0 0",
    "SORT numbers LIMIT 1",
    "SORT numbers LIMIT a 1",
    "SORT numbers BY",
    "SORT set",
    "SORT set BY h_*->f",
    "SORT set BY h_*->f GET h_*->f GET # GET h_*->g GET o_* GET nothing",
    "SORT set BY h_*->f DESC LIMIT 1 2 GET #",
    "SORT set BY w_*",
    "SORT set BY w_* ALPHA LIMIT 2 3",
    "SORT set GET *",
    "SORT set GET h_*->",
    "SORT set GET h_*->->",
    "SORT set GET h_->f",
    "SORT words BY nosort LIMIT 1 3",
    "SORT words BY nosort DESC LIMIT 1 3",
    "SORT words BY nosort DESC",
    "SORT set BY nosort STORE out",
    "LRANGE out 0 -1",
    "SORT set BY nosort DESC STORE out",
    "LRANGE out 0 -1",
    "SORT set GET o_* GET # STORE out",
    "LRANGE out 0 -1",
    "OBJECT ENCODING out",
    "PEXPIREAT out 4000000000000",
    "SORT numbers STORE nowhere STORE out",
    "PEXPIRETIME out",
    "SORT nothing STORE out",
    "EXISTS out nowhere",
    "SORT nothing",
    "SORT text",
    "SORT text STORE out",
    "SORT h_1",
    "SORT wrong",
    "SORT wrong BY nosort GET h_*->f",
    "SORT blank",
    "SORT_RO numbers LIMIT 0 2",
    "SORT_RO numbers STORE out",
    "SORT numbers STORE",
    "SORT numbers STORE numbers",
    "LRANGE numbers 0 -1",
    "MULTI",
    "SORT set BY h_*->f GET h_*->f STORE text",
    "LRANGE text 0 -1",
    "EXEC",
];

/// What a cluster does not let patterns do. Keys are of one slot.
const IN_CLUSTER: &[&str] = &[
    "CLUSTER ADDSLOTSRANGE 0 16383",
    "RPUSH {k}1 3 1 2",
    "SORT {k}1",
    "SORT {k}1 BY w_*",
    "SORT {k}1 BY {k}*",
    "SORT {k}1 BY nosort",
    "SORT {k}1 GET #",
    "SORT {k}1 BY nosort GET {k}*",
    "SORT {k}1 STORE {k}2",
    "SORT {k}1 STORE other",
    "SORT_RO {k}1 GET {k}*",
    "LRANGE {k}2 0 -1",
];

fn same(directives: &[&str], lines: &[&str]) {
    let Some(stock) = Server::stock(directives) else {
        return;
    };
    let node = Server::slotmark(NODE, directives);
    for hello in ["2", "3"] {
        let mut clients = [node.client(), stock.client()];
        for client in &mut clients {
            client.cmd(&["HELLO", hello]);
        }
        for line in lines {
            let words: Vec<&[u8]> = line
                .split(' ')
                .map(|word| if word == "_" { &b""[..] } else { word.as_bytes() })
                .collect();
            let mut replies = clients.each_mut().map(|client| client.raw(&words));
            if line.starts_with("RPUSH {k}1") {
                // A stock primary does not serve at once.
                let down = |reply: &[u8]| reply.starts_with(b"-CLUSTERDOWN");
                e2e::wait_for("both to serve", std::time::Duration::from_secs(20), || {
                    for (client, reply) in clients.iter_mut().zip(&mut replies) {
                        if down(reply) {
                            *reply = client.raw(&words);
                        }
                    }
                    (!replies.iter().any(|reply| down(reply))).then_some(())
                });
            }
            let [ours, theirs] = replies.map(|reply| reply.escape_ascii().to_string());
            assert_eq!(ours, theirs, "left is ours: {line} (RESP{hello})");
        }
    }
}

#[test]
fn sort_is_stocks() {
    let lines: Vec<&str> = ["FLUSHALL"].iter().chain(SAMPLE).chain(CASES).copied().collect();
    same(&[], &lines);
}

#[test]
fn sort_in_a_cluster_is_stocks() {
    same(&["--cluster-enabled", "yes"], IN_CLUSTER);
}

//! MONITOR beside stock's: its lines for a list of commands, and what else a connection may do meanwhile.

use slotcore::resp::Reply;

use e2e::{Client, Server};

use crate::NODE;
use crate::sides::words;

const SAID: &str = r#"
set k "a b"
GET k
auth default x
hello 3 auth default x
hello 2
config get port
multi
set a 1
get a
exec
multi
get a
discard
nope
get
incr k
ping
client setname x
client list
slowlog len
acl whoami
acl setuser z >p
subscribe c
unsubscribe c
publish c m
watch a
unwatch
command count
info server
object encoding a
wait 0 0
time
dbsize
keys *
sort a
blpop nolist 0.01
flushall
latency latest
pfadd h a
config set requirepass secret
config set requirepass ""
reset
"#;

/// What both watch: a line without its time and its client's port.
fn stripped(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let (_, rest) = line.split_once(" [").expect("a time comes first");
    let (client, rest) = rest.split_once("] ").expect("then the client");
    let (address, port) = client.rsplit_once(':').expect("an address");
    assert!(port.parse::<u16>().is_ok(), "{line}");
    format!("[{address}] {rest}")
}

fn lines(server: &Server) -> Vec<String> {
    let mut monitor = server.client();
    assert_eq!(monitor.cmd(&["monitor"]), Reply::Simple(b"OK".to_vec()));
    let mut client = server.client();
    let raw: &[u8] = b"\x00\"\\\n\r\t\x07\x08\xff";
    client.cmd_bytes(&[b"set", b"k", raw]);
    for line in SAID.lines().filter(|line| !line.is_empty()) {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        client.cmd(&words);
    }
    client.cmd(&["echo", "the end"]);
    let mut lines = Vec::new();
    loop {
        let line = monitor.read_until(b"\r\n");
        lines.push(stripped(&line));
        if lines.last().is_some_and(|line| line.contains("the end")) {
            return lines;
        }
    }
}

#[test]
fn lines_are_those_of_stock() {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    assert_eq!(lines(&node), lines(&stock));
}

/// What a connection that watches is told for its own commands, line by line.
fn own(server: &Server, hello: &str) -> Vec<String> {
    let mut client = server.client();
    client.cmd(&["hello", hello]);
    client.cmd(&["monitor"]);
    let mut told = Vec::new();
    let mut say = |client: &mut Client, words: &[&str], lines: usize| {
        let mut out = Vec::new();
        let args: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        slotcore::resp::encode_command(&mut out, &args);
        client.send(&out);
        for _ in 0..lines {
            let line = client.read_until(b"\r\n");
            told.push(match line.starts_with(b"+1") {
                true => stripped(&line),
                false => line.escape_ascii().to_string(),
            });
        }
    };
    say(&mut client, &["ping"], 2);
    say(&mut client, &["get", "k"], 1);
    // Whoever watches is not answered if it asks again.
    say(&mut client, &["monitor"], 0);
    say(&mut client, &["multi"], 2);
    say(&mut client, &["set", "k", "1"], 1);
    say(&mut client, &["exec"], 1);
    say(&mut client, &["multi"], 2);
    say(&mut client, &["ping"], 1);
    say(&mut client, &["exec"], 4);
    say(&mut client, &["acl", "whoami"], 3);
    say(&mut client, &["reset"], 1);
    say(&mut client, &["ping"], 1);
    say(&mut client, &["get", "k"], 1);
    told
}

#[test]
fn who_watches_may_do_what_it_may_in_stock() {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    for hello in ["2", "3"] {
        assert_eq!(own(&node, hello), own(&stock, hello), "RESP{hello}");
    }
}

#[test]
fn monitor_in_a_transaction_is_refused() {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    let said = |server: &Server| {
        let mut client = server.client();
        ["multi", "monitor", "exec"].map(|word| format!("{:?}", client.cmd(&[word])))
    };
    assert_eq!(said(&node), said(&stock));
}

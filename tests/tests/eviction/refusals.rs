//! When nothing may give way.

use super::sides::{both, set, words};

/// Each line is a command of the first connection; with `2>` before it, of the second.
const NO_ROOM: &[&str] = &[
    "2> config set maxmemory 1",
    "get a",
    "set a b",
    "set a",
    "nosuch a",
    "append a b",
    "incr n",
    "lpush l a",
    "hset h a b",
    "sadd s a",
    "zadd z 1 a",
    "setbit b 1 1",
    "getset a b",
    "getdel a",
    "del a",
    "unlink a",
    "expire a 10",
    "persist a",
    "lpop l",
    "rename a b",
    "copy kept other",
    "restore r 0 x",
    "publish c m",
    "ping",
    "touch kept",
    "flushall",
    "multi",
    "get a",
    "exec",
    "multi",
    "set a b",
    "discard",
    "multi",
    "ping",
    "watch a",
    "unwatch",
    "multi",
    "exec",
    "multi",
    "ping",
    "discard",
    "2> config set maxmemory 0",
    "multi",
    "2> config set maxmemory 1",
    "reset",
    "get a",
    "watch a",
    "multi",
    "exec",
    // EXEC is judged by what is queued, when it comes.
    "2> config set maxmemory 0",
    "multi",
    "get a",
    "2> config set maxmemory 1",
    "exec",
    "2> config set maxmemory 0",
    "multi",
    "set a b",
    "get a",
    "2> config set maxmemory 1",
    "exec",
    "get a",
    "2> config set maxmemory 0",
    "set kept x",
    "object freq kept",
    "object idletime kept",
    "object idletime none",
    "object freq none",
    "2> config set maxmemory 0",
];

#[test]
fn refusals_are_those_of_stock() {
    let Some([(_, node), (_, stock)]) = both(&[]) else {
        return;
    };
    for policy in [
        "noeviction",
        "volatile-lru",
        "volatile-ttl",
        "volatile-random",
        "volatile-lfu",
    ] {
        for proto in ["2", "3"] {
            let connect = |server: &e2e::Server| {
                let mut clients = [server.client(), server.client()];
                clients[0].raw(&[b"hello", proto.as_bytes()]);
                set(&mut clients[1], "maxmemory-policy", policy);
                clients[1].raw(&[b"flushall"]);
                clients[1].raw(&[b"set", b"kept", b"x"]);
                clients
            };
            let (mut ours, mut theirs) = (connect(&node), connect(&stock));
            for line in NO_ROOM {
                let (by, command) = match line.strip_prefix("2> ") {
                    Some(command) => (1, command),
                    None => (0, *line),
                };
                let args = words(&command.split(' ').collect::<Vec<_>>());
                let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
                let show = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                let (our, their) = (show(ours[by].raw(&args)), show(theirs[by].raw(&args)));
                let without_details = |text: &str| text.split("unknown command").next().map(str::to_owned);
                if command.starts_with("nosuch") {
                    assert_eq!(without_details(&our), without_details(&their));
                } else {
                    assert_eq!(our, their, "{policy} resp{proto}: {line}");
                }
            }
        }
    }
}

#[test]
fn with_nothing_left_to_evict_writes_are_refused() {
    let Some(sides) = both(&["--maxmemory", "1", "--maxmemory-policy", "allkeys-lru"]) else {
        return;
    };
    for (side, server) in &sides {
        let mut client = server.client();
        let reply = client.raw(&[b"set", b"a", b"b"]);
        let reply = String::from_utf8_lossy(&reply).into_owned();
        assert_eq!(
            reply, "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
            "{side}"
        );
    }
}

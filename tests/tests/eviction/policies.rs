//! Which keys give way.

use std::time::Duration;

use e2e::{Client, Server, wait_for};
use slotcore::resp::Reply;

use super::sides::{all, both, count, info, set, words};

const VALUE: usize = 1000;
/// Keys of a kind.
const KEYS: usize = 400;

fn value() -> String {
    "x".repeat(VALUE)
}

/// Keys `PREFIX:0`..., which expire in hours, by RESTORE with these options, for each key its own.
fn restore(client: &mut Client, prefix: &str, options: impl Fn(usize) -> Vec<String>) {
    client.cmd(&["SET", "payload", &value()]);
    let Reply::Bulk(payload) = client.cmd(&["DUMP", "payload"]) else {
        panic!("DUMP gives bytes");
    };
    client.cmd(&["DEL", "payload"]);
    let commands: Vec<_> = (0..KEYS)
        .map(|i| {
            let mut command = words(&["RESTORE", &format!("{prefix}:{i}"), "9000000"]);
            command.push(payload.clone());
            command.extend(options(i).into_iter().map(String::into_bytes));
            command
        })
        .collect();
    for reply in all(client, &commands) {
        assert_eq!(reply, Reply::Simple("OK".into()));
    }
}

fn write(client: &mut Client, prefix: &str, expires_in: impl Fn(usize) -> Option<usize>) {
    let commands: Vec<_> = (0..KEYS)
        .map(|i| {
            let mut command = words(&["SET", &format!("{prefix}:{i}"), &value()]);
            if let Some(seconds) = expires_in(i) {
                command.extend(words(&["EX", &seconds.to_string()]));
            }
            command
        })
        .collect();
    for reply in all(client, &commands) {
        assert_eq!(reply, Reply::Simple("OK".into()));
    }
}

fn survivors(client: &mut Client, prefix: &str, range: std::ops::Range<usize>) -> usize {
    count(client, range.map(|i| format!("{prefix}:{i}")))
}

/// No more may be used than now, and about as many keys as were written last have room beside it.
fn limit(client: &mut Client, spare: usize) {
    let used = info(client, "used_memory");
    set(client, "maxmemory", &(used + spare as u64).to_string());
}

#[test]
fn persistent_keys_stay_with_policies_for_volatile_ones() {
    let Some(sides) = both(&["--maxmemory-samples", "10"]) else {
        return;
    };
    for policy in ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"] {
        for (side, server) in &sides {
            let mut client = server.client();
            set(&mut client, "maxmemory-policy", policy);
            write(&mut client, "keep", |_| None);
            write(&mut client, "cache", |i| Some(1000 + i));
            limit(&mut client, 20 * VALUE);
            write(&mut client, "more", |i| Some(9000 + i));
            assert_eq!(survivors(&mut client, "keep", 0..KEYS), KEYS, "{side} {policy}");
            let evicted = info(&mut client, "evicted_keys") as usize;
            assert!(
                (KEYS / 2..2 * KEYS).contains(&evicted),
                "{side} {policy}: {evicted}"
            );
            assert_eq!(info(&mut client, "expired_keys"), 0, "{side} {policy}");
            set(&mut client, "maxmemory", "0");
            client.cmd(&["FLUSHALL"]);
            client.cmd(&["CONFIG", "RESETSTAT"]);
            assert_eq!(info(&mut client, "evicted_keys"), 0);
        }
    }
}

#[test]
fn the_key_that_expires_next_goes_first() {
    let Some(sides) = both(&["--maxmemory-policy", "volatile-ttl", "--maxmemory-samples", "64"]) else {
        return;
    };
    for (side, server) in &sides {
        let mut client = server.client();
        write(&mut client, "cache", |i| Some(1000 + i * 10));
        limit(&mut client, KEYS / 2 * VALUE);
        // These outlive all others, and push about half of them out.
        write(&mut client, "later", |i| (i >= KEYS / 2).then_some(90_000 + i));
        let (soon, late) = (
            survivors(&mut client, "cache", 0..KEYS / 4),
            survivors(&mut client, "cache", KEYS * 3 / 4..KEYS),
        );
        assert!(
            late >= soon + KEYS / 8,
            "{side}: {soon} that expire soon, {late} late"
        );
        assert!(survivors(&mut client, "cache", 0..KEYS) < KEYS, "{side}");
        assert_eq!(survivors(&mut client, "later", 0..KEYS / 2), KEYS / 2, "{side}");
    }
}

#[test]
fn keys_in_use_outlive_idle_ones() {
    for policy in ["allkeys-lru", "volatile-lru"] {
        let Some(sides) = both(&["--maxmemory-policy", policy, "--maxmemory-samples", "10"]) else {
            return;
        };
        for (side, server) in &sides {
            let mut client = server.client();
            restore(&mut client, "hot", |_| vec!["IDLETIME".into(), "0".into()]);
            restore(&mut client, "idle", |i| {
                vec!["IDLETIME".into(), (1000 + i).to_string()]
            });
            limit(&mut client, KEYS / 4 * VALUE);
            write(&mut client, "new", |i| (i < KEYS / 2).then_some(9000));
            let (hot, idle) = (
                survivors(&mut client, "hot", 0..KEYS),
                survivors(&mut client, "idle", 0..KEYS),
            );
            assert!(
                hot >= KEYS * 9 / 10,
                "{side} {policy}: {hot} of the hot keys, {idle} idle ones"
            );
            assert!(idle <= KEYS * 3 / 4, "{side} {policy}: {idle} of the idle keys");
        }
    }
}

#[test]
fn frequent_keys_outlive_a_scan() {
    let Some(sides) = both(&["--maxmemory-policy", "allkeys-lfu", "--maxmemory-samples", "10"]) else {
        return;
    };
    for (side, server) in &sides {
        let mut client = server.client();
        restore(&mut client, "often", |_| vec!["FREQ".into(), "100".into()]);
        write(&mut client, "once", |_| None);
        limit(&mut client, 10 * VALUE);
        for scan in 0..4 {
            write(&mut client, &format!("scan{scan}"), |_| None);
        }
        let often = survivors(&mut client, "often", 0..KEYS);
        assert!(often >= KEYS * 98 / 100, "{side}: {often}");
        assert!(survivors(&mut client, "once", 0..KEYS) < KEYS / 4, "{side}");
    }
}

#[test]
fn a_lower_limit_is_in_force_at_once() {
    let Some(sides) = both(&[]) else { return };
    for policy in ["allkeys-random", "allkeys-lru", "allkeys-lfu"] {
        for (side, server) in &sides {
            let mut client = server.client();
            set(&mut client, "maxmemory-policy", policy);
            write(&mut client, "key", |_| None);
            let used = info(&mut client, "used_memory");
            set(
                &mut client,
                "maxmemory",
                &(used - (KEYS * VALUE / 2) as u64).to_string(),
            );
            // Nobody writes: it happens by itself.
            let left = wait_for("keys to be evicted", Duration::from_secs(10), || {
                let Reply::Integer(left) = client.cmd(&["DBSIZE"]) else {
                    panic!("DBSIZE is a number");
                };
                ((left as usize) < KEYS * 6 / 10).then_some(left as usize)
            });
            assert!(left > KEYS / 4, "{side} {policy}: {left}");
            set(&mut client, "maxmemory", "1");
            wait_for("all keys to be evicted", Duration::from_secs(10), || {
                (client.cmd(&["DBSIZE"]) == Reply::Integer(0)).then_some(())
            });
            set(&mut client, "maxmemory", "0");
        }
    }
}

/// Four clients write three times what there is room for.
#[test]
fn writers_at_the_limit_lose_nothing_but_what_was_evicted() {
    const WRITERS: usize = 4;
    const EACH: usize = 8000;
    const ROOM: u64 = 8 << 20;
    let node = Server::slotmark(
        super::NODE,
        &["--maxmemory-policy", "allkeys-lru", "--slotmark-workers", "4"],
    );
    let mut client = node.client();
    let allowed = info(&mut client, "used_memory") + ROOM;
    set(&mut client, "maxmemory", &allowed.to_string());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let mut client = node.client();
            scope.spawn(move || {
                let commands: Vec<_> = (0..EACH)
                    .map(|i| words(&["SET", &format!("w{writer}:{i}"), &value()]))
                    .collect();
                for reply in all(&mut client, &commands) {
                    assert_eq!(reply, Reply::Simple("OK".into()));
                }
            });
        }
        for _ in 0..20 {
            let used = info(&mut client, "used_memory");
            assert!(used < allowed + allowed / 20, "{used} of {allowed}");
        }
    });
    // What the writers' connections held is given back when they are gone.
    wait_for("memory to be below the limit", Duration::from_secs(10), || {
        (info(&mut client, "used_memory") <= allowed + allowed / 100).then_some(())
    });
    let evicted = info(&mut client, "evicted_keys");
    let Reply::Integer(left) = client.cmd(&["DBSIZE"]) else {
        panic!("DBSIZE is a number");
    };
    assert_eq!(left as u64 + evicted, (WRITERS * EACH) as u64);
    // The limit is used: no worker evicts far below it.
    assert!(left as u64 * VALUE as u64 > ROOM * 7 / 10, "{left} keys are left");
}

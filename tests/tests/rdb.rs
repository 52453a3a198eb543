//! RDB and DUMP against redis-server 7.0.15: it loads what we write, we load what it writes, redis-check-rdb agrees.

use std::io::BufReader;
use std::path::Path;
use std::process::Command;

use e2e::{Client, Server};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use slotcore::resp::Reply;
use slotmark_server::keyspace::{Entry, Expire, Held, Key, Keyspace};
use slotmark_server::persistence::rdb::{self, LoadOptions, RdbAux, RdbHistory};
use slotmark_server::persistence::snapshot;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
/// Years from now, unix time in milliseconds.
const LATER: u64 = 4_000_000_000_000;
const NOW: u64 = 1_800_000_000_000;

type Data = Vec<(Vec<u8>, Vec<u8>, Option<u64>)>;

/// Strings of every form that the format has.
fn data(seed: u64) -> Data {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut data = Data::new();
    for number in 0..600_u64 {
        let key = match number % 5 {
            0 => number.to_string(),
            1 => format!("a long key that can be compressed, a long key, number {number}"),
            _ => format!("key:{number}"),
        };
        data.push((
            key.into(),
            value(&mut rng),
            (number % 3 == 0).then_some(LATER + number),
        ));
    }
    let edges = [
        "",
        "0",
        "-1",
        "127",
        "128",
        "-128",
        "-129",
        "32767",
        "32768",
        "-32768",
        "-32769",
        "2147483647",
        "2147483648",
        "-2147483648",
        "-2147483649",
        "9223372036854775807",
        "01",
        "+1",
        "-0",
        " 1",
        "1.5",
    ];
    for edge in edges {
        data.push((format!("edge{edge}").into(), edge.into(), None));
    }
    for len in [1, 20, 21, 63, 64, 16_383, 16_384, 70_000, 3_000_000] {
        data.push((format!("same{len}").into(), vec![b's'; len], None));
        let mut noise = vec![0; len];
        rng.fill_bytes(&mut noise);
        data.push((format!("noise{len}").into(), noise, None));
    }
    data
}

/// Values that compress well, a little, or not at all.
fn value(rng: &mut Xoshiro256PlusPlus) -> Vec<u8> {
    let len = match rng.random_range(0..10) {
        0 => rng.random_range(0..12),
        1..7 => rng.random_range(0..300),
        _ => rng.random_range(0..20_000),
    };
    let letters = [1, 2, 4, 20, 200][rng.random_range(0..5)];
    let mut value: Vec<u8> = (0..len)
        .map(|_| b'0' + rng.random_range(0..letters) as u8)
        .collect();
    // Repeated pieces, so that copies of all lengths and distances come about.
    for _ in 0..rng.random_range(0..8) {
        if value.len() > 4 {
            let from = rng.random_range(0..value.len() - 3);
            let piece = value[from..from + rng.random_range(1..=value.len() - from)].to_vec();
            value.extend_from_slice(&piece);
        }
    }
    value
}

fn keyspace_of(data: &Data) -> &'static Keyspace {
    let keyspace: &'static Keyspace = Box::leak(Box::default());
    for (key, value, expiry) in data {
        let key = Key::new(key);
        let expire = expiry.map_or(Expire::Clear, Expire::At);
        keyspace.lock(key.slot).set_string(&key, value, expire, NOW);
    }
    keyspace
}

fn contents(keyspace: &Keyspace) -> Data {
    let mut found = Data::new();
    Held::None.for_each(keyspace, 0, &mut |entry: Entry<'_>| {
        let value = entry.string().expect("there are strings only");
        found.push((entry.key().to_vec(), value.to_vec(), entry.expiry()));
    });
    found.sort();
    found
}

fn sorted(mut data: Data) -> Data {
    data.sort();
    data
}

fn aux(compress: bool, checksum: bool) -> RdbAux {
    RdbAux {
        now_ms: NOW,
        used_memory: 123_456_789,
        history: Some(RdbHistory {
            id: "0123456789abcdef0123456789abcdef01234567".into(),
            offset: 98_765,
        }),
        compress,
        checksum,
    }
}

fn write_rdb(keyspace: &'static Keyspace, aux: &RdbAux, path: &Path) {
    let mut file = std::fs::File::create(path).expect("the directory is writable");
    let (snapshot, ()) = snapshot::begin(keyspace, || ()).expect("no other snapshot");
    let totals = snapshot.write(aux, &mut file).expect("the file is writable");
    assert_eq!(totals.bytes, file.metadata().expect("it is there").len());
    assert_eq!(totals.keys, keyspace.key_count() as u64);
}

/// What redis-check-rdb says; `None`: it is not installed.
fn judged(path: &Path) -> Option<String> {
    if !e2e::have("redis-check-rdb") {
        e2e::skip("redis-check-rdb is not on PATH (Debian: apt-get install redis-tools)");
        return None;
    }
    let output = Command::new("redis-check-rdb")
        .arg(path)
        .output()
        .expect("it runs");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn bulk(client: &mut Client, args: &[&[u8]]) -> Vec<u8> {
    match client.cmd_bytes(args) {
        Reply::Bulk(bytes) => bytes,
        other => panic!("{} got {other:?}", args[0].escape_ascii()),
    }
}

fn ok(client: &mut Client, args: &[&[u8]]) {
    assert_eq!(client.raw(args), b"+OK\r\n", "{}", args[0].escape_ascii());
}

fn fill(client: &mut Client, data: &Data) {
    for (key, value, expiry) in data {
        ok(client, &[b"SET", key, value]);
        if let Some(expiry) = expiry {
            client.cmd_bytes(&[b"PEXPIREAT", key, expiry.to_string().as_bytes()]);
        }
    }
}

#[test]
fn stock_loads_what_we_write() {
    let data = data(1);
    let keyspace = keyspace_of(&data);
    for (compress, checksum) in [(true, true), (false, false)] {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("dump.rdb");
        write_rdb(keyspace, &aux(compress, checksum), &path);
        let Some(text) = judged(&path) else { return };
        assert!(text.contains("\\o/ RDB looks OK! \\o/"), "{text}");
        assert!(
            text.contains(&format!("[info] {} keys read", data.len())),
            "{text}"
        );
        assert!(text.contains("AUX FIELD repl-offset = '98765'"), "{text}");
        assert!(text.contains("AUX FIELD redis-ver = '7.0.15'"), "{text}");

        if !e2e::have("redis-server") {
            e2e::skip("redis-server is not on PATH (Debian: apt-get install redis-server)");
            return;
        }
        let stock = Server::start(Path::new("redis-server"), &[], |dir| {
            std::fs::copy(&path, dir.join("dump.rdb")).expect("a file can be copied");
        });
        let mut client = stock.client();
        assert_eq!(client.cmd(&["DBSIZE"]), Reply::Integer(data.len() as i64));
        for (key, value, expiry) in &data {
            assert_eq!(
                bulk(&mut client, &[b"GET", key]),
                *value,
                "{}",
                key.escape_ascii()
            );
            let wanted = expiry.map_or(-1, |expiry| expiry as i64);
            assert_eq!(client.cmd_bytes(&[b"PEXPIRETIME", key]), Reply::Integer(wanted));
        }
    }
}

#[test]
fn an_empty_data_set_is_a_file_too() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("dump.rdb");
    write_rdb(keyspace_of(&Data::new()), &aux(true, true), &path);
    let Some(text) = judged(&path) else { return };
    assert!(
        text.contains("RDB looks OK") && text.contains("[info] 0 keys read"),
        "{text}"
    );
}

#[test]
fn we_load_what_stock_writes() {
    let data = data(2);
    for compression in ["yes", "no"] {
        let Some(stock) = Server::stock(&["--rdbcompression", compression]) else {
            return;
        };
        let mut client = stock.client();
        fill(&mut client, &data);
        ok(&mut client, &[b"SAVE"]);
        let path = stock.dir().join("dump.rdb");
        let options = LoadOptions {
            keep_expired: false,
            now_ms: NOW,
            ..LoadOptions::default()
        };
        let mut file = BufReader::new(std::fs::File::open(&path).expect("SAVE has made it"));
        let keyspace = Keyspace::new();
        let loaded = rdb::load(&mut file, &keyspace, &options).expect("it is sound");
        assert_eq!((loaded.keys, loaded.expired), (data.len() as u64, 0));
        assert!(contents(&keyspace) == sorted(data.clone()));

        let sizes = [true, false].map(|compress| {
            let ours = stock.dir().join("ours.rdb");
            write_rdb(
                keyspace_of(&data),
                &RdbAux {
                    history: None,
                    ..aux(compress, true)
                },
                &ours,
            );
            std::fs::metadata(&ours).expect("it is there").len()
        });
        let theirs = std::fs::metadata(&path).expect("it is there").len();
        let ours = sizes[usize::from(compression == "no")];
        // AUX values differ in how many bytes they take, the keys do not.
        assert!(
            ours.abs_diff(theirs) < 32,
            "{ours} bytes of ours, {theirs} of stock's"
        );
    }
}

#[test]
fn what_we_cannot_hold_is_refused_by_name() {
    let Some(stock) = Server::stock(&[]) else { return };
    let mut client = stock.client();
    let path = stock.dir().join("dump.rdb");
    let options = LoadOptions {
        keep_expired: false,
        now_ms: NOW,
        ..LoadOptions::default()
    };
    let cases: [(&[&str], &str); 2] = [
        (
            &["XADD", "mystream", "*", "f", "v"],
            "a stream (type 19) in the key 'mystream'",
        ),
        (&["MOVE", "elsewhere", "3"], "database 3"),
    ];
    for (command, named) in cases {
        client.cmd(&["FLUSHALL"]);
        client.cmd(&["SET", "elsewhere", "x"]);
        let reply = client.cmd(command);
        assert!(!matches!(reply, Reply::Error(_)), "{command:?}: {reply:?}");
        ok(&mut client, &[b"SAVE"]);
        let mut file = std::fs::File::open(&path).expect("SAVE has made it");
        let error = rdb::load(&mut file, &Keyspace::new(), &options).expect_err("it holds more than it may");
        assert!(error.to_string().contains(named), "{error}");
        assert!(error.to_string().contains(" at byte "), "{error}");
    }
}

#[test]
fn dump_payloads_are_stocks_and_restore_everywhere() {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    for compression in ["yes", "no"] {
        let (mut ours, mut theirs) = (node.client(), stock.client());
        let data = data(if compression == "yes" { 3 } else { 4 });
        for client in [&mut ours, &mut theirs] {
            ok(
                client,
                &[b"CONFIG", b"SET", b"rdbcompression", compression.as_bytes()],
            );
            ok(client, &[b"FLUSHALL"]);
            fill(client, &data);
        }
        for (key, value, _) in &data {
            let payload = bulk(&mut ours, &[b"DUMP", key]);
            assert!(
                payload == bulk(&mut theirs, &[b"DUMP", key]),
                "{}",
                key.escape_ascii()
            );
            for client in [&mut ours, &mut theirs] {
                ok(client, &[b"RESTORE", b"copy", b"0", &payload, b"REPLACE"]);
                assert_eq!(bulk(client, &[b"GET", b"copy"]), *value);
            }
        }
    }
}

#[test]
fn restore_refuses_as_stock_does() {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    let (mut ours, mut theirs) = (node.client(), stock.client());
    ok(&mut ours, &[b"SET", b"k", b"value"]);
    let sound = bulk(&mut ours, &[b"DUMP", b"k"]);
    let mut changed = sound.clone();
    changed[2] ^= 1;
    ok(&mut theirs, &[b"SET", b"k", b"value"]);
    let later = LATER.to_string();
    let payloads: [&[u8]; 4] = [&sound, &changed, b"", b"too short"];
    for payload in payloads {
        let calls: [&[&[u8]]; 26] = [
            &[b"RESTORE", b"k", b"0", payload],
            &[b"RESTORE", b"k", b"abc", payload],
            &[b"RESTORE", b"n", b"abc", payload],
            &[b"RESTORE", b"n", b"-1", payload],
            &[b"RESTORE", b"n", b"0", payload, b"replace"],
            &[b"GET", b"n"],
            &[b"RESTORE", b"n", b"100000", payload, b"REPLACE"],
            &[b"RESTORE", b"n", later.as_bytes(), payload, b"REPLACE", b"ABSTTL"],
            &[b"PEXPIRETIME", b"n"],
            &[b"RESTORE", b"n", b"5", payload, b"ABSTTL", b"REPLACE"],
            &[b"EXISTS", b"n"],
            &[b"RESTORE", b"n", b"5", payload, b"ABSTTL"],
            &[b"EXISTS", b"n"],
            &[b"RESTORE", b"n", b"0", payload, b"IDLETIME", b"1000", b"REPLACE"],
            &[b"OBJECT", b"IDLETIME", b"n"],
            &[b"RESTORE", b"n", b"0", payload, b"IDLETIME", b"-1"],
            &[b"RESTORE", b"n", b"0", payload, b"IDLETIME"],
            &[b"RESTORE", b"n", b"0", payload, b"IDLETIME", b"x"],
            &[b"RESTORE", b"n", b"0", payload, b"FREQ", b"255", b"REPLACE"],
            &[b"RESTORE", b"n", b"0", payload, b"FREQ", b"256", b"REPLACE"],
            &[b"RESTORE", b"n", b"0", payload, b"FREQ", b"5", b"IDLETIME", b"5"],
            &[b"RESTORE", b"n", b"0", payload, b"IDLETIME", b"5", b"FREQ", b"5"],
            &[b"RESTORE", b"n", b"0", payload, b"nonsense"],
            &[b"RESTORE", b"n", b"0"],
            &[b"RESTORE-ASKING", b"m", b"0", payload],
            &[b"DUMP", b"absent"],
        ];
        for call in calls {
            let shown: Vec<_> = call.iter().map(|arg| arg.escape_ascii().to_string()).collect();
            let (our_reply, stock_reply) = (ours.raw(call), theirs.raw(call));
            assert_eq!(
                our_reply.escape_ascii().to_string(),
                stock_reply.escape_ascii().to_string(),
                "{shown:?}"
            );
        }
        ok(&mut ours, &[b"SET", b"k", b"value"]);
        ok(&mut theirs, &[b"SET", b"k", b"value"]);
    }
    theirs.cmd(&["XADD", "stream", "1-1", "f", "v"]);
    let payload = bulk(&mut theirs, &[b"DUMP", b"stream"]);
    let reply = ours.raw(&[b"RESTORE", b"stream", b"0", &payload]);
    let text = String::from_utf8_lossy(&reply).into_owned();
    assert!(
        text.starts_with("-ERR Bad data format: it holds a stream,"),
        "{text}"
    );
    assert_eq!(ours.cmd(&["EXISTS", "stream"]), Reply::Integer(0));
}

//! RDB and DUMP against redis-server 7.0.15: it loads what we write, we load what it writes, redis-check-rdb agrees.

use std::io::BufReader;
use std::path::Path;
use std::process::Command;

use e2e::{Client, Server};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use slotcore::resp::Reply;
use slotmark_server::eviction::Policy;
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
        policy: Policy::NoEviction,
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
    client.cmd(&["SET", "elsewhere", "x"]);
    assert_eq!(client.cmd(&["MOVE", "elsewhere", "3"]), Reply::Integer(1));
    ok(&mut client, &[b"SAVE"]);
    let mut file = std::fs::File::open(&path).expect("SAVE has made it");
    let error = rdb::load(&mut file, &Keyspace::new(), &options).expect_err("it holds more than it may");
    assert!(error.to_string().contains("database 3"), "{error}");
    assert!(error.to_string().contains(" at byte "), "{error}");
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
}

/// A payload of stock's, with another type and body.
fn signed(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut payload = vec![kind];
    payload.extend_from_slice(body);
    payload.extend_from_slice(&10_u16.to_le_bytes());
    let sum = slotmark_server::persistence::crc64::crc64(0, &payload);
    payload.extend_from_slice(&sum.to_le_bytes());
    payload
}

/// Streams with nodes, deleted entries, groups and what is pending.
fn fill_streams(client: &mut Client) -> [&'static [u8]; 3] {
    for number in 1..=250 {
        let (id, value) = (format!("{}-{}", number / 3, number % 3), number.to_string());
        client.cmd(&[
            "XADD",
            "large",
            &id,
            "number",
            &value,
            "text",
            "the same text again and again",
        ]);
    }
    for id in ["1-1", "40-0", "83-1"] {
        assert_eq!(client.cmd(&["XDEL", "large", id]), Reply::Integer(1));
    }
    client.cmd(&["XTRIM", "large", "MAXLEN", "230"]);
    for group in ["workers", "auditors"] {
        client.cmd(&["XGROUP", "CREATE", "large", group, "0"]);
        for consumer in ["alice", "bob", "alice"] {
            let read = client.cmd(&[
                "XREADGROUP",
                "GROUP",
                group,
                consumer,
                "COUNT",
                "70",
                "STREAMS",
                "large",
                ">",
            ]);
            assert!(read.as_error().is_none(), "{read:?}");
        }
        client.cmd(&["XACK", "large", group, "9-1", "30-2"]);
    }
    client.cmd(&["XGROUP", "CREATECONSUMER", "large", "workers", "nobody"]);
    client.cmd(&["XGROUP", "CREATE", "empty", "g", "0", "MKSTREAM"]);
    client.cmd(&["XADD", "small", "1-1", "f", "v"]);
    client.cmd(&["XADD", "small", "2-1", "f", "w", "g", ""]);
    client.cmd(&["XGROUP", "CREATE", "small", "g", "1-1", "ENTRIESREAD", "1"]);
    [b"large", b"empty", b"small"]
}

#[test]
fn streams_are_carried_byte_by_byte() {
    let Some(stock) = Server::stock(&["--enable-debug-command", "yes"]) else {
        return;
    };
    let node = Server::slotmark(NODE, &["--enable-debug-command", "yes"]);
    let (mut ours, mut theirs) = (node.client(), stock.client());
    // Made by one, carried to the other and back.
    for made_here in [true, false] {
        let (from, to) = if made_here {
            (&mut ours, &mut theirs)
        } else {
            (&mut theirs, &mut ours)
        };
        ok(from, &[b"FLUSHALL"]);
        ok(to, &[b"FLUSHALL"]);
        for key in fill_streams(from) {
            let payload = bulk(from, &[b"DUMP", key]);
            ok(to, &[b"RESTORE", key, b"0", &payload]);
            assert!(bulk(to, &[b"DUMP", key]) == payload, "{}", key.escape_ascii());
            let full: &[&[u8]] = &[b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"];
            assert_eq!(
                from.raw(full).escape_ascii().to_string(),
                to.raw(full).escape_ascii().to_string()
            );
        }
        assert_eq!(from.cmd(&["DEBUG", "DIGEST"]), to.cmd(&["DEBUG", "DIGEST"]));
    }
}

#[test]
fn streams_of_the_time_before_7_0_are_read_as_stock_reads_them() {
    /// What stands behind the nodes: three pairs that make an ID and a number, then one group with nothing pending.
    const TAIL: usize = 8 + 1 + 2 + 3 + 2;
    const FOOTER: usize = 10;
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    let (mut ours, mut theirs) = (node.client(), stock.client());
    fill_streams(&mut theirs);
    let payload = bulk(&mut theirs, &[b"DUMP", b"small"]);
    let body = &payload[1..payload.len() - FOOTER];
    let (nodes, tail) = body.split_at(body.len() - TAIL);
    // Length and last ID; the group without how much it has read.
    let older = [nodes, &tail[..3], &tail[8..13], &tail[14..]].concat();
    let older = signed(15, &older);
    for client in [&mut ours, &mut theirs] {
        ok(client, &[b"RESTORE", b"older", b"0", &older]);
    }
    for question in [
        &[&b"XINFO"[..], b"STREAM", b"older", b"FULL"][..],
        &[b"XRANGE", b"older", b"-", b"+"],
        &[b"DUMP", b"older"],
    ] {
        assert_eq!(
            ours.raw(question).escape_ascii().to_string(),
            theirs.raw(question).escape_ascii().to_string()
        );
    }
}

/// A ziplist of texts and integers, as the format is described; `wide`: every length before an entry takes five bytes.
fn ziplist(items: &[&[u8]], wide: bool) -> Vec<u8> {
    let (mut entries, mut before, mut last) = (Vec::new(), 0, 10);
    for item in items {
        let start = entries.len();
        last = 10 + start;
        if wide || before >= 254 {
            entries.push(254);
            entries.extend_from_slice(&(before as u32).to_le_bytes());
        } else {
            entries.push(before as u8);
        }
        let number = std::str::from_utf8(item)
            .ok()
            .and_then(|text| text.parse::<i64>().ok());
        match (number, item.len()) {
            (Some(number @ 0..=12), _) => entries.push(0xf1 + number as u8),
            (Some(number @ -128..=127), _) => entries.extend([0xfe, number as u8]),
            (Some(number @ -32_768..=32_767), _) => {
                entries.push(0xc0);
                entries.extend_from_slice(&(number as i16).to_le_bytes());
            }
            (Some(number @ -0x80_0000..=0x7f_ffff), _) => {
                entries.push(0xf0);
                entries.extend_from_slice(&number.to_le_bytes()[..3]);
            }
            (Some(number @ -0x8000_0000..=0x7fff_ffff), _) => {
                entries.push(0xd0);
                entries.extend_from_slice(&(number as i32).to_le_bytes());
            }
            (Some(number), _) => {
                entries.push(0xe0);
                entries.extend_from_slice(&number.to_le_bytes());
            }
            (None, len @ 0..64) => entries.push(len as u8),
            (None, len @ 64..16_384) => entries.extend([0x40 | (len >> 8) as u8, len as u8]),
            (None, len) => {
                entries.push(0x80);
                entries.extend_from_slice(&(len as u32).to_be_bytes());
            }
        }
        if number.is_none() {
            entries.extend_from_slice(item);
        }
        before = entries.len() - start;
    }
    let mut list = ((entries.len() + 11) as u32).to_le_bytes().to_vec();
    list.extend_from_slice(&(last as u32).to_le_bytes());
    list.extend_from_slice(&(items.len() as u16).to_le_bytes());
    list.extend_from_slice(&entries);
    list.push(255);
    list
}

/// A zipmap, with `unused` bytes behind each value.
fn zipmap(items: &[&[u8]], unused: u8) -> Vec<u8> {
    let length = |map: &mut Vec<u8>, len: usize| {
        if len < 254 {
            map.push(len as u8);
        } else {
            map.push(254);
            map.extend_from_slice(&(len as u32).to_le_bytes());
        }
    };
    let mut map = vec![(items.len() / 2).min(254) as u8];
    for pair in items.chunks(2) {
        length(&mut map, pair[0].len());
        map.extend_from_slice(pair[0]);
        length(&mut map, pair[1].len());
        map.push(unused);
        map.extend_from_slice(pair[1]);
        map.extend(std::iter::repeat_n(b'?', usize::from(unused)));
    }
    map.push(255);
    map
}

/// A string as an RDB holds it, with its length in five bytes.
fn string(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).expect("it is short");
    [&[0x80][..], &len.to_be_bytes(), bytes].concat()
}

#[test]
fn forms_of_the_time_before_7_0_are_read_as_stock_reads_them() {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    let (mut ours, mut theirs) = (node.client(), stock.client());
    let long = vec![b'l'; 20_000];
    let items: Vec<&[u8]> = vec![
        b"a",
        b"0",
        b"b",
        b"12",
        b"c",
        b"13",
        b"d",
        b"-128",
        b"e",
        b"-32768",
        b"f",
        b"8388607",
        b"g",
        b"-2147483648",
        b"h",
        b"9223372036854775807",
        b"i",
        b"",
        &long[..63],
        b"64",
        &long[..64],
        b"-1",
        &long[..300],
        b"1",
        b"j",
        &long,
        b"k",
        b"01",
    ];
    let small = &items[..18];
    let scored: Vec<&[u8]> = vec![b"a", b"-7", b"b", b"0", b"5", b"1.5", b"c", b"3000000000"];
    let many: Vec<Vec<u8>> = (0..600)
        .map(|number| format!("{number:03}x").into_bytes())
        .collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    let mut payloads = Vec::new();
    for wide in [false, true] {
        for list in [small, &items, &many, &[]] {
            let whole = string(&ziplist(list, wide));
            payloads.push((10, whole.clone()));
            payloads.push((14, [&[2][..], &whole, &whole].concat()));
            payloads.push((13, whole));
        }
        payloads.push((12, string(&ziplist(&scored, wide))));
        payloads.push((12, string(&ziplist(&scored[1..], wide))));
        payloads.push((13, string(&ziplist(&[b"a", b"1", b"a", b"2"], wide))));
    }
    for list in [small, &items, &many, &[]] {
        payloads.push((9, string(&zipmap(list, 0))));
        payloads.push((9, string(&zipmap(list, 3))));
    }
    payloads.push((9, string(&zipmap(&[b"a", b"1", b"a", b"2"], 0))));
    // What is announced, and is not so.
    for at in [0, 4, 8, 10, 11] {
        let mut list = ziplist(small, false);
        list[at] ^= 1;
        payloads.push((10, string(&list)));
    }
    let mut taken = 0;
    for (kind, body) in payloads {
        let payload = signed(kind, &body);
        let restored = [&mut ours, &mut theirs].map(|client| {
            client.cmd(&["DEL", "k"]);
            client.raw(&[b"RESTORE", b"k", b"0", &payload])
        });
        let shown = body[..body.len().min(60)].escape_ascii();
        assert_eq!(
            restored[0].escape_ascii().to_string(),
            restored[1].escape_ascii().to_string(),
            "type {kind}: {shown}"
        );
        let dumped = [&mut ours, &mut theirs].map(|client| client.raw(&[b"DUMP", b"k"]));
        // A table has its own order in each.
        let is_table = ours.cmd(&["OBJECT", "ENCODING", "k"]) == Reply::Bulk(b"hashtable".to_vec());
        assert!(dumped[0] == dumped[1] || is_table, "type {kind}: {shown}");
        assert_eq!(
            ours.cmd(&["OBJECT", "ENCODING", "k"]),
            theirs.cmd(&["OBJECT", "ENCODING", "k"])
        );
        taken += usize::from(restored[0].starts_with(b"+OK"));
    }
    assert!(taken > 15, "{taken} are sound");
}

//! The operation stream is a function of seed and client, and its bytes are well-formed commands.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use slotcore::slot_of;
use workloads::keys::KeyId;
use workloads::{BUILTINS, Op, Parts, Spec, Workload, load};

fn compile(text: &str, seed: u64) -> Arc<Workload> {
    Spec::parse("test", "test.toml", text)
        .unwrap()
        .compile(seed)
        .unwrap()
}

fn ops(workload: &Arc<Workload>, client: u32, count: usize) -> Vec<Op> {
    let mut stream = workload.client_stream(client);
    (0..count).map(|_| stream.next_op()).collect()
}

/// Splits one command into its arguments, strictly.
fn arguments(mut frame: &[u8]) -> Vec<Vec<u8>> {
    fn line(frame: &mut &[u8], kind: u8) -> usize {
        assert_eq!(frame[0], kind);
        let end = frame.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let number = std::str::from_utf8(&frame[1..end]).unwrap().parse().unwrap();
        *frame = &frame[end + 2..];
        number
    }
    let argc = line(&mut frame, b'*');
    let mut args = Vec::new();
    for _ in 0..argc {
        let len = line(&mut frame, b'$');
        args.push(frame[..len].to_vec());
        assert_eq!(&frame[len..len + 2], b"\r\n");
        frame = &frame[len + 2..];
    }
    assert!(frame.is_empty());
    args
}

fn encoded(workload: &Workload, op: &Op) -> Vec<Vec<u8>> {
    let mut out = b"rest of an earlier one".to_vec();
    let start = out.len();
    workload.encode(op, &mut out);
    arguments(&out[start..])
}

#[test]
fn streams_do_not_depend_on_the_number_of_threads() {
    for builtin in BUILTINS {
        let workload = load(builtin.name).unwrap().compile(7).unwrap();
        let alone: Vec<Vec<Op>> = (0..8).map(|client| ops(&workload, client, 500)).collect();
        let hash = workload.stream_hash();
        for threads in [2, 3, 8] {
            let workload = load(builtin.name).unwrap().compile(7).unwrap();
            let mut shared: Vec<(u32, Vec<Op>)> = std::thread::scope(|scope| {
                let run = |thread| {
                    let workload = &workload;
                    scope.spawn(move || {
                        (0..8)
                            .filter(|c| c % threads == thread)
                            .map(|c| (c, ops(workload, c, 500)))
                            .collect()
                    })
                };
                let handles: Vec<_> = (0..threads).map(run).collect();
                handles
                    .into_iter()
                    .flat_map(|handle| -> Vec<_> { handle.join().unwrap() })
                    .collect()
            });
            shared.sort_by_key(|&(client, _)| client);
            assert_eq!(
                shared.into_iter().map(|(_, ops)| ops).collect::<Vec<_>>(),
                alone,
                "{}",
                builtin.name
            );
            assert_eq!(workload.stream_hash(), hash);
        }
    }
}

#[test]
fn clients_seeds_and_phases_differ() {
    let workload = compile("", 1);
    assert_ne!(ops(&workload, 0, 100), ops(&workload, 1, 100));
    assert_ne!(ops(&workload, 0, 100), ops(&compile("", 2), 0, 100));
    let mut warmup = workload.warmup_stream(0);
    assert_ne!(
        ops(&workload, 0, 100),
        (0..100).map(|_| warmup.next_op()).collect::<Vec<_>>()
    );
    // Client 1 of seed 2 is not client 2 of seed 1, as it would be if both were simply added.
    assert_ne!(ops(&compile("", 2), 1, 100), ops(&workload, 2, 100));
}

#[test]
fn the_hash_sees_every_part_of_a_workload() {
    let base = compile("", 1).stream_hash();
    assert_eq!(base, compile("", 1).stream_hash());
    let changed = [
        "keyspace.keys = 1000\n",
        "keyspace.key_size = 20\n",
        "traffic.distribution = 'zipf'\n",
        "run.clients = 51\n",
        "[[mix]]\ncommand = 'SET'\n",
        "[[mix]]\ncommand = 'STRLEN'\n",
    ];
    for text in changed {
        assert_ne!(base, compile(text, 1).stream_hash(), "{text}");
    }
    assert_ne!(base, compile("", 2).stream_hash());
}

/// A change of these numbers breaks the comparison with all older results: it must be meant, and said in the release notes.
#[test]
fn the_streams_of_the_built_ins_stay_what_they_are() {
    let hashes: Vec<(&str, u64)> = BUILTINS
        .iter()
        .map(|builtin| {
            (
                builtin.name,
                load(builtin.name).unwrap().compile(1).unwrap().stream_hash(),
            )
        })
        .collect();
    let pinned = [
        ("uniform", 2064805572015375777),
        ("zipf", 251959869905194760),
        ("hotslot", 14270890419623561705),
        ("hashtag-mget", 17961496597051368616),
        ("hashtag-mget-split", 10888168324611510082),
        ("pipeline-sweep", 1489811677017548692),
        ("failover", 10061793741300252778),
        ("replica-reads", 2866305732711574431),
        ("reconnect-storm", 2910856802970800980),
        ("noisy-neighbor", 11203328494668343739),
        ("session-cache", 18330689695479237465),
        ("rate-limiter", 11143848563119511694),
        ("leaderboard", 2939723946370838593),
        ("queue", 249944254759837777),
        ("lock", 4987765588894235854),
        ("pubsub-fanout", 2147853027088699184),
        ("pubsub-fanout-sharded", 7855518491430599634),
        ("etc", 9876418209774347603),
        ("eviction", 10164167144644055838),
    ];
    assert_eq!(hashes, pinned);
}

#[test]
fn encoding_is_stable_and_well_formed() {
    let text = "values.size = { min = 0, max = 200 }\n
        [[mix]]\ncommand = 'GET'\n
        [[mix]]\ncommand = 'SET'\nargs = ['EX', '60']\n
        [[mix]]\ncommand = 'APPEND'\n
        [[mix]]\ncommand = 'GETRANGE'\nargs = ['0', '9']\n";
    let workload = compile(text, 5);
    for op in ops(&workload, 0, 2000) {
        let args = encoded(&workload, &op);
        assert_eq!(args, encoded(&workload, &op));
        assert_eq!(args[0], workload.commands()[op.command()].name().as_bytes());
        assert_eq!(args[1], workload.key_format().bytes(op.key()));
        assert_eq!(slot_of(&args[1]), op.slot());
        let argc = [2, 5, 3, 4][op.command()];
        assert_eq!(args.len(), argc);
        if op.command() == 1 {
            assert!(args[2].len() <= 200);
            assert_eq!(args[3..], [b"EX".to_vec(), b"60".to_vec()]);
        }
    }
}

#[test]
fn a_command_of_many_keys_stays_in_its_slot() {
    let text = "keyspace.keys_per_tag = 16\nkeyspace.keys = 160_000\n
        [traffic]\ndistribution = 'hotslot'\nslot = 9\nshare = 0.5\nhot_keys = 20\n
        [[mix]]\ncommand = 'MGET'\nkeys = 7\n
        [[mix]]\ncommand = 'MSET'\nkeys = 3\n";
    let workload = compile(text, 5);
    let (mut hot, mut cold) = (0, 0);
    for op in ops(&workload, 0, 2000) {
        let args = encoded(&workload, &op);
        let (count, step) = [(7, 1), (3, 2)][op.command()];
        let keys: Vec<_> = args[1..].iter().step_by(step).collect();
        assert_eq!(keys.len(), count);
        assert_eq!(
            keys.iter().collect::<std::collections::HashSet<_>>().len(),
            count,
            "keys differ"
        );
        assert!(keys.iter().all(|key| slot_of(key) == op.slot()));
        if op.slot() == 9 {
            hot += 1
        } else {
            cold += 1
        }
        if step == 2 {
            assert_ne!(args[2], args[4], "values differ");
        }
    }
    assert!(hot > 900 && cold > 900);
}

#[test]
fn parts_of_a_split_operation_hold_all_its_keys_by_slot() {
    let workload = compile(
        "keyspace.keys = 1_000_000\n[[mix]]\ncommand = 'MSET'\nkeys = 200\nsplit = true\n",
        5,
    );
    let mut parts = Parts::default();
    let mut some_part_had_two_keys = false;
    for op in ops(&workload, 0, 50) {
        assert!(workload.is_split(&op));
        workload.split(&op, &mut parts);
        let mut keys = 0;
        let mut slots = Vec::new();
        for part in 0..parts.len() {
            let mut out = Vec::new();
            workload.encode_part(&op, &parts, part, &mut out);
            let args = arguments(&out);
            let own: Vec<_> = args[1..].iter().step_by(2).collect();
            assert!(own.iter().all(|key| slot_of(key) == parts.slot(part)));
            assert!(args[2..].iter().step_by(2).all(|value| value.len() == 64));
            keys += own.len();
            some_part_had_two_keys |= own.len() > 1;
            slots.push(parts.slot(part));
        }
        assert_eq!(keys, 200);
        slots.dedup();
        assert_eq!(slots.len(), parts.len(), "one part a slot");
    }
    assert!(some_part_had_two_keys);
}

#[test]
fn the_preload_stores_every_key_that_may_be_asked_for() {
    let text = "keyspace.keys = 40_000\ntraffic.distribution = 'hotslot'\ntraffic.slot = 100\ntraffic.hot_keys = 5\n";
    let workload = compile(text, 5);
    assert_eq!(workload.preload_len(), 40_005);
    let mut stored = std::collections::HashSet::new();
    let mut left_out = 0;
    for i in 0..workload.preload_len() {
        match workload.preload_op(i) {
            Some(op) => {
                let args = encoded(&workload, &op);
                assert_eq!(args[0], b"SET");
                assert_eq!(args[2].len(), 64);
                assert!(stored.insert(args[1].clone()), "twice");
            }
            None => {
                assert_eq!(workload.key_format().slot(KeyId(i)), 100);
                left_out += 1;
            }
        }
    }
    assert!(left_out < 20);
    for op in ops(&workload, 0, 20_000) {
        assert!(stored.contains(&workload.key_format().bytes(op.key())));
    }
    assert_eq!(workload.preload_op(17), compile(text, 5).preload_op(17));
}

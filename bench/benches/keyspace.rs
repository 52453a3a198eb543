//! The keyspace alone: what GET and SET cost beyond parsing, dispatch and the socket, while everything is in the cache
//! and while nothing is. With hints the lookups of a batch overlap, as they do in a pipeline.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slotmark_server::keyspace::{Expire, Key, Keyspace};

/// Unix time in milliseconds; nothing expires here, so any will do.
const NOW: u64 = 1_800_000_000_000;
/// Keys of one turn: as many as a node parses ahead.
const BATCH: usize = 32;
const VALUE: [u8; 64] = [b'v'; 64];

fn name(number: u64) -> Vec<u8> {
    format!("key:{number:012}").into_bytes()
}

fn filled(keys: u64) -> Keyspace {
    let keyspace = Keyspace::new();
    for number in 0..keys {
        let name = name(number);
        let key = Key::new(&name);
        keyspace
            .lock(key.slot)
            .set_string(&key, &VALUE, Expire::Clear, NOW);
    }
    keyspace
}

/// Names in an order that no cache foresees, every one of `keys` as likely.
fn shuffled(keys: u64, offset: u64) -> Vec<Vec<u8>> {
    let mut state = 1_u64;
    (0..1 << 16)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            name(offset + (state >> 33) % keys)
        })
        .collect()
}

fn hint(keyspace: &Keyspace, keys: &[Key<'_>]) {
    keys.iter().for_each(|key| keyspace.prefetch_slot(key.slot));
    keys.iter()
        .for_each(|key| keyspace.prefetch_bucket(key.slot, key.hash));
    keys.iter()
        .for_each(|key| keyspace.prefetch_entry(key.slot, key.hash));
}

fn get(keyspace: &Keyspace, key: &Key<'_>) -> u8 {
    let mut table = keyspace.lock(key.slot);
    let value = table.get(key, NOW).and_then(|entry| entry.string());
    value.and_then(|value| value.last()).copied().unwrap_or(0)
}

fn bench_keyspace(c: &mut Criterion) {
    for keys in [1_000, 1_000_000] {
        let keyspace = filled(keys);
        let mut group = c.benchmark_group(format!("keyspace/{keys}"));
        group.throughput(Throughput::Elements(BATCH as u64));
        let mut turns = |id: BenchmarkId, names: &[Vec<u8>], hints: bool, run: &dyn Fn(&Key<'_>)| {
            let mut turns = names.chunks_exact(BATCH).cycle();
            group.bench_function(id, |b| {
                b.iter(|| {
                    let names = turns.next().expect("a cycle has no end");
                    let batch: [Key<'_>; BATCH] = std::array::from_fn(|i| Key::new(&names[i]));
                    if hints {
                        hint(&keyspace, &batch);
                    }
                    batch.iter().for_each(run);
                });
            });
        };
        let (there, absent) = (shuffled(keys, 0), shuffled(keys, keys));
        let read = |key: &Key<'_>| {
            black_box(get(&keyspace, key));
        };
        let overwrite = |key: &Key<'_>| {
            keyspace
                .lock(key.slot)
                .set_string(key, black_box(&VALUE), Expire::Clear, NOW);
        };
        for (way, hints) in [("alone", false), ("hinted", true)] {
            turns(BenchmarkId::new("get_hit", way), &there, hints, &read);
            turns(BenchmarkId::new("get_miss", way), &absent, hints, &read);
            turns(BenchmarkId::new("set_overwrite", way), &there, hints, &overwrite);
        }
        group.finish();
    }
}

criterion_group!(benches, bench_keyspace);
criterion_main!(benches);

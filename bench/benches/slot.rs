//! The slot of a key: what every operation pays at least once on each side. The crc16 crate is the reference.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const KEYS: usize = 1024;

/// Keys of `len` bytes that differ, so that no branch predictor learns one by heart.
fn keys(len: usize, tagged: bool) -> Vec<Vec<u8>> {
    (0..KEYS)
        .map(|n| {
            let mut key = format!("{:0width$}", n.wrapping_mul(2_654_435_761), width = len).into_bytes();
            key.truncate(len);
            if tagged {
                key[2] = b'{';
                key[len - 2] = b'}';
            }
            key
        })
        .collect()
}

fn bench_slot(c: &mut Criterion) {
    let mut group = c.benchmark_group("slot");
    group.throughput(Throughput::Elements(KEYS as u64));
    for len in [8, 16, 32, 128] {
        let plain = keys(len, false);
        let each = |b: &mut criterion::Bencher<'_>, keys: &[Vec<u8>], slot: fn(&[u8]) -> u16| {
            b.iter(|| keys.iter().fold(0u16, |sum, key| sum ^ slot(black_box(key))));
        };
        group.bench_function(BenchmarkId::new("slot_of", len), |b| {
            each(b, &plain, slotcore::slot_of)
        });
        group.bench_function(BenchmarkId::new("crc16", len), |b| {
            each(b, &plain, slotcore::slot::crc16)
        });
        group.bench_function(BenchmarkId::new("crc16_crate", len), |b| {
            each(b, &plain, crc16::State::<crc16::XMODEM>::calculate);
        });
    }
    let tagged = keys(32, true);
    group.bench_function("slot_of_tagged/32", |b| {
        b.iter(|| {
            tagged
                .iter()
                .fold(0u16, |sum, key| sum ^ slotcore::slot_of(black_box(key)))
        });
    });
    group.finish();
}

criterion_group!(benches, bench_slot);
criterion_main!(benches);

//! RESP, both directions, by the pipelined batch: 64 requests or replies in one buffer.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slotcore::resp::{
    ArgRange, Progress, Proto, ReplyLimits, ReplyScanner, ReplyWriter, RequestLimits, RequestParser,
    encode_command, parse_reply,
};

const BATCH: usize = 64;

fn requests(args: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    for n in 0..BATCH {
        let args = args(format!("key:{n:012}").as_bytes());
        encode_command(&mut out, &args.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
    out
}

/// Parses every request of the buffer; how many arguments there were.
fn parse_batch(buf: &mut [u8], ranges: &mut Vec<ArgRange>) -> usize {
    let mut parser = RequestParser::new();
    let limits = RequestLimits::default();
    ranges.clear();
    let mut pos = 0;
    while let Ok(Progress::Complete { consumed }) = parser.parse(buf, pos, &limits, ranges) {
        pos = consumed;
    }
    assert_eq!(pos, buf.len());
    ranges.len()
}

fn bench_requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("resp/request");
    group.throughput(Throughput::Elements(BATCH as u64));
    let value = vec![b'v'; 64];
    let batches = [
        ("get", requests(|key| vec![b"GET".to_vec(), key.to_vec()])),
        (
            "set_64",
            requests(|key| vec![b"SET".to_vec(), key.to_vec(), value.clone()]),
        ),
        (
            "set_512",
            requests(|key| vec![b"SET".to_vec(), key.to_vec(), vec![b'v'; 512]]),
        ),
        (
            "mget_10",
            requests(|key| [vec![b"MGET".to_vec()], vec![key.to_vec(); 10]].concat()),
        ),
        (
            "inline",
            format!("GET \"key:{:012}\"\r\n", 7).repeat(BATCH).into_bytes(),
        ),
    ];
    for (name, batch) in batches {
        let mut ranges = Vec::new();
        // An inline request is unquoted in place, so each round begins with the bytes as they arrived.
        let mut buf = batch.clone();
        group.bench_function(name, |b| {
            b.iter(|| {
                buf.copy_from_slice(&batch);
                parse_batch(black_box(&mut buf), &mut ranges)
            });
        });
    }
    group.bench_function("encode_set_64", |b| {
        let mut out = Vec::new();
        b.iter(|| {
            out.clear();
            for _ in 0..BATCH {
                encode_command(&mut out, black_box(&[b"SET", b"key:000000000007", &value]));
            }
            out.len()
        });
    });
    group.finish();
}

/// Scans every reply of the buffer; how many there were.
fn scan_batch(scanner: &mut ReplyScanner, buf: &[u8]) -> usize {
    let (mut at, mut count) = (0, 0);
    while let Ok(Some(scanned)) = scanner.scan(&buf[at..]) {
        at += scanned.consumed;
        count += 1;
    }
    assert_eq!(at, buf.len());
    count
}

fn bench_replies(c: &mut Criterion) {
    let mut group = c.benchmark_group("resp/reply");
    group.throughput(Throughput::Elements(BATCH as u64));
    let bulk = |len: usize| format!("${len}\r\n{}\r\n", "v".repeat(len));
    let replies = [
        ("ok", "+OK\r\n".to_owned()),
        ("bulk_64", bulk(64)),
        ("bulk_4096", bulk(4096)),
        ("integer", ":123456\r\n".to_owned()),
        ("moved", "-MOVED 12182 127.0.0.1:7001\r\n".to_owned()),
        ("array_10", format!("*10\r\n{}", bulk(64).repeat(10))),
    ];
    let limits = ReplyLimits::default();
    for (name, reply) in replies {
        let buf = reply.repeat(BATCH).into_bytes();
        let mut scanner = ReplyScanner::new();
        group.bench_function(format!("scan/{name}"), |b| {
            b.iter(|| scan_batch(&mut scanner, black_box(&buf)))
        });
        group.bench_function(format!("tree/{name}"), |b| {
            b.iter(|| {
                let (mut at, mut count) = (0, 0);
                while let Ok(Some((reply, consumed))) = parse_reply(black_box(&buf[at..]), &limits) {
                    black_box(reply);
                    at += consumed;
                    count += 1;
                }
                count
            });
        });
    }
    group.finish();
}

type Write<'a> = &'a dyn Fn(&mut ReplyWriter<'_>);

fn bench_writer(c: &mut Criterion) {
    let mut group = c.benchmark_group("resp/write");
    group.throughput(Throughput::Elements(BATCH as u64));
    let value = vec![b'v'; 64];
    let cases: [(&str, Write<'_>); 5] = [
        ("ok", &|w| w.ok()),
        ("bulk_64", &|w| w.bulk(black_box(&value))),
        ("integer", &|w| w.integer(black_box(123_456))),
        ("nil", &|w| w.nil()),
        ("double", &|w| w.double(black_box(3.1))),
    ];
    for (name, write) in cases {
        let mut out = Vec::new();
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                let mut writer = ReplyWriter::new(&mut out, Proto::Resp3);
                for _ in 0..BATCH {
                    write(&mut writer);
                }
                out.len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bench_requests, bench_replies, bench_writer);
criterion_main!(benches);

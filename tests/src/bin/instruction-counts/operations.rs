//! What is counted, operation by operation. This is the second life of the program, the one that runs under callgrind.

mod node;

use std::hint::black_box;
use std::path::Path;

use slotcore::resp::{ArgRange, Progress, RequestLimits, RequestParser, encode_command};
use slotcore::slot_of;

const VALUE: [u8; 64] = [b'v'; 64];

/// Requests in one buffer, as a client with a pipeline of this depth sends them.
const PIPELINE: usize = 16;

/// Keys of the operations that need no node.
const KEYS: usize = 16 * 1024;

/// Callgrind collects while this runs. The name is part of callgrind's command line.
#[inline(never)]
fn instructions_are_collected_here(work: &mut dyn FnMut()) {
    // What the optimiser cannot see through, it cannot copy this function for.
    let work = black_box(work);
    work();
    // Something to do when it returns: else this would be a jump, and no call.
    black_box(work);
}

/// Callgrind writes a part of its output before this runs. Parts have numbers there and no names, so these are printed, in
/// the same order.
#[inline(never)]
fn a_part_is_complete(name: &str, times: usize) {
    println!("{name} {times}");
}

/// Counts an operation that `work` does `times` times.
fn count(name: &str, times: usize, mut work: impl FnMut()) {
    instructions_are_collected_here(&mut work);
    a_part_is_complete(name, times);
}

/// Runs everything. Its keys are the same each time; only the seed of the node's hash is not.
pub fn run(folder: &Path) -> anyhow::Result<()> {
    slots();
    requests("parse_get", get);
    requests("parse_set", set);
    node::turns(folder)
}

/// A key of 16 bytes.
fn key(number: usize) -> Vec<u8> {
    format!("key:{number:012}").into_bytes()
}

fn get(number: usize) -> Vec<u8> {
    encoded(&[b"GET", &key(number)])
}

fn set(number: usize) -> Vec<u8> {
    encoded(&[b"SET", &key(number), &VALUE])
}

fn encoded(args: &[&[u8]]) -> Vec<u8> {
    let mut request = Vec::new();
    encode_command(&mut request, args);
    request
}

fn slots() {
    let keys: Vec<Vec<u8>> = (0..KEYS).map(key).collect();
    count("slot_of", KEYS, || {
        for key in &keys {
            black_box(slot_of(black_box(key)));
        }
    });
}

fn requests(name: &str, request: fn(usize) -> Vec<u8>) {
    let mut buffers = buffers(KEYS / PIPELINE, request);
    let mut parser = RequestParser::new();
    let limits = RequestLimits::default();
    let mut args: Vec<ArgRange> = Vec::with_capacity(3 * PIPELINE);
    let mut parsed = 0;
    count(name, KEYS, || {
        for buffer in &mut buffers {
            args.clear();
            let mut at = 0;
            while let Ok(Progress::Complete { consumed }) = parser.parse(buffer, at, &limits, &mut args) {
                at = consumed;
                parsed += 1;
            }
            black_box(&args);
        }
    });
    assert_eq!(parsed, KEYS, "every request is whole");
}

/// The requests of so many turns, a buffer each. Keys that are neighbours by number are far apart, and each comes once.
fn buffers(turns: usize, request: fn(usize) -> Vec<u8>) -> Vec<Vec<u8>> {
    // A prime that divides no number of requests here.
    const STRIDE: usize = 7919;
    let all = turns * PIPELINE;
    (0..turns)
        .map(|turn| {
            let numbers = turn * PIPELINE..(turn + 1) * PIPELINE;
            numbers
                .flat_map(|number| request(number * STRIDE % all))
                .collect()
        })
        .collect()
}

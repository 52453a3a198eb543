//! How many reads still find their key, beside stock with room for as many keys.

use std::time::Duration;

use e2e::{Client, Server, wait_for};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng};
use slotcore::resp::Reply;

use super::sides::{all, both, info, set, words};

const KEYS: usize = 4000;
/// So long that what is under way to and from the one client is little beside it.
const VALUE: usize = 4000;
const READS: usize = 40_000;
/// Reads that are sent together; those that miss are followed by writes.
const BATCH: usize = 5;
/// The clocks of LRU tell seconds, and a run lasts a few: so much less than stock's may come of being faster than stock.
const TOLERANCE_POINTS: f64 = 3.0;

/// Keys asked for in proportion to 1 / rank^0.99, the same every time.
fn asked() -> Vec<usize> {
    let weights: Vec<f64> = (1..=KEYS).map(|rank| (rank as f64).powf(-0.99)).collect();
    let mut sums = Vec::with_capacity(KEYS);
    let mut sum = 0.0;
    for weight in weights {
        sum += weight;
        sums.push(sum);
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    (0..READS)
        .map(|_| {
            let chosen = (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64 * sum;
            sums.partition_point(|&sum| sum <= chosen).min(KEYS - 1)
        })
        .collect()
}

fn fill(client: &mut Client, keys: impl Iterator<Item = usize>) {
    let value = "x".repeat(VALUE);
    let commands: Vec<_> = keys
        .map(|key| words(&["SET", &format!("key:{key:07}"), &value]))
        .collect();
    all(client, &commands);
}

/// Sets the limit at which so many keys have room. All keys are there first, so that what tables keep of those that have
/// gone is a part of it, and whoever has stored them is gone, with the buffers that it took.
fn make_room_for(server: &Server, keys: usize) {
    let mut client = server.client();
    set(&mut client, "maxmemory", "0");
    client.cmd(&["FLUSHALL"]);
    fill(&mut client, 0..KEYS);
    delete(&mut client, keys..KEYS);
    drop(client);
    let mut client = server.client();
    wait_for("the other connection to be gone", Duration::from_secs(10), || {
        (info(&mut client, "connected_clients") == 1).then_some(())
    });
    let used = info(&mut client, "used_memory");
    delete(&mut client, 0..keys);
    set(&mut client, "maxmemory", &used.to_string());
}

fn delete(client: &mut Client, keys: impl Iterator<Item = usize>) {
    let commands: Vec<_> = keys
        .map(|key| words(&["DEL", &format!("key:{key:07}")]))
        .collect();
    all(client, &commands);
}

/// The hit rate of the second half of the reads, in percent, and how many keys there were in the end.
fn hit_rate(server: &Server, resident: usize, asked: &[usize]) -> (f64, i64) {
    make_room_for(server, resident);
    let mut client = server.client();
    let mut hits = 0;
    for (number, batch) in asked.chunks(BATCH).enumerate() {
        let reads: Vec<_> = batch
            .iter()
            .map(|key| words(&["GET", &format!("key:{key:07}")]))
            .collect();
        let replies = all(&mut client, &reads);
        let is_miss = |reply: &Reply| *reply == Reply::Nil;
        if number * BATCH >= READS / 2 {
            hits += replies.iter().filter(|reply| !is_miss(reply)).count();
        }
        let missed = batch.iter().zip(&replies).filter(|(_, reply)| is_miss(reply));
        fill(&mut client, missed.map(|(key, _)| *key));
    }
    let Reply::Integer(left) = client.cmd(&["DBSIZE"]) else {
        panic!("DBSIZE is a number");
    };
    (hits as f64 * 100.0 / (READS / 2) as f64, left)
}

#[test]
fn as_many_reads_hit_as_in_stock() {
    let asked = asked();
    let Some(sides) = both(&[]) else { return };
    for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random"] {
        for resident in [KEYS / 2, KEYS / 10] {
            let rates = sides.each_ref().map(|(_, server)| {
                set(&mut server.client(), "maxmemory-policy", policy);
                hit_rate(server, resident, &asked)
            });
            println!("{policy}, room for {resident} of {KEYS}: {rates:?}");
            let [(ours, our_keys), (theirs, their_keys)] = rates;
            assert!(
                ours > theirs - TOLERANCE_POINTS,
                "{policy}, room for {resident}: {ours:.2} % with {our_keys} keys, and {theirs:.2} % with {their_keys}"
            );
        }
    }
}

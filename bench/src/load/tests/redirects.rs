//! A redirected operation is one operation, and is followed as the protocol wants it.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fake::{Answer, Fake, error};
use super::{assert_adds_up, errors, ops, plan, workload};
use crate::load::{Watch, run};

const GETS: &str = "keyspace.keys = 10_000\n";

fn moved(fake: &Fake, slot: u16, node: usize) -> Answer {
    error(&format!("MOVED {slot} 127.0.0.1:{}", fake.ports[node]))
}

#[test]
fn moved_is_followed_and_learned() {
    // The map that is told first has all slots on node 0; each node knows better.
    let fake = Fake::start(3, |fake, request| {
        let owner = usize::from(request.slot) * 3 / 16384;
        match request.name().as_str() {
            "GET" if owner != request.node => {
                *fake.told.lock().unwrap() = Fake::even(3);
                moved(fake, request.slot, owner)
            }
            _ => Answer::Usual,
        }
    });
    *fake.told.lock().unwrap() = vec![0; 16384];
    let outcome = run(&plan(&workload(GETS), fake.seeds(), 6000), &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    assert_eq!((ops(&outcome), errors(&outcome)), (6000, 0));
    assert!(outcome.moved > 0 && outcome.moved < 6000);
    assert_eq!(fake.served_total(), 6000);
    assert_eq!(
        outcome.nodes.len(),
        3,
        "nodes that were not in the first map are found"
    );
    let asked = fake.map_asked.load(Ordering::Relaxed);
    assert!(
        (2..=20).contains(&asked),
        "{} MOVEDs made {asked} refreshes",
        outcome.moved
    );
}

#[test]
fn moved_without_a_host_means_the_node_that_said_it() {
    let once = AtomicU64::new(0);
    let fake = Fake::start(1, move |fake, request| match request.name().as_str() {
        "GET" if once.fetch_add(1, Ordering::Relaxed) < 5 => {
            error(&format!("MOVED {} :{}", request.slot, fake.ports[0]))
        }
        _ => Answer::Usual,
    });
    let outcome = run(&plan(&workload(GETS), fake.seeds(), 100), &Watch::new()).unwrap();
    assert_eq!((ops(&outcome), errors(&outcome), outcome.moved), (100, 0, 5));
}

#[test]
fn ask_is_followed_with_asking_and_not_learned() {
    // Slots below 8192 are on their way from node 0 to node 1; all their keys have arrived.
    let fake = Fake::start(2, |fake, request| {
        match (request.name().as_str(), request.slot < 8192) {
            ("GET", true) if request.node == 0 => {
                error(&format!("ASK {} 127.0.0.1:{}", request.slot, fake.ports[1]))
            }
            ("GET", true) if !request.asking => moved(fake, request.slot, 0),
            _ => Answer::Usual,
        }
    });
    let outcome = run(&plan(&workload(GETS), fake.seeds(), 2000), &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    assert_eq!((ops(&outcome), errors(&outcome), outcome.moved), (2000, 0, 0));
    assert_eq!(outcome.ask, outcome.slots[..8192].iter().sum::<u64>());
    assert_eq!(fake.served_by[1].load(Ordering::Relaxed), 2000);
    assert_eq!(
        outcome.nodes.len(),
        1,
        "an operation belongs to the node that answered it"
    );
}

#[test]
fn tryagain_is_tried_again() {
    let seen: Mutex<HashSet<Vec<u8>>> = Mutex::default();
    let fake = Fake::start(2, move |_, request| {
        let first = request.name() == "MGET" && seen.lock().unwrap().insert(request.args.concat());
        if first {
            error("TRYAGAIN Multiple keys request during rehashing of slot")
        } else {
            Answer::Usual
        }
    });
    let text = "keyspace.keys = 100_000\nkeyspace.keys_per_tag = 5\n[[mix]]\ncommand = 'MGET'\nkeys = 5\n";
    let outcome = run(&plan(&workload(text), fake.seeds(), 300), &Watch::new()).unwrap();
    assert_eq!((ops(&outcome), errors(&outcome)), (300, 0));
    assert!(
        outcome.retries > 280 && outcome.retries <= 300,
        "{} retries",
        outcome.retries
    );
    let fastest_ns = outcome.commands[0].latency.value_at_quantile(0.05);
    assert!(
        fastest_ns > 2_000_000,
        "timed from the first attempt, not from the last: {fastest_ns} ns"
    );
}

#[test]
fn a_part_of_a_split_operation_is_redirected_alone() {
    let fake = Fake::start(3, |fake, request| {
        let owner = usize::from(request.slot) * 3 / 16384;
        match request.name().as_str() {
            "MGET" if owner != request.node => moved(fake, request.slot, owner),
            _ => Answer::Usual,
        }
    });
    *fake.told.lock().unwrap() = vec![0; 16384];
    let text = "keyspace.keys = 100_000\n[[mix]]\ncommand = 'MGET'\nkeys = 10\nsplit = true\n";
    let outcome = run(&plan(&workload(text), fake.seeds(), 200), &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    assert_eq!((ops(&outcome), errors(&outcome)), (200, 0));
    assert!(outcome.moved > 1000);
    assert_eq!(outcome.slots.iter().sum::<u64>(), fake.served_total());
}

#[test]
fn an_operation_that_is_sent_in_circles_fails() {
    let fake = Fake::start(2, |fake, request| match request.name().as_str() {
        "GET" if request.slot < 100 => moved(fake, request.slot, 1 - request.node),
        _ => Answer::Usual,
    });
    let outcome = run(
        &plan(&workload("keyspace.keys = 50_000\n"), fake.seeds(), 5000),
        &Watch::new(),
    )
    .unwrap();
    assert_adds_up(&outcome);
    assert_eq!(ops(&outcome) + outcome.errors["REDIRECTS"], 5000);
    assert_eq!(outcome.slots[..100].iter().sum::<u64>(), 0);
}

//! Storms and neighbours beside a load, against servers that do as they are told.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::fake::{Answer, Fake, error};
use super::{assert_adds_up, plan, workload};
use crate::load::{BesideOutcome, Outcome, PreloadPlan, Until, Watch, preload, run};

fn beside_plan(text: &str, fake: &Arc<Fake>) -> crate::load::Plan {
    let text = format!("keyspace.keys = 2000\narrival.rate = 500\n{text}");
    let mut plan = plan(&workload(&text), fake.seeds(), 1);
    plan.until = Until::Duration(Duration::from_millis(1000));
    plan
}

fn beside(outcome: &Outcome) -> &BesideOutcome {
    outcome.beside.as_ref().expect("company")
}

#[test]
fn a_storm_begins_when_the_calm_part_is_over() {
    let fake = Fake::start(3, |_, _| Answer::Usual);
    let plan = beside_plan("storm = { rate = 100, hold = '20ms', from = 0.5 }\n", &fake);
    let outcome = run(&plan, &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    let storm = beside(&outcome).storm.as_ref().expect("a storm");
    assert_eq!(beside(&outcome).from, Duration::from_millis(500));
    assert!((40..=52).contains(&storm.due), "{storm:?}");
    assert_eq!(
        (storm.answered, storm.connected, storm.missed),
        (storm.due, storm.due, 0),
        "{storm:?}"
    );
    assert!(storm.failed.is_empty() && storm.connect.len() == storm.due && storm.answer.len() == storm.due);
    // Four clients with three connections each, the scout's, and those of the storm.
    let others = fake.connections.load(Ordering::Relaxed) - storm.due;
    assert!((12..20).contains(&others), "{others}");
    assert!(storm.most_open < 20, "{storm:?}");
    // Only the clients' connections wait for their ports, not those of the storm.
    assert!(waiting_ports(&fake) <= others, "{}", waiting_ports(&fake));
}

/// Connections to the fake's nodes that are in TIME_WAIT.
fn waiting_ports(fake: &Fake) -> u64 {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let waits = |line: &&str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let port = columns.get(2).and_then(|remote| remote.rsplit(':').next());
        let port = port.and_then(|port| u16::from_str_radix(port, 16).ok());
        columns.get(3) == Some(&"06") && port.is_some_and(|port| fake.ports.contains(&port))
    };
    table.lines().filter(waits).count() as u64
}

#[test]
fn what_a_storm_asks_goes_to_the_owner_and_what_is_refused_is_counted() {
    let fake = Fake::start(2, |fake, request| match request.name().as_str() {
        "GET" if fake.told.lock().unwrap()[usize::from(request.slot)] != request.node => {
            error("MOVED 1 127.0.0.1:1")
        }
        "GET" if request.slot % 4 == 0 => error("LOADING not yet"),
        _ => Answer::Usual,
    });
    let text = "storm = { rate = 200, hold = '0s', command = 'GET', from = 0.2 }\n";
    let outcome = run(&beside_plan(text, &fake), &Watch::new()).unwrap();
    let storm = beside(&outcome).storm.as_ref().expect("a storm");
    let failed: u64 = storm.failed.values().sum();
    assert_eq!(storm.due, storm.answered + failed + storm.missed, "{storm:?}");
    assert_eq!(storm.failed.keys().collect::<Vec<_>>(), ["LOADING"], "{storm:?}");
    assert!(failed * 8 > storm.due && failed * 2 < storm.due, "{storm:?}");
}

#[test]
fn a_node_that_refuses_connections_is_counted_by_class() {
    let fake = Fake::start(2, |_, _| Answer::Usual);
    let text = "storm = { rate = 100, from = 0.5 }\n";
    let plan = beside_plan(text, &fake);
    let killer = {
        let fake = Arc::clone(&fake);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            fake.kill(1);
        })
    };
    let outcome = run(&plan, &Watch::new()).unwrap();
    killer.join().unwrap();
    let storm = beside(&outcome).storm.as_ref().expect("a storm");
    let refused = storm.failed.get("REFUSED").copied().unwrap_or(0);
    assert!(
        refused * 3 > storm.due && storm.answered * 3 > storm.due,
        "{storm:?}"
    );
}

#[test]
fn a_neighbour_asks_for_its_key_and_its_slot_is_a_group_of_its_own() {
    let fake = Fake::start(2, |_, request| match request.name().as_str() {
        "GETRANGE" => {
            std::thread::sleep(Duration::from_millis(5));
            Answer::Reply([b"$100000\r\n", vec![b'x'; 100_000].as_slice(), b"\r\n"].concat())
        }
        _ => Answer::Usual,
    });
    let text = "traffic = { distribution = 'hotslot', share = 0.4, slot = 99, hot_keys = 10 }\n\
                neighbor = { size = 100_000, slot = 99, clients = 2, from = 0.4 }\n";
    let plan = beside_plan(text, &fake);
    let stored = preload(
        &PreloadPlan {
            workload: Arc::clone(&plan.workload),
            target: plan.target.clone(),
            threads: 1,
        },
        &Watch::new(),
    );
    assert!(stored.unwrap().errors.is_empty());
    let large = |args: &Vec<Vec<u8>>| args[0] == b"SET" && args[2].len() == 100_000;
    assert!(
        fake.served.lock().unwrap().keys().any(large),
        "the large key was stored"
    );
    let outcome = run(&plan, &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    let company = beside(&outcome);
    let neighbor = company.neighbor.as_ref().expect("a neighbour");
    assert!((40..=260).contains(&neighbor.commands), "{neighbor:?}");
    assert!(neighbor.failed.is_empty(), "{neighbor:?}");
    assert_eq!(neighbor.bytes, neighbor.commands * 100_011);
    assert_eq!((company.groups.len(), company.own_slot), (3, Some((99, 0))));
    let ops = |place: usize| {
        company.groups[place]
            .trace
            .slices
            .iter()
            .map(|slice| slice.len())
            .sum::<u64>()
    };
    assert_eq!(ops(0) + ops(1) + ops(2), super::ops(&outcome));
    assert!((150..250).contains(&ops(2)), "{}", ops(2));
    assert!(outcome.shards.is_empty(), "shards are of runs with faults");
}

#[test]
fn a_key_that_is_not_there_is_no_neighbour() {
    let fake = Fake::start(1, |_, _| Answer::Usual);
    let outcome = run(&beside_plan("neighbor = { from = 0.5 }\n", &fake), &Watch::new()).unwrap();
    let neighbor = beside(&outcome).neighbor.as_ref().expect("a neighbour");
    assert_eq!(neighbor.commands, 0);
    assert_eq!(neighbor.failed.keys().collect::<Vec<_>>(), ["EMPTY"]);
}

#[test]
fn a_storm_ends_with_the_round_however_that_ends() {
    let fake = Fake::start(1, |_, _| Answer::Usual);
    let watch = Arc::new(Watch::new());
    let mut plan = beside_plan("storm = { rate = 100, hold = '30s', from = 0.05 }\n", &fake);
    plan.until = Until::Duration(Duration::from_secs(20));
    let stopper = {
        let watch = Arc::clone(&watch);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(1500));
            watch.stop();
        })
    };
    let began = std::time::Instant::now();
    let outcome = run(&plan, &watch).unwrap();
    stopper.join().unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let storm = beside(&outcome).storm.as_ref().expect("a storm");
    assert!(
        storm.answered > 10 && storm.most_open >= storm.answered,
        "{storm:?}"
    );
}

//! Errors, broken connections, stalls, and targets that go away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::fake::{Answer, Fake, error};
use super::{assert_adds_up, errors, ops, plan, refusal, workload};
use crate::load::{Ended, HostPort, Until, Watch, run};

const GETS: &str = "keyspace.keys = 10_000\n";

#[test]
fn errors_are_counted_by_class_and_are_no_operations() {
    let fake = Fake::start(2, |_, request| {
        match (request.name().as_str(), request.slot % 8) {
            ("GET", 0) => error("LOADING Redis is loading the dataset in memory"),
            ("GET", 1) => error("CLUSTERDOWN The cluster is down"),
            ("GET", 2) => error("WRONGTYPE Operation against a key holding the wrong kind of value"),
            ("GET", 3) => error("ERR something else"),
            ("GET", 4) => error("Whatever"),
            _ => Answer::Usual,
        }
    });
    let watch = Watch::new();
    let outcome = run(&plan(&workload(GETS), fake.seeds(), 4000), &watch).unwrap();
    assert_adds_up(&outcome);
    assert_eq!(ops(&outcome) + errors(&outcome), 4000);
    let classes: Vec<&str> = outcome.errors.keys().map(String::as_str).collect();
    assert_eq!(classes, ["CLUSTERDOWN", "ERR", "LOADING", "OTHER", "WRONGTYPE"]);
    assert!(
        outcome.errors.values().all(|count| (350..650).contains(count)),
        "{:?}",
        outcome.errors
    );
    assert_eq!(ops(&outcome), fake.served_total());
    assert!(
        (0..16384)
            .filter(|slot| slot % 8 < 5)
            .all(|slot| outcome.slots[slot] == 0)
    );
    assert_eq!((watch.ops(), watch.errors()), (ops(&outcome), errors(&outcome)));
}

#[test]
fn an_error_inside_an_array_is_an_error() {
    let fake = Fake::start(1, |_, request| match request.name().as_str() {
        "GET" => Answer::Reply(b"*2\r\n$1\r\nx\r\n-WRONGTYPE no\r\n".to_vec()),
        _ => Answer::Usual,
    });
    let outcome = run(&plan(&workload(GETS), fake.seeds(), 100), &Watch::new()).unwrap();
    assert_eq!((ops(&outcome), outcome.errors["WRONGTYPE"]), (0, 100));
}

#[test]
fn a_broken_connection_is_made_again() {
    let requests = AtomicU64::new(0);
    let fake = Fake::start(2, move |_, request| {
        let breaks = request.name() == "GET" && requests.fetch_add(1, Ordering::Relaxed) % 500 == 499;
        if breaks { Answer::Close } else { Answer::Usual }
    });
    let outcome = run(&plan(&workload(GETS), fake.seeds(), 5000), &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    assert_eq!(outcome.ended, Ended::Completed);
    assert_eq!(ops(&outcome) + outcome.errors["CONNECTION"], 5000);
    assert!(
        (9..=30).contains(&outcome.errors["CONNECTION"]),
        "{:?}",
        outcome.errors
    );
    assert!(
        (8..=10).contains(&outcome.reconnects),
        "{} reconnects",
        outcome.reconnects
    );
}

#[test]
fn bytes_that_are_no_reply_break_the_connection() {
    let once = AtomicBool::new(true);
    let fake = Fake::start(1, move |_, request| {
        let garble = request.name() == "GET" && once.swap(false, Ordering::Relaxed);
        if garble {
            Answer::Reply(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())
        } else {
            Answer::Usual
        }
    });
    let outcome = run(&plan(&workload(GETS), fake.seeds(), 200), &Watch::new()).unwrap();
    assert_eq!(ops(&outcome) + outcome.errors["CONNECTION"], 200);
    assert!(outcome.errors["CONNECTION"] <= 3 && outcome.reconnects == 1);
}

#[test]
fn a_dead_node_whose_slots_were_taken_over_is_left_behind() {
    let fake = Fake::start(2, |_, _| Answer::Usual);
    let mut plan = plan(&workload(GETS), fake.seeds(), 0);
    plan.until = Until::Duration(Duration::from_secs(600));
    let watch = Watch::new();
    let outcome = std::thread::scope(|scope| {
        let round = scope.spawn(|| run(&plan, &watch).unwrap());
        wait_for(|| watch.ops() > 500);
        fake.kill(1);
        wait_for(|| watch.errors() > 0);
        *fake.told.lock().unwrap() = vec![0; 16384];
        // The second half of the slots is served again: by then the whole window is not stuck any more.
        let seen = watch.ops();
        wait_for(|| watch.ops() > seen + 3000);
        watch.stop();
        round.join().unwrap()
    });
    assert_adds_up(&outcome);
    assert_eq!(outcome.errors.keys().collect::<Vec<_>>(), ["CONNECTION"]);
    let upper = outcome.slots[8192..].iter().sum::<u64>();
    assert!(
        upper > 1000,
        "{upper} operations in the slots that were taken over"
    );
}

#[test]
fn a_target_that_is_gone_ends_the_round_with_what_was_measured() {
    let fake = Fake::start(1, |_, _| Answer::Usual);
    let mut plan = plan(&workload(GETS), fake.seeds(), 0);
    plan.until = Until::Duration(Duration::from_secs(600));
    let watch = Watch::new();
    let began = Instant::now();
    let outcome = std::thread::scope(|scope| {
        let round = scope.spawn(|| run(&plan, &watch).unwrap());
        wait_for(|| watch.ops() > 500);
        fake.kill(0);
        round.join().unwrap()
    });
    assert!(matches!(&outcome.ended, Ended::TargetLost(why) if why.contains("no node could be reached")));
    assert_adds_up(&outcome);
    assert!(ops(&outcome) > 500 && outcome.errors["CONNECTION"] > 0);
    assert!(
        outcome.errors["CONNECTION"] < 1000,
        "one window an attempt: {:?}",
        outcome.errors
    );
    assert!(outcome.measured > Duration::from_secs(3) && began.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_target_that_is_not_there_is_an_error_that_names_it() {
    let plan = plan(
        &workload(GETS),
        vec![HostPort::new("127.0.0.1", 1), HostPort::new("nowhere.invalid", 2)],
        1,
    );
    let refusal = refusal(&plan);
    assert!(
        refusal.contains("127.0.0.1:1") && refusal.contains("nowhere.invalid:2"),
        "{refusal}"
    );
}

#[test]
fn a_server_that_is_full_is_an_error_at_once() {
    let fake = Fake::start(1, |_, _| Answer::Usual);
    fake.room.store(3, Ordering::Relaxed);
    let refusal = refusal(&plan(&workload(GETS), fake.seeds(), 100));
    assert!(
        refusal.ends_with("the server says: ERR max number of clients reached"),
        "{refusal}"
    );
}

#[test]
fn a_stalled_node_shows_in_latency_and_leaves_the_mix_alone() {
    let stall = Duration::from_millis(400);
    let (served, stalled) = (AtomicU64::new(0), AtomicBool::new(false));
    let fake = Fake::start(3, move |_, request| {
        let due =
            request.name() == "GET" && request.node == 1 && served.fetch_add(1, Ordering::Relaxed) > 300;
        if due && !stalled.swap(true, Ordering::Relaxed) {
            // This is the stall itself: the connections' threads of this node would be one thread in a server, but one
            // stuck connection is enough to see.
            std::thread::sleep(stall);
        }
        Answer::Usual
    });
    let workload = workload(GETS);
    let mut plan = plan(&workload, fake.seeds(), 8000);
    (plan.clients, plan.threads, plan.pipeline) = (1, 1, 8);
    let outcome = run(&plan, &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    assert_eq!((ops(&outcome), errors(&outcome)), (8000, 0));
    let max = |node: usize| {
        let addr = format!("127.0.0.1:{}", fake.ports[node]);
        outcome
            .nodes
            .iter()
            .find(|node| node.addr == addr)
            .unwrap()
            .latency
            .max()
    };
    assert!(max(1) >= stall.as_nanos() as u64, "{} ns", max(1));
    let mut stream = workload.client_stream(0);
    let mut drawn = vec![0; 16384];
    (0..8000).for_each(|_| drawn[usize::from(stream.next_op().slot())] += 1);
    assert_eq!(
        outcome.slots, drawn,
        "what was asked for is what the stream says, stall or not"
    );
    // While one window is stuck behind the stall, nothing is sent: no other node is asked more because one is slow.
    let empty = outcome.intervals.iter().filter(|slice| slice.ops < 8).count();
    assert!(empty >= 2, "{empty} slices without load");
}

#[test]
fn replies_that_never_come_are_counted() {
    let fake = Fake::start(1, |_, request| match request.name().as_str() {
        "GET" if request.slot < 1000 => Answer::Reply(Vec::new()),
        _ => Answer::Usual,
    });
    let mut plan = plan(&workload(GETS), fake.seeds(), 0);
    plan.until = Until::Duration(Duration::from_secs(600));
    let watch = Watch::new();
    let outcome = std::thread::scope(|scope| {
        let round = scope.spawn(|| run(&plan, &watch).unwrap());
        // Every client has come upon such a slot when nothing moves any more; how much came before does not matter.
        wait_for(|| watch.ops() > 10);
        watch.stop();
        round.join().unwrap()
    });
    assert_adds_up(&outcome);
    assert_eq!(outcome.ended, Ended::Interrupted);
    let unanswered = outcome.errors.get("UNANSWERED").copied().unwrap_or(0);
    assert!(unanswered <= 12, "no more than the windows hold");
    assert_eq!(errors(&outcome), unanswered);
}

fn wait_for(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited for a minute");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

#[test]
fn seeds_that_are_down_are_passed_over_and_nodes_that_appear_are_used() {
    let fake = Fake::start(3, |_, _| Answer::Usual);
    // At first only two nodes own slots.
    *fake.told.lock().unwrap() = Fake::even(2);
    let grown = {
        let fake = Arc::clone(&fake);
        std::thread::spawn(move || {
            wait_for(|| fake.served_total() > 500);
            // A third one takes the upper half of the second one's slots, which then sends clients there.
            fake.told.lock().unwrap()[12_288..].fill(2);
            fake.kill(1);
            fake.told.lock().unwrap()[8192..12_288].fill(0);
        })
    };
    let mut seeds = vec![
        HostPort::new("127.0.0.1", 1),
        HostPort::new("localhost.invalid", 7000),
    ];
    seeds.extend(fake.seeds());
    let mut plan = plan(
        &workload("keyspace.keys = 10_000\narrival.rate = 4000\n"),
        seeds,
        1,
    );
    plan.until = Until::Duration(Duration::from_millis(1200));
    let outcome = run(&plan, &Watch::new()).unwrap();
    grown.join().unwrap();
    assert_eq!(outcome.ended, Ended::Completed);
    assert_eq!(outcome.open.as_ref().unwrap().missed, 0);
    let at = |node: usize| format!("127.0.0.1:{}", fake.ports[node]);
    let third = outcome.nodes.iter().find(|node| node.addr == at(2));
    assert!(third.is_some_and(|node| node.ops > 300), "{:?}", outcome.errors);
}

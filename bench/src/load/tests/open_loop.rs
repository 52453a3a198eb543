//! Rounds whose operations are sent when they are due: nothing a server does moves the schedule.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::fake::{Answer, Fake, error};
use super::{assert_adds_up, errors, ops, plan, workload};
use crate::load::{Ended, OpenLoopOutcome, Outcome, Until, Watch, run};

fn open_plan(rate: u32, mode: &str, fake: &Arc<Fake>, millis: u64) -> crate::load::Plan {
    let text = format!("keyspace.keys = 10_000\narrival.rate = {rate}\narrival.mode = '{mode}'\n");
    let mut plan = plan(&workload(&text), fake.seeds(), 1);
    plan.until = Until::Duration(Duration::from_millis(millis));
    plan.pipeline = 1;
    plan
}

fn open(outcome: &Outcome) -> &OpenLoopOutcome {
    outcome.open.as_ref().expect("an open loop")
}

/// What was due is successful, failed or missed.
fn assert_nothing_is_lost(outcome: &Outcome) {
    assert_adds_up(outcome);
    let open = open(outcome);
    assert_eq!(open.scheduled, ops(outcome) + errors(outcome) + open.missed);
    assert_eq!(open.delay.len(), open.scheduled);
}

/// Percentile of all commands together, response and service, in milliseconds.
fn percentile_ms(outcome: &Outcome, percentile: f64) -> (f64, f64) {
    let command = &outcome.commands[0];
    let ms = |ns: u64| ns as f64 / 1e6;
    let service = command.service.as_ref().expect("an open loop has service times");
    (
        ms(command.latency.value_at_percentile(percentile)),
        ms(service.value_at_percentile(percentile)),
    )
}

#[test]
fn every_operation_of_the_schedule_is_sent() {
    let fake = Fake::start(3, |_, _| Answer::Usual);
    let outcome = run(&open_plan(2000, "constant", &fake, 1000), &Watch::new()).unwrap();
    assert_nothing_is_lost(&outcome);
    assert_eq!((ops(&outcome), open(&outcome).missed), (2000, 0));
    assert_eq!(fake.served_total(), 2000);
}

#[test]
fn poisson_arrivals_have_the_rate_in_the_mean() {
    let fake = Fake::start(1, |_, _| Answer::Usual);
    let outcome = run(&open_plan(3000, "poisson", &fake, 1000), &Watch::new()).unwrap();
    assert_nothing_is_lost(&outcome);
    // Five standard deviations of a count of 3000; the seed is fixed, so it always is the same count.
    assert!(ops(&outcome).abs_diff(3000) < 275, "{}", ops(&outcome));
}

#[test]
fn a_warm_up_keeps_the_rate_and_is_not_counted() {
    let fake = Fake::start(2, |_, _| Answer::Usual);
    let mut plan = open_plan(1000, "constant", &fake, 500);
    plan.warmup = Duration::from_millis(500);
    let outcome = run(&plan, &Watch::new()).unwrap();
    assert_nothing_is_lost(&outcome);
    assert_eq!(ops(&outcome), 500);
    assert_eq!(fake.served_total(), 1000);
}

#[test]
fn a_number_of_requests_ends_an_open_loop_too() {
    let fake = Fake::start(2, |_, _| Answer::Usual);
    let mut plan = open_plan(2000, "constant", &fake, 1);
    plan.until = Until::Requests(700);
    let outcome = run(&plan, &Watch::new()).unwrap();
    assert_nothing_is_lost(&outcome);
    assert_eq!((outcome.ended.clone(), ops(&outcome)), (Ended::Completed, 700));
    assert!(
        outcome.measured >= Duration::from_millis(345),
        "{:?}",
        outcome.measured
    );
}

/// Coordinated omission: in a closed loop four operations would have seen this stall. Here all that were due do.
#[test]
fn a_stall_deletes_no_operation_and_every_one_of_them_waits() {
    let began = Instant::now();
    let stalled =
        move || (Duration::from_millis(600)..Duration::from_millis(1000)).contains(&began.elapsed());
    let fake = Fake::start(2, move |_, request| {
        while request.node == 0 && request.name() == "GET" && stalled() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Answer::Usual
    });
    let outcome = run(&open_plan(1000, "constant", &fake, 1600), &Watch::new()).unwrap();
    assert_nothing_is_lost(&outcome);
    assert_eq!((ops(&outcome), errors(&outcome)), (1600, 0));
    // Half of the keys wait for up to 400 ms: an eighth of all operations.
    let (p99, _) = percentile_ms(&outcome, 99.0);
    assert!((300.0..450.0).contains(&p99), "p99 {p99}");
    let (_, service_p50) = percentile_ms(&outcome, 50.0);
    assert!(service_p50 < 50.0, "service p50 {service_p50}");
    // Four clients wait with one operation each; the rest is late, which the service time alone would hide.
    let (_, service_p90) = percentile_ms(&outcome, 97.0);
    assert!(service_p90 < 200.0, "service p97 {service_p90}");
    assert!(open(&outcome).late > 100, "{}", open(&outcome).late);
    // The other node's operations do not wait behind the stalled ones.
    let other = outcome
        .nodes
        .iter()
        .find(|node| node.addr.ends_with(&format!(":{}", fake.ports[1])))
        .unwrap();
    let p99 = other.latency.value_at_percentile(99.0) as f64 / 1e6;
    assert!(p99 < 150.0, "the other node's p99 {p99}");
}

#[test]
fn what_waits_for_a_dead_node_goes_to_the_new_owner() {
    let dead = Arc::new(AtomicBool::new(false));
    let fake = Fake::start(2, |_, _| Answer::Usual);
    let killer = {
        let (fake, dead) = (Arc::clone(&fake), Arc::clone(&dead));
        std::thread::spawn(move || {
            let began = Instant::now();
            while fake.served_total() < 400 && began.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(1));
            }
            fake.kill(0);
            std::thread::sleep(Duration::from_millis(300));
            fake.told.lock().unwrap().fill(1);
            dead.store(true, Ordering::SeqCst);
        })
    };
    let outcome = run(&open_plan(1000, "constant", &fake, 1500), &Watch::new()).unwrap();
    killer.join().unwrap();
    assert_nothing_is_lost(&outcome);
    assert!(dead.load(Ordering::SeqCst));
    assert_eq!(outcome.ended, Ended::Completed);
    assert_eq!(open(&outcome).missed, 0);
    // Only what was under way can fail: 4 clients with one operation each.
    assert!(errors(&outcome) <= 4, "{:?}", outcome.errors);
    let (max, _) = percentile_ms(&outcome, 100.0);
    assert!(max >= 250.0, "some waited for the new owner: {max} ms");
}

#[test]
fn what_nobody_takes_until_the_end_is_missed_and_not_forgotten() {
    let fake = Fake::start(1, |_, request| match request.name().as_str() {
        // The first operation of each connection is never answered.
        "GET" => {
            std::thread::sleep(Duration::from_secs(60));
            Answer::Close
        }
        _ => Answer::Usual,
    });
    let watch = Arc::new(Watch::new());
    let stopper = {
        let watch = Arc::clone(&watch);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(400));
            watch.stop();
        })
    };
    let outcome = run(&open_plan(500, "constant", &fake, 5000), &watch).unwrap();
    stopper.join().unwrap();
    assert_nothing_is_lost(&outcome);
    assert_eq!(ops(&outcome), 0);
    assert_eq!(errors(&outcome), 4, "{:?}", outcome.errors);
    assert!(open(&outcome).missed > 100, "{}", open(&outcome).missed);
}

#[test]
fn an_operation_that_is_not_answered_in_time_fails_and_the_next_one_is_tried() {
    let hung = AtomicBool::new(true);
    let fake = Fake::start(1, move |_, request| {
        if request.name() == "GET" && hung.swap(false, Ordering::SeqCst) {
            std::thread::sleep(Duration::from_secs(60));
        }
        Answer::Usual
    });
    let text = "keyspace.keys = 100\narrival.rate = 200\nrun.timeout = '100ms'\n";
    let mut plan = plan(&workload(text), fake.seeds(), 1);
    plan.until = Until::Duration(Duration::from_millis(800));
    let outcome = run(&plan, &Watch::new()).unwrap();
    assert_nothing_is_lost(&outcome);
    assert_eq!(open(&outcome).missed, 0);
    assert!(
        outcome.errors.get("TIMEOUT").is_some_and(|&n| n <= 3),
        "{:?}",
        outcome.errors
    );
    assert!(ops(&outcome) >= 155, "{}", ops(&outcome));
}

#[test]
fn redirects_are_timed_from_when_the_operation_was_due() {
    let fake = Fake::start(2, |fake, request| match (request.node, request.name().as_str()) {
        (0, "GET") if !request.asking => error(&format!("ASK {} 127.0.0.1:{}", request.slot, fake.ports[1])),
        _ => Answer::Usual,
    });
    let outcome = run(&open_plan(500, "constant", &fake, 600), &Watch::new()).unwrap();
    assert_nothing_is_lost(&outcome);
    assert_eq!((ops(&outcome), errors(&outcome)), (300, 0));
    assert!(outcome.ask > 100, "{}", outcome.ask);
}

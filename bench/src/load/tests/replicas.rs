//! Reads from replicas that lag by as much as the test wants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::fake::{Answer, Fake};
use super::{assert_adds_up, errors, ops, plan, workload};
use crate::load::{Outcome, Until, Watch, run};

const TEXT: &str = "keyspace.keys = 50\narrival.rate = 2000\nrun.read_from = 'replica'\n\
                    [[mix]]\ncommand = 'GET'\nweight = 3\n[[mix]]\ncommand = 'SET'\n";

/// Each key's values with when they were set.
type History = Mutex<HashMap<Vec<u8>, Vec<(Instant, Vec<u8>)>>>;

/// Node 1 copies node 0, and answers with what it held `lag` ago.
fn lagging(lag: Duration) -> Arc<Fake> {
    let history = History::default();
    let fake = Fake::start(2, move |_, request| match request.name().as_str() {
        "SET" => {
            let now = Instant::now();
            let mut history = history.lock().unwrap();
            let values = history.entry(request.args[1].clone()).or_default();
            values.push((now, request.args[2].clone()));
            Answer::Usual
        }
        "GET" => {
            assert_eq!(request.node, 1, "what is read is asked of the replica");
            let history = history.lock().unwrap();
            let values = history.get(&request.args[1]).map_or(&[][..], Vec::as_slice);
            let held = values.iter().rev().find(|(at, _)| at.elapsed() >= lag);
            match held {
                Some((_, value)) => {
                    let mut reply = format!("${}\r\n", value.len()).into_bytes();
                    reply.extend_from_slice(value);
                    reply.extend_from_slice(b"\r\n");
                    Answer::Reply(reply)
                }
                None => Answer::Reply(b"$-1\r\n".to_vec()),
            }
        }
        _ => Answer::Usual,
    });
    fake.told.lock().unwrap().fill(0);
    fake.replicas.lock().unwrap().push((1, 0));
    fake
}

fn measured(fake: &Arc<Fake>) -> Outcome {
    let mut plan = plan(&workload(TEXT), fake.seeds(), 1);
    plan.threads = 1;
    plan.until = Until::Duration(Duration::from_millis(1500));
    let outcome = run(&plan, &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    assert_eq!(
        (ops(&outcome), errors(&outcome)),
        (3000, 0),
        "{:?}",
        outcome.errors
    );
    outcome
}

#[test]
fn a_replica_that_lags_is_found_stale_by_as_much() {
    let outcome = measured(&lagging(Duration::from_millis(200)));
    let seen = outcome.staleness.expect("it was measured");
    assert_eq!(seen.from_primary, 0);
    let reads = outcome.commands.iter().find(|c| c.name == "GET").unwrap().ops;
    assert_eq!(seen.reads, reads);
    // Each key is written ten times a second: within 200 ms twice.
    assert!(seen.stale * 2 > seen.reads, "{} of {}", seen.stale, seen.reads);
    let max_ms = seen.lag.max() as f64 / 1e6;
    assert!((150.0..400.0).contains(&max_ms), "{max_ms} ms");
    assert!(outcome.writes.is_empty());
}

#[test]
fn a_replica_that_is_up_to_date_is_never_stale() {
    let outcome = measured(&lagging(Duration::ZERO));
    let seen = outcome.staleness.expect("it was measured");
    assert_eq!((seen.stale, seen.from_primary), (0, 0));
    assert!(seen.reads > 2000, "{}", seen.reads);
}

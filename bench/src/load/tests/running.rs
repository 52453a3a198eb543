//! Rounds in which nothing goes wrong.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::fake::{Answer, Fake, error};
use super::{assert_adds_up, errors, ops, plan, refusal, target, workload};
use crate::load::{Auth, Ended, HostPort, PreloadPlan, Until, Watch, preload, run};

const MIXED: &str =
    "keyspace.keys = 10_000\n[[mix]]\ncommand = 'GET'\nweight = 3\n[[mix]]\ncommand = 'SET'\n";

/// The requests that the clients' streams hold, with how often each comes.
fn expected(text: &str, clients: u32, each: u64) -> HashMap<Vec<Vec<u8>>, u64> {
    let workload = workload(text);
    let mut requests = HashMap::new();
    for client in 0..clients {
        let mut stream = workload.client_stream(client);
        for _ in 0..each {
            let mut frame = Vec::new();
            workload.encode(&stream.next_op(), &mut frame);
            let lines: Vec<&[u8]> = frame.split(|&b| b == b'\n').collect();
            // Values are bytes of any kind, line feeds among them: name and key tell enough.
            let request = [2, 4].map(|line: usize| lines[line].strip_suffix(b"\r").unwrap().to_vec());
            *requests.entry(request.to_vec()).or_default() += 1;
        }
    }
    requests
}

fn served(fake: &Fake) -> HashMap<Vec<Vec<u8>>, u64> {
    let mut requests = HashMap::new();
    for (args, count) in fake.served.lock().unwrap().iter() {
        *requests.entry(args[..2].to_vec()).or_default() += count;
    }
    requests
}

#[test]
fn every_operation_of_the_streams_is_sent_once_and_counted_once() {
    for (threads, pipeline) in [(1, 1), (2, 3), (3, 64)] {
        let fake = Fake::start(3, |_, _| Answer::Usual);
        let workload = workload(MIXED);
        let mut plan = plan(&workload, fake.seeds(), 4000);
        (plan.threads, plan.pipeline) = (threads, pipeline);
        let watch = Watch::new();
        let outcome = run(&plan, &watch).unwrap();
        assert_eq!(outcome.ended, Ended::Completed);
        assert_adds_up(&outcome);
        assert_eq!((ops(&outcome), errors(&outcome), outcome.moved), (4000, 0, 0));
        assert_eq!(served(&fake), expected(MIXED, 4, 1000));
        assert_eq!(outcome.slots.iter().sum::<u64>(), 4000);
        for (node, by_node) in outcome.nodes.iter().enumerate() {
            let place = fake
                .ports
                .iter()
                .position(|port| by_node.addr == format!("127.0.0.1:{port}"))
                .unwrap();
            assert_eq!(
                by_node.ops,
                fake.served_by[place].load(Ordering::Relaxed),
                "node {node}"
            );
            assert_eq!(by_node.id.as_deref(), Some(format!("{place:040x}").as_str()));
            let range = (0..16384).filter(|slot| slot * 3 / 16384 == place);
            assert_eq!(by_node.ops, range.map(|slot| outcome.slots[slot]).sum::<u64>());
        }
        assert_eq!(watch.ops(), 4000);
        assert!(outcome.client_cpu > Duration::ZERO && outcome.client_cpu < outcome.elapsed * threads);
        let gets = outcome
            .commands
            .iter()
            .find(|command| command.name == "GET")
            .unwrap()
            .ops;
        assert!((2800..3200).contains(&gets), "{gets}");
        assert!(outcome.bytes_out > 4000 * 36 && outcome.bytes_in >= 4000 * 5);
        assert_eq!(
            fake.connections.load(Ordering::Relaxed),
            1 + 4 * 3,
            "one for the map, one a client and node"
        );
    }
}

#[test]
fn a_miss_is_followed_by_a_set_of_the_same_key() {
    const CACHE: &str =
        "keyspace.keys = 1000\n[[mix]]\ncommand = 'GET'\nfill = true\n[[mix]]\ncommand = 'SET'\nweight = 0\n";
    for pipeline in [1, 16] {
        let gets: Arc<Mutex<HashMap<Vec<u8>, u64>>> = Arc::default();
        let asked = Arc::clone(&gets);
        let fake = Fake::start(2, move |_, request| match request.name().as_str() {
            "GET" => {
                *asked.lock().unwrap().entry(request.args[1].clone()).or_default() += 1;
                Answer::Reply(b"$-1\r\n".to_vec())
            }
            _ => Answer::Usual,
        });
        let mut plan = plan(&workload(CACHE), fake.seeds(), 1000);
        plan.pipeline = pipeline;
        let outcome = run(&plan, &Watch::new()).unwrap();
        assert_adds_up(&outcome);
        assert_eq!((ops(&outcome), errors(&outcome)), (2000, 0));
        let cache = outcome.cache.unwrap();
        assert_eq!((cache.reads, cache.misses), (1000, 1000));
        let sets: HashMap<Vec<u8>, u64> = served(&fake)
            .into_iter()
            .map(|(mut args, count)| (args.swap_remove(1), count))
            .collect();
        assert_eq!(sets, *gets.lock().unwrap());
    }
    // What is found is not stored again.
    let fake = Fake::start(2, |_, _| Answer::Usual);
    let outcome = run(&plan(&workload(CACHE), fake.seeds(), 1000), &Watch::new()).unwrap();
    let cache = outcome.cache.unwrap();
    assert_eq!((ops(&outcome), cache.reads, cache.misses), (1000, 1000, 0));
}

#[test]
fn replies_in_crumbs_are_the_same_replies() {
    let fake = Fake::start_with(2, 1, |_, _| Answer::Usual);
    let outcome = run(&plan(&workload(MIXED), fake.seeds(), 300), &Watch::new()).unwrap();
    assert_eq!((ops(&outcome), errors(&outcome)), (300, 0));
}

#[test]
fn replies_larger_than_a_read_are_taken_whole() {
    let value = [b"$300000\r\n".to_vec(), vec![b'x'; 300_000], b"\r\n".to_vec()].concat();
    let fake = Fake::start(1, move |_, request| match request.name().as_str() {
        "GET" => Answer::Reply(value.clone()),
        _ => Answer::Usual,
    });
    let outcome = run(
        &plan(&workload("keyspace.keys = 100\n"), fake.seeds(), 60),
        &Watch::new(),
    )
    .unwrap();
    assert_eq!((ops(&outcome), errors(&outcome)), (60, 0));
    assert_eq!(outcome.bytes_in, 60 * 300_011);
}

#[test]
fn writes_larger_than_a_socket_takes_go_out_whole() {
    let fake = Fake::start(1, |_, _| Answer::Usual);
    let text = "keyspace.keys = 100\nvalues.size = 1_000_000\n[[mix]]\ncommand = 'SET'\n";
    let mut plan = plan(&workload(text), fake.seeds(), 48);
    plan.pipeline = 12;
    let outcome = run(&plan, &Watch::new()).unwrap();
    assert_eq!((ops(&outcome), errors(&outcome)), (48, 0));
    let frame = "*3\r\n$3\r\nSET\r\n$16\r\n\r\n$1000000\r\n\r\n".len() as u64 + 16 + 1_000_000;
    assert_eq!(outcome.bytes_out, 48 * frame);
    assert!(
        fake.served
            .lock()
            .unwrap()
            .keys()
            .all(|args| args[2].len() == 1_000_000)
    );
}

#[test]
fn keys_that_are_not_there_are_counted() {
    let fake = Fake::start(1, |_, request| match request.name().as_str() {
        "GET" if request.slot % 2 == 0 => Answer::Reply(b"$-1\r\n".to_vec()),
        _ => Answer::Usual,
    });
    let outcome = run(
        &plan(&workload("keyspace.keys = 5000\n"), fake.seeds(), 600),
        &Watch::new(),
    )
    .unwrap();
    assert_eq!((ops(&outcome), errors(&outcome)), (600, 0));
    assert_eq!(outcome.misses, outcome.slots.iter().step_by(2).sum::<u64>());
}

#[test]
fn a_server_that_is_no_cluster_gets_everything() {
    let fake = Fake::start(1, |_, _| Answer::Usual);
    fake.told.lock().unwrap().clear();
    let outcome = run(&plan(&workload(MIXED), fake.seeds(), 400), &Watch::new()).unwrap();
    assert_eq!((ops(&outcome), outcome.nodes.len()), (400, 1));
    assert_eq!(served(&fake), expected(MIXED, 4, 100));
}

#[test]
fn warm_up_is_not_recorded_and_changes_nothing_of_what_is() {
    let fake = Fake::start(2, |_, _| Answer::Usual);
    let mut plan = plan(&workload(MIXED), fake.seeds(), 400);
    plan.warmup = Duration::from_millis(100);
    let outcome = run(&plan, &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    assert_eq!((ops(&outcome), outcome.slots.iter().sum::<u64>()), (400, 400));
    assert!(fake.served_total() > 400 && outcome.elapsed >= outcome.measured + Duration::from_millis(100));
    let served = served(&fake);
    for (request, count) in expected(MIXED, 4, 100) {
        assert!(served[&request] >= count);
    }
}

#[test]
fn a_timed_round_lasts_as_long_as_asked() {
    let fake = Fake::start(2, |_, _| Answer::Usual);
    let mut plan = plan(&workload(MIXED), fake.seeds(), 0);
    plan.until = Until::Duration(Duration::from_millis(350));
    let outcome = run(&plan, &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    assert_eq!(outcome.measured, Duration::from_millis(350));
    assert_eq!(outcome.intervals.len(), 4);
    assert_eq!(outcome.intervals[3].length, Duration::from_millis(50));
    assert_eq!(ops(&outcome), fake.served_total());
}

#[test]
fn a_stop_ends_the_round_with_what_was_measured() {
    let fake = Fake::start(2, |_, _| Answer::Usual);
    let mut plan = plan(&workload(MIXED), fake.seeds(), 0);
    plan.until = Until::Duration(Duration::from_secs(600));
    let watch = Watch::new();
    let began = Instant::now();
    let outcome = std::thread::scope(|scope| {
        let round = scope.spawn(|| run(&plan, &watch).unwrap());
        while watch.ops() < 1000 {
            assert!(began.elapsed() < Duration::from_secs(60), "no progress");
            std::thread::yield_now();
        }
        watch.stop();
        round.join().unwrap()
    });
    assert_eq!(outcome.ended, Ended::Interrupted);
    assert_adds_up(&outcome);
    assert!(ops(&outcome) >= 1000 && outcome.measured < Duration::from_secs(60));
    assert_eq!(ops(&outcome), fake.served_total());
}

#[test]
fn a_split_operation_is_one_operation() {
    let fake = Fake::start(3, |_, _| Answer::Usual);
    let text = "keyspace.keys = 100_000\n[[mix]]\ncommand = 'MGET'\nkeys = 10\nsplit = true\n";
    let outcome = run(&plan(&workload(text), fake.seeds(), 500), &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    assert_eq!((ops(&outcome), errors(&outcome)), (500, 0));
    let parts: u64 = outcome.slots.iter().sum();
    assert!((4950..=5000).contains(&parts), "{parts} parts");
    assert_eq!(parts, fake.served_total());
}

#[test]
fn the_preload_stores_every_key_once() {
    let fake = Fake::start(3, |_, _| Answer::Usual);
    let workload =
        workload("keyspace.keys = 5000\ntraffic.distribution = 'hotslot'\ntraffic.hot_keys = 50\n");
    let plan = PreloadPlan {
        workload: Arc::clone(&workload),
        target: target(fake.seeds()),
        threads: 2,
    };
    let watch = Watch::new();
    let outcome = preload(&plan, &watch).unwrap();
    let wanted = (0..workload.preload_len())
        .filter(|&i| workload.preload_op(i).is_some())
        .count() as u64;
    assert_eq!(
        (outcome.stored, outcome.errors.len(), outcome.ended),
        (wanted, 0, Ended::Completed)
    );
    assert_eq!(watch.ops(), wanted);
    let served = served(&fake);
    assert_eq!(served.len() as u64, wanted);
    assert!(
        served
            .iter()
            .all(|(request, &count)| count == 1 && request[0] == b"SET")
    );
}

#[test]
fn a_preload_that_is_refused_says_so() {
    let fake = Fake::start(1, |_, request| match request.name().as_str() {
        "SET" if request.slot < 8192 => error("OOM command not allowed when used memory > 'maxmemory'."),
        _ => Answer::Usual,
    });
    let workload = workload("keyspace.keys = 1000\n");
    let plan = PreloadPlan {
        workload,
        target: target(fake.seeds()),
        threads: 1,
    };
    let outcome = preload(&plan, &Watch::new()).unwrap();
    assert_eq!(outcome.stored + outcome.errors["OOM"], 1000);
    assert_eq!(outcome.stored, fake.served_total());
}

#[test]
fn logs_in_with_resp3_and_without() {
    for resp3 in [false, true] {
        let fake = Fake::start(2, move |_, request| match request.name().as_str() {
            "HELLO" if request.args[1..] == [&b"3"[..], b"AUTH", b"ann", b"secret"] && resp3 => Answer::Usual,
            "AUTH" if request.args[1..] == [&b"ann"[..], b"secret"] => Answer::Usual,
            "HELLO" | "AUTH" => error("WRONGPASS invalid username-password pair or user is disabled."),
            _ => Answer::Usual,
        });
        let mut plan = plan(&workload(MIXED), fake.seeds(), 100);
        plan.target.resp3 = resp3;
        plan.target.auth = Some(Auth {
            user: Some("ann".into()),
            password: "secret".into(),
        });
        let outcome = run(&plan, &Watch::new()).unwrap();
        assert_eq!((ops(&outcome), errors(&outcome)), (100, 0));
        plan.target.auth = Some(Auth {
            user: None,
            password: "guess".into(),
        });
        let refusal = refusal(&plan);
        assert!(refusal.contains("WRONGPASS"), "{refusal}");
        assert!(
            !format!("{plan:?}").contains("guess"),
            "passwords are not for logs"
        );
    }
}

/// Answers one request after the other, each GET 20 ms after the one before, however many came together.
fn one_by_one() -> HostPort {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = HostPort::new("127.0.0.1", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || -> std::io::Result<()> {
                let mut chunk = [0; 4096];
                loop {
                    let got = stream.read(&mut chunk)?;
                    let text = String::from_utf8_lossy(&chunk[..got]).into_owned();
                    for word in text.split("\r\n") {
                        match word {
                            "CLUSTER" => {
                                stream.write_all(b"-ERR This instance has cluster support disabled\r\n")?;
                            }
                            "PING" => stream.write_all(b"+PONG\r\n")?,
                            "GET" => {
                                std::thread::sleep(Duration::from_millis(20));
                                stream.write_all(b"$1\r\nx\r\n")?;
                            }
                            _ => {}
                        }
                    }
                    if got == 0 {
                        return Ok(());
                    }
                }
            });
        }
    });
    at
}

/// Not one latency for the batch: three operations leave in one write and are answered 20 ms apart.
#[test]
fn each_operation_of_a_pipeline_has_its_own_time() {
    let mut plan = plan(&workload("keyspace.keys = 100\n"), vec![one_by_one()], 3);
    (plan.clients, plan.threads, plan.pipeline) = (1, 1, 3);
    let outcome = run(&plan, &Watch::new()).unwrap();
    assert_adds_up(&outcome);
    assert_eq!((ops(&outcome), errors(&outcome)), (3, 0));
    let latency = &outcome.commands[0].latency;
    let (first, last) = (latency.min(), latency.max());
    assert!(first >= 19_000_000 && last >= 59_000_000, "{first} {last}");
    assert!(
        last - first >= 35_000_000,
        "the first did not wait for the last: {first} {last}"
    );
}

/// No timer on which a round ends.
#[test]
fn a_round_by_number_ends_with_its_last_reply() {
    let fake = Fake::start(1, |_, _| Answer::Usual);
    let shortest = (0..5)
        .map(|_| {
            let outcome = run(&plan(&workload(MIXED), fake.seeds(), 100), &Watch::new()).unwrap();
            assert_eq!(ops(&outcome), 100);
            outcome.measured
        })
        .min()
        .unwrap();
    assert!(shortest < Duration::from_millis(100), "{shortest:?}");
}

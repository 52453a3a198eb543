//! The built-in workloads of applications, on both engines, with real processes: their counts add up, in open and closed
//! loops, on nodes that are launched and on a target that runs already; and their audits can fail.

mod common;

use common::{Finished, Ground, has_redis, loadgen, run};
use serde_json::Value;

const ENGINES: &[&str] = &["slotmark", "redis"];

/// Small and short, for a machine that does other things too.
const SMALL: &[&str] = &[
    "-c",
    "6",
    "--warmup",
    "100ms",
    "--duration",
    "600ms",
    "--nodes",
    "2",
];

impl Ground {
    /// Runs a workload, and returns what was measured on the first engine.
    fn measured(&self, workload: &str, engine: &str, more: &[&str]) -> (Value, Finished) {
        let mut args = vec!["--workload", workload, "--engine", engine];
        let is_left = |pair: &&[&str]| !more.contains(&pair[0]);
        args.extend(SMALL.chunks(2).filter(is_left).flatten());
        args.extend(more);
        let done = self.run(&args);
        assert_eq!(done.code, Some(0), "{workload} on {engine}: {done:?}");
        assert!(self.is_clean(), "{workload} on {engine} leaves something");
        (self.engine(), done)
    }

    /// A built-in workload with some of its text replaced, as a file.
    fn changed(&self, workload: &str, changes: &[(&str, &str)]) -> String {
        let mut text = run(&["workloads", workload]).out;
        for (from, to) in changes {
            assert!(text.contains(from), "{workload} has {from}");
            text = text.replace(from, to);
        }
        let file = self.dir.path().join(format!("{workload}-changed.toml"));
        std::fs::write(&file, text).expect("written");
        file.to_str().expect("UTF-8").to_owned()
    }

    fn engine(&self) -> Value {
        self.report()["engines"][0].clone()
    }
}

fn engines(all: &[&'static str]) -> Vec<&'static str> {
    let has_redis = has_redis();
    all.iter()
        .copied()
        .filter(|&engine| engine != "redis" || has_redis)
        .collect()
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("a count: {value}"))
}

fn command<'a>(run: &'a Value, name: &str) -> &'a Value {
    let commands = run["commands"].as_array().expect("commands");
    commands
        .iter()
        .find(|command| command["name"] == name)
        .unwrap_or_else(|| panic!("{name} in {commands:?}"))
}

/// What every run must be: without errors, and with counters that add up to the operations of their command.
fn assert_adds_up(run: &Value, what: &str) {
    assert_eq!(run["errors"], serde_json::json!({}), "{what}");
    let commands = run["commands"].as_array().expect("commands");
    let ops: u64 = commands.iter().map(|command| count(&command["ops"])).sum();
    assert_eq!(ops, count(&run["ops"]), "{what}");
    assert!(ops > 50, "{what}: {ops} operations");
    for command in commands {
        if let Some(replies) = command["replies"].as_object() {
            let sum: u64 = replies.values().map(count).sum();
            assert_eq!(sum, count(&command["ops"]), "{what}: {command}");
        }
    }
    if let Some(open) = run["open_loop"].as_object() {
        assert_eq!(
            count(&open["scheduled"]),
            ops + count(&open["missed"]),
            "{what}: {open:?}"
        );
    }
}

#[test]
fn sessions_are_read_written_and_missed() {
    for engine in engines(ENGINES) {
        let ground = Ground::new();
        for loops in [&["-r", "2k"][..], &["-r", "2k", "--rate", "2k"]] {
            // Tokens that do not live long: some must be missed.
            let file = ground.changed(
                "session-cache",
                &[(
                    "weight = 1\nsend = [\"SETEX\", \"token:$key\", \"1\"",
                    "weight = 900\nsend = [\"PSETEX\", \"token:$key\", \"1\"",
                )],
            );
            let (run, done) = ground.measured(&file, engine, loops);
            assert_adds_up(&run, engine);
            let get = &command(&run, "GET")["replies"];
            let missed = count(&get["miss"]);
            assert!(missed > 0, "{engine}: {get}");
            let objects = &command(&run, "HGETALL")["replies"];
            assert_eq!(
                count(&objects["miss"]),
                0,
                "{engine}: the preload has stored the objects: {objects}"
            );
            assert_eq!(count(&run["misses"]), missed, "{engine}: {get}");
            assert!(
                done.out.contains("GET: ") && done.out.contains(" miss ("),
                "{done:?}"
            );
        }
        let page = std::fs::read_to_string(ground.results().join("report.html")).expect("a page");
        assert!(page.contains("HGETALL: "), "the page has the counters");
    }
}

#[test]
fn limiters_allow_some_and_limit_some() {
    for engine in engines(ENGINES) {
        let ground = Ground::new();
        let file = ground.changed(
            "rate-limiter",
            &[
                ("\"50\", \"100\"]", "\"1\", \"3\"]"),
                ("<= 50", "<= 2"),
                ("> 50", "> 2"),
            ],
        );
        for loops in [&["-r", "20"][..], &["-r", "20", "--rate", "1k"]] {
            let (run, _) = ground.measured(&file, engine, loops);
            assert_adds_up(&run, engine);
            for name in ["token bucket", "fixed window"] {
                let replies = &command(&run, name)["replies"];
                assert!(
                    count(&replies["limited"]) > count(&replies["allowed"]),
                    "{engine}: {name}: {replies}"
                );
            }
            // 20 users, of which some are never asked for: 3 tokens each at first, and some a second.
            let allowed = count(&command(&run, "token bucket")["replies"]["allowed"]);
            assert!(allowed < 20 * 6, "{engine}: {allowed} allowed");
            assert_eq!(
                run["unknown_scripts"],
                Value::Null,
                "the preload has loaded the script"
            );
        }
        // Nobody has loaded it here: the first call at each node is told so, and those that were under way.
        let (run, done) = ground.measured(&file, engine, &["-r", "20", "--no-preload", "--warmup", "0"]);
        assert_adds_up(&run, engine);
        let unknown = count(&run["unknown_scripts"]);
        assert!((1..=2 * 6).contains(&unknown), "{engine}: {unknown}");
        assert!(done.out.contains("NOSCRIPT"), "{done:?}");
    }
}

#[test]
fn ranks_are_told_on_full_boards() {
    for engine in engines(ENGINES) {
        let ground = Ground::new();
        let file = ground.changed(
            "leaderboard",
            &[
                ("times = 10_000", "times = 300"),
                ("$zipf(10000,0.8)", "$zipf(300,0.8)"),
                ("$uniform(0,10099)", "$uniform(0,599)"),
            ],
        );
        for loops in [&[][..], &["--rate", "1k"]] {
            let (run, _) = ground.measured(&file, engine, loops);
            assert_adds_up(&run, engine);
            let ranks = &command(&run, "ZREVRANK")["replies"];
            let (ranked, unranked) = (count(&ranks["ranked"]), count(&ranks["unranked"]));
            // Half of the players that are asked for have a score.
            let share = ranked as f64 / (ranked + unranked) as f64;
            assert!((0.3..0.7).contains(&share), "{engine}: {ranks}");
        }
    }
}

/// What was sent to receivers, after the rules that always hold.
fn delivery(run: &Value, name: &str) -> Value {
    let delivery = &run["delivery"];
    assert_eq!(
        count(&delivery["sent"]),
        count(&command(run, name)["ops"]),
        "{delivery}"
    );
    assert_eq!(
        count(&delivery["expected"]),
        count(&delivery["delivered"]) + count(&delivery["left_over"]) + count(&delivery["lost"]),
        "{delivery}"
    );
    assert!(
        delivery["latency_us"]["p50"].as_f64().is_some_and(|us| us > 1.0),
        "{delivery}"
    );
    delivery.clone()
}

#[test]
fn every_item_of_a_queue_is_delivered_once() {
    for engine in engines(ENGINES) {
        let ground = Ground::new();
        for loops in [&["--rate", "500"][..], &["--arrivals", "closed", "--resp3"]] {
            let (run, done) = ground.measured("queue", engine, loops);
            assert_adds_up(&run, engine);
            let delivery = delivery(&run, "LPUSH");
            assert_eq!(count(&delivery["expected"]), count(&delivery["sent"]));
            assert_eq!(
                (count(&delivery["lost"]), count(&delivery["repeated"])),
                (0, 0),
                "{delivery}"
            );
            assert_eq!(count(&delivery["receivers"]), 64);
            assert!(
                done.out.contains("audit: ") && done.out.contains("hand-over"),
                "{done:?}"
            );
        }
        let summary = std::fs::read_to_string(ground.results().join("summary.csv")).expect("a summary");
        assert!(summary.contains("\n(delivery),"), "{summary}");
    }
}

#[test]
fn items_that_reach_nobody_are_lost() {
    for engine in engines(ENGINES) {
        let ground = Ground::new();
        // The consumers wait at other lists, and what is pushed is in none of theirs.
        let file = ground.changed("queue", &[("from = \"queue:$key\"", "from = \"elsewhere:$key\"")]);
        let mut args = vec!["--workload", &file, "--engine", engine, "--rate", "500"];
        args.extend(SMALL);
        let done = ground.run(&args);
        assert_eq!(done.code, Some(4), "{done:?}");
        let run = ground.engine();
        let delivery = &run["delivery"];
        assert!(
            count(&delivery["lost"]) > 50 && count(&delivery["delivered"]) == 0,
            "{delivery}"
        );
        assert_eq!(
            count(&delivery["lost"]),
            count(&command(&run, "LPUSH")["ops"]),
            "{delivery}"
        );
        assert!(done.err.contains("exactly once"), "{done:?}");
    }
}

#[test]
fn messages_reach_every_subscriber() {
    for engine in engines(ENGINES) {
        for (workload, name) in [
            ("pubsub-fanout", "PUBLISH"),
            ("pubsub-fanout-sharded", "SPUBLISH"),
        ] {
            let ground = Ground::new();
            for loops in [
                &["--rate", "200"][..],
                &["--arrivals", "closed", "--resp3", "-c", "2"],
            ] {
                let (run, _) = ground.measured(workload, engine, loops);
                assert_adds_up(&run, engine);
                let delivery = delivery(&run, name);
                assert_eq!(count(&delivery["expected"]), 8 * count(&delivery["sent"]));
                // Nothing promises delivery, but nothing here is in the way of it.
                assert_eq!(count(&delivery["lost"]), 0, "{engine} {workload}: {delivery}");
            }
        }
    }
}

#[test]
fn a_lock_never_has_two_holders() {
    for engine in engines(ENGINES) {
        let ground = Ground::new();
        // In the open loop several ask within the 2 ms for which a lock is held at least.
        for loops in [&["-r", "8"][..], &["-r", "8", "--rate", "2000"]] {
            let (run, done) = ground.measured("lock", engine, loops);
            assert_adds_up(&run, engine);
            let attempts = &command(&run, "acquire")["replies"];
            let holds = &run["holds"];
            assert_eq!(count(&holds["taken"]), count(&attempts["acquired"]), "{holds}");
            assert!(count(&attempts["busy"]) > 0, "somebody has waited: {attempts}");
            assert_eq!(
                count(&holds["taken"]),
                count(&holds["released"]) + count(&holds["unreleased"])
            );
            assert_eq!(count(&command(&run, "release")["ops"]), count(&holds["released"]));
            assert_eq!(count(&holds["overlaps"]), 0, "{holds}");
            let shortest = holds["held_us"]["min"].as_f64().expect("a time");
            assert!(shortest >= 2000.0, "held for 2 ms at least: {holds}");
            assert!(done.out.contains("no key had two holders"), "{done:?}");
        }
    }
}

#[test]
fn a_broken_lock_is_found_out() {
    for engine in engines(ENGINES) {
        let ground = Ground::new();
        let file = ground.changed("lock", &[(", \"NX\"", "")]);
        let mut args = vec!["--workload", &file, "--engine", engine, "-r", "8"];
        args.extend(SMALL);
        let done = ground.run(&args);
        assert_eq!(done.code, Some(4), "{done:?}");
        assert!(done.err.contains("another certainly held"), "{done:?}");
        let run = ground.engine();
        assert!(count(&run["holds"]["overlaps"]) > 0, "{}", run["holds"]);
    }
}

#[test]
fn a_cache_has_the_published_sizes() {
    for engine in engines(ENGINES) {
        let ground = Ground::new();
        for loops in [&["-r", "2k"][..], &["-r", "2k", "--rate", "2k"]] {
            let (run, _) = ground.measured("etc", engine, loops);
            assert_adds_up(&run, engine);
            let replies = &command(&run, "GET")["replies"];
            assert!(
                count(&replies["hit"]) > count(&replies["miss"]),
                "{engine}: {replies}"
            );
            assert_eq!(count(&run["misses"]), count(&replies["miss"]));
        }
    }
}

#[test]
fn two_engines_are_compared_and_a_running_target_is_taken_as_it_is() {
    if !has_redis() {
        return;
    }
    let ground = Ground::new();
    let (_, done) = ground.measured("queue", "slotmark", &["--compare", "redis", "--rounds", "2"]);
    assert!(done.out.contains("ratio = slotmark / redis"), "{done:?}");
    assert_eq!(done.out.matches("audit: ").count(), 2, "{done:?}");

    let clusters = ground.dir.path().join("clusters");
    let cluster = |args: &[&str]| {
        let mut command = loadgen();
        command
            .arg("cluster")
            .args(args)
            .env("SLOTMARK_CLUSTERS", &clusters);
        Finished::from(command.output().expect("loadgen starts"))
    };
    let up = cluster(&["up", "--engine", "redis", "--port", "0", "--nodes", "2"]);
    let port = up
        .out
        .split("port ")
        .nth(1)
        .and_then(|rest| rest.split([',', ';']).next());
    let target = format!("127.0.0.1:{}", port.expect("up names its ports").trim());
    let results = ["lock", "queue", "pubsub-fanout-sharded"].map(|workload| {
        let ground = Ground::new();
        let mut args = vec!["--workload", workload, "--target", &target];
        args.extend(&SMALL[..6]);
        (workload, ground.run(&args))
    });
    let down = cluster(&["down", "--all"]);
    assert_eq!(down.code, Some(0), "{down:?}");
    for (workload, done) in results {
        assert_eq!(done.code, Some(0), "{workload}: {done:?}");
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    for (args, text) in [
        (
            ["--workload", "lock", "--wait", "1"],
            "--wait takes the place of replies",
        ),
        (
            ["--workload", "queue", "--audit", "--quiet"],
            "--audit follows writes by plain SET",
        ),
        (
            ["--workload", "session-cache", "--audit", "--quiet"],
            "--audit follows writes by plain SET",
        ),
    ] {
        let done = run(&args);
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(done.err.contains(text), "{done:?}");
    }
}

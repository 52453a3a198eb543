//! The command line of a run: exit codes, where output goes, and that nothing is left behind, however it ends.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Finished, Ground, eventually, has_redis, loadgen, processes_in, run, wait};
use loadgen::driver::admin::{Admin, field};
use loadgen::load::HostPort;
use serde_json::Value;
use tempfile::TempDir;

/// Small and short, for a machine that does other things too.
const SMALL: [&str; 8] = ["-r", "2k", "-c", "4", "--warmup", "50ms", "--duration", "400ms"];

impl Ground {
    /// Starts a long run and waits until its load has reached the nodes.
    fn under_load(&self, args: &[&str]) -> UnderLoad {
        let mut command = self.command(args);
        command.args(["--duration", "10m", "--warmup", "0s", "-r", "2k", "-c", "4"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("loadgen starts");
        let stderr = child.stderr.take().expect("piped");
        let mut lines = BufReader::new(stderr).lines();
        let said = lines
            .by_ref()
            .map(|l| l.expect("UTF-8"))
            .find(|l| l.starts_with("measuring"));
        assert!(said.is_some(), "it never began to measure");
        // What is said later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let under_load = UnderLoad { child };
        eventually("the load reaches a node", || self.operations_of_a_node() > 20_000);
        under_load
    }

    /// Commands that one of the nodes has processed.
    fn operations_of_a_node(&self) -> u64 {
        let Some(port) = find_node(&self.tmp()) else {
            return 0;
        };
        let ask = || -> Option<u64> {
            let mut admin =
                Admin::connect(&HostPort::new("127.0.0.1", port), None, Duration::from_secs(5)).ok()?;
            field(&admin.text(&["INFO", "stats"]).ok()?, "total_commands_processed")?
                .parse()
                .ok()
        };
        ask().unwrap_or(0)
    }
}

/// A run that is ended with the test.
struct UnderLoad {
    child: Child,
}

impl UnderLoad {
    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .expect("kill runs")
                .success()
        );
    }
}

impl Drop for UnderLoad {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port of a node whose files are somewhere below `dir`.
fn find_node(dir: &Path) -> Option<u16> {
    for entry in std::fs::read_dir(dir).ok()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(port) = name.strip_prefix("node-") {
            return port.parse().ok();
        }
        if let Some(port) = entry
            .file_type()
            .ok()
            .filter(|t| t.is_dir())
            .and_then(|_| find_node(&entry.path()))
        {
            return Some(port);
        }
    }
    None
}

fn runs_end_to_end(engine: &str) {
    let ground = Ground::new();
    let mut args = vec!["--workload", "hotslot", "--engine", engine, "--json", "-"];
    args.extend(SMALL);
    let done = ground.run(&args);
    assert_eq!(done.code, Some(0), "{done:?}");
    let report: Value = serde_json::from_str(&done.out).expect("stdout holds run.json and nothing else");
    assert_eq!(report, ground.report());
    assert_eq!(report["ended"]["state"], "completed");
    let run = &report["engines"][0];
    assert_eq!(run["engine"], engine);
    assert!(run["ops"].as_u64().expect("a count") > 100, "{run}");
    assert!(
        run["server"]["cpu_ns_per_op"]
            .as_f64()
            .expect("our own nodes can be seen")
            > 0.0
    );
    assert_eq!(run["nodes"].as_array().expect("nodes").len(), 3);
    assert!(done.err.contains("p99"), "the text goes to stderr: {done:?}");
    for file in ["summary.csv", "intervals.csv", "report.html"] {
        assert!(ground.results().join(file).is_file(), "{file}");
    }
    assert!(ground.is_clean());

    std::fs::remove_file(ground.results().join("summary.csv")).expect("removed");
    let folder = ground.results();
    let again = common::run(&["report", folder.to_str().expect("UTF-8")]);
    assert_eq!(
        (again.code, again.out.contains("p99")),
        (Some(0), true),
        "{again:?}"
    );
    assert!(ground.results().join("summary.csv").is_file(), "drawn again");
}

#[test]
fn a_failed_check_has_an_exit_code_of_its_own() {
    let ground = Ground::new();
    let file = ground.dir.path().join("strict.toml");
    let text = run(&["workloads", "hotslot"])
        .out
        .replace("hot_share_points = 1.0", "hot_share_points = 0.0000001");
    std::fs::write(&file, text).expect("written");
    let mut args = vec!["--workload", file.to_str().expect("UTF-8"), "--standalone"];
    args.extend(SMALL);
    let failed = ground.run(&args);
    assert_eq!(failed.code, Some(3), "{failed:?}");
    assert!(
        failed.err.contains("check failed") && failed.err.contains("slot 7777"),
        "{failed:?}"
    );
    assert_eq!(ground.report()["ended"]["state"], "completed");
}

#[test]
fn a_run_on_redis_reports_and_leaves_nothing() {
    if has_redis() {
        runs_end_to_end("redis");
    }
}

#[test]
fn a_run_on_the_embedded_node_reports_and_leaves_nothing() {
    runs_end_to_end("slotmark");
}

#[test]
fn established_clients_are_timed_before_and_in_a_storm() {
    let ground = Ground::new();
    let mut args = vec!["--workload", "reconnect-storm", "--standalone", "--rate", "500"];
    args.extend(["-r", "2k", "-c", "4", "--warmup", "50ms", "--duration", "1s"]);
    let done = ground.run(&args);
    assert_eq!(done.code, Some(0), "{done:?}");
    let report = ground.report();
    let beside = &report["engines"][0]["beside"];
    let storm = &beside["storm"];
    let count = |value: &Value| value.as_u64().expect("a count");
    assert!(count(&storm["answered"]) > 50, "{storm}");
    assert_eq!(storm["failed"], serde_json::json!({}), "{storm}");
    assert!(
        storm["connect_us"]["p99"].as_f64().expect("a time") > 0.0,
        "{storm}"
    );
    let group = &beside["groups"][0];
    for part in ["calm", "company"] {
        assert!(count(&group[part]["ops"]) > 100, "{group}");
    }
    assert!(done.out.contains("established clients, storm"), "{done:?}");
    let page = std::fs::read_to_string(ground.results().join("report.html")).expect("a page");
    assert!(page.contains("established clients: p99"));
    assert!(ground.is_clean());
}

#[test]
fn a_neighbour_is_seen_from_its_slot_its_node_and_the_others() {
    let mut engines = vec![("slotmark", "string")];
    if has_redis() {
        engines.push(("redis", "hash"));
    }
    for (engine, kind) in engines {
        let ground = Ground::new();
        let file = ground.dir.path().join("noisy.toml");
        let text = run(&["workloads", "noisy-neighbor"]).out;
        let text = match kind {
            "hash" => text
                .replace("kind = \"string\"", "kind = \"hash\"")
                .replace("size = 10_000_000 ", "elements = 1200 "),
            _ => text.replace("size = 10_000_000 ", "size = 200_000 "),
        };
        std::fs::write(&file, text).expect("written");
        let mut args = vec![
            "--workload",
            file.to_str().expect("UTF-8"),
            "--engine",
            engine,
            "--rate",
            "500",
        ];
        args.extend([
            "-r",
            "2k",
            "-c",
            "2",
            "--nodes",
            "2",
            "--warmup",
            "50ms",
            "--duration",
            "1s",
        ]);
        let done = ground.run(&args);
        assert_eq!(done.code, Some(0), "{done:?}");
        let report = ground.report();
        let beside = &report["engines"][0]["beside"];
        let neighbor = &beside["neighbor"];
        let commands = neighbor["commands"].as_u64().expect("a count");
        assert!(
            commands > 5 && neighbor["failed"] == serde_json::json!({}),
            "{engine}: {neighbor}"
        );
        let least = if kind == "hash" { 1200 * 2 * 16 } else { 200_000 };
        assert!(
            neighbor["bytes"].as_u64().expect("a count") >= commands * least,
            "{engine}: {neighbor}"
        );
        let groups = beside["groups"].as_array().expect("groups");
        let names: Vec<&str> = groups
            .iter()
            .filter_map(|group| group["group"].as_str())
            .collect();
        assert_eq!(names, ["all", "same_slot", "same_node", "other_nodes"]);
        let ops = |group: usize, part: &str| groups[group][part]["ops"].as_u64().expect("a count");
        for part in ["calm", "company"] {
            assert_eq!(
                ops(0, part),
                ops(1, part) + ops(2, part) + ops(3, part),
                "{engine}: {beside}"
            );
            assert!(ops(1, part) > 20, "{engine}: {beside}");
        }
        assert!(ground.is_clean());
    }
}

/// Whether the machine is quiet enough to confirm a rate is not ours to decide: the answer and the exit code must agree.
#[test]
fn the_highest_rate_that_holds_is_found() {
    let ground = Ground::new();
    let mut args = vec![
        "find-max",
        "--slo",
        "p99<100ms",
        "--slo",
        "errors<0.1%",
        "--resolution",
        "30%",
    ];
    args.extend([
        "--standalone",
        "-r",
        "2k",
        "-c",
        "4",
        "--warmup",
        "50ms",
        "--duration",
        "300ms",
    ]);
    let done = ground.run(&args);
    let report = ground.report();
    let search = &report["find_max"];
    assert_eq!(
        search["objectives"],
        serde_json::json!(["p99<100ms", "errors<0.1%"])
    );
    let found = &search["engines"][0];
    let confirmed = found["confirmed"].as_bool().expect("yes or no");
    assert_eq!(done.code, Some(if confirmed { 0 } else { 3 }), "{done:?}");
    let answer = found["answer"].as_u64().expect("a node carries something");
    let trials = found["trials"].as_array().expect("trials");
    assert!(
        trials.iter().any(|t| t["rate"] == answer && t["holds"] == true),
        "{found}"
    );
    for trial in trials {
        let step = serde_json::json!({ "parameter": "rate", "value": trial["rate"] });
        let entry = report["engines"]
            .as_array()
            .expect("engines")
            .iter()
            .find(|e| e["step"] == step);
        let entry = entry.unwrap_or_else(|| panic!("no entry for {trial}"));
        assert!(
            entry["open_loop"]["scheduled"].as_u64().expect("a count") > 0,
            "{trial}"
        );
    }
    assert!(done.out.contains("operations a second"), "{done:?}");
    assert!(ground.results().join("plots/sweep.svg").is_file());
    assert!(ground.is_clean());
}

#[test]
fn an_objective_that_cannot_be_read_is_pointed_at() {
    for (args, expected) in [
        (&["find-max", "--slo", "p98<1ms"][..], "  p98<1ms\n  ^^^\n"),
        (&["find-max"][..], "--slo <OBJECTIVE>"),
        (
            &["find-max", "--slo", "p99<1ms", "--rate", "5"][..],
            "looks for the rate itself",
        ),
        (
            &["find-max", "--slo", "p99<1ms", "-n", "5"][..],
            "--duration is the length of each trial",
        ),
        (
            &["find-max", "--slo", "p99<1ms", "--arrivals", "closed"][..],
            "a closed loop has no rate",
        ),
        (
            &["find-max", "--slo", "p99<1ms", "--resolution", "0"][..],
            "from 0.5% to 50%",
        ),
        (
            &["find-max", "--slo", "p99<1ms", "-w", "pipeline-sweep"][..],
            "choose one with --pipeline",
        ),
    ] {
        let refused = run(args);
        assert_eq!(refused.code, Some(2), "{args:?} {refused:?}");
        assert!(refused.err.contains(expected), "{args:?} {refused:?}");
    }
}

#[test]
fn engines_are_compared_in_turns() {
    if !has_redis() {
        return;
    }
    let ground = Ground::new();
    let mut args = vec![
        "--engine",
        "redis",
        "--compare",
        "redis",
        "--rounds",
        "2",
        "--nodes",
        "1",
        "--csv",
        "-",
        "--fail-if",
        "throughput<-99.9%",
    ];
    args.extend(SMALL);
    let done = ground.run(&args);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        done.err.contains("check passed: throughput<-99.9%: redis 7.0"),
        "{done:?}"
    );
    assert!(
        done.out.starts_with("\"test\"") || done.out.starts_with("test,"),
        "{done:?}"
    );
    let report = ground.report();
    let names: Vec<&str> = report["engines"]
        .as_array()
        .expect("two")
        .iter()
        .filter_map(|e| e["engine"].as_str())
        .collect();
    assert_eq!(names, ["redis", "redis-2"]);
    let rounds: Vec<u64> = (0..2)
        .flat_map(|e| report["engines"][e]["rounds"].as_array().expect("rounds").clone())
        .map(|r| r["started_unix_ms"].as_u64().expect("a time"))
        .collect();
    let [a0, a1, b0, b1] = rounds[..] else {
        panic!("{rounds:?}")
    };
    assert!(a0 < b0 && b0 < b1 && b1 < a1, "A B B A: {rounds:?}");
    assert_eq!(
        report["comparisons"][0]["metrics"]
            .as_array()
            .expect("metrics")
            .len(),
        4
    );
    assert!(ground.is_clean());
}

#[test]
fn a_server_that_runs_already_is_found_by_host_and_port() {
    if !has_redis() {
        return;
    }
    let ground = Ground::new();
    let clusters = tempfile::tempdir().expect("a temporary directory");
    let cluster = |args: &[&str]| {
        let mut command = loadgen();
        command
            .arg("cluster")
            .args(args)
            .env("SLOTMARK_CLUSTERS", clusters.path());
        Finished::from(command.output().expect("loadgen starts"))
    };
    let up = cluster(&[
        "up",
        "--engine",
        "redis",
        "--standalone",
        "--port",
        "0",
        "--node-arg",
        "requirepass sesame",
    ]);
    assert_eq!(up.code, Some(0), "{up:?}");
    let status = cluster(&["status"]);
    let rest = up.out.split("-p ").nth(1).expect("up says how to reach it");
    let port = rest.split_whitespace().next().expect("a port");

    let common = [
        "-p", port, "-n", "1k", "-c", "2", "-r", "500", "--warmup", "0s", "-q", "--seed", "7",
    ];
    let refused = ground.run(&common);
    let done = ground.run(&[&common[..], &["-a", "sesame"]].concat());
    let down = cluster(&["down"]);
    assert_eq!(
        (status.code, down.code),
        (Some(0), Some(0)),
        "{status:?} {down:?}"
    );
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.err.contains("NOAUTH") && refused.err.contains("give --pass"),
        "{refused:?}"
    );
    assert_eq!(
        (done.code, done.err.as_str()),
        (Some(0), ""),
        "--quiet says nothing on stderr"
    );
    assert!(done.out.contains("p99"), "{done:?}");
    let report = ground.report();
    assert_eq!(
        (&report["engines"][0]["ops"], &report["workload"]["seed"]),
        (&1000.into(), &7.into())
    );
    assert!(
        !report.to_string().contains("sesame"),
        "the password is in the report"
    );
    assert_eq!(report["settings"]["cluster"], false);
    assert!(ground.is_clean());
}

#[test]
fn an_interrupted_run_reports_what_it_has() {
    if !has_redis() {
        return;
    }
    for signal in ["-INT", "-TERM"] {
        let ground = Ground::new();
        let mut running = ground.under_load(&["--engine", "redis"]);
        running.signal(signal);
        assert_eq!(wait(&mut running.child).code(), Some(130));
        let report = ground.report();
        assert_eq!(report["ended"]["state"], "interrupted");
        assert!(report["engines"][0]["ops"].as_u64().expect("a count") > 0);
        assert!(ground.is_clean());
    }
}

#[test]
fn a_killed_node_ends_the_run_with_a_partial_report() {
    if !has_redis() {
        return;
    }
    let ground = Ground::new();
    let mut running = ground.under_load(&["--engine", "redis", "--nodes", "1"]);
    let nodes: Vec<u32> = processes_in(&ground.tmp())
        .into_iter()
        .filter(|pid| is_program(*pid, "redis-server"))
        .collect();
    assert_eq!(nodes.len(), 1);
    assert!(
        Command::new("kill")
            .args(["-9", &nodes[0].to_string()])
            .status()
            .expect("kill runs")
            .success()
    );
    assert_eq!(wait(&mut running.child).code(), Some(1));
    let report = ground.report();
    assert_eq!(report["ended"]["state"], "target_lost");
    assert!(report["engines"][0]["ops"].as_u64().expect("a count") > 0);
    assert!(ground.is_clean());
}

#[cfg(target_os = "linux")]
#[test]
fn even_a_killed_loadgen_leaves_nothing() {
    if !has_redis() {
        return;
    }
    let ground = Ground::new();
    let running = ground.under_load(&["--engine", "redis"]);
    running.signal("-KILL");
    eventually("nodes and files are gone", || ground.is_clean());
}

#[test]
fn an_unreachable_target_is_said_to_be_one() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port().to_string();
    drop(listener);
    let ground = Ground::new();
    let refused = ground.run(&["-p", &port]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.err.contains(&format!("127.0.0.1:{port}")) && refused.err.contains("refused"),
        "{refused:?}"
    );
    assert!(!ground.results().exists(), "there is nothing to report");
}

#[test]
fn usage_errors_say_what_to_do() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let broken = dir.path().join("broken.toml");
    std::fs::write(
        &broken,
        "question = \"?\"\nexpectation = \"!\"\n[keyspace]\nkeyz = 5\n",
    )
    .expect("written");
    let broken = broken.to_str().expect("UTF-8");
    for (args, text) in [
        (&["--workload", "hotslt"][..], "did you mean hotslot?"),
        (&["--workload", broken], "keyz"),
        (&["--workload", "/nowhere.toml"], "/nowhere.toml"),
        (&["--engine", "memcached"], "choose slotmark, redis, valkey"),
        (&["--duration", "soon"], "write 30s, 500ms"),
        (&["--duration", "1s", "-n", "5"], "cannot be used with"),
        (&["-c", "0"], "at least 1"),
        (&["--pass", "x"], "are for a target that runs already"),
        (
            &["--target", "localhost:1", "--compare", "redis"],
            "cannot be used with",
        ),
        (&["--json", "-", "--csv", "-"], "cannot both have stdout"),
        (&["--fail-if-worse", "any"], "--compare"),
        (&["--fail-if", "p99>+5%"], "--compare ENGINE"),
        (&["--fail-if", "p99>>5%"], "p99>>5%\n      ^"),
        (
            &["compare", "a", "b", "--fail-if", "speed<1"],
            "expected one of throughput",
        ),
        (&["compare", "a"], "the baseline first"),
        (&["compare", "/nowhere", "/nowhere"], "/nowhere"),
        (&["merge", "a"], "2 values required"),
        (&["workloads", "nope"], "no such workload"),
        (&["report", "/nowhere"], "there is no run.json"),
        (&["--frobnicate"], "unexpected argument"),
    ] {
        let refused = run(args);
        assert_eq!(refused.code, Some(2), "{args:?}: {refused:?}");
        assert!(refused.err.contains(text), "{args:?}: {refused:?}");
        assert_eq!(refused.out, "", "{args:?}");
    }
}

#[test]
fn results_that_cannot_be_written_are_refused_before_the_run() {
    for (args, text) in [
        (
            &["--output", "/proc/nowhere"][..],
            "choose a folder with --output",
        ),
        (&["--json", "/nowhere/at/all.json"], "there is no folder"),
        (&["--output", "/etc/passwd"], "is not a folder"),
    ] {
        let refused = run(args);
        assert_eq!(refused.code, Some(1), "{args:?}: {refused:?}");
        assert!(refused.err.contains(text), "{args:?}: {refused:?}");
        assert!(!refused.err.contains("starting"), "{args:?}: {refused:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    for args in [&["workloads"][..], &["--help"], &["completions", "zsh"]] {
        let mut child = loadgen()
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        drop(child.stdout.take());
        let mut said = String::new();
        child
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut said)
            .expect("UTF-8");
        assert_eq!(
            (wait(&mut child).code(), said.as_str()),
            (Some(0), ""),
            "{args:?}"
        );
    }
}

#[test]
fn help_workloads_and_completions_print() {
    assert!(run(&["--help"]).out.contains("-h, --host"));
    assert!(run(&["workloads"]).out.contains("hotslot"));
    assert_eq!(
        run(&["workloads", "zipf"]).out,
        include_str!("../../workloads/zipf.toml")
    );
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).out.contains("loadgen"), "{shell}");
    }
}

/// A node that is up for a test, and is ended with it.
struct Up {
    clusters: TempDir,
    port: String,
}

impl Up {
    fn new() -> Self {
        let clusters = tempfile::tempdir().expect("a temporary directory");
        let up = Self::cluster(&clusters, &["up", "--nodes", "1", "--port", "0"]);
        assert_eq!(up.code, Some(0), "{up:?}");
        let rest = up.out.split("-p ").nth(1).expect("up says how to reach it");
        let port = rest.split_whitespace().next().expect("a port").to_owned();
        Self { clusters, port }
    }

    fn cluster(clusters: &TempDir, args: &[&str]) -> Finished {
        let mut command = loadgen();
        command
            .arg("cluster")
            .args(args)
            .env("SLOTMARK_CLUSTERS", clusters.path());
        Finished::from(command.output().expect("loadgen starts"))
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        Self::cluster(&self.clusters, &["down"]);
    }
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("UTF-8").to_owned()
}

fn json_of(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).expect("readable")).expect("JSON")
}

#[test]
fn two_generators_are_added_up() {
    let up = Up::new();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let [a, b, sum, log_sum] = ["a", "b", "sum", "log-sum"].map(|name| path(dir.path(), name));
    let generator = |seed: &str, output: &str| {
        let mut command = loadgen();
        command.args([
            "-p",
            &up.port,
            "--seed",
            seed,
            "--output",
            output,
            "-q",
            "--no-preload",
        ]);
        command.args([
            "-r",
            "2k",
            "-c",
            "4",
            "--warmup",
            "50ms",
            "--duration",
            "1s",
            "--rounds",
            "2",
        ]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("loadgen starts")
    };
    let mut running = [generator("1", &a), generator("2", &b)];
    for child in &mut running {
        assert_eq!(wait(child).code(), Some(0));
    }
    let done = run(&[
        "merge",
        &a,
        &format!("{b}/run.json"),
        "--output",
        &sum,
        "--json",
        "-",
    ]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("added up from 2 generators"), "{done:?}");
    let merged: Value = serde_json::from_str(&done.out).expect("stdout holds run.json and nothing else");
    assert_eq!(merged, json_of(&format!("{sum}/run.json")));
    let parts = [&a, &b].map(|folder| json_of(&format!("{folder}/run.json")));
    for field in ["ops", "bytes_in", "bytes_out", "misses", "retries", "reconnects"] {
        let counts = parts
            .each_ref()
            .map(|r| r["engines"][0][field].as_u64().expect("a count"));
        assert_eq!(merged["engines"][0][field], counts[0] + counts[1], "{field}");
    }
    let total = merged["engines"][0]["ops"].as_u64().expect("a count");
    let in_intervals = merged["engines"][0]["intervals"].as_array().expect("rows");
    assert_eq!(
        in_intervals.iter().filter_map(|i| i["ops"].as_u64()).sum::<u64>(),
        total
    );
    assert_eq!(merged["merged"]["generators"].as_array().expect("two").len(), 2);
    for file in ["summary.csv", "report.html", "slotmark.hlog"] {
        assert!(Path::new(&sum).join(file).is_file(), "{file}");
    }
    assert_eq!(run(&["report", &sum]).code, Some(0), "it can be drawn again");

    let logs = [&a, &b].map(|folder| format!("{folder}/slotmark.hlog"));
    let done = run(&["merge", &logs[0], &logs[1], "--output", &log_sum]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains("GET") && done.out.contains("p99.9"), "{done:?}");
    let log = loadgen::report::hlog::read(&Path::new(&log_sum).join("slotmark.hlog")).expect("readable");
    let untagged = log.lines.iter().filter(|l| l.tag.is_none());
    assert_eq!(untagged.map(|l| l.latency.len()).sum::<u64>(), total);

    let damaged = path(dir.path(), "damaged.hlog");
    let text = std::fs::read_to_string(&logs[0]).expect("readable");
    std::fs::write(&damaged, format!("{text}what is this\n")).expect("written");
    let line = format!("line {}", text.lines().count() + 1);
    let own = |name: &str| path(dir.path(), name);
    for (args, text) in [
        (vec![&a, &a], "given twice"),
        (vec![&a, &logs[1]], "cannot be added up with each other"),
        (vec![&logs[0], &damaged], line.as_str()),
        (vec![&a, &own("nowhere")], "nowhere"),
    ] {
        let args: Vec<&str> = std::iter::once("merge")
            .chain(args.into_iter().map(String::as_str))
            .collect();
        let refused = run(&args);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(text), "{refused:?}");
    }
    let refused = run(&["merge", &a, &b, "--output", &a]);
    assert!(
        refused.code == Some(2) && refused.err.contains("choose another folder"),
        "{refused:?}"
    );
}

/// Bounds that no neighbour on a test machine moves, for what must pass; a broken run.json, for what must fail.
#[test]
fn finished_runs_are_compared_and_gated() {
    let up = Up::new();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let [a, b, slow] = ["a", "b", "slow"].map(|name| path(dir.path(), name));
    for output in [&a, &b] {
        let mut args = vec![
            "-p",
            &up.port,
            "--output",
            output,
            "-q",
            "--rounds",
            "6",
            "--fail-if",
            "errors>0",
        ];
        args.extend([
            "-r",
            "2k",
            "-c",
            "4",
            "--warmup",
            "60ms",
            "--duration",
            "1200ms",
            "--fail-if",
            "p99<1us",
        ]);
        assert_eq!(run(&args).code, Some(0), "absolute conditions hold for one run");
    }
    let args = [
        "-p",
        &up.port,
        "--output",
        &slow,
        "-n",
        "200",
        "-r",
        "2k",
        "-q",
        "--fail-if",
        "p99>0us",
    ];
    let failed = run(&args);
    assert_eq!(failed.code, Some(3), "{failed:?}");
    assert!(
        failed.err.contains("check failed: p99>0us: slotmark"),
        "{failed:?}"
    );
    let lenient = [
        "--fail-if",
        "throughput<-80%",
        "--fail-if",
        "p50>+500%",
        "--fail-if",
        "errors>0",
    ];
    let passed = run(&[&["compare", &a, &b][..], &lenient].concat());
    assert_eq!(passed.code, Some(0), "{passed:?}");
    for part in [
        "stronger evidence",
        "95 % interval",
        "p99.9 latency",
        "passed    throughput<-80%",
    ] {
        assert!(passed.out.contains(part), "{part}: {passed:?}");
    }

    // Nine of ten operations lost in every round.
    let mut report = json_of(&format!("{b}/run.json"));
    let rounds = report["engines"][0]["rounds"].as_array_mut().expect("rounds");
    for round in rounds {
        round["ops_per_sec"] = (round["ops_per_sec"].as_f64().expect("a rate") / 10.0).into();
    }
    std::fs::write(format!("{slow}/run.json"), report.to_string()).expect("written");
    let failed = run(&[&["compare", &a, &slow, "--json", "-"][..], &lenient].concat());
    assert_eq!(failed.code, Some(3), "{failed:?}");
    let judged: Value = serde_json::from_str(&failed.out).expect("stdout holds JSON and nothing else");
    assert_eq!(judged["conditions"][0]["judgement"], "failed");
    assert_eq!(judged["conditions"][1]["judgement"], "passed");
    assert_eq!(judged["steps"][0]["metrics"][0]["verdict"], "worse");
    assert!(failed.err.contains("failed    throughput<-80%"), "{failed:?}");

    let baseline = path(dir.path(), "baseline.toml");
    std::fs::write(
        &baseline,
        "run = \"a/run.json\"\nfail_if = [\"throughput<-80%\"]\n",
    )
    .expect("written");
    assert_eq!(run(&["compare", "--baseline", &baseline, &b]).code, Some(0));
    assert_eq!(run(&["compare", "--baseline", &baseline, &slow]).code, Some(3));
    report["environment"]["cores"] = 1234.into();
    std::fs::write(format!("{slow}/run.json"), report.to_string()).expect("written");
    let refused = run(&["compare", "--baseline", &baseline, &slow]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("1234 cores"), "{refused:?}");
}

fn is_program(pid: u32, name: &str) -> bool {
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.starts_with(comm.trim()) && !comm.trim().is_empty()
}

/// A server that is no cluster and answers every GET after so long.
fn server_with_delay(delay: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer_after(stream, delay));
        }
    });
    port
}

fn answer_after(mut stream: TcpStream, delay: Duration) -> std::io::Result<()> {
    let mut chunk = [0; 4096];
    loop {
        let got = stream.read(&mut chunk)?;
        if got == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&chunk[..got]).into_owned();
        for word in text.split("\r\n") {
            let reply: &[u8] = match word {
                "CLUSTER" => b"-ERR This instance has cluster support disabled\r\n",
                "PING" => b"+PONG\r\n",
                "INFO" => b"$22\r\nredis_version:7.0.15\r\n\r\n",
                "GET" => {
                    std::thread::sleep(delay);
                    b"$1\r\nx\r\n"
                }
                _ => continue,
            };
            stream.write_all(reply)?;
        }
    }
}

/// A tenth is little enough to be overlooked in a table, and much for a release.
#[test]
fn a_delay_of_a_tenth_fails_the_gate() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let [before, after] = ["before", "after"].map(|name| path(dir.path(), name));
    for (delay_us, folder) in [(20_000, &before), (22_000, &after)] {
        let port = server_with_delay(Duration::from_micros(delay_us)).to_string();
        let finished = run(&[
            "-p",
            &port,
            "--no-preload",
            "--ratio",
            "0:1",
            "-c",
            "4",
            "-r",
            "2k",
            "--rounds",
            "6",
            "--duration",
            "3s",
            "--warmup",
            "100ms",
            "-q",
            "-o",
            folder,
        ]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
    let gate = run(&["compare", &before, &after, "--fail-if", "p50>+5%"]);
    assert_eq!(gate.code, Some(3), "{gate:?}");
    assert!(gate.out.contains("p50>+5%"), "{gate:?}");
    let same = run(&["compare", &before, &before, "--fail-if", "p50>+5%"]);
    assert_eq!(same.code, Some(0), "{same:?}");
}

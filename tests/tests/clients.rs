//! Programs that people use, against a cluster that `loadgen cluster up` has started.

use std::path::Path;
use std::process::Command;

use e2e::{Cluster, have, python_with_redis, skip};

const LOADGEN: &str = env!("CARGO_BIN_EXE_e2e-loadgen");

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a program; its stdout if it succeeds.
fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = show(&output.stdout);
    assert!(
        output.status.success(),
        "{program} {args:?}: {text}{}",
        show(&output.stderr)
    );
    text
}

#[test]
fn redis_cli_follows_redirects_and_finds_the_cluster_sound() {
    if !have("redis-cli") {
        return skip("redis-cli is not on PATH (Debian: apt-get install redis-tools)");
    }
    let cluster = Cluster::up(LOADGEN);
    let port = cluster.ports[0].to_string();
    for i in 0..30 {
        let key = format!("key:{i}");
        assert_eq!(
            run("redis-cli", &["-c", "-p", &port, "set", &key, "v"]).trim(),
            "OK"
        );
        assert_eq!(run("redis-cli", &["-c", "-p", &port, "get", &key]).trim(), "v");
    }
    let check = run("redis-cli", &["--cluster", "check", &format!("127.0.0.1:{port}")]);
    assert!(check.contains("[OK] All 16384 slots covered."), "{check}");
    assert!(
        check.contains("[OK] All nodes agree about slots configuration."),
        "{check}"
    );
    let info = run("redis-cli", &["-p", &port, "cluster", "info"]);
    assert!(
        info.contains("cluster_state:ok") && info.contains("cluster_size:3"),
        "{info}"
    );
    let call = run(
        "redis-cli",
        &["--cluster", "call", &format!("127.0.0.1:{port}"), "dbsize"],
    );
    let keys: u32 = call
        .lines()
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u32>().ok())
        .sum();
    assert_eq!(keys, 30, "{call}");
}

#[test]
fn redis_benchmark_runs_in_cluster_mode() {
    if !have("redis-benchmark") {
        return skip("redis-benchmark is not on PATH (Debian: apt-get install redis-tools)");
    }
    let cluster = Cluster::up(LOADGEN);
    let port = cluster.ports[0].to_string();
    let args = [
        "-p",
        &port,
        "--cluster",
        "-t",
        "set,get,mset",
        "-n",
        "6000",
        "-P",
        "16",
        "-c",
        "12",
        "--csv",
        "-r",
        "1000",
    ];
    let csv = run("redis-benchmark", &args);
    for test in ["\"SET\"", "\"GET\""] {
        let line = csv
            .lines()
            .find(|line| line.starts_with(test))
            .unwrap_or_else(|| panic!("no {test} in {csv}"));
        let rps: f64 = line
            .split(',')
            .nth(1)
            .expect("rps")
            .trim_matches('"')
            .parse()
            .expect("a number");
        assert!(rps > 0.0, "{line}");
    }
}

#[test]
fn redis_py_finds_its_way_in_both_protocols() {
    let Some(python) = python_with_redis() else { return };
    let cluster = Cluster::up(LOADGEN);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/redis_py.py");
    let script = script.to_str().expect("a path in UTF-8");
    for port in &cluster.ports {
        assert_eq!(run(&python, &[script, &port.to_string()]).trim(), "ok");
    }
}

#[test]
fn ioredis_hears_what_is_published() {
    let Some(modules) = std::env::var_os("SLOTMARK_NODE_MODULES") else {
        return skip("SLOTMARK_NODE_MODULES names no folder in which npm has installed ioredis");
    };
    let cluster = Cluster::up(LOADGEN);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/ioredis_pubsub.js");
    let output = Command::new("node")
        .env("NODE_PATH", modules)
        .arg(script)
        .arg(cluster.ports[0].to_string())
        .output()
        .expect("node starts");
    assert_eq!(show(&output.stdout).trim(), "ok", "{}", show(&output.stderr));
}

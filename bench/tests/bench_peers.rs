//! `loadgen bench-peers`: the tables of a small grid, and what it refuses.

mod common;

use common::{Ground, has_redis, run};
use serde_json::Value;

const SMALL: [&str; 12] = [
    "--keys",
    "2k",
    "-d",
    "64",
    "-c",
    "4",
    "--rounds",
    "2",
    "--duration",
    "150ms",
    "-P",
    "1,8",
];

#[test]
fn every_load_is_run_on_every_engine() {
    if !has_redis() {
        return;
    }
    let ground = Ground::new();
    let args = ["bench-peers", "--peer", "redis", "--load", "get,80:20,mget", "-q"];
    let done = ground.run(&[&args[..], &SMALL].concat());
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(ground.is_clean());
    let folder = ground.results();
    for heading in [
        "## 2,000 keys, values of 64 bytes\n",
        "## 2,000 keys, values of 64 bytes, 10 keys a hash tag\n",
    ] {
        assert!(done.out.contains(heading), "{}", done.out);
    }

    let text = std::fs::read_to_string(folder.join("peers.json")).expect("peers.json");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let data = report["data"].as_array().expect("sets of data");
    let loads: Vec<(String, u64)> = data
        .iter()
        .flat_map(|run| run["cells"].as_array().expect("cells"))
        .map(|cell| {
            (
                cell["mix"].as_str().unwrap_or_default().to_owned(),
                cell["pipeline"].as_u64().unwrap_or(0),
            )
        })
        .collect();
    let expected = [
        ("GET", 1),
        ("GET", 8),
        ("80:20", 1),
        ("80:20", 8),
        ("MGET of 10", 1),
        ("MGET of 10", 8),
    ];
    assert_eq!(loads, expected.map(|(mix, depth)| (mix.to_owned(), depth)));
    for run in data
        .iter()
        .flat_map(|run| run["cells"].as_array().expect("cells"))
        .flat_map(|cell| cell["runs"].as_array().expect("runs"))
    {
        assert!(run["ops"].as_u64() > Some(100), "{run}");
        assert!(run["ops_per_cpu_sec"].as_f64() > Some(1_000.0), "{run}");
        assert!(run["p50_us"].as_f64() <= run["p99_us"].as_f64(), "{run}");
    }
    for run in data {
        let memory = run["memory"].as_array().expect("memory");
        assert_eq!(memory.len(), 2);
        for engine in memory {
            // Key and value are 80 bytes, and no engine needs as much again for what is around them.
            let bytes = engine["used_bytes_a_key"].as_f64().expect("a figure");
            assert!((80.0..240.0).contains(&bytes), "{engine}");
        }
    }
    let rows = std::fs::read_to_string(folder.join("peers.csv")).expect("peers.csv");
    assert_eq!(rows.lines().count(), 1 + 6 * 2);
}

#[test]
fn what_cannot_be_run_is_refused() {
    for (args, words) in [
        (&["--load", "del"][..], "is no load"),
        (&["--load", "80:30"], "make 100 together"),
        (&["--server-core", "1", "--client-core", "1"], "are two of the"),
        (&["--client-core", "4096"], "are two of the"),
        (&["--peer", "memcached"], "no engine 'memcached'"),
        (&["--peer", "redis", "--keys", "10000m"], "take fewer --keys"),
    ] {
        let done = run(&[&["bench-peers", "--peer", "slotmark"], args].concat());
        assert!(
            done.code != Some(0) && done.err.contains(words),
            "{args:?}: {done:?}"
        );
    }
}

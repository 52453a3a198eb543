//! `loadgen bench-generators`, end to end: generators before one server, and what is written of it.

mod common;

use common::Ground;
use serde_json::Value;

/// Short and small: the figures mean nothing here, only that there are some.
const SMALL: [&str; 12] = [
    "-r",
    "500",
    "-c",
    "4",
    "-P",
    "16",
    "--load",
    "set",
    "--rounds",
    "2",
    "--duration",
    "300ms",
];

/// One core for the server and one for the generators. Without them a test is skipped, unless skips are forbidden.
fn has_two_cores() -> bool {
    let enough = std::thread::available_parallelism().is_ok_and(|cores| cores.get() >= 2);
    if !enough {
        assert!(
            std::env::var_os("SLOTMARK_FORBID_SKIPS").is_none(),
            "there is one core only, and SLOTMARK_FORBID_SKIPS is set"
        );
        eprintln!("skipped: there is one core only");
    }
    enough
}

#[test]
fn a_generator_is_compared_with_another() {
    if !has_two_cores() {
        return;
    }
    let ground = Ground::new();
    let other = env!("CARGO_BIN_EXE_loadgen");
    let mut args = vec!["bench-generators", "--generator", other, "--quiet"];
    args.extend(SMALL);
    let finished = ground.run(&args);
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    let text = std::fs::read_to_string(ground.results().join("generators.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let modes: Vec<&str> = report["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell["server_mode"].as_str().unwrap())
        .collect();
    assert_eq!(modes, ["standalone", "cluster"]);
    for cell in report["cells"].as_array().unwrap() {
        let runs = cell["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 2);
        for run in runs {
            let rounds = run["rounds"].as_array().unwrap();
            assert!(rounds.len() == 2 && rounds.iter().all(|round| round["ops"].as_u64() >= Some(40_000)));
            assert!(run["ops_per_cpu_sec"].as_f64() > Some(0.0) && run["ops_per_sec"].as_f64() > Some(0.0));
            assert!(run["ahead_by_cpu"]["ratio"].as_f64() > Some(0.0), "{run}");
        }
    }
    let markdown = std::fs::read_to_string(ground.results().join("generators.md")).unwrap();
    assert!(markdown.contains("| cluster, SET, pipeline 16 "), "{markdown}");
    let csv = std::fs::read_to_string(ground.results().join("generators.csv")).unwrap();
    assert_eq!(csv.lines().count(), 5, "{csv}");
    assert!(ground.is_clean(), "something was left behind");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let ground = Ground::new();
    for (args, code) in [
        (["--load", "mget"], 2),
        (["--mode", "sentinel"], 2),
        (["--client-core", "0"], 2),
        (["--generator", "/bin/true"], 1),
    ] {
        let finished = ground.run(&[&["bench-generators"], args.as_slice()].concat());
        assert_eq!(finished.code, Some(code), "{args:?}: {}", finished.err);
    }
}

//! What loadgen says it sent, against what the nodes say they received.

use std::process::Command;

use e2e::Cluster;
use slotcore::SLOT_COUNT;

const LOADGEN: &str = env!("CARGO_BIN_EXE_e2e-loadgen");

/// Operations of a run: a dozen for each slot.
const OPS: u64 = 200_000;

/// Bytes of `GET` with a key of 16 bytes on the wire.
const GET_BYTES: u64 = "*2\r\n$3\r\nGET\r\n$16\r\n0123456789abcdef\r\n".len() as u64;

/// Runs a workload of GETs against a cluster; the run's report, and operations by slot as the nodes counted them.
fn run(workload: &str) -> (serde_json::Value, Vec<u64>) {
    let cluster = Cluster::up(LOADGEN);
    for mut client in cluster.clients() {
        client.cmd(&["CONFIG", "RESETSTAT"]);
    }
    let folder = tempfile::TempDir::new().expect("a temporary directory");
    let output = Command::new(LOADGEN)
        .args([
            "--workload",
            workload,
            "--target",
            &format!("127.0.0.1:{}", cluster.ports[1]),
        ])
        .args([
            "--no-preload",
            "--ratio",
            "0:1",
            "--warmup",
            "0",
            "-P",
            "16",
            "--json",
            "-",
        ])
        .args(["-n", &OPS.to_string()])
        .arg("--output")
        .arg(folder.path())
        .output()
        .expect("loadgen starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
    let by_slot = cluster.request_bytes_by_slot();
    assert!(
        by_slot.iter().all(|bytes| bytes % GET_BYTES == 0),
        "only GETs were sent"
    );
    (report, by_slot.iter().map(|bytes| bytes / GET_BYTES).collect())
}

/// The report's own count by slot.
fn reported(report: &serde_json::Value) -> Vec<u64> {
    let mut ops = vec![0; SLOT_COUNT];
    for row in report["engines"][0]["slots"].as_array().expect("slots") {
        ops[row["slot"].as_u64().expect("a slot") as usize] = row["ops"].as_u64().expect("a count");
    }
    ops
}

#[test]
fn the_hot_slot_gets_its_share_as_the_nodes_count_it() {
    let (report, by_slot) = run("hotslot");
    assert_eq!(by_slot.iter().sum::<u64>(), OPS);
    assert_eq!(by_slot, reported(&report), "the nodes and loadgen count the same");
    let share = by_slot[7777] as f64 / OPS as f64;
    assert!((share - 0.25).abs() < 0.01, "the hot slot got {share}");
}

#[test]
fn uniform_traffic_is_uniform_over_slots_as_the_nodes_count_it() {
    let (report, by_slot) = run("uniform");
    assert_eq!(by_slot, reported(&report), "the nodes and loadgen count the same");
    let expected = OPS as f64 / SLOT_COUNT as f64;
    let chi_square: f64 = by_slot
        .iter()
        .map(|&ops| (ops as f64 - expected).powi(2) / expected)
        .sum();
    // With so many degrees of freedom the statistic is normal: mean 16383, standard deviation 181.
    let deviations = (chi_square - (SLOT_COUNT - 1) as f64) / (2.0 * (SLOT_COUNT - 1) as f64).sqrt();
    assert!(
        deviations.abs() < 5.0,
        "chi-square is {chi_square}, {deviations} standard deviations off"
    );
}

/// A cache with room for a part of the keys: what the report says of hits and evictions is what the node says.
#[test]
fn a_cache_that_is_too_small_has_a_hit_rate() {
    const READS: u64 = 40_000;
    let folder = tempfile::TempDir::new().expect("a temporary directory");
    let workload = folder.path().join("cache.toml");
    std::fs::write(
        &workload,
        "keyspace.keys = 30_000\nvalues.size = 1000\ntraffic.distribution = 'zipf'\nrun.clients = 4\n\
         [[mix]]\ncommand = 'GET'\nfill = true\n[[mix]]\ncommand = 'SET'\nweight = 0\n\
         [cluster]\nnodes = 1\nconfig = ['maxmemory 20mb', 'maxmemory-policy allkeys-lru']\n",
    )
    .expect("the folder is ours");
    let output = Command::new(LOADGEN)
        .args([
            "--standalone",
            "--warmup",
            "0",
            "--json",
            "-",
            "-n",
            &READS.to_string(),
            "--workload",
        ])
        .arg(&workload)
        .arg("--output")
        .arg(folder.path().join("run"))
        .output()
        .expect("loadgen starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
    let run = &report["engines"][0];
    let count = |value: &serde_json::Value| value.as_u64().unwrap_or_else(|| panic!("{value} is no count"));
    let (reads, hits) = (count(&run["cache"]["reads"]), count(&run["cache"]["hits"]));
    assert_eq!(reads, READS);
    let sets = run["commands"]
        .as_array()
        .expect("commands")
        .iter()
        .find(|c| c["name"] == "SET");
    assert_eq!(
        count(&sets.expect("a SET")["ops"]),
        reads - hits,
        "each miss is followed by a SET"
    );
    let rate = run["cache"]["hit_rate"].as_f64().expect("a rate");
    assert!((0.6..0.99).contains(&rate), "{rate}");
    // The cache is full: nearly every SET makes another key go.
    let evicted = count(&run["cache"]["evicted_keys"]);
    assert!(
        evicted > (reads - hits) * 8 / 10 && evicted < (reads - hits) * 13 / 10,
        "{evicted} evicted"
    );
    let summary = std::fs::read_to_string(folder.path().join("run/summary.csv")).expect("summary.csv");
    assert!(
        summary
            .lines()
            .next()
            .is_some_and(|head| head.ends_with("hit_rate,evicted_keys")),
        "{summary}"
    );
    let page = std::fs::read_to_string(folder.path().join("run/report.html")).expect("report.html");
    assert!(page.contains("hit rate"));
}

//! What the end-to-end tests share: servers that end with the test, a blocking client, polling with a deadline.
//!
//! A test that needs a tool which is not installed prints why it is skipped; with `SLOTMARK_FORBID_SKIPS` set, as
//! in CI, it fails instead.

pub mod bus_peer;
pub mod chance;
pub mod client;
pub mod cluster;
pub mod collections;
pub mod netns;
pub mod nodes;
pub mod process;
pub mod router;
pub mod sample;
pub mod server;

pub use client::Client;
pub use cluster::Cluster;
pub use nodes::{Kind, Node, Nodes};
pub use process::Process;
pub use router::Router;
pub use sample::Sample;
pub use server::{Server, have};

use std::time::{Duration, Instant};

/// Asks `probe` every few milliseconds until it answers; panics with `what` when `deadline` has passed.
pub fn wait_for<T>(what: &str, deadline: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(
            start.elapsed() < deadline,
            "waited {deadline:?} in vain for {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Says that a test cannot run here; fails it where skips are forbidden.
pub fn skip(why: &str) {
    assert!(
        std::env::var_os("SLOTMARK_FORBID_SKIPS").is_none(),
        "skips are forbidden, and {why}"
    );
    eprintln!("skipped: {why}");
}

/// A Python that has redis-py. `None`: there is none, and the test was told to skip.
pub fn python_with_redis() -> Option<String> {
    let python = std::env::var("SLOTMARK_PYTHON").unwrap_or_else(|_| "python3".into());
    let import = std::process::Command::new(&python)
        .args(["-c", "import redis.cluster"])
        .output();
    if import.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    skip("python3 has no module redis (pip install redis, or set SLOTMARK_PYTHON)");
    None
}

//! Whole clusters in simulated time, driven by a seed: many members, links that are late, stuck or cut, processes that
//! die, stop and come back, clocks that differ, administrators at bad moments. After every step it is checked that what
//! must never happen has not, and at the end that all agree. See simulation/ for the parts.
//!
//! ```text
//! SLOTMARK_SIM_SEEDS=5000        more seeds than the default; or a range, 1000..2000
//! SLOTMARK_SIM_SEED=17           one seed, with a trace of events (SLOTMARK_SIM_MESSAGES=1: and of messages)
//! ```

#[path = "simulation/admin.rs"]
mod admin;
#[path = "simulation/agreement.rs"]
mod agreement;
#[path = "simulation/chance.rs"]
mod chance;
#[path = "simulation/faults.rs"]
mod faults;
#[path = "simulation/forming.rs"]
mod forming;
#[path = "simulation/host.rs"]
mod host;
#[path = "simulation/judge.rs"]
mod judge;
#[path = "simulation/net.rs"]
mod net;
#[path = "simulation/node.rs"]
mod node;
#[path = "simulation/queue.rs"]
mod queue;
#[path = "simulation/scenario.rs"]
mod scenario;
#[path = "simulation/shape.rs"]
mod shape;
#[path = "simulation/trace.rs"]
mod trace;
#[path = "simulation/world.rs"]
mod world;

use std::ops::Range;
use std::time::Instant;

use scenario::{Summary, run, run_calm};

/// Seeds of a plain `cargo test`; about ten seconds of one core.
const SEEDS: u64 = 150;
const CALM_SEEDS: u64 = 10;

/// The seeds that the environment asks for, and whether it is one that is to be shown.
fn seeds(default: u64) -> (Range<u64>, bool) {
    let number = |text: &str| text.parse().expect("SLOTMARK_SIM_SEED(S) holds numbers");
    if let Ok(one) = std::env::var("SLOTMARK_SIM_SEED") {
        let seed = number(&one);
        return (seed..seed + 1, true);
    }
    match std::env::var("SLOTMARK_SIM_SEEDS") {
        Ok(text) => match text.split_once("..") {
            Some((from, to)) => (number(from)..number(to), false),
            None => (0..number(&text), false),
        },
        Err(_) => (0..default, false),
    }
}

fn run_all(test: &str, default: u64, run: impl Fn(u64, bool) -> Result<Summary, String>) {
    let (seeds, shown) = seeds(default);
    let begun = Instant::now();
    let mut all = Summary::default();
    let count = seeds.end - seeds.start;
    let (mut failed, mut told) = (0, String::new());
    for seed in seeds {
        match run(seed, shown) {
            Ok(summary) => {
                all.steps += summary.steps;
                all.elections += summary.elections;
                all.verdicts += summary.verdicts;
                all.collisions += summary.collisions;
                all.graceful += summary.graceful;
                all.faults += summary.faults;
                all.losses += summary.losses;
                all.lost_slots += summary.lost_slots;
            }
            Err(why) => {
                failed += 1;
                let replay = format!(
                    "SLOTMARK_SIM_SEED={seed} cargo test -p e2e --test simulation {test} -- --nocapture"
                );
                let text = format!("seed {seed}: {why}\n  {replay}\n");
                eprint!("{text}");
                told += &text;
                if failed >= 20 {
                    break;
                }
            }
        }
    }
    println!("{count} seeds in {:?}: {all:?}", begun.elapsed());
    assert!(failed == 0, "{failed} seeds failed:\n{told}");
}

#[test]
fn clusters_survive_what_seeds_do_to_them() {
    run_all("clusters_survive", SEEDS, run);
}

#[test]
fn nothing_fails_while_nothing_is_wrong() {
    run_all("nothing_fails", CALM_SEEDS, |seed, shown| {
        run_calm(seed, 100, shown)
    });
}

#[test]
fn a_seed_decides_everything() {
    for seed in 0..3 {
        let (first, second) = (run(seed, false), run(seed, false));
        assert_eq!(first, second, "seed {seed}");
    }
}

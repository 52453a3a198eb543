//! How long are the slots of a primary without one that takes writes, when it is killed or hangs?
//!
//! ```text
//!   for each trial, engine by engine, fault by fault:
//!     a new cluster of 3 primaries with a replica each ─► probes write a key of one shard to both of its nodes, every ms
//!     ─► the fault ─► until the replica acknowledges the first write
//! ```
//!
//! `cargo run --release -p e2e --bin failover-trials -- [--trials 20] [--node-timeout 2000] [--output FOLDER]`
//!
//! The answer is the time from just before the fault to the first write that is acknowledged after it, by whichever
//! node. A client needs what it takes to find that node on top of that.

mod probe;
mod table;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use loadgen::driver::process::EXEC_CHILD;
use loadgen::driver::workspace::JANITOR;
use loadgen::driver::{Engine, engine, signals};

use table::Row;
use trial::{Fault, Trial};

/// What was asked for.
struct Args {
    trials: u32,
    node_timeout_ms: u32,
    output: Option<PathBuf>,
}

fn main() -> ExitCode {
    // Nodes are started as second lives of this binary.
    let first = std::env::args().nth(1).unwrap_or_default();
    if [EXEC_CHILD, JANITOR, engine::NODE].contains(&first.as_str()) {
        return loadgen::cli::main();
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failover-trials: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let args = read_args()?;
    let stop = signals::install().context("cannot listen for signals")?;
    let engines = [Engine::embedded(), Engine::find("redis", "--engine")?];
    let mut rows = Vec::new();
    for number in 0..args.trials {
        for fault in [Fault::Killed, Fault::Hung] {
            // A B B A: whatever drifts on the machine drifts for both.
            let mut order: Vec<&Engine> = engines.iter().collect();
            if number % 2 == 1 {
                order.reverse();
            }
            for engine in order {
                let trial = Trial {
                    engine,
                    fault,
                    node_timeout_ms: args.node_timeout_ms,
                    victim: number as usize % trial::PRIMARIES as usize,
                };
                let outage = trial
                    .run(&stop)
                    .with_context(|| format!("trial {number} of {}", engine.name()))?;
                eprintln!(
                    "trial {number}: {} {}: {:.0} ms",
                    engine.name(),
                    fault.name(),
                    outage.as_secs_f64() * 1e3
                );
                rows.push(Row {
                    number,
                    engine: format!("{} {}", engine.name(), engine.version()),
                    fault,
                    outage,
                });
            }
        }
    }
    let text = table::markdown(&rows, args.node_timeout_ms);
    println!("{text}");
    if let Some(folder) = args.output {
        table::save(&folder, &rows, &text)
            .with_context(|| format!("cannot write to {}", folder.display()))?;
    }
    Ok(())
}

fn read_args() -> anyhow::Result<Args> {
    let mut args = Args {
        trials: 20,
        node_timeout_ms: 2000,
        output: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--trials" => args.trials = value.parse().context("--trials takes a number")?,
            "--node-timeout" => {
                args.node_timeout_ms = value.parse().context("--node-timeout takes milliseconds")?
            }
            "--output" => args.output = Some(value.into()),
            _ => bail!("unknown option {word}: there are --trials, --node-timeout and --output"),
        }
    }
    Ok(args)
}

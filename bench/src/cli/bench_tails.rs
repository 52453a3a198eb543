//! `loadgen bench-tails`: from flags to events that hurt, and the tables of what clients saw.

use std::time::Duration;

use anyhow::{Context, anyhow};

use super::args::BenchTailsArgs;
use super::cluster::find_engine;
use super::output::{copy, unused_folder};
use super::{CommandResult, Exit, Failure, run, talk};
use crate::driver::tails::{Event, Sizes};
use crate::driver::{Engine, Progress, TailBench, environment, signals};
use crate::report::tails;

const WARMUP: Duration = Duration::from_millis(500);
/// In the place of a peer's name.
const NOBODY: &str = "none";

pub fn run(args: &BenchTailsArgs) -> CommandResult {
    let cores = environment::cores() as usize;
    if args.server_core == args.client_core || args.server_core.max(args.client_core) >= cores {
        return Err(Failure::usage(anyhow!(
            "--server-core and --client-core are two of the {cores} cores of this machine, counted from 0"
        )));
    }
    let bench = TailBench {
        engines: engines(args)?,
        events: match args.event.as_slice() {
            [] => Event::ALL.to_vec(),
            events => events.to_vec(),
        },
        sizes: Sizes {
            keys: args.keys,
            expiring: args.expiring,
            fields: args.fields,
        },
        clients: args.clients,
        rate: args.rate,
        rounds: args.rounds,
        round: args.duration,
        warmup: WARMUP,
        server_core: args.server_core,
        client_core: args.client_core,
        seed: args.seed,
        command_line: std::env::args().collect(),
        loadgen: super::loadgen_path()?,
    };
    let folder = args
        .output
        .clone()
        .unwrap_or_else(|| unused_folder("bench-tails"));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let stop = signals::install()?;
    let report = bench
        .run(&stop, Progress::detect(args.quiet))
        .map_err(run::failure)?;
    let text = tails::markdown(&report);
    copy(Some(&folder.join("tails.json")), |out| {
        Ok(serde_json::to_writer_pretty(out, &report)?)
    })?;
    copy(Some(&folder.join("tails.csv")), |out| {
        tails::write_csv(&report, out)
    })?;
    copy(Some(&folder.join("tails.md")), |out| {
        Ok(out.write_all(text.as_bytes())?)
    })?;
    talk::print(&format!(
        "{text}\ntails.json, tails.csv and tails.md are in {}\n",
        folder.display()
    ))?;
    Ok(if report.interrupted {
        Exit::Interrupted
    } else {
        Exit::Done
    })
}

fn engines(args: &BenchTailsArgs) -> Result<Vec<Engine>, Failure> {
    let mut engines = vec![find_engine(&args.engine, "--engine")?];
    for peer in args.peer.iter().filter(|peer| *peer != NOBODY) {
        engines.push(find_engine(peer, "--peer")?);
    }
    Ok(engines)
}

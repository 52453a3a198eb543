//! `loadgen bench-peers`: from flags to a grid of loads, and its tables.

use std::time::Duration;

use anyhow::{Context, anyhow};

use super::args::BenchPeersArgs;
use super::cluster::find_engine;
use super::output::{copy, unused_folder};
use super::{CommandResult, Exit, Failure, run, talk};
use crate::driver::peers::{Effort, Grid};
use crate::driver::{Engine, PeerBench, Progress, environment, signals};
use crate::report::peers;

const WARMUP: Duration = Duration::from_millis(300);

pub fn run(args: &BenchPeersArgs) -> CommandResult {
    let cores = environment::cores() as usize;
    if args.server_core == args.client_core || args.server_core.max(args.client_core) >= cores {
        return Err(Failure::usage(anyhow!(
            "--server-core and --client-core are two of the {cores} cores of this machine, counted from 0"
        )));
    }
    let value_bytes = args.data_size.iter().map(|&bytes| {
        u32::try_from(bytes).map_err(|_| Failure::usage(anyhow!("--data-size {bytes} is too large")))
    });
    let bench = PeerBench {
        engines: engines(args)?,
        grid: Grid {
            keys: args.keys.clone(),
            value_bytes: value_bytes.collect::<Result<_, _>>()?,
            mixes: args.load.clone(),
            pipelines: args.pipeline.clone(),
        },
        effort: Effort {
            clients: args.clients,
            rounds: args.rounds,
            round: args.duration,
            warmup: WARMUP,
        },
        server_core: args.server_core,
        client_core: args.client_core,
        seed: args.seed,
        command_line: std::env::args().collect(),
        loadgen: super::loadgen_path()?,
    };
    let folder = args
        .output
        .clone()
        .unwrap_or_else(|| unused_folder("bench-peers"));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let stop = signals::install()?;
    let report = bench
        .run(&stop, Progress::detect(args.quiet))
        .map_err(run::failure)?;
    let text = peers::markdown(&report);
    copy(Some(&folder.join("peers.json")), |out| {
        Ok(serde_json::to_writer_pretty(out, &report)?)
    })?;
    copy(Some(&folder.join("peers.csv")), |out| {
        peers::write_csv(&report, out)
    })?;
    copy(Some(&folder.join("peers.md")), |out| {
        Ok(out.write_all(text.as_bytes())?)
    })?;
    talk::print(&format!(
        "{text}\npeers.json, peers.csv and peers.md are in {}\n",
        folder.display()
    ))?;
    Ok(if report.interrupted {
        Exit::Interrupted
    } else {
        Exit::Done
    })
}

/// The one to be compared, and the others: those asked for, or all that are on PATH.
fn engines(args: &BenchPeersArgs) -> Result<Vec<Engine>, Failure> {
    let mut engines = vec![find_engine(&args.engine, "--engine")?];
    if args.peer.is_empty() {
        for peer in Engine::peers() {
            match peer {
                Ok(peer) if peer == engines[0] => {}
                Ok(peer) => engines.push(peer),
                Err(error) => talk::complain(format_args!("loadgen: left out: {error}")),
            }
        }
    }
    for peer in &args.peer {
        engines.push(find_engine(peer, "--peer")?);
    }
    Ok(engines)
}

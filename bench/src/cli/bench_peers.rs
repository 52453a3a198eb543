//! `loadgen bench-peers`: from flags to a grid of loads, and its tables.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;

use super::cluster::find_engine;
use super::output::{copy, unused_folder};
use super::values;
use super::{CommandResult, Exit, Failure, run, talk};
use crate::driver::peers::{Effort, Grid, Mix};
use crate::driver::{Engine, PeerBench, Progress, environment, signals};
use crate::report::peers;

pub const HELP: &str = "\
Every engine is one node, bound to one core, in cluster mode; the generator is bound to another. All of them hold the data \
at the same time, and one at a time has a load. Operations per second of the server's CPU time do not depend on which side \
is the faster one, as operations per second do.

Examples:
  loadgen bench-peers                                          slotmark and every engine on PATH, the whole grid
  loadgen bench-peers --peer redis --peer /opt/valkey-9/valkey-server --load get --keys 3m
  loadgen bench-peers --engine ./old/slotmark-server --peer slotmark -d 64 -P 1,16 --rounds 10";

/// What is run, on which engines.
#[derive(Debug, Args)]
pub struct BenchPeersArgs {
    /// The engine that is compared with the others: slotmark (built in), redis, valkey, keydb, dragonfly, kevy, or the path of a server binary
    #[arg(long, default_value = "slotmark", value_name = "ENGINE")]
    pub engine: String,
    /// One of the others; may be repeated [default: all that are on PATH]
    #[arg(long, value_name = "ENGINE")]
    pub peer: Vec<String>,
    /// Numbers of keys
    #[arg(long, default_value = "100k,3m", value_delimiter = ',', value_name = "N,...", value_parser = values::positive_count)]
    pub keys: Vec<u64>,
    /// Bytes a value
    #[arg(short = 'd', long, default_value = "64,1024", value_delimiter = ',', value_name = "BYTES,...", value_parser = values::bytes)]
    pub data_size: Vec<u64>,
    /// Loads: get, set, mget (10 keys of one slot), or reads to writes in a hundred
    #[arg(
        long,
        default_value = "get,set,80:20,mget",
        value_delimiter = ',',
        value_name = "LOAD,..."
    )]
    pub load: Vec<Mix>,
    /// Operations each client keeps in flight
    #[arg(short = 'P', long, default_value = "1,16,64", value_delimiter = ',', value_name = "N,...", value_parser = values::small_count)]
    pub pipeline: Vec<u32>,
    /// Clients, each with one connection
    #[arg(short = 'c', long, default_value_t = 50, value_name = "N", value_parser = values::small_count)]
    pub clients: u32,
    /// Rounds of each load on each engine
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = values::small_count)]
    pub rounds: u32,
    /// Length of a round
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = values::positive_duration)]
    pub duration: Duration,
    /// The core of the servers
    #[arg(long, default_value_t = 0, value_name = "CORE")]
    pub server_core: usize,
    /// The core of the generator
    #[arg(long, default_value_t = 1, value_name = "CORE")]
    pub client_core: usize,
    /// The same seed gives the same operations
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Where peers.json, peers.csv and peers.md go [default: results/local/TIME-bench-peers]
    #[arg(short = 'o', long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Say nothing but results and errors
    #[arg(short, long)]
    pub quiet: bool,
}

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

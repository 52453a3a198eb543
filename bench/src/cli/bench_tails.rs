//! `loadgen bench-tails`: from flags to events that hurt, and the tables of what clients saw.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;

use super::cluster::find_engine;
use super::output::{copy, unused_folder};
use super::{CommandResult, Exit, Failure, run, talk, values};
use crate::driver::tails::{Event, Sizes};
use crate::driver::{Engine, Progress, TailBench, environment, signals};
use crate::report::tails;

const WARMUP: Duration = Duration::from_millis(500);
/// In the place of a peer's name.
const NOBODY: &str = "none";

pub const HELP: &str = "\
Every engine is one node, bound to one core, in cluster mode; the generator is bound to another. Operations are due at a steady \
rate, and response times run from then, so a stall counts for all that was due meanwhile. A prober sends PING every millisecond \
beside it. An event comes at a quarter of each round.

Events: control-get, control-set (none), growth, expiry, flush, flush-async, hash-del, hash-unlink, hash-expire.

Examples:
  loadgen bench-tails                                          slotmark and redis, all events
  loadgen bench-tails --event growth --keys 2m --rate 50k
  loadgen bench-tails --engine ./old/slotmark-server --peer slotmark --event hash-del,hash-unlink";

#[derive(Debug, Args)]
pub struct BenchTailsArgs {
    /// The engine that stands first: slotmark (built in), redis, valkey, keydb, dragonfly, kevy, or the path of a server binary
    #[arg(long, default_value = "slotmark", value_name = "ENGINE")]
    pub engine: String,
    /// One that is put through the same beside it; may be repeated; none for nobody
    #[arg(long, default_value = "redis", value_name = "ENGINE")]
    pub peer: Vec<String>,
    /// What happens [default: everything, one after the other]
    #[arg(long, value_delimiter = ',', value_name = "EVENT,...")]
    pub event: Vec<Event>,
    /// Operations a second [default: half of the SETs that the slowest engine carries]
    #[arg(long, value_name = "OPS", value_parser = values::rate)]
    pub rate: Option<f64>,
    /// Keys that growth ends with, and that FLUSHALL removes
    #[arg(long, default_value = "5m", value_name = "N", value_parser = values::positive_count)]
    pub keys: u64,
    /// Keys that expire at one moment
    #[arg(long, default_value = "1m", value_name = "N", value_parser = values::positive_count)]
    pub expiring: u64,
    /// Fields of the hash that is removed
    #[arg(long, default_value = "5m", value_name = "N", value_parser = values::positive_count)]
    pub fields: u64,
    /// Clients, each with one connection
    #[arg(short = 'c', long, default_value_t = 200, value_name = "N", value_parser = values::small_count)]
    pub clients: u32,
    /// Rounds of each event on each engine; growth is divided among them
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = values::small_count)]
    pub rounds: u32,
    /// Length of a round, but of growth
    #[arg(long, default_value = "4s", value_name = "TIME", value_parser = values::positive_duration)]
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
    /// Where tails.json, tails.csv and tails.md go [default: results/local/TIME-bench-tails]
    #[arg(short = 'o', long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Say nothing but results and errors
    #[arg(short, long)]
    pub quiet: bool,
}

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

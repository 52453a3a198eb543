//! `loadgen bench-generators`: from flags to a comparison of generators, and its tables.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;

use super::cluster::find_engine;
use super::output::{copy, unused_folder};
use super::{CommandResult, Exit, Failure, run, talk, values};
use crate::driver::generators::{Generator, GeneratorBench, check};
use crate::driver::peers::Mix;
use crate::driver::{Progress, environment, signals};
use crate::report::generators::{self, Mode};

/// What `loadgen bench-generators --help` ends with.
pub const HELP: &str = "\
The server is one node, bound to one core; each generator has one thread, bound to another core. A round runs a generator \
with N operations and with 3 N and takes the difference, so that its start and its reports are in no figure.

Examples:
  loadgen bench-generators                                     loadgen and every generator on PATH
  loadgen bench-generators --generator redis-benchmark --mode standalone,cluster --engine redis
  loadgen bench-generators --generator ./old/loadgen --load get -P 64 --rounds 10";

#[derive(Debug, Args)]
pub struct BenchGeneratorsArgs {
    /// The server that all of them load: slotmark (built in), redis, valkey, keydb, dragonfly, kevy, or the path of a server binary
    #[arg(long, default_value = "slotmark", value_name = "ENGINE")]
    pub engine: String,
    /// A generator to compare loadgen with: redis-benchmark, memtier_benchmark, valkey-benchmark, or the path of one, also of
    /// another loadgen; may be repeated [default: all that are on PATH]
    #[arg(long, value_name = "GENERATOR")]
    pub generator: Vec<String>,
    /// How the server runs: cluster, standalone
    #[arg(
        long,
        default_value = "standalone,cluster",
        value_delimiter = ',',
        value_name = "MODE,..."
    )]
    pub mode: Vec<Mode>,
    /// How many keys
    #[arg(short = 'r', long, default_value = "100k", value_name = "N", value_parser = values::positive_count)]
    pub keys: u64,
    /// Bytes a value
    #[arg(short = 'd', long, default_value = "64", value_name = "BYTES", value_parser = values::bytes)]
    pub data_size: u64,
    /// Loads: get, set
    #[arg(
        long,
        default_value = "get,set",
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
    /// Rounds of each load by each generator
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = values::small_count)]
    pub rounds: u32,
    /// How long the operations of a round that count take
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = values::positive_duration)]
    pub duration: Duration,
    /// The core of the server
    #[arg(long, default_value_t = 0, value_name = "CORE")]
    pub server_core: usize,
    /// The core of the generators
    #[arg(long, default_value_t = 1, value_name = "CORE")]
    pub client_core: usize,
    /// Seed of the intervals
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Where generators.json, generators.csv and generators.md go [default: results/local/TIME-bench-generators]
    #[arg(short = 'o', long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Say nothing but results and errors
    #[arg(short, long)]
    pub quiet: bool,
}

pub fn run(args: &BenchGeneratorsArgs) -> CommandResult {
    let bench = bench(args)?;
    let folder = args
        .output
        .clone()
        .unwrap_or_else(|| unused_folder("bench-generators"));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let stop = signals::install()?;
    let report = bench
        .run(&stop, Progress::detect(args.quiet))
        .map_err(run::failure)?;
    let text = generators::markdown(&report);
    copy(Some(&folder.join("generators.json")), |out| {
        Ok(serde_json::to_writer_pretty(out, &report)?)
    })?;
    copy(Some(&folder.join("generators.csv")), |out| {
        generators::write_csv(&report, out)
    })?;
    copy(Some(&folder.join("generators.md")), |out| {
        Ok(out.write_all(text.as_bytes())?)
    })?;
    talk::print(&format!(
        "{text}\ngenerators.json, generators.csv and generators.md are in {}\n",
        folder.display()
    ))?;
    Ok(if report.interrupted {
        Exit::Interrupted
    } else {
        Exit::Done
    })
}

fn bench(args: &BenchGeneratorsArgs) -> Result<GeneratorBench, Failure> {
    let cores = environment::cores() as usize;
    if args.server_core == args.client_core || args.server_core.max(args.client_core) >= cores {
        return Err(Failure::usage(anyhow!(
            "--server-core and --client-core are two of the {cores} cores of this machine, counted from 0"
        )));
    }
    for &mix in &args.load {
        check(mix).map_err(Failure::usage)?;
    }
    let value_bytes = u32::try_from(args.data_size)
        .map_err(|_| Failure::usage(anyhow!("--data-size {} is too large", args.data_size)))?;
    let loadgen = super::loadgen_path()?;
    let mut found = vec![Generator::loadgen(&loadgen)];
    found.extend(others(args)?);
    Ok(GeneratorBench {
        engine: find_engine(&args.engine, "--engine")?,
        generators: found,
        modes: args.mode.clone(),
        mixes: args.load.clone(),
        pipelines: args.pipeline.clone(),
        clients: args.clients,
        keys: args.keys,
        value_bytes,
        rounds: args.rounds,
        round: args.duration,
        server_core: args.server_core,
        client_core: args.client_core,
        seed: args.seed,
        command_line: std::env::args().collect(),
        loadgen,
    })
}

/// Those asked for, or all that are on PATH.
fn others(args: &BenchGeneratorsArgs) -> Result<Vec<Generator>, Failure> {
    if !args.generator.is_empty() {
        let found: anyhow::Result<_> = args.generator.iter().map(|name| Generator::find(name)).collect();
        return Ok(found?);
    }
    let mut found = Vec::new();
    for generator in Generator::others() {
        match generator {
            Ok(generator) => found.push(generator),
            Err(error) => talk::complain(format_args!("loadgen: left out: {error:#}")),
        }
    }
    Ok(found)
}

//! `loadgen bench-generators`: from flags to a comparison of generators, and its tables.

use anyhow::{Context, anyhow};

use super::args::BenchGeneratorsArgs;
use super::cluster::find_engine;
use super::output::{copy, unused_folder};
use super::{CommandResult, Exit, Failure, run, talk};
use crate::driver::generators::{Generator, GeneratorBench, check};
use crate::driver::{Progress, environment, signals};
use crate::report::generators;

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

//! The command line: what was asked, whom it is passed to, and how it ends.
//!
//! Three commands never reach clap: `node` (the embedded server), `exec-child` and `janitor` are this binary's
//! other lives, started by itself; see `driver::process` and `driver::workspace`.

pub mod args;
mod bench_generators;
mod bench_peers;
mod bench_tails;
mod cluster;
mod compare;
mod exit;
mod find_max;
mod merge;
mod output;
mod report;
mod run;
mod talk;
mod values;
mod workloads;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::driver::engine::NODE;
use crate::driver::{process, workspace};
use args::{Cli, Command};
pub use exit::{CommandResult, Exit, Failure};

/// Does what the command line says.
pub fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if let Some(hidden) = args.next().and_then(|first| first.into_string().ok())
        && let Some(code) = other_life(&hidden, args)
    {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is the only way for this to fail.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            }
            .into();
        }
    };
    match dispatch(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            talk::complain(format_args!("loadgen: {:#}", failure.error));
            failure.exit.into()
        }
    }
}

fn dispatch(cli: Cli) -> CommandResult {
    match cli.command {
        Some(Command::Cluster { action }) => cluster::run(action),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "loadgen", &mut script);
            talk::print(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Done)
        }
        Some(Command::Workloads { name }) => workloads::run(name.as_deref()),
        Some(Command::BenchGenerators(args)) => bench_generators::run(&args),
        Some(Command::BenchPeers(args)) => bench_peers::run(&args),
        Some(Command::BenchTails(args)) => bench_tails::run(&args),
        Some(Command::FindMax(args)) => find_max::run(*args),
        Some(Command::Compare(args)) => compare::run(&args),
        Some(Command::Merge(args)) => merge::run(&args),
        Some(Command::Report { dir }) => report::run(&dir),
        Some(Command::ReadmeTable { dir }) => {
            let reports = crate::report::readme::reference_reports(&dir)?;
            talk::print(&format!("{}\n", crate::report::readme_table(&reports)))?;
            Ok(Exit::Done)
        }
        None => run::run(&cli.run),
    }
}

fn other_life(name: &str, mut args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let failed = |error: std::io::Error| {
        talk::complain(format_args!("loadgen {name}: {error}"));
        Exit::CannotRun.into()
    };
    match name {
        NODE => Some(slotmark_server::main_from_args(args.collect())),
        process::EXEC_CHILD => Some(failed(process::exec_child(args))),
        workspace::JANITOR => {
            let dir = args.next().unwrap_or_default();
            let parent = args.next().and_then(|pid| pid.to_str()?.parse().ok());
            Some(workspace::janitor(Path::new(&dir), parent).map_or_else(failed, |()| ExitCode::SUCCESS))
        }
        _ => None,
    }
}

/// The path of this binary, to start it again. If it was replaced meanwhile (a rebuild), the kernel still has it.
fn loadgen_path() -> std::io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    Ok(if path.is_file() {
        path
    } else {
        PathBuf::from("/proc/self/exe")
    })
}

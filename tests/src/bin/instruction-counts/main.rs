//! How many instructions does the node's hot path take, and is that more than it was?
//!
//! ```text
//!   this program ─► valgrind --tool=callgrind this program again: each operation some thousand times    operations
//!                ◄─ a total for each                                                                    callgrind
//!   results/instructions.toml ─► operation by operation: more than 5 % above?                           record, judge
//! ```
//!
//! `.ci/instructions [--record]` builds and runs it.
//!
//! A count does not care who else uses the machine, so a gate can hold on to it where time cannot be had. It says nothing of
//! caches and branches: docs/internals/performance.md.

mod callgrind;
mod judge;
mod operations;
mod record;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{bail, ensure};

use record::Record;

/// What turns the same source into other instructions is fixed, and is that of the gate: environment, what this program was
/// built with, what the record is of.
const BUILD: [(&str, Option<&str>, &str); 3] = [
    ("CARGO_INCREMENTAL", option_env!("CARGO_INCREMENTAL"), "0"),
    (
        "CARGO_PROFILE_RELEASE_LTO",
        option_env!("CARGO_PROFILE_RELEASE_LTO"),
        "off",
    ),
    (
        "CARGO_PROFILE_RELEASE_CODEGEN_UNITS",
        option_env!("CARGO_PROFILE_RELEASE_CODEGEN_UNITS"),
        "16",
    ),
];

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instruction-counts: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether the figures may stay as they are.
fn run() -> anyhow::Result<bool> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let renew = match args[..] {
        [callgrind::COUNT, folder] => return operations::run(Path::new(folder)).map(|()| true),
        [] => false,
        ["--record"] => true,
        _ => bail!("unknown options {args:?}: there is --record"),
    };
    check_build()?;
    let now = Record::of(callgrind::count()?)?;
    if renew {
        now.write(&record::path())?;
        println!("{} is renewed", record::path().display());
        return Ok(true);
    }
    let judgement = judge::judge(&Record::read(&record::path())?, &now);
    println!("{}", judgement.text().trim_end());
    Ok(judgement.passes())
}

/// Figures of another build would all be above the record, or all below.
fn check_build() -> anyhow::Result<()> {
    let is_release = !cfg!(debug_assertions);
    let differs = BUILD.iter().find(|(_, built, wanted)| *built != Some(wanted));
    if let Some((name, built, wanted)) = differs {
        bail!(
            "this was built with {name}={}, and not {wanted}: run .ci/instructions",
            built.unwrap_or("")
        );
    }
    ensure!(
        is_release,
        "this was built without --release: run .ci/instructions"
    );
    Ok(())
}

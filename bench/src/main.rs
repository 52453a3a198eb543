//! The `loadgen` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    loadgen::cli::main()
}

//! The load generator under test, as a binary that cargo builds together with these tests.

fn main() -> std::process::ExitCode {
    loadgen::cli::main()
}

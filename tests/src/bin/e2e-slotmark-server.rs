//! The node under test, as a binary that cargo builds together with these tests.

fn main() -> std::process::ExitCode {
    slotmark_server::main_from_args(std::env::args_os().skip(1).collect())
}

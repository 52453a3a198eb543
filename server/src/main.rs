//! `slotmark-server [redis.conf] [--directive value ...]`

fn main() -> std::process::ExitCode {
    slotmark_server::main_from_args(std::env::args_os().skip(1).collect())
}

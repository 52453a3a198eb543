//! What the first argument asks for: a version, help, or a node.

use super::directive::Status;
use super::load::REDIS_VERSION;
use super::table::DIRECTIVES;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// Print this and exit with 0.
    Print(String),
    /// Print this to stderr and exit with 1.
    Refuse(String),
    /// Start a node.
    Serve,
}

/// Reads the arguments after the program's name.
pub fn request(args: &[Vec<u8>]) -> Request {
    match args {
        [first, ..] if matches!(first.as_slice(), b"-v" | b"--version") => Request::Print(version()),
        [first, ..] if matches!(first.as_slice(), b"-h" | b"--help") => Request::Print(help()),
        [first, ..] if matches!(first.as_slice(), b"--test-memory" | b"--check-system") => Request::Refuse(
            format!("slotmark-server does not have {}", String::from_utf8_lossy(first)),
        ),
        _ if args.iter().any(|arg| arg == b"--sentinel") => {
            Request::Refuse("slotmark-server has no sentinel mode".into())
        }
        _ => Request::Serve,
    }
}

/// One line in the shape that harnesses parse.
fn version() -> String {
    format!(
        "Redis server v={REDIS_VERSION} sha=00000000:0 malloc=mimalloc bits={} build=0000000000000000 slotmark={}",
        usize::BITS,
        env!("CARGO_PKG_VERSION")
    )
}

fn help() -> String {
    let honoured: Vec<_> = DIRECTIVES
        .iter()
        .filter(|d| d.status == Status::Honoured)
        .map(|d| d.name)
        .collect();
    let mut lines = String::new();
    let mut width = usize::MAX;
    for name in honoured {
        if width > 90 {
            lines.push_str("\n ");
            width = 0;
        }
        lines.push(' ');
        lines.push_str(name);
        width += name.len() + 1;
    }
    format!(
        "slotmark-server {}: a cluster node that speaks the protocol of redis-server {REDIS_VERSION}

Usage: slotmark-server [FILE] [--DIRECTIVE VALUE...]... [-]
       slotmark-server -v | --version
       slotmark-server -h | --help

FILE is a redis.conf. Options are directives of such a file and come after it, so they win. `-` as the first or the
last argument reads directives from standard input, too.

Examples:
       slotmark-server --port 7000 --cluster-enabled yes
       slotmark-server /etc/redis/redis.conf --loglevel verbose
       echo 'timeout 60' | slotmark-server - --port 7000

Directives with an effect:{lines}

Other directives of redis-server {REDIS_VERSION} are accepted with a warning in the log that says what is the case instead.",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(arg: &str) -> Request {
        request(&[arg.as_bytes().to_vec()])
    }

    #[test]
    fn version_and_help_are_printed() {
        let Request::Print(text) = ask("-v") else { panic!() };
        assert!(text.starts_with("Redis server v=7.0.15 sha=") && text.contains("slotmark="));
        let Request::Print(text) = ask("--help") else {
            panic!()
        };
        assert!(
            text.contains(" cluster-enabled") && text.lines().all(|line| line.len() <= 130),
            "{text}"
        );
        assert_eq!(ask("--port"), Request::Serve);
        assert!(matches!(ask("--sentinel"), Request::Refuse(_)));
    }
}

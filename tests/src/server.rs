//! Servers under test: our node and stock redis-server, each in a directory of its own, on an ephemeral port.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use slotcore::resp::Reply;
use tempfile::TempDir;

use crate::{Client, Process, wait_for};

/// Is this program on PATH?
pub fn have(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// A port that is free, as is the cluster bus port 10000 above it.
pub fn free_port() -> u16 {
    for _ in 0..1000 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this host");
        let port = listener.local_addr().expect("it is bound").port();
        if port < 55_536 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
    panic!("no free pair of ports");
}

/// A server that ends with its owner.
pub struct Server {
    process: Process,
    port: u16,
    dir: TempDir,
}

impl Server {
    /// Starts stock redis-server with directives such as `["--cluster-enabled", "yes"]`. `None`: not installed, and
    /// the test was told to skip.
    pub fn stock(directives: &[&str]) -> Option<Self> {
        if !have("redis-server") {
            crate::skip("redis-server is not on PATH (Debian: apt-get install redis-server)");
            return None;
        }
        Some(Self::start(Path::new("redis-server"), directives, |_| {}))
    }

    /// Starts our node; `program` is `env!("CARGO_BIN_EXE_e2e-slotmark-server")`.
    pub fn slotmark(program: &str, directives: &[&str]) -> Self {
        Self::start(Path::new(program), directives, |_| {})
    }

    /// Starts `program` after `prepare` has put files (a nodes.conf, say) into its directory.
    pub fn start(program: &Path, directives: &[&str], prepare: impl Fn(&Path)) -> Self {
        // Between the choice of a port and the server's bind another process may take it: then choose again.
        for _ in 0..5 {
            let dir = TempDir::new().expect("a temporary directory");
            prepare(dir.path());
            let port = free_port();
            let mut command = Command::new(program);
            command
                .current_dir(dir.path())
                .args([
                    "--port",
                    &port.to_string(),
                    "--bind",
                    "127.0.0.1",
                    "--save",
                    "",
                    "--appendonly",
                    "no",
                ])
                .args(directives);
            let mut process = Process::start(&mut command, &dir.path().join("server.log"));
            let up = wait_for("a server to answer", Duration::from_secs(20), || {
                if process.ended().is_some() {
                    return Some(false);
                }
                // A server that ends because its bus finds no port resets who has already connected.
                let mut client = Client::try_connect(port).ok()?;
                match client.try_cmd(&["PING"]).ok()? {
                    Reply::Error(text) if text.starts_with(b"LOADING") => None,
                    _ => Some(true),
                }
            });
            if up {
                return Self { process, port, dir };
            }
            let log = process.log();
            assert!(
                log.contains("in use"),
                "{} ended at once: {log}",
                program.display()
            );
        }
        panic!("five ports in a row were taken");
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its working directory.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().into()
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// A new connection to it.
    pub fn client(&self) -> Client {
        Client::connect(self.port)
    }
}

//! One node: started, killed, stopped, and started again on the same port and in the same directory.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use slotcore::resp::Reply;
use slotcore::topology::NodeId;
use slotcore::topology::Topology;
use slotcore::topology::nodes::parse_nodes;
use tempfile::TempDir;

use super::SOON;
use super::ports::Port;
use crate::{Client, Process, wait_for};

/// What every node is started with. The replication stream begins without delay, and DEBUG tells the digest of the data.
const DIRECTIVES: &[&str] = &[
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    "2000",
    "--repl-diskless-sync-delay",
    "0",
    "--enable-debug-command",
    "yes",
];

/// Whose node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours.
    Slotmark,
    /// redis-server of PATH.
    Stock,
}

/// A node.
pub struct Node {
    kind: Kind,
    program: PathBuf,
    port: Port,
    dir: TempDir,
    process: Option<Process>,
    stopped: bool,
    starts: usize,
}

impl Node {
    pub(super) fn new(kind: Kind, slotmark: &str) -> Self {
        Self {
            kind,
            program: match kind {
                Kind::Slotmark => slotmark.into(),
                Kind::Stock => "redis-server".into(),
            },
            port: Port::claim(),
            dir: TempDir::new().expect("a temporary directory"),
            process: None,
            stopped: false,
            starts: 0,
        }
    }

    pub(super) fn spawn(&mut self) {
        self.starts += 1;
        let log = self.dir.path().join(format!("log-{}", self.starts));
        let mut command = Command::new(&self.program);
        command
            .current_dir(self.dir.path())
            .args(["--port", &self.port().to_string()])
            .args(DIRECTIVES);
        self.process = Some(Process::start(&mut command, &log));
    }

    pub(super) fn wait_until_up(&mut self) {
        let port = self.port();
        let process = self.process.as_mut().expect("it was started");
        wait_for("a node to answer", SOON, || {
            assert!(process.ended().is_none(), "it ended at once: {}", process.log());
            let pong = Client::try_connect(port).ok()?.try_cmd(&["PING"]).ok()?;
            (pong == Reply::Simple(b"PONG".to_vec())).then_some(())
        });
    }

    /// Whose it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its port for clients.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// As redis-cli takes it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    /// Whether it was started and neither stopped nor killed since.
    pub fn runs(&self) -> bool {
        self.process.is_some() && !self.stopped
    }

    /// A new connection.
    pub fn client(&self) -> Client {
        Client::connect(self.port())
    }

    /// Ends it with SIGTERM, as an administrator does.
    pub fn terminate(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.signal("TERM");
        process.wait(Duration::from_secs(15));
    }

    /// Ends it with SIGKILL, as a crash does.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.signal("KILL");
        process.wait(Duration::from_secs(15));
    }

    /// Holds it with SIGSTOP: its host answers for it, it does not.
    pub fn stop(&mut self) {
        self.process.as_ref().expect("it runs").signal("STOP");
        self.stopped = true;
    }

    /// Lets it go on.
    pub fn go_on(&mut self) {
        self.process.as_ref().expect("it was stopped").signal("CONT");
        self.stopped = false;
    }

    /// Starts it again after its end: same port, same directory, and so the same name.
    pub fn restart(&mut self) {
        assert!(self.process.is_none(), "it still runs");
        self.spawn();
        self.wait_until_up();
    }

    /// Starts it again as a node without a past, on the same port: no name, and no copy of its primary's data either,
    /// which stock loads from dump.rdb and takes the slots of.
    pub fn restart_as_new(&mut self) {
        self.dir = TempDir::new().expect("a temporary directory");
        self.restart();
    }

    /// Its name; RESET HARD changes it.
    pub fn id(&self) -> NodeId {
        let reply = self.client().cmd(&["CLUSTER", "MYID"]);
        NodeId::parse(reply.as_bytes().expect("a name")).expect("a name")
    }

    /// CLUSTER NODES, if it answers.
    pub fn topology(&self) -> Option<Topology> {
        let reply = Client::try_connect(self.port())
            .ok()?
            .try_cmd(&["CLUSTER", "NODES"])
            .ok()?;
        Some(parse_nodes(reply.as_str()?).expect("a description of nodes"))
    }

    /// A field of a reply in INFO's format, such as `INFO replication` or `CLUSTER INFO`; empty if it is not there, or
    /// if the node replies that it loads a copy.
    pub fn field(&self, command: &[&str], name: &str) -> String {
        let reply = self.client().cmd(command);
        let text = match &reply {
            Reply::Error(text) if text.starts_with(b"LOADING") => "",
            other => other.as_str().unwrap_or_else(|| panic!("{command:?}: {other:?}")),
        };
        let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.to_owned());
        text.lines().find_map(value).unwrap_or_default()
    }

    /// How much of the replication stream it has.
    pub fn offset(&self) -> String {
        self.field(&["INFO", "replication"], "master_repl_offset")
    }

    /// The digest of all its data.
    pub fn digest(&self) -> String {
        match self.client().cmd(&["DEBUG", "DIGEST"]) {
            Reply::Simple(digest) => String::from_utf8_lossy(&digest).into_owned(),
            Reply::Error(text) if text.starts_with(b"LOADING") => "loading".into(),
            other => panic!("DEBUG DIGEST: {other:?}"),
        }
    }

    pub(super) fn end_of_log(&self) -> String {
        let path = self.dir.path().join(format!("log-{}", self.starts));
        let log = std::fs::read(path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

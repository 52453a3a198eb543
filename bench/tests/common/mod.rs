//! Running the real binary, and looking at what it leaves behind.

// Each test file uses its own part of this.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up on it; loaded machines are slow.
pub const PATIENCE: Duration = Duration::from_secs(120);

pub fn loadgen() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command
        .stdin(Stdio::null())
        .env_remove("REDISCLI_AUTH")
        .env("NO_COLOR", "1");
    command
}

pub fn run(args: &[&str]) -> Finished {
    Finished::from(loadgen().args(args).output().expect("loadgen starts"))
}

/// A finished command, in text.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("loadgen writes UTF-8");
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// Whether redis-server is there. Without it a test is skipped, unless skips are forbidden.
pub fn has_redis() -> bool {
    let found = Command::new("redis-server").arg("--version").output().is_ok();
    if !found {
        assert!(
            std::env::var_os("SLOTMARK_FORBID_SKIPS").is_none(),
            "redis-server is not on PATH, and SLOTMARK_FORBID_SKIPS is set"
        );
        eprintln!("skipped: redis-server is not on PATH");
    }
    found
}

/// Waits for a condition.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "gave up waiting: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for a child to end, and kills it if it does not.
pub fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("the child did not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The processes that work in a folder below `dir` or name one on their command line: the nodes of a run that has
/// its files there. Processes that have ended and only wait for their parent to notice have neither.
#[cfg(target_os = "linux")]
pub fn processes_in(dir: &Path) -> Vec<u32> {
    let needle = dir.to_str().expect("test paths are UTF-8");
    let all = std::fs::read_dir("/proc").expect("/proc is there");
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            // redis-server writes a title over its command line, but works in its own folder.
            let folder = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(needle) || folder.to_string_lossy().contains(needle)
        })
        .collect()
}

/// The names in a directory.
pub fn entries(dir: &Path) -> Vec<String> {
    let read = std::fs::read_dir(dir).expect("the directory is there");
    read.map(|entry| {
        entry
            .expect("readable")
            .file_name()
            .to_string_lossy()
            .into_owned()
    })
    .collect()
}

/// A folder for temporary files and one for results, so that what a run leaves can be seen.
pub struct Ground {
    pub dir: TempDir,
}

impl Ground {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(dir.path().join("tmp")).expect("created");
        Self { dir }
    }

    pub fn tmp(&self) -> PathBuf {
        self.dir.path().join("tmp")
    }

    pub fn results(&self) -> PathBuf {
        self.dir.path().join("results-of-the-test")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = loadgen();
        command.args(args).arg("--output").arg(self.results());
        command.env("TMPDIR", self.tmp()).current_dir(self.dir.path());
        command
    }

    pub fn run(&self, args: &[&str]) -> Finished {
        Finished::from(self.command(args).output().expect("loadgen starts"))
    }

    pub fn report(&self) -> Value {
        let text = std::fs::read_to_string(self.results().join("run.json")).expect("run.json is there");
        serde_json::from_str(&text).expect("JSON")
    }

    pub fn is_clean(&self) -> bool {
        entries(&self.tmp()).is_empty() && processes_in(&self.tmp()).is_empty()
    }
}

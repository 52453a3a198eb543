//! The directory of a run's nodes. It goes when the run ends; should this process be killed outright, a small
//! second process notices (its standard input, a pipe from us, ends) and removes the directory in our stead.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The name of the hidden command that waits for our end.
pub const JANITOR: &str = "janitor";
const NAME_PREFIX: &str = "slotmark-run-";

#[derive(Debug)]
pub struct Workspace {
    dir: Option<TempDir>,
    janitor: Child,
}

impl Workspace {
    /// A new directory under the system's temporary one (`TMPDIR`); `loadgen` is the path of this binary.
    pub fn create(loadgen: &Path) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix(NAME_PREFIX).tempdir()?;
        let janitor = Command::new(loadgen)
            .arg(JANITOR)
            .arg(dir.path())
            .arg(std::process::id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of the reach of a Ctrl-C that is meant for us.
            .process_group(0)
            .spawn()?;
        Ok(Self {
            dir: Some(dir),
            janitor,
        })
    }

    /// A directory in it for one cluster.
    pub fn subdirectory(&self, name: &str) -> io::Result<PathBuf> {
        let dir = self.dir.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let path = dir.path().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // The directory first, so that the janitor finds nothing left to do and ends at once.
        drop(self.dir.take());
        drop(self.janitor.stdin.take());
        let _ = self.janitor.wait();
    }
}

/// The body of `loadgen janitor DIR PID`: waits for the end of standard input, then removes the directory, and the network
/// namespaces that the process of this id has left.
pub fn janitor(dir: &Path, parent: Option<u32>) -> io::Result<()> {
    let ours = dir
        .file_name()
        .and_then(|n| n.to_str())
        .is_some_and(|n| n.starts_with(NAME_PREFIX));
    if !ours {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "janitor is for loadgen's own use",
        ));
    }
    let mut input = io::stdin().lock();
    let mut buffer = [0; 64];
    while input.read(&mut buffer)? > 0 {}
    // The process that would have removed the nodes' networks has ended; its id is in their names.
    if let Some(parent) = parent {
        super::network::remove_of(parent);
    }
    // Nodes that are being killed may still create a file or two.
    let deadline = Instant::now() + Duration::from_secs(5);
    while dir.exists() && Instant::now() < deadline {
        if std::fs::remove_dir_all(dir).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}

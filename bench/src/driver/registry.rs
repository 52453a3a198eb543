//! Clusters that outlive the command that started them, remembered by name: one folder each under the user's
//! cache directory, with the nodes' files and a `cluster.json` that says which processes they are.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::cluster::{LaunchPlan, LocalCluster};

/// What is remembered of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRecord {
    pub name: String,
    pub engine: String,
    pub version: String,
    /// False for a single server without cluster mode.
    pub cluster: bool,
    /// For AUTH, if the nodes ask for it; the file is readable by its user alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub password: Option<String>,
    pub nodes: Vec<NodeRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    pub port: u16,
    pub pid: u32,
    /// Which process had that id: ids are given again, this is not.
    pub identity: String,
    pub replica: bool,
}

impl NodeRecord {
    /// Whether the process that was started still runs.
    pub fn is_alive(&self) -> bool {
        identity(self.pid).is_some_and(|now| now == self.identity)
    }

    fn signal(&self, signal: Signal) {
        if !self.is_alive() {
            return;
        }
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// Where this user's clusters are kept.
#[derive(Clone, Debug)]
pub struct Registry {
    root: PathBuf,
}

/// Overrides where clusters are remembered.
pub const HOME_VARIABLE: &str = "SLOTMARK_CLUSTERS";
const RECORD: &str = "cluster.json";
const GRACE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

impl Registry {
    /// `$SLOTMARK_CLUSTERS`, else `slotmark/clusters` in the user's cache directory.
    pub fn of_user() -> Self {
        let variable = |name| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        let root = variable(HOME_VARIABLE)
            .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("slotmark/clusters")))
            .or_else(|| variable("HOME").map(|home| home.join(".cache/slotmark/clusters")))
            .unwrap_or_else(|| std::env::temp_dir().join("slotmark-clusters"));
        Self { root }
    }

    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder of a cluster.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Makes the folder of a new cluster; what is left of an old one that no longer runs is removed.
    pub fn claim(&self, name: &str) -> Result<PathBuf> {
        check_name(name)?;
        let folder = self.folder(name);
        std::fs::create_dir_all(&self.root)
            .with_context(|| format!("cannot create {}", self.root.display()))?;
        if folder.exists() {
            if let Some(record) = self.load(name)?
                && record.nodes.iter().any(NodeRecord::is_alive)
            {
                bail!(
                    "cluster '{name}' is up already: see `loadgen cluster status`, end it with `loadgen cluster down {name}`"
                );
            }
            remove_folder(&folder)?;
        }
        std::fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(folder)
    }

    /// Remembers a cluster whose processes have been started.
    pub fn save(&self, record: &ClusterRecord) -> Result<()> {
        let path = self.folder(&record.name).join(RECORD);
        let text = serde_json::to_string_pretty(record)?;
        write_private(&path, &text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// What is remembered of a cluster, if anything.
    pub fn load(&self, name: &str) -> Result<Option<ClusterRecord>> {
        check_name(name)?;
        let path = self.folder(name).join(RECORD);
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .with_context(|| format!("{} is damaged", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// The names of all clusters that are remembered, sorted.
    pub fn names(&self) -> Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", self.root.display())),
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| check_name(name).is_ok() && self.folder(name).join(RECORD).is_file())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Ends the processes of a cluster (only those that are still the ones it started) and forgets it.
    /// Returns how many had to be ended.
    pub fn end(&self, record: &ClusterRecord) -> Result<usize> {
        let mut running: Vec<&NodeRecord> = record.nodes.iter().filter(|n| n.is_alive()).collect();
        let count = running.len();
        for (signal, patience) in [(Signal::TERM, GRACE), (Signal::KILL, GRACE)] {
            running.iter().for_each(|node| node.signal(signal));
            let deadline = Instant::now() + patience;
            while !running.is_empty() && Instant::now() < deadline {
                std::thread::sleep(POLL);
                running.retain(|node| node.is_alive());
            }
        }
        if let Some(node) = running.first() {
            bail!(
                "process {} (port {}) does not end, not even by SIGKILL",
                node.pid,
                node.port
            );
        }
        remove_folder(&self.folder(&record.name))?;
        Ok(count)
    }
}

impl ClusterRecord {
    /// Describes processes that have just been started.
    pub fn of(name: &str, plan: &LaunchPlan, cluster: &LocalCluster) -> Self {
        let nodes = cluster.processes().map(|(node, pid)| {
            // One that has ended already has no identity, and is never taken for alive.
            let identity = identity(pid).unwrap_or_default();
            NodeRecord {
                port: node.addr.port,
                pid,
                identity,
                replica: node.replica,
            }
        });
        Self {
            name: name.to_owned(),
            engine: plan.engine.name().to_owned(),
            version: plan.engine.version().to_owned(),
            cluster: plan.shape.cluster,
            password: plan.auth().map(|auth| auth.password),
            nodes: nodes.collect(),
        }
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn check_name(name: &str) -> Result<()> {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(fine) {
        bail!("'{name}' is no name for a cluster: use up to 64 letters, digits, - and _");
    }
    Ok(())
}

fn remove_folder(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// What tells a process from a later one with the same id: when it began, and since which boot that is counted.
/// None when there is no such process, or only its shell, not yet waited for.
#[cfg(target_os = "linux")]
fn identity(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in parentheses, which may hold anything; the state follows it, and the start
    // is the 22nd field.
    let rest = stat.rsplit_once(')')?.1;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    let start = fields.nth(18)?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    (!matches!(state, "Z" | "X")).then(|| format!("{start}@{}", boot.trim()))
}

#[cfg(not(target_os = "linux"))]
fn identity(pid: u32) -> Option<String> {
    let output = std::process::Command::new("ps")
        .args(["-o", "lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn record(pid: u32, identity: String) -> ClusterRecord {
        let node = NodeRecord {
            port: 7000,
            pid,
            identity,
            replica: false,
        };
        let text = |s: &str| s.to_owned();
        ClusterRecord {
            name: text("a"),
            engine: text("redis"),
            version: text("7"),
            cluster: true,
            password: None,
            nodes: vec![node],
        }
    }

    #[test]
    fn a_strangers_process_with_a_remembered_id_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path().to_owned());
        let mut child = Command::new("sleep")
            .arg("60")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let real = identity(child.id()).unwrap();

        registry.claim("a").unwrap();
        assert_eq!(
            registry
                .end(&record(child.id(), "1@another boot".to_owned()))
                .unwrap(),
            0
        );
        assert!(child.try_wait().unwrap().is_none(), "the stranger was ended");

        registry.claim("a").unwrap();
        let ours = record(child.id(), real);
        registry.save(&ours).unwrap();
        assert_eq!(registry.load("a").unwrap(), Some(ours.clone()));
        assert_eq!(registry.names().unwrap(), ["a"]);
        assert!(
            registry
                .claim("a")
                .unwrap_err()
                .to_string()
                .contains("is up already")
        );
        assert_eq!(registry.end(&ours).unwrap(), 1);
        assert!(!child.wait().unwrap().success());
        assert_eq!(registry.load("a").unwrap(), None);
        assert!(!registry.folder("a").exists());
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        let registry = Registry::at(PathBuf::from("/nowhere"));
        for name in ["", "..", "a/b", "a b", &"x".repeat(65)] {
            assert!(
                registry.claim(name).is_err() && registry.load(name).is_err(),
                "{name:?}"
            );
        }
    }
}

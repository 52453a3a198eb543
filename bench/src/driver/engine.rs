//! The servers that can be launched: where the binary is, which version it is, how a node of it is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use thiserror::Error;

/// The name of the hidden command under which this binary is a node.
pub const NODE: &str = "node";

/// Whose options a server understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Stock's and our own.
    Slotmark,
    /// Those of redis-server, which valkey-server has as well.
    Stock,
    /// Stock's, and threads of its own kind.
    KeyDb,
    /// Its own; a cluster of it is one node.
    Dragonfly,
    /// Its own; a cluster of it is one node.
    Kevy,
}

impl Family {
    /// What a server belongs to that is called so, or says so of its version.
    fn of(name: &str, version_text: &str) -> Self {
        let says = |word| name.contains(word) || version_text.to_ascii_lowercase().contains(word);
        match () {
            () if says("slotmark") => Self::Slotmark,
            () if says("keydb") => Self::KeyDb,
            () if says("dragonfly") => Self::Dragonfly,
            () if says("kevy") => Self::Kevy,
            () => Self::Stock,
        }
    }

    /// Whether its nodes can be told of each other by nodes.conf, and so form clusters of several.
    pub fn has_bus(self) -> bool {
        !matches!(self, Self::Dragonfly | Self::Kevy)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Program {
    /// This very binary, started again as `loadgen node`.
    Embedded,
    File(PathBuf),
}

/// A server that was found and asked for its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    name: String,
    family: Family,
    program: Program,
    version: String,
}

#[derive(Debug, Error)]
pub enum EngineError {
    #[error("{binary} not found on PATH: {advice}, or give its path with {flag} /path/to/{binary}")]
    NotOnPath {
        binary: &'static str,
        advice: &'static str,
        flag: &'static str,
    },
    #[error(
        "no engine '{0}': choose slotmark, redis, valkey, keydb, dragonfly, kevy, or the path of a server binary (with a /)"
    )]
    Unknown(String),
    #[error("{0}: no such file")]
    NoSuchFile(PathBuf),
    #[error("{path}: cannot be run: {cause}")]
    CannotRun { path: PathBuf, cause: String },
    #[error("{0}: does not answer --version as a Redis-compatible server does")]
    NotAServer(PathBuf),
}

impl EngineError {
    /// Whether the command line is at fault rather than the machine.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

/// A server that is looked for on PATH.
struct Known {
    name: &'static str,
    binary: &'static str,
    advice: &'static str,
}

const KNOWN: [Known; 5] = [
    Known {
        name: "redis",
        binary: "redis-server",
        advice: INSTALL_REDIS,
    },
    Known {
        name: "valkey",
        binary: "valkey-server",
        advice: INSTALL_VALKEY,
    },
    Known {
        name: "keydb",
        binary: "keydb-server",
        advice: "see https://docs.keydb.dev/docs/download",
    },
    Known {
        name: "dragonfly",
        binary: "dragonfly",
        advice: "see https://www.dragonflydb.io/docs/getting-started/binary",
    },
    Known {
        name: "kevy",
        binary: "kevy",
        advice: "install it with `cargo install kevy`",
    },
];

const INSTALL_REDIS: &str = "install it with `apt-get install redis-server` (Debian, Ubuntu), \
     `dnf install redis` (Fedora) or `brew install redis` (macOS)";
const INSTALL_VALKEY: &str = "install it with `apt-get install valkey-server` (Debian, Ubuntu), \
     `dnf install valkey` (Fedora) or `brew install valkey` (macOS)";

impl Engine {
    /// The node that is built into this binary.
    pub fn embedded() -> Self {
        Self {
            name: "slotmark".to_owned(),
            family: Family::Slotmark,
            program: Program::Embedded,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Finds what the user named with `flag` (`--engine` or `--compare`).
    pub fn find(selector: &str, flag: &'static str) -> Result<Self, EngineError> {
        if selector == "slotmark" {
            return Ok(Self::embedded());
        }
        if selector.contains('/') {
            return Self::from_file(Path::new(selector));
        }
        let known = KNOWN
            .iter()
            .find(|known| [known.name, known.binary].contains(&selector))
            .ok_or_else(|| EngineError::Unknown(selector.to_owned()))?;
        let path = on_path(known.binary).ok_or(EngineError::NotOnPath {
            binary: known.binary,
            advice: known.advice,
            flag,
        })?;
        Self::from_binary(path, known.name.to_owned())
    }

    /// Every server but ours that is on PATH.
    pub fn peers() -> Vec<Result<Self, EngineError>> {
        let found = KNOWN
            .iter()
            .filter_map(|known| Some((known, on_path(known.binary)?)));
        found
            .map(|(known, path)| Self::from_binary(path, known.name.to_owned()))
            .collect()
    }

    fn from_file(path: &Path) -> Result<Self, EngineError> {
        let path = path
            .canonicalize()
            .map_err(|_| EngineError::NoSuchFile(path.to_owned()))?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Self::from_binary(path, name.trim_end_matches("-server").to_owned())
    }

    fn from_binary(path: PathBuf, name: String) -> Result<Self, EngineError> {
        let output = Command::new(&path)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|e| EngineError::CannotRun {
                path: path.clone(),
                cause: e.to_string(),
            })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = version_in(&text).ok_or_else(|| EngineError::NotAServer(path.clone()))?;
        let family = Family::of(&name, &text);
        Ok(Self {
            name,
            family,
            program: Program::File(path),
            version,
        })
    }

    /// A short name: `slotmark`, `redis`, `valkey`, or the file's.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    /// Name and version.
    pub fn title(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    pub fn family(&self) -> Family {
        self.family
    }

    /// The program and the arguments that come before a node's own; `loadgen` is the path of this binary.
    pub fn command(&self, loadgen: &Path) -> Vec<OsString> {
        match &self.program {
            Program::Embedded => vec![loadgen.into(), NODE.into()],
            Program::File(path) => vec![path.into()],
        }
    }
}

/// `7.0.15` out of `Redis server v=7.0.15 sha=...`, or out of `name 7.0.15` and `name v7.0.15`.
fn version_in(text: &str) -> Option<String> {
    let stocks = text.split_whitespace().find_map(|word| word.strip_prefix("v="));
    let others = text
        .split_whitespace()
        .nth(1)
        .map(|word| word.trim_start_matches('v'));
    let version = stocks.or(others)?;
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| version.to_owned())
}

/// Where a program is that a shell would find.
pub(super) fn on_path(binary: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(binary))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_usual_line() {
        let line = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1\n";
        assert_eq!(version_in(line).as_deref(), Some("7.0.15"));
        assert_eq!(
            version_in("Valkey server v=8.1.3 sha=0\n").as_deref(),
            Some("8.1.3")
        );
        assert_eq!(version_in("kevy 3.17.3\n").as_deref(), Some("3.17.3"));
        assert_eq!(
            version_in("dragonfly v1.27.1-ab\nbuild time: x").as_deref(),
            Some("1.27.1-ab")
        );
        assert_eq!(version_in("ls (GNU coreutils) 9.1"), None);
        assert_eq!(version_in("v=next"), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = Engine::find("memcached", "--engine").unwrap_err();
        assert!(
            error.is_usage() && error.to_string().contains("choose slotmark, redis, valkey"),
            "{error}"
        );
        assert!(matches!(
            Engine::find("/nowhere/redis-server", "--engine"),
            Err(EngineError::NoSuchFile(_))
        ));
        assert!(matches!(
            Engine::find("/etc/passwd", "--engine"),
            Err(EngineError::CannotRun { .. })
        ));
        assert!(matches!(
            Engine::find("/bin/true", "--engine"),
            Err(EngineError::NotAServer(_))
        ));
        let missing = EngineError::NotOnPath {
            binary: "redis-server",
            advice: INSTALL_REDIS,
            flag: "--compare",
        };
        assert!(
            missing.to_string().contains("apt-get install redis-server"),
            "{missing}"
        );
    }

    #[test]
    fn the_embedded_engine_restarts_this_binary() {
        let engine = Engine::find("slotmark", "--engine").unwrap();
        assert_eq!(engine.command(Path::new("/x/loadgen")), ["/x/loadgen", "node"]);
        assert_eq!(engine.family(), Family::Slotmark);
    }
}

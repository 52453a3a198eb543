//! The file that a node keeps its view of the cluster in: locked, loaded, replaced.
//!
//! The lock is an advisory flock on the file itself, as redis-server takes it, so that a node of either kind sees that
//! the other uses the file. Every save puts a new file in the old one's place; it is locked before it gets the name, so
//! that there is no moment at which a second node could take it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use slotcore::topology::nodes::{NodesConf, NodesError, parse_conf, write_conf};

/// nodes.conf, held by this process for as long as the value lives.
#[derive(Debug)]
pub struct NodesFile {
    path: PathBuf,
    /// The file that has the name now; its lock is the claim.
    locked: File,
}

/// Why nodes.conf cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodesFileError {
    /// Somebody holds the lock.
    #[error(
        "the cluster configuration file {} is already used by a different node; give every node a file of its own with \
         cluster-config-file", .0.display()
    )]
    Busy(PathBuf),
    /// An operation on the file failed.
    #[error("cannot {what} the cluster configuration file {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// It does not hold what it should.
    #[error("corrupted cluster configuration file {}: {error}", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: NodesError,
    },
    /// It holds bytes that are no text.
    #[error("corrupted cluster configuration file {}: line {line}: not UTF-8 text", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
}

impl NodesFile {
    /// Opens the file, or makes an empty one, and locks it.
    pub fn lock(path: &Path) -> Result<Self, NodesFileError> {
        let io = |what, source| NodesFileError::Io {
            what,
            path: path.to_owned(),
            source,
        };
        // CONFIG SET dir moves the process to another directory; the file stays where it is.
        let path = &std::path::absolute(path).map_err(|source| io("find", source))?;
        loop {
            let mut options = OpenOptions::new();
            let locked = options
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path);
            let locked = locked.map_err(|source| io("open", source))?;
            match locked.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(NodesFileError::Busy(path.to_owned())),
                Err(TryLockError::Error(source)) => return Err(io("lock", source)),
            }
            // Between the opening and the locking its owner may have put a new file in its place; what we hold then is
            // a file without a name.
            let held = locked.metadata().map_err(|source| io("inspect", source))?;
            match fs::metadata(path) {
                Ok(named) if (named.dev(), named.ino()) == (held.dev(), held.ino()) => {
                    return Ok(Self {
                        path: path.to_owned(),
                        locked,
                    });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(io("inspect", source)),
            }
        }
    }

    /// Reads it. `None`: it is empty, so the node has never run before.
    pub fn load(&mut self) -> Result<Option<NodesConf>, NodesFileError> {
        let mut bytes = Vec::new();
        self.locked
            .read_to_end(&mut bytes)
            .map_err(|source| self.io("read", source))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| NodesFileError::NotText {
            path: self.path.clone(),
            line: 1 + bytes[..error.valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count(),
        })?;
        match parse_conf(text) {
            Ok(conf) => Ok(Some(conf)),
            Err(error) => Err(NodesFileError::Corrupt {
                path: self.path.clone(),
                error,
            }),
        }
    }

    /// Puts a new content in its place. It is on the disk, whole, when this returns. On an error the old content
    /// stands, unless all that failed was to make the new one's name durable.
    pub fn save(&mut self, conf: &NodesConf) -> Result<(), NodesFileError> {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".tmp-{}", std::process::id()));
        let temporary = PathBuf::from(name);
        let replaced = self
            .write(&temporary, write_conf(conf).as_bytes())
            .and_then(|file| {
                fs::rename(&temporary, &self.path).map_err(|source| self.io("replace", source))?;
                Ok(file)
            });
        match replaced {
            Ok(file) => self.locked = file,
            Err(error) => {
                // It may never have come to be; what matters is told already.
                let _ = fs::remove_file(&temporary);
                return Err(error);
            }
        }
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(|source| self.io("sync the directory of", source))
    }

    /// The content under another name: locked, and on the disk.
    fn write(&self, temporary: &Path, text: &[u8]) -> Result<File, NodesFileError> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).open(temporary);
        let mut file = file.map_err(|source| self.io("make the successor of", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NodesFileError::Busy(self.path.clone())),
            Err(TryLockError::Error(source)) => return Err(self.io("lock the successor of", source)),
        }
        let written = file.write_all(text).and_then(|()| file.sync_all());
        written.map_err(|source| self.io("write", source))?;
        Ok(file)
    }

    fn io(&self, what: &'static str, source: io::Error) -> NodesFileError {
        NodesFileError::Io {
            what,
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa :0@0 myself,master - 0 0 0 connected\n\
                         vars currentEpoch 0 lastVoteEpoch 0\n";

    #[test]
    fn a_file_is_one_nodes_own_before_and_after_a_save() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nodes.conf");
        let mut file = NodesFile::lock(&path).unwrap();
        assert_eq!(file.load().unwrap(), None);
        assert!(matches!(NodesFile::lock(&path), Err(NodesFileError::Busy(_))));
        let conf = parse_conf(FRESH).unwrap();
        for _ in 0..3 {
            file.save(&conf).unwrap();
            assert!(
                matches!(NodesFile::lock(&path), Err(NodesFileError::Busy(_))),
                "the successor is locked too"
            );
        }
        drop(file);
        assert_eq!(NodesFile::lock(&path).unwrap().load().unwrap(), Some(conf));
        assert_eq!(fs::read_to_string(&path).unwrap(), FRESH);
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no temporary file stays"
        );
    }

    #[test]
    fn damage_is_told_with_file_and_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nodes.conf");
        fs::write(&path, "\nrubbish\n").unwrap();
        let error = NodesFile::lock(&path).unwrap().load().unwrap_err().to_string();
        assert!(
            error.ends_with("nodes.conf: line 2: a node has at least 8 fields, this line has 1"),
            "{error}"
        );
        fs::write(&path, b"\n\n\xff\n").unwrap();
        let error = NodesFile::lock(&path).unwrap().load().unwrap_err().to_string();
        assert!(error.ends_with("nodes.conf: line 3: not UTF-8 text"), "{error}");
    }

    #[test]
    fn a_failed_save_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nodes.conf");
        fs::write(&path, FRESH).unwrap();
        let mut file = NodesFile::lock(&path).unwrap();
        let conf = file.load().unwrap().unwrap();
        // A directory in the successor's place cannot be written, whoever runs the test.
        let name = format!("nodes.conf.tmp-{}", std::process::id());
        fs::create_dir(dir.path().join(&name)).unwrap();
        let error = file
            .save(&NodesConf {
                current_epoch: 9,
                ..conf
            })
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("cannot make the successor of the cluster configuration file"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), FRESH);
    }

    #[test]
    fn a_directory_that_is_not_there_is_told() {
        let error = NodesFile::lock(Path::new("/nowhere/nodes.conf"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("cannot open the cluster configuration file /nowhere/nodes.conf: "),
            "{error}"
        );
    }
}

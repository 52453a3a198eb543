//! The configuration of a running node: read without a lock, changed as a whole.

use super::directive::{Change, Kind};
use super::load::{LoadError, Loaded, UserLine, ignored_warning, os_reason};
use super::rewrite;
use super::settings::Config;
use super::value::Value;
use super::values::{DirectiveId, Values};
use crate::glob;
use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

/// The live configuration.
#[derive(Debug)]
pub struct ConfigStore {
    current: ArcSwap<Config>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    values: Values,
    file: Option<PathBuf>,
    users: Vec<UserLine>,
}

/// Why CONFIG SET changed nothing. Displays as the reply, without its `-`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// No directive has this name.
    #[error("ERR Unknown option or number of arguments for CONFIG SET - '{0}'")]
    Unknown(String),
    /// One pair is wrong, or could not be applied.
    #[error("ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}")]
    Argument {
        /// The name as asked for, lowercase.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

/// Why CONFIG REWRITE did not write. Displays as the reply, without its `-`.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The node was started without a file.
    #[error("ERR The server is running without a config file")]
    NoFile,
    /// The system refused.
    #[error("ERR Rewriting config file: {}", os_reason(.0))]
    Io(#[from] std::io::Error),
}

/// A new configuration could not take effect.
#[derive(Debug)]
pub struct ApplyError {
    /// The directive that failed.
    pub directive: &'static str,
    /// What to tell the client.
    pub reason: String,
}

impl ConfigStore {
    /// Starts from what the command line gave.
    pub fn new(loaded: Loaded) -> Self {
        ConfigStore {
            current: ArcSwap::from_pointee(Config::from_values(&loaded.values)),
            state: Mutex::new(State {
                values: loaded.values,
                file: loaded.file,
                users: loaded.users,
            }),
        }
    }

    /// Starts from options as they follow the program's name on a command line.
    ///
    /// # Errors
    /// As [`super::load()`].
    pub fn from_options(options: &[&str]) -> Result<Self, LoadError> {
        let args: Vec<_> = options.iter().map(|option| option.as_bytes().to_vec()).collect();
        super::load::load(&args).map(ConfigStore::new)
    }

    /// The configuration in force, for a short use: cheap, no lock.
    pub fn load(&self) -> Guard<Arc<Config>> {
        self.current.load()
    }

    /// The configuration in force, to keep.
    pub fn snapshot(&self) -> Arc<Config> {
        self.current.load_full()
    }

    /// The file that the node was started with.
    pub fn file(&self) -> Option<PathBuf> {
        self.state.lock().file.clone()
    }

    /// Names and values for CONFIG GET: exact names as they were asked for, and what the patterns match.
    pub fn get(&self, patterns: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let state = self.state.lock();
        let mut found: Vec<(Vec<u8>, DirectiveId)> = Vec::new();
        let mut add = |name: &[u8], id| {
            if !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                found.push((name.to_vec(), id));
            }
        };
        for pattern in patterns {
            if !pattern.iter().any(|b| matches!(b, b'[' | b'*' | b'?')) {
                if let Some(id) = DirectiveId::find(pattern) {
                    add(pattern, id);
                }
                continue;
            }
            for id in DirectiveId::all() {
                let names = [Some(id.directive().name), id.directive().alias];
                for name in names.into_iter().flatten() {
                    if glob::matches_ignore_case(pattern, name.as_bytes()) {
                        add(name.as_bytes(), id);
                    }
                }
            }
        }
        found
            .into_iter()
            .map(|(name, id)| (name, state.show(id)))
            .collect()
    }

    /// Sets all pairs or none. `apply` is called with the old and the new configuration before anybody else sees the
    /// new one, and may refuse it. Returns warnings for the log.
    ///
    /// # Errors
    /// The reply to send; nothing has changed.
    pub fn set(
        &self,
        pairs: &[(&[u8], &[u8])],
        allow_protected: bool,
        mut apply: impl FnMut(&Config, &Config) -> Result<(), ApplyError>,
    ) -> Result<Vec<String>, SetError> {
        let mut state = self.state.lock();
        let ids = find_all(pairs, allow_protected)?;
        let mut values = state.values.clone();
        for ((name, text), id) in pairs.iter().zip(&ids) {
            set_one(&mut values, *id, text).map_err(|reason| argument(name, reason))?;
        }
        let new = Config::from_values(&values);
        let old = self.snapshot();
        if let Err(error) = apply(&old, &new) {
            // Whatever was applied before the failure is taken back.
            let _ = apply(&new, &old);
            return Err(argument(error.directive.as_bytes(), error.reason));
        }
        let changed = ids.iter().filter(|id| values.get(**id) != state.values.get(**id));
        let warnings = changed.filter_map(|id| ignored_warning(*id, &values)).collect();
        state.values = values;
        self.current.store(Arc::new(new));
        Ok(warnings)
    }

    /// The `user` lines that the node was started with, once.
    pub fn take_user_lines(&self) -> Vec<UserLine> {
        std::mem::take(&mut self.state.lock().users)
    }

    /// Brings the file up to date, in one step as seen by readers. `users` are the lines of the users that there are; None
    /// if they have a file of their own.
    ///
    /// # Errors
    /// The reply to send.
    pub fn rewrite(&self, users: Option<&[Vec<u8>]>) -> Result<(), RewriteError> {
        let state = self.state.lock();
        let path = state.file.as_ref().ok_or(RewriteError::NoFile)?;
        Ok(rewrite::rewrite_file(path, &state.values, users)?)
    }
}

impl State {
    fn show(&self, id: DirectiveId) -> Vec<u8> {
        let shown = self.values.get(id).show(id.directive().kind);
        if id.directive().name == "dir" && shown.is_empty() {
            return std::env::current_dir()
                .map(|dir| dir.as_os_str().as_bytes().to_vec())
                .unwrap_or_default();
        }
        shown
    }
}

fn argument(name: &[u8], reason: impl Into<String>) -> SetError {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    SetError::Argument {
        name,
        reason: reason.into(),
    }
}

fn find_all(pairs: &[(&[u8], &[u8])], allow_protected: bool) -> Result<Vec<DirectiveId>, SetError> {
    let mut ids = Vec::with_capacity(pairs.len());
    for (name, _) in pairs {
        let unknown = || SetError::Unknown(String::from_utf8_lossy(name).into_owned());
        let id = DirectiveId::find(name).ok_or_else(unknown)?;
        match id.directive().change {
            Change::Start => return Err(argument(name, "can't set immutable config")),
            Change::StartSoFar => {
                return Err(argument(
                    name,
                    "slotmark-server cannot change this while it runs yet",
                ));
            }
            Change::Protected if !allow_protected => {
                return Err(argument(name, "can't set protected config"));
            }
            Change::Protected | Change::Runtime => {}
        }
        if ids.contains(&id) {
            return Err(argument(name, "duplicate parameter"));
        }
        ids.push(id);
    }
    Ok(ids)
}

fn set_one(values: &mut Values, id: DirectiveId, text: &[u8]) -> Result<(), String> {
    let directive = id.directive();
    if directive.kind == Kind::SavePoints {
        values.put(id, Value::SavePoints(Vec::new()));
    }
    if directive.name == "dir" {
        let dir = std::path::Path::new(std::ffi::OsStr::from_bytes(text));
        let dir = dir.canonicalize().map_err(|error| os_reason(&error))?;
        return values.set(id, &[dir.as_os_str().as_bytes().to_vec()]);
    }
    if !directive.kind.takes_many() {
        return values.set(id, &[text.to_vec()]);
    }
    let mut args: Vec<_> = text
        .split(|b| *b == b' ')
        .filter(|arg| !arg.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    if args.is_empty() {
        args.push(Vec::new());
    }
    values.set(id, &args)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> ConfigStore {
        ConfigStore::from_options(&[]).unwrap()
    }

    fn set(store: &ConfigStore, pairs: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        store.set(&pairs, false, |_, _| Ok(())).map_err(|e| e.to_string())
    }

    fn get(store: &ConfigStore, patterns: &[&str]) -> Vec<(String, String)> {
        let patterns: Vec<_> = patterns.iter().map(|p| p.as_bytes()).collect();
        let text = |b| String::from_utf8(b).unwrap();
        store
            .get(&patterns)
            .into_iter()
            .map(|(n, v)| (text(n), text(v)))
            .collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn get_takes_names_aliases_and_patterns_once_each() {
        let store = store();
        assert_eq!(get(&store, &["HZ", "h?", "nope"]), [pair("HZ", "10")]);
        assert_eq!(
            get(&store, &["*-validity-*"]),
            [
                pair("cluster-replica-validity-factor", "10"),
                pair("cluster-slave-validity-factor", "10")
            ]
        );
        assert!(get(&store, &["*"]).len() > 190);
        assert_eq!(
            get(&store, &["dir"])[0].1,
            std::env::current_dir().unwrap().display().to_string()
        );
    }

    #[test]
    fn set_is_all_or_nothing_with_stocks_errors() {
        let store = store();
        let failed = |name: &str, why: &str| {
            Err(format!(
                "ERR CONFIG SET failed (possibly related to argument '{name}') - {why}"
            ))
        };
        assert_eq!(
            set(&store, &[("maxclients", "5"), ("foo", "1")]),
            Err("ERR Unknown option or number of arguments for CONFIG SET - 'foo'".into())
        );
        assert_eq!(
            set(&store, &[("hz", "5"), ("hz", "6")]),
            failed("hz", "duplicate parameter")
        );
        assert_eq!(
            set(&store, &[("hz", "5"), ("daemonize", "yes")]),
            failed("daemonize", "can't set immutable config")
        );
        assert_eq!(
            set(&store, &[("dir", "/")]),
            failed("dir", "can't set protected config")
        );
        assert_eq!(
            set(&store, &[("hz", "5"), ("timeout", "x")]),
            failed("timeout", "argument couldn't be parsed into an integer")
        );
        assert_eq!(store.load().hz, 10);
        assert_eq!(set(&store, &[("hz", "1000"), ("TIMEOUT", "7")]), Ok(vec![]));
        assert_eq!((store.load().hz, store.load().timeout_s), (500, 7));
        assert_eq!(set(&store, &[("save", "60 1 30 2")]).unwrap().len(), 1);
        assert_eq!(get(&store, &["save"]), [pair("save", "60 1 30 2")]);
        set(&store, &[("save", "")]).unwrap();
        assert_eq!(get(&store, &["save"]), [pair("save", "")]);
    }

    #[test]
    fn a_change_that_cannot_be_applied_is_taken_back() {
        let store = store();
        let mut seen = Vec::new();
        let result = store.set(&[(b"maxclients", b"99")], false, |old, new| {
            seen.push((old.maxclients, new.maxclients));
            match new.maxclients {
                99 => Err(ApplyError {
                    directive: "maxclients",
                    reason: "too many".into(),
                }),
                _ => Ok(()),
            }
        });
        assert!(
            result
                .unwrap_err()
                .to_string()
                .ends_with("'maxclients') - too many")
        );
        assert_eq!(seen, [(10_000, 99), (99, 10_000)]);
        assert_eq!(store.load().maxclients, 10_000);
    }
}

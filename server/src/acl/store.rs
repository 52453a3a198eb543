//! All users of the node.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use parking_lot::Mutex;

use super::DEFAULT_USER;
use super::account::Account;
use super::file;
use super::log::AclLog;
use super::rule::{RuleError, is_name};
use super::user::{Defaults, RulesError, User};
use crate::admin::clients::ClientShared;
use crate::config::{Config, UserLine, replace_file};
use crate::log as server_log;

/// The users, and what was refused to them.
#[derive(Debug)]
pub struct Acl {
    default: Arc<Account>,
    /// By name, the default user among them.
    accounts: Mutex<BTreeMap<Box<[u8]>, Arc<Account>>>,
    /// Where ACL LOAD and SAVE read and write.
    file: Option<PathBuf>,
    /// `acl-pubsub-default allchannels`.
    all_channels: AtomicBool,
    /// ACL LOG.
    pub log: AclLog,
}

/// Why the node cannot start with these users.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There are two sources of users.
    #[error(
        "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is invalid. This \
         setup is very likely to lead to configuration errors and security holes, please define either an ACL file or \
         declare users directly in your redis.conf, but not both."
    )]
    FileAndLines,
    /// A line of the configuration.
    #[error("Spaces not allowed in ACL usernames")]
    Name,
    /// A line of the configuration.
    #[error("Error loading ACL rule '{rule}' for the user named '{name}': {error}")]
    Rule {
        /// The rule.
        rule: String,
        /// The user.
        name: String,
        /// What is wrong with it.
        error: RuleError,
    },
    /// The ACL file.
    #[error("Aborting Redis startup because of ACL errors: {0}")]
    File(LoadFailure),
}

/// Why an ACL file cannot be taken. Displays as redis-server says it.
#[derive(Debug, thiserror::Error)]
pub enum LoadFailure {
    /// There is none.
    #[error(
        "This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER \
         command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store \
         users in the Redis configuration."
    )]
    NoFile,
    /// The system refused.
    #[error("Error loading ACLs, opening file '{path}': {reason}")]
    Open {
        /// The file.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// What it says is wrong.
    #[error("{0}")]
    Text(String),
}

/// The rules of a user before and after a change.
pub struct Changed {
    /// Whose.
    pub account: Arc<Account>,
    /// Those that were in force; none if the user is new.
    pub before: Option<Arc<User>>,
    /// Those that are.
    pub after: Arc<User>,
}

impl Acl {
    /// The users that the configuration names, or its ACL file.
    pub fn open(config: &Config, lines: &[UserLine]) -> Result<Self, OpenError> {
        let mut user = User::all_powerful();
        if let Some(password) = &config.requirepass {
            user.set_only_password(Some(password));
        }
        let default = Account::new(DEFAULT_USER, user);
        let acl = Self {
            accounts: Mutex::new(BTreeMap::from([(DEFAULT_USER.into(), default.clone())])),
            default,
            file: config.aclfile.clone(),
            all_channels: AtomicBool::new(false),
            log: AclLog::default(),
        };
        acl.configure(config);
        if acl.file.is_some() && !lines.is_empty() {
            return Err(OpenError::FileAndLines);
        }
        for line in lines {
            acl.add_line(line)?;
        }
        if acl.file.is_some() {
            acl.load().map_err(OpenError::File)?;
        }
        Ok(acl)
    }

    fn add_line(&self, line: &UserLine) -> Result<(), OpenError> {
        if !is_name(&line.name) {
            return Err(OpenError::Name);
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let user =
            file::parse_user(&line.name, &line.rules, self.defaults()).map_err(|error| match error {
                RulesError::Rule(rule, error) => OpenError::Rule {
                    rule: text(&rule),
                    name: text(&line.name),
                    error,
                },
                RulesError::Unmatched(place) => OpenError::Rule {
                    rule: text(&line.rules[place]),
                    name: text(&line.name),
                    error: RuleError::Syntax,
                },
            })?;
        self.install(&line.name, user);
        Ok(())
    }

    fn install(&self, name: &[u8], user: User) {
        if name == DEFAULT_USER {
            self.default.replace(user);
        } else {
            let account = Account::new(name, user);
            self.accounts.lock().insert(name.into(), account);
        }
    }

    /// Follows the configuration; not its passwords, which are set apart.
    pub fn configure(&self, config: &Config) {
        self.all_channels.store(config.acl_all_channels, Relaxed);
        self.log.configure(config);
    }

    /// How new users begin.
    pub fn defaults(&self) -> Defaults {
        Defaults {
            all_channels: self.all_channels.load(Relaxed),
        }
    }

    /// `requirepass` has another value.
    pub fn set_default_password(&self, password: Option<&[u8]>) {
        let _order = self.accounts.lock();
        let mut user = User::clone(&self.default.user());
        user.set_only_password(password);
        self.default.replace(user);
    }

    /// The account of connections that have not said who they are.
    pub fn default_account(&self) -> &Arc<Account> {
        &self.default
    }

    /// The account of this name.
    pub fn find(&self, name: &[u8]) -> Option<Arc<Account>> {
        self.accounts.lock().get(name).cloned()
    }

    /// All accounts, by name.
    pub fn all(&self) -> Vec<Arc<Account>> {
        self.accounts.lock().values().cloned().collect()
    }

    /// The users as lines, without their ends.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        self.all()
            .iter()
            .map(|account| account.user().describe(account.name()))
            .collect()
    }

    /// Lets a connection in as this user, if the password is right. From then on it ends when the user is deleted.
    pub fn log_in(&self, client: &ClientShared, name: &[u8], password: &[u8]) -> Option<Arc<Account>> {
        let account = self.find(name)?;
        if !account.user().admits(password) {
            return None;
        }
        // It may have been deleted meanwhile: whoever deletes it looks for its clients after this.
        let accounts = self.accounts.lock();
        let is_there = accounts
            .get(name)
            .is_some_and(|known| Arc::ptr_eq(known, &account));
        is_there.then(|| {
            client.set_account(Some(account.clone()));
            account
        })
    }

    /// ACL SETUSER: changes a user, or makes it. All words apply or none.
    pub fn set_user(&self, name: &[u8], words: &[&[u8]]) -> Result<Changed, RulesError> {
        let defaults = self.defaults();
        let mut accounts = self.accounts.lock();
        if let Some(account) = accounts.get(name) {
            let user = account.user().with_rules(words, defaults)?;
            let before = account.replace(user);
            return Ok(Changed {
                account: account.clone(),
                before: Some(before),
                after: account.user().clone(),
            });
        }
        let user = User::new(defaults).with_rules(words, defaults)?;
        let account = Account::new(name, user);
        accounts.insert(name.into(), account.clone());
        Ok(Changed {
            after: account.user().clone(),
            account,
            before: None,
        })
    }

    /// ACL DELUSER: the account that is no more.
    pub fn delete(&self, name: &[u8]) -> Option<Arc<Account>> {
        if name == DEFAULT_USER {
            return None;
        }
        let account = self.accounts.lock().remove(name)?;
        account.revoke();
        Some(account)
    }

    /// ACL LOAD: the users of the file take the place of all. Returns the accounts that are no more.
    pub fn load(&self) -> Result<Vec<Arc<Account>>, LoadFailure> {
        let path = self.file.as_ref().ok_or(LoadFailure::NoFile)?;
        let shown = path.display().to_string();
        let text = fs::read(path).map_err(|error| LoadFailure::Open {
            path: shown.clone(),
            reason: crate::config::os_reason(&error),
        })?;
        let users = file::parse(&text, &shown, self.defaults()).map_err(LoadFailure::Text)?;
        let mut accounts = self.accounts.lock();
        let default = users.iter().find(|(name, _)| **name == *DEFAULT_USER);
        let default = default.map_or_else(User::all_powerful, |(_, user)| user.clone());
        self.default.replace(default);
        let mut loaded = BTreeMap::from([(DEFAULT_USER.into(), self.default.clone())]);
        for (name, user) in users.into_iter().filter(|(name, _)| **name != *DEFAULT_USER) {
            let account = Account::new(&name, user);
            loaded.insert(name, account);
        }
        let before = std::mem::replace(&mut *accounts, loaded);
        let gone = before
            .into_values()
            .filter(|account| !Arc::ptr_eq(account, &self.default));
        Ok(gone.inspect(|account| account.revoke()).collect())
    }

    /// ACL SAVE: a reader of the file sees the old one or the new one.
    pub fn save(&self) -> Result<(), LoadFailure> {
        let path: &Path = self.file.as_deref().ok_or(LoadFailure::NoFile)?;
        let mut text = Vec::new();
        for line in self.lines() {
            text.extend_from_slice(&line);
            text.push(b'\n');
        }
        replace_file(path, &text).map_err(|error| {
            server_log::warning(format_args!("Saving ACL file {}: {error}", path.display()));
            LoadFailure::Text(
                "There was an error trying to save the ACLs. Please check the server logs for more information".into(),
            )
        })
    }

    /// Do users come from a file of their own?
    pub fn has_file(&self) -> bool {
        self.file.is_some()
    }
}

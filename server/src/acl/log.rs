//! ACL LOG: what was refused lately, equal refusals in one entry.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;
use slotcore::command::CommandSpec;
use slotcore::resp::Args;

use super::account::Account;
use super::check::{Denied, Reason};
use crate::admin::clients::ClientShared;
use crate::config::Config;

/// Equal refusals that are no further apart are one entry.
const GROUPED_WITHIN_MS: u64 = 60_000;
/// So many of the newest entries are looked at for an equal one.
const LOOKED_AT: usize = 10;

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// A client.
    Toplevel,
    /// A client, between MULTI and the end of EXEC.
    Multi,
    /// A script.
    Lua,
}

impl Context {
    /// As ACL LOG shows it.
    pub fn name(self) -> &'static str {
        match self {
            Context::Toplevel => "toplevel",
            Context::Multi => "multi",
            Context::Lua => "lua",
        }
    }
}

/// One kind of refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// How often.
    pub count: u64,
    /// `command`, `key`, `channel` or `auth`.
    pub reason: &'static str,
    /// From where.
    pub context: Context,
    /// The command, key or channel that was refused; the command by which somebody tried to come in.
    pub object: Box<[u8]>,
    /// To whom.
    pub username: Box<[u8]>,
    /// Unix time in milliseconds of the last one.
    pub time_ms: u64,
    /// The line of CLIENT LIST of that client then.
    pub client_info: String,
}

impl Entry {
    fn is_like(&self, other: &Entry) -> bool {
        self.reason == other.reason
            && self.context == other.context
            && other.time_ms.abs_diff(self.time_ms) <= GROUPED_WITHIN_MS
            && self.object == other.object
            && self.username == other.username
    }
}

/// The entries, the newest first.
#[derive(Debug, Default)]
pub struct AclLog {
    entries: Mutex<VecDeque<Entry>>,
    max_len: AtomicUsize,
}

impl AclLog {
    /// Follows the configuration.
    pub(super) fn configure(&self, config: &Config) {
        self.max_len.store(config.acllog_max_len, Relaxed);
    }

    /// A request was refused.
    #[allow(clippy::too_many_arguments, reason = "each is a field of the entry")]
    pub fn denied(
        &self,
        denied: Denied,
        context: Context,
        spec: &'static CommandSpec,
        args: &Args<'_>,
        client: &ClientShared,
        account: &Account,
        now: u64,
    ) {
        let (reason, object) = match denied.reason {
            Reason::Command => ("command", spec.full_name.as_bytes()),
            Reason::Key => ("key", args.get(denied.argument).unwrap_or_default()),
            Reason::Channel => ("channel", args.get(denied.argument).unwrap_or_default()),
        };
        self.add(reason, context, object, account.name(), client, now);
    }

    /// Somebody tried to come in and was not let, by this command (as it was written).
    pub fn bad_login(&self, context: Context, command: &[u8], name: &[u8], client: &ClientShared, now: u64) {
        self.add("auth", context, command, name, client, now);
    }

    fn add(
        &self,
        reason: &'static str,
        context: Context,
        object: &[u8],
        name: &[u8],
        client: &ClientShared,
        now: u64,
    ) {
        let mut entry = Entry {
            count: 1,
            reason,
            context,
            object: object.into(),
            username: name.into(),
            time_ms: now,
            client_info: client.describe().to_string(),
        };
        let mut entries = self.entries.lock();
        let like = entries
            .iter()
            .take(LOOKED_AT)
            .position(|known| known.is_like(&entry));
        if let Some(known) = like.and_then(|place| entries.remove(place)) {
            entry.count += known.count;
        }
        entries.push_front(entry);
        if like.is_none() {
            entries.truncate(self.max_len.load(Relaxed));
        }
    }

    /// The newest entries.
    pub fn newest(&self, count: usize) -> Vec<Entry> {
        self.entries.lock().iter().take(count).cloned().collect()
    }

    /// ACL LOG RESET.
    pub fn reset(&self) {
        self.entries.lock().clear();
    }
}

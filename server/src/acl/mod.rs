//! Access control: users, what each may do, and a log of what was refused.
//!
//! ```text
//! words of a rule ─► rule ─► User ─► selectors ─► commands, key patterns, channels     SETUSER, `user` lines, aclfile
//! request ─► session's Account ─► may it do everything? ─► check ─► Denied ─► log        each command
//! ```
//!
//! A [`User`] is a value that no one changes: another one takes its place in the [`Account`] that all sessions of that
//! user share, so that they notice at their next command. Of a user who may do everything, as the default user may at
//! first, nothing but a flag of the account is read.
//!
//! [`check()`] asks whether a user may run a request: the dispatcher does for what clients send, and scripts for what
//! they call.

mod account;
mod check;
mod commands;
mod file;
mod log;
mod password;
mod rule;
mod selector;
mod store;
mod user;

pub use account::Account;
pub use check::{Denied, Reason, check, check_session, reaches_all_keys};
pub use file::{parse as parse_file, parse_user};
pub use log::{AclLog, Context, Entry};
pub use rule::{RuleError, is_name};
pub use selector::{Access, Selector};
pub use store::{Acl, LoadFailure, OpenError};
pub use user::{Defaults, RulesError, User};

/// The user of connections that have not said who they are.
pub const DEFAULT_USER: &[u8] = b"default";

//! CLIENT: this connection and the others.

mod kill;
mod list;
mod own;
mod pause;

use crate::command::call::{Binding, Locks};
use crate::command::help::help;

pub use own::{check_name, set_name};
pub use pause::parse_timeout_ms;

/// What this family implements.
pub const HANDLERS: &[Binding] = &[
    ("client|id", own::id, Locks::None),
    ("client|getname", own::getname, Locks::None),
    ("client|setname", own::setname, Locks::None),
    ("client|setinfo", own::setinfo, Locks::None),
    ("client|reply", own::reply, Locks::None),
    ("client|no-evict", own::no_evict, Locks::None),
    ("client|getredir", own::getredir, Locks::None),
    ("client|trackinginfo", own::trackinginfo, Locks::None),
    ("client|info", list::info, Locks::None),
    ("client|list", list::list, Locks::None),
    ("client|kill", kill::kill, Locks::None),
    ("client|unblock", kill::unblock, Locks::None),
    ("client|pause", pause::pause, Locks::None),
    ("client|unpause", pause::unpause, Locks::None),
    ("client|help", help, Locks::None),
];

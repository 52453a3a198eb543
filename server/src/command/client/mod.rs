//! CLIENT: this connection and the others.

mod kill;
mod list;
mod own;
mod pause;
mod tracking;

use crate::command::call::{Binding, Locks};
use crate::command::help::help;

pub use own::{check_name, set_name};
pub use pause::parse_timeout_ms;
pub use tracking::{end as end_tracking, observe_slots};

/// What this family implements.
pub const HANDLERS: &[Binding] = &[
    ("client|id", own::id, Locks::None),
    ("client|getname", own::getname, Locks::None),
    ("client|setname", own::setname, Locks::None),
    ("client|setinfo", own::setinfo, Locks::None),
    ("client|reply", own::reply, Locks::None),
    ("client|no-evict", own::no_evict, Locks::None),
    // With BCAST all slots are told.
    ("client|tracking", tracking::tracking, Locks::Each),
    ("client|caching", tracking::caching, Locks::None),
    ("client|getredir", tracking::getredir, Locks::None),
    ("client|trackinginfo", tracking::trackinginfo, Locks::None),
    ("client|info", list::info, Locks::None),
    ("client|list", list::list, Locks::None),
    ("client|kill", kill::kill, Locks::None),
    ("client|unblock", kill::unblock, Locks::None),
    ("client|pause", pause::pause, Locks::None),
    ("client|unpause", pause::unpause, Locks::None),
    ("client|help", help, Locks::None),
];

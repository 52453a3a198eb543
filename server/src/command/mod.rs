//! Commands: one file a family, each with a `HANDLERS` table that binds names of `slotcore::command` to functions.
//!
//! `dispatch` decides whether a command may run, takes its locks and accounts for it; `call` is what it sees;
//! `reply_error` is what a refusal looks like.

pub mod call;
pub mod dispatch;
pub mod reply_error;
pub mod transaction;

use call::Binding;

/// Every family of this node.
pub const FAMILIES: &[&[Binding]] = &[transaction::HANDLERS];

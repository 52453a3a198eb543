//! MODULE: there are none, and none can be loaded.

use crate::command::call::{Binding, Call, Locks};
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("module|list", list, Locks::None),
    ("module|load", refuse, Locks::None),
    ("module|loadex", refuse, Locks::None),
    ("module|unload", refuse, Locks::None),
    ("module|help", help, Locks::None),
];

fn list(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.out.array(0);
    Ok(())
}

fn refuse(_: &mut Call<'_>) -> Result<(), ErrorReply> {
    Err(ErrorReply::fixed(
        "ERR slotmark-server has no modules: it loads none",
    ))
}

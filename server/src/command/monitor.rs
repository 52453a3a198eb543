//! MONITOR.

use crate::admin::clients::ClientFlags;
use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[("monitor", monitor, Locks::None)];

fn monitor(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.session.in_exec {
        return Err(ErrorReply::fixed(
            "ERR MONITOR isn't allowed for DENY BLOCKING client",
        ));
    }
    // Who watches already is told nothing, as in redis-server.
    if call.session.client.flags().contains(ClientFlags::MONITOR) {
        return Ok(());
    }
    let Some(subscriber) = call.session.listen().cloned() else {
        return Ok(()); // its connection has ended
    };
    call.session.client.set_flag(ClientFlags::MONITOR, true);
    // Before the first line can come.
    call.out.ok();
    call.node.monitors.begin(subscriber);
    Ok(())
}

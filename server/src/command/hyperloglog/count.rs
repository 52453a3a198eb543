//! PFCOUNT.

use super::estimate::estimate;
use super::layout::{REGISTERS, check, keep_estimate, kept_estimate, raise_all};
use crate::command::call::Call;
use crate::command::dispatch::gate_holds;
use crate::command::reply_error::ErrorReply;
use crate::command::string::text;

/// The estimate of one key is kept where clients may write, and replicas are told to do the same; that of several is of
/// their union.
pub fn pfcount(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let keys = call.keys;
    let stats = call.node.stats.worker(call.worker);
    let mut registers = [0; REGISTERS];
    for key in keys {
        call.notify_miss(key);
        let found = call.held.table(key.slot).get(key, call.now);
        stats.looked_up(found.is_some());
        let Some(string) = text(found)? else { continue };
        check(string)?;
        if keys.len() == 1
            && let Some(kept) = kept_estimate(string)
        {
            call.out.integer(kept as i64);
            return Ok(());
        }
        raise_all(string, &mut registers)?;
    }
    let estimated = estimate(&registers);
    if let [key] = keys
        && may_keep(call)
    {
        let mut place = call.held.table(key.slot).find(key, call.now);
        if place.exists() {
            place.write_string(0, |string| (keep_estimate(string, estimated), true));
            call.effect_always();
        }
    }
    call.out.integer(estimated as i64);
    Ok(())
}

/// A read may not change what is being handed over to another primary, nor a copy of one.
fn may_keep(call: &Call<'_>) -> bool {
    call.node.replication.gate.is_plain() || !gate_holds(call.node, call.session)
}

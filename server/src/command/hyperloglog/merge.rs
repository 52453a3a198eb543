//! PFMERGE.

use super::layout::{REGISTERS, check, empty, is_sparse, make_dense, make_stale, raise_all, raise_register};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::string::text;
use crate::events::EventClass;
use crate::keyspace::Expire;

/// The destination is a source as well. It is dense if one of them is.
pub fn pfmerge(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let keys = call.keys;
    let sparse_max = call.node.config.load().hll_sparse_max_bytes;
    let stats = call.node.stats.worker(call.worker);
    let (mut registers, mut dense) = ([0; REGISTERS], false);
    for key in keys {
        call.notify_miss(key);
        let found = call.held.table(key.slot).get(key, call.now);
        stats.looked_up(found.is_some());
        let Some(string) = text(found)? else { continue };
        check(string)?;
        dense |= !is_sparse(string);
        raise_all(string, &mut registers)?;
    }
    let destination = keys.first().expect("the command table says so");
    let mut place = call.held.table(destination.slot).find(destination, call.now);
    let mut string = text(place.entry())?.map_or_else(empty, <[u8]>::to_vec);
    if dense {
        make_dense(&mut string)?;
    }
    for (index, value) in registers.into_iter().enumerate().filter(|(_, value)| *value > 0) {
        raise_register(&mut string, index, value, sparse_max)?;
    }
    make_stale(&mut string);
    place.set_raw(string, Expire::Keep);
    // It has no event of its own in stock.
    call.notify(EventClass::STRING, "pfadd", destination);
    call.out.ok();
    Ok(())
}

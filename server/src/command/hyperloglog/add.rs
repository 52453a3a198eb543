//! PFADD.

use super::hash::place;
use super::layout::{check, empty, make_stale, raise_register};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::string::text;
use crate::events::EventClass;
use crate::keyspace::Expire;

pub fn pfadd(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let elements = call.args.from(2);
    let sparse_max = call.node.config.load().hll_sparse_max_bytes;
    let key = &call.keys[0];
    let mut place_of_key = call.held.table(key.slot).find(key, call.now);
    let found = text(place_of_key.entry())?;
    let mut changed = found.is_none();
    let mut string = match found {
        Some(string) => {
            check(string)?;
            string.to_vec()
        }
        None => empty(),
    };
    for element in elements.iter() {
        let (index, value) = place(element);
        changed |= raise_register(&mut string, index, value, sparse_max)?;
    }
    if changed {
        make_stale(&mut string);
        place_of_key.set_raw(string, Expire::Keep);
        call.notify(EventClass::STRING, "pfadd", key);
    } else {
        // It is raw from now on, if it was not.
        place_of_key.write_string(0, |_| ((), false));
    }
    call.out.integer(i64::from(changed));
    Ok(())
}

//! The keys of one slot.

use slotcore::{SLOT_COUNT, Slot};

use super::cluster;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;

pub(super) fn count(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    let slot = valid_slot(call.int_arg(2)?).ok_or(ErrorReply::fixed("ERR Invalid slot"))?;
    let count = call.with_slot(slot, |table| table.len());
    call.out.integer(count as i64);
    Ok(())
}

pub(super) fn get(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    let (slot, most) = (call.int_arg(2)?, call.int_arg(3)?);
    let (slot, most) = valid_slot(slot)
        .zip(usize::try_from(most).ok())
        .ok_or(ErrorReply::fixed("ERR Invalid slot or number of keys"))?;
    let keys: Vec<Vec<u8>> = call.with_slot(slot, |table| {
        table
            .entries()
            .take(most)
            .map(|entry| entry.key().to_vec())
            .collect()
    });
    call.out.array(keys.len());
    for key in &keys {
        call.out.bulk(key);
    }
    Ok(())
}

fn valid_slot(slot: i64) -> Option<Slot> {
    Slot::try_from(slot)
        .ok()
        .filter(|slot| usize::from(*slot) < SLOT_COUNT)
}

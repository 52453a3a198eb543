//! ZREM, ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX.

use super::bounds::{Bounds, By};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::SortedSet;

pub fn zrem(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let members = call.args.from(2);
    remove_with(call, |set| {
        members.iter().filter(|member| set.remove(member)).count()
    })
}

pub fn zremrangebyrank(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    remove(call, By::Rank)
}

pub fn zremrangebyscore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    remove(call, By::Score)
}

pub fn zremrangebylex(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    remove(call, By::Text)
}

fn remove(call: &mut Call<'_>, by: By) -> Result<(), ErrorReply> {
    let bounds = Bounds::parse(call, by, 2, 3)?;
    remove_with(call, |set| set.remove_ranks(bounds.ranks(set, false)))
}

/// Replies with how many members `remove` has removed, and tells of it.
fn remove_with(call: &mut Call<'_>, remove: impl FnOnce(&mut SortedSet) -> usize) -> Result<(), ErrorReply> {
    let removed = call.edit(0, |set: &mut SortedSet| {
        let removed = remove(set);
        (removed, removed > 0)
    })?;
    if removed > 0 {
        call.notify_removal(EventClass::SORTED_SET, call.spec.name, &call.keys[0]);
    }
    call.out.integer(removed as i64);
    Ok(())
}

//! What XCLAIM and XAUTOCLAIM share: a group is changed by one claim, which writes its reply meanwhile.

use slotcore::resp::ReplyWriter;

use super::effects::Effects;
use super::no_group;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Change, Entries, Group, Stream};

/// What came of a claim.
#[derive(Default)]
pub(super) struct Claimed {
    /// The consumer is new.
    pub created: bool,
    pub changed: bool,
}

/// Refuses a group that is not there, or whose key is not.
pub(super) fn check_group(call: &mut Call<'_>, group: &[u8]) -> Result<(), ErrorReply> {
    let key = call.keys[0].bytes;
    let (stream, _) = call.read::<Stream>(0)?;
    match stream.and_then(|stream| stream.group(group)) {
        Some(_) => Ok(()),
        None => Err(no_group(key, group)),
    }
}

/// Lets `claim` change the group, and tells replicas and listeners what came of it.
pub(super) fn run(
    call: &mut Call<'_>,
    group: &[u8],
    claim: impl FnOnce(&Entries, &mut Group, &mut Effects, &mut ReplyWriter<'_>) -> Claimed,
) -> Result<(), ErrorReply> {
    let mut effects = Effects::new(call);
    let out = &mut call.out;
    let mut place = call.held.table(call.keys[0].slot).find(&call.keys[0], call.now);
    let claimed = place.edit_as(|stream: &mut Stream| {
        let claimed = stream.with_group(group, |entries, group| claim(entries, group, &mut effects, out));
        let claimed = claimed.unwrap_or_default();
        let change = Change::Recorded.when(claimed.changed);
        (claimed, change)
    })?;
    effects.instead(call);
    if claimed.created {
        call.notify(EventClass::STREAM, "xgroup-createconsumer", &call.keys[0]);
    }
    Ok(())
}

//! XAUTOCLAIM.

use slotcore::resp::{ReplyWriter, parse_i64};

use super::claiming::{self, Claimed, check_group};
use super::effects::Effects;
use super::id::range_start;
use super::reply;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{Entries, Group, StreamId};

/// Entries that are claimed at most, if it is not said.
const COUNT_DEFAULT: u64 = 100;
/// For each of them, so many pending ones are looked at.
const ATTEMPTS: u64 = 10;
/// The greatest count.
const COUNT_MAX: u64 = i64::MAX as u64 / size_of::<StreamId>() as u64;

/// Who claims, and what.
struct Claim<'a> {
    key: &'a [u8],
    group: &'a [u8],
    consumer: &'a [u8],
    min_idle: i64,
    from: StreamId,
    count: u64,
    just_id: bool,
    now: i64,
}

pub fn xautoclaim(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let min_idle = parse_i64(call.args.at(4)).ok_or(ErrorReply::fixed(
        "ERR Invalid min-idle-time argument for XAUTOCLAIM",
    ))?;
    let mut claim = Claim {
        key: call.keys[0].bytes,
        group: call.args.at(2),
        consumer: call.args.at(3),
        min_idle,
        from: range_start(call.args.at(5))?,
        count: COUNT_DEFAULT,
        just_id: false,
        now: call.now as i64,
    };
    let mut at = 6;
    while at < call.args.len() {
        if call.arg_is(at, "count") && at + 1 < call.args.len() {
            claim.count = parse_i64(call.args.at(at + 1))
                .and_then(|count| u64::try_from(count).ok())
                .filter(|count| (1..=COUNT_MAX).contains(count))
                .ok_or(ErrorReply::fixed("ERR COUNT must be > 0"))?;
            at += 1;
        } else if call.arg_is(at, "justid") {
            claim.just_id = true;
        } else {
            return Err(ErrorReply::SYNTAX);
        }
        at += 1;
    }
    check_group(call, claim.group)?;
    claiming::run(call, claim.group, |entries, group, effects, out| {
        claim.run(entries, group, effects, out)
    })
}

impl Claim<'_> {
    fn run(
        &self,
        entries: &Entries,
        group: &mut Group,
        effects: &mut Effects,
        out: &mut ReplyWriter<'_>,
    ) -> Claimed {
        let mut claimed = Claimed::default();
        let mut deleted = Vec::new();
        let mut next = group.pending().from(self.from).next().map(|(id, _)| id);
        let (mut left, mut attempts) = (self.count, self.count.saturating_mul(ATTEMPTS));
        // What comes first is known last: where to go on.
        let start = out.out.len();
        reply::counted(out, |out| {
            let mut written = 0;
            while let Some(id) = next
                && left > 0
                && attempts > 0
            {
                attempts -= 1;
                let Some(pending) = group.pending().get(id) else {
                    break;
                };
                let (time, count) = (pending.time, pending.count);
                match entries.get(id) {
                    None => {
                        effects.claimed(self.key, self.group, group, id.to_string().as_bytes(), id);
                        group.settle(id);
                        deleted.push(id);
                        claimed.changed = true;
                        left -= 1;
                    }
                    Some(_) if self.min_idle > 0 && self.now.wrapping_sub(time) < self.min_idle => {}
                    Some(entry) => {
                        claimed.created |= group.hear(self.consumer, self.now);
                        let count = if self.just_id {
                            count
                        } else {
                            count.wrapping_add(1)
                        };
                        group.assign(id, self.consumer, self.now, count);
                        if self.just_id {
                            reply::id(out, id);
                        } else {
                            reply::entry(out, &entry);
                        }
                        effects.claimed(self.key, self.group, group, id.to_string().as_bytes(), id);
                        claimed.changed = true;
                        left -= 1;
                        written += 1;
                    }
                }
                let behind = id.next();
                next = behind
                    .and_then(|id| group.pending().from(id).next())
                    .map(|(id, _)| id);
            }
            written
        });
        let end = out.out.len();
        out.array(3);
        reply::id(out, next.unwrap_or(StreamId::MIN));
        let len = out.out.len() - end;
        out.out[start..].rotate_right(len);
        out.array(deleted.len());
        deleted.into_iter().for_each(|id| reply::id(out, id));
        claimed
    }
}

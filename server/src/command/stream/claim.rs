//! XCLAIM.

use slotcore::resp::{ReplyWriter, parse_i64};

use super::claiming::{self, Claimed, check_group};
use super::effects::Effects;
use super::{id, reply};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{Entries, Group, StreamId};

/// What follows the IDs.
struct Options {
    /// When the entries were delivered, as it is to look, unix time in milliseconds.
    time: i64,
    /// How often, as it is to look.
    count: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: StreamId,
}

impl Options {
    fn parse(call: &Call<'_>, mut at: usize) -> Result<Self, ErrorReply> {
        let now = call.now as i64;
        let (mut time, mut count) = (-1, -1);
        let mut options = Self {
            time: now,
            count: None,
            force: false,
            just_id: false,
            last_id: StreamId::MIN,
        };
        let number = |at: usize, name: &str| {
            parse_i64(call.args.at(at))
                .ok_or_else(|| ErrorReply::new(format!("ERR Invalid {name} option argument for XCLAIM")))
        };
        while at < call.args.len() {
            let has_value = at + 1 < call.args.len();
            if call.arg_is(at, "force") {
                options.force = true;
            } else if call.arg_is(at, "justid") {
                options.just_id = true;
            } else if call.arg_is(at, "idle") && has_value {
                at += 1;
                time = now.wrapping_sub(number(at, "IDLE")?);
            } else if call.arg_is(at, "time") && has_value {
                at += 1;
                time = number(at, "TIME")?;
            } else if call.arg_is(at, "retrycount") && has_value {
                at += 1;
                count = number(at, "RETRYCOUNT")?;
            } else if call.arg_is(at, "lastid") && has_value {
                at += 1;
                options.last_id = id::exact(call.args.at(at))?;
            } else {
                let parts: [&[u8]; 3] = [b"ERR Unrecognized XCLAIM option '", call.args.at(at), b"'"];
                return Err(ErrorReply::from_bytes(parts.concat()));
            }
            at += 1;
        }
        // A time that cannot be is now: the client's clock may be another.
        if (0..=now).contains(&time) {
            options.time = time;
        }
        options.count = u64::try_from(count).ok();
        Ok(options)
    }
}

/// Who claims, and from where.
struct Claim<'a> {
    key: &'a [u8],
    group: &'a [u8],
    consumer: &'a [u8],
    min_idle: i64,
    now: i64,
    options: Options,
}

pub fn xclaim(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (key, group, consumer) = (call.keys[0].bytes, call.args.at(2), call.args.at(3));
    check_group(call, group)?;
    let min_idle = parse_i64(call.args.at(4))
        .ok_or(ErrorReply::fixed("ERR Invalid min-idle-time argument for XCLAIM"))?;
    let ids: Vec<(StreamId, &[u8])> = call
        .args
        .from(5)
        .iter()
        .map_while(|text| Some((id::exact(text).ok()?, text)))
        .collect();
    let claim = Claim {
        key,
        group,
        consumer,
        min_idle,
        now: call.now as i64,
        options: Options::parse(call, 5 + ids.len())?,
    };
    claiming::run(call, group, |entries, group, effects, out| {
        claim.run(&ids, entries, group, effects, out)
    })
}

impl Claim<'_> {
    fn run(
        &self,
        ids: &[(StreamId, &[u8])],
        entries: &Entries,
        group: &mut Group,
        effects: &mut Effects,
        out: &mut ReplyWriter<'_>,
    ) -> Claimed {
        let mut claimed = Claimed::default();
        let advances = self.options.last_id > group.last_id;
        if advances {
            group.last_id = self.options.last_id;
        }
        reply::counted(out, |out| {
            let mut written = 0;
            for &(id, text) in ids {
                written += usize::from(self.one(id, text, entries, group, &mut claimed, effects, out));
            }
            written
        });
        // Every claimed entry tells the group's last ID; where none is, it is told by itself.
        if advances && !claimed.changed {
            claimed.changed = true;
            effects.advanced(self.key, self.group, group);
        }
        claimed
    }

    /// Claims one entry, and writes it; false if it is not there, or is not to be claimed.
    #[expect(clippy::too_many_arguments, reason = "all of it is the state of one loop")]
    fn one(
        &self,
        id: StreamId,
        text: &[u8],
        entries: &Entries,
        group: &mut Group,
        claimed: &mut Claimed,
        effects: &mut Effects,
        out: &mut ReplyWriter<'_>,
    ) -> bool {
        let options = &self.options;
        let pending = group
            .pending()
            .get(id)
            .map(|pending| (pending.time, pending.count));
        let Some(entry) = entries.get(id) else {
            if pending.is_some() {
                effects.claimed(self.key, self.group, group, text, id);
                claimed.changed = true;
                group.settle(id);
            }
            return false;
        };
        let before = match pending {
            Some((time, _)) if self.min_idle > 0 && self.now.wrapping_sub(time) < self.min_idle => {
                return false;
            }
            Some((_, count)) => count,
            // A new one counts as delivered once.
            None if options.force => 1,
            None => return false,
        };
        claimed.created |= group.hear(self.consumer, self.now);
        let again = if options.just_id {
            before
        } else {
            before.wrapping_add(1)
        };
        group.assign(id, self.consumer, options.time, options.count.unwrap_or(again));
        if options.just_id {
            reply::id(out, id);
        } else {
            reply::entry(out, &entry);
        }
        effects.claimed(self.key, self.group, group, text, id);
        claimed.changed = true;
        true
    }
}

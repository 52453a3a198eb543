//! SADD, SREM, SMOVE, SCARD, SISMEMBER, SMISMEMBER, SMEMBERS, SSCAN.

use crate::command::call::Call;
use crate::command::keys::scan::{Filter, KeyList, cursor_arg};
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::Set;

pub fn sadd(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (members, limits) = (call.args.from(2), call.limits());
    let added = call.edit(0, |set: &mut Set| {
        let added = members
            .iter()
            .filter(|member| set.insert(member, &limits))
            .count();
        (added, added > 0)
    })?;
    if added > 0 {
        call.notify(EventClass::SET, "sadd", &call.keys[0]);
    }
    call.out.integer(added as i64);
    Ok(())
}

pub fn srem(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let members = call.args.from(2);
    let removed = call.edit(0, |set: &mut Set| {
        let removed = members.iter().filter(|member| set.remove(member)).count();
        (removed, removed > 0)
    })?;
    if removed > 0 {
        call.notify_removal(EventClass::SET, "srem", &call.keys[0]);
    }
    call.out.integer(removed as i64);
    Ok(())
}

/// Both keys are looked at before anything else: a destination of another type is refused even if the member is absent,
/// but not if the source is.
pub fn smove(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (from, to, now, limits) = (&call.keys[0], &call.keys[1], call.now, call.limits());
    let member = call.args.at(3);
    let source = call.held.table(from.slot).find(from, now);
    let found = source
        .collection::<Set>()
        .map(|set| set.map(|set| set.contains(member)));
    let destination = call.held.table(to.slot).find(to, now);
    let is_fit = destination.collection::<Set>().map(drop);
    let is_member = match found? {
        None => false,
        Some(is_member) => {
            is_fit?;
            is_member
        }
    };
    if is_member && from.bytes != to.bytes {
        call.edit(0, |set: &mut Set| ((), set.remove(member)))?;
        call.notify_removal(EventClass::SET, "srem", from);
        let added = call.edit(1, |set: &mut Set| {
            let added = set.insert(member, &limits);
            (added, added)
        })?;
        if added {
            call.notify(EventClass::SET, "sadd", to);
        }
    }
    call.out.integer(i64::from(is_member));
    Ok(())
}

pub fn scard(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (set, out) = call.read::<Set>(0)?;
    out.integer(set.map_or(0, Set::len) as i64);
    Ok(())
}

pub fn sismember(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let member = call.args.at(2);
    let (set, out) = call.read::<Set>(0)?;
    out.integer(i64::from(set.is_some_and(|set| set.contains(member))));
    Ok(())
}

pub fn smismember(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let members = call.args.from(2);
    let (set, out) = call.read::<Set>(0)?;
    out.array(members.len());
    for member in members.iter() {
        out.integer(i64::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(())
}

pub fn smembers(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (set, out) = call.read::<Set>(0)?;
    out.set(set.map_or(0, Set::len));
    if let Some(set) = set {
        set.iter()
            .for_each(|member| out.bulk(member.text(&mut itoa::Buffer::new())));
    }
    Ok(())
}

/// A set that is absent is answered before options are looked at: stock's order.
pub fn sscan(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let cursor = cursor_arg(call, 2)?;
    let filter = Filter::parse(call, 3, false);
    let (set, out) = call.read::<Set>(0)?;
    let mut found = KeyList::default();
    let next = match set {
        None => 0,
        Some(set) => {
            let filter = filter?;
            set.scan(cursor, filter.count, &mut |member| {
                if filter.matches(member) {
                    found.push(member);
                }
            })
        }
    };
    out.array(2);
    out.bulk(itoa::Buffer::new().format(next).as_bytes());
    found.write(out);
    Ok(())
}

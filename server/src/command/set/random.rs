//! SPOP, SRANDMEMBER.

use slotcore::resp::parse_i64;

use crate::command::call::Call;
use crate::command::random::{check_reply_elements, check_reply_len, count_arg, distinct};
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Expire, Item, Set};

pub fn srandmember(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    match call.args.len() {
        2 => {
            let (set, out) = call.read::<Set>(0)?;
            match set.and_then(Set::random) {
                Some(member) => out.bulk(member.text(&mut itoa::Buffer::new())),
                None => out.nil(),
            }
            Ok(())
        }
        3 => draw(call),
        _ => Err(ErrorReply::SYNTAX),
    }
}

fn draw(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let count = count_arg(call, 2)?;
    let (set, out) = call.read::<Set>(0)?;
    let Some(set) = set else {
        out.array(0);
        return Ok(());
    };
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count >= 0 {
        let all = || set.iter().collect::<Vec<_>>();
        let chosen = if wanted >= set.len() {
            all()
        } else {
            distinct(set.len(), wanted, all, || set.random())
        };
        out.array(chosen.len());
        for member in chosen {
            out.bulk(member.text(&mut itoa::Buffer::new()));
        }
        return Ok(());
    }
    check_reply_elements(wanted)?;
    let before = out.out.len();
    out.array(wanted);
    for member in std::iter::repeat_with(|| set.random()).take(wanted).flatten() {
        out.bulk(member.text(&mut itoa::Buffer::new()));
        check_reply_len(out.out.len() - before)?;
    }
    Ok(())
}

pub fn spop(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    match call.args.len() {
        2 => pop_one(call),
        3 => pop_several(call),
        _ => Err(ErrorReply::SYNTAX),
    }
}

/// Takes a random member out.
fn take(set: &mut Set) -> Option<Vec<u8>> {
    let member = set.random()?.text(&mut itoa::Buffer::new()).to_vec();
    set.remove(&member);
    Some(member)
}

/// Replicas are told which member went.
fn pop_one(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let popped = call.edit(0, |set: &mut Set| {
        let popped = take(set);
        let changed = popped.is_some();
        (popped, changed)
    })?;
    match popped {
        Some(member) => {
            call.notify_removal(EventClass::SET, "spop", &call.keys[0]);
            call.effect_instead(&[b"SREM", call.keys[0].bytes, &member]);
            call.out.bulk(&member);
        }
        None => call.out.nil(),
    }
    Ok(())
}

/// Replicas are told which members went, one by one, or that the key did.
fn pop_several(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let count = parse_i64(call.args.at(2))
        .and_then(|count| usize::try_from(count).ok())
        .ok_or(ErrorReply::fixed("ERR value is out of range, must be positive"))?;
    let key = &call.keys[0];
    let mut place = call.held.table(key.slot).find(key, call.now);
    let len = place.collection::<Set>()?.map_or(0, Set::len);
    if count >= len && len > 0 && count > 0 {
        call.out.set(len);
        let members = place.collection::<Set>()?.into_iter().flat_map(Set::iter);
        for member in members {
            call.out.bulk(Item::text(member, &mut itoa::Buffer::new()));
        }
        place.set_collection(Set::default(), Expire::Clear);
        call.notify_removal(EventClass::SET, "spop", key);
        call.effect_instead(&[b"DEL", key.bytes]);
        return Ok(());
    }
    let popped: Vec<Vec<u8>> = call.edit(0, |set: &mut Set| {
        let wanted = count.min(set.len());
        let popped: Vec<_> = std::iter::repeat_with(|| take(set))
            .take(wanted)
            .flatten()
            .collect();
        let changed = !popped.is_empty();
        (popped, changed)
    })?;
    if !popped.is_empty() {
        call.notify(EventClass::SET, "spop", key);
    }
    call.effects_instead(popped.iter().map(|member| [b"SREM", key.bytes, member]));
    call.out.set(popped.len());
    popped.iter().for_each(|member| call.out.bulk(member));
    Ok(())
}

//! SINTER, SUNION, SDIFF, their STORE forms, SINTERCARD.

use slotcore::resp::parse_i64;

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Expire, Held, Item, Key, Limits, Set, typed};

/// How sets are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Inter,
    Union,
    Diff,
}

pub fn sinter(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Operation::Inter)
}

pub fn sunion(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Operation::Union)
}

pub fn sdiff(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Operation::Diff)
}

pub fn sinterstore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    store(call, Operation::Inter)
}

pub fn sunionstore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    store(call, Operation::Union)
}

pub fn sdiffstore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    store(call, Operation::Diff)
}

/// Removes those of the keys that have expired, marks the others as accessed, and counts the lookups. All are looked at
/// before one of another type is refused.
fn touch(call: &mut Call<'_>, keys: &[Key<'_>]) -> Result<(), ErrorReply> {
    let stats = call.node.stats.worker(call.worker);
    for key in keys {
        call.notify_miss(key);
        let found = call.held.table(key.slot).get(key, call.now);
        stats.looked_up(found.is_some());
        typed::<Set>(found)?;
    }
    Ok(())
}

/// The sets of the keys, `None` for those that are absent.
fn sets<'h>(held: &'h Held<'_>, keys: &[Key<'_>], now: u64) -> Vec<Option<&'h Set>> {
    keys.iter()
        .map(|key| typed::<Set>(held.look(key, now)).ok().flatten())
        .collect()
}

fn reply(call: &mut Call<'_>, operation: Operation) -> Result<(), ErrorReply> {
    let (keys, limits) = (call.keys, call.limits());
    touch(call, keys)?;
    let result = combine(operation, &sets(call.held, keys, call.now), &limits);
    call.out.set(result.len());
    for member in result.iter() {
        call.out.bulk(member.text(&mut itoa::Buffer::new()));
    }
    Ok(())
}

/// An empty result removes the destination.
fn store(call: &mut Call<'_>, operation: Operation) -> Result<(), ErrorReply> {
    let (keys, limits, now) = (call.keys, call.limits(), call.now);
    let (destination, keys) = keys.split_first().expect("the command table says so");
    touch(call, keys)?;
    let result = combine(operation, &sets(call.held, keys, now), &limits);
    let len = result.len();
    let table = call.held.table(destination.slot);
    if len > 0 {
        table.find(destination, now).set_collection(result, Expire::Clear);
        call.notify(EventClass::SET, call.spec.name, destination);
    } else if let Some(old) = table.remove(destination, 0) {
        // What was there goes as it is, also if its time is over: replicas are told of this command alone.
        table.discard(old);
        call.notify(EventClass::GENERIC, "del", destination);
    }
    call.out.integer(len as i64);
    Ok(())
}

fn combine(operation: Operation, sets: &[Option<&Set>], limits: &Limits) -> Set {
    let mut result = Set::default();
    let mut add = |member: Item<'_>| {
        result.insert(member.text(&mut itoa::Buffer::new()), limits);
        true
    };
    match operation {
        Operation::Inter => intersect(sets, &mut add),
        Operation::Union => sets
            .iter()
            .flatten()
            .flat_map(|set| set.iter())
            .for_each(|member| {
                add(member);
            }),
        Operation::Diff => {
            if let Some((Some(first), others)) = sets.split_first() {
                let others: Vec<&Set> = others.iter().copied().flatten().collect();
                return subtract(first, &others, limits);
            }
        }
    }
    result
}

/// The members of `first` that no other set has. Which of two ways is the cheaper one is judged as stock does, since the
/// form of the result depends on it.
fn subtract(first: &Set, others: &[&Set], limits: &Limits) -> Set {
    let looked_up = first.len() * (1 + others.len()) / 2;
    let read = first.len() + others.iter().map(|set| set.len()).sum::<usize>();
    let mut result = Set::default();
    if looked_up <= read {
        let remaining = first
            .iter()
            .filter(|member| !others.iter().any(|set| has(set, *member)));
        for member in remaining {
            result.insert(member.text(&mut itoa::Buffer::new()), limits);
        }
        return result;
    }
    for member in first.iter() {
        result.insert(member.text(&mut itoa::Buffer::new()), limits);
    }
    for member in others.iter().flat_map(|set| set.iter()) {
        result.remove(member.text(&mut itoa::Buffer::new()));
        if result.is_empty() {
            break;
        }
    }
    result
}

/// Visits what all sets have, in the order of the smallest, until `visit` returns false.
fn intersect(sets: &[Option<&Set>], visit: &mut dyn FnMut(Item<'_>) -> bool) {
    let Some(mut sets) = sets.iter().copied().collect::<Option<Vec<&Set>>>() else {
        return;
    };
    sets.sort_by_key(|set| set.len());
    let Some((smallest, others)) = sets.split_first() else {
        return;
    };
    for member in smallest.iter() {
        if others.iter().all(|set| has(set, member)) && !visit(member) {
            return;
        }
    }
}

fn has(set: &Set, member: Item<'_>) -> bool {
    set.contains(member.text(&mut itoa::Buffer::new()))
}

pub fn sintercard(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let count = parse_i64(call.args.at(1))
        .and_then(|count| usize::try_from(count).ok())
        .filter(|&count| count > 0)
        .ok_or(ErrorReply::fixed("ERR numkeys should be greater than 0"))?;
    if count > call.args.len() - 2 {
        return Err(ErrorReply::fixed(
            "ERR Number of keys can't be greater than number of args",
        ));
    }
    let mut limit = usize::MAX;
    let mut index = 2 + count;
    while index < call.args.len() {
        if !call.arg_is(index, "limit") || index + 1 == call.args.len() {
            return Err(ErrorReply::SYNTAX);
        }
        let given = parse_i64(call.args.at(index + 1)).and_then(|limit| usize::try_from(limit).ok());
        let given = given.ok_or(ErrorReply::fixed("ERR LIMIT can't be negative"))?;
        limit = if given == 0 { usize::MAX } else { given };
        index += 2;
    }
    let keys = call.keys;
    touch(call, keys)?;
    let mut found = 0;
    intersect(&sets(call.held, keys, call.now), &mut |_| {
        found += 1;
        found < limit
    });
    call.out.integer(found as i64);
    Ok(())
}

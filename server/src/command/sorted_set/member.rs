//! ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZSCAN.

use slotcore::resp::format_double;

use crate::command::call::Call;
use crate::command::keys::scan::{Filter, KeyList, cursor_arg};
use crate::command::reply_error::ErrorReply;
use crate::keyspace::SortedSet;

pub fn zcard(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (set, out) = call.read::<SortedSet>(0)?;
    out.integer(set.map_or(0, SortedSet::len) as i64);
    Ok(())
}

pub fn zscore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let member = call.args.at(2);
    let (set, out) = call.read::<SortedSet>(0)?;
    match set.and_then(|set| set.score(member)) {
        Some(score) => out.double(score),
        None => out.nil(),
    }
    Ok(())
}

pub fn zmscore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let members = call.args.from(2);
    let (set, out) = call.read::<SortedSet>(0)?;
    out.array(members.len());
    for member in members.iter() {
        match set.and_then(|set| set.score(member)) {
            Some(score) => out.double(score),
            None => out.nil(),
        }
    }
    Ok(())
}

pub fn zrank(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    rank(call, false)
}

pub fn zrevrank(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    rank(call, true)
}

fn rank(call: &mut Call<'_>, reverse: bool) -> Result<(), ErrorReply> {
    let member = call.args.at(2);
    let (set, out) = call.read::<SortedSet>(0)?;
    let found = set.and_then(|set| Some((set.len(), set.rank(member)?)));
    match found {
        Some((len, rank)) if reverse => out.integer((len - 1 - rank) as i64),
        Some((_, rank)) => out.integer(rank as i64),
        None => out.nil(),
    }
    Ok(())
}

/// Scores come as they are kept: in a listpack, large ones are integers.
pub fn zscan(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let cursor = cursor_arg(call, 2)?;
    let filter = Filter::parse(call, 3, false);
    let (set, out) = call.read::<SortedSet>(0)?;
    let mut found = KeyList::default();
    let mut next = 0;
    if let Some(set) = set {
        let filter = filter?;
        if let Some(list) = set.listpack() {
            for (_, member, score) in list.pairs() {
                let mut buffer = itoa::Buffer::new();
                let member = member.text(&mut buffer);
                if filter.matches(member) {
                    found.push(member);
                    found.push(score.text(&mut itoa::Buffer::new()));
                }
            }
        } else {
            next = set.scan(cursor, filter.count, &mut |member, score| {
                if filter.matches(member) {
                    found.push(member);
                    found.push(format_double(score).as_bytes());
                }
            });
        }
    }
    out.array(2);
    out.bulk(itoa::Buffer::new().format(next).as_bytes());
    found.write(out);
    Ok(())
}

//! A small sorted set: a listpack of members and scores in turn, in order.

use std::cmp::Ordering;

use slotcore::resp::{format_double, parse_i64};

use super::super::listpack::{Item, Listpack};

/// Members with the offsets of their elements, and their scores.
pub fn members(list: &Listpack) -> impl Iterator<Item = (usize, Item<'_>, f64)> {
    list.pairs()
        .map(|(at, member, score)| (at, member, score_of(score)))
}

/// Are these members, each once, and in order?
pub fn is_sorted_set(list: &Listpack) -> bool {
    let mut last: Option<(f64, Vec<u8>)> = None;
    let mut seen = std::collections::HashSet::new();
    list.len().is_multiple_of(2)
        && list.pairs().all(|(_, member, score)| {
            let Some(score) = read_score(score) else {
                return false;
            };
            let member = member.text(&mut itoa::Buffer::new()).to_vec();
            let is_next = last
                .as_ref()
                .is_none_or(|(before, text)| compare(*before, text, score, &member).is_lt());
            last = Some((score, member.clone()));
            is_next && seen.insert(member)
        })
}

/// Offset and score of a member.
pub fn find(list: &Listpack, member: &[u8]) -> Option<(usize, f64)> {
    let number = parse_i64(member);
    list.pairs()
        .find(|(_, item, _)| item.is(member, number))
        .map(|(at, _, score)| (at, score_of(score)))
}

/// Puts a member that is not there at its place.
pub fn insert(list: &mut Listpack, member: &[u8], score: f64) {
    let behind = members(list).find(|(_, item, own)| {
        let text = item.text(&mut itoa::Buffer::new()).cmp(member);
        own.partial_cmp(&score)
            .unwrap_or(Ordering::Equal)
            .then(text)
            .is_gt()
    });
    match behind.map(|(at, ..)| at) {
        None => {
            list.push(member);
            push_score(score, |text| list.push(text));
        }
        Some(at) => {
            list.insert(at, member);
            let next = list.next(at);
            push_score(score, |text| match next {
                Some(next) => list.insert(next, text),
                None => list.push(text),
            });
        }
    }
}

/// The text by which redis-server keeps a score: an integer if it is one below 2^62, of which zero has no sign.
fn push_score(score: f64, push: impl FnOnce(&[u8])) {
    let limit = (i64::MAX / 2) as f64;
    if (-limit..=limit).contains(&score) && score == score.trunc() {
        push(itoa::Buffer::new().format(score as i64).as_bytes());
    } else {
        push(format_double(score).as_bytes());
    }
}

fn score_of(item: Item<'_>) -> f64 {
    read_score(item).unwrap_or(0.0)
}

fn read_score(item: Item<'_>) -> Option<f64> {
    match item {
        Item::Int(number) => Some(number as f64),
        Item::Text(text) => {
            let score: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            (!score.is_nan()).then_some(score)
        }
    }
}

fn compare(score: f64, member: &[u8], other_score: f64, other: &[u8]) -> Ordering {
    score
        .partial_cmp(&other_score)
        .unwrap_or(Ordering::Equal)
        .then_with(|| member.cmp(other))
}

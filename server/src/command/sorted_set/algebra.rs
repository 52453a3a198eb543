//! ZUNION, ZINTER, ZDIFF, their STORE forms, ZINTERCARD.

use std::collections::HashMap;

use slotcore::resp::parse_i64;

use super::range::store;
use super::reply::{write_header, write_member};
use super::sources::{Source, sources, touch};
use crate::command::call::Call;
use crate::command::float::parse_float;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{Key, Limits, SortedSet};

/// How sorted sets are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

/// What becomes of the scores of one member.
#[derive(Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

/// What a command is asked for.
struct Request {
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    limit: usize,
}

/// What options a command has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reply,
    Store,
    Count,
}

pub fn zunion(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Operation::Union)
}

pub fn zinter(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Operation::Inter)
}

pub fn zdiff(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Operation::Diff)
}

pub fn zunionstore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    replace(call, Operation::Union)
}

pub fn zinterstore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    replace(call, Operation::Inter)
}

pub fn zdiffstore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    replace(call, Operation::Diff)
}

impl Request {
    /// Reads the number of keys, which is argument `at`, and what is behind the keys. The keys are looked at in between:
    /// stock's order.
    fn parse(
        call: &mut Call<'_>,
        at: usize,
        keys: &[Key<'_>],
        operation: Operation,
        kind: Kind,
    ) -> Result<Self, ErrorReply> {
        let count = call.int_arg(at)?;
        if count < 1 {
            return Err(ErrorReply::new(format!(
                "ERR at least 1 input key is needed for '{}' command",
                call.spec.full_name
            )));
        }
        let behind = call.args.len() - at - 1;
        let count = usize::try_from(count)
            .ok()
            .filter(|&count| count <= behind)
            .ok_or(ErrorReply::SYNTAX)?;
        touch(call, keys)?;
        let mut request = Self {
            weights: vec![1.0; count],
            aggregate: Aggregate::Sum,
            with_scores: false,
            limit: usize::MAX,
        };
        let weighs = operation != Operation::Diff && kind != Kind::Count;
        let mut index = at + 1 + count;
        while index < call.args.len() {
            let behind = call.args.len() - index - 1;
            if weighs && behind >= count && call.arg_is(index, "weights") {
                for (place, weight) in request.weights.iter_mut().enumerate() {
                    *weight = parse_float(call.args.at(index + 1 + place))
                        .ok_or(ErrorReply::fixed("ERR weight value is not a float"))?;
                }
                index += 1 + count;
            } else if weighs && behind >= 1 && call.arg_is(index, "aggregate") {
                request.aggregate = match call.args.at(index + 1).to_ascii_lowercase().as_slice() {
                    b"sum" => Aggregate::Sum,
                    b"min" => Aggregate::Min,
                    b"max" => Aggregate::Max,
                    _ => return Err(ErrorReply::SYNTAX),
                };
                index += 2;
            } else if kind == Kind::Reply && call.arg_is(index, "withscores") {
                request.with_scores = true;
                index += 1;
            } else if kind == Kind::Count && behind >= 1 && call.arg_is(index, "limit") {
                let limit = parse_i64(call.args.at(index + 1)).and_then(|limit| usize::try_from(limit).ok());
                let limit = limit.ok_or(ErrorReply::fixed("ERR LIMIT can't be negative"))?;
                request.limit = if limit == 0 { usize::MAX } else { limit };
                index += 2;
            } else {
                return Err(ErrorReply::SYNTAX);
            }
        }
        Ok(request)
    }
}

impl Aggregate {
    /// The sum of infinities of both signs is zero.
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Sum => number_or_zero(a + b),
            Self::Min if b < a => b,
            Self::Max if b > a => b,
            Self::Min | Self::Max => a,
        }
    }
}

fn number_or_zero(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value }
}

fn reply(call: &mut Call<'_>, operation: Operation) -> Result<(), ErrorReply> {
    let keys = call.keys;
    // What is not stored is no listpack, in which a zero would lose its sign.
    let limits = Limits {
        zset_max_entries: 0,
        ..call.limits()
    };
    let request = Request::parse(call, 1, keys, operation, Kind::Reply)?;
    let result = combine(operation, &request, &sources(call.held, keys, call.now), &limits);
    write_header(&mut call.out, result.len(), request.with_scores);
    result.for_each(&mut |member, score| {
        write_member(&mut call.out, member, score, request.with_scores);
    });
    Ok(())
}

fn replace(call: &mut Call<'_>, operation: Operation) -> Result<(), ErrorReply> {
    let (keys, limits) = (call.keys, call.limits());
    // A request with fewer keys than it says has none here, and is refused.
    let (destination, keys) = (keys.first(), keys.get(1..).unwrap_or_default());
    let request = Request::parse(call, 2, keys, operation, Kind::Store)?;
    let destination = destination.ok_or(ErrorReply::SYNTAX)?;
    let result = combine(operation, &request, &sources(call.held, keys, call.now), &limits);
    let len = result.len();
    store(call, destination, result, call.spec.name);
    call.out.integer(len as i64);
    Ok(())
}

pub fn zintercard(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let keys = call.keys;
    let request = Request::parse(call, 1, keys, Operation::Inter, Kind::Count)?;
    let mut found = 0;
    intersect(&request, &sources(call.held, keys, call.now), &mut |_, _| {
        found += 1;
        found < request.limit
    });
    call.out.integer(found as i64);
    Ok(())
}

fn combine(operation: Operation, request: &Request, sources: &[Source<'_>], limits: &Limits) -> SortedSet {
    let members = match operation {
        Operation::Union => unite(request, sources),
        Operation::Inter => {
            let mut members = Vec::new();
            intersect(request, sources, &mut |member, score| {
                members.push((member.to_vec(), score));
                true
            });
            members
        }
        Operation::Diff => subtract(sources),
    };
    let longest = members.iter().map(|(member, _)| member.len()).max().unwrap_or(0);
    let mut result = SortedSet::for_members(members.len(), longest, limits);
    for (member, score) in members {
        result.insert(&member, score, limits);
    }
    result
}

/// The sources with their weights, small ones first: the order in which scores are added.
fn by_len<'a>(request: &Request, sources: &[Source<'a>]) -> Vec<(Source<'a>, f64)> {
    let mut weighted: Vec<_> = sources
        .iter()
        .copied()
        .zip(request.weights.iter().copied())
        .collect();
    weighted.sort_by_key(|(source, _)| source.len());
    weighted
}

fn unite(request: &Request, sources: &[Source<'_>]) -> Vec<(Vec<u8>, f64)> {
    let mut scores: HashMap<Vec<u8>, f64> = HashMap::new();
    for (source, weight) in by_len(request, sources) {
        source.for_each(&mut |member, score| {
            let score = number_or_zero(weight * score);
            match scores.get_mut(member) {
                Some(sum) => *sum = request.aggregate.of(*sum, score),
                None => {
                    scores.insert(member.to_vec(), score);
                }
            }
        });
    }
    scores.into_iter().collect()
}

/// Visits what all sources have, in the order of the smallest, until `visit` returns false.
fn intersect(request: &Request, sources: &[Source<'_>], visit: &mut dyn FnMut(&[u8], f64) -> bool) {
    let weighted = by_len(request, sources);
    let Some(((smallest, weight), others)) = weighted.split_first() else {
        return;
    };
    let mut goes_on = true;
    smallest.for_each(&mut |member, score| {
        if !goes_on {
            return;
        }
        let mut sum = number_or_zero(weight * score);
        for (source, weight) in others {
            let Some(score) = source.score(member) else { return };
            sum = request.aggregate.of(sum, weight * score);
        }
        goes_on = visit(member, sum);
    });
}

/// The members of the first source that no other has.
fn subtract(sources: &[Source<'_>]) -> Vec<(Vec<u8>, f64)> {
    let mut members = Vec::new();
    if let Some((first, others)) = sources.split_first() {
        first.for_each(&mut |member, score| {
            if others.iter().all(|source| source.score(member).is_none()) {
                members.push((member.to_vec(), score));
            }
        });
    }
    members
}

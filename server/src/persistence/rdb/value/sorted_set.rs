//! Sorted sets: the listpack as it is, or members with their scores, the highest first.

use super::super::encode::Encoder;
use super::super::error::RdbError;
use super::super::source::Source;
use super::kind;
use crate::keyspace::{Limits, Listpack, SortedSet};

/// Lengths of the text of a score that mean something else.
const NAN: u8 = 253;
const INFINITY: u8 = 254;
const NEG_INFINITY: u8 = 255;

pub(super) fn kind_of(set: &SortedSet) -> u8 {
    match set.listpack() {
        Some(_) => kind::ZSET_LISTPACK,
        None => kind::ZSET_2,
    }
}

pub(super) fn write(encoder: &mut Encoder, set: &SortedSet) {
    if let Some(list) = set.listpack() {
        encoder.string(list.as_bytes());
        return;
    }
    encoder.length(set.len() as u64);
    set.visit(0..set.len(), true, &mut |member, score| {
        encoder.string(member);
        encoder.out.extend_from_slice(&score.to_le_bytes());
    });
}

/// Reads members with scores, which are texts in the older of two kinds.
pub(super) fn read(source: &mut Source<'_>, kind: u8, limits: &Limits) -> Result<SortedSet, RdbError> {
    let len = source.length()?;
    let is_large = len > limits.zset_max_entries as u64;
    let mut set = SortedSet::ranked();
    // Which form a small one has is told by its longest member, and must be known first: a listpack takes a zero's sign.
    let mut small: Vec<(Vec<u8>, f64)> = Vec::new();
    for _ in 0..len {
        let mut member = Vec::new();
        source.string(&mut member)?;
        let score = match kind {
            kind::ZSET_2 => f64::from_le_bytes(source.array()?),
            _ => text_score(source)?,
        };
        if score.is_nan() {
            return Err(source.damaged("a score that is not a number"));
        }
        if !is_large {
            small.push((member, score));
        } else if !set.insert(&member, score, limits) {
            return Err(source.damaged("a member for the second time"));
        }
    }
    if !is_large {
        let longest = small.iter().map(|(member, _)| member.len()).max().unwrap_or(0);
        set = SortedSet::for_members(small.len(), longest, limits);
        for (member, score) in small {
            if !set.insert(&member, score, limits) {
                return Err(source.damaged("a member for the second time"));
            }
        }
    }
    Ok(set)
}

fn text_score(source: &mut Source<'_>) -> Result<f64, RdbError> {
    let len = match source.byte()? {
        NAN => return Ok(f64::NAN),
        INFINITY => return Ok(f64::INFINITY),
        NEG_INFINITY => return Ok(f64::NEG_INFINITY),
        len => len,
    };
    let mut text = Vec::new();
    source.take(u64::from(len), &mut text)?;
    std::str::from_utf8(&text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| source.damaged("a score"))
}

pub(super) fn read_listpack(source: &mut Source<'_>, limits: &Limits) -> Result<SortedSet, RdbError> {
    let mut bytes = Vec::new();
    source.string(&mut bytes)?;
    bytes.shrink_to_fit();
    Listpack::from_bytes(bytes)
        .and_then(|list| SortedSet::from_listpack(list, limits))
        .ok_or_else(|| source.damaged("the listpack of a sorted set"))
}

//! The ends of ranges: ranks, scores, texts.

use std::ops::Range;

use crate::command::call::Call;
use crate::command::float::parse_bound;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{SortedSet, TextSpan};

/// Which members are meant.
pub enum Bounds<'a> {
    /// Both included; negative ones count from the end.
    Ranks(i64, i64),
    Scores(ScoreBound, ScoreBound),
    Texts(TextBound<'a>, TextBound<'a>),
}

/// What the ends of a range are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    Rank,
    Score,
    Text,
}

/// The end of a range of scores.
#[derive(Clone, Copy)]
pub struct ScoreBound {
    score: f64,
    excluded: bool,
}

/// The end of a range of texts.
#[derive(Clone, Copy)]
pub enum TextBound<'a> {
    /// Before all texts.
    Lowest,
    /// Behind all texts.
    Highest,
    Included(&'a [u8]),
    Excluded(&'a [u8]),
}

impl<'a> Bounds<'a> {
    /// Reads them from the arguments `min` and `max`.
    pub fn parse(call: &Call<'a>, by: By, min: usize, max: usize) -> Result<Self, ErrorReply> {
        Ok(match by {
            By::Rank => Self::Ranks(call.int_arg(min)?, call.int_arg(max)?),
            By::Score => {
                let bound = |i| ScoreBound::parse(call.args.at(i));
                let no_float = ErrorReply::fixed("ERR min or max is not a float");
                let (Some(min), Some(max)) = (bound(min), bound(max)) else {
                    return Err(no_float);
                };
                Self::Scores(min, max)
            }
            By::Text => {
                let bound = |i| TextBound::parse(call.args.at(i));
                let no_item = ErrorReply::fixed("ERR min or max not valid string range item");
                let (Some(min), Some(max)) = (bound(min), bound(max)) else {
                    return Err(no_item);
                };
                Self::Texts(min, max)
            }
        })
    }

    /// The ranks of the members that are meant, counted from the end if `reverse` and the bounds are ranks.
    pub fn ranks(&self, set: &SortedSet, reverse: bool) -> Range<usize> {
        match *self {
            Self::Ranks(start, stop) => {
                let ranks = clamp(start, stop, set.len());
                if reverse {
                    set.len() - ranks.end..set.len() - ranks.start
                } else {
                    ranks
                }
            }
            Self::Scores(min, max) => {
                let start = set.scores_before(&|score| !min.is_before(score));
                let end = set.scores_before(&|score| max.is_behind(score));
                start..end.max(start)
            }
            Self::Texts(min, max) => {
                if TextBound::is_empty(min, max) {
                    return 0..0;
                }
                let span = TextSpan {
                    is_above: &|text| min.is_before(text),
                    is_below: &|text| max.is_behind(text),
                };
                set.ranks_of(&span, reverse)
            }
        }
    }
}

/// Ranks from `start` to `stop`, both included, among so many; negative ones count from the end.
fn clamp(start: i64, stop: i64, len: usize) -> Range<usize> {
    let len = len as i64;
    let from_end = |rank: i64| if rank < 0 { rank + len } else { rank };
    let start = from_end(start).max(0);
    let stop = from_end(stop).min(len - 1);
    if start > stop {
        return 0..0;
    }
    start as usize..stop as usize + 1
}

impl ScoreBound {
    fn parse(text: &[u8]) -> Option<Self> {
        let (excluded, text) = match text {
            [b'(', text @ ..] => (true, text),
            _ => (false, text),
        };
        let score = parse_bound(text)?;
        Some(Self { score, excluded })
    }

    /// As a lower bound: is this score in the range?
    fn is_before(self, score: f64) -> bool {
        if self.excluded {
            score > self.score
        } else {
            score >= self.score
        }
    }

    /// As an upper bound: is this score in the range?
    fn is_behind(self, score: f64) -> bool {
        if self.excluded {
            score < self.score
        } else {
            score <= self.score
        }
    }
}

impl<'a> TextBound<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        match text {
            [b'-'] | [b'-', 0, ..] => Some(Self::Lowest),
            [b'+'] | [b'+', 0, ..] => Some(Self::Highest),
            [b'[', text @ ..] => Some(Self::Included(text)),
            [b'(', text @ ..] => Some(Self::Excluded(text)),
            _ => None,
        }
    }

    /// As a lower bound: is this text in the range?
    fn is_before(self, text: &[u8]) -> bool {
        match self {
            Self::Lowest => true,
            Self::Highest => false,
            Self::Included(bound) => text >= bound,
            Self::Excluded(bound) => text > bound,
        }
    }

    /// As an upper bound: is this text in the range?
    fn is_behind(self, text: &[u8]) -> bool {
        match self {
            Self::Lowest => false,
            Self::Highest => true,
            Self::Included(bound) => text <= bound,
            Self::Excluded(bound) => text < bound,
        }
    }

    /// Is nothing between the two, whatever the members?
    fn is_empty(min: Self, max: Self) -> bool {
        let text = |bound| match bound {
            Self::Included(text) | Self::Excluded(text) => Some(text),
            _ => None,
        };
        match (text(min), text(max)) {
            (Some(low), Some(high)) => {
                let either = matches!(min, Self::Excluded(_)) || matches!(max, Self::Excluded(_));
                low > high || (low == high && either)
            }
            _ => matches!(min, Self::Highest) || matches!(max, Self::Lowest),
        }
    }
}

//! ZRANGE and its older forms, ZRANGESTORE, ZCOUNT, ZLEXCOUNT.

use std::ops::Range;

use super::bounds::{Bounds, By};
use super::reply::{write_header, write_member};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Expire, Key, SortedSet};

/// What a command is asked for. What its name says already is not looked for among the options.
#[derive(Clone, Copy)]
struct Request {
    by: Option<By>,
    reverse: Option<bool>,
    /// The result is stored, so there are no scores to ask for.
    stores: bool,
}

/// The options behind the bounds.
struct Options {
    by: By,
    reverse: bool,
    with_scores: bool,
    offset: i64,
    count: i64,
}

pub fn zrange(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, None, None)
}

pub fn zrevrange(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Some(By::Rank), Some(true))
}

pub fn zrangebyscore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Some(By::Score), Some(false))
}

pub fn zrevrangebyscore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Some(By::Score), Some(true))
}

pub fn zrangebylex(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Some(By::Text), Some(false))
}

pub fn zrevrangebylex(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    reply(call, Some(By::Text), Some(true))
}

impl Request {
    /// Reads the bounds at `at` and the options behind them.
    fn parse<'a>(self, call: &Call<'a>, at: usize) -> Result<(Options, Bounds<'a>), ErrorReply> {
        let mut options = Options {
            by: self.by.unwrap_or(By::Rank),
            reverse: self.reverse.unwrap_or(false),
            with_scores: false,
            offset: 0,
            count: -1,
        };
        let mut by = self.by;
        let mut index = at + 2;
        while index < call.args.len() {
            let behind = call.args.len() - index - 1;
            if !self.stores && call.arg_is(index, "withscores") {
                options.with_scores = true;
            } else if call.arg_is(index, "limit") && behind >= 2 {
                options.offset = call.int_arg(index + 1)?;
                options.count = call.int_arg(index + 2)?;
                index += 2;
            } else if self.reverse.is_none() && !options.reverse && call.arg_is(index, "rev") {
                options.reverse = true;
            } else if by.is_none() && call.arg_is(index, "bylex") {
                by = Some(By::Text);
            } else if by.is_none() && call.arg_is(index, "byscore") {
                by = Some(By::Score);
            } else {
                return Err(ErrorReply::SYNTAX);
            }
            index += 1;
        }
        options.by = by.unwrap_or(By::Rank);
        if options.count != -1 && options.by == By::Rank {
            return Err(ErrorReply::fixed(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if options.with_scores && options.by == By::Text {
            return Err(ErrorReply::fixed(
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ));
        }
        // The end that a reply begins with is named first.
        let (min, max) = match options.by {
            By::Score | By::Text if options.reverse => (at + 1, at),
            _ => (at, at + 1),
        };
        let bounds = Bounds::parse(call, options.by, min, max)?;
        Ok((options, bounds))
    }
}

impl Options {
    /// Ranks of what is asked for, LIMIT applied.
    fn ranks(&self, bounds: &Bounds<'_>, set: &SortedSet) -> Range<usize> {
        let ranks = bounds.ranks(set, self.reverse);
        if self.by == By::Rank {
            return ranks;
        }
        // A negative offset skips all, a negative count gives all.
        let skipped = usize::try_from(self.offset)
            .unwrap_or(usize::MAX)
            .min(ranks.len());
        let given = usize::try_from(self.count)
            .unwrap_or(usize::MAX)
            .min(ranks.len() - skipped);
        if self.reverse {
            let end = ranks.end - skipped;
            end - given..end
        } else {
            let start = ranks.start + skipped;
            start..start + given
        }
    }
}

fn reply(call: &mut Call<'_>, by: Option<By>, reverse: Option<bool>) -> Result<(), ErrorReply> {
    let request = Request {
        by,
        reverse,
        stores: false,
    };
    let (options, bounds) = request.parse(call, 2)?;
    let (set, out) = call.read::<SortedSet>(0)?;
    let Some(set) = set else {
        out.array(0);
        return Ok(());
    };
    let ranks = options.ranks(&bounds, set);
    write_header(out, ranks.len(), options.with_scores);
    set.visit(ranks, options.reverse, &mut |member, score| {
        write_member(out, member, score, options.with_scores);
    });
    Ok(())
}

/// An empty result removes the destination.
pub fn zrangestore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let request = Request {
        by: None,
        reverse: None,
        stores: true,
    };
    let (options, bounds) = request.parse(call, 3)?;
    let (keys, limits) = (call.keys, call.limits());
    let mut result = SortedSet::default();
    let (set, _) = call.read::<SortedSet>(1)?;
    if let Some(set) = set {
        let ranks = options.ranks(&bounds, set);
        // Only of ranks, stock knows before how many there will be.
        if options.by == By::Rank {
            result = SortedSet::for_members(ranks.len(), 0, &limits);
        }
        set.visit(ranks, options.reverse, &mut |member, score| {
            result.insert(member, score, &limits);
        });
    }
    let len = result.len();
    store(call, &keys[0], result, "zrangestore");
    call.out.integer(len as i64);
    Ok(())
}

/// Sets a key to a sorted set, which is told as `event`, or removes it if that is empty.
pub fn store(call: &mut Call<'_>, destination: &Key<'_>, set: SortedSet, event: &str) {
    let table = call.held.table(destination.slot);
    if !set.is_empty() {
        table
            .find(destination, call.now)
            .set_collection(set, Expire::Clear);
        call.notify(EventClass::SORTED_SET, event, destination);
    } else if let Some(old) = table.remove(destination, 0) {
        // What was there goes as it is, also if its time is over: replicas are told of this command alone.
        table.discard(old);
        call.notify(EventClass::GENERIC, "del", destination);
    }
}

pub fn zcount(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    count(call, By::Score)
}

pub fn zlexcount(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    count(call, By::Text)
}

fn count(call: &mut Call<'_>, by: By) -> Result<(), ErrorReply> {
    let bounds = Bounds::parse(call, by, 2, 3)?;
    let (set, out) = call.read::<SortedSet>(0)?;
    out.integer(set.map_or(0, |set| bounds.ranks(set, false).len()) as i64);
    Ok(())
}

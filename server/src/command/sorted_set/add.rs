//! ZADD, ZINCRBY.

use crate::command::call::Call;
use crate::command::float::float_arg;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Limits, SortedSet};

/// What ZADD was asked for beside members and scores.
#[derive(Clone, Copy, Default)]
pub struct Options {
    pub only_new: bool,
    pub only_present: bool,
    pub only_greater: bool,
    pub only_less: bool,
    pub count_changed: bool,
    pub increment: bool,
}

/// What became of a member.
enum Outcome {
    Added(f64),
    Updated(f64),
    /// The score is what it was.
    Same(f64),
    /// The options say that nothing is to be done.
    Left,
}

pub fn zadd(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (options, first) = Options::parse(call);
    let rest = call.args.len() - first;
    if rest == 0 || !rest.is_multiple_of(2) {
        return Err(ErrorReply::SYNTAX);
    }
    options.check(rest / 2)?;
    add(call, options, first)
}

pub fn zincrby(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let options = Options {
        increment: true,
        ..Options::default()
    };
    add(call, options, 2)
}

impl Options {
    /// Reads them, and tells where they end.
    fn parse(call: &Call<'_>) -> (Self, usize) {
        let mut options = Self::default();
        let mut at = 2;
        while at < call.args.len() {
            let option = match call.args.at(at).to_ascii_lowercase().as_slice() {
                b"nx" => &mut options.only_new,
                b"xx" => &mut options.only_present,
                b"gt" => &mut options.only_greater,
                b"lt" => &mut options.only_less,
                b"ch" => &mut options.count_changed,
                b"incr" => &mut options.increment,
                _ => break,
            };
            *option = true;
            at += 1;
        }
        (options, at)
    }

    fn check(&self, members: usize) -> Result<(), ErrorReply> {
        if self.only_new && self.only_present {
            return Err(ErrorReply::fixed(
                "ERR XX and NX options at the same time are not compatible",
            ));
        }
        let compares = [self.only_new, self.only_greater, self.only_less];
        if compares.into_iter().filter(|&asked| asked).count() > 1 {
            return Err(ErrorReply::fixed(
                "ERR GT, LT, and/or NX options at the same time are not compatible",
            ));
        }
        if self.increment && members > 1 {
            return Err(ErrorReply::fixed(
                "ERR INCR option supports a single increment-element pair",
            ));
        }
        Ok(())
    }

    fn apply(
        self,
        set: &mut SortedSet,
        member: &[u8],
        score: f64,
        limits: &Limits,
    ) -> Result<Outcome, ErrorReply> {
        let Some(before) = set.score(member) else {
            if self.only_present {
                return Ok(Outcome::Left);
            }
            set.insert(member, score, limits);
            return Ok(Outcome::Added(score));
        };
        if self.only_new {
            return Ok(Outcome::Left);
        }
        let score = if self.increment { before + score } else { score };
        if score.is_nan() {
            return Err(ErrorReply::fixed("ERR resulting score is not a number (NaN)"));
        }
        if (self.only_less && score >= before) || (self.only_greater && score <= before) {
            return Ok(Outcome::Left);
        }
        if score == before {
            return Ok(Outcome::Same(score));
        }
        set.insert(member, score, limits);
        Ok(Outcome::Updated(score))
    }
}

/// Scores and members in turn from argument `first` on. All scores are read before anything is changed.
fn add(call: &mut Call<'_>, options: Options, first: usize) -> Result<(), ErrorReply> {
    let scored = (first..call.args.len())
        .step_by(2)
        .map(|at| Ok((float_arg(call, at)?, call.args.at(at + 1))))
        .collect::<Result<Vec<(f64, &[u8])>, ErrorReply>>()?;
    add_scored(call, options, &scored)
}

/// Adds members with these scores, and replies.
pub fn add_scored(call: &mut Call<'_>, options: Options, scored: &[(f64, &[u8])]) -> Result<(), ErrorReply> {
    let limits = call.limits();
    let (added, updated, last) = call.edit(0, |set: &mut SortedSet| {
        let (mut added, mut updated, mut last) = (0, 0, Ok(None));
        for &(score, member) in scored {
            match options.apply(set, member, score, &limits) {
                Ok(Outcome::Added(score)) => {
                    added += 1;
                    last = Ok(Some(score));
                }
                Ok(Outcome::Updated(score)) => {
                    updated += 1;
                    last = Ok(Some(score));
                }
                Ok(Outcome::Same(score)) => last = Ok(Some(score)),
                Ok(Outcome::Left) => {}
                Err(error) => {
                    last = Err(error);
                    break;
                }
            }
        }
        ((added, updated, last), added + updated > 0)
    })?;
    if added + updated > 0 {
        let event = if options.increment { "zincr" } else { "zadd" };
        call.notify(EventClass::SORTED_SET, event, &call.keys[0]);
    }
    match last? {
        Some(score) if options.increment => call.out.double(score),
        None if options.increment => call.out.nil(),
        _ if options.count_changed => call.out.integer(added + updated),
        _ => call.out.integer(added),
    }
    Ok(())
}

//! XTRIM, and what XADD and XTRIM say of trimming.

use super::id;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Change, Entries, Keep, Stream};

/// Entries that an approximate trimming deletes at most if it is not said, and there is no limit of a node's entries.
const LIMIT_DEFAULT: u64 = 10_000;
/// The most that it is otherwise.
const LIMIT_MAX: u64 = 1_000_000;
/// Nodes that it deletes at most.
const LIMIT_NODES: u64 = 100;

const NOT_APPROXIMATE: ErrorReply =
    ErrorReply::fixed("ERR syntax error, LIMIT cannot be used without the special ~ option");

/// How to trim.
#[derive(Clone, Copy)]
pub(super) struct Trim {
    pub keep: Keep,
    /// `~`: whole nodes only.
    pub approximate: bool,
    /// Entries that go at most; 0: any number.
    pub limit: u64,
    /// The argument that says what is kept.
    pub at: usize,
}

impl Trim {
    pub fn apply(&self, entries: &mut Entries) -> u64 {
        entries.trim(self.keep, self.approximate, self.limit)
    }

    /// The arguments that have the same effect anywhere: exactly what was kept here.
    pub fn rewrite(&self, args: &mut [Vec<u8>], entries: &Entries) {
        if self.approximate {
            args[self.at - 1] = b"=".to_vec();
            args[self.at] = match self.keep {
                Keep::Last(_) => entries.len().to_string(),
                Keep::From(_) => entries.first_kept_id().to_string(),
            }
            .into_bytes();
        }
    }
}

/// The options of XADD and XTRIM, which are in one language.
#[derive(Default)]
pub(super) struct Options {
    pub trim: Option<Trim>,
    /// NOMKSTREAM.
    pub must_exist: bool,
    /// Where they end.
    pub end: usize,
    limit: Option<u64>,
}

impl Options {
    /// Those of XTRIM, which fill the command.
    pub fn of_xtrim(call: &Call<'_>) -> Result<Self, ErrorReply> {
        let mut options = Self::parse(call)?;
        if options.end < call.args.len() {
            return Err(ErrorReply::SYNTAX);
        }
        options.complete(call, true)?;
        Ok(options)
    }

    /// Those of XADD, up to what must be the ID; `check` says whether it is.
    pub fn of_xadd<T>(
        call: &Call<'_>,
        check: impl FnOnce(&[u8]) -> Result<T, ErrorReply>,
    ) -> Result<(Self, Option<T>), ErrorReply> {
        let mut options = Self::parse(call)?;
        let id = call.args.get(options.end).map(check).transpose()?;
        options.complete(call, false)?;
        Ok((options, id))
    }

    fn parse(call: &Call<'_>) -> Result<Self, ErrorReply> {
        let mut options = Self::default();
        let is_xadd = call.spec.name == "xadd";
        let mut at = 2;
        while at < call.args.len() {
            let left = call.args.len() - 1 - at;
            if is_xadd && call.args.at(at) == b"*" {
                break;
            } else if (call.arg_is(at, "maxlen") || call.arg_is(at, "minid")) && left > 0 {
                at = options.strategy(call, at)?;
            } else if call.arg_is(at, "limit") && left > 0 {
                let limit = u64::try_from(call.int_arg(at + 1)?);
                options.limit =
                    Some(limit.map_err(|_| ErrorReply::fixed("ERR The LIMIT argument must be >= 0."))?);
                at += 1;
            } else if is_xadd && call.arg_is(at, "nomkstream") {
                options.must_exist = true;
            } else {
                break;
            }
            at += 1;
        }
        options.end = at;
        Ok(options)
    }

    /// MAXLEN or MINID at `at`; returns where its last argument is.
    fn strategy(&mut self, call: &Call<'_>, at: usize) -> Result<usize, ErrorReply> {
        if self.trim.is_some() {
            return Err(ErrorReply::fixed(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
            ));
        }
        let has_operator = at + 2 < call.args.len() && matches!(call.args.at(at + 1), b"~" | b"=");
        let approximate = has_operator && call.args.at(at + 1) == b"~";
        let value = if has_operator { at + 2 } else { at + 1 };
        let keep = if call.arg_is(at, "maxlen") {
            let count = u64::try_from(call.int_arg(value)?);
            Keep::Last(count.map_err(|_| ErrorReply::fixed("ERR The MAXLEN argument must be >= 0."))?)
        } else {
            Keep::From(id::exact(call.args.at(value))?)
        };
        self.trim = Some(Trim {
            keep,
            approximate,
            limit: 0,
            at: value,
        });
        Ok(value)
    }

    /// Checks LIMIT, or sets it.
    fn complete(&mut self, call: &Call<'_>, must_trim: bool) -> Result<(), ErrorReply> {
        let Some(trim) = &mut self.trim else {
            if self.limit.is_some_and(|limit| limit > 0) {
                return Err(ErrorReply::fixed(
                    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
                ));
            }
            if must_trim {
                return Err(ErrorReply::fixed(
                    "ERR syntax error, XTRIM must be called with a trimming strategy",
                ));
            }
            return match self.limit {
                Some(_) if !call.session.is_primary_link => Err(NOT_APPROXIMATE),
                _ => Ok(()),
            };
        };
        // What our primary says is exact.
        if call.session.is_primary_link {
            return Ok(());
        }
        match self.limit {
            Some(_) if !trim.approximate => return Err(NOT_APPROXIMATE),
            Some(limit) => trim.limit = limit,
            None if trim.approximate => {
                let per_node = call.limits().stream_node_entries;
                trim.limit = match per_node.saturating_mul(LIMIT_NODES) {
                    0 => LIMIT_DEFAULT,
                    limit => limit.min(LIMIT_MAX),
                };
            }
            None => {}
        }
        Ok(())
    }
}

pub fn xtrim(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let options = Options::of_xtrim(call)?;
    let trim = options.trim.expect("XTRIM without a strategy is refused");
    let is_recorded = call.is_recorded();
    let mut told: Vec<Vec<u8>> = call.args.iter().map(<[u8]>::to_vec).collect();
    let deleted = call.edit_as(0, |stream: &mut Stream| {
        let deleted = trim.apply(stream.entries_mut());
        if is_recorded {
            trim.rewrite(&mut told, stream.entries());
        }
        (deleted, Change::Watched.when(deleted > 0))
    })?;
    if deleted > 0 {
        if trim.approximate {
            let told: Vec<&[u8]> = told.iter().map(Vec::as_slice).collect();
            call.effect_instead(&told);
        }
        call.notify(EventClass::STREAM, "xtrim", &call.keys[0]);
    }
    call.out.integer(deleted as i64);
    Ok(())
}

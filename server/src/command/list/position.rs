//! LPOS.

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{List, Side};
use slotcore::resp::parse_i64;

struct Options {
    /// Where the search begins.
    side: Side,
    /// Matches to pass over.
    skip: usize,
    /// Matches to name; `None`: only one, and not as a list.
    count: Option<usize>,
    /// Elements to compare.
    most: usize,
}

impl Options {
    fn parse(call: &Call<'_>) -> Result<Self, ErrorReply> {
        let mut options = Self {
            side: Side::Left,
            skip: 0,
            count: None,
            most: usize::MAX,
        };
        let mut is_endless = false;
        let mut at = 3;
        while at < call.args.len() {
            let value = call.args.get(at + 1).ok_or(ErrorReply::SYNTAX)?;
            let amount = |error: &'static str| {
                let amount = parse_i64(value).and_then(|amount| usize::try_from(amount).ok());
                amount
                    .map(|amount| if amount == 0 { usize::MAX } else { amount })
                    .ok_or(ErrorReply::fixed(error))
            };
            if call.arg_is(at, "rank") {
                let rank = parse_i64(value).ok_or(ErrorReply::NOT_INTEGER)?;
                if rank == 0 {
                    return Err(RANK_ZERO);
                }
                options.side = if rank < 0 { Side::Right } else { Side::Left };
                // The smallest of all has no opposite: in stock it passes over nothing, and no count is ever reached.
                is_endless = rank == i64::MIN;
                options.skip = rank.checked_abs().map_or(0, |rank| rank as usize - 1);
            } else if call.arg_is(at, "count") {
                options.count = Some(amount("ERR COUNT can't be negative")?);
            } else if call.arg_is(at, "maxlen") {
                options.most = amount("ERR MAXLEN can't be negative")?;
            } else {
                return Err(ErrorReply::SYNTAX);
            }
            at += 2;
        }
        if is_endless && options.count.is_some() {
            options.count = Some(usize::MAX);
        }
        Ok(options)
    }
}

const RANK_ZERO: ErrorReply = ErrorReply::fixed(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the \
     end of the list",
);
pub fn lpos(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let element = call.args.at(2);
    let number = parse_i64(element);
    let options = Options::parse(call)?;
    let (list, out) = call.read::<List>(0)?;
    let mut found = Vec::new();
    if let Some(list) = list {
        let last = list.len() - 1;
        let start = match options.side {
            Side::Left => 0,
            Side::Right => last,
        };
        let matches = list
            .from(start, options.side)
            .take(options.most)
            .enumerate()
            .filter(|(_, item)| item.is(element, number))
            .skip(options.skip)
            .take(options.count.unwrap_or(1));
        found.extend(matches.map(|(step, _)| match options.side {
            Side::Left => step,
            Side::Right => last - step,
        }));
    }
    match (options.count, found.first()) {
        (Some(_), _) => {
            out.array(found.len());
            found.iter().for_each(|&index| out.integer(index as i64));
        }
        (None, Some(&index)) => out.integer(index as i64),
        (None, None) => out.nil(),
    }
    Ok(())
}

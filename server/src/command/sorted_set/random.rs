//! ZRANDMEMBER.

use super::reply::{write_header, write_member};
use crate::command::call::Call;
use crate::command::random::{check_reply_elements, check_reply_len, count_arg, distinct};
use crate::command::reply_error::ErrorReply;
use crate::keyspace::SortedSet;

pub fn zrandmember(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.args.len() == 2 {
        let (set, out) = call.read::<SortedSet>(0)?;
        match set {
            Some(set) => {
                let rank = rand::random_range(0..set.len());
                set.visit(rank..rank + 1, false, &mut |member, _| out.bulk(member));
            }
            None => out.nil(),
        }
        return Ok(());
    }
    let count = count_arg(call, 2)?;
    let with_scores = match call.args.len() {
        3 => false,
        4 if call.arg_is(3, "withscores") => true,
        _ => return Err(ErrorReply::SYNTAX),
    };
    // Twice the count is the length of a reply.
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(ErrorReply::OUT_OF_RANGE);
    }
    let (set, out) = call.read::<SortedSet>(0)?;
    let Some(set) = set else {
        out.array(0);
        return Ok(());
    };
    let len = set.len();
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count >= 0 {
        let all = || (0..len).collect::<Vec<usize>>();
        let chosen = if wanted >= len {
            // Of all, the last one first: stock's order.
            (0..len).rev().collect()
        } else {
            distinct(len, wanted, all, || Some(rand::random_range(0..len)))
        };
        write_header(out, chosen.len(), with_scores);
        for rank in chosen {
            set.visit(rank..rank + 1, false, &mut |member, score| {
                write_member(out, member, score, with_scores);
            });
        }
        return Ok(());
    }
    check_reply_elements(wanted)?;
    let before = out.out.len();
    write_header(out, wanted, with_scores);
    for _ in 0..wanted {
        let rank = rand::random_range(0..len);
        set.visit(rank..rank + 1, false, &mut |member, score| {
            write_member(out, member, score, with_scores);
        });
        check_reply_len(out.out.len() - before)?;
    }
    Ok(())
}

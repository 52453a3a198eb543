//! LCS: the longest common subsequence of two strings, by dynamic programming in O(N*M) time and memory.

use super::text;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;

#[derive(Default)]
struct Options {
    length: bool,
    indexes: bool,
    match_lengths: bool,
    least: i64,
}

/// A run that both strings share: where it starts in each, and how long it is.
struct Match {
    a: usize,
    b: usize,
    len: usize,
}

pub fn lcs(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let [a, b] = [value(call, 0)?, value(call, 1)?];
    let options = parse(call)?;
    let cells = (a.len() + 1)
        .checked_mul(b.len() + 1)
        .and_then(|cells| cells.checked_mul(size_of::<u32>()));
    let limit = call.node.config.load().proto_max_bulk_len;
    if cells.is_none_or(|bytes| bytes as u64 > limit) {
        return Err(ErrorReply::fixed(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        ));
    }
    let table = Table::of(&a, &b);
    let len = table.at(a.len(), b.len()) as usize;
    if options.length {
        call.out.integer(len as i64);
        return Ok(());
    }
    let (common, matches) = table.trace(&a, &b);
    if !options.indexes {
        call.out.bulk(&common);
        return Ok(());
    }
    let kept: Vec<&Match> = matches
        .iter()
        .filter(|found| found.len as i64 >= options.least)
        .collect();
    call.out.map(2);
    call.out.bulk(b"matches");
    call.out.array(kept.len());
    for found in kept {
        call.out.array(if options.match_lengths { 3 } else { 2 });
        for start in [found.a, found.b] {
            call.out.array(2);
            call.out.integer(start as i64);
            call.out.integer((start + found.len - 1) as i64);
        }
        if options.match_lengths {
            call.out.integer(found.len as i64);
        }
    }
    call.out.bulk(b"len");
    call.out.integer(len as i64);
    Ok(())
}

/// The value of key `i`; an absent key is an empty string.
fn value(call: &mut Call<'_>, i: usize) -> Result<Vec<u8>, ErrorReply> {
    let key = &call.keys[i];
    let found = text(call.held.table(key.slot).get(key, call.now))
        .map_err(|_| ErrorReply::fixed("ERR The specified keys must contain string values"))?;
    let found = found.map(<[u8]>::to_vec);
    call.looked_up(key, found.is_some());
    Ok(found.unwrap_or_default())
}

fn parse(call: &Call<'_>) -> Result<Options, ErrorReply> {
    let mut options = Options::default();
    let mut i = 3;
    while i < call.args.len() {
        if call.arg_is(i, "LEN") {
            options.length = true;
        } else if call.arg_is(i, "IDX") {
            options.indexes = true;
        } else if call.arg_is(i, "WITHMATCHLEN") {
            options.match_lengths = true;
        } else if call.arg_is(i, "MINMATCHLEN") && i + 1 < call.args.len() {
            i += 1;
            options.least = call.int_arg(i)?.max(0);
        } else {
            return Err(ErrorReply::SYNTAX);
        }
        i += 1;
    }
    if options.length && options.indexes {
        return Err(ErrorReply::fixed(
            "ERR If you want both the length and indexes, please just use IDX.",
        ));
    }
    Ok(options)
}

/// Lengths of the longest common subsequences of all pairs of prefixes.
struct Table {
    lengths: Vec<u32>,
    width: usize,
}

impl Table {
    fn of(a: &[u8], b: &[u8]) -> Self {
        let width = b.len() + 1;
        let mut lengths = vec![0u32; (a.len() + 1) * width];
        for (i, x) in a.iter().enumerate() {
            let (before, row) = lengths.split_at_mut((i + 1) * width);
            let above = &before[i * width..];
            for (j, y) in b.iter().enumerate() {
                row[j + 1] = if x == y {
                    above[j] + 1
                } else {
                    above[j + 1].max(row[j])
                };
            }
        }
        Self { lengths, width }
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.lengths[i * self.width + j]
    }

    /// Walks back from the ends: the subsequence, and its runs from the last to the first. Where two ways are equally
    /// good the second string gives way first, as in stock.
    fn trace(&self, a: &[u8], b: &[u8]) -> (Vec<u8>, Vec<Match>) {
        let mut common = Vec::with_capacity(self.at(a.len(), b.len()) as usize);
        let mut matches: Vec<Match> = Vec::new();
        let (mut i, mut j) = (a.len(), b.len());
        let mut in_run = false;
        while i > 0 && j > 0 {
            if a[i - 1] == b[j - 1] {
                (i, j) = (i - 1, j - 1);
                common.push(a[i]);
                match matches.last_mut() {
                    Some(run) if in_run => {
                        *run = Match {
                            a: i,
                            b: j,
                            len: run.len + 1,
                        }
                    }
                    _ => matches.push(Match { a: i, b: j, len: 1 }),
                }
                in_run = true;
            } else {
                if self.at(i - 1, j) > self.at(i, j - 1) {
                    i -= 1
                } else {
                    j -= 1
                }
                in_run = false;
            }
        }
        common.reverse();
        (common, matches)
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn the_textbook_example() {
        let (a, b) = (b"ohmytext", b"mynewtext");
        let (common, matches) = Table::of(a, b).trace(a, b);
        assert_eq!(common, b"mytext");
        let runs: Vec<_> = matches.iter().map(|run| (run.a, run.b, run.len)).collect();
        assert_eq!(runs, [(4, 5, 4), (2, 0, 2)]);
    }
}

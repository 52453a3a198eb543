//! BITCOUNT, BITPOS.

use std::ops::Range;

use super::bit;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::string::text;

/// Does the word in argument `i` say that a range counts bits, not bytes?
fn counts_bits(call: &Call<'_>, i: usize) -> Result<bool, ErrorReply> {
    if call.arg_is(i, "bit") {
        Ok(true)
    } else if call.arg_is(i, "byte") {
        Ok(false)
    } else {
        Err(ErrorReply::SYNTAX)
    }
}

/// The bits of an inclusive range of bits or bytes among so many bytes; negative ends count from behind.
fn span(bytes: usize, start: i64, end: i64, in_bits: bool) -> Range<usize> {
    let unit = if in_bits { 1 } else { 8 };
    let len = bytes as i64 * 8 / unit;
    let from_behind = |at: i64| if at < 0 { at.saturating_add(len).max(0) } else { at };
    let (start, end) = (from_behind(start), from_behind(end).min(len - 1));
    if start > end {
        0..0
    } else {
        (start * unit) as usize..((end + 1) * unit) as usize
    }
}

/// A key that is absent is answered before the range is looked at.
pub fn bitcount(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let args = call.args;
    let key = &call.keys[0];
    call.notify_miss(key);
    let found = call.held.table(key.slot).get(key, call.now);
    call.node.stats.worker(call.worker).looked_up(found.is_some());
    let Some(len) = text(found)?.map(<[u8]>::len) else {
        call.out.integer(0);
        return Ok(());
    };
    let bits = match args.len() {
        2 => 0..len * 8,
        4 | 5 => {
            let (start, end) = (call.int_arg(2)?, call.int_arg(3)?);
            if start < 0 && end < 0 && start > end {
                0..0
            } else {
                let in_bits = args.len() == 5 && counts_bits(call, 4)?;
                span(len, start, end, in_bits)
            }
        }
        _ => return Err(ErrorReply::SYNTAX),
    };
    let found = call.held.look(key, call.now);
    let count = count_ones(text(found)?.unwrap_or_default(), bits);
    call.out.integer(count as i64);
    Ok(())
}

/// How many of these bits are set.
fn count_ones(bytes: &[u8], bits: Range<usize>) -> usize {
    let single = |bits: Range<usize>| bits.filter(|&offset| bit(bytes, offset)).count();
    let (first, last) = (bits.start.div_ceil(8), bits.end / 8);
    if first >= last {
        return single(bits);
    }
    let whole: usize = bytes[first..last]
        .chunks(8)
        .map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word).count_ones() as usize
        })
        .sum();
    single(bits.start..first * 8) + whole + single(last * 8..bits.end)
}

/// Without an end, zeros follow the string.
pub fn bitpos(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let args = call.args;
    let wanted = match call.int_arg(2)? {
        0 => false,
        1 => true,
        _ => return Err(ErrorReply::fixed("ERR The bit argument must be 1 or 0.")),
    };
    let key = &call.keys[0];
    call.notify_miss(key);
    let found = call.held.table(key.slot).get(key, call.now);
    call.node.stats.worker(call.worker).looked_up(found.is_some());
    let Some(len) = text(found)?.map(<[u8]>::len) else {
        call.out.integer(if wanted { -1 } else { 0 });
        return Ok(());
    };
    let has_end = args.len() >= 5;
    let bits = match args.len() {
        3 => 0..len * 8,
        4..=6 => {
            let start = call.int_arg(3)?;
            let in_bits = args.len() == 6 && counts_bits(call, 5)?;
            let end = if has_end { call.int_arg(4)? } else { i64::MAX };
            span(len, start, end, in_bits)
        }
        _ => return Err(ErrorReply::SYNTAX),
    };
    let found = call.held.look(key, call.now);
    let bytes = text(found)?.unwrap_or_default();
    let position = if bits.is_empty() {
        None
    } else {
        let end = bits.end;
        find(bytes, bits, wanted).or((!wanted && !has_end).then_some(end))
    };
    call.out.integer(position.map_or(-1, |position| position as i64));
    Ok(())
}

/// The first of these bits that is `wanted`.
fn find(bytes: &[u8], bits: Range<usize>, wanted: bool) -> Option<usize> {
    let is_wanted = |offset: &usize| bit(bytes, *offset) == wanted;
    let first = bits.start.div_ceil(8).min(bits.end.div_ceil(8));
    if let Some(found) = (bits.start..bits.end.min(first * 8)).find(is_wanted) {
        return Some(found);
    }
    // Bytes without such a bit are passed by.
    let none = if wanted { 0x00 } else { 0xff };
    let last = bits.end.div_ceil(8);
    let byte = first + bytes[first..last].iter().position(|&byte| byte != none)?;
    (byte * 8..bits.end.min(byte * 8 + 8)).find(is_wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranges_are_searched_as_bit_by_bit(
            bytes in proptest::collection::vec(prop_oneof![Just(0_u8), Just(255), any::<u8>()], 0..40),
            from in 0_usize..320,
            to in 0_usize..320,
        ) {
            let len = bytes.len() * 8;
            let bits = from.min(to).min(len)..from.max(to).min(len);
            let ones = bits.clone().filter(|&offset| bit(&bytes, offset)).count();
            prop_assert_eq!(count_ones(&bytes, bits.clone()), ones);
            for wanted in [false, true] {
                let first = bits.clone().find(|&offset| bit(&bytes, offset) == wanted);
                prop_assert_eq!(find(&bytes, bits.clone(), wanted), first);
            }
        }
    }

    #[test]
    fn ranges_are_inclusive_and_clamped() {
        for (start, end, in_bits, expected) in [
            (0, -1, false, 0..24),
            (1, 1, false, 8..16),
            (-2, 100, false, 8..24),
            (3, 9, false, 0..0),
            (5, 9, true, 5..10),
            (-3, -1, true, 21..24),
            (i64::MIN, i64::MAX, true, 0..24),
        ] {
            assert_eq!(span(3, start, end, in_bits), expected);
        }
    }
}

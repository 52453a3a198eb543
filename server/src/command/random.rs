//! Drawing elements of a collection at random, as HRANDFIELD, SRANDMEMBER and ZRANDMEMBER do.

use std::collections::HashSet;
use std::hash::Hash;

use slotcore::resp::parse_i64;

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;

/// The longest reply of elements that may come twice, in bytes: their number is the client's to choose.
const REPLY_MAX: usize = 1 << 30;

/// How many elements are wanted: as many different ones, or, if negative, as many that may come twice.
pub fn count_arg(call: &Call<'_>, i: usize) -> Result<i64, ErrorReply> {
    let count = parse_i64(call.args.at(i)).ok_or(ErrorReply::NOT_INTEGER)?;
    if count == i64::MIN {
        return Err(ErrorReply::new(format!(
            "ERR value is out of range, value must between {} and {}",
            -i64::MAX,
            i64::MAX
        )));
    }
    Ok(count)
}

/// Bytes of the shortest element of a reply.
const ELEMENT_MIN: usize = b"$0\r\n\r\n".len();

/// Refuses a reply of so many elements that may come twice, if it is certainly too long.
pub fn check_reply_elements(elements: usize) -> Result<(), ErrorReply> {
    check_reply_len(elements.saturating_mul(ELEMENT_MIN))
}

/// Refuses to go on with a reply of elements that may come twice when it is too long.
pub fn check_reply_len(bytes: usize) -> Result<(), ErrorReply> {
    if bytes > REPLY_MAX {
        return Err(ErrorReply::fixed(
            "ERR value is out of range: the reply would be larger than 1 GiB",
        ));
    }
    Ok(())
}

/// Draws `count` different elements of `len`, fewer than there are. `all` gives every element, `draw` a random one.
pub fn distinct<T: Copy + Eq + Hash>(
    len: usize,
    count: usize,
    all: impl FnOnce() -> Vec<T>,
    mut draw: impl FnMut() -> Option<T>,
) -> Vec<T> {
    // Of a large part, most draws would come twice.
    if count.saturating_mul(3) > len {
        let mut all = all();
        for place in 0..count.min(all.len()) {
            let other = rand::random_range(place..all.len());
            all.swap(place, other);
        }
        all.truncate(count);
        return all;
    }
    let mut drawn = HashSet::with_capacity(count);
    let mut order = Vec::with_capacity(count);
    while order.len() < count
        && let Some(element) = draw()
    {
        if drawn.insert(element) {
            order.push(element);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_distinct_and_anything() {
        for (len, count) in [(10, 0), (10, 3), (10, 4), (10, 9), (100, 5)] {
            let mut seen = HashSet::new();
            for _ in 0..2000 {
                let drawn = distinct(
                    len,
                    count,
                    || (0..len).collect(),
                    || Some(rand::random_range(0..len)),
                );
                assert_eq!(drawn.len(), count);
                assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), count);
                seen.extend(drawn);
            }
            assert!(count == 0 || seen.len() == len, "{} of {len}", seen.len());
        }
    }
}

//! SCAN, KEYS, RANDOMKEY.

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::glob;
use crate::keyspace::Entry;
use slotcore::resp::ReplyWriter;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("scan", scan, Locks::Each),
    ("keys", keys, Locks::Each),
    ("randomkey", randomkey, Locks::Each),
];

const DEFAULT_COUNT: usize = 10;
/// How often RANDOMKEY draws again when it meets a key that has expired.
const RANDOM_TRIES: usize = 100;

fn scan(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let cursor = cursor_arg(call, 1)?;
    let filter = Filter::parse(call, 2, true)?;
    let mut found = KeyList::default();
    let (keyspace, now) = (&call.node.keyspace, call.now);
    let next = call.held.scan(keyspace, cursor, filter.count, now, &mut |entry| {
        if filter.accepts(entry) {
            found.push(entry.key());
        }
    });
    call.out.array(2);
    call.out.bulk(itoa::Buffer::new().format(next).as_bytes());
    found.write(&mut call.out);
    Ok(())
}

/// The cursor in argument `i`.
pub fn cursor_arg(call: &Call<'_>, i: usize) -> Result<u64, ErrorReply> {
    parse_cursor(call.args.at(i)).ok_or(ErrorReply::fixed("ERR invalid cursor"))
}

/// Reads a cursor as stock does with `strtoul`: a sign is allowed, and nothing at all means 0.
fn parse_cursor(text: &[u8]) -> Option<u64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return text.is_empty().then_some(0);
    }
    let value = digits.iter().try_fold(0_u64, |value, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })?;
    Some(if negative { value.wrapping_neg() } else { value })
}

/// What a SCAN, HSCAN, SSCAN or ZSCAN is to return.
pub struct Filter<'a> {
    /// Elements to look at in one step.
    pub count: usize,
    pattern: Option<&'a [u8]>,
    type_name: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    /// Reads the arguments from `index` on. `keys`: TYPE may be asked for.
    pub fn parse(call: &Call<'a>, mut index: usize, keys: bool) -> Result<Self, ErrorReply> {
        let mut filter = Self {
            count: DEFAULT_COUNT,
            pattern: None,
            type_name: None,
        };
        while index < call.args.len() {
            if index + 1 == call.args.len() {
                return Err(ErrorReply::SYNTAX);
            }
            if call.arg_is(index, "count") {
                let count = call.int_arg(index + 1)?;
                filter.count = usize::try_from(count)
                    .ok()
                    .filter(|&count| count > 0)
                    .ok_or(ErrorReply::SYNTAX)?;
            } else if call.arg_is(index, "match") {
                let pattern = call.args.at(index + 1);
                filter.pattern = (pattern != b"*").then_some(pattern);
            } else if keys && call.arg_is(index, "type") {
                filter.type_name = Some(call.args.at(index + 1));
            } else {
                return Err(ErrorReply::SYNTAX);
            }
            index += 2;
        }
        Ok(filter)
    }

    /// Does the pattern, if there is one, fit?
    pub fn matches(&self, text: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, text))
    }

    fn accepts(&self, entry: Entry<'_>) -> bool {
        self.matches(entry.key())
            && self
                .type_name
                .is_none_or(|name| name.eq_ignore_ascii_case(entry.type_name().as_bytes()))
    }
}

fn keys(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let pattern = call.args.at(1);
    let (keyspace, now, all) = (&call.node.keyspace, call.now, pattern == b"*");
    let mut found = KeyList::default();
    call.held.for_each(keyspace, now, &mut |entry| {
        if all || glob::matches(pattern, entry.key()) {
            found.push(entry.key());
        }
    });
    found.write(&mut call.out);
    Ok(())
}

fn randomkey(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (keyspace, now) = (&call.node.keyspace, call.now);
    for _ in 0..RANDOM_TRIES {
        let mut drawn = None;
        call.held.random(keyspace, rand::random(), &mut |entry| {
            drawn = Some((!entry.is_expired(now)).then(|| entry.key().to_vec()));
        });
        match drawn {
            Some(Some(key)) => {
                call.out.bulk(&key);
                return Ok(());
            }
            Some(None) => {}
            None => break,
        }
    }
    call.out.nil();
    Ok(())
}

/// Strings found, encoded while the locks are held, counted before they are sent.
#[derive(Default)]
pub struct KeyList {
    encoded: Vec<u8>,
    count: usize,
}

impl KeyList {
    pub fn push(&mut self, key: &[u8]) {
        slotcore::resp::encode_bulk(&mut self.encoded, key);
        self.count += 1;
    }

    pub fn write(&self, out: &mut ReplyWriter<'_>) {
        out.array(self.count);
        out.out.extend_from_slice(&self.encoded);
    }
}

#[cfg(test)]
mod tests {
    use super::parse_cursor;

    #[test]
    fn cursors_are_read_as_strtoul_does() {
        let cases: [(&[u8], Option<u64>); 11] = [
            (b"0", Some(0)),
            (b"", Some(0)),
            (b"007", Some(7)),
            (b"+7", Some(7)),
            (b"-1", Some(u64::MAX)),
            (b"18446744073709551615", Some(u64::MAX)),
            (b"18446744073709551616", None),
            (b"-", None),
            (b"a", None),
            (b"1 ", None),
            (b" 1", None),
        ];
        for (text, cursor) in cases {
            assert_eq!(parse_cursor(text), cursor, "{}", text.escape_ascii());
        }
    }
}

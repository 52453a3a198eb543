//! The order: by numbers or by texts, of the elements or of what keys say of them.

use std::cmp::Ordering;

use super::options::Options;
use super::pattern;
use crate::command::call::Call;
use crate::command::float::parse_float;
use crate::command::reply_error::ErrorReply;

/// What an element is compared by.
enum Weight {
    Number(f64),
    /// `None`: its key says nothing.
    Text(Option<Vec<u8>>),
    /// The element itself, as a text.
    Own,
}

/// The elements in the order that is asked for.
pub(super) fn sorted(
    call: &mut Call<'_>,
    elements: Vec<Vec<u8>>,
    options: &Options<'_>,
) -> Result<Vec<Vec<u8>>, ErrorReply> {
    let mut weighted = Vec::with_capacity(elements.len());
    let mut is_wrong = false;
    for element in elements {
        let by = options.by.map(|by| pattern::look_up(call, by, &element));
        let weight = match (options.alpha, by) {
            (true, None) => Weight::Own,
            (true, Some(text)) => Weight::Text(text),
            (false, Some(None)) => Weight::Number(0.0),
            (false, by) => {
                let number = number(by.flatten().as_deref().unwrap_or(&element));
                is_wrong |= number.is_none();
                Weight::Number(number.unwrap_or(0.0))
            }
        };
        weighted.push((weight, element));
    }
    if is_wrong {
        return Err(ErrorReply::fixed(
            "ERR One or more scores can't be converted into double",
        ));
    }
    let whole = options.store.is_some();
    weighted.sort_by(|(a, a_text), (b, b_text)| {
        let order = match (a, b) {
            // Equal numbers are in the order of the texts, so that there is only one.
            (Weight::Number(a), Weight::Number(b)) => a
                .partial_cmp(b)
                .unwrap_or(Ordering::Equal)
                .then_with(|| a_text.cmp(b_text)),
            (Weight::Text(a), Weight::Text(b)) => {
                let (a, b) = (a.as_deref(), b.as_deref());
                a.map(|text| collated(text, whole))
                    .cmp(&b.map(|text| collated(text, whole)))
            }
            _ => collated(a_text, whole).cmp(collated(b_text, whole)),
        };
        if options.descending {
            order.reverse()
        } else {
            order
        }
    });
    Ok(weighted.into_iter().map(|(_, element)| element).collect())
}

/// What of a text counts: as far as C's strings go if it is only replied, all of it if it is stored.
fn collated(text: &[u8], whole: bool) -> &[u8] {
    let end = text.iter().position(|&byte| byte == 0).filter(|_| !whole);
    &text[..end.unwrap_or(text.len())]
}

/// A number as C's `strtod` reads it from all of a text: blanks before it, `inf`, hexadecimal digits; nothing is 0. `None`
/// if it is no number, or out of range.
fn number(text: &[u8]) -> Option<f64> {
    let text = &text[..text.iter().position(|&byte| byte == 0).unwrap_or(text.len())];
    if text.is_empty() {
        return Some(0.0);
    }
    let blanks = text
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b)
        .count();
    let text = &text[blanks..];
    let value = parse_float(text)?;
    // What is so small that digits are lost is out of range here, though not for ZADD.
    let is_hexadecimal = text.iter().any(|byte| byte.eq_ignore_ascii_case(&b'x'));
    (!value.is_subnormal() || is_hexadecimal).then_some(value)
}

//! Floating point numbers in arguments, as C's `strtod` reads them.

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;

/// Bits of the mantissa that a hexadecimal number is collected in; what is behind them only says "a little more".
const COLLECTED_BITS: u32 = 60;
/// The least power of two that a double is a multiple of.
const MIN_POWER: i64 = -1074;

/// Argument `i` as a number: no blanks, no NaN, nothing out of range.
pub fn float_arg(call: &Call<'_>, i: usize) -> Result<f64, ErrorReply> {
    parse_float(call.args.at(i)).ok_or(ErrorReply::NOT_FLOAT)
}

/// All of a text as a number; `None` if it is none, NaN, too large, or too small to differ from zero.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let value = read(text)?;
    let is_too_large = value.is_infinite() && !names_infinity(text);
    let is_too_small = value == 0.0 && !has_only_zeros(text);
    (!value.is_nan() && !is_too_large && !is_too_small).then_some(value)
}

/// A bound, which is read more generously: blanks may stand in front, nothing at all is zero, a NUL byte ends it, and what is
/// out of range is infinite or zero. `None` if it is NaN or no number.
pub fn parse_bound(text: &[u8]) -> Option<f64> {
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    let text = &text[..end];
    if text.is_empty() {
        return Some(0.0);
    }
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let start = text.iter().position(|byte| !is_blank(byte))?;
    read(&text[start..]).filter(|value| !value.is_nan())
}

/// `inf` or `infinity`, and no hexadecimal number.
fn names_infinity(text: &[u8]) -> bool {
    matches!(unsigned(text), [b'i' | b'I', ..])
}

fn unsigned(text: &[u8]) -> &[u8] {
    match text {
        [b'-' | b'+', rest @ ..] => rest,
        _ => text,
    }
}

fn is_hexadecimal(text: &[u8]) -> bool {
    matches!(text, [b'0', b'x' | b'X', ..])
}

/// Are the digits before an exponent all zeros?
fn has_only_zeros(text: &[u8]) -> bool {
    let text = unsigned(text);
    let (digits, mark) = if is_hexadecimal(text) {
        (&text[2..], b'p')
    } else {
        (text, b'e')
    };
    digits
        .iter()
        .take_while(|byte| !byte.eq_ignore_ascii_case(&mark))
        .all(|byte| matches!(byte, b'0' | b'.'))
}

/// The nearest number, infinite or zero if there is none so far out.
fn read(text: &[u8]) -> Option<f64> {
    let magnitude = unsigned(text);
    if !is_hexadecimal(magnitude) {
        return std::str::from_utf8(text).ok()?.parse().ok();
    }
    let value = read_hexadecimal(&magnitude[2..])?;
    Some(if text[0] == b'-' { -value } else { value })
}

fn read_hexadecimal(text: &[u8]) -> Option<f64> {
    let (digits, exponent) = match text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'p')) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (mut mantissa, mut power, mut seen, mut behind_point) = (0_u64, 0_i64, false, false);
    for &byte in digits {
        if byte == b'.' && !behind_point {
            behind_point = true;
            continue;
        }
        let digit = u64::from(char::from(byte).to_digit(16)?);
        seen = true;
        if mantissa >> (COLLECTED_BITS - 4) == 0 {
            mantissa = mantissa << 4 | digit;
            power -= if behind_point { 4 } else { 0 };
        } else {
            mantissa |= u64::from(digit != 0);
            power += if behind_point { 0 } else { 4 };
        }
    }
    if !seen {
        return None;
    }
    power = power.saturating_add(exponent.map_or(Some(0), read_exponent)?);
    Some(scale(mantissa, power))
}

/// Digits with an optional sign, at most so far out that nothing is in range.
fn read_exponent(text: &[u8]) -> Option<i64> {
    let digits = unsigned(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0_i64, |sum, byte| {
        (sum * 10 + i64::from(byte - b'0')).min(1 << 40)
    });
    Some(if text[0] == b'-' { -magnitude } else { magnitude })
}

/// `mantissa * 2^power`, rounded once, to the even one of two. The lowest bit of the mantissa may stand for all that is
/// behind it.
fn scale(mantissa: u64, power: i64) -> f64 {
    let bits = i64::from(64 - mantissa.leading_zeros());
    let power = power.clamp(-4096, 4096);
    // The least power of two that the result is a multiple of.
    let least = power.max((power + bits - i64::from(f64::MANTISSA_DIGITS)).max(MIN_POWER));
    let lost = (least - power) as u32;
    let kept = if lost == 0 {
        mantissa
    } else if i64::from(lost) > bits {
        0
    } else {
        let (kept, half) = (mantissa.checked_shr(lost).unwrap_or(0), 1 << (lost - 1));
        let rest = mantissa - kept.checked_shl(lost).unwrap_or(0);
        kept + u64::from(rest > half || (rest == half && kept & 1 == 1))
    };
    // In two steps, each of them exact: no such power need be a double itself.
    let half = least / 2;
    kept as f64 * 2_f64.powi(half as i32) * 2_f64.powi((least - half) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_strtod_does() {
        for (text, expected) in [
            ("1", Some(1.0)),
            ("+1.5e3", Some(1500.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("0x10", Some(16.0)),
            ("-0X1.8p1", Some(-3.0)),
            ("0x.8", Some(0.5)),
            ("0x1p-1074", Some(5e-324)),
            ("0x1.8p-1074", Some(1e-323)),
            ("0x0.8p-1074", None),
            ("0x0.8000000000000000000000001p-1074", Some(5e-324)),
            ("0x1.fffffffffffff8p1023", None),
            ("0x1.fffffffffffff7p1023", Some(f64::MAX)),
            (
                "0x10000000000000800000000000001",
                Some(83_076_749_736_557_260_000_000_000_000_000_000.0 / 16.0),
            ),
            ("0xinf", None),
            ("0x", None),
            ("0x1p", None),
            ("0x0p99", Some(0.0)),
            ("inf", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("infin", None),
            ("nan", None),
            ("1e400", None),
            ("1e-400", None),
            ("1e-320", Some(1e-320)),
            ("0e-400", Some(0.0)),
            ("", None),
            (" 1", None),
            ("1 ", None),
            ("1e", None),
            (".", None),
            ("1_000", None),
        ] {
            assert_eq!(parse_float(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(parse_float(b"-0").map(f64::is_sign_negative), Some(true));
    }

    #[test]
    fn bounds_are_read_more_generously() {
        for (text, expected) in [
            ("", Some(0.0)),
            (" 1", Some(1.0)),
            ("\t\x0b-2", Some(-2.0)),
            ("1 ", None),
            (" ", None),
            ("1\0abc", Some(1.0)),
            ("1e400", Some(f64::INFINITY)),
            ("-1e-400", Some(0.0)),
            ("nan", None),
            ("abc", None),
        ] {
            assert_eq!(parse_bound(text.as_bytes()), expected, "{text:?}");
        }
    }
}

//! Floating point numbers as text.

use std::io::Write;

/// A number's text, at most 24 bytes of it.
#[derive(Clone, Copy)]
pub struct DoubleText {
    bytes: [u8; DoubleText::ROOM],
    len: usize,
}

impl DoubleText {
    /// Sign, digit, point, sixteen digits, `e`, sign and three digits make 24.
    const ROOM: usize = 32;

    /// The text, ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, text: &[u8]) {
        self.bytes[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
    }
}

/// Writes `value` as C's `%.17g` does, which is how redis-server 7.0 prints a score: seventeen significant digits
/// without trailing zeros, with an exponent if that is below -4 or above 16; `inf`, `-inf` and `nan`.
pub fn format_double(value: f64) -> DoubleText {
    let mut text = DoubleText {
        bytes: [0; DoubleText::ROOM],
        len: 0,
    };
    if value.is_nan() {
        text.push(b"nan");
        return text;
    }
    if value.is_infinite() {
        text.push(if value > 0.0 { b"inf" } else { b"-inf" });
        return text;
    }
    if value.abs() < 1e15 && value == value.trunc() && !(value == 0.0 && value.is_sign_negative()) {
        text.push(itoa::Buffer::new().format(value as i64).as_bytes());
        return text;
    }

    // "d.dddddddddddddddde-ddd", correctly rounded, ties to even.
    let mut scientific = [0u8; DoubleText::ROOM];
    let room = scientific.len();
    let mut rest = &mut scientific[..];
    // The text has at most 24 bytes, so it fits and the write cannot fail.
    let _ = write!(rest, "{:.16e}", value.abs());
    let len = room - rest.len();
    let (mantissa, exponent) = split_scientific(&scientific[..len]);

    if value.is_sign_negative() {
        text.push(b"-");
    }
    let significant = mantissa
        .iter()
        .rposition(|&digit| digit != b'0')
        .map_or(1, |last| last + 1);
    let digits = &mantissa[..significant];
    match exponent {
        -4..=-1 => {
            text.push(b"0.");
            text.push(&b"000"[..(-exponent - 1) as usize]);
            text.push(digits);
        }
        0..=16 => {
            let whole = exponent as usize + 1;
            text.push(&mantissa[..whole]);
            if significant > whole {
                text.push(b".");
                text.push(&mantissa[whole..significant]);
            }
        }
        _ => {
            text.push(&digits[..1]);
            if significant > 1 {
                text.push(b".");
                text.push(&digits[1..]);
            }
            text.push(if exponent < 0 { b"e-" } else { b"e+" });
            if exponent.abs() < 10 {
                text.push(b"0");
            }
            text.push(itoa::Buffer::new().format(exponent.unsigned_abs()).as_bytes());
        }
    }
    text
}

/// The seventeen digits and the exponent of `d.dddddddddddddddde[-]ddd`.
fn split_scientific(text: &[u8]) -> ([u8; 17], i32) {
    let mut digits = [b'0'; 17];
    digits[0] = text[0];
    digits[1..].copy_from_slice(&text[2..18]);
    let exponent = &text[19..];
    let (negative, magnitude) = match exponent {
        [b'-', magnitude @ ..] => (true, magnitude),
        magnitude => (false, magnitude),
    };
    let magnitude = magnitude
        .iter()
        .fold(0, |n, &digit| n * 10 + i32::from(digit - b'0'));
    (digits, if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    fn text(value: f64) -> String {
        String::from_utf8(format_double(value).as_bytes().to_vec()).unwrap()
    }

    /// What redis-server 7.0.15 answers to ZSCORE for these scores.
    #[test]
    #[expect(
        clippy::excessive_precision,
        reason = "a tie between two decimals, written out"
    )]
    fn as_stock_prints_scores() {
        for (value, expected) in [
            (3.1, "3.1000000000000001"),
            (3.5, "3.5"),
            (1e20, "1e+20"),
            (123456.000244140625, "123456.00024414062"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (1e-7, "9.9999999999999995e-08"),
            (17179869184000.0, "17179869184000"),
            (1e17, "1e+17"),
            (99999999999999999.0, "1e+17"),
            (0.0001, "0.0001"),
            (0.00001, "1.0000000000000001e-05"),
            (5e-324, "4.9406564584124654e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (123456789012345678.0, "1.2345678901234568e+17"),
            (1e16, "10000000000000000"),
            (-12345.678, "-12345.678"),
        ] {
            assert_eq!(text(value), expected);
        }
        assert_eq!(
            (text(0.0).as_str(), text(-0.0).as_str(), text(f64::NAN).as_str()),
            ("0", "-0", "nan")
        );
        assert_eq!(
            (text(1e15).as_str(), text(1234567890123456.5).as_str()),
            ("1000000000000000", "1234567890123456.5")
        );
        assert_eq!(text(0.00012345), "0.00012344999999999999");
    }

    proptest! {
        #[test]
        fn any_double_reads_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let text = text(value);
            prop_assert!(text.len() <= 24, "{}", text);
            if !value.is_nan() {
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
            }
        }

        #[test]
        fn everyday_doubles_read_back(mantissa in any::<i32>(), shift in 0i32..12) {
            let value = f64::from(mantissa) / 10f64.powi(shift);
            prop_assert_eq!(text(value).parse::<f64>().unwrap(), value);
        }
    }
}

//! The arithmetic of INCRBYFLOAT: redis-server counts in the x87's 80-bit numbers, whose 64-bit mantissa shows in the
//! results (0.1 + 0.2 is 0.3 there, and 0.30000000000000004 in an f64). So these are such numbers, with exact
//! parsing, rounding and printing over big integers.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigUint;
use num_traits::{ToPrimitive, Zero};

/// Longest number text that is read, in bytes; longer is not a number, as in stock.
const MAX_TEXT_LEN: usize = 5 * 1024 - 1;

/// Bits of the mantissa.
const MANTISSA_BITS: u64 = 64;

/// Numbers reach up to 2 to this power.
const MAX_POWER: i64 = 16_384;

/// The least power of two that a number, however small, is a multiple of.
const MIN_POWER: i64 = -16_445;

/// Digits printed behind the point.
const FRACTION_DIGITS: u32 = 17;

/// `±mantissa * 2^power`, or an infinity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extended {
    negative: bool,
    mantissa: u64,
    power: i64,
    infinite: bool,
}

impl Extended {
    pub const ZERO: Self = Self {
        negative: false,
        mantissa: 0,
        power: 0,
        infinite: false,
    };

    /// Reads what C's `strtold` reads in full, except NaN, blanks, and numbers out of range: decimal or hexadecimal
    /// digits with an optional point and exponent, or `inf`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() > MAX_TEXT_LEN {
            return None;
        }
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        if text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity") {
            return Some(Self {
                negative,
                infinite: true,
                ..Self::ZERO
            });
        }
        let magnitude = match text {
            [b'0', b'x' | b'X', rest @ ..] => Digits::read(rest, 16)?.value(),
            _ => Digits::read(text, 10)?.value(),
        }?;
        Some(Self {
            negative,
            ..magnitude
        })
    }

    /// Thousandths, rounded up; `None` if there are 2^63 or more of them, or if it is no finite number.
    pub fn milliseconds(self) -> Option<i64> {
        if self.infinite || self.power > 64 {
            return None;
        }
        let thousandths = BigUint::from(self.mantissa) * 1000_u32;
        let whole = if self.power >= 0 {
            thousandths << self.power as u64
        } else {
            let unit = BigUint::from(1_u8) << self.power.unsigned_abs();
            // Away from zero for what is positive.
            let up = if self.negative {
                BigUint::ZERO
            } else {
                &unit - 1_u8
            };
            (thousandths + up) / unit
        };
        let whole = whole.to_i64()?;
        Some(if self.negative { -whole } else { whole })
    }

    pub fn is_infinite(self) -> bool {
        self.infinite
    }

    /// The rounded sum; `None` if it is no finite number.
    pub fn add(self, other: Self) -> Option<Self> {
        if self.infinite || other.infinite {
            return None;
        }
        let power = self.power.min(other.power);
        let [a, b] = [self, other].map(|x| BigUint::from(x.mantissa) << (x.power - power) as u64);
        let (negative, magnitude) = if self.negative == other.negative {
            (self.negative, a + b)
        } else {
            match a.cmp(&b) {
                Ordering::Equal => return Some(Self::ZERO),
                Ordering::Greater => (self.negative, a - b),
                Ordering::Less => (other.negative, b - a),
            }
        };
        let sum = Self::round(magnitude, power, false)?;
        Some(Self { negative, ..sum })
    }

    /// The number nearest to `magnitude * 2^power`, to the even one of two; `inexact`: a little more than that. `None`
    /// if it is out of range.
    fn round(magnitude: BigUint, power: i64, inexact: bool) -> Option<Self> {
        if magnitude.is_zero() {
            return Some(Self::ZERO);
        }
        let surplus = (magnitude.bits() as i64 - MANTISSA_BITS as i64)
            .max(MIN_POWER - power)
            .max(0);
        let mut kept = &magnitude >> surplus as u64;
        let mut power = power + surplus;
        if surplus > 0 && magnitude.bit(surplus as u64 - 1) {
            let below = magnitude
                .trailing_zeros()
                .is_some_and(|zeros| zeros < surplus as u64 - 1)
                || inexact;
            if below || kept.bit(0) {
                kept += 1u32;
            }
        }
        if kept.bits() > MANTISSA_BITS {
            kept >>= 1u32;
            power += 1;
        }
        let in_range = !kept.is_zero() && kept.bits() as i64 + power <= MAX_POWER;
        in_range.then(|| Self {
            negative: false,
            mantissa: kept.to_u64().expect("at most 64 bits are kept"),
            power,
            infinite: false,
        })
    }
}

/// A number as written: digits of one radix, and the power that they are to be multiplied with.
struct Digits {
    number: BigUint,
    radix: u32,
    /// Of ten for decimal numbers, of two for hexadecimal ones.
    exponent: i64,
}

impl Digits {
    fn read(text: &[u8], radix: u32) -> Option<Self> {
        let exponent_mark: &[u8] = if radix == 16 { b"pP" } else { b"eE" };
        let (digits, exponent) = match text.iter().position(|b| exponent_mark.contains(b)) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let (whole, fraction) = match digits.iter().position(|&b| b == b'.') {
            Some(at) => (&digits[..at], &digits[at + 1..]),
            None => (digits, &[][..]),
        };
        let all: Vec<u8> = [whole, fraction].concat();
        if all.is_empty() || !all.iter().all(|&b| char::from(b).is_digit(radix)) {
            return None;
        }
        let number = BigUint::parse_bytes(&all, radix)?;
        let step = if radix == 16 { 4 } else { 1 };
        let exponent = exponent.map_or(Some(0), read_exponent)? - step * fraction.len() as i64;
        Some(Self {
            number,
            radix,
            exponent,
        })
    }

    /// The nearest number; `None` if it is out of range.
    fn value(self) -> Option<Extended> {
        let Self {
            number,
            radix,
            exponent,
        } = self;
        if number.is_zero() {
            return Some(Extended::ZERO);
        }
        if radix == 16 {
            return Extended::round(number, exponent, false);
        }
        // Beyond these no number of at most MAX_TEXT_LEN digits is in range.
        let reach = MAX_POWER + MAX_TEXT_LEN as i64;
        if exponent.abs() > reach {
            return None;
        }
        let tens = BigUint::from(10u32).pow(exponent.unsigned_abs() as u32);
        if exponent >= 0 {
            return Extended::round(number * tens, 0, false);
        }
        // Enough bits that the quotient has two more than the mantissa; the rest of the division says "a little more".
        let shift = (tens.bits() as i64 - number.bits() as i64 + MANTISSA_BITS as i64 + 2).max(0);
        let number = number << shift as u64;
        let quotient = &number / &tens;
        let inexact = &quotient * &tens != number;
        Extended::round(quotient, -shift, inexact)
    }
}

/// Digits with an optional sign. What no exponent reaches is as good as what is far out of range.
fn read_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits
        .iter()
        .fold(0i64, |sum, b| (sum * 10 + i64::from(b - b'0')).min(1 << 32));
    Some(if negative { -magnitude } else { magnitude })
}

impl fmt::Display for Extended {
    /// As `%.17Lf` without trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scaled = BigUint::from(self.mantissa) * BigUint::from(10u32).pow(FRACTION_DIGITS);
        let rounded = if self.power >= 0 {
            scaled << self.power as u64
        } else {
            let shift = self.power.unsigned_abs();
            let floor = &scaled >> shift;
            let half = scaled.bit(shift - 1);
            let below = scaled.trailing_zeros().is_some_and(|zeros| zeros < shift - 1);
            if half && (below || floor.bit(0)) {
                floor + 1u32
            } else {
                floor
            }
        };
        let digits = format!(
            "{rounded:0>width$}",
            rounded = rounded.to_string(),
            width = FRACTION_DIGITS as usize + 1
        );
        let (whole, fraction) = digits.split_at(digits.len() - FRACTION_DIGITS as usize);
        let fraction = fraction.trim_end_matches('0');
        let sign = if self.negative && !(whole == "0" && fraction.is_empty()) {
            "-"
        } else {
            ""
        };
        if fraction.is_empty() {
            write!(f, "{sign}{whole}")
        } else {
            write!(f, "{sign}{whole}.{fraction}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Extended;
    use proptest::prelude::*;

    fn sum(a: &str, b: &str) -> Option<String> {
        let [a, b] = [a, b].map(|text| Extended::parse(text.as_bytes()).expect("a number"));
        a.add(b).map(|sum| sum.to_string())
    }

    #[test]
    fn sums_are_those_of_redis_server() {
        // Read from redis-server 7.0.15.
        let cases = [
            ("0.1", "0.2", "0.3"),
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("3.0e3", "200", "3200"),
            ("3", "-3", "0"),
            ("-0", "0", "0"),
            ("1e17", "0.5", "100000000000000000.5"),
            ("0x10", "0", "16"),
            ("9223372036854775807", "1", "9223372036854775808"),
        ];
        for (a, b, wanted) in cases {
            assert_eq!(sum(a, b).as_deref(), Some(wanted), "{a} + {b}");
        }
        assert_eq!(sum("inf", "1"), None);
        assert_eq!(sum("1e4932", "1e4932"), None);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", " 1", "1 ", "abc", "nan", "1e", "1e5000", "1e-5000", ".", "-", "0x", "1..2", "--1",
        ] {
            assert_eq!(Extended::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn doubles_are_held_exactly(value in -1e15f64..1e15) {
            // An f64 fits into the wider mantissa, so adding nothing must give it back.
            let shown = sum(&format!("{value}"), "0").unwrap();
            prop_assert_eq!(shown.parse::<f64>().unwrap(), value);
        }

        #[test]
        fn any_bytes_are_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(number) = Extended::parse(&text) {
                let _ = number.to_string();
            }
        }
    }
}

//! Integers as the protocol writes them, and lengths with their type byte.

/// Reads a decimal integer as strictly as stock does everywhere on the wire: an optional minus sign, no plus sign, no
/// leading zeros, no "-0", no blanks, and nothing outside the range of `i64`.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [] => return None,
        [b'0', ..] => return if text.len() == 1 { Some(0) } else { None },
        _ if digits.len() > 19 => return None,
        _ => {}
    }
    // Nineteen digits are below 2^64, so the accumulator cannot overflow.
    let mut magnitude = 0u64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        magnitude = magnitude * 10 + u64::from(digit - b'0');
    }
    if negative {
        0i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
}

/// Appends `prefix`, `number` in decimal and CRLF.
#[inline]
pub(super) fn push_number_line(out: &mut Vec<u8>, prefix: u8, number: usize) {
    // One or two digits are nearly every header there is: one append of a line of known length.
    match number as u64 {
        n @ 0..=9 => out.extend_from_slice(&[prefix, b'0' + n as u8, b'\r', b'\n']),
        n @ 10..=99 => {
            out.extend_from_slice(&[prefix, b'0' + (n / 10) as u8, b'0' + (n % 10) as u8, b'\r', b'\n']);
        }
        n => push_long_number_line(out, prefix, n),
    }
}

fn push_long_number_line(out: &mut Vec<u8>, prefix: u8, mut number: u64) {
    // A type byte, at most twenty digits and CRLF, written from the end so that one append takes them all.
    let mut line = *b"......................\r\n";
    let mut at = line.len() - 2;
    while number > 0 {
        at -= 1;
        line[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    at -= 1;
    line[at] = prefix;
    out.extend_from_slice(&line[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn strict_integers() {
        for bad in [
            "",
            "-",
            "+1",
            "01",
            "-0",
            "-01",
            "00",
            " 1",
            "1 ",
            "1a",
            "0x1",
            "9223372036854775808",
        ] {
            assert_eq!(parse_i64(bad.as_bytes()), None, "{bad:?}");
        }
        for bad in [
            "-9223372036854775809",
            "99999999999999999999",
            "18446744073709551617",
        ] {
            assert_eq!(parse_i64(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(parse_i64(b"0"), Some(0));
        assert_eq!(parse_i64(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_i64(b"9223372036854775807"), Some(i64::MAX));
    }

    proptest! {
        #[test]
        fn integers_round_trip(n in any::<i64>()) {
            prop_assert_eq!(parse_i64(n.to_string().as_bytes()), Some(n));
        }

        #[test]
        fn number_lines(n in any::<u64>(), shift in 0u32..64) {
            let n = (n >> shift) as usize;
            let mut out = Vec::new();
            push_number_line(&mut out, b'$', n);
            prop_assert_eq!(out, format!("${n}\r\n").into_bytes());
        }
    }
}

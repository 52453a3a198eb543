//! Decimal digits of a fixed width.

const PAIRS: [[u8; 2]; 100] = build_pairs();

const fn build_pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[0u8; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
}

/// How many digits `n` has.
pub(crate) fn width(n: u64) -> usize {
    n.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Fills `out` with the last digits of `n`, zeros in front.
#[inline]
pub(crate) fn write(mut n: u64, out: &mut [u8]) {
    let mut pairs = out.rchunks_exact_mut(2);
    for pair in &mut pairs {
        pair.copy_from_slice(&PAIRS[(n % 100) as usize]);
        n /= 100;
    }
    if let [first] = pairs.into_remainder() {
        *first = b'0' + (n % 10) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_format() {
        for n in [
            0,
            1,
            9,
            10,
            99,
            100,
            12_345,
            999_999,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let mut out = [b'x'; 20];
            write(n, &mut out);
            assert_eq!(std::str::from_utf8(&out).unwrap(), format!("{n:020}"));
            assert_eq!(width(n), n.to_string().len());
            let mut odd = [b'x'; 3];
            write(n, &mut odd);
            assert_eq!(std::str::from_utf8(&odd).unwrap(), format!("{:03}", n % 1000));
        }
    }
}

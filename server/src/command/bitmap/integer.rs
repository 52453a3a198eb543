//! Integers of 1 to 64 bits at any bit of a string, the highest bit first.

use super::bit;

/// What becomes of a result that does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

/// How an integer is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IntegerType {
    pub signed: bool,
    /// 1 to 64, or to 63 if it is unsigned.
    pub bits: u32,
}

impl IntegerType {
    /// Reads `i16`, `u63`...
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (signed, most, digits) = match text {
            [b'i', digits @ ..] => (true, 64, digits),
            [b'u', digits @ ..] => (false, 63, digits),
            _ => return None,
        };
        let bits = slotcore::resp::parse_i64(digits).filter(|bits| (1..=most).contains(bits))?;
        Some(Self {
            signed,
            bits: bits as u32,
        })
    }

    fn range(self) -> (i128, i128) {
        if self.signed {
            (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1)
        } else {
            (0, (1 << self.bits) - 1)
        }
    }

    /// The integer at a bit; what is behind the end is zero.
    pub fn read(self, bytes: &[u8], offset: usize) -> i64 {
        let value = (0..self.bits as usize).fold(0_u64, |value, place| {
            value << 1 | u64::from(bit(bytes, offset + place))
        });
        self.extend(value)
    }

    /// Writes the lowest bits of an integer at a bit.
    ///
    /// # Panics
    /// If the string ends before.
    pub fn write(self, bytes: &mut [u8], offset: usize, value: i64) {
        for place in 0..self.bits as usize {
            let on = value >> (self.bits as usize - 1 - place) & 1 == 1;
            let at = offset + place;
            let mask = 0x80 >> (at & 7);
            if on {
                bytes[at >> 3] |= mask;
            } else {
                bytes[at >> 3] &= !mask;
            }
        }
    }

    /// `value + by` as this type holds it; `None` if it does not fit and that is a failure.
    pub fn add(self, value: i128, by: i64, overflow: Overflow) -> Option<i64> {
        let (min, max) = self.range();
        let sum = value + i128::from(by);
        if (min..=max).contains(&sum) {
            return Some(sum as i64);
        }
        match overflow {
            Overflow::Wrap => Some(self.extend(sum as u64)),
            Overflow::Saturate => Some(sum.clamp(min, max) as i64),
            Overflow::Fail => None,
        }
    }

    /// A new value as this type holds it; see [`Self::add`]. An unsigned one is read as 64 bits without a sign. A negative
    /// one so far out that its distance from the highest has no 64 bits saturates there: stock's arithmetic.
    pub fn fit(self, value: i64, overflow: Overflow) -> Option<i64> {
        let (_, max) = self.range();
        if self.signed
            && overflow == Overflow::Saturate
            && max - i128::from(value) > i128::from(i64::MAX)
            && self.bits < 64
        {
            return Some(max as i64);
        }
        let value = if self.signed {
            i128::from(value)
        } else {
            i128::from(value as u64)
        };
        self.add(value, 0, overflow)
    }

    /// The lowest bits, with a sign if there is one.
    fn extend(self, value: u64) -> i64 {
        let unused = 64 - self.bits;
        let top = value << unused;
        if self.signed {
            top as i64 >> unused
        } else {
            (top >> unused) as i64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn types_are_those_that_stock_knows() {
        for (text, expected) in [
            ("i1", Some((true, 1))),
            ("u63", Some((false, 63))),
            ("i64", Some((true, 64))),
        ] {
            let found = IntegerType::parse(text.as_bytes()).map(|kind| (kind.signed, kind.bits));
            assert_eq!(found, expected);
        }
        for text in ["u64", "i65", "i0", "u-1", "I8", "8", "", "i", "u01"] {
            assert_eq!(IntegerType::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_wraps_saturates_or_fails() {
        let (i8, u8) = (
            IntegerType {
                signed: true,
                bits: 8,
            },
            IntegerType {
                signed: false,
                bits: 8,
            },
        );
        assert_eq!(i8.add(127, 1, Overflow::Wrap), Some(-128));
        assert_eq!(i8.add(127, 1, Overflow::Saturate), Some(127));
        assert_eq!(i8.add(-128, -1, Overflow::Saturate), Some(-128));
        assert_eq!(i8.add(127, 1, Overflow::Fail), None);
        assert_eq!(u8.add(3, -4, Overflow::Wrap), Some(255));
        assert_eq!(u8.add(3, -4, Overflow::Saturate), Some(0));
        assert_eq!(u8.fit(-1, Overflow::Saturate), Some(255));
        assert_eq!(i8.fit(-1000, Overflow::Saturate), Some(-128));
        assert_eq!(i8.fit(i64::MIN, Overflow::Saturate), Some(127));
        let i64 = IntegerType {
            signed: true,
            bits: 64,
        };
        assert_eq!(i64.add(i128::from(i64::MAX), i64::MAX, Overflow::Wrap), Some(-2));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(offset in 0_usize..40, bits in 1_u32..=64, signed: bool, value: i64) {
            let kind = IntegerType { signed, bits: if signed { bits } else { bits.min(63) } };
            let mut bytes = [0xa5; 16];
            let value = kind.fit(value, Overflow::Wrap).expect("it wraps");
            kind.write(&mut bytes, offset, value);
            prop_assert_eq!(kind.read(&bytes, offset), value);
            for other in (0..offset).chain(offset + kind.bits as usize..128) {
                prop_assert_eq!(bit(&bytes, other), bit(&[0xa5], other & 7));
            }
        }
    }
}

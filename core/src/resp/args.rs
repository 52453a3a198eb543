//! The arguments of one request, borrowed from the read buffer.

use std::ops::Index;

/// Where one argument lies: byte offsets into the buffer that it was parsed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgRange {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

/// The arguments of one request, the command's name first.
///
/// Eight bytes an argument and a pointer to the buffer: copying it is cheap, and a batch of requests shares one vector
/// of ranges.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    buf: &'a [u8],
    ranges: &'a [ArgRange],
}

impl<'a> Args<'a> {
    /// Arguments that lie at `ranges` of `buf`. Reading one that does not lie within `buf` panics.
    #[inline]
    pub fn new(buf: &'a [u8], ranges: &'a [ArgRange]) -> Self {
        Self { buf, ranges }
    }

    /// How many arguments there are, the command's name included.
    #[inline]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there is no argument at all.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Argument `i`.
    ///
    /// # Panics
    /// If there are not that many arguments, which a check of the command's arity has ruled out.
    #[inline]
    pub fn at(&self, i: usize) -> &'a [u8] {
        self.bytes(self.ranges[i])
    }

    /// Argument `i`, if there are that many.
    #[inline]
    pub fn get(&self, i: usize) -> Option<&'a [u8]> {
        self.ranges.get(i).map(|&range| self.bytes(range))
    }

    /// The arguments in order.
    #[inline]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator + Clone + use<'a> {
        let args = *self;
        args.ranges.iter().map(move |&range| args.bytes(range))
    }

    /// The arguments from `i` on; none if there are not that many.
    #[inline]
    pub fn from(&self, i: usize) -> Args<'a> {
        Args {
            buf: self.buf,
            ranges: self.ranges.get(i..).unwrap_or_default(),
        }
    }

    #[inline]
    fn bytes(&self, range: ArgRange) -> &'a [u8] {
        &self.buf[range.start as usize..range.end as usize]
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    fn index(&self, i: usize) -> &[u8] {
        self.at(i)
    }
}

impl std::fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|arg| arg.escape_ascii().to_string()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views() {
        let buf = b"GETkeyvalue";
        let ranges = [(0, 3), (3, 6), (6, 11), (11, 11)].map(|(start, end)| ArgRange { start, end });
        let args = Args::new(buf, &ranges);
        assert_eq!(args.len(), 4);
        assert_eq!(
            (args.at(0), &args[1], args.get(3), args.get(4)),
            (&b"GET"[..], &b"key"[..], Some(&b""[..]), None)
        );
        assert_eq!(
            args.from(1).iter().collect::<Vec<_>>(),
            [&b"key"[..], b"value", b""]
        );
        assert_eq!(args.iter().next_back(), Some(&b""[..]));
        assert!(args.from(4).is_empty() && args.from(99).is_empty());
        assert_eq!(format!("{:?}", args.from(2)), r#"["value", ""]"#);
    }
}

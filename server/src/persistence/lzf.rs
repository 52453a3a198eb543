//! LZF, the compression of long strings: literal runs, and copies of what came up to 8 KiB before.

mod compress;

pub use compress::Compressor;

/// Decompresses. `None` if the input is damaged or does not give exactly `len` bytes.
pub fn decompress(input: &[u8], len: usize) -> Option<Vec<u8>> {
    // Three bytes of input make at most 264 of output: a longer announcement is a lie, and allocates nothing.
    if len / 88 > input.len() {
        return None;
    }
    let mut output = Vec::with_capacity(len);
    let mut at = 0;
    while at < input.len() {
        let control = usize::from(input[at]);
        at += 1;
        if control < 32 {
            let literal = input.get(at..at + control + 1)?;
            output.extend_from_slice(literal);
            at += literal.len();
        } else {
            let mut copied = control >> 5;
            if copied == 7 {
                copied += usize::from(*input.get(at)?);
                at += 1;
            }
            let distance = ((control & 31) << 8 | usize::from(*input.get(at)?)) + 1;
            at += 1;
            let from = output.len().checked_sub(distance)?;
            // What is copied may reach into what the copy itself has made.
            for index in from..from + copied + 2 {
                output.push(output[index]);
            }
        }
        if output.len() > len {
            return None;
        }
    }
    (output.len() == len).then_some(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn literals_and_copies() {
        assert_eq!(decompress(&[2, b'a', b'b', b'c'], 3).unwrap(), b"abc");
        // "ab", then six bytes from two before.
        assert_eq!(decompress(&[1, b'a', b'b', 4 << 5, 1], 8).unwrap(), b"abababab");
        // A long copy: 7 + 255 + 2.
        assert_eq!(decompress(&[0, b'x', 7 << 5, 255, 0], 265).unwrap(), [b'x'; 265]);
    }

    #[test]
    fn damage_is_seen() {
        for (input, len) in [
            (&[2, b'a'][..], 3),
            (&[0, b'a', 1 << 5], 4),
            (&[0, b'a', 7 << 5], 10),
            (&[0, b'a', 1 << 5, 1], 4),
            (&[1 << 5, 0], 3),
            (&[0, b'a'], 2),
            (&[1, b'a', b'b'], 1),
            (&[0, b'a'], usize::MAX),
        ] {
            assert_eq!(decompress(input, len), None, "{input:?}");
        }
    }

    proptest! {
        #[test]
        fn any_input_is_survived(input in proptest::collection::vec(any::<u8>(), 0..200), len in 0usize..5000) {
            if let Some(output) = decompress(&input, len) {
                prop_assert_eq!(output.len(), len);
            }
        }
    }
}

//! Compression, byte for byte as redis-server 7.0.15 does it: DUMP payloads of equal strings are equal.

/// Bits of the hash of three bytes.
const HASH_BITS: u32 = 16;
const HASH_SIZE: usize = 1 << HASH_BITS;
/// Longest run of literal bytes.
const LITERALS_MAX: usize = 32;
/// A copy reaches back less than this.
const DISTANCE_MAX: usize = 8192;
/// Longest copy.
const COPY_MAX: usize = 264;
/// Bytes that are compared before the first look at where a copy must end.
const UNROLLED: usize = 16;

/// Compresses again and again with one table, which takes 256 KiB.
pub struct Compressor {
    /// By the hash of three bytes: where they were last seen, counted from `base`.
    seen: Box<[u32]>,
    /// What positions of the present input begin at; positions below are of inputs before.
    base: u32,
}

impl Default for Compressor {
    fn default() -> Self {
        Self {
            seen: vec![0; HASH_SIZE].into(),
            base: 0,
        }
    }
}

impl Compressor {
    /// Appends `input` compressed to `out`; false, and `out` as before, if that would take more than `limit` bytes.
    pub fn compress(&mut self, input: &[u8], limit: usize, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        // Longer inputs than a position can say are stored as they are.
        let Ok(len) = u32::try_from(input.len()) else {
            return false;
        };
        if self.base.checked_add(len).is_none() {
            self.seen.fill(0);
            self.base = 0;
        }
        let fits = Run {
            seen: &mut self.seen,
            base: self.base,
            input,
            out,
            literals: 0,
            end: start.saturating_add(limit),
        }
        .all();
        self.base += len;
        if !fits {
            out.truncate(start);
        }
        fits
    }
}

/// One input on its way.
struct Run<'a> {
    seen: &'a mut [u32],
    base: u32,
    input: &'a [u8],
    out: &'a mut Vec<u8>,
    /// Literal bytes written since the run's control byte, whose place is reserved before them.
    literals: usize,
    /// Where the output must end.
    end: usize,
}

impl Run<'_> {
    fn all(mut self) -> bool {
        let Some(last) = self
            .input
            .len()
            .checked_sub(2)
            .filter(|_| self.end > self.out.len())
        else {
            return self.tail(0);
        };
        self.out.push(0);
        let mut at = 0;
        while at < last {
            let back = self.last_seen(at);
            match back {
                Some(from) => {
                    if !self.has_room_for_copy() {
                        return false;
                    }
                    let len = self.copy(from, at);
                    at += len;
                    if at >= last {
                        break;
                    }
                    // The last two positions of the copy are remembered, those before are not.
                    self.last_seen(at - 2);
                    self.last_seen(at - 1);
                }
                None => {
                    if self.out.len() >= self.end {
                        return false;
                    }
                    self.literal(self.input[at]);
                    at += 1;
                }
            }
        }
        self.finish(at)
    }

    /// Inputs too short for a hash.
    fn tail(self, at: usize) -> bool {
        if self.input.is_empty() || self.out.len() >= self.end {
            return false;
        }
        self.out.push(0);
        self.finish(at)
    }

    /// Writes what is left, at most three bytes, as literals.
    fn finish(mut self, at: usize) -> bool {
        if self.out.len() + 3 > self.end {
            return false;
        }
        for &byte in &self.input[at..] {
            self.literal(byte);
        }
        self.close();
        true
    }

    /// Where the three bytes at `at` stood before, if a copy can reach it; remembers this place.
    fn last_seen(&mut self, at: usize) -> Option<usize> {
        let three = [self.input[at], self.input[at + 1], self.input[at + 2]];
        let hash = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        let index =
            ((hash >> (24 - HASH_BITS)).wrapping_sub(hash.wrapping_mul(5))) as usize & (HASH_SIZE - 1);
        let place = std::mem::replace(&mut self.seen[index], self.base + at as u32);
        // The very first byte is never copied from: its place is what an empty table says.
        let from = place.checked_sub(self.base).filter(|&from| from > 0)? as usize;
        (at - from - 1 < DISTANCE_MAX && self.input[from..from + 3] == three).then_some(from)
    }

    fn has_room_for_copy(&self) -> bool {
        // An empty run gives its control byte back.
        self.out.len() - usize::from(self.literals == 0) + 4 < self.end
    }

    /// Writes a copy of what stands at `from`, where the input goes on at `at`. Returns its length.
    fn copy(&mut self, from: usize, at: usize) -> usize {
        self.close();
        let longest = (self.input.len() - at - 2).min(COPY_MAX);
        let len = longest_match(self.input, from, at, longest);
        let distance = at - from - 1;
        let code = len - 2;
        if code < 7 {
            self.out.push((distance >> 8) as u8 | (code as u8) << 5);
        } else {
            self.out.push((distance >> 8) as u8 | 7 << 5);
            self.out.push((code - 7) as u8);
        }
        self.out.push(distance as u8);
        self.out.push(0);
        self.literals = 0;
        len
    }

    fn literal(&mut self, byte: u8) {
        self.out.push(byte);
        self.literals += 1;
        if self.literals == LITERALS_MAX {
            self.close();
            self.out.push(0);
            self.literals = 0;
        }
    }

    /// Ends the run of literals: fills its control byte in, or takes it back.
    fn close(&mut self) {
        match self.literals.checked_sub(1) {
            None => {
                self.out.pop();
            }
            Some(code) => {
                let control = self.out.len() - self.literals - 1;
                self.out[control] = code as u8;
            }
        }
    }
}

/// How many bytes at `at` equal those at `from`: three at least, since so many were compared. The end of the input is
/// looked at as redis-server does: `longest` counts two bytes too few, unless it is above 16.
fn longest_match(input: &[u8], from: usize, at: usize, longest: usize) -> usize {
    let equal = |len: usize| input[from + len] == input[at + len];
    let mut len = 3;
    if longest > UNROLLED {
        while len < 3 + UNROLLED {
            if !equal(len) {
                return len;
            }
            len += 1;
        }
    }
    while len < longest && equal(len) {
        len += 1;
    }
    len
}

#[cfg(test)]
mod tests {
    use super::super::decompress;
    use super::*;
    use proptest::prelude::*;

    fn there_and_back(compressor: &mut Compressor, input: &[u8], limit: usize) -> Option<usize> {
        let mut out = b"before".to_vec();
        if !compressor.compress(input, limit, &mut out) {
            assert_eq!(out, b"before");
            return None;
        }
        let compressed = out.strip_prefix(b"before").unwrap();
        assert!(compressed.len() <= limit);
        assert_eq!(decompress(compressed, input.len()).unwrap(), input);
        Some(compressed.len())
    }

    #[test]
    fn what_repeats_gets_short() {
        let mut compressor = Compressor::default();
        assert_eq!(there_and_back(&mut compressor, &[b'x'; 1000], 996), Some(18));
        assert_eq!(there_and_back(&mut compressor, b"", 10), None);
        assert_eq!(
            there_and_back(&mut compressor, b"abcdefghijklmnopqrstuvwxyz", 22),
            None
        );
        assert_eq!(
            there_and_back(&mut compressor, b"abcabcabcabcabcabcabcabcabc", 0),
            None
        );
        compressor.base = u32::MAX - 500;
        assert!(
            there_and_back(&mut compressor, &[b'y'; 1000], 996).is_some(),
            "positions begin anew"
        );
    }

    proptest! {
        #[test]
        fn what_is_compressed_comes_back(
            inputs in prop::collection::vec(prop::collection::vec(0u8..4, 0..600), 1..4),
            noise in prop::collection::vec(any::<u8>(), 0..300),
            cut in 0usize..40,
        ) {
            let mut compressor = Compressor::default();
            for mut input in inputs {
                input.extend_from_slice(&noise);
                there_and_back(&mut compressor, &input, input.len().saturating_sub(cut));
            }
        }
    }
}

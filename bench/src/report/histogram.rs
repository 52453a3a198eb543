//! A latency histogram as text: HdrHistogram's V2 encoding, compressed, in base64. It is what the last column of a
//! .hlog holds, so any HdrHistogram library reads it.
//!
//! The text may come from a file that somebody else wrote, so how much memory it can ask for is bounded before the
//! decoder sees it.

use std::fmt;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// First bytes of a compressed histogram.
const COMPRESSED: [u8; 4] = 0x1c84_9314u32.to_be_bytes();
/// A cookie and the length of what is compressed.
const COMPRESSED_HEADER_BYTES: usize = 8;
/// Cookie, length, offset, digits, lowest, highest and ratio of the histogram within.
const HEADER_BYTES: usize = 40;
/// Five significant digits over all of 64 bits take 6 million counters; ours, of three digits, take 60 thousand.
const MAX_DECODED_BYTES: u64 = 64 << 20;

/// A histogram of nanoseconds, encoded.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HistogramText(String);

/// Why a text is not a histogram.
#[derive(Debug, Error)]
pub enum HistogramError {
    #[error("not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("not a compressed V2 histogram")]
    Format,
    #[error("damaged: {0}")]
    Damaged(String),
    #[error("it takes more than {} MiB decoded", MAX_DECODED_BYTES >> 20)]
    TooLarge,
}

impl HistogramText {
    /// Takes a text as it stands in a log; whether it is a histogram is seen by [`Self::decode`].
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn encode(histogram: &Histogram<u64>) -> Self {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(histogram, &mut bytes)
            .expect("memory takes every byte, and no counter reaches 2^63");
        Self(STANDARD.encode(bytes))
    }

    /// The histogram, able to grow. Counts are those that were encoded, to the last one.
    pub fn decode(&self) -> Result<Histogram<u64>, HistogramError> {
        let compressed = STANDARD.decode(self.0.as_bytes())?;
        if !compressed.starts_with(&COMPRESSED) || compressed.len() < COMPRESSED_HEADER_BYTES {
            return Err(HistogramError::Format);
        }
        let mut plain = Vec::new();
        ZlibDecoder::new(&compressed[COMPRESSED_HEADER_BYTES..])
            .take(MAX_DECODED_BYTES + 1)
            .read_to_end(&mut plain)
            .map_err(|e| HistogramError::Damaged(e.to_string()))?;
        check(&plain)?;
        let mut histogram: Histogram<u64> = Deserializer::new()
            .deserialize(&mut plain.as_slice())
            .map_err(|e| HistogramError::Damaged(e.to_string()))?;
        histogram.auto(true);
        Ok(histogram)
    }
}

/// Refuses what would cost the decoder memory or an overflow.
fn check(plain: &[u8]) -> Result<(), HistogramError> {
    if plain.len() as u64 > MAX_DECODED_BYTES {
        return Err(HistogramError::TooLarge);
    }
    let length = plain
        .get(4..8)
        .and_then(|b| b.try_into().ok())
        .map(u32::from_be_bytes);
    let digits = plain
        .get(12..16)
        .and_then(|b| b.try_into().ok())
        .map(u32::from_be_bytes);
    let (Some(length), Some(digits)) = (length, digits) else {
        return Err(HistogramError::Format);
    };
    if plain.len() < HEADER_BYTES || length as usize != plain.len() - HEADER_BYTES || digits > 5 {
        return Err(HistogramError::Damaged("its header contradicts it".to_owned()));
    }
    // Nine such bytes are the number whose negation does not exist; no count and no gap is that large.
    if plain[HEADER_BYTES..].windows(9).any(|bytes| bytes == [0xff; 9]) {
        return Err(HistogramError::Damaged("a count is out of range".to_owned()));
    }
    Ok(())
}

/// Thousands of characters help nobody in a message.
impl fmt::Debug for HistogramText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HistogramText({} characters)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(values: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).expect("three digits are allowed");
        for value in values {
            histogram.record(*value).expect("it grows");
        }
        histogram
    }

    #[test]
    fn an_empty_histogram_is_one() {
        assert_eq!(
            HistogramText::encode(&histogram(&[]))
                .decode()
                .expect("decodes")
                .len(),
            0
        );
    }

    #[test]
    fn what_is_no_histogram_is_refused_with_the_reason() {
        let good = HistogramText::encode(&histogram(&[1, 2, 3]));
        let cut = HistogramText(good.0[..good.0.len() - 8].to_owned());
        for (text, reason) in [
            (HistogramText::from_text("?"), "not base64"),
            (HistogramText::from_text(""), "not a compressed V2 histogram"),
            (
                HistogramText::from_text("aGVsbG8gd29ybGQ="),
                "not a compressed V2 histogram",
            ),
            (cut, "damaged"),
        ] {
            let error = text.decode().expect_err("refused").to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    /// A few bytes must not be able to ask for gigabytes.
    #[test]
    fn a_bomb_is_not_inflated() {
        let mut compressed = Vec::new();
        flate2::read::ZlibEncoder::new(
            std::io::repeat(0).take(MAX_DECODED_BYTES + 10),
            flate2::Compression::best(),
        )
        .read_to_end(&mut compressed)
        .expect("memory");
        let bytes = [&COMPRESSED[..], &[0; 4], &compressed].concat();
        let error = HistogramText(STANDARD.encode(bytes))
            .decode()
            .expect_err("refused");
        assert!(matches!(error, HistogramError::TooLarge), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn nothing_is_lost_on_the_way(values in prop::collection::vec(0u64..4_000_000_000_000, 0..200)) {
            let before = histogram(&values);
            let after = HistogramText::encode(&before).decode().expect("decodes");
            prop_assert_eq!(&before, &after);
            prop_assert_eq!((before.len(), before.min(), before.max()), (after.len(), after.min(), after.max()));
            for percentile in [0.0, 50.0, 99.0, 99.9, 100.0] {
                prop_assert_eq!(before.value_at_percentile(percentile), after.value_at_percentile(percentile));
            }
        }

        #[test]
        fn damage_never_panics(values in prop::collection::vec(0u64..1_000_000, 1..20), at: usize, with: u8) {
            let mut bytes = STANDARD.decode(HistogramText::encode(&histogram(&values)).0).expect("base64");
            let at = at % bytes.len();
            bytes[at] = with;
            let _ = HistogramText(STANDARD.encode(bytes)).decode();
        }
    }
}

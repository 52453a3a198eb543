//! Counts and durations as people write them.

use std::time::Duration;

/// Reads `1000`, `10k`, `1.5m` or `2g` (powers of ten); `_` may separate digits.
pub fn parse_count(text: &str) -> Option<u64> {
    let text = text.trim().replace('_', "");
    let (digits, factor) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1e3),
        (at, 'm' | 'M') => (&text[..at], 1e6),
        (at, 'g' | 'G') => (&text[..at], 1e9),
        _ => return text.parse().ok(),
    };
    let count = parse_plain(digits)? * factor;
    (count.fract() == 0.0 && count <= u64::MAX as f64 / 2.0).then_some(count as u64)
}

/// Reads `250us`, `500ms`, `30s`, `1.5m` or `2h`; a bare number is seconds.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(parse_plain(&text[..text.len() - unit.len()])? * seconds).ok()
}

/// A decimal number without sign, exponent, `inf` or `nan`.
fn parse_plain(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(parse_count("1_000"), Some(1000));
        assert_eq!(parse_count("10k"), Some(10_000));
        assert_eq!(parse_count("1.5M"), Some(1_500_000));
        for bad in ["", "k", "-1", "1e3", "1.0001k", "ten", "infk", "1 k"] {
            assert_eq!(parse_count(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("30s"), Some(Duration::from_secs(30)));
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("1.5m"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("2"), Some(Duration::from_secs(2)));
        for bad in ["", "s", "-1s", "1d", "1e999s", "1..5s"] {
            assert_eq!(parse_duration(bad), None, "{bad:?}");
        }
    }
}

//! What a number, a size, a duration or a ratio looks like on the command line.

use std::time::Duration;

use workloads::spec::FaultChoice;

/// A count with an optional decimal suffix: `10k`, `1.5m`, `2g`, `1_000_000`.
pub fn count(text: &str) -> Result<u64, String> {
    let (number, suffix) = split_suffix(text);
    let unit = match suffix.to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" | "b" => 1_000_000_000,
        _ => {
            return Err(format!(
                "unknown suffix '{suffix}': use k (thousand), m (million) or g (billion)"
            ));
        }
    };
    scaled(number, unit).ok_or_else(|| "not a number: write 5000, 10k or 1.5m".to_owned())
}

/// Operations a second: a count above zero, or a fraction.
pub fn rate(text: &str) -> Result<f64, String> {
    let rate = match count(text) {
        Ok(whole) if whole > 0 => whole as f64,
        _ => text.parse::<f64>().unwrap_or(0.0),
    };
    let fits = rate.is_finite() && rate > 0.0;
    fits.then_some(rate)
        .ok_or_else(|| "a rate is above 0: write 500, 0.5 or 10k".to_owned())
}

/// A kind of fault, or none.
pub fn fault(text: &str) -> Result<FaultChoice, String> {
    Ok(match text {
        "none" => FaultChoice::None,
        "kill" => FaultChoice::Kill,
        "term" => FaultChoice::Term,
        "stop" => FaultChoice::Stop,
        "partition" => FaultChoice::Partition,
        "pause" => FaultChoice::Pause,
        "failover" => FaultChoice::Failover,
        _ => {
            return Err(
                "choose kill, term, stop, partition, pause, failover or none (a command of your own goes with --fault-cmd)"
                    .to_owned(),
            );
        }
    })
}

/// A count of at least one.
pub fn positive_count(text: &str) -> Result<u64, String> {
    match count(text)? {
        0 => Err("must be at least 1".to_owned()),
        n => Ok(n),
    }
}

/// A count of at least one that fits 32 bits (clients, pipeline depth, rounds).
pub fn small_count(text: &str) -> Result<u32, String> {
    u32::try_from(positive_count(text)?).map_err(|_| "too large".to_owned())
}

/// A number of threads: at least one, and no more than any machine has a use for.
pub fn thread_count(text: &str) -> Result<u32, String> {
    const MOST: u32 = 1024;
    match small_count(text)? {
        n if n > MOST => Err(format!("at most {MOST}")),
        n => Ok(n),
    }
}

/// Bytes: a plain number, `k`/`m` as thousands, `kb`/`mb` (or `kib`/`mib`) as powers of 1024, as redis.conf has it.
pub fn bytes(text: &str) -> Result<u64, String> {
    let (number, suffix) = split_suffix(text);
    let unit = match suffix.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" | "kib" => 1 << 10,
        "m" => 1_000_000,
        "mb" | "mib" => 1 << 20,
        _ => return Err(format!("unknown suffix '{suffix}': use b, k, kb, m or mb")),
    };
    scaled(number, unit).ok_or_else(|| "not a size: write 64, 4kb or 1mb".to_owned())
}

/// A duration: `30s`, `500ms`, `2m`, `1h`, `1m30s`; a plain number is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let complaint = || "not a duration: write 30s, 500ms, 2m or 1h".to_owned();
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(complaint());
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = number_length(rest);
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit_ns = match unit {
            "" | "s" | "sec" => 1_000_000_000,
            "us" => 1_000,
            "ms" => 1_000_000,
            "m" | "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(complaint()),
        };
        total += Duration::from_nanos(scaled(number, unit_ns).ok_or_else(complaint)?);
        rest = tail;
    }
    Ok(total)
}

/// A duration above zero.
pub fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be longer than nothing".to_owned()),
        d => Ok(d),
    }
}

/// Writes to reads, `SET:GET`, as memtier_benchmark has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    pub sets: u32,
    pub gets: u32,
}

pub fn ratio(text: &str) -> Result<Ratio, String> {
    let complaint = || "write SETS:GETS, for instance 1:10".to_owned();
    let (sets, gets) = text.split_once(':').ok_or_else(complaint)?;
    let part = |s: &str| s.trim().parse::<u32>().map_err(|_| complaint());
    let ratio = Ratio {
        sets: part(sets)?,
        gets: part(gets)?,
    };
    if ratio.sets == 0 && ratio.gets == 0 {
        return Err("one side must be above 0".to_owned());
    }
    Ok(ratio)
}

fn split_suffix(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_at(number_length(text))
}

fn number_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
        .unwrap_or(text.len())
}

/// `number * unit`, exact for whole numbers; `None` when it is no number or does not fit.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let number = number.replace('_', "");
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(unit);
    }
    let value = number.parse::<f64>().ok()? * unit as f64;
    // Below 2^53 every whole number has a float of its own, so that nothing is lost in the cast.
    (value.is_finite() && (0.0..9.0e15).contains(&value)).then_some(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_take_suffixes() {
        assert_eq!(count("10k"), Ok(10_000));
        assert_eq!(count("1.5M"), Ok(1_500_000));
        assert_eq!(count("1_000_000"), Ok(1_000_000));
        assert_eq!(count("18446744073709551615"), Ok(u64::MAX));
        for bad in ["", "k", "ten", "-1", "1x", "1..5k", "99999999999999g"] {
            assert!(count(bad).is_err(), "{bad:?}");
        }
        assert!(positive_count("0").is_err());
        assert!(small_count("5g").is_err());
    }

    #[test]
    fn sizes_follow_redis_conf() {
        assert_eq!(bytes("64"), Ok(64));
        assert_eq!(bytes("1k"), Ok(1_000));
        assert_eq!(bytes("1kb"), Ok(1_024));
        assert_eq!(bytes("2MiB"), Ok(2 << 20));
        assert!(bytes("1tb").is_err());
    }

    #[test]
    fn durations_have_units_and_default_to_seconds() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["", "s", "5 parsecs", "-3s", "1d", "99999999999h"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
        assert!(positive_duration("0s").is_err());
    }

    #[test]
    fn ratios_are_sets_to_gets() {
        assert_eq!(ratio("1:10"), Ok(Ratio { sets: 1, gets: 10 }));
        for bad in ["0:0", "1", "a:b", "1:2:3", "-1:2"] {
            assert!(ratio(bad).is_err(), "{bad:?}");
        }
    }
}

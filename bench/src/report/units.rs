//! Numbers for people: few digits, a unit, and the same width where they stand below each other.

/// "412.3k" for 412 300 a second; "87.0" below a thousand.
pub fn rate(per_second: f64) -> String {
    match per_second {
        r if r >= 999.95e6 => format!("{:.1}G", r / 1e9),
        r if r >= 999.95e3 => format!("{:.2}M", r / 1e6),
        r if r >= 999.95 => format!("{:.1}k", r / 1e3),
        r => format!("{r:.1}"),
    }
}

/// A latency given in µs: "573 µs", "1.95 ms", "2.10 s".
pub fn latency(us: f64) -> String {
    time_ns(us * 1e3)
}

/// A time given in ns, three digits: "870 ns", "1.45 µs".
pub fn time_ns(ns: f64) -> String {
    let (value, unit) = match ns {
        n if n >= 999.5e6 => (n / 1e9, "s"),
        n if n >= 999.5e3 => (n / 1e6, "ms"),
        n if n >= 999.5 => (n / 1e3, "µs"),
        n => (n, "ns"),
    };
    format!("{} {unit}", three_digits(value))
}

/// [`latency`] for the marks of an axis, which are round: "200 µs", "1 ms".
pub fn latency_mark(us: f64) -> String {
    let (value, unit) = match us {
        v if v >= 999_999.0 => (v / 1e6, "s"),
        v if v >= 999.999 => (v / 1e3, "ms"),
        v if v >= 0.999_999 || v == 0.0 => (v, "µs"),
        v => (v * 1e3, "ns"),
    };
    format!("{} {unit}", round_number(value))
}

/// [`rate`] for the marks of an axis, which are round: "200k", "1M".
pub fn rate_mark(value: f64) -> String {
    match value {
        v if v >= 999_999_999.0 => format!("{}G", round_number(v / 1e9)),
        v if v >= 999_999.0 => format!("{}M", round_number(v / 1e6)),
        v if v >= 999.999 => format!("{}k", round_number(v / 1e3)),
        v => round_number(v),
    }
}

fn round_number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A length of time as a person sets it: "8 s", "2.5 s", "0.25 s".
pub fn seconds(s: f64) -> String {
    let text = format!("{s:.2}");
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// "148 MiB".
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 999.5 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if unit == "B" {
        format!("{count} B")
    } else {
        format!("{} {unit}", three_digits(value))
    }
}

/// 0.301 is "30.1 %"; what is there but too small to show is "<0.1 %".
pub fn share(part: f64) -> String {
    if part > 0.0 && part < 0.0005 {
        "<0.1 %".to_owned()
    } else {
        format!("{:.1} %", 100.0 * part)
    }
}

/// 1234567 is "1,234,567".
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A ratio: "2.34x", "0.072x", "12.3x".
pub fn ratio(value: f64) -> String {
    format!("{}x", three_digits(value))
}

/// Three significant digits, no exponent: "0.372", "2.34", "57.3", "573", "5730".
pub fn three_digits(value: f64) -> String {
    match value.abs() {
        v if v >= 99.95 => format!("{value:.0}"),
        v if v >= 9.995 => format!("{value:.1}"),
        v if v >= 0.9995 || v == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_change_where_the_digits_would_overflow() {
        assert_eq!(rate(87.04), "87.0");
        assert_eq!(rate(999.94), "999.9");
        assert_eq!(rate(999.96), "1.0k");
        assert_eq!(rate(412_345.0), "412.3k");
        assert_eq!(rate(1_234_567.0), "1.23M");
        assert_eq!(latency(0.87), "870 ns");
        assert_eq!(latency(999.6), "1.00 ms");
        assert_eq!(latency(573.2), "573 µs");
        assert_eq!(latency(1_950.0), "1.95 ms");
        assert_eq!(latency(2_100_000.0), "2.10 s");
        assert_eq!(latency(61_000_000.0), "61.0 s");
        assert_eq!(seconds(8.0), "8 s");
        assert_eq!(seconds(120.0), "120 s");
        assert_eq!(seconds(2.5), "2.5 s");
        assert_eq!(latency_mark(200.0), "200 µs");
        assert_eq!(latency_mark(1_000.0), "1 ms");
        assert_eq!(latency_mark(0.0), "0 µs");
        assert_eq!(rate_mark(0.0), "0");
        assert_eq!(rate_mark(250_000.0), "250k");
        assert_eq!(rate_mark(1_500_000.0), "1.5M");
        assert_eq!(bytes(17), "17 B");
        assert_eq!(bytes(148 << 20), "148 MiB");
        assert_eq!(bytes(1_600_000_000), "1.49 GiB");
        assert_eq!(share(0.3), "30.0 %");
        assert_eq!(share(0.000_061), "<0.1 %");
        assert_eq!(share(0.0), "0.0 %");
        assert_eq!(count(7), "7");
        assert_eq!(count(123_456), "123,456");
        assert_eq!(count(16_480_000), "16,480,000");
        assert_eq!(ratio(2.3449), "2.34x");
        assert_eq!(ratio(0.372), "0.372x");
        assert_eq!(ratio(0.9996), "1.00x");
    }
}

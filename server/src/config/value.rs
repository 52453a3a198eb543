//! The value of one directive: parsed from words, written as CONFIG GET shows it and as a file wants it.

use super::directive::Kind;
use super::words::quote;

/// Limits of one client class; 0 means none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes at which the client is closed at once.
    pub hard: u64,
    /// Bytes at which the client is closed when they last for `soft_seconds`.
    pub soft: u64,
    /// Seconds.
    pub soft_seconds: u64,
}

/// The classes of `client-output-buffer-limit`, in the order of [`Value::OutputLimits`].
const CLASSES: [&str; 3] = ["normal", "slave", "pubsub"];

/// A parsed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `yes` or `no`.
    Bool(bool),
    /// An integer or a number of bytes; a percentage is negative.
    Int(i128),
    /// One of the words of its kind.
    Enum(&'static str),
    /// Several of the words of its kind.
    Flags(Vec<&'static str>),
    /// Bytes.
    Text(Vec<u8>),
    /// Words.
    Words(Vec<Vec<u8>>),
    /// Seconds and changes.
    SavePoints(Vec<(i64, i64)>),
    /// Normal, replica and publish/subscribe clients.
    OutputLimits([OutputLimit; 3]),
    /// Percentiles, 0 to 100.
    Percentiles(Vec<f64>),
    /// Three integers.
    OomScores([i32; 3]),
}

/// Event classes in the order in which they are shown, each with its letter.
const EVENT_LETTERS: &[u8] = b"g$lshzxetdnKEm";
/// What `A` stands for.
const ALL_EVENTS: &[u8] = b"g$lshzxetd";

/// Parses what follows a directive's name. `before` is the value in force, which some kinds amend.
///
/// # Errors
/// The text that redis-server gives for the same mistake.
pub fn parse(kind: Kind, args: &[Vec<u8>], before: &Value) -> Result<Value, String> {
    match kind {
        Kind::Flags(_)
        | Kind::Words
        | Kind::SavePoints
        | Kind::OutputLimits
        | Kind::Percentiles
        | Kind::OomScores => parse_many(kind, args, before),
        _ => match args {
            [one] => parse_one(kind, one),
            _ => Err("wrong number of arguments".into()),
        },
    }
}

fn parse_one(kind: Kind, text: &[u8]) -> Result<Value, String> {
    match kind {
        Kind::Bool if text.eq_ignore_ascii_case(b"yes") => Ok(Value::Bool(true)),
        Kind::Bool if text.eq_ignore_ascii_case(b"no") => Ok(Value::Bool(false)),
        Kind::Bool => Err("argument must be 'yes' or 'no'".into()),
        Kind::Int { min, max } => {
            let n = parse_integer(text).ok_or("argument couldn't be parsed into an integer")?;
            in_range(n, min, max)
        }
        Kind::Memory { min, max } => {
            let n = parse_memory(text).ok_or("argument must be a memory value")?;
            in_range(n, min, max)
        }
        Kind::MemoryOrPercent => parse_memory_or_percent(text),
        Kind::Octal => {
            let mode = std::str::from_utf8(text)
                .ok()
                .and_then(|t| i128::from_str_radix(t, 8).ok());
            in_range(
                mode.ok_or("argument couldn't be parsed as an octal number")?,
                0,
                0o777,
            )
        }
        Kind::Enum(words) => match find_word(words, text) {
            Some(word) => Ok(Value::Enum(word)),
            None => Err(one_of(words)),
        },
        Kind::EventClasses => parse_event_classes(text),
        _ => Ok(Value::Text(text.to_vec())),
    }
}

fn parse_many(kind: Kind, args: &[Vec<u8>], before: &Value) -> Result<Value, String> {
    match kind {
        Kind::Flags(words) => {
            let mut flags = Vec::new();
            for arg in args {
                flags.push(find_word(words, arg).ok_or_else(|| one_of(words))?);
            }
            if flags.contains(&"save") && flags.contains(&"nosave") {
                return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".into());
            }
            Ok(Value::Flags(flags))
        }
        Kind::SavePoints => parse_save_points(args, before),
        Kind::OutputLimits => parse_output_limits(args, before),
        Kind::Percentiles => {
            let mut percentiles = Vec::new();
            for arg in args.iter().filter(|arg| !(args.len() == 1 && arg.is_empty())) {
                let number = std::str::from_utf8(arg).ok().and_then(|t| t.parse::<f64>().ok());
                match number {
                    None => return Err("Invalid latency-tracking-info-percentiles parameters".into()),
                    Some(p) if !(0.0..=100.0).contains(&p) => {
                        return Err(
                            "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
                                .into(),
                        );
                    }
                    Some(p) => percentiles.push(p),
                }
            }
            Ok(Value::Percentiles(percentiles))
        }
        Kind::OomScores => {
            let [first, second, third] = args else {
                return Err("wrong number of arguments".into());
            };
            let mut scores = [0; 3];
            for (score, arg) in scores.iter_mut().zip([first, second, third]) {
                *score = parse_integer(arg)
                    .and_then(|n| i32::try_from(n).ok())
                    .filter(|n| (-2000..=2000).contains(n))
                    .ok_or("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")?;
            }
            Ok(Value::OomScores(scores))
        }
        _ => Ok(Value::Words(
            args.iter().filter(|arg| !arg.is_empty()).cloned().collect(),
        )),
    }
}

fn parse_save_points(args: &[Vec<u8>], before: &Value) -> Result<Value, String> {
    if let [only] = args
        && only.is_empty()
    {
        return Ok(Value::SavePoints(Vec::new()));
    }
    let mut points = match before {
        Value::SavePoints(points) => points.clone(),
        _ => Vec::new(),
    };
    if args.is_empty() || args.len() % 2 == 1 {
        return Err("Invalid save parameters".into());
    }
    for pair in args.chunks(2) {
        let seconds = parse_integer(&pair[0])
            .and_then(|n| i64::try_from(n).ok())
            .filter(|n| *n >= 1);
        let changes = parse_integer(&pair[1])
            .and_then(|n| i64::try_from(n).ok())
            .filter(|n| *n >= 0);
        match (seconds, changes) {
            (Some(seconds), Some(changes)) => points.push((seconds, changes)),
            _ => return Err("Invalid save parameters".into()),
        }
    }
    Ok(Value::SavePoints(points))
}

fn parse_output_limits(args: &[Vec<u8>], before: &Value) -> Result<Value, String> {
    let mut limits = match before {
        Value::OutputLimits(limits) => *limits,
        _ => Default::default(),
    };
    if args.is_empty() || !args.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    for group in args.chunks(4) {
        let class = CLASSES
            .iter()
            .position(|class| group[0].eq_ignore_ascii_case(class.as_bytes()))
            .or_else(|| group[0].eq_ignore_ascii_case(b"replica").then_some(1))
            .ok_or("Invalid client class specified in buffer limit configuration.")?;
        let bytes = |text: &[u8]| parse_memory(text).and_then(|n| u64::try_from(n).ok());
        let seconds = parse_integer(&group[3]).and_then(|n| u64::try_from(n).ok());
        let (Some(hard), Some(soft), Some(soft_seconds)) = (bytes(&group[1]), bytes(&group[2]), seconds)
        else {
            return Err("Error in hard, soft or soft_seconds setting in buffer limit configuration.".into());
        };
        limits[class] = OutputLimit {
            hard,
            soft,
            soft_seconds,
        };
    }
    Ok(Value::OutputLimits(limits))
}

fn parse_memory_or_percent(text: &[u8]) -> Result<Value, String> {
    let number = match text.strip_suffix(b"%") {
        Some(digits) => parse_integer(digits).filter(|n| *n >= 0).map(|n| -n),
        None => parse_memory(text),
    };
    match number {
        None => Err("argument must be a memory or percent value".into()),
        Some(n) if n < -100 => Err("percentage argument must be less or equal to 100".into()),
        Some(n) => Ok(Value::Int(n)),
    }
}

fn parse_event_classes(text: &[u8]) -> Result<Value, String> {
    let mut set = [false; 256];
    for letter in text {
        match letter {
            b'A' => ALL_EVENTS.iter().for_each(|l| set[usize::from(*l)] = true),
            l if EVENT_LETTERS.contains(l) => set[usize::from(*l)] = true,
            _ => return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".into()),
        }
    }
    let all = ALL_EVENTS.iter().all(|l| set[usize::from(*l)]);
    let mut shown = if all { b"A".to_vec() } else { Vec::new() };
    shown.extend(
        EVENT_LETTERS
            .iter()
            .filter(|l| set[usize::from(**l)] && !(all && ALL_EVENTS.contains(l))),
    );
    Ok(Value::Text(shown))
}

fn in_range(n: i128, min: i128, max: i128) -> Result<Value, String> {
    if (min..=max).contains(&n) {
        Ok(Value::Int(n))
    } else {
        Err(format!("argument must be between {min} and {max} inclusive"))
    }
}

fn find_word(words: &[&'static str], text: &[u8]) -> Option<&'static str> {
    words
        .iter()
        .copied()
        .find(|word| text.eq_ignore_ascii_case(word.as_bytes()))
}

fn one_of(words: &[&str]) -> String {
    format!("argument(s) must be one of the following: {}", words.join(", "))
}

/// A canonical decimal integer: an optional minus, no plus, no leading zero, no space.
fn parse_integer(text: &[u8]) -> Option<i128> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [] => false,
        [b'0'] => text.len() == 1,
        [first, ..] => *first != b'0' && digits.iter().all(u8::is_ascii_digit),
    };
    // Numbers that fit no 64-bit integer are no integers to redis-server either.
    let n: i128 = std::str::from_utf8(text)
        .ok()
        .filter(|_| canonical)?
        .parse()
        .ok()?;
    (i128::from(i64::MIN)..=i128::from(i64::MAX))
        .contains(&n)
        .then_some(n)
}

/// A number of bytes with an optional unit, any case: `k` and `m` and `g` are powers of 1000, with a `b` of 1024.
fn parse_memory(text: &[u8]) -> Option<i128> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let unit: i128 = match text[digits..].to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let n: u64 = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    i128::from(n)
        .checked_mul(unit)
        .filter(|n| *n <= i128::from(u64::MAX))
}

impl Value {
    /// The value as CONFIG GET shows it.
    pub fn show(&self, kind: Kind) -> Vec<u8> {
        match self {
            Value::Bool(on) => {
                if *on {
                    b"yes".to_vec()
                } else {
                    b"no".to_vec()
                }
            }
            Value::Int(n) if kind == Kind::Octal => format!("{n:o}").into_bytes(),
            Value::Int(n) if kind == Kind::MemoryOrPercent && *n < 0 => format!("{}%", -n).into_bytes(),
            Value::Int(n) => n.to_string().into_bytes(),
            Value::Enum(word) => word.as_bytes().to_vec(),
            Value::Flags(words) => words.join(" ").into_bytes(),
            // Stock says A for all of its classes, and then nothing of n.
            Value::Text(letters) if kind == Kind::EventClasses && letters.contains(&b'A') => {
                letters.iter().copied().filter(|letter| *letter != b'n').collect()
            }
            Value::Text(bytes) => bytes.clone(),
            Value::Words(words) => words.join(&b' '),
            Value::SavePoints(points) => {
                let pairs: Vec<_> = points.iter().map(|(s, c)| format!("{s} {c}")).collect();
                pairs.join(" ").into_bytes()
            }
            Value::OutputLimits(limits) => {
                let groups: Vec<_> = CLASSES
                    .iter()
                    .zip(limits)
                    .map(|(class, l)| show_limit(class, l))
                    .collect();
                groups.join(" ").into_bytes()
            }
            Value::Percentiles(percentiles) => {
                let words: Vec<_> = percentiles.iter().map(f64::to_string).collect();
                words.join(" ").into_bytes()
            }
            Value::OomScores([a, b, c]) => format!("{a} {b} {c}").into_bytes(),
        }
    }

    /// The lines, without line ends, that give the directive `name` this value in a file.
    pub fn lines(&self, name: &str, kind: Kind) -> Vec<String> {
        match self {
            Value::SavePoints(points) if points.is_empty() => vec![format!("{name} \"\"")],
            Value::SavePoints(points) => points.iter().map(|(s, c)| format!("{name} {s} {c}")).collect(),
            Value::OutputLimits(limits) => CLASSES
                .iter()
                .zip(limits)
                .map(|(class, l)| format!("{name} {}", show_limit(class, l)))
                .collect(),
            Value::Text(bytes) => vec![format!("{name} {}", quote(bytes))],
            Value::Words(words) if words.is_empty() => vec![format!("{name} \"\"")],
            Value::Words(words) => {
                let words: Vec<_> = words.iter().map(|w| String::from_utf8_lossy(w)).collect();
                vec![format!("{name} {}", words.join(" "))]
            }
            Value::Percentiles(percentiles) if percentiles.is_empty() => vec![format!("{name} \"\"")],
            Value::Int(n) if matches!(kind, Kind::Memory { .. }) => vec![format!("{name} {}", with_unit(*n))],
            other => vec![format!("{name} {}", String::from_utf8_lossy(&other.show(kind)))],
        }
    }
}

fn show_limit(class: &str, limit: &OutputLimit) -> String {
    format!("{class} {} {} {}", limit.hard, limit.soft, limit.soft_seconds)
}

/// The shortest exact way to write a number of bytes.
fn with_unit(n: i128) -> String {
    for (shift, unit) in [(30, "gb"), (20, "mb"), (10, "kb")] {
        if n != 0 && n % (1 << shift) == 0 {
            return format!("{}{unit}", n >> shift);
        }
    }
    n.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: Kind, text: &str) -> Result<Value, String> {
        parse(kind, &[text.as_bytes().to_vec()], &Value::Bool(false))
    }

    #[test]
    fn integers_are_canonical() {
        let kind = Kind::Int { min: -2, max: 65535 };
        assert_eq!(one(kind, "0"), Ok(Value::Int(0)));
        assert_eq!(one(kind, "-2"), Ok(Value::Int(-2)));
        for bad in [
            "",
            "-",
            "+1",
            "01",
            "-0",
            " 1",
            "1 ",
            "1.0",
            "0x1",
            "99999999999999999999",
        ] {
            assert_eq!(
                one(kind, bad),
                Err("argument couldn't be parsed into an integer".into()),
                "{bad:?}"
            );
        }
        assert_eq!(
            one(kind, "65536"),
            Err("argument must be between -2 and 65535 inclusive".into())
        );
    }

    #[test]
    fn memory_has_units_of_both_kinds() {
        let kind = Kind::Memory {
            min: 0,
            max: u64::MAX.into(),
        };
        for (text, bytes) in [
            ("1", 1),
            ("1b", 1),
            ("2k", 2000),
            ("2Kb", 2048),
            ("3MB", 3 << 20),
            ("1g", 1_000_000_000),
        ] {
            assert_eq!(one(kind, text), Ok(Value::Int(bytes)), "{text}");
        }
        for bad in [
            "",
            "-1",
            "1zb",
            "k",
            "1 kb",
            "18446744073709551616",
            "18446744073709551615gb",
        ] {
            assert_eq!(
                one(kind, bad),
                Err("argument must be a memory value".into()),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_percentage_shows_as_it_was_written() {
        let value = one(Kind::MemoryOrPercent, "50%").unwrap();
        assert_eq!(value.show(Kind::MemoryOrPercent), b"50%");
        assert!(
            one(Kind::MemoryOrPercent, "101%")
                .unwrap_err()
                .contains("less or equal to 100")
        );
        assert!(
            one(Kind::MemoryOrPercent, "-1%")
                .unwrap_err()
                .contains("memory or percent")
        );
    }

    #[test]
    fn event_classes_have_one_order() {
        for (text, shown) in [
            ("KEA", "AKE"),
            ("gxE$", "g$xE"),
            ("", ""),
            ("Am", "Am"),
            ("Knm", "nKm"),
            ("AKEn", "AKE"),
        ] {
            assert_eq!(
                one(Kind::EventClasses, text).unwrap().show(Kind::EventClasses),
                shown.as_bytes()
            );
        }
        assert!(one(Kind::EventClasses, "q").is_err());
    }

    #[test]
    fn output_limits_amend_one_class() {
        let args: Vec<_> = ["replica", "1mb", "5", "6"]
            .map(|a| a.as_bytes().to_vec())
            .to_vec();
        let value = parse(
            Kind::OutputLimits,
            &args,
            &Value::OutputLimits(Default::default()),
        )
        .unwrap();
        assert_eq!(
            value.show(Kind::OutputLimits),
            b"normal 0 0 0 slave 1048576 5 6 pubsub 0 0 0"
        );
        assert_eq!(value.lines("x", Kind::OutputLimits)[1], "x slave 1048576 5 6");
    }
}

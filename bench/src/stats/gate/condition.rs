//! A condition: a figure, an operator and a bound.
//!
//! ```text
//! p99>+5%         relative: candidate / baseline - 1 is above 5 %
//! throughput<-3%  relative: ... is below -3 %
//! p99>1ms         absolute: of the candidate alone
//! errors>0        absolute: failed operations
//! ```

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::report::model::Metric;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    Metric(Metric),
    /// Failed operations of all classes.
    Errors,
}

/// Names on the command line.
const FIGURES: [(&str, Figure); 13] = [
    ("throughput", Figure::Metric(Metric::Throughput)),
    ("p50", Figure::Metric(Metric::P50)),
    ("p90", Figure::Metric(Metric::P90)),
    ("p95", Figure::Metric(Metric::P95)),
    ("p99", Figure::Metric(Metric::P99)),
    ("p999", Figure::Metric(Metric::P999)),
    ("max", Figure::Metric(Metric::Max)),
    ("mean", Figure::Metric(Metric::Mean)),
    ("errors", Figure::Errors),
    ("server-cpu", Figure::Metric(Metric::ServerCpu)),
    ("memory", Figure::Metric(Metric::Memory)),
    ("hit-rate", Figure::Metric(Metric::HitRate)),
    ("ops", Figure::Metric(Metric::Throughput)),
];

/// How far the figure may go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A change against the baseline; 0.05 is 5 % more.
    Relative(f64),
    /// A value, in the unit named at [`Metric`]; for errors a count.
    Absolute(f64),
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    text: String,
    pub figure: Figure,
    /// True for `>` and `>=`.
    pub above: bool,
    /// Whether the bound itself counts: `>=` and `<=`.
    pub inclusive: bool,
    pub bound: Bound,
}

impl Condition {
    pub fn is_relative(&self) -> bool {
        matches!(self.bound, Bound::Relative(_))
    }

    /// Whether a value is on the wrong side of a bound.
    pub fn is_beyond(&self, value: f64, bound: f64) -> bool {
        let strictly = if self.above { value > bound } else { value < bound };
        strictly || (self.inclusive && value == bound)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is wrong with a condition, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}\n  {text}\n  {}^", " ".repeat(*at))]
pub struct ConditionError {
    text: String,
    /// Characters before the fault.
    at: usize,
    reason: String,
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let error = |rest: &str, reason: String| ConditionError {
            text: text.to_owned(),
            at: text.chars().count() - rest.chars().count(),
            reason,
        };
        let rest = text.trim_start();
        let name_end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        let (name, after_name) = rest.split_at(name_end.unwrap_or(rest.len()));
        let figure = figure(name).ok_or_else(|| error(rest, unknown_figure()))?;
        let operator = after_name.trim_start();
        let (length, above, inclusive) = match operator.as_bytes() {
            [b'>', b'=', ..] => (2, true, true),
            [b'<', b'=', ..] => (2, false, true),
            [b'>', ..] => (1, true, false),
            [b'<', ..] => (1, false, false),
            _ => return Err(error(operator, "expected >, >=, < or <=".to_owned())),
        };
        let value = operator[length..].trim_start();
        let (bound, rest) = bound(figure, value).map_err(|(rest, reason)| error(rest, reason))?;
        if !rest.trim().is_empty() {
            return Err(error(
                rest.trim_start(),
                "the condition should end here".to_owned(),
            ));
        }
        if let Bound::Relative(change) = bound {
            possible(above, change).map_err(|reason| error(value, reason))?;
        }
        Ok(Self {
            text: text.trim().to_owned(),
            figure,
            above,
            inclusive,
            bound,
        })
    }
}

fn figure(name: &str) -> Option<Figure> {
    FIGURES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, figure)| *figure)
}

fn unknown_figure() -> String {
    let names: Vec<&str> = FIGURES.iter().map(|(name, _)| *name).collect();
    format!("expected one of {}", names.join(", "))
}

/// A relative bound on the wrong side of zero would fail runs that are as they were.
fn possible(above: bool, change: f64) -> Result<(), String> {
    match above {
        true if change < 0.0 => {
            Err("above a negative change is also a run that has not changed: give +X%".to_owned())
        }
        false if change > 0.0 => {
            Err("below a positive change is also a run that has not changed: give -X%".to_owned())
        }
        false if change <= -1.0 => Err("nothing falls by 100 % or more".to_owned()),
        _ => Ok(()),
    }
}

/// Reads the bound and returns what follows it; the fault is the rest of the text from where it begins.
fn bound(figure: Figure, text: &str) -> Result<(Bound, &str), (&str, String)> {
    let signed = text.strip_prefix(['+', '-']);
    let negative = text.starts_with('-');
    let digits = signed.unwrap_or(text);
    let length = digits
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(digits.len());
    let (number, rest) = digits.split_at(length);
    let number: f64 = match number.parse() {
        Ok(number) if f64::is_finite(number) => number,
        _ => return Err((digits, "expected a number".to_owned())),
    };
    let unit_text = rest.trim_start();
    if let Some(rest) = unit_text.strip_prefix('%') {
        if figure == Figure::Errors {
            return Err((unit_text, "errors are counted: errors>0".to_owned()));
        }
        let change = number / 100.0;
        return Ok((Bound::Relative(if negative { -change } else { change }), rest));
    }
    if signed.is_some() {
        return Err((unit_text, "expected %: only a change has a sign".to_owned()));
    }
    let length = unit_text.find(char::is_whitespace).unwrap_or(unit_text.len());
    let (unit, rest) = unit_text.split_at(length);
    let factor = units(figure)
        .iter()
        .find(|(name, _)| *name == unit.to_ascii_lowercase())
        .map(|(_, factor)| *factor);
    match factor {
        Some(factor) => Ok((Bound::Absolute(number * factor), rest)),
        None => {
            let names: Vec<&str> = units(figure)
                .iter()
                .map(|(n, _)| *n)
                .filter(|n| !n.is_empty())
                .collect();
            Err((unit_text, format!("expected % or a unit: {}", names.join(", "))))
        }
    }
}

/// Units of an absolute bound, and what they are in the figure's own.
fn units(figure: Figure) -> &'static [(&'static str, f64)] {
    match figure {
        Figure::Errors => &[("", 1.0), ("k", 1e3), ("m", 1e6)],
        Figure::Metric(Metric::Throughput) => &[("", 1.0), ("k", 1e3), ("m", 1e6)],
        Figure::Metric(Metric::ServerCpu) => &[("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6)],
        Figure::Metric(Metric::Memory) => &[
            ("b", 1.0),
            ("kb", 1024.0),
            ("mb", 1_048_576.0),
            ("gb", 1_073_741_824.0),
        ],
        Figure::Metric(Metric::HitRate) => &[("", 1.0)],
        Figure::Metric(_) => &[("us", 1.0), ("µs", 1.0), ("ms", 1e3), ("s", 1e6)],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> (Figure, bool, bool, Bound) {
        let c: Condition = text.parse().unwrap_or_else(|e| panic!("{e}"));
        (c.figure, c.above, c.inclusive, c.bound)
    }

    #[test]
    fn conditions_are_read() {
        let metric = Figure::Metric;
        for (text, expected) in [
            (
                "p99>+5%",
                (metric(Metric::P99), true, false, Bound::Relative(0.05)),
            ),
            (
                "p99 >= 5 %",
                (metric(Metric::P99), true, true, Bound::Relative(0.05)),
            ),
            (
                "throughput<-3%",
                (metric(Metric::Throughput), false, false, Bound::Relative(-0.03)),
            ),
            (
                "ops<=-3%",
                (metric(Metric::Throughput), false, true, Bound::Relative(-0.03)),
            ),
            (
                "throughput<100k",
                (metric(Metric::Throughput), false, false, Bound::Absolute(100e3)),
            ),
            (
                "p999>1.5ms",
                (metric(Metric::P999), true, false, Bound::Absolute(1500.0)),
            ),
            ("max>2s", (metric(Metric::Max), true, false, Bound::Absolute(2e6))),
            (
                "server-cpu>10us",
                (metric(Metric::ServerCpu), true, false, Bound::Absolute(10e3)),
            ),
            (
                "memory>1gb",
                (
                    metric(Metric::Memory),
                    true,
                    false,
                    Bound::Absolute(1_073_741_824.0),
                ),
            ),
            ("errors>0", (Figure::Errors, true, false, Bound::Absolute(0.0))),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn a_fault_is_pointed_at() {
        for (text, at, reason) in [
            ("p98>5%", 0, "expected one of throughput, p50"),
            ("", 0, "expected one of"),
            ("p99", 3, "expected >, >=, < or <="),
            ("p99=5%", 3, "expected >"),
            ("p99>>5%", 4, "expected a number"),
            ("p99>+fast", 5, "expected a number"),
            ("p99>1.2.3ms", 4, "expected a number"),
            ("p99>5", 5, "expected % or a unit: us"),
            ("p99>5 lightyears", 6, "expected % or a unit"),
            ("p99>+5ms", 6, "only a change has a sign"),
            ("p99>5% or so", 7, "should end here"),
            ("errors>5%", 8, "errors are counted"),
            ("p99>-5%", 4, "give +X%"),
            ("throughput<3%", 11, "give -X%"),
            ("throughput<-100%", 11, "nothing falls by 100 %"),
        ] {
            let error = text.parse::<Condition>().expect_err(text);
            assert!(error.reason.contains(reason), "{text}: {error}");
            assert_eq!(error.at, at, "{text}: {error}");
        }
        let shown = "p99>>5%".parse::<Condition>().expect_err("a fault").to_string();
        assert_eq!(shown, "expected a number\n  p99>>5%\n      ^");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,20}") {
            let _ = text.parse::<Condition>();
        }
    }
}

//! Service level objectives: `p99<1ms`, `errors<0.1%`.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use thiserror::Error;

use crate::report::model::{EngineRun, LatencyUs};
use crate::report::units;

/// How an objective is written.
pub const GRAMMAR: &str = "\
an objective is FIGURE<LIMIT (or FIGURE<=LIMIT):
  p50 p90 p95 p99 p99.9 p99.99 max mean   with us, ms or s:  'p99<1ms'  'max<=0.5s'
  errors                                  with %:            'errors<0.1%'";

/// What an objective bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    P50,
    P90,
    P95,
    P99,
    P999,
    P9999,
    Max,
    Mean,
    /// Failed operations as a share of those that succeeded or failed.
    Errors,
}

impl Figure {
    const ALL: [Self; 9] = [
        Self::P50,
        Self::P90,
        Self::P95,
        Self::P99,
        Self::P999,
        Self::P9999,
        Self::Max,
        Self::Mean,
        Self::Errors,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::P9999 => "p99.99",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Errors => "errors",
        }
    }

    /// The figure in µs; `None` for [`Figure::Errors`], which is no latency.
    pub fn of_latency(self, latency: &LatencyUs) -> Option<f64> {
        Some(match self {
            Self::P50 => latency.p50,
            Self::P90 => latency.p90,
            Self::P95 => latency.p95,
            Self::P99 => latency.p99,
            Self::P999 => latency.p999,
            Self::P9999 => latency.p9999,
            Self::Max => latency.max,
            Self::Mean => latency.mean,
            Self::Errors => return None,
        })
    }

    /// Operations below which the figure rests on single ones: ten beyond a percentile.
    pub fn least_operations(self) -> u64 {
        match self {
            Self::P50 => 20,
            Self::P90 => 100,
            Self::P95 => 200,
            Self::P99 => 1_000,
            Self::P999 => 10_000,
            Self::P9999 => 100_000,
            Self::Max | Self::Mean | Self::Errors => 1,
        }
    }
}

/// A bound that a run keeps or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    pub figure: Figure,
    /// In µs; of errors a share from 0 to 1.
    pub limit: f64,
    /// The limit itself is good enough.
    pub inclusive: bool,
}

impl Objective {
    /// What a run has of the figure: µs, or a share.
    pub fn value(&self, run: &EngineRun) -> f64 {
        self.figure
            .of_latency(&run.latency_us)
            .unwrap_or_else(|| run.error_count() as f64 / (run.error_count() + run.ops).max(1) as f64)
    }

    pub fn holds(&self, value: f64) -> bool {
        value < self.limit || (self.inclusive && value <= self.limit)
    }

    /// A value with its unit.
    pub fn shown(&self, value: f64) -> String {
        match self.figure {
            Figure::Errors => format!("{} %", units::three_digits(100.0 * value)),
            _ => units::latency(value),
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.inclusive { "<=" } else { "<" };
        let (number, unit) = match (self.figure, self.limit) {
            (Figure::Errors, share) => (100.0 * share, "%"),
            (_, us) if us >= 1e6 => (us / 1e6, "s"),
            (_, us) if us >= 1e3 => (us / 1e3, "ms"),
            (_, us) => (us, "us"),
        };
        // Written as it was read: rounding takes off what the change of units has added.
        let number = (number * 1e6).round() / 1e6;
        write!(f, "{}{sign}{number}{unit}", self.figure.name())
    }
}

/// An objective that cannot be read: where, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}\n  {text}\n  {}{}\n{GRAMMAR}", " ".repeat(columns(text, at.start)), "^".repeat(columns(text, at.end).saturating_sub(columns(text, at.start)).max(1)))]
pub struct ObjectiveError {
    text: String,
    /// Bytes of the text that are at fault.
    at: Range<usize>,
    message: String,
}

fn columns(text: &str, bytes: usize) -> usize {
    text.get(..bytes).unwrap_or(text).chars().count()
}

impl FromStr for Objective {
    type Err = ObjectiveError;

    fn from_str(text: &str) -> Result<Self, ObjectiveError> {
        let fault = |at: Range<usize>, message: String| ObjectiveError {
            text: text.to_owned(),
            at,
            message,
        };
        let Some(sign_at) = text.find(['<', '>', '=']) else {
            let end = text.len();
            return Err(fault(end..end, "no limit: a < is missing".to_owned()));
        };
        let rest = &text[sign_at..];
        let sign_end = sign_at + rest.len() - rest.trim_start_matches(['<', '>', '=']).len();
        let inclusive = match &text[sign_at..sign_end] {
            "<" => false,
            "<=" => true,
            other => {
                let message = format!("an objective is an upper bound: < or <=, not {other}");
                return Err(fault(sign_at..sign_end, message));
            }
        };
        let name = text[..sign_at].trim();
        let name_at = span(text, 0, sign_at);
        // p999 is p99.9, as elsewhere.
        let is_called = |f: &Figure| f.name().eq_ignore_ascii_case(name) || f.name().replace('.', "") == name;
        let figure = Figure::ALL.into_iter().find(is_called);
        let Some(figure) = figure else {
            return Err(fault(name_at, format!("there is no figure {name:?}")));
        };
        let limit_at = span(text, sign_end, text.len());
        let limit = limit(figure, &text[limit_at.clone()]).map_err(|m| fault(limit_at.clone(), m))?;
        if limit == 0.0 && !inclusive {
            return Err(fault(limit_at, "nothing is below 0".to_owned()));
        }
        Ok(Self {
            figure,
            limit,
            inclusive,
        })
    }
}

/// The part of `text` between two places without the blanks around it.
fn span(text: &str, start: usize, end: usize) -> Range<usize> {
    let part = &text[start..end];
    let start = start + part.len() - part.trim_start().len();
    start..start + part.trim().len()
}

fn limit(figure: Figure, text: &str) -> Result<f64, String> {
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = (&text[..digits], text[digits..].trim());
    let number: f64 = number
        .parse()
        .map_err(|_| "a limit begins with a number".to_owned())?;
    let scale = match (figure, unit) {
        (Figure::Errors, "%") => 0.01,
        (Figure::Errors, _) => return Err("a share of errors is given in %".to_owned()),
        (_, "us" | "µs") => 1.0,
        (_, "ms") => 1e3,
        (_, "s") => 1e6,
        (_, "") => return Err("a latency needs a unit: us, ms or s".to_owned()),
        (_, other) => return Err(format!("{other:?} is no unit of a latency: us, ms or s")),
    };
    let limit = number * scale;
    match figure {
        Figure::Errors if limit > 1.0 => Err("there are no more than 100 %".to_owned()),
        _ if limit > 3.6e9 => Err("longer than an hour".to_owned()),
        _ => Ok(limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Objective {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn what_is_written_is_read() {
        for (text, figure, limit) in [
            ("p99<1ms", Figure::P99, 1e3),
            ("p99.9<250us", Figure::P999, 250.0),
            ("p50<1.5s", Figure::P50, 1.5e6),
            ("errors<0.1%", Figure::Errors, 0.001),
        ] {
            let objective = read(text);
            assert_eq!((objective.figure, objective.inclusive), (figure, false));
            assert!((objective.limit - limit).abs() < 1e-9, "{text}");
            assert_eq!(objective.to_string(), text);
        }
        assert_eq!(read(" P99.99 <= 2 µs ").to_string(), "p99.99<=2us");
        assert_eq!(read("p999<1s").figure, Figure::P999);
        assert_eq!(read("errors<=0%").to_string(), "errors<=0%");
    }

    #[test]
    fn a_fault_is_pointed_at() {
        for (text, marked, message) in [
            ("p98<1ms", "p98", "there is no figure \"p98\""),
            ("p99", "", "a < is missing"),
            ("p99>1ms", ">", "upper bound"),
            ("p99=1ms", "=", "upper bound"),
            ("p99<1", "1", "needs a unit"),
            ("p99<1min", "1min", "no unit of a latency"),
            ("p99<fast", "fast", "begins with a number"),
            ("p99<", "", "begins with a number"),
            ("µ99<1ms", "µ99", "no figure"),
            ("errors<1ms", "1ms", "in %"),
            ("errors<101%", "101%", "100 %"),
            ("errors<0%", "0%", "nothing is below 0"),
            ("p99<0ms", "0ms", "nothing is below 0"),
            ("", "", "a < is missing"),
        ] {
            let error = text.parse::<Objective>().expect_err(text);
            assert_eq!(&text[error.at.clone()], marked, "{text}");
            let shown = error.to_string();
            assert!(
                shown.contains(message) && shown.contains("an objective is FIGURE<LIMIT"),
                "{shown}"
            );
            let lines: Vec<&str> = shown.lines().collect();
            let (left, carets) = (lines[2].find('^').unwrap(), lines[2].matches('^').count());
            let under: String = lines[1].chars().skip(left).take(carets).collect();
            assert_eq!(under, marked, "{shown}");
        }
    }

    #[test]
    fn the_limit_itself_is_outside_unless_it_is_included() {
        assert!(!read("p99<1ms").holds(1e3) && read("p99<1ms").holds(999.9));
        assert!(read("p99<=1ms").holds(1e3) && !read("p99<=1ms").holds(1000.1));
        assert!(read("errors<=0%").holds(0.0));
    }

    #[test]
    fn figures_are_those_of_the_run() {
        let mut run = crate::report::sample::clean().engines.remove(0);
        assert_eq!(read("p99<1ms").value(&run), run.latency_us.p99);
        assert_eq!(read("errors<1%").value(&run), 0.0);
        run.errors.insert("TRYAGAIN".to_owned(), run.ops);
        assert_eq!(read("errors<1%").value(&run), 0.5);
        assert_eq!(read("errors<1%").shown(0.5), "50.0 %");
    }
}

//! Today's figures beside those of the record.

use std::collections::BTreeSet;

use crate::record::Record;

/// An operation may take so much more than the record says. Below it by as much, the record is out of date.
const TOLERANCE: f64 = 0.05;

/// The command that renews the record.
const RENEW: &str = ".ci/instructions --record";

/// How an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Same,
    Above,
    Below,
    /// The record does not have it.
    Unknown,
    /// The record has it, and it was not counted.
    Gone,
}

impl Verdict {
    fn of(recorded: Option<f64>, now: Option<f64>) -> Self {
        match (recorded, now) {
            (Some(recorded), Some(now)) if now > recorded * (1.0 + TOLERANCE) => Self::Above,
            (Some(recorded), Some(now)) if now < recorded * (1.0 - TOLERANCE) => Self::Below,
            (Some(_), Some(_)) => Self::Same,
            (None, _) => Self::Unknown,
            (Some(_), None) => Self::Gone,
        }
    }

    /// Must the change not land like this? An operation under another name would be one that nothing is held against.
    fn fails(self) -> bool {
        matches!(self, Self::Above | Self::Unknown | Self::Gone)
    }

    fn text(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Above => "more than 5 % above",
            Self::Below => "more than 5 % below",
            Self::Unknown => "not in the record",
            Self::Gone => "not counted any more",
        }
    }
}

/// What the comparison has shown.
#[derive(Debug)]
pub struct Judgement {
    rows: Vec<Row>,
    /// Why the figures cannot be held against each other.
    other_toolchain: Option<String>,
}

#[derive(Debug)]
struct Row {
    operation: String,
    recorded: Option<f64>,
    now: Option<f64>,
    verdict: Verdict,
}

/// Holds `now` against `record`.
pub fn judge(record: &Record, now: &Record) -> Judgement {
    let operations: BTreeSet<&String> = record
        .instructions
        .keys()
        .chain(now.instructions.keys())
        .collect();
    let rows = operations.into_iter().map(|operation| {
        let figure = |of: &Record| of.instructions.get(operation).copied();
        let (recorded, now) = (figure(record), figure(now));
        Row {
            operation: operation.clone(),
            recorded,
            now,
            verdict: Verdict::of(recorded, now),
        }
    });
    let toolchain = |of: &Record| format!("rustc {} for {}", of.rustc, of.target);
    let (then, today) = (toolchain(record), toolchain(now));
    Judgement {
        rows: rows.collect(),
        other_toolchain: (then != today).then(|| format!("the record is of {then}, this is {today}")),
    }
}

impl Judgement {
    /// May the change land? What cannot be judged may.
    pub fn passes(&self) -> bool {
        self.other_toolchain.is_some() || !self.rows.iter().any(|row| row.verdict.fails())
    }

    /// The table, and what to do about it.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{:14} {:>10} {:>10} {:>7}\n",
            "operation", "recorded", "now", "ratio"
        );
        for row in &self.rows {
            let figure = |value: Option<f64>, digits| {
                value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
            };
            let ratio = row.recorded.zip(row.now).map(|(recorded, now)| now / recorded);
            let line = format!(
                "{:14} {:>10} {:>10} {:>7}  {}",
                row.operation,
                figure(row.recorded, 1),
                figure(row.now, 1),
                figure(ratio, 3),
                row.verdict.text()
            );
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.push_str(&self.advice());
        text
    }

    fn advice(&self) -> String {
        let has_gained = self.rows.iter().any(|row| row.verdict == Verdict::Below);
        match &self.other_toolchain {
            Some(difference) => format!("warning: this cannot be judged, so it passes: {difference}"),
            None if !self.passes() => {
                format!("If that is meant to be, renew the record with `{RENEW}`, and say why in the commit.")
            }
            None if has_gained => {
                format!("Renew the record with `{RENEW}`, or what was gained can be lost again unseen.")
            }
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(figures: &[(&str, f64)]) -> Record {
        Record {
            rustc: "1.95.0".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            instructions: figures
                .iter()
                .map(|&(operation, instructions)| (operation.to_owned(), instructions))
                .collect(),
        }
    }

    fn verdicts(judgement: &Judgement) -> Vec<(&str, Verdict)> {
        judgement
            .rows
            .iter()
            .map(|row| (row.operation.as_str(), row.verdict))
            .collect()
    }

    #[test]
    fn five_percent_is_the_bound() {
        for (now, verdict, passes) in [
            (1000.0, Verdict::Same, true),
            (1049.9, Verdict::Same, true),
            (1050.1, Verdict::Above, false),
            (3000.0, Verdict::Above, false),
            (950.1, Verdict::Same, true),
            (949.9, Verdict::Below, true),
        ] {
            let judgement = judge(&record(&[("get", 1000.0)]), &record(&[("get", now)]));
            assert_eq!(verdicts(&judgement), [("get", verdict)], "{now}");
            assert_eq!(judgement.passes(), passes, "{now}");
            let asks_to_renew = judgement.text().contains(RENEW);
            assert_eq!(asks_to_renew, verdict != Verdict::Same, "{}", judgement.text());
        }
    }

    /// What one operation has gained does not pay for another.
    #[test]
    fn one_operation_above_is_enough() {
        let judgement = judge(
            &record(&[("get", 100.0), ("set", 100.0)]),
            &record(&[("get", 50.0), ("set", 106.0)]),
        );
        assert_eq!(
            verdicts(&judgement),
            [("get", Verdict::Below), ("set", Verdict::Above)]
        );
        assert!(!judgement.passes());
        assert!(
            judgement
                .text()
                .contains("set                 100.0      106.0   1.060  more than 5 % above\n"),
            "{}",
            judgement.text()
        );
    }

    /// Else an operation could leave the gate by being given another name.
    #[test]
    fn an_operation_under_another_name_fails() {
        let judgement = judge(
            &record(&[("get", 100.0), ("set", 100.0)]),
            &record(&[("get", 100.0), ("store", 500.0)]),
        );
        assert_eq!(
            verdicts(&judgement),
            [
                ("get", Verdict::Same),
                ("set", Verdict::Gone),
                ("store", Verdict::Unknown)
            ]
        );
        assert!(!judgement.passes());
        let (before, after) = (record(&[("get", 1.0)]), record(&[("get", 1.0), ("set", 1.0)]));
        assert!(!judge(&before, &after).passes());
        assert!(!judge(&after, &before).passes());
    }

    #[test]
    fn another_compiler_or_architecture_is_told_and_passes() {
        let recorded = record(&[("get", 100.0)]);
        let slower = record(&[("get", 300.0)]);
        assert!(!judge(&recorded, &slower).passes());
        let mut newer = slower.clone();
        newer.rustc = "1.96.0".to_owned();
        let mut elsewhere = slower.clone();
        elsewhere.target = "aarch64-unknown-linux-gnu".to_owned();
        for (now, name) in [(newer, "1.96.0"), (elsewhere, "aarch64")] {
            let judgement = judge(&recorded, &now);
            assert!(judgement.passes());
            let text = judgement.text();
            assert!(text.contains("cannot be judged") && text.contains(name), "{text}");
        }
    }
}

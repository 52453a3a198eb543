//! Histogram logs of several generators become one, tag by tag.

use std::collections::BTreeSet;

use hdrhistogram::Histogram;

use super::span::{Cells, Span};
use super::{LITTLE_OVERLAP_SHARE, MergeError};
use crate::report::arithmetic::merged;
use crate::report::hlog::{Log, LogLine};
use crate::report::units;

/// A log and the name of its file.
#[derive(Debug, Clone)]
pub struct NamedLog {
    pub name: String,
    pub log: Log,
}

/// The sum of several logs.
#[derive(Debug)]
pub struct MergedLog {
    /// What they are of, if loadgen wrote all of them.
    pub label: Option<String>,
    /// Untagged lines first, then by tag; in order of time.
    pub lines: Vec<LogLine>,
    /// Each tag over the whole time, none for the untagged lines.
    pub totals: Vec<(Option<String>, Histogram<u64>)>,
    pub overlap_share: f64,
    pub warnings: Vec<String>,
}

/// Adds up logs. Untagged lines are laid side by side on the clock; so are those of a tag, unless each log has only one
/// of them: then it stands for a whole run and the sum is one line, too.
pub fn logs(logs: &[NamedLog]) -> Result<MergedLog, MergeError> {
    if logs.len() < 2 {
        return Err(MergeError::TooFew);
    }
    for (i, log) in logs.iter().enumerate() {
        if let Some(same) = logs[..i].iter().find(|other| other.log == log.log) {
            return Err(MergeError::SameRun {
                first: same.name.clone(),
                second: log.name.clone(),
            });
        }
        if let (Some(left), Some(right)) = (&logs[0].log.label, &log.log.label)
            && left != right
        {
            return Err(MergeError::Differ {
                what: "what they hold".to_owned(),
                first: logs[0].name.clone(),
                left: left.clone(),
                second: log.name.clone(),
                right: right.clone(),
            });
        }
    }
    let tags: BTreeSet<Option<String>> = logs
        .iter()
        .flat_map(|l| l.log.lines.iter().map(|line| line.tag.clone()))
        .collect();
    let mut lines = Vec::new();
    let mut totals = Vec::new();
    for tag in tags {
        let own = side_by_side(logs, tag.as_deref());
        totals.push((tag, merged(own.iter().map(|line| &line.latency))));
        lines.extend(own);
    }
    let spans: Vec<Span> = logs.iter().filter_map(|l| span(&l.log.lines)).collect();
    let length_s = Span::union(&spans).map_or(0.0, Span::length_s);
    let overlap_share = if length_s > 0.0 {
        Span::overlap_s(&spans) / length_s
    } else {
        0.0
    };
    Ok(MergedLog {
        label: logs[0]
            .log
            .label
            .clone()
            .filter(|_| logs.iter().all(|l| l.log.label.is_some())),
        warnings: warnings(logs, overlap_share),
        lines,
        totals,
        overlap_share,
    })
}

fn side_by_side(logs: &[NamedLog], tag: Option<&str>) -> Vec<LogLine> {
    let of = |log: &NamedLog| -> Vec<LogLine> {
        log.log
            .lines
            .iter()
            .filter(|line| line.tag.as_deref() == tag)
            .cloned()
            .collect()
    };
    let parts: Vec<Vec<LogLine>> = logs.iter().map(of).collect();
    let all: Vec<Span> = parts.iter().filter_map(|lines| span(lines)).collect();
    let Some(whole) = Span::union(&all) else {
        return Vec::new();
    };
    let longest = |lines: &[LogLine]| lines.iter().map(|l| l.length_s).fold(0.0, f64::max);
    let one_each = parts.iter().all(|lines| lines.len() <= 1);
    let length_s = if one_each {
        whole.length_s()
    } else {
        parts.iter().map(|lines| longest(lines)).fold(0.0, f64::max)
    };
    let mut cells = Cells::new(whole, length_s);
    for lines in parts {
        let full_s = longest(&lines);
        for line in lines {
            let start_s = if one_each {
                whole.start_s
            } else {
                line.start_unix_s
            };
            cells.add(start_s, if one_each { 0.0 } else { full_s }, line.latency);
        }
    }
    cells
        .into_cells()
        .map(|(cell, latencies)| LogLine {
            tag: tag.map(str::to_owned),
            start_unix_s: cell.start_s,
            length_s: cell.length_s(),
            latency: merged(latencies.iter()),
        })
        .collect()
}

fn span(lines: &[LogLine]) -> Option<Span> {
    let spans: Vec<Span> = lines
        .iter()
        .map(|l| Span::new(l.start_unix_s, l.length_s))
        .collect();
    Span::union(&spans)
}

fn warnings(logs: &[NamedLog], overlap_share: f64) -> Vec<String> {
    let mut found = Vec::new();
    if overlap_share < LITTLE_OVERLAP_SHARE {
        found.push(format!(
            "all generators were at work for only {} of the time from the first line to the last: what looks like one load \
             may be several, one after the other",
            units::share(overlap_share)
        ));
    }
    let tags =
        |log: &NamedLog| -> BTreeSet<String> { log.log.lines.iter().filter_map(|l| l.tag.clone()).collect() };
    if let Some(odd) = logs.iter().find(|l| tags(l) != tags(&logs[0])) {
        found.push(format!(
            "{} has other tags than {}: did they run the same workload?",
            odd.name, logs[0].name
        ));
    }
    found
}

//! Reading a log, ours or another program's, so that a line that cannot be read is named by its number.

use std::io;
use std::path::Path;

use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use thiserror::Error;

use super::LogLine;
use super::write::SUBJECT;
use crate::report::histogram::{HistogramError, HistogramText};

/// A log of a year in seconds is smaller.
const MAX_FILE_BYTES: u64 = 1 << 30;
/// With a StartTime and no BaseTime, HdrHistogram's own reader takes a time that is more than this below the start for
/// an offset.
const YEAR_S: f64 = 365.0 * 24.0 * 3600.0;

/// What a log holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// "Service time of successful operations, redis 7.0.15", if loadgen wrote it.
    pub label: Option<String>,
    pub lines: Vec<LogLine>,
}

/// Why a log cannot be read.
#[derive(Debug, Error)]
pub enum LogError {
    #[error("{file}: {error}")]
    Io { file: String, error: io::Error },
    #[error("{file} is larger than {} MiB", MAX_FILE_BYTES >> 20)]
    TooLarge { file: String },
    #[error("{file}, line {line}: neither a comment nor an interval of a histogram log")]
    Line { file: String, line: usize },
    #[error("{file}, line {line}: the histogram cannot be read: {error}")]
    Histogram {
        file: String,
        line: usize,
        error: HistogramError,
    },
    #[error("{file}, line {line}: a time that is no time")]
    Time { file: String, line: usize },
    #[error("{file} holds no histogram")]
    Empty { file: String },
}

/// Reads a log from its file.
pub fn read(path: &Path) -> Result<Log, LogError> {
    let file = path.display().to_string();
    let io = |error| LogError::Io {
        file: file.clone(),
        error,
    };
    if std::fs::metadata(path).map_err(io)?.len() > MAX_FILE_BYTES {
        return Err(LogError::TooLarge { file });
    }
    parse(&std::fs::read(path).map_err(io)?, &file)
}

/// Reads a log; `file` is its name in complaints.
pub fn parse(bytes: &[u8], file: &str) -> Result<Log, LogError> {
    let mut log = Log {
        label: None,
        lines: Vec::new(),
    };
    let mut clock = Clock::default();
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if let Some(label) = label(line) {
            log.label = Some(label);
        }
        // The crate's reader wants the end of the line, which the last one may lack.
        let line = [line, b"\n"].concat();
        let entry = match IntervalLogIterator::new(&line).next() {
            None => continue,
            Some(Ok(entry)) => entry,
            Some(Err(_)) => {
                return Err(LogError::Line {
                    file: file.to_owned(),
                    line: number,
                });
            }
        };
        match entry {
            LogEntry::StartTime(start) => clock.start_s = Some(start.as_secs_f64()),
            LogEntry::BaseTime(base) => clock.base_s = Some(base.as_secs_f64()),
            LogEntry::Interval(interval) => {
                let latency = HistogramText::from_text(interval.encoded_histogram())
                    .decode()
                    .map_err(|error| LogError::Histogram {
                        file: file.to_owned(),
                        line: number,
                        error,
                    })?;
                let start_unix_s = clock.unix_s(interval.start_timestamp().as_secs_f64());
                let length_s = interval.duration().as_secs_f64();
                // Year 5138 and three thousand years: beyond them microseconds do not fit.
                if start_unix_s > 1e11 || length_s > 1e11 {
                    return Err(LogError::Time {
                        file: file.to_owned(),
                        line: number,
                    });
                }
                log.lines.push(LogLine {
                    tag: interval.tag().map(|t| t.as_str().to_owned()),
                    start_unix_s,
                    length_s,
                    latency,
                });
            }
        }
    }
    if log.lines.is_empty() {
        return Err(LogError::Empty {
            file: file.to_owned(),
        });
    }
    Ok(log)
}

/// What the times of the lines count from.
#[derive(Default)]
struct Clock {
    start_s: Option<f64>,
    base_s: Option<f64>,
}

impl Clock {
    fn unix_s(&self, time_s: f64) -> f64 {
        match (self.base_s, self.start_s) {
            (Some(base), _) => base + time_s,
            (None, Some(start)) if time_s < start - YEAR_S => start + time_s,
            _ => time_s,
        }
    }
}

/// What the log is of, from the comment that loadgen writes.
fn label(line: &[u8]) -> Option<String> {
    let comment = std::str::from_utf8(line).ok()?.strip_prefix('#')?.trim_end();
    let label = comment.strip_suffix('.').unwrap_or(comment);
    label.contains(SUBJECT).then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::hlog::{write, write_lines};
    use crate::report::sample;

    fn text() -> Vec<u8> {
        let (_, logs) = sample::comparison_with_logs();
        let mut out = Vec::new();
        write(&logs[1], &mut out).expect("memory does not fail");
        out
    }

    #[test]
    fn what_was_written_is_read_again() {
        let (report, logs) = sample::comparison_with_logs();
        let log = parse(&text(), "x").expect("readable");
        assert_eq!(
            log.label.as_deref(),
            Some("Service time of successful operations, redis 7.0.15")
        );
        let untagged: Vec<_> = log.lines.iter().filter(|l| l.tag.is_none()).collect();
        assert_eq!(untagged.len(), report.engines[1].intervals.len());
        for (line, interval) in untagged.iter().zip(&logs[1].intervals) {
            assert_eq!(line.latency, interval.latency);
            assert!((line.start_unix_s - interval.start_unix_s).abs() < 1e-3);
        }
        let mut out = Vec::new();
        write_lines(log.label.as_deref(), &log.lines, &mut out).expect("memory does not fail");
        assert_eq!(parse(&out, "x").expect("readable"), log);
    }

    #[test]
    fn an_unreadable_line_is_named_by_its_number() {
        let lines: Vec<String> = String::from_utf8(text())
            .expect("text")
            .lines()
            .map(str::to_owned)
            .collect();
        let place = lines
            .iter()
            .position(|l| l.starts_with(|c: char| c.is_ascii_digit()))
            .expect("a line")
            + 2;
        let with = |damage: &dyn Fn(&str) -> String| {
            let mut lines = lines.clone();
            lines[place - 1] = damage(&lines[place - 1]);
            parse(lines.join("\n").as_bytes(), "x.hlog")
                .expect_err("refused")
                .to_string()
        };
        for (damage, reason) in [
            (
                &(|_: &str| "what is this".to_owned()) as &dyn Fn(&str) -> String,
                "neither a comment",
            ),
            (
                &|l: &str| l[..l.len() - 40].to_owned(),
                "the histogram cannot be read",
            ),
            (
                &|l: &str| l.replace(",HISTF", ",AAAAA"),
                "the histogram cannot be read",
            ),
        ] {
            let error = with(damage);
            assert!(
                error.contains(&format!("x.hlog, line {place}")) && error.contains(reason),
                "{error}"
            );
        }
        assert!(
            parse(b"#[Histogram log format version 1.3]\n", "x").is_err(),
            "nothing is in it"
        );
    }

    #[test]
    fn times_count_from_base_or_start_or_the_epoch() {
        let histogram = HistogramText::encode(&sample::comparison_with_logs().1[0].intervals[0].latency);
        let encoded = serde_json::to_value(&histogram).expect("a text");
        let line = |time: &str| format!("{time},1.0,5.0,{}\r\n", encoded.as_str().expect("a text"));
        for (head, time, unix_s) in [
            (
                "#[StartTime: 1795000000.000 (x)]\n#[BaseTime: 1795000100.500 (x)]\n",
                "2.5",
                1_795_000_103.0,
            ),
            ("#[StartTime: 1795000000.000 (x)]\n", "2.5", 1_795_000_002.5),
            (
                "#[StartTime: 1795000000.000 (x)]\n",
                "1795000004.5",
                1_795_000_004.5,
            ),
            ("", "1795000004.5", 1_795_000_004.5),
        ] {
            let log = parse(format!("{head}{}", line(time)).as_bytes(), "x").expect("readable");
            assert!((log.lines[0].start_unix_s - unix_s).abs() < 1e-6, "{head} {time}");
        }
    }
}

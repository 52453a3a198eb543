//! The log of one engine, or of several runs added up.
//!
//! The untagged lines are the intervals, all commands together, so that adding them up yields the whole run. The
//! lines tagged with a command's name hold that command over the whole run.

use std::io::Write;
use std::time::Duration;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use super::LogLine;
use crate::report::arithmetic::EngineLog;

/// Values are nanoseconds; the readable maximum in each line is divided by this, as HdrHistogram's own tools do.
pub const MAX_VALUE_DIVISOR: f64 = 1e6;

/// What stands in the comment that says whose log it is, before the engine's name.
pub(super) const SUBJECT: &str = " of successful operations, ";

/// Writes the log of one engine.
pub fn write(log: &EngineLog, out: &mut dyn Write) -> anyhow::Result<()> {
    let start_s = log.intervals.first().map_or(0.0, |i| i.start_unix_s);
    let end_s = log
        .intervals
        .iter()
        .map(|i| i.start_unix_s + i.length_s)
        .fold(start_s, f64::max);
    let time = if log.open_loop {
        "Response time (from when they were due)"
    } else {
        "Service time"
    };
    let comments = [
        format!("{time}{SUBJECT}{}.", log.info.label()),
        UNITS.to_owned(),
        "Untagged lines are intervals; a tagged line is one command over the whole run.".to_owned(),
    ];
    let intervals = log
        .intervals
        .iter()
        .map(|i| (None, i.start_unix_s, i.length_s, &i.latency));
    let commands = log
        .commands
        .iter()
        .map(|(name, latency)| (Some(name.as_str()), start_s, end_s - start_s, latency));
    write_all(start_s, &comments, intervals.chain(commands), out)
}

/// Writes a log of lines that belong to `label`, if they all belong to one engine.
pub fn write_lines(label: Option<&str>, lines: &[LogLine], out: &mut dyn Write) -> anyhow::Result<()> {
    let start_s = lines.iter().map(|l| l.start_unix_s).fold(f64::INFINITY, f64::min);
    let mut comments = vec![UNITS.to_owned()];
    if let Some(label) = label {
        comments.insert(0, format!("{label}."));
    }
    let lines = lines
        .iter()
        .map(|l| (l.tag.as_deref(), l.start_unix_s, l.length_s, &l.latency));
    write_all(
        if start_s.is_finite() { start_s } else { 0.0 },
        &comments,
        lines,
        out,
    )
}

const UNITS: &str = "Histograms count nanoseconds, Interval_Max is in milliseconds.";

/// Lines of tag, start (Unix time, s), length (s) and histogram.
fn write_all<'a>(
    start_s: f64,
    comments: &[String],
    lines: impl Iterator<Item = (Option<&'a str>, f64, f64, &'a Histogram<u64>)>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    writeln!(out, "#[Histogram log format version 1.3]")?;
    writeln!(out, "#[StartTime: {start_s:.3} (seconds since epoch)]")?;
    writeln!(out, "#[BaseTime: {start_s:.3} (seconds since epoch)]")?;
    for comment in comments {
        writeln!(out, "#{}", one_line(comment))?;
    }
    writeln!(
        out,
        r#""StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram""#
    )?;
    let mut serializer = V2DeflateSerializer::new();
    let mut out = out;
    let mut log = IntervalLogWriterBuilder::new()
        .with_max_value_divisor(MAX_VALUE_DIVISOR)
        .begin_log_with(&mut out, &mut serializer)?;
    for (tag, line_start_s, length_s, latency) in lines {
        let tag = tag.map(|name| name.replace(char::is_whitespace, "_").replace(',', "_"));
        let start = seconds(line_start_s - start_s);
        log.write_histogram(
            latency,
            start,
            seconds(length_s),
            tag.as_deref().and_then(Tag::new),
        )?;
    }
    Ok(())
}

/// Never negative: a clock that was set back must not cost the log.
fn seconds(s: f64) -> Duration {
    Duration::try_from_secs_f64(s).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::report::sample;

    #[test]
    fn the_log_is_read_back_with_every_operation() {
        let (report, logs) = sample::comparison_with_logs();
        for (run, log) in report.engines.iter().zip(&logs) {
            let mut out = Vec::new();
            write(log, &mut out).expect("memory does not fail");
            let text = String::from_utf8(out.clone()).expect("the log is text");
            assert!(text.starts_with("#[Histogram log format version 1.3]\n#[StartTime: 1795000000.000 "));
            assert!(text.contains("\n\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","));

            let mut sums: BTreeMap<String, Histogram<u64>> = BTreeMap::new();
            let mut starts = Vec::new();
            for entry in IntervalLogIterator::new(&out) {
                let LogEntry::Interval(line) = entry.expect("a line that parses") else {
                    continue;
                };
                let bytes = base64_decoded(line.encoded_histogram());
                let mut histogram: Histogram<u64> = Deserializer::new()
                    .deserialize(&mut bytes.as_slice())
                    .expect("a histogram");
                histogram.auto(true);
                let max_ms = histogram.max() as f64 / MAX_VALUE_DIVISOR;
                assert!((line.max() - max_ms).abs() < 0.001, "{} {max_ms}", line.max());
                let tag = line.tag().map(|t| t.as_str().to_owned()).unwrap_or_default();
                if tag.is_empty() {
                    starts.push(line.start_timestamp());
                }
                match sums.get_mut(&tag) {
                    Some(sum) => sum.add(&histogram).expect("the sum grows"),
                    None => drop(sums.insert(tag, histogram)),
                }
            }
            assert!(starts.is_sorted());
            assert_eq!(starts.len(), run.intervals.len());
            assert_eq!(sums[""].len(), run.ops);
            assert_eq!(sums[""].max() as f64 / 1e3, run.latency_us.max);
            for command in &run.commands {
                assert_eq!(sums[&command.name].len(), command.ops);
            }
        }
    }

    fn base64_decoded(text: &str) -> Vec<u8> {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .expect("base64")
    }

    #[test]
    fn an_empty_log_still_has_its_header() {
        let (_, mut logs) = sample::comparison_with_logs();
        logs[0].intervals.clear();
        logs[0].commands.clear();
        let mut out = Vec::new();
        write(&logs[0], &mut out).expect("memory does not fail");
        assert_eq!(
            IntervalLogIterator::new(&out)
                .filter(|e| matches!(e, Ok(LogEntry::Interval(_))))
                .count(),
            0
        );
    }
}

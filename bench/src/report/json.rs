//! run.json: the model itself, indented where a person reads and one row a line where a program does.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::model::{Report, SCHEMA};

/// Nesting at which a value is a row of a table (one slot, one interval, one point of a curve).
const ROW_DEPTH: usize = 4;

/// Writes the report as JSON, with a newline at its end.
pub fn write(report: &Report, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Rows::default());
    report.serialize(&mut serializer)?;
    writeln!(out)?;
    Ok(())
}

/// The file itself, or the run.json in a folder.
pub fn file_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join("run.json")
    } else {
        path.to_owned()
    }
}

/// Reads a run.json that this version understands.
pub fn read(path: &Path) -> anyhow::Result<Report> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    // Told before the fields are read, or the complaint would be about some missing field.
    let schema = value.get("schema").and_then(|s| s.as_str()).unwrap_or("none");
    anyhow::ensure!(
        schema == SCHEMA,
        "{}: schema is {schema}, this version reads {SCHEMA}",
        path.display()
    );
    serde_json::from_value(value).with_context(|| format!("{} does not hold a run", path.display()))
}

/// Pretty above [`ROW_DEPTH`], compact below.
#[derive(Default)]
struct Rows {
    pretty: PrettyFormatter<'static>,
    depth: usize,
}

/// Passes a call on to the formatter that is right at this depth.
macro_rules! delegate {
    ($self:ident . $method:ident ( $($argument:expr),* )) => {
        if $self.depth <= ROW_DEPTH {
            $self.pretty.$method($($argument),*)
        } else {
            CompactFormatter.$method($($argument),*)
        }
    };
}

impl Formatter for Rows {
    fn begin_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.depth += 1;
        delegate!(self.begin_array(w))
    }

    fn end_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        let done = delegate!(self.end_array(w));
        self.depth -= 1;
        done
    }

    fn begin_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.depth += 1;
        delegate!(self.begin_object(w))
    }

    fn end_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        let done = delegate!(self.end_object(w));
        self.depth -= 1;
        done
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        delegate!(self.begin_array_value(w, first))
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        delegate!(self.end_array_value(w))
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        delegate!(self.begin_object_key(w, first))
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        delegate!(self.begin_object_value(w))
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        delegate!(self.end_object_value(w))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::sample;

    fn text(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, &mut out).expect("memory does not fail");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    fn schema() -> jsonschema::Validator {
        let schema = include_str!("../../../docs/run.schema.json");
        let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
        jsonschema::meta::validate(&schema).expect("the schema is a schema");
        jsonschema::validator_for(&schema).expect("the schema compiles")
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("run.json");
        for report in [
            sample::clean(),
            sample::comparison(),
            sample::sweep(),
            sample::search(),
            sample::noisy(),
            sample::stormy(),
            sample::received(),
            sample::troubled(),
            sample::failover(),
        ] {
            std::fs::write(&path, text(&report)).expect("a writable directory");
            let again = read(&path).expect("readable");
            assert_eq!(text(&again), text(&report));
        }
    }

    #[test]
    fn rows_take_one_line_each() {
        let text = text(&sample::clean());
        assert!(
            text.contains("\n        {\"slot\":0,\"ops\":"),
            "a slot is a line"
        );
        assert!(
            text.contains("\n  \"settings\": {\n    \"clients\": 16,"),
            "settings are spread out"
        );
    }

    #[test]
    fn samples_satisfy_the_schema() {
        let schema = schema();
        for report in [
            sample::clean(),
            sample::comparison(),
            sample::sweep(),
            sample::search(),
            sample::noisy(),
            sample::stormy(),
            sample::received(),
            sample::troubled(),
            sample::failover(),
        ] {
            let value: Value = serde_json::from_str(&text(&report)).expect("valid JSON");
            let faults: Vec<String> = schema
                .iter_errors(&value)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{faults:#?}");
        }
    }

    #[test]
    fn a_damaged_run_does_not_satisfy_the_schema() {
        let schema = schema();
        let good: Value = serde_json::from_str(&text(&sample::comparison())).expect("valid JSON");
        type Damage = fn(&mut Value);
        let damages: [(&str, Damage); 9] = [
            ("no schema", |v| {
                drop(v.as_object_mut().and_then(|o| o.remove("schema")))
            }),
            ("another schema", |v| v["schema"] = "other/2".into()),
            ("a negative count", |v| v["engines"][0]["ops"] = (-1).into()),
            ("a text for a rate", |v| {
                v["engines"][0]["ops_per_sec"] = "fast".into()
            }),
            ("a slot beyond the last", |v| {
                v["engines"][0]["slots"][0]["slot"] = 16384.into()
            }),
            ("no engines", |v| v["engines"] = Value::Array(Vec::new())),
            ("a latency without p999", |v| {
                drop(
                    v["engines"][0]["latency_us"]
                        .as_object_mut()
                        .and_then(|o| o.remove("p999")),
                );
            }),
            ("an unknown verdict", |v| {
                v["comparisons"][0]["metrics"][0]["verdict"] = "great".into()
            }),
            ("an unknown field", |v| v["engines"][0]["lattency_us"] = 1.into()),
        ];
        for (what, damage) in damages {
            let mut bad = good.clone();
            damage(&mut bad);
            assert_ne!(bad, good, "{what}");
            assert!(!schema.is_valid(&bad), "{what} passes");
        }
    }

    #[test]
    fn another_schema_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("run.json");
        std::fs::write(&path, r#"{"schema": "slotmark-run/99"}"#).expect("a writable directory");
        let complaint = format!("{:#}", read(&path).expect_err("refused"));
        assert!(complaint.contains("slotmark-run/99"), "{complaint}");
    }
}

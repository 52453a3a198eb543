//! results/instructions.toml: what was counted, and by which compiler it can be judged.
//!
//! ```toml
//! rustc = "1.95.0 (59807616e 2026-04-14)"
//! target = "x86_64-unknown-linux-gnu"
//!
//! [instructions]
//! slot_of = 40.0
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::callgrind::Count;

const HEAD: &str = "\
# Instructions of one operation, as `.ci/instructions` counts them and `.ci/instructions --record` writes them. What they are
# of, and what moves them: docs/internals/performance.md.

";

/// What was counted, then or now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version, commit and date of the compiler.
    pub rustc: String,
    /// The triple of the machine that it compiled for.
    pub target: String,
    /// Of one operation on average, by its name.
    pub instructions: BTreeMap<String, f64>,
}

/// Where the record is kept.
pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/instructions.toml")
}

impl Record {
    /// What was counted just now.
    pub fn of(counts: Vec<Count>) -> anyhow::Result<Self> {
        let output = Command::new("rustc").arg("-vV").output();
        let output = output.context("cannot ask rustc for its version")?;
        let text = String::from_utf8(output.stdout).context("rustc's version")?;
        let (rustc, target) = toolchain(&text).context("rustc -vV names no version and no host")?;
        let rounded = |count: Count| (count.operation, (count.instructions * 10.0).round() / 10.0);
        Ok(Self {
            rustc,
            target,
            instructions: counts.into_iter().map(rounded).collect(),
        })
    }

    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::from_text(&text).with_context(|| format!("{} is no record", path.display()))
    }

    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        std::fs::write(path, self.to_text()?).with_context(|| format!("cannot write {}", path.display()))
    }

    fn from_text(text: &str) -> anyhow::Result<Self> {
        let record: Self = toml::from_str(text)?;
        for (operation, instructions) in &record.instructions {
            ensure!(
                instructions.is_finite() && *instructions > 0.0,
                "{operation} took {instructions} instructions"
            );
        }
        Ok(record)
    }

    fn to_text(&self) -> anyhow::Result<String> {
        Ok(format!("{HEAD}{}", toml::to_string(self)?))
    }
}

/// Version and host, as `rustc -vV` tells them. This program was built by cargo a moment ago, for the host, by the same one.
fn toolchain(text: &str) -> Option<(String, String)> {
    let after = |start| text.lines().find_map(|line| line.strip_prefix(start));
    Some((after("rustc ")?.to_owned(), after("host: ")?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let counts = [("slot_of", 40.04), ("turn_get", 500.96)].map(|(operation, instructions)| Count {
            operation: operation.to_owned(),
            instructions,
        });
        let record = Record::of(counts.into()).expect("rustc is here");
        assert!(record.rustc.starts_with("1."), "{}", record.rustc);
        assert!(
            record.target.starts_with(std::env::consts::ARCH),
            "{}",
            record.target
        );
        assert_eq!(record.instructions["turn_get"], 501.0);
        let text = record.to_text().expect("text");
        assert_eq!(Record::from_text(&text).expect("a record"), record, "{text}");
    }

    #[test]
    fn faults_are_told() {
        for (text, reason) in [
            ("rustc = \"1\"\ntarget = \"x\"", "missing field `instructions`"),
            (
                "rustc = \"1\"\ntarget = \"x\"\ncpu = 1\n[instructions]",
                "unknown field `cpu`",
            ),
            (
                "rustc = \"1\"\ntarget = \"x\"\n[instructions]\nget = 0.0",
                "get took 0",
            ),
            (
                "rustc = \"1\"\ntarget = \"x\"\n[instructions]\nget = nan",
                "get took NaN",
            ),
        ] {
            let error = Record::from_text(text).expect_err(text).to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn the_committed_record_can_be_read() {
        let record = Record::read(&path()).expect("readable");
        for operation in [
            "slot_of",
            "parse_get",
            "parse_set",
            "turn_get",
            "turn_set",
            "turn_mget_10",
            "turn_incr",
        ] {
            assert!(record.instructions.contains_key(operation), "{operation}");
        }
    }
}

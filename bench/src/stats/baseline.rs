//! results/baseline.toml: which run a gate compares with, and what must not happen.
//!
//! ```toml
//! run = "2026-11-21-xeon-2vcpu/hotslot/run.json"   # beside this file
//! fail_if = ["throughput<-10%", "errors>0"]
//! other_machine = "refuse"                         # or "warn"
//! notes = "..."
//! ```

use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::gate::{Condition, ConditionError};
use super::runs::{machine_difference, workload_difference};
use crate::report::Report;

/// What a baseline file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// The run.json of the reference run.
    pub run: PathBuf,
    pub conditions: Vec<Condition>,
    pub other_machine: OtherMachine,
    /// For people: the machine, how the run was made, when to replace it.
    pub notes: String,
}

/// What to do with a candidate from another kind of machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherMachine {
    #[default]
    Refuse,
    Warn,
}

/// Why a baseline is of no use, or not for this candidate.
#[derive(Debug, Error)]
pub enum BaselineError {
    #[error("cannot read {file}: {error}")]
    Read { file: String, error: std::io::Error },
    #[error("{file} is no baseline: {error}")]
    Format { file: String, error: toml::de::Error },
    #[error("{file}: fail_if: {error}")]
    Condition { file: String, error: ConditionError },
    #[error("{file}: fail_if is empty, so it would pass everything")]
    NoConditions { file: String },
    #[error("the candidate's workload is not the baseline's: {difference}")]
    OtherWorkload { difference: String },
    #[error(
        "the candidate's machine is not the baseline's: {difference}; measure a baseline on this machine, or allow it with \
         other_machine = \"warn\" if you know that they are alike"
    )]
    OtherMachine { difference: String },
    #[error("the candidate has no run of the baseline's engines: {engines}")]
    OtherEngine { engines: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    run: PathBuf,
    fail_if: Vec<String>,
    #[serde(default)]
    other_machine: OtherMachine,
    #[serde(default)]
    notes: String,
}

impl Baseline {
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| BaselineError::Read {
            file: file.clone(),
            error,
        })?;
        let read: File = toml::from_str(&text).map_err(|error| BaselineError::Format {
            file: file.clone(),
            error,
        })?;
        let conditions: Result<Vec<Condition>, _> = read.fail_if.iter().map(|text| text.parse()).collect();
        let conditions = conditions.map_err(|error| BaselineError::Condition {
            file: file.clone(),
            error,
        })?;
        if conditions.is_empty() {
            return Err(BaselineError::NoConditions { file });
        }
        Ok(Self {
            run: path.parent().unwrap_or(Path::new("")).join(read.run),
            conditions,
            other_machine: read.other_machine,
            notes: read.notes,
        })
    }

    /// Whether a candidate may be held against the reference run.
    pub fn check(&self, reference: &Report, candidate: &Report) -> Result<(), BaselineError> {
        if reference.workload.name != candidate.workload.name {
            let (left, right) = (&reference.workload.name, &candidate.workload.name);
            return Err(BaselineError::OtherWorkload {
                difference: format!("{left} and {right}"),
            });
        }
        if let Some(difference) = workload_difference(reference, candidate) {
            return Err(BaselineError::OtherWorkload { difference });
        }
        let known = |engine: &str| reference.engines.iter().any(|run| run.info.engine == engine);
        if !candidate.engines.iter().any(|run| known(&run.info.engine)) {
            let engines: Vec<String> = reference.engines.iter().map(|run| run.info.label()).collect();
            return Err(BaselineError::OtherEngine {
                engines: engines.join("; "),
            });
        }
        match machine_difference(reference, candidate) {
            Some(difference) if self.other_machine == OtherMachine::Refuse => {
                Err(BaselineError::OtherMachine { difference })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{json, sample};

    fn baseline(text: &str) -> Result<Baseline, BaselineError> {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("baseline.toml");
        std::fs::write(&path, text).expect("written");
        Baseline::read(&path)
    }

    #[test]
    fn faults_are_told() {
        for (text, reason) in [
            ("fail_if = [\"errors>0\"]", "missing field `run`"),
            ("run = \"x\"\nfail_if = []", "would pass everything"),
            ("run = \"x\"\nfail_if = [\"p99>>1%\"]", "expected a number"),
            (
                "run = \"x\"\nfail_if = [\"errors>0\"]\nrnu = 1",
                "unknown field `rnu`",
            ),
            (
                "run = \"x\"\nfail_if = [\"errors>0\"]\nother_machine = \"maybe\"",
                "unknown variant",
            ),
        ] {
            let error = baseline(text).expect_err(text).to_string();
            assert!(error.contains(reason), "{error}");
        }
        assert!(
            Baseline::read(Path::new("/nowhere"))
                .expect_err("missing")
                .to_string()
                .contains("/nowhere")
        );
    }

    #[test]
    fn only_like_is_compared_with_like() {
        type Damage = fn(&mut Report);
        let cases: [(&str, Damage); 4] = [
            ("workload is not", |r| r.workload.name = "zipf".to_owned()),
            ("traffic.share is 0.3 and 0.5", |r| {
                r.workload.spec["traffic"]["share"] = 0.5.into()
            }),
            ("has no run of", |r| {
                r.engines
                    .iter_mut()
                    .for_each(|run| run.info.engine = "other".to_owned())
            }),
            ("machine is not", |r| r.environment.cpu = "Another".to_owned()),
        ];
        let strict = baseline("run = \"x\"\nfail_if = [\"errors>0\"]").expect("a baseline");
        let lenient = Baseline {
            other_machine: OtherMachine::Warn,
            ..strict.clone()
        };
        let good = sample::comparison();
        assert!(strict.check(&good, &good).is_ok());
        for (reason, damage) in cases {
            let mut bad = good.clone();
            damage(&mut bad);
            let error = strict.check(&good, &bad).expect_err(reason).to_string();
            assert!(error.contains(reason), "{error}");
            assert_eq!(lenient.check(&good, &bad).is_ok(), reason == "machine is not");
        }
    }

    /// The committed one names a run that is there, and conditions that it has the rounds for.
    #[test]
    fn the_committed_baseline_can_be_used() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/baseline.toml");
        let baseline = Baseline::read(&path).expect("readable");
        let reference = json::read(&baseline.run).expect("the reference run is there");
        assert!(baseline.check(&reference, &reference).is_ok());
        let named = super::super::runs::Named {
            name: "reference",
            report: &reference,
        };
        let got = super::super::runs::compare(named, named, &baseline.conditions).expect("the same run");
        for judged in got.conditions {
            assert_eq!(
                judged.judgement,
                super::super::gate::Judgement::Passed,
                "{judged:?}"
            );
        }
    }
}

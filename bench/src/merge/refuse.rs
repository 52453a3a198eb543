//! Which runs may be added up: those that put the same load on the same target.

use serde_json::Value;

use super::{MergeError, Source};
use crate::report::{EngineRun, Report};

/// Keys of the workload's `[run]` that each generator may have its own way: how much of the load it puts on.
const OWN_SHARE: [&str; 4] = ["clients", "duration_s", "requests", "warmup_s"];

/// The same of its `[arrival]`.
const OWN_RATE: [&str; 2] = ["rate", "to"];

/// Finds the first reason not to add them up.
pub fn check(sources: &[Source]) -> Result<(), MergeError> {
    let [first, others @ ..] = sources else {
        return Err(MergeError::TooFew);
    };
    if others.is_empty() {
        return Err(MergeError::TooFew);
    }
    for (i, source) in sources.iter().enumerate() {
        if let Some(same) = sources[..i].iter().find(|s| same_run(&s.report, &source.report)) {
            return Err(MergeError::SameRun {
                first: same.name.clone(),
                second: source.name.clone(),
            });
        }
    }
    for other in others {
        same_load(first, other)?;
    }
    for source in sources {
        let file = || source.name.clone();
        if source.report.settings.launched {
            return Err(MergeError::OwnTarget { file: file() });
        }
        let mut rounds = source.report.engines.iter().flat_map(|run| &run.rounds);
        if rounds.any(|round| round.started_unix_ms == 0) {
            return Err(MergeError::NoTimes { file: file() });
        }
        let lacks = |run: &EngineRun| {
            run.histogram.is_none() || (run.service_us.is_some() && run.service_histogram.is_none())
        };
        if source.report.engines.iter().any(lacks) {
            return Err(MergeError::NoHistograms { file: file() });
        }
    }
    Ok(())
}

/// Whether one of the runs that `a` was added up from is also in `b`.
fn same_run(a: &Report, b: &Report) -> bool {
    let (a, b) = (super::report::generators(a), super::report::generators(b));
    a.iter().any(|run| b.contains(run))
}

fn same_load(first: &Source, second: &Source) -> Result<(), MergeError> {
    let (a, b) = (&first.report, &second.report);
    let differ = |what: &str, left: String, right: String| {
        if left == right {
            return Ok(());
        }
        Err(MergeError::Differ {
            what: what.to_owned(),
            first: first.name.clone(),
            left,
            second: second.name.clone(),
            right,
        })
    };
    differ("workload", a.workload.name.clone(), b.workload.name.clone())?;
    if let Some((key, left, right)) =
        difference(&without_own(&a.workload.spec), &without_own(&b.workload.spec))
    {
        differ(&format!("the workload's {key}"), left, right)?;
    }
    differ(
        "protocol",
        a.settings.protocol.to_string(),
        b.settings.protocol.to_string(),
    )?;
    differ(
        "arrivals",
        a.settings.arrivals.clone(),
        b.settings.arrivals.clone(),
    )?;
    differ(
        "cluster mode",
        a.settings.cluster.to_string(),
        b.settings.cluster.to_string(),
    )?;
    differ(
        "rounds",
        a.settings.rounds.to_string(),
        b.settings.rounds.to_string(),
    )?;
    let engines = |report: &Report| {
        let labels: Vec<String> = report.engines.iter().map(|run| run.info.label()).collect();
        labels.join("; ")
    };
    differ("engines and steps", engines(a), engines(b))
}

fn without_own(spec: &Value) -> Value {
    let mut spec = spec.clone();
    for (section, own) in [("run", &OWN_SHARE[..]), ("arrival", &OWN_RATE[..])] {
        if let Some(table) = spec.get_mut(section).and_then(Value::as_object_mut) {
            table.retain(|key, _| !own.contains(&key.as_str()));
        }
    }
    spec
}

/// The path of the first place in which two values differ, and what is there. A key that only one of them has is no
/// difference: versions differ in which they know.
pub fn difference(a: &Value, b: &Value) -> Option<(String, String, String)> {
    if let (Value::Object(left), Value::Object(right)) = (a, b) {
        return left.iter().find_map(|(key, value)| {
            let (path, l, r) = difference(value, right.get(key)?)?;
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{key}.{path}")
            };
            Some((path, l, r))
        });
    }
    (a != b).then(|| (String::new(), a.to_string(), b.to_string()))
}

//! What must hold for a run to count as passed: the workload's `[check]`, and `--fail-if-worse`.

use workloads::Workload;
use workloads::spec::Traffic;

use crate::report::model::{Comparison, EngineRun, Metric, Verdict};

/// What the workload demands of each engine and did not get, in sentences.
pub fn failed(workload: &Workload, runs: &[EngineRun]) -> Vec<String> {
    let check = &workload.spec().check;
    let mut complaints = Vec::new();
    for run in runs {
        let label = run.info.label();
        let errors = run.error_count();
        if let Some(most) = check.max_errors
            && errors > most
        {
            complaints.push(format!(
                "{label}: {errors} operations failed, max_errors is {most}"
            ));
        }
        if let Some(points) = check.hot_share_points
            && let Traffic::Hotslot { share, slot, .. } = workload.spec().traffic
            && let Some(seen) = share_of(run, slot)
            && (seen - share).abs() * 100.0 > points
        {
            complaints.push(format!(
                "{label}: slot {slot} got {:.2} % of the operations, {:.2} % were asked for (hot_share_points is {points})",
                seen * 100.0,
                share * 100.0
            ));
        }
    }
    complaints
}

/// The part of all operations that went to a slot; none if there were none.
fn share_of(run: &EngineRun, slot: u16) -> Option<f64> {
    let total: u64 = run.slots.iter().map(|s| s.ops).sum();
    let ops = run.slots.iter().find(|s| s.slot == slot).map_or(0, |s| s.ops);
    (total > 0).then(|| ops as f64 / total as f64)
}

/// The figures named in `metrics` in which an engine is worse than what it was compared with.
pub fn worse(comparisons: &[Comparison], metrics: &[Metric]) -> Vec<String> {
    let mut complaints = Vec::new();
    for comparison in comparisons {
        for found in &comparison.metrics {
            if found.verdict == Verdict::Worse && metrics.contains(&found.metric) {
                complaints.push(format!(
                    "{} is worse than {} in {}: ratio {:.3}",
                    comparison.engine,
                    comparison.baseline,
                    found.metric.title(),
                    found.ratio
                ));
            }
        }
    }
    complaints
}

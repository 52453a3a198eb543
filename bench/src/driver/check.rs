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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::stats;

    fn workload(check: &str) -> std::sync::Arc<Workload> {
        let text = format!(
            "question = \"?\"\n[keyspace]\nkeys = 1000\n[traffic]\ndistribution = \"hotslot\"\nshare = 0.3\n\
             slot = 12182\nhot_keys = 10\n[check]\n{check}\n"
        );
        workloads::Spec::parse("t", "t.toml", &text)
            .unwrap()
            .compile(1)
            .unwrap()
    }

    #[test]
    fn errors_beyond_the_limit_fail_a_run() {
        let mut run = sample::clean().engines.remove(0);
        run.errors.insert("TRYAGAIN".to_owned(), 3);
        let runs = [run];
        assert_eq!(failed(&workload("max_errors = 3"), &runs), [""; 0]);
        let complaints = failed(&workload("max_errors = 2"), &runs);
        assert!(
            complaints[0].contains("3 operations failed, max_errors is 2"),
            "{complaints:?}"
        );
    }

    #[test]
    fn a_hot_slot_must_have_its_share() {
        let runs = sample::clean().engines;
        let total: u64 = runs[0].slots.iter().map(|s| s.ops).sum();
        let share = share_of(&runs[0], 12182).unwrap();
        assert!(share > 0.01 && total > 0);
        let off_points = ((share - 0.3) * 100.0).abs();
        assert_eq!(
            failed(
                &workload(&format!("hot_share_points = {}", off_points + 0.1)),
                &runs
            ),
            [""; 0]
        );
        if off_points > 0.002 {
            assert_eq!(
                failed(
                    &workload(&format!("hot_share_points = {}", off_points - 0.001)),
                    &runs
                )
                .len(),
                1
            );
        }
        let mut cold = runs;
        cold[0].slots.retain(|s| s.slot != 12182);
        assert!(failed(&workload("hot_share_points = 1.0"), &cold)[0].contains("slot 12182 got 0.00 %"));
    }

    #[test]
    fn only_the_named_metrics_can_fail_a_comparison() {
        let mut report = sample::comparison();
        stats::conclude(&mut report);
        for found in &mut report.comparisons[0].metrics {
            found.verdict = if found.metric == Metric::P99 {
                Verdict::Worse
            } else {
                Verdict::Better
            };
        }
        assert_eq!(
            worse(&report.comparisons, &[Metric::Throughput, Metric::Memory]),
            [""; 0]
        );
        let complaints = worse(&report.comparisons, &Metric::ALL);
        assert!(
            complaints.len() == 1 && complaints[0].contains("is worse than"),
            "{complaints:?}"
        );
    }
}

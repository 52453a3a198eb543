//! The course of a round with faults: the outages that clients saw, and how the shards did before and through them.

use super::arithmetic::add_histogram;
use super::model::{FaultRun, LatencyUs, Outage, RoundContext, ShardRun};
use super::outcome::{Outcome, ShardOutcome};
use crate::measure::{Trace, empty_histogram};

/// Milliseconds in a bin of a [`Trace`].
const BIN_MS: f64 = 1.0;
/// Bins in a report at most, and their shortest length in milliseconds.
const MOST_BINS: usize = 400;
const SHORTEST_BIN_MS: usize = 50;
/// Outages shorter than this do not prolong the time that counts as "through the fault": they are everyday gaps.
const EVERYDAY_MS: f64 = 100.0;

/// Every fault with the outage that it caused.
pub fn faults(outcomes: &[Outcome], contexts: &[RoundContext]) -> Vec<FaultRun> {
    let mut runs = Vec::new();
    for (round, (outcome, context)) in (0..).zip(outcomes.iter().zip(contexts)) {
        for (number, seen) in context.faults.iter().enumerate() {
            let shard = outcome.shards.get(seen.shard as usize);
            // An outage belongs to the last fault at the shard before it.
            let next = context.faults[number + 1..]
                .iter()
                .find(|later| later.shard == seen.shard)
                .map_or(f64::INFINITY, |later| later.at_s);
            let of = |pick: fn(&ShardOutcome) -> &Trace| {
                shard.and_then(|shard| longest_gap(&pick(shard).ok, seen.at_s, next))
            };
            runs.push(FaultRun {
                round,
                seen: seen.clone(),
                reads: of(|shard| &shard.trace.reads),
                writes: of(|shard| &shard.trace.writes),
            });
        }
    }
    runs
}

/// The longest time without a success that was not over when the fault came and began before `next_s`. None without a
/// success before it.
fn longest_gap(ok: &[u32], at_s: f64, next_s: f64) -> Option<Outage> {
    let to_s = |bin: usize| bin as f64 * BIN_MS / 1e3;
    let mut last: Option<usize> = None;
    let mut longest: Option<Outage> = None;
    for (bin, _) in ok.iter().enumerate().filter(|(_, count)| **count > 0) {
        if let Some(last) = last
            && to_s(bin) >= at_s
            && to_s(last) < next_s
        {
            let gap = Outage {
                from_s: to_s(last),
                until_s: Some(to_s(bin)),
            };
            if longest.is_none_or(|longest| gap.seconds() > longest.seconds()) {
                longest = Some(gap);
            }
        }
        last = Some(bin);
    }
    // Without a success after the fault the outage lasts to the end.
    match last {
        Some(last) if to_s(last) < at_s => Some(Outage {
            from_s: to_s(last),
            until_s: None,
        }),
        _ => longest,
    }
}

/// Every shard of every round.
pub fn shards(outcomes: &[Outcome], contexts: &[RoundContext]) -> Vec<ShardRun> {
    let mut runs = Vec::new();
    for (round, outcome) in (0..).zip(outcomes) {
        let through = contexts
            .get(round as usize)
            .and_then(|context| time_through(outcome, context));
        for (number, shard) in (0..).zip(&outcome.shards) {
            runs.push(shard_run(round, number, shard, outcome, through));
        }
    }
    runs
}

/// From the first fault until every shard was served again, in seconds.
fn time_through(outcome: &Outcome, context: &RoundContext) -> Option<(f64, f64)> {
    let first_s = context
        .faults
        .iter()
        .map(|fault| fault.at_s)
        .min_by(f64::total_cmp)?;
    let end_s = outcome.measured.as_secs_f64();
    let mut until_s = first_s;
    for fault in faults(std::slice::from_ref(outcome), std::slice::from_ref(context)) {
        for outage in [fault.reads, fault.writes].into_iter().flatten() {
            if outage.seconds().is_none_or(|length| length * 1e3 > EVERYDAY_MS) {
                until_s = until_s.max(outage.until_s.unwrap_or(end_s));
            }
        }
        until_s = until_s.max(fault.seen.promoted_s.unwrap_or(0.0).min(end_s));
    }
    // A fault that nobody noticed still has a while that is looked at.
    Some((first_s, until_s.max((first_s + 1.0).min(end_s))))
}

fn shard_run(
    round: u32,
    number: u32,
    shard: &ShardOutcome,
    outcome: &Outcome,
    through: Option<(f64, f64)>,
) -> ShardRun {
    let trace = &shard.trace;
    let end_s = outcome.measured.as_secs_f64();
    let (first_s, until_s) = through.unwrap_or((end_s, end_s));
    let bin_ms = (end_s * 1e3 / MOST_BINS as f64).ceil() as usize;
    let bin_ms = bin_ms.max(SHORTEST_BIN_MS);
    let ok = coarser([&trace.reads.ok, &trace.writes.ok], bin_ms);
    let failed = coarser([&trace.reads.failed, &trace.writes.failed], bin_ms);
    let rate = |from_s: f64, to_s: f64| {
        let bins = |s: f64| (s * 1e3 / BIN_MS) as usize;
        let count: u64 = [&trace.reads.ok, &trace.writes.ok]
            .into_iter()
            .flat_map(|bins_of| bins_of.iter().take(bins(to_s)).skip(bins(from_s)))
            .map(|&count| u64::from(count))
            .sum();
        if to_s > from_s {
            count as f64 / (to_s - from_s)
        } else {
            0.0
        }
    };
    let p99 = |within: &dyn Fn(f64, f64) -> bool| {
        let mut sum = empty_histogram();
        for (slice, interval) in trace.slices.iter().zip(&outcome.intervals) {
            let start_s = interval.start.as_secs_f64();
            if within(start_s, start_s + interval.length.as_secs_f64()) {
                add_histogram(&mut sum, slice);
            }
        }
        LatencyUs::from_ns(&sum).p99
    };
    ShardRun {
        round,
        shard: number,
        addr: shard.addr.clone(),
        slots: u32::from(shard.slots),
        ops: ok.iter().sum(),
        errors: failed.iter().sum(),
        ops_per_sec_before: rate(0.0, first_s),
        ops_per_sec_through: rate(first_s, until_s),
        p99_us_before: p99(&|_, to_s| to_s <= first_s),
        p99_us_through: p99(&|from_s, to_s| to_s > first_s && from_s < until_s),
        bin_s: bin_ms as f64 / 1e3,
        ok,
        failed,
    }
}

fn coarser(traces: [&Vec<u32>; 2], bin_ms: usize) -> Vec<u64> {
    let longest = traces.iter().map(|trace| trace.len()).max().unwrap_or(0);
    let mut bins = vec![0; longest.div_ceil(bin_ms)];
    for trace in traces {
        for (bin, &count) in trace.iter().enumerate() {
            bins[bin / bin_ms] += u64::from(count);
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(successes_ms: impl Iterator<Item = usize>) -> Vec<u32> {
        let mut bins = Vec::new();
        for at in successes_ms {
            bins.resize(bins.len().max(at + 1), 0);
            bins[at] += 1;
        }
        bins
    }

    #[test]
    fn the_outage_is_the_longest_gap_after_the_fault() {
        // A pause of 300 ms before the fault at 1 s; an outage from 1.002 s to 1.5 s; a pause of 40 ms later.
        let ok = trace((0..400).chain(700..1003).chain(1500..1600).chain(1640..2000));
        let outage = longest_gap(&ok, 1.0, f64::INFINITY).unwrap();
        assert_eq!((outage.from_s, outage.until_s), (1.002, Some(1.5)));
        // The second fault's outage is its own.
        let outage = longest_gap(&ok, 1.55, f64::INFINITY).unwrap();
        assert_eq!((outage.from_s, outage.until_s), (1.599, Some(1.64)));
        let first = longest_gap(&ok, 0.9, 1.0).unwrap();
        assert!(first.seconds().unwrap() < 0.002, "{first:?}");
    }

    #[test]
    fn an_outage_that_never_ends_says_so() {
        let outage = longest_gap(&trace(0..1000), 1.2, f64::INFINITY).unwrap();
        assert_eq!((outage.from_s, outage.until_s), (0.999, None));
        assert_eq!(longest_gap(&[], 1.0, f64::INFINITY), None);
    }

    #[test]
    fn coarser_bins_have_the_same_sum() {
        let (reads, writes) = (trace(0..990), trace(500..1234));
        let bins = coarser([&reads, &writes], 50);
        assert_eq!(bins.iter().sum::<u64>(), 990 + 734);
        assert_eq!((bins.len(), bins[0], bins[24]), (25, 50, 34));
    }

    #[test]
    fn the_bins_of_the_shards_add_up_to_their_operations() {
        let report = crate::report::sample::failover();
        let run = &report.engines[0];
        assert_eq!(run.shards.len(), 3);
        for shard in &run.shards {
            assert_eq!(shard.ok.iter().sum::<u64>(), shard.ops);
            assert_eq!(shard.failed.iter().sum::<u64>(), shard.errors);
        }
        assert_eq!((run.shards[0].ops, run.shards[0].errors), (11_600, 4));
        let writes = run.faults[0].writes.unwrap();
        assert_eq!((writes.from_s, writes.until_s), (2.999, Some(3.401)));
        assert!((run.shards[1].ops_per_sec_through - 1000.0).abs() < 1.0);
        assert!((run.shards[0].ops_per_sec_before - 1000.0).abs() < 1.0);
    }
}

//! What happened in the course of the rounds: faults, what clients saw of each shard, what became of the writes.

use super::engine::Part;
use crate::report::model::{AuditRun, FaultRun, RoundRun, ShardRun};

/// A bin is never so far off that a generator's whole day lies before it.
const MOST_BINS: usize = 10_000_000;

/// The faults that any of them did or saw, on the clock of the merged round.
pub fn faults(parts: &[Part<'_>], rounds: &[RoundRun]) -> Vec<FaultRun> {
    let moved = |part: &Part<'_>, fault: &FaultRun| -> Option<FaultRun> {
        let offset_s = offset_s(part, rounds, fault.round)?;
        let mut fault = fault.clone();
        let seen = &mut fault.seen;
        seen.at_s += offset_s;
        for time in [
            &mut seen.ended_s,
            &mut seen.suspected_s,
            &mut seen.failed_s,
            &mut seen.promoted_s,
        ] {
            *time = time.map(|s| s + offset_s);
        }
        for outage in [&mut fault.reads, &mut fault.writes].into_iter().flatten() {
            outage.from_s += offset_s;
            outage.until_s = outage.until_s.map(|s| s + offset_s);
        }
        Some(fault)
    };
    let mut all: Vec<FaultRun> = parts
        .iter()
        .flat_map(|part| part.run.faults.iter().filter_map(move |fault| moved(part, fault)))
        .collect();
    all.sort_by(|a, b| {
        (a.round, a.seen.shard)
            .cmp(&(b.round, b.seen.shard))
            .then(a.seen.at_s.total_cmp(&b.seen.at_s))
    });
    all
}

/// Each shard in each round, if every generator traced its shards. Counts are sums; a percentile is that of the slowest
/// generator, which is an upper bound, since its histogram is in no file.
pub fn shards(parts: &[Part<'_>], rounds: &[RoundRun]) -> Vec<ShardRun> {
    if parts.iter().any(|part| part.run.shards.is_empty()) {
        return Vec::new();
    }
    let mut sums: Vec<ShardRun> = Vec::new();
    for part in parts {
        for shard in &part.run.shards {
            let Some(offset_s) = offset_s(part, rounds, shard.round) else {
                continue;
            };
            let known = sums
                .iter()
                .position(|sum| (sum.round, sum.shard, &sum.addr) == (shard.round, shard.shard, &shard.addr));
            let place = known.unwrap_or_else(|| {
                sums.push(ShardRun {
                    ops: 0,
                    errors: 0,
                    ops_per_sec_before: 0.0,
                    ops_per_sec_through: 0.0,
                    ok: Vec::new(),
                    failed: Vec::new(),
                    ..shard.clone()
                });
                sums.len() - 1
            });
            add(&mut sums[place], shard, offset_s);
        }
    }
    sums.sort_by_key(|sum| (sum.round, sum.shard));
    sums
}

fn add(sum: &mut ShardRun, shard: &ShardRun, offset_s: f64) {
    sum.ops += shard.ops;
    sum.errors += shard.errors;
    sum.ops_per_sec_before += shard.ops_per_sec_before;
    sum.ops_per_sec_through += shard.ops_per_sec_through;
    sum.p99_us_before = sum.p99_us_before.max(shard.p99_us_before);
    sum.p99_us_through = sum.p99_us_through.max(shard.p99_us_through);
    let bin_s = sum.bin_s;
    // The bin in which the middle of the generator's own bin lies.
    let bin = |i: usize| (((i as f64 + 0.5) * shard.bin_s + offset_s) / bin_s) as usize;
    for (to, from) in [(&mut sum.ok, &shard.ok), (&mut sum.failed, &shard.failed)] {
        for (i, count) in from.iter().enumerate() {
            let at = bin(i).min(MOST_BINS);
            if to.len() <= at {
                to.resize(at + 1, 0);
            }
            to[at] += count;
        }
    }
}

/// The writes of all of them, round by round.
pub fn audits(parts: &[Part<'_>]) -> Vec<AuditRun> {
    let mut sums: Vec<AuditRun> = Vec::new();
    for audit in parts.iter().flat_map(|part| &part.run.audits) {
        match sums.iter_mut().find(|sum| sum.round == audit.round) {
            None => sums.push(*audit),
            Some(sum) => {
                *sum = AuditRun {
                    round: sum.round,
                    keys: sum.keys + audit.keys,
                    writes: sum.writes + audit.writes,
                    acknowledged: sum.acknowledged + audit.acknowledged,
                    kept: sum.kept + audit.kept,
                    lost: sum.lost + audit.lost,
                    unknown: sum.unknown + audit.unknown,
                    unacknowledged: sum.unacknowledged + audit.unacknowledged,
                    applied_unacknowledged: sum.applied_unacknowledged + audit.applied_unacknowledged,
                    stale_keys: sum.stale_keys + audit.stale_keys,
                    missing_keys: sum.missing_keys + audit.missing_keys,
                    unread_keys: sum.unread_keys + audit.unread_keys,
                };
            }
        }
    }
    sums.sort_by_key(|sum| sum.round);
    sums
}

/// How much later than the merged round a generator's own round began.
fn offset_s(part: &Part<'_>, rounds: &[RoundRun], round: u32) -> Option<f64> {
    let own = part.run.rounds.get(round as usize)?.started_unix_ms;
    let merged = rounds.get(round as usize)?.started_unix_ms;
    Some(own.saturating_sub(merged) as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::{EngineRun, FaultSeen, Outage};
    use crate::report::sample;

    fn run(started_unix_ms: u64, ok: &[u64]) -> EngineRun {
        let mut run = sample::clean().engines.remove(0);
        run.rounds.truncate(1);
        run.rounds[0].started_unix_ms = started_unix_ms;
        run.faults = vec![FaultRun {
            round: 0,
            seen: FaultSeen {
                at_s: 1.0,
                failed_s: Some(1.5),
                ..FaultSeen::default()
            },
            reads: None,
            writes: Some(Outage {
                from_s: 0.9,
                until_s: None,
            }),
        }];
        run.shards = vec![ShardRun {
            round: 0,
            shard: 0,
            addr: "a:1".to_owned(),
            slots: 16384,
            ops: ok.iter().sum(),
            errors: 0,
            ops_per_sec_before: 10.0,
            ops_per_sec_through: 5.0,
            p99_us_before: started_unix_ms as f64,
            p99_us_through: 2.0,
            bin_s: 0.1,
            ok: ok.to_vec(),
            failed: Vec::new(),
        }];
        run.audits = vec![AuditRun {
            writes: 3,
            lost: 1,
            ..AuditRun::default()
        }];
        run
    }

    #[test]
    fn what_happened_is_moved_to_the_common_clock() {
        let runs = [run(1000, &[1, 2, 3]), run(1210, &[10, 20])];
        let parts = runs.each_ref().map(|run| Part {
            name: "x",
            run,
            intervals: None,
        });
        let rounds = runs[0].rounds.clone();
        let shards = shards(&parts, &rounds);
        assert_eq!((shards[0].ops, &shards[0].ok), (36, &vec![1, 2, 13, 20]));
        assert_eq!(
            (shards[0].ops_per_sec_before, shards[0].p99_us_before),
            (20.0, 1210.0)
        );
        let faults = faults(&parts, &rounds);
        assert_eq!(faults[0].seen.at_s, 1.0);
        assert!((faults[1].seen.at_s - 1.21).abs() < 1e-9, "{faults:?}");
        assert!(
            faults[1]
                .writes
                .is_some_and(|w| (w.from_s - 1.11).abs() < 1e-9 && w.until_s.is_none())
        );
        let audits = audits(&parts);
        assert_eq!((audits.len(), audits[0].writes, audits[0].lost), (1, 6, 2));
    }
}

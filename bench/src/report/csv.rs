//! summary.csv, a row a command; intervals.csv, a row an interval; course.csv and lost-keys.csv of runs with faults.

use std::io::Write;

use super::model::{EngineRun, LatencyUs, LostKey, Report};

/// The columns that redis-benchmark prints, under its names and in its order: what reads its output reads ours.
pub const REDIS_BENCHMARK_COLUMNS: [&str; 8] = [
    "test",
    "rps",
    "avg_latency_ms",
    "min_latency_ms",
    "p50_latency_ms",
    "p95_latency_ms",
    "p99_latency_ms",
    "max_latency_ms",
];

const OUR_COLUMNS: [&str; 21] = [
    "engine",
    "version",
    "workload",
    "step",
    "p90_latency_ms",
    "p999_latency_ms",
    "p9999_latency_ms",
    "stddev_latency_ms",
    "ops",
    "errors",
    "moved",
    "ask",
    "seconds",
    "rounds",
    "server_cpu_ns_per_op",
    "server_rss_bytes",
    "client_cpu_ns_per_op",
    "seed",
    "stream_hash",
    "hit_rate",
    "evicted_keys",
];

/// Writes course.csv of a run with faults: a row for each shard and bin of time. The sums over a shard's rows are its
/// operations and errors.
pub fn write_course(report: &Report, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "engine", "version", "round", "shard", "start_s", "length_s", "ops", "errors",
    ])?;
    for run in &report.engines {
        for shard in &run.shards {
            for bin in 0..shard.ok.len().max(shard.failed.len()) {
                let at = |bins: &[u64]| bins.get(bin).copied().unwrap_or(0).to_string();
                csv.write_record([
                    run.info.engine.clone(),
                    run.info.version.clone(),
                    shard.round.to_string(),
                    shard.shard.to_string(),
                    format!("{:.3}", bin as f64 * shard.bin_s),
                    format!("{:.3}", shard.bin_s),
                    at(&shard.ok),
                    at(&shard.failed),
                ])?;
            }
        }
    }
    Ok(csv.flush()?)
}

/// Writes lost-keys.csv: a row for each key with acknowledged writes that are lost.
pub fn write_lost_keys(engines: &[(String, Vec<LostKey>)], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "engine",
        "round",
        "key",
        "slot",
        "found",
        "lost_writes",
        "last_acknowledged_ms",
    ])?;
    for (engine, keys) in engines {
        for lost in keys {
            csv.write_record([
                engine.clone(),
                lost.round.to_string(),
                lost.key.clone(),
                lost.slot.to_string(),
                lost.found.clone(),
                lost.lost.to_string(),
                format!("{:.3}", lost.last_acknowledged_ns as f64 / 1e6),
            ])?;
        }
    }
    Ok(csv.flush()?)
}

/// Name of the row that holds all commands of an engine together. Errors, redirects and CPU time are not known by
/// command and stand in that row alone.
pub const TOTAL: &str = "all";

/// Names of the rows that hold no operations: what receivers got, and what was held.
pub const DELIVERY: &str = "(delivery)";
pub const HELD: &str = "(held)";

/// Writes summary.csv.
pub fn write_summary(report: &Report, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(REDIS_BENCHMARK_COLUMNS.iter().chain(&OUR_COLUMNS))?;
    for run in &report.engines {
        let row = Row {
            test: TOTAL,
            ops_per_sec: run.ops_per_sec,
            ops: run.ops,
            latency: &run.latency_us,
        };
        csv.write_record(summary_record(report, run, &row, true))?;
        for c in &run.commands {
            let row = Row {
                test: &c.name,
                ops_per_sec: c.ops_per_sec,
                ops: c.ops,
                latency: &c.latency_us,
            };
            csv.write_record(summary_record(report, run, &row, false))?;
        }
        for (test, ops, latency) in effects(run) {
            let row = Row {
                test,
                ops_per_sec: if run.seconds > 0.0 {
                    ops as f64 / run.seconds
                } else {
                    0.0
                },
                ops,
                latency,
            };
            csv.write_record(summary_record(report, run, &row, false))?;
        }
    }
    csv.flush()?;
    Ok(())
}

/// What has a time of its own and is no operation: deliveries to receivers, and what was held until it was released.
fn effects(run: &EngineRun) -> impl Iterator<Item = (&'static str, u64, &LatencyUs)> {
    let delivery = run
        .delivery
        .as_ref()
        .map(|d| (DELIVERY, d.delivered, &d.latency_us));
    let held = run.holds.as_ref().map(|h| (HELD, h.released, &h.held_us));
    delivery.into_iter().chain(held)
}

struct Row<'a> {
    test: &'a str,
    ops_per_sec: f64,
    ops: u64,
    latency: &'a LatencyUs,
}

fn summary_record(report: &Report, run: &EngineRun, row: &Row<'_>, whole: bool) -> Vec<String> {
    let only_whole = |value: String| if whole { value } else { String::new() };
    let latency = row.latency;
    vec![
        row.test.to_owned(),
        format!("{:.2}", row.ops_per_sec),
        ms(latency.mean),
        ms(latency.min),
        ms(latency.p50),
        ms(latency.p95),
        ms(latency.p99),
        ms(latency.max),
        run.info.engine.clone(),
        run.info.version.clone(),
        report.workload.name.clone(),
        run.info
            .step
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        ms(latency.p90),
        ms(latency.p999),
        ms(latency.p9999),
        ms(latency.stddev),
        row.ops.to_string(),
        only_whole(run.error_count().to_string()),
        only_whole(run.redirects.moved.to_string()),
        only_whole(run.redirects.ask.to_string()),
        format!("{:.3}", run.seconds),
        run.rounds.len().to_string(),
        only_whole(optional(run.server.cpu_ns_per_op.map(|ns| format!("{ns:.1}")))),
        only_whole(optional(run.server.rss_bytes)),
        only_whole(format!("{:.1}", run.client.cpu_ns_per_op)),
        report.workload.seed.to_string(),
        report.workload.stream_hash.clone(),
        only_whole(optional(run.cache.map(|cache| format!("{:.6}", cache.hit_rate)))),
        only_whole(optional(run.cache.and_then(|cache| cache.evicted_keys))),
    ]
}

/// Writes intervals.csv.
pub fn write_intervals(report: &Report, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "engine",
        "version",
        "step",
        "round",
        "start_s",
        "length_s",
        "ops",
        "ops_per_sec",
        "errors",
        "p50_latency_ms",
        "p99_latency_ms",
        "p999_latency_ms",
        "max_latency_ms",
    ])?;
    for run in &report.engines {
        for interval in &run.intervals {
            csv.write_record([
                run.info.engine.clone(),
                run.info.version.clone(),
                run.info
                    .step
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                interval.round.to_string(),
                format!("{:.3}", interval.start_s),
                format!("{:.3}", interval.length_s),
                interval.ops.to_string(),
                format!("{:.2}", interval.ops_per_sec),
                interval.errors.to_string(),
                ms(interval.p50_us),
                ms(interval.p99_us),
                ms(interval.p999_us),
                ms(interval.max_us),
            ])?;
        }
    }
    csv.flush()?;
    Ok(())
}

/// Milliseconds, as redis-benchmark counts them, to the microsecond as it does.
fn ms(us: f64) -> String {
    format!("{:.3}", us / 1e3)
}

fn optional(value: Option<impl ToString>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn table(
        write: fn(&Report, &mut dyn Write) -> anyhow::Result<()>,
        report: &Report,
    ) -> Vec<csv::StringRecord> {
        let mut out = Vec::new();
        write(report, &mut out).expect("memory does not fail");
        let rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(out.as_slice())
            .into_records();
        rows.collect::<Result<_, _>>()
            .expect("every row has as many fields as the header")
    }

    #[test]
    fn summary_begins_with_redis_benchmarks_columns() {
        let report = sample::comparison();
        let rows = table(write_summary, &report);
        assert_eq!(
            rows[0].iter().take(8).collect::<Vec<_>>(),
            REDIS_BENCHMARK_COLUMNS
        );
        let names: Vec<_> = rows
            .iter()
            .skip(1)
            .map(|r| (r[0].to_owned(), r[8].to_owned()))
            .collect();
        let expected =
            ["slotmark", "redis"].map(|e| [TOTAL, "GET", "SET"].map(|t| (t.to_owned(), e.to_owned())));
        assert_eq!(names, expected.concat());
        let all = &rows[1];
        assert_eq!(all[1], format!("{:.2}", report.engines[0].ops_per_sec));
        let p99_ms: f64 = all[6].parse().expect("a number");
        assert!(
            (p99_ms * 1e3 - report.engines[0].latency_us.p99).abs() < 1.0,
            "milliseconds"
        );
        assert_eq!(rows[2][17], *"", "errors are not known by command");
    }

    #[test]
    fn intervals_hold_every_interval() {
        let report = sample::comparison();
        let rows = table(write_intervals, &report);
        assert_eq!(
            rows.len() - 1,
            report.engines.iter().map(|e| e.intervals.len()).sum::<usize>()
        );
        let ops: u64 = rows
            .iter()
            .skip(1)
            .filter(|r| &r[0] == "redis")
            .map(|r| r[6].parse::<u64>().unwrap())
            .sum();
        assert_eq!(ops, report.engines[1].ops);
    }
}

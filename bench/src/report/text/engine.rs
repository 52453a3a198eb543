//! One engine: a table by command and by node, then what does not fit into columns.

use std::io::{self, Write};

use super::table::{Table, shortened, wrap};
use super::{Style, WIDTH};
use crate::report::hot::hottest_slots;
use crate::report::model::{EngineRun, LatencyUs, Report};
use crate::report::units;

const NAME_WIDTH: usize = 24;

pub fn print(run: &EngineRun, report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&run.info.label()))?;
    for (i, line) in table(run).lines().iter().enumerate() {
        match i {
            0 => writeln!(out, "{}", style.faint(line))?,
            1 => writeln!(out, "{}", style.bold(line))?,
            _ => writeln!(out, "{line}")?,
        }
    }
    for sentence in remarks(run, report) {
        for line in wrap(&sentence, WIDTH - 2) {
            writeln!(out, "  {line}")?;
        }
    }
    for finding in super::effects::findings(run) {
        for line in wrap(&finding.text, WIDTH - 2) {
            writeln!(out, "  {}", if finding.bad { style.bad(&line) } else { line })?;
        }
    }
    super::faults::print(run, style, out)?;
    super::beside::print(run, style, out)?;
    let errors = errors(run);
    for line in wrap(&errors, WIDTH - 2) {
        writeln!(
            out,
            "  {}",
            if run.errors.is_empty() {
                line
            } else {
                style.bad(&line)
            }
        )?;
    }
    Ok(())
}

fn table(run: &EngineRun) -> Table {
    let mut table = Table::new(1, &["", "ops/s", "share", "p50", "p99", "p99.9", "max"]);
    let mut add = |name: &str, ops: u64, rate: f64, latency: &LatencyUs| {
        let mut cells = vec![
            shortened(name, NAME_WIDTH),
            units::rate(rate),
            units::share(ops as f64 / run.ops.max(1) as f64),
        ];
        cells.extend([latency.p50, latency.p99, latency.p999, latency.max].map(units::latency));
        table.row(cells);
    };
    add("all", run.ops, run.ops_per_sec, &run.latency_us);
    if let Some(service) = &run.service_us {
        add("all, from the write", run.ops, run.ops_per_sec, service);
    }
    for c in &run.commands {
        add(&c.name, c.ops, c.ops_per_sec, &c.latency_us);
    }
    for n in &run.nodes {
        add(&n.addr, n.ops, n.ops_per_sec, &n.latency_us);
    }
    table
}

fn remarks(run: &EngineRun, report: &Report) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(hot) = hottest_slots(run, 1).first() {
        sentences.push(format!(
            "hottest slot {}: {} of operations, {} the mean of the others",
            hot.slot,
            units::share(hot.share),
            units::ratio(hot.times_the_mean)
        ));
    }
    if let Some(open) = &run.open_loop {
        sentences.push(format!(
            "open loop: {} operations were due ({}/s), {} missed, {} sent more than 1 ms late; latency runs from when \
             they were due (the generator's own delay: p99 {})",
            units::count(open.scheduled),
            units::rate(open.scheduled_per_sec),
            units::count(open.missed),
            units::count(open.late),
            units::latency(open.delay_us.p99)
        ));
    }
    if let Some(cache) = &run.cache {
        let evicted = cache
            .evicted_keys
            .map(|keys| format!("; {} keys evicted, warm-up included", units::count(keys)))
            .unwrap_or_default();
        sentences.push(format!(
            "hit rate {:.2} %: {} of {} reads found their key{evicted}",
            100.0 * cache.hit_rate,
            units::count(cache.hits),
            units::count(cache.reads)
        ));
    }
    sentences.push(resources(run, report));
    sentences.push(format!(
        "{} operations in {}, redirects MOVED {}, ASK {}",
        units::count(run.ops),
        units::seconds(run.seconds),
        units::count(run.redirects.moved),
        units::count(run.redirects.ask)
    ));
    sentences
}

fn resources(run: &EngineRun, report: &Report) -> String {
    let mut parts = Vec::new();
    match run.server.cpu_ns_per_op {
        Some(ns) => parts.push(format!("server CPU {}/op", units::time_ns(ns))),
        None => parts.push("server CPU not visible from here".to_owned()),
    }
    if let Some(bytes) = run.server.rss_bytes {
        parts.push(format!("memory {}", units::bytes(bytes)));
    }
    let threads = report.settings.threads.max(1);
    let busy = if run.seconds > 0.0 {
        run.client.cpu_s / (run.seconds * f64::from(threads))
    } else {
        0.0
    };
    parts.push(format!(
        "generator CPU {}/op, {:.0} % busy",
        units::time_ns(run.client.cpu_ns_per_op),
        100.0 * busy
    ));
    parts.join(", ")
}

fn errors(run: &EngineRun) -> String {
    if run.errors.is_empty() {
        return "no errors".to_owned();
    }
    let classes: Vec<String> = run
        .errors
        .iter()
        .map(|(class, n)| format!("{class} {}", units::count(*n)))
        .collect();
    format!(
        "{} errors: {}",
        units::count(run.error_count()),
        classes.join(", ")
    )
}

//! One engine (at one step), loaded by several generators.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::MergeError;
use super::span::{Cells, Span};
use crate::report::EngineLog;
use crate::report::arithmetic::{LoggedInterval, add_histogram, latency_curve, merged, ratio};
use crate::report::histogram::HistogramText;
use crate::report::hlog::LogLine;
use crate::report::model::{
    ClientFigures, CommandRun, EngineInfo, EngineRun, IntervalRun, LatencyUs, NodeRun, Redirects, RoundRun,
    ServerFigures, SlotOps,
};

const NS_PER_S: f64 = 1e9;

/// What one generator measured.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Its file, for complaints.
    pub name: &'a str,
    pub run: &'a EngineRun,
    /// The histograms of `run.intervals`, if they are known.
    pub intervals: Option<&'a [LogLine]>,
}

impl Part<'_> {
    /// When it was at work in a round; none if it did not get that far.
    pub fn round_span(&self, round: usize) -> Option<Span> {
        let round = self.run.rounds.get(round)?;
        Some(Span::new(round.started_unix_ms as f64 / 1e3, round.seconds))
    }

    fn histogram(&self, place: &str, text: Option<&HistogramText>) -> Result<Histogram<u64>, MergeError> {
        let text = text.ok_or_else(|| MergeError::NoHistograms {
            file: self.name.to_owned(),
        })?;
        text.decode().map_err(|error| MergeError::Histogram {
            file: self.name.to_owned(),
            place: place.to_owned(),
            error,
        })
    }
}

/// Adds them up; the log is there if all their intervals' histograms are.
pub fn merge(info: &EngineInfo, parts: &[Part<'_>]) -> Result<(EngineRun, Option<EngineLog>), MergeError> {
    let sum = |f: fn(&EngineRun) -> u64| parts.iter().map(|p| f(p.run)).sum::<u64>();
    let rounds = rounds(parts)?;
    let seconds: f64 = rounds.iter().map(|r| r.seconds).sum();
    let ops = sum(|r| r.ops);
    let total = histograms(parts, "the engine", |run| run.histogram.as_ref())?;
    let commands = commands(parts)?;
    let (intervals, logged) = intervals(parts, &rounds);
    let client_s: f64 = parts.iter().map(|p| p.run.client.cpu_s).sum();
    // Each generator reads all that the servers did meanwhile, for the others as well: the longest reading is the best.
    let server_s = largest(parts, |p| p.run.server.cpu_s);
    let run = EngineRun {
        info: info.clone(),
        ops,
        seconds,
        ops_per_sec: ratio(ops as f64, seconds),
        errors: summed(
            parts
                .iter()
                .flat_map(|p| p.run.errors.iter().map(|(class, n)| (class.clone(), *n))),
        ),
        redirects: Redirects {
            moved: sum(|r| r.redirects.moved),
            ask: sum(|r| r.redirects.ask),
        },
        retries: sum(|r| r.retries),
        reconnects: sum(|r| r.reconnects),
        misses: sum(|r| r.misses),
        clock_drift_ppm: parts
            .iter()
            .map(|p| p.run.clock_drift_ppm)
            .max_by(|a, b| a.abs().total_cmp(&b.abs()))
            .unwrap_or(0.0),
        bytes_in: sum(|r| r.bytes_in),
        bytes_out: sum(|r| r.bytes_out),
        latency_us: LatencyUs::from_ns(&total),
        histogram: Some(HistogramText::encode(&total)),
        latency_curve: latency_curve(&total),
        latency_limit_us: parts
            .iter()
            .filter_map(|p| p.run.latency_limit_us)
            .reduce(f64::min),
        commands: commands
            .iter()
            .map(|(name, ops, latency)| CommandRun {
                name: name.clone(),
                ops: *ops,
                ops_per_sec: ratio(*ops as f64, seconds),
                latency_us: LatencyUs::from_ns(latency),
                histogram: Some(HistogramText::encode(latency)),
            })
            .collect(),
        nodes: nodes(parts, seconds)?,
        slots: summed(
            parts
                .iter()
                .flat_map(|p| p.run.slots.iter().map(|s| (s.slot, s.ops))),
        )
        .into_iter()
        .map(|(slot, ops)| SlotOps { slot, ops })
        .collect(),
        intervals,
        server: ServerFigures {
            cpu_ns_per_op: server_s.filter(|_| ops > 0).map(|s| s * NS_PER_S / ops as f64),
            cpu_s: server_s,
            rss_bytes: parts.iter().filter_map(|p| p.run.server.rss_bytes).max(),
        },
        rounds,
        client: ClientFigures {
            cpu_ns_per_op: ratio(client_s * NS_PER_S, ops as f64),
            cpu_s: client_s,
        },
    };
    let log = logged.map(|intervals| EngineLog {
        info: info.clone(),
        intervals,
        commands: commands
            .into_iter()
            .map(|(name, _, latency)| (name, latency))
            .collect(),
    });
    Ok((run, log))
}

fn summed<K: Ord>(counts: impl Iterator<Item = (K, u64)>) -> BTreeMap<K, u64> {
    let mut sums = BTreeMap::new();
    for (key, count) in counts {
        *sums.entry(key).or_insert(0) += count;
    }
    sums
}

/// The largest of a figure, if every generator has it.
fn largest<'a>(parts: &[Part<'a>], figure: impl Fn(&Part<'a>) -> Option<f64>) -> Option<f64> {
    let all: Option<Vec<f64>> = parts.iter().map(figure).collect();
    all?.into_iter().reduce(f64::max)
}

fn histograms<'a>(
    parts: &[Part<'a>],
    place: &str,
    text: impl Fn(&'a EngineRun) -> Option<&'a HistogramText>,
) -> Result<Histogram<u64>, MergeError> {
    let all: Result<Vec<_>, _> = parts.iter().map(|p| p.histogram(place, text(p.run))).collect();
    Ok(merged(all?.iter()))
}

type Command = (String, u64, Histogram<u64>);

/// By name, in order of first appearance.
fn commands(parts: &[Part<'_>]) -> Result<Vec<Command>, MergeError> {
    let mut sums: Vec<Command> = Vec::new();
    for part in parts {
        for command in &part.run.commands {
            let latency = part.histogram(&command.name, command.histogram.as_ref())?;
            match sums.iter_mut().find(|(name, ..)| *name == command.name) {
                Some((_, ops, sum)) => {
                    *ops += command.ops;
                    add_histogram(sum, &latency);
                }
                None => sums.push((command.name.clone(), command.ops, latency)),
            }
        }
    }
    Ok(sums)
}

/// By address, ascending.
fn nodes(parts: &[Part<'_>], seconds: f64) -> Result<Vec<NodeRun>, MergeError> {
    let mut sums: BTreeMap<&str, (NodeRun, Histogram<u64>)> = BTreeMap::new();
    // CPU time as each generator read it: all that the node did meanwhile.
    let cpu_ns = |node: &NodeRun| node.cpu_ns_per_op.map(|ns| ns * node.ops as f64);
    let mut longest_ns: BTreeMap<&str, Option<f64>> = BTreeMap::new();
    for part in parts {
        for node in &part.run.nodes {
            let latency = part.histogram(&node.addr, node.histogram.as_ref())?;
            let read = longest_ns.entry(&node.addr).or_insert(Some(0.0));
            *read = read.zip(cpu_ns(node)).map(|(a, b)| a.max(b));
            match sums.get_mut(node.addr.as_str()) {
                Some((sum, histogram)) => {
                    sum.ops += node.ops;
                    sum.id = sum.id.take().or_else(|| node.id.clone());
                    sum.rss_bytes = sum.rss_bytes.max(node.rss_bytes);
                    add_histogram(histogram, &latency);
                }
                None => drop(sums.insert(&node.addr, (node.clone(), latency))),
            }
        }
    }
    let finish = |(addr, (node, latency)): (&str, (NodeRun, Histogram<u64>))| NodeRun {
        ops_per_sec: ratio(node.ops as f64, seconds),
        latency_us: LatencyUs::from_ns(&latency),
        histogram: Some(HistogramText::encode(&latency)),
        cpu_ns_per_op: longest_ns
            .get(addr)
            .copied()
            .flatten()
            .filter(|_| node.ops > 0)
            .map(|ns| ns / node.ops as f64),
        ..node
    };
    Ok(sums.into_iter().map(finish).collect())
}

/// Round i of all of them is one round, from the first start to the last end.
fn rounds(parts: &[Part<'_>]) -> Result<Vec<RoundRun>, MergeError> {
    let most = parts.iter().map(|p| p.run.rounds.len()).max().unwrap_or(0);
    (0..most)
        .map(|i| {
            let there: Vec<(&Part<'_>, &RoundRun)> = parts
                .iter()
                .filter_map(|p| Some((p, p.run.rounds.get(i)?)))
                .collect();
            let spans: Vec<Span> = there.iter().filter_map(|(p, _)| p.round_span(i)).collect();
            let span = Span::union(&spans).unwrap_or(Span::new(0.0, 0.0));
            let latencies: Result<Vec<_>, _> = there
                .iter()
                .map(|(part, round)| part.histogram(&format!("round {}", i + 1), round.histogram.as_ref()))
                .collect();
            let total = merged(latencies?.iter());
            let latency = LatencyUs::from_ns(&total);
            let ops: u64 = there.iter().map(|(_, r)| r.ops).sum();
            let client_ns: f64 = there
                .iter()
                .map(|(_, r)| r.client_cpu_ns_per_op * r.ops as f64)
                .sum();
            let server_ns: Option<Vec<f64>> = there
                .iter()
                .map(|(_, r)| r.server_cpu_ns_per_op.map(|ns| ns * r.ops as f64))
                .collect();
            Ok(RoundRun {
                started_unix_ms: there.iter().map(|(_, r)| r.started_unix_ms).min().unwrap_or(0),
                seconds: span.length_s(),
                ops,
                ops_per_sec: ratio(ops as f64, span.length_s()),
                p50_us: latency.p50,
                p99_us: latency.p99,
                histogram: Some(HistogramText::encode(&total)),
                client_cpu_ns_per_op: ratio(client_ns, ops as f64),
                server_cpu_ns_per_op: server_ns
                    .and_then(|all| all.into_iter().reduce(f64::max))
                    .filter(|_| ops > 0)
                    .map(|ns| ns / ops as f64),
                server_rss_bytes: there.iter().filter_map(|(_, r)| r.server_rss_bytes).max(),
            })
        })
        .collect()
}

/// An interval of one generator, with its histogram if that is known.
struct Piece<'a> {
    interval: &'a IntervalRun,
    latency: Option<&'a Histogram<u64>>,
}

/// The intervals of all of them, laid side by side on the clock, round by round. The histograms come along if all of
/// them are known.
fn intervals(parts: &[Part<'_>], rounds: &[RoundRun]) -> (Vec<IntervalRun>, Option<Vec<LoggedInterval>>) {
    let mut rows = Vec::new();
    let mut logged = Some(Vec::new());
    for (number, round) in (0u32..).zip(rounds) {
        let started_s = round.started_unix_ms as f64 / 1e3;
        let of_round = |run: &EngineRun| -> f64 {
            let lengths = run
                .intervals
                .iter()
                .filter(|i| i.round == number)
                .map(|i| i.length_s);
            lengths.fold(0.0, f64::max)
        };
        let longest_s = parts.iter().map(|p| of_round(p.run)).fold(0.0, f64::max);
        let mut cells = Cells::new(Span::new(started_s, round.seconds), longest_s);
        for part in parts {
            let Some(began) = part.round_span(number as usize) else {
                continue;
            };
            let full_s = of_round(part.run);
            for (i, interval) in part
                .run
                .intervals
                .iter()
                .enumerate()
                .filter(|(_, v)| v.round == number)
            {
                let latency = part
                    .intervals
                    .and_then(|lines| lines.get(i))
                    .map(|line| &line.latency);
                cells.add(
                    began.start_s + interval.start_s,
                    full_s,
                    Piece { interval, latency },
                );
            }
        }
        for (span, pieces) in cells.into_cells() {
            let (row, histogram) = cell(number, span, started_s, &pieces);
            rows.push(row);
            logged = logged.zip(histogram).map(|(mut all, latency)| {
                all.push(LoggedInterval {
                    start_unix_s: span.start_s,
                    length_s: span.length_s(),
                    latency,
                });
                all
            });
        }
    }
    (rows, logged)
}

fn cell(
    round: u32,
    span: Span,
    started_s: f64,
    pieces: &[Piece<'_>],
) -> (IntervalRun, Option<Histogram<u64>>) {
    let known: Option<Vec<&Histogram<u64>>> = pieces.iter().map(|p| p.latency).collect();
    let histogram = known.map(|all| merged(all.into_iter()));
    let latency = histogram.as_ref().map(LatencyUs::from_ns);
    // No percentile of the sum is above the highest of its parts'.
    let bound = |f: fn(&IntervalRun) -> f64| pieces.iter().map(|p| f(p.interval)).fold(0.0, f64::max);
    let ops: u64 = pieces.iter().map(|p| p.interval.ops).sum();
    let row = IntervalRun {
        round,
        start_s: (span.start_s - started_s).max(0.0),
        length_s: span.length_s(),
        ops,
        ops_per_sec: ratio(ops as f64, span.length_s()),
        errors: pieces.iter().map(|p| p.interval.errors).sum(),
        p50_us: latency.map_or_else(|| bound(|i| i.p50_us), |l| l.p50),
        p99_us: latency.map_or_else(|| bound(|i| i.p99_us), |l| l.p99),
        p999_us: latency.map_or_else(|| bound(|i| i.p999_us), |l| l.p999),
        max_us: latency.map_or_else(|| bound(|i| i.max_us), |l| l.max),
    };
    (row, histogram)
}

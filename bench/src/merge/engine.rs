//! One engine (at one step), loaded by several generators.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::span::{Cells, Span};
use super::{MergeError, course, effects};
use crate::measure::empty_histogram;
use crate::report::EngineLog;
use crate::report::arithmetic::{LoggedInterval, add_histogram, latency_curve, merged, ratio};
use crate::report::histogram::HistogramText;
use crate::report::hlog::LogLine;
use crate::report::model::{
    CacheRun, ClientFigures, CommandRun, EngineInfo, EngineRun, IntervalRun, LatencyUs, NodeRun, OpenLoopRun,
    Redirects, ReplicaReads, RoundRun, ServerFigures, SlotOps,
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

    /// One that only an open loop has.
    fn optional(
        &self,
        place: &str,
        text: Option<&HistogramText>,
    ) -> Result<Option<Histogram<u64>>, MergeError> {
        text.map(|text| self.histogram(place, Some(text))).transpose()
    }
}

/// Adds them up; the log is there if all their intervals' histograms are.
pub fn merge(info: &EngineInfo, parts: &[Part<'_>]) -> Result<(EngineRun, Option<EngineLog>), MergeError> {
    let sum = |f: fn(&EngineRun) -> u64| parts.iter().map(|p| f(p.run)).sum::<u64>();
    let rounds = rounds(parts)?;
    let seconds: f64 = rounds.iter().map(|r| r.seconds).sum();
    let ops = sum(|r| r.ops);
    let total = histograms(parts, "the engine", |run| run.histogram.as_ref())?;
    let service = optional_histograms(parts, "the service time", |run| run.service_histogram.as_ref())?;
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
        cache: CacheRun::beside(parts.iter().filter_map(|part| part.run.cache)),
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
        service_us: service.as_ref().map(LatencyUs::from_ns),
        service_histogram: service.as_ref().map(HistogramText::encode),
        service_curve: service.as_ref().map(latency_curve).unwrap_or_default(),
        open_loop: open_loop(parts, seconds)?,
        latency_limit_us: parts
            .iter()
            .filter_map(|p| p.run.latency_limit_us)
            .reduce(f64::min),
        commands: commands.iter().map(|sum| sum.command(seconds)).collect(),
        nodes: nodes(parts, seconds)?,
        faults: course::faults(parts, &rounds),
        // Each generator had company of its own: their parts are not added up.
        beside: None,
        shards: course::shards(parts, &rounds),
        audits: course::audits(parts),
        replica_reads: replica_reads(parts)?,
        holds: effects::holds(parts)?,
        delivery: effects::delivery(parts)?,
        unknown_scripts: sum(|r| r.unknown_scripts),
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
        open_loop: parts.iter().any(|p| p.run.open_loop.is_some()),
        intervals,
        commands: commands.into_iter().map(|sum| (sum.name, sum.latency)).collect(),
    });
    Ok((run, log))
}

fn replica_reads(parts: &[Part<'_>]) -> Result<Option<ReplicaReads>, MergeError> {
    let all = || parts.iter().filter_map(|part| part.run.replica_reads.as_ref());
    if all().next().is_none() {
        return Ok(None);
    }
    let lag = optional_histograms(parts, "the lag of replicas", |run| {
        run.replica_reads.as_ref()?.lag_histogram.as_ref()
    })?;
    let lag = lag.unwrap_or_else(empty_histogram);
    Ok(Some(ReplicaReads {
        reads: all().map(|reads| reads.reads).sum(),
        stale: all().map(|reads| reads.stale).sum(),
        from_primary: all().map(|reads| reads.from_primary).sum(),
        lag_us: LatencyUs::from_ns(&lag),
        lag_histogram: Some(HistogramText::encode(&lag)),
    }))
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

/// [`histograms`] of what only an open loop has; none in a closed one.
pub(super) fn optional_histograms<'a>(
    parts: &[Part<'a>],
    place: &str,
    text: impl Fn(&'a EngineRun) -> Option<&'a HistogramText>,
) -> Result<Option<Histogram<u64>>, MergeError> {
    let all: Result<Vec<_>, _> = parts.iter().map(|p| p.optional(place, text(p.run))).collect();
    let there: Vec<Histogram<u64>> = all?.into_iter().flatten().collect();
    Ok((!there.is_empty()).then(|| merged(there.iter())))
}

/// Adds where there may be nothing yet.
fn add_optional(sum: &mut Option<Histogram<u64>>, more: Option<Histogram<u64>>) {
    match (sum, more) {
        (Some(sum), Some(more)) => add_histogram(sum, &more),
        (none @ None, more) => *none = more,
        (Some(_), None) => {}
    }
}

/// The schedules of all of them.
fn open_loop(parts: &[Part<'_>], seconds: f64) -> Result<Option<OpenLoopRun>, MergeError> {
    let delay = optional_histograms(parts, "the delay", |run| {
        run.open_loop.as_ref()?.delay_histogram.as_ref()
    })?;
    let all: Vec<&OpenLoopRun> = parts.iter().filter_map(|p| p.run.open_loop.as_ref()).collect();
    let scheduled = all.iter().map(|open| open.scheduled).sum();
    Ok((!all.is_empty()).then(|| OpenLoopRun {
        scheduled,
        scheduled_per_sec: ratio(scheduled as f64, seconds),
        missed: all.iter().map(|open| open.missed).sum(),
        late: all.iter().map(|open| open.late).sum(),
        delay_us: delay.as_ref().map(LatencyUs::from_ns).unwrap_or_default(),
        delay_histogram: delay.as_ref().map(HistogramText::encode),
    }))
}

/// One command of all generators.
struct CommandSum {
    name: String,
    ops: u64,
    latency: Histogram<u64>,
    service: Option<Histogram<u64>>,
    replies: BTreeMap<String, u64>,
}

impl CommandSum {
    fn command(&self, seconds: f64) -> CommandRun {
        CommandRun {
            replies: self.replies.clone(),
            ..CommandRun::of(
                &self.name,
                self.ops,
                seconds,
                &self.latency,
                self.service.as_ref(),
            )
        }
    }
}

/// By name, in order of first appearance.
fn commands(parts: &[Part<'_>]) -> Result<Vec<CommandSum>, MergeError> {
    let mut sums: Vec<CommandSum> = Vec::new();
    for part in parts {
        for command in &part.run.commands {
            let latency = part.histogram(&command.name, command.histogram.as_ref())?;
            let service = part.optional(&command.name, command.service_histogram.as_ref())?;
            match sums.iter_mut().find(|sum| sum.name == command.name) {
                Some(sum) => {
                    sum.ops += command.ops;
                    add_histogram(&mut sum.latency, &latency);
                    add_optional(&mut sum.service, service);
                    for (counter, count) in &command.replies {
                        *sum.replies.entry(counter.clone()).or_default() += count;
                    }
                }
                None => sums.push(CommandSum {
                    name: command.name.clone(),
                    ops: command.ops,
                    latency,
                    service,
                    replies: command.replies.clone(),
                }),
            }
        }
    }
    Ok(sums)
}

/// A node with its latency and, in an open loop, its service time.
type NodeSum = (NodeRun, Histogram<u64>, Option<Histogram<u64>>);

/// By address, ascending.
fn nodes(parts: &[Part<'_>], seconds: f64) -> Result<Vec<NodeRun>, MergeError> {
    let mut sums: BTreeMap<&str, NodeSum> = BTreeMap::new();
    // CPU time as each generator read it: all that the node did meanwhile.
    let cpu_ns = |node: &NodeRun| node.cpu_ns_per_op.map(|ns| ns * node.ops as f64);
    let mut longest_ns: BTreeMap<&str, Option<f64>> = BTreeMap::new();
    for part in parts {
        for node in &part.run.nodes {
            let latency = part.histogram(&node.addr, node.histogram.as_ref())?;
            let service = part.optional(&node.addr, node.service_histogram.as_ref())?;
            let read = longest_ns.entry(&node.addr).or_insert(Some(0.0));
            *read = read.zip(cpu_ns(node)).map(|(a, b)| a.max(b));
            match sums.get_mut(node.addr.as_str()) {
                Some((sum, latency_sum, service_sum)) => {
                    sum.ops += node.ops;
                    sum.id = sum.id.take().or_else(|| node.id.clone());
                    sum.rss_bytes = sum.rss_bytes.max(node.rss_bytes);
                    add_histogram(latency_sum, &latency);
                    add_optional(service_sum, service);
                }
                None => drop(sums.insert(&node.addr, (node.clone(), latency, service))),
            }
        }
    }
    let finish = |(addr, (node, latency, service)): (&str, NodeSum)| NodeRun {
        ops_per_sec: ratio(node.ops as f64, seconds),
        latency_us: LatencyUs::from_ns(&latency),
        histogram: Some(HistogramText::encode(&latency)),
        service_us: service.as_ref().map(LatencyUs::from_ns),
        service_histogram: service.as_ref().map(HistogramText::encode),
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
                cache: CacheRun::beside(there.iter().filter_map(|(_, round)| round.cache)),
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
        // Its histograms are in no file.
        service_p99_us: pieces
            .iter()
            .filter_map(|p| p.interval.service_p99_us)
            .reduce(f64::max),
    };
    (row, histogram)
}

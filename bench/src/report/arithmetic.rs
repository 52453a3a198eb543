//! From rounds to figures. Percentiles are always read from merged histograms, never averaged.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::course;
use super::histogram::HistogramText;
use super::model::{
    CacheRun, ClientFigures, CommandRun, CurvePoint, EngineInfo, EngineRun, IntervalRun, LatencyUs, NodeRun,
    OpenLoopRun, Redirects, ReplicaReads, RoundContext, RoundRun, ServerFigures, SlotOps,
};
use super::outcome::Outcome;

const NS_PER_US: f64 = 1e3;
/// Points of the latency curve in each half of the remaining distance to 100 %.
const CURVE_TICKS_PER_HALF: u32 = 8;

impl LatencyUs {
    /// Reads the figures from a histogram of nanoseconds.
    pub fn from_ns(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        let at = |percentile: f64| quantile_us(histogram, percentile);
        Self {
            min: histogram.min() as f64 / NS_PER_US,
            mean: histogram.mean() / NS_PER_US,
            stddev: histogram.stdev() / NS_PER_US,
            p50: at(50.0),
            p90: at(90.0),
            p95: at(95.0),
            p99: at(99.0),
            p999: at(99.9),
            p9999: at(99.99),
            max: histogram.max() as f64 / NS_PER_US,
        }
    }
}

/// A percentile in µs, never above the recorded maximum (a bucket's upper bound may be).
fn quantile_us(histogram: &Histogram<u64>, percentile: f64) -> f64 {
    histogram.value_at_percentile(percentile).min(histogram.max()) as f64 / NS_PER_US
}

impl EngineRun {
    /// Merges the rounds of one engine. `contexts[i]` belongs to `outcomes[i]`; a missing one means that nothing is
    /// known of the servers in that round.
    pub fn from_outcomes(info: EngineInfo, outcomes: &[Outcome], contexts: &[RoundContext]) -> Self {
        let seconds: f64 = outcomes.iter().map(|o| o.measured.as_secs_f64()).sum();
        let mut commands: Groups<'_> = Groups::default();
        let mut nodes: Groups<'_> = Groups::default();
        for outcome in outcomes {
            for c in &outcome.commands {
                commands.add(&c.name, None, c.ops, &c.latency, c.service.as_ref());
                commands.add_replies(&c.name, &c.replies);
            }
            for n in &outcome.nodes {
                nodes.add(&n.addr, n.id.as_deref(), n.ops, &n.latency, n.service.as_ref());
            }
        }
        let total = merged(
            outcomes
                .iter()
                .flat_map(|o| o.commands.iter().map(|c| &c.latency)),
        );
        let open = outcomes.iter().any(|o| o.open.is_some());
        let service = open.then(|| {
            merged(
                outcomes
                    .iter()
                    .flat_map(|o| o.commands.iter().filter_map(|c| c.service.as_ref())),
            )
        });
        let ops = commands.0.iter().map(|g| g.ops).sum();
        let client_cpu: Duration = outcomes.iter().map(|o| o.client_cpu).sum();
        let server_cpu = sum_of_all(contexts, outcomes.len(), |c| {
            c.servers.iter().map(|s| s.cpu).sum()
        });
        let rounds = outcomes
            .iter()
            .enumerate()
            .map(|(i, outcome)| round_figures(outcome, contexts.get(i)))
            .collect::<Vec<_>>();
        Self {
            info,
            ops,
            seconds,
            ops_per_sec: ratio(ops as f64, seconds),
            errors: summed_errors(outcomes),
            redirects: Redirects {
                moved: outcomes.iter().map(|o| o.moved).sum(),
                ask: outcomes.iter().map(|o| o.ask).sum(),
            },
            retries: outcomes.iter().map(|o| o.retries).sum(),
            reconnects: outcomes.iter().map(|o| o.reconnects).sum(),
            misses: outcomes.iter().map(|o| o.misses).sum(),
            cache: CacheRun::sum(rounds.iter().filter_map(|round| round.cache)),
            clock_drift_ppm: outcomes
                .iter()
                .map(|o| o.clock_drift_ppm)
                .max_by(|a, b| a.abs().total_cmp(&b.abs()))
                .unwrap_or(0.0),
            bytes_in: outcomes.iter().map(|o| o.bytes_in).sum(),
            bytes_out: outcomes.iter().map(|o| o.bytes_out).sum(),
            latency_us: LatencyUs::from_ns(&total),
            histogram: Some(HistogramText::encode(&total)),
            latency_curve: latency_curve(&total),
            service_us: service.as_ref().map(LatencyUs::from_ns),
            service_histogram: service.as_ref().map(HistogramText::encode),
            service_curve: service.as_ref().map(latency_curve).unwrap_or_default(),
            open_loop: open_loop(outcomes, seconds),
            latency_limit_us: latency_limit_us(outcomes),
            commands: commands.0.iter().map(|g| g.command(seconds)).collect(),
            nodes: nodes
                .0
                .iter()
                .map(|g| g.node(seconds, contexts, outcomes.len()))
                .collect(),
            beside: super::beside::beside(outcomes),
            faults: course::faults(outcomes, contexts),
            shards: course::shards(outcomes, contexts),
            replica_reads: replica_reads(outcomes),
            holds: super::holds::holds(outcomes),
            delivery: super::delivery::delivery(outcomes),
            unknown_scripts: outcomes.iter().map(|o| o.unknown_scripts).sum(),
            audits: contexts.iter().filter_map(|context| context.audit).collect(),
            slots: summed_slots(outcomes),
            intervals: all_intervals(outcomes),
            server: ServerFigures {
                cpu_ns_per_op: server_cpu.and_then(|cpu| per_op_ns(cpu, ops)),
                cpu_s: server_cpu.map(|cpu| cpu.as_secs_f64()),
                rss_bytes: rounds.last().and_then(|r| r.server_rss_bytes),
            },
            rounds,
            client: ClientFigures {
                cpu_ns_per_op: per_op_ns(client_cpu, ops).unwrap_or(0.0),
                cpu_s: client_cpu.as_secs_f64(),
            },
        }
    }

    /// Failed operations of every class.
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// The histograms themselves, for the HDR log; the model holds only figures.
#[derive(Debug, Clone)]
pub struct EngineLog {
    pub info: EngineInfo,
    pub open_loop: bool,
    pub intervals: Vec<LoggedInterval>,
    /// Each command over the whole run.
    pub commands: Vec<(String, Histogram<u64>)>,
}

/// One interval's histogram (ns) at its place in time.
#[derive(Debug, Clone)]
pub struct LoggedInterval {
    /// Unix time of the interval's beginning.
    pub start_unix_s: f64,
    pub length_s: f64,
    pub latency: Histogram<u64>,
}

impl EngineLog {
    /// Keeps the histograms of the same rounds that [`EngineRun::from_outcomes`] takes.
    pub fn from_outcomes(info: EngineInfo, outcomes: &[Outcome], contexts: &[RoundContext]) -> Self {
        let mut intervals = Vec::new();
        let mut commands: Groups<'_> = Groups::default();
        let mut clock_s = 0.0;
        for (i, outcome) in outcomes.iter().enumerate() {
            // Without a clock reading the rounds are laid end to end, so that times still ascend.
            let began_s = contexts
                .get(i)
                .map_or(clock_s, |c| c.started_unix_ms as f64 / 1e3);
            intervals.extend(outcome.intervals.iter().map(|interval| LoggedInterval {
                start_unix_s: began_s + interval.start.as_secs_f64(),
                length_s: interval.length.as_secs_f64(),
                latency: interval.latency.clone(),
            }));
            clock_s = began_s + outcome.measured.as_secs_f64();
            for c in &outcome.commands {
                commands.add(&c.name, None, c.ops, &c.latency, None);
            }
        }
        let commands = commands
            .0
            .into_iter()
            .map(|g| (g.name.to_owned(), g.latency))
            .collect();
        Self {
            info,
            open_loop: outcomes.iter().any(|outcome| outcome.open.is_some()),
            intervals,
            commands,
        }
    }
}

impl CommandRun {
    /// The figures of one command, whose operations took `seconds` in all.
    pub fn of(
        name: &str,
        ops: u64,
        seconds: f64,
        latency: &Histogram<u64>,
        service: Option<&Histogram<u64>>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            ops,
            ops_per_sec: ratio(ops as f64, seconds),
            latency_us: LatencyUs::from_ns(latency),
            histogram: Some(HistogramText::encode(latency)),
            service_us: service.map(LatencyUs::from_ns),
            service_histogram: service.map(HistogramText::encode),
            replies: BTreeMap::new(),
        }
    }
}

/// Rows of the same name in several rounds, in order of first appearance.
#[derive(Default)]
struct Groups<'a>(Vec<Group<'a>>);

struct Group<'a> {
    name: &'a str,
    id: Option<&'a str>,
    ops: u64,
    latency: Histogram<u64>,
    service: Option<Histogram<u64>>,
    replies: BTreeMap<String, u64>,
}

impl<'a> Groups<'a> {
    /// Adds what the replies of a command were, which has a row already.
    fn add_replies(&mut self, name: &str, replies: &BTreeMap<String, u64>) {
        if let Some(group) = self.0.iter_mut().find(|group| group.name == name) {
            for (counter, count) in replies {
                *group.replies.entry(counter.clone()).or_default() += count;
            }
        }
    }

    fn add(
        &mut self,
        name: &'a str,
        id: Option<&'a str>,
        ops: u64,
        latency: &Histogram<u64>,
        service: Option<&Histogram<u64>>,
    ) {
        match self.0.iter_mut().find(|g| g.name == name) {
            Some(group) => {
                group.ops += ops;
                group.id = group.id.or(id);
                add_histogram(&mut group.latency, latency);
                match (&mut group.service, service) {
                    (Some(sum), Some(service)) => add_histogram(sum, service),
                    (none, service) => *none = none.take().or(service.cloned()),
                }
            }
            None => self.0.push(Group {
                name,
                id,
                ops,
                latency: latency.clone(),
                service: service.cloned(),
                replies: BTreeMap::new(),
            }),
        }
    }
}

impl Group<'_> {
    fn command(&self, seconds: f64) -> CommandRun {
        CommandRun {
            replies: self.replies.clone(),
            ..CommandRun::of(self.name, self.ops, seconds, &self.latency, self.service.as_ref())
        }
    }

    fn node(&self, seconds: f64, contexts: &[RoundContext], rounds: usize) -> NodeRun {
        let of_node = |c: &RoundContext| c.servers.iter().find(|s| s.addr == self.name).cloned();
        let uses: Vec<_> = contexts.iter().filter_map(of_node).collect();
        // A share of the rounds would understate the time per operation.
        let complete = !uses.is_empty() && uses.len() == rounds;
        NodeRun {
            addr: self.name.to_owned(),
            id: self.id.map(str::to_owned),
            ops: self.ops,
            ops_per_sec: ratio(self.ops as f64, seconds),
            latency_us: LatencyUs::from_ns(&self.latency),
            histogram: Some(HistogramText::encode(&self.latency)),
            service_us: self.service.as_ref().map(LatencyUs::from_ns),
            service_histogram: self.service.as_ref().map(HistogramText::encode),
            cpu_ns_per_op: if complete {
                per_op_ns(uses.iter().map(|u| u.cpu).sum(), self.ops)
            } else {
                None
            },
            rss_bytes: uses.last().map(|u| u.rss_bytes),
        }
    }
}

fn replica_reads(outcomes: &[Outcome]) -> Option<ReplicaReads> {
    let mut rounds = outcomes.iter().filter_map(|outcome| outcome.staleness.as_ref());
    let mut sum = rounds.next()?.clone();
    rounds.for_each(|round| sum.add(round));
    Some(ReplicaReads {
        reads: sum.reads,
        stale: sum.stale,
        from_primary: sum.from_primary,
        lag_us: LatencyUs::from_ns(&sum.lag),
        lag_histogram: Some(HistogramText::encode(&sum.lag)),
    })
}

fn open_loop(outcomes: &[Outcome], seconds: f64) -> Option<OpenLoopRun> {
    let rounds: Vec<_> = outcomes.iter().filter_map(|o| o.open.as_ref()).collect();
    let scheduled = rounds.iter().map(|open| open.scheduled).sum();
    let delay = merged(rounds.iter().map(|open| &open.delay));
    (!rounds.is_empty()).then(|| OpenLoopRun {
        scheduled,
        scheduled_per_sec: ratio(scheduled as f64, seconds),
        missed: rounds.iter().map(|open| open.missed).sum(),
        late: rounds.iter().map(|open| open.late).sum(),
        delay_us: LatencyUs::from_ns(&delay),
        delay_histogram: Some(HistogramText::encode(&delay)),
    })
}

fn round_figures(outcome: &Outcome, context: Option<&RoundContext>) -> RoundRun {
    let ops = outcome.commands.iter().map(|c| c.ops).sum();
    let total = merged(outcome.commands.iter().map(|c| &c.latency));
    let latency = LatencyUs::from_ns(&total);
    let seconds = outcome.measured.as_secs_f64();
    let servers = context.map(|c| c.servers.as_slice()).filter(|s| !s.is_empty());
    RoundRun {
        started_unix_ms: context.map_or(0, |c| c.started_unix_ms),
        seconds,
        ops,
        ops_per_sec: ratio(ops as f64, seconds),
        p50_us: latency.p50,
        p99_us: latency.p99,
        histogram: Some(HistogramText::encode(&total)),
        client_cpu_ns_per_op: per_op_ns(outcome.client_cpu, ops).unwrap_or(0.0),
        server_cpu_ns_per_op: servers.and_then(|s| per_op_ns(s.iter().map(|u| u.cpu).sum(), ops)),
        server_rss_bytes: servers.map(|s| s.iter().map(|u| u.rss_bytes).sum()),
        cache: outcome.cache.map(|cache| {
            let evicted = context.and_then(|context| context.evicted_keys);
            CacheRun::new(cache.reads, cache.reads - cache.misses, evicted)
        }),
    }
}

fn all_intervals(outcomes: &[Outcome]) -> Vec<IntervalRun> {
    let mut rows = Vec::new();
    for (round, outcome) in (0..).zip(outcomes) {
        rows.extend(outcome.intervals.iter().map(|interval| {
            let latency = LatencyUs::from_ns(&interval.latency);
            let length_s = interval.length.as_secs_f64();
            IntervalRun {
                round,
                start_s: interval.start.as_secs_f64(),
                length_s,
                ops: interval.ops,
                ops_per_sec: ratio(interval.ops as f64, length_s),
                errors: interval.errors,
                p50_us: latency.p50,
                p99_us: latency.p99,
                p999_us: latency.p999,
                max_us: latency.max,
                service_p99_us: interval
                    .service
                    .as_ref()
                    .map(|service| LatencyUs::from_ns(service).p99),
            }
        }));
    }
    rows
}

fn summed_errors(outcomes: &[Outcome]) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (class, count) in outcomes
        .iter()
        .flat_map(|o| &o.errors)
        .filter(|(_, count)| **count > 0)
    {
        *sums.entry(class.clone()).or_insert(0) += count;
    }
    sums
}

fn summed_slots(outcomes: &[Outcome]) -> Vec<SlotOps> {
    let slots = outcomes.iter().map(|o| o.slots.len()).max().unwrap_or(0);
    (0..slots)
        .filter_map(|slot| {
            let ops = outcomes.iter().filter_map(|o| o.slots.get(slot)).sum();
            (ops > 0).then_some(SlotOps {
                slot: slot as u16,
                ops,
            })
        })
        .collect()
}

/// Sums over all rounds, or nothing if one round lacks the figure.
fn sum_of_all(
    contexts: &[RoundContext],
    rounds: usize,
    cpu: impl Fn(&RoundContext) -> Duration,
) -> Option<Duration> {
    let known = contexts.iter().filter(|c| !c.servers.is_empty());
    (rounds > 0 && known.clone().count() == rounds).then(|| known.map(cpu).sum())
}

/// Points at 0, 50 %, then evenly within each halving of what remains, down to the last operation, and 100 %.
pub(crate) fn latency_curve(histogram: &Histogram<u64>) -> Vec<CurvePoint> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let mut points = Vec::new();
    let last_op = 100.0 / histogram.len() as f64;
    let mut remaining: f64 = 100.0;
    while remaining > last_op {
        for tick in 0..CURVE_TICKS_PER_HALF {
            let percentile =
                100.0 - remaining * (1.0 - 0.5 * f64::from(tick) / f64::from(CURVE_TICKS_PER_HALF));
            points.push(CurvePoint {
                percentile,
                us: quantile_us(histogram, percentile),
            });
        }
        remaining /= 2.0;
    }
    points.push(CurvePoint {
        percentile: 100.0,
        us: histogram.max() as f64 / NS_PER_US,
    });
    points
}

fn latency_limit_us(outcomes: &[Outcome]) -> Option<f64> {
    let bounded = outcomes
        .iter()
        .flat_map(|o| &o.commands)
        .map(|c| &c.latency)
        .filter(|h| !h.is_auto_resize());
    bounded.map(Histogram::high).min().map(|ns| ns as f64 / NS_PER_US)
}

/// The sum of all; an empty histogram of nothing.
pub(crate) fn merged<'a>(mut histograms: impl Iterator<Item = &'a Histogram<u64>>) -> Histogram<u64> {
    let Some(first) = histograms.next() else {
        return Histogram::new(3).expect("three significant digits are within the crate's 0 to 5");
    };
    let mut total = first.clone();
    for histogram in histograms {
        add_histogram(&mut total, histogram);
    }
    total
}

/// Adds whatever the ranges are: a run with a longer tail than the first must not be lost.
pub(crate) fn add_histogram(to: &mut Histogram<u64>, from: &Histogram<u64>) {
    let own = to.is_auto_resize();
    to.auto(true);
    to.add(from)
        .expect("a histogram that may grow holds every value of another");
    to.auto(own);
}

fn per_op_ns(cpu: Duration, ops: u64) -> Option<f64> {
    (ops > 0).then(|| cpu.as_nanos() as f64 / ops as f64)
}

/// `a / b`, and 0 where there is nothing to divide by.
pub(crate) fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Step;
    use crate::report::sample;

    fn info() -> EngineInfo {
        EngineInfo {
            engine: "slotmark".to_owned(),
            version: "0.1.0".to_owned(),
            step: None,
        }
    }

    fn run(rounds: usize) -> (Vec<Outcome>, Vec<RoundContext>, EngineRun) {
        let outcomes = sample::outcomes(sample::FAST, rounds, 4, 11);
        let contexts = sample::contexts(sample::FAST, &outcomes, 0, 10);
        let run = EngineRun::from_outcomes(info(), &outcomes, &contexts);
        (outcomes, contexts, run)
    }

    #[test]
    fn every_way_of_counting_gives_the_same_total() {
        let (_, _, run) = run(3);
        assert!(run.ops > 1_000_000);
        assert_eq!(run.ops, run.commands.iter().map(|c| c.ops).sum::<u64>());
        assert_eq!(run.ops, run.nodes.iter().map(|n| n.ops).sum::<u64>());
        assert_eq!(run.ops, run.slots.iter().map(|s| s.ops).sum::<u64>());
        assert_eq!(run.ops, run.intervals.iter().map(|i| i.ops).sum::<u64>());
        assert_eq!(run.ops, run.rounds.iter().map(|r| r.ops).sum::<u64>());
        let length_s: f64 = run.intervals.iter().map(|i| i.length_s).sum();
        assert!((length_s - run.seconds).abs() < 1e-9);
        assert!((run.ops_per_sec - run.ops as f64 / 12.0).abs() < 1e-6);
        assert!(run.slots.is_sorted_by_key(|s| s.slot));
    }

    #[test]
    fn percentiles_come_from_the_merged_histogram() {
        let mut outcomes = sample::outcomes(sample::FAST, 2, 1, 5);
        for (outcome, ns) in outcomes.iter_mut().zip([1_000u64, 9_000_000]) {
            outcome.commands.truncate(1);
            outcome.commands[0].latency.reset();
            outcome.commands[0].ops = 100;
            outcome.commands[0].latency.record_n(ns, 100).expect("in range");
        }
        let run = EngineRun::from_outcomes(info(), &outcomes, &[]);
        // Half of all took 1 µs, half 9 ms: an average of the two rounds' medians would be 4.5 ms.
        assert!((run.latency_us.p50 - 1.0).abs() < 0.01, "{}", run.latency_us.p50);
        assert!(
            (run.latency_us.p90 - 9_000.0).abs() < 9.0,
            "{}",
            run.latency_us.p90
        );
        assert!((run.latency_us.mean - 4_500.5).abs() < 5.0);
        assert_eq!(run.commands[0].latency_us, run.latency_us);
    }

    #[test]
    fn units_are_microseconds_and_nanoseconds() {
        let (outcomes, contexts, run) = run(2);
        let longest_ns = outcomes
            .iter()
            .flat_map(|o| &o.commands)
            .map(|c| c.latency.max())
            .max();
        assert_eq!(Some((run.latency_us.max * 1e3).round() as u64), longest_ns);
        let server_ns: u128 = contexts
            .iter()
            .flat_map(|c| &c.servers)
            .map(|s| s.cpu.as_nanos())
            .sum();
        let per_op = run.server.cpu_ns_per_op.expect("servers are seen");
        assert!((per_op - server_ns as f64 / run.ops as f64).abs() < 1e-6);
        assert!((run.server.cpu_s.expect("servers are seen") - server_ns as f64 / 1e9).abs() < 1e-6);
        assert!((run.client.cpu_ns_per_op * run.ops as f64 / 1e9 - run.client.cpu_s).abs() < 1e-6);
        let last: u64 = contexts[1].servers.iter().map(|s| s.rss_bytes).sum();
        assert_eq!(run.server.rss_bytes, Some(last));
    }

    #[test]
    fn unseen_servers_are_absent_not_zero() {
        let (outcomes, mut contexts, _) = run(2);
        contexts[1].servers.clear();
        let run = EngineRun::from_outcomes(info(), &outcomes, &contexts);
        assert_eq!(
            run.server.cpu_ns_per_op, None,
            "a share of the rounds would understate it"
        );
        assert!(run.rounds[0].server_cpu_ns_per_op.is_some());
        assert_eq!(run.rounds[1].server_cpu_ns_per_op, None);
        assert!(run.nodes.iter().all(|n| n.cpu_ns_per_op.is_none()));
    }

    #[test]
    fn nothing_measured_is_all_zero_and_finite() {
        let run = EngineRun::from_outcomes(info(), &[], &[]);
        assert_eq!((run.ops, run.ops_per_sec, run.latency_us.max), (0, 0.0, 0.0));
        assert!(run.latency_curve.is_empty());
        let json = serde_json::to_string(&run).expect("plain data");
        assert!(!json.contains("NaN"));
    }

    #[test]
    fn the_curve_ascends_from_the_fastest_to_the_slowest() {
        let (_, _, run) = run(1);
        let ascends = |f: fn(&CurvePoint) -> f64| run.latency_curve.is_sorted_by(|a, b| f(a) <= f(b));
        assert!(ascends(|p| p.percentile) && ascends(|p| p.us));
        assert_eq!(
            run.latency_curve.last().map(|p| (p.percentile, p.us)),
            Some((100.0, run.latency_us.max))
        );
        assert_eq!(run.latency_curve[0].us, run.latency_us.min);
        let median = run
            .latency_curve
            .iter()
            .find(|p| p.percentile == 50.0)
            .map(|p| p.us);
        assert_eq!(median, Some(run.latency_us.p50));
    }

    #[test]
    fn rounds_may_differ_in_commands_nodes_and_range() {
        let mut outcomes = sample::outcomes(sample::FAST, 2, 1, 5);
        outcomes[1].commands.remove(0);
        outcomes[1].nodes[0].addr = "10.0.0.9:7000".to_owned();
        outcomes[1].commands[0]
            .latency
            .record(3_600_000_000_000)
            .expect("the histogram grows");
        let run = EngineRun::from_outcomes(info(), &outcomes, &[]);
        assert_eq!(run.commands.len(), 2);
        assert_eq!(run.nodes.len(), 4);
        assert!(
            (run.latency_us.max / 3.6e9 - 1.0).abs() < 0.001,
            "the longest is not lost"
        );
    }

    #[test]
    fn a_bounded_histogram_tells_its_limit() {
        let mut outcomes = sample::outcomes(sample::FAST, 1, 1, 5);
        let mut bounded = Histogram::new_with_max(60_000_000_000, 3).expect("valid bounds");
        bounded.saturating_record(90_000_000_000);
        outcomes[0].commands[0].latency = bounded;
        let run = EngineRun::from_outcomes(info(), &outcomes, &[]);
        let limit_us = run.latency_limit_us.expect("bounded");
        assert!(
            run.latency_us.max >= limit_us,
            "{} {limit_us}",
            run.latency_us.max
        );
        assert_eq!(self::run(1).2.latency_limit_us, None);
    }

    #[test]
    fn file_names_hold_nothing_but_safe_characters() {
        let step = Step {
            parameter: "pipeline".to_owned(),
            value: 16,
        };
        let info = EngineInfo {
            engine: "../my redis".to_owned(),
            version: String::new(),
            step: Some(step),
        };
        assert_eq!(info.file_stem(), ".._my_redis-pipeline-16");
        assert_eq!(info.label(), "../my redis, pipeline 16");
    }
}

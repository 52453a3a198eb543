//! What ran beside the load, and what the load was like before it and with it.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::model::LatencyUs;
use super::outcome::{BesideOutcome, NeighborOutcome, Outcome, StormOutcome};
use crate::measure::empty_histogram;

/// The load in its calm part and in the part with company, all rounds together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BesideRun {
    /// Where in the measured time of each round the company comes, in seconds.
    pub from_s: f64,
    /// The whole load, and beside a neighbour its parts.
    pub groups: Vec<GroupRun>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub storm: Option<StormRun>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub neighbor: Option<NeighborRun>,
}

/// Operations on some of the slots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupRun {
    pub group: Group,
    pub calm: PartRun,
    pub company: PartRun,
}

/// Which slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    All,
    /// The neighbour's own slot.
    SameSlot,
    /// The other slots of the node that owned it when the round began.
    SameNode,
    OtherNodes,
}

/// A part of the measured time, in whole slices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartRun {
    pub seconds: f64,
    pub ops: u64,
    pub ops_per_sec: f64,
    /// As that of the whole run: from when operations were due, in an open loop.
    pub latency_us: LatencyUs,
}

/// How a storm fared: `due` = `answered` + failed + `missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StormRun {
    pub seconds: f64,
    /// Connections that were due.
    pub due: u64,
    pub connected: u64,
    pub answered: u64,
    /// Never begun, because too many were open.
    pub missed: u64,
    /// By class, before an answer.
    pub failed: BTreeMap<String, u64>,
    pub most_open: u64,
    /// From the call to the connection.
    pub connect_us: LatencyUs,
    /// From the call to the answer.
    pub answer_us: LatencyUs,
}

/// How a neighbour fared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NeighborRun {
    pub seconds: f64,
    pub commands: u64,
    pub commands_per_sec: f64,
    /// Of the answers.
    pub bytes: u64,
    pub failed: BTreeMap<String, u64>,
    pub latency_us: LatencyUs,
}

/// All rounds together; none if nothing ran beside them.
pub fn beside(outcomes: &[Outcome]) -> Option<BesideRun> {
    let first = outcomes.iter().find_map(|outcome| outcome.beside.as_ref())?;
    let mut groups = vec![group(outcomes, Group::All)];
    if first.own_slot.is_some() {
        let parts = [Group::SameSlot, Group::SameNode, Group::OtherNodes];
        groups.extend(parts.into_iter().map(|name| group(outcomes, name)));
    }
    let all = || outcomes.iter().filter_map(|outcome| outcome.beside.as_ref());
    Some(BesideRun {
        from_s: first.from.as_secs_f64(),
        groups,
        storm: sum(
            all().filter_map(|beside| beside.storm.as_ref()),
            StormOutcome::add,
        )
        .map(storm),
        neighbor: sum(
            all().filter_map(|beside| beside.neighbor.as_ref()),
            NeighborOutcome::add,
        )
        .map(neighbor),
    })
}

fn sum<'a, T: Clone + 'a>(mut rounds: impl Iterator<Item = &'a T>, add: fn(&mut T, &T)) -> Option<T> {
    let mut sum = rounds.next()?.clone();
    rounds.for_each(|round| add(&mut sum, round));
    Some(sum)
}

fn storm(sum: StormOutcome) -> StormRun {
    StormRun {
        seconds: sum.length.as_secs_f64(),
        due: sum.due,
        connected: sum.connected,
        answered: sum.answered,
        missed: sum.missed,
        failed: sum.failed,
        most_open: sum.most_open,
        connect_us: LatencyUs::from_ns(&sum.connect),
        answer_us: LatencyUs::from_ns(&sum.answer),
    }
}

fn neighbor(sum: NeighborOutcome) -> NeighborRun {
    let seconds = sum.length.as_secs_f64();
    NeighborRun {
        seconds,
        commands: sum.commands,
        commands_per_sec: if seconds > 0.0 {
            sum.commands as f64 / seconds
        } else {
            0.0
        },
        bytes: sum.bytes,
        failed: sum.failed,
        latency_us: LatencyUs::from_ns(&sum.latency),
    }
}

/// What both parts of the time had of a group.
#[derive(Default)]
struct Part {
    seconds: f64,
    latency: Option<Histogram<u64>>,
}

fn group(outcomes: &[Outcome], group: Group) -> GroupRun {
    let (mut calm, mut company) = (Part::default(), Part::default());
    for outcome in outcomes {
        let Some(beside) = &outcome.beside else { continue };
        for (place, interval) in outcome.intervals.iter().enumerate() {
            // A slice in which the company comes is of neither part.
            let part = if interval.start + interval.length <= beside.from {
                &mut calm
            } else if interval.start >= beside.from {
                &mut company
            } else {
                continue;
            };
            part.seconds += interval.length.as_secs_f64();
            let sum = part.latency.get_or_insert_with(empty_histogram);
            for slice in slices(outcome, beside, group, place) {
                // The sum grows as needed, so adding cannot fail.
                let added = sum.add(slice);
                debug_assert!(added.is_ok());
            }
        }
    }
    GroupRun {
        group,
        calm: calm.run(),
        company: company.run(),
    }
}

/// The histograms of a group in the slice of this place.
fn slices<'a>(
    outcome: &'a Outcome,
    beside: &'a BesideOutcome,
    group: Group,
    place: usize,
) -> Vec<&'a Histogram<u64>> {
    if group == Group::All {
        return vec![&outcome.intervals[place].latency];
    }
    let Some((_, node)) = beside.own_slot else {
        return Vec::new();
    };
    let own = beside.groups.len().saturating_sub(1);
    let belongs = |shard: usize| match group {
        Group::SameSlot => shard == own,
        Group::SameNode => shard == node,
        Group::OtherNodes => shard != node && shard != own,
        Group::All => true,
    };
    // Answers that come after the end count in the last slice, as in the whole load.
    let last = place + 1 == outcome.intervals.len();
    let of_group = beside
        .groups
        .iter()
        .enumerate()
        .filter(|(shard, _)| belongs(*shard));
    of_group
        .flat_map(|(_, traced)| {
            traced
                .trace
                .slices
                .iter()
                .skip(place)
                .take(if last { usize::MAX } else { 1 })
        })
        .collect()
}

impl Part {
    fn run(self) -> PartRun {
        let latency = self.latency.unwrap_or_else(empty_histogram);
        PartRun {
            seconds: self.seconds,
            ops: latency.len(),
            ops_per_sec: if self.seconds > 0.0 {
                latency.len() as f64 / self.seconds
            } else {
                0.0
            },
            latency_us: LatencyUs::from_ns(&latency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn run(report: &crate::report::Report) -> BesideRun {
        report.engines[0].beside.clone().expect("company")
    }

    #[test]
    fn both_parts_and_all_groups_add_up() {
        let report = sample::noisy();
        let beside = run(&report);
        let [all, slot, node, others] = beside.groups.as_slice() else {
            panic!("{:?}", beside.groups)
        };
        assert_eq!(all.calm.ops + all.company.ops, report.engines[0].ops);
        assert_eq!((all.calm.seconds, all.company.seconds), (4.0, 4.0));
        let sum = slot.calm.ops + node.calm.ops + others.calm.ops;
        assert!(
            sum.abs_diff(all.calm.ops) < all.calm.ops / 100,
            "{sum} of {}",
            all.calm.ops
        );
        let slower = |group: &GroupRun| group.company.latency_us.p99 / group.calm.latency_us.p99;
        assert!((8.0..12.0).contains(&slower(slot)), "{slot:?}");
        assert!((1.7..2.3).contains(&slower(node)), "{node:?}");
        assert!((0.8..1.2).contains(&slower(others)), "{others:?}");
    }

    #[test]
    fn a_slice_in_which_the_company_comes_is_of_neither_part() {
        let mut outcome = sample::outcomes(sample::FAST, 1, 8, 5).remove(0);
        outcome.beside = Some(BesideOutcome {
            from: std::time::Duration::from_millis(3500),
            ..BesideOutcome::default()
        });
        let beside = beside(&[outcome.clone(), outcome]).expect("company");
        assert_eq!(beside.groups.len(), 1);
        let all = &beside.groups[0];
        assert_eq!((all.calm.seconds, all.company.seconds), (6.0, 8.0));
        assert!(beside.storm.is_none() && beside.neighbor.is_none());
    }

    #[test]
    fn a_storm_adds_up() {
        let storm = run(&sample::stormy()).storm.expect("a storm");
        let failed: u64 = storm.failed.values().sum();
        assert_eq!(storm.due, storm.answered + failed + storm.missed);
    }
}

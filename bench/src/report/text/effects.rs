//! What replies were, what became of what was sent, who held what: in sentences, for terminal and page.

use super::faults::Finding;
use crate::report::model::{CommandRun, EngineRun};
use crate::report::units;

/// All that there is to say of one engine.
pub fn findings(run: &EngineRun) -> Vec<Finding> {
    let mut all: Vec<Finding> = run
        .commands
        .iter()
        .filter(|command| !command.replies.is_empty())
        .map(|command| Finding {
            text: replies(command),
            bad: false,
        })
        .collect();
    if run.unknown_scripts > 0 {
        all.push(Finding {
            text: format!(
                "scripts: {} calls were answered with NOSCRIPT and sent again as EVAL",
                units::count(run.unknown_scripts)
            ),
            bad: false,
        });
    }
    all.extend(holds(run));
    all.extend(delivery(run));
    all
}

fn replies(command: &CommandRun) -> String {
    let of_all = |count: u64| units::share(count as f64 / command.ops.max(1) as f64);
    let counted: Vec<String> = command
        .replies
        .iter()
        .map(|(name, count)| format!("{} {name} ({})", units::count(*count), of_all(*count)))
        .collect();
    format!("{}: {}", command.name, counted.join(", "))
}

fn holds(run: &EngineRun) -> Vec<Finding> {
    let Some(holds) = &run.holds else {
        return Vec::new();
    };
    let mut text = format!(
        "holds: {} taken, {} released; held p50 {}, p99 {}, max {}",
        units::count(holds.taken),
        units::count(holds.released),
        units::latency(holds.held_us.p50),
        units::latency(holds.held_us.p99),
        units::latency(holds.held_us.max),
    );
    if holds.unreleased > 0 {
        text += &format!(
            "; the release of {} was not answered",
            units::count(holds.unreleased)
        );
    }
    if holds.outlived > 0 {
        text += &format!(
            "; {} were released after their time to live",
            units::count(holds.outlived)
        );
    }
    let audit = match holds.overlaps {
        0 => "audit: no key had two holders at one time".to_owned(),
        n => format!(
            "audit: {} holds began while another client certainly held the key",
            units::count(n)
        ),
    };
    let bad = holds.overlaps > 0;
    vec![Finding { text, bad: false }, Finding { text: audit, bad }]
}

fn delivery(run: &EngineRun) -> Vec<Finding> {
    let Some(delivery) = &run.delivery else {
        return Vec::new();
    };
    let count = units::count;
    let latency = &delivery.latency_us;
    let times = format!(
        "p50 {}, p99 {}, p99.9 {}, max {}",
        units::latency(latency.p50),
        units::latency(latency.p99),
        units::latency(latency.p999),
        units::latency(latency.max)
    );
    let mut text = if delivery.takes {
        format!(
            "hand-over from the write of the push to the read of the pop: {times} ({} consumers)",
            count(delivery.receivers)
        )
    } else {
        format!(
            "delivery from the write of the publisher to the read of the subscriber: {times} ({} subscribers)",
            count(delivery.receivers)
        )
    };
    if !delivery.failed.is_empty() {
        let classes = delivery
            .failed
            .iter()
            .map(|(class, n)| format!("{class} {}", count(*n)));
        text += &format!(
            "; their connections failed: {}",
            classes.collect::<Vec<_>>().join(", ")
        );
    }
    let mut sum = if delivery.takes {
        format!(
            "audit: {} pushed = {} popped + {} left over + {} lost; {} came twice",
            count(delivery.expected),
            count(delivery.delivered),
            count(delivery.left_over),
            count(delivery.lost),
            count(delivery.repeated)
        )
    } else {
        format!(
            "{} messages published, {} copies expected = {} delivered + {} lost; {} came twice",
            count(delivery.sent),
            count(delivery.expected),
            count(delivery.delivered),
            count(delivery.lost),
            count(delivery.repeated)
        )
    };
    if delivery.unacknowledged > 0 {
        sum += &format!(
            "; {} came that were never acknowledged",
            count(delivery.unacknowledged)
        );
    }
    if delivery.foreign > 0 {
        sum += &format!("; {} values of others were ignored", count(delivery.foreign));
    }
    let bad = delivery.lost + delivery.repeated > 0;
    vec![Finding { text, bad: false }, Finding { text: sum, bad }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn what_is_violated_is_said_as_such() {
        let mut run = sample::received().engines.remove(0);
        let bad = |run: &EngineRun| findings(run).iter().filter(|finding| finding.bad).count();
        assert_eq!(bad(&run), 0, "{:?}", findings(&run));
        if let Some(holds) = &mut run.holds {
            holds.overlaps = 3;
        }
        if let Some(delivery) = &mut run.delivery {
            (delivery.delivered, delivery.lost) = (delivery.delivered - 1, 1);
        }
        assert_eq!(bad(&run), 2);
        let all: Vec<String> = findings(&run).into_iter().map(|finding| finding.text).collect();
        for part in ["3 holds began", "+ 1 lost", "NOSCRIPT", "miss ("] {
            assert!(all.iter().any(|text| text.contains(part)), "{part}: {all:?}");
        }
    }
}
